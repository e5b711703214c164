package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"slices"

	"github.com/klauspost/compress/zstd"
	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/ingest/otlp"
	"github.com/tracewhy/tracewhy/internal/scenario"
)

// A file is one of a case's folder.
type file struct {
	name string
	data []byte
}

// spansPerFile is when a collector begins another file.
const spansPerFile = 8000

// filesOf returns the case as the files of a folder: the spans of both windows as OTLP JSON lines, in the order in
// which they arrived, compressed and spread over several files each; changes.json and label.json. The same case
// gives the same bytes.
func filesOf(c scenario.Case) ([]file, error) {
	var files []file
	for _, window := range []struct {
		name  string
		spans []tracewhy.SpanData
	}{{"baseline", c.Baseline}, {"incident", c.Incident}} {
		set, err := build(window.spans)
		if err != nil {
			return nil, err
		}
		n := 0
		for part := range slices.Chunk(window.spans, spansPerFile) {
			n++
			data, err := compress(func(w io.Writer) error { return writeSpans(w, set, part) })
			if err != nil {
				return nil, err
			}
			files = append(files, file{fmt.Sprintf("%s-%d.otlp.jsonl.gz", window.name, n), data})
		}
	}
	return appendDocuments(files, c)
}

// demoFiles returns the demo's case as few and small files: those of filesOf, but with the spans of a trace together
// and compressed by zstd.
func demoFiles(c scenario.Case) ([]file, error) {
	var files []file
	for _, window := range []struct {
		name  string
		spans []tracewhy.SpanData
	}{{"baseline", c.Baseline}, {"incident", c.Incident}} {
		set, err := build(window.spans)
		if err != nil {
			return nil, err
		}
		data, err := squeeze(func(w io.Writer) error { return otlp.WriteJSON(w, spansOf(set)) })
		if err != nil {
			return nil, err
		}
		files = append(files, file{window.name + ".otlp.jsonl.zst", data})
	}
	return appendDocuments(files, c)
}

// appendDocuments appends changes.json and label.json.
func appendDocuments(files []file, c scenario.Case) ([]file, error) {
	for _, doc := range []struct {
		name string
		v    any
	}{{"changes.json", c.Changes}, {"label.json", c.Label}} {
		data, err := json.MarshalIndent(doc.v, "", "  ")
		if err != nil {
			return nil, err
		}
		files = append(files, file{doc.name, append(data, '\n')})
	}
	return files, nil
}

func build(spans []tracewhy.SpanData) (*tracewhy.Set, error) {
	var b tracewhy.Builder
	for i := range spans {
		b.Add(&spans[i])
	}
	return b.Build(context.Background())
}

// writeSpans writes the set's spans that the given ones are, in their order, and twice where they come twice: a
// Set by itself has neither.
func writeSpans(w io.Writer, set *tracewhy.Set, spans []tracewhy.SpanData) error {
	return otlp.WriteJSON(w, func(yield func(tracewhy.Span) bool) {
		for i := range spans {
			t, _ := set.Lookup(spans[i].TraceID)
			if sp, ok := t.Find(spans[i].SpanID); ok && !yield(sp) {
				return
			}
		}
	})
}

// spansOf yields all spans, trace by trace.
func spansOf(set *tracewhy.Set) iter.Seq[tracewhy.Span] {
	return func(yield func(tracewhy.Span) bool) {
		for t := range set.Traces() {
			for s := range t.Spans() {
				if !yield(s) {
					return
				}
			}
		}
	}
}

// compress returns what write writes in gzip's format, without a name or a time.
func compress(write func(io.Writer) error) ([]byte, error) {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if err := write(w); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// squeeze returns what write writes in zstd's format, as small as it gets.
func squeeze(write func(io.Writer) error) ([]byte, error) {
	var b bytes.Buffer
	w, err := zstd.NewWriter(&b, zstd.WithEncoderLevel(zstd.SpeedBestCompression), zstd.WithEncoderConcurrency(1))
	if err != nil {
		return nil, err
	}
	if err := write(w); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
