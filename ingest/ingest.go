// Package ingest reads files and streams of traces into a [tracewhy.Builder], whatever format they have.
//
//	var b tracewhy.Builder
//	err := ingest.Files(ctx, &b, "baseline", ingest.Config{}, "monday.jsonl.gz", "tuesday.jsonl.gz")
//	…
//	err = ingest.Files(ctx, &b, "incident", ingest.Config{}, "now.jsonl.zst")
//	…
//	set, err := b.Build(ctx)
//	incident := set.Source("incident")
//
// What an input is it tells by its content. It may be compressed with gzip or zstd, in one part or
// several, as the OpenTelemetry Collector's file exporter does it, too. It reads OTLP (package otlp), of
// which JSON lines are the usual kind of file. Spans of one trace may lie anywhere in any of the inputs.
//
// An error means that an input could not be read, or not to its end; the spans before that are in the
// Builder. All else that is wrong with an input is counted, with the place of an example, by
// [tracewhy.Set.Problems]: see package input, which also has the limits that hold off hostile input.
//
// Reading takes time in the length of the decompressed input, one to three microseconds for a span of
// fourteen attributes, of which decompression has its share on another processor. Beside what the
// Builder keeps it takes memory for a window on the input, which holds at least one span.
package ingest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"sync/atomic"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/ingest/input"
)

// Config says how to read. The zero Config is right for most.
type Config struct {
	// Limits bound what each input may cost.
	Limits input.Limits

	// Progress, if set, is called now and then with how many bytes were read so far, before
	// decompression: of one input by Read, of all together by Files.
	Progress func(bytes int64)
}

// Files adds the spans of files to b, one file after the other, as coming from the named source
// ([tracewhy.SpanData.Source]). It stops at the first file that cannot be read.
func Files(ctx context.Context, b *tracewhy.Builder, source string, cfg Config, paths ...string) error {
	var before int64
	progress := cfg.Progress
	for _, path := range paths {
		var size int64
		cfg.Progress = func(n int64) {
			size = n
			if progress != nil {
				progress(before + n)
			}
		}
		if err := file(ctx, b, source, cfg, path); err != nil {
			return err
		}
		before += size
	}
	return nil
}

func file(ctx context.Context, b *tracewhy.Builder, source string, cfg Config, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return Read(ctx, path, f, source, b, cfg)
}

// Read adds the spans of one input to b, as coming from the named source. Messages call the input name.
func Read(ctx context.Context, name string, r io.Reader, source string, b *tracewhy.Builder, cfg Config) error {
	cfg.Limits = cfg.Limits.Settled()
	raw := &counter{r: r}
	in := input.Config{Name: name, Source: source, Limits: cfg.Limits}
	decoded, err := decompress(raw, b, in)
	if err != nil {
		return fmt.Errorf("ingest: %w", err)
	}
	defer decoded.close()
	head, whole := peek(&reporter{decoded, raw, cfg.Progress}, detectable)
	err = formatOf(head).read(ctx, whole, b, in)
	if z := decoded.inflated; z != nil && z.hasTrailer {
		b.Note(tracewhy.ProblemTrailingData, input.Position{Name: name, Offset: z.n}.String(), tracewhy.TraceID{})
	}
	if err != nil {
		return fmt.Errorf("ingest: %w", err)
	}
	return nil
}

// A counter counts the bytes that are read, maybe by other goroutines than that of the caller.
type counter struct {
	r io.Reader
	n atomic.Int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n.Add(int64(n))
	return n, err
}

// A reporter reports progress in raw, whenever some of what became of it is read.
type reporter struct {
	io.Reader
	raw      *counter
	progress func(int64)
}

func (r *reporter) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if r.progress != nil {
		r.progress(r.raw.n.Load())
	}
	return n, err
}

// peek returns the first bytes of r, at most n, and a reader of the whole, which ends as r does.
func peek(r io.Reader, n int) ([]byte, io.Reader) {
	head := make([]byte, n)
	n = 0
	for n < len(head) {
		m, err := r.Read(head[n:])
		n += m
		if err != nil {
			return head[:n], io.MultiReader(bytes.NewReader(head[:n]), ending{err})
		}
	}
	return head, io.MultiReader(bytes.NewReader(head), r)
}

// ending is what is left of a reader that ended with err.
type ending struct{ err error }

func (e ending) Read([]byte) (int, error) { return 0, e.err }
