package ingest_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/ingest"
	"github.com/tracewhy/tracewhy/ingest/input"
)

func document(span int) []byte {
	return fmt.Appendf(nil, `{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"%016x","name":"n","startTimeUnixNano":"1","endTimeUnixNano":"2"}]}]}]}`+"\n", span)
}

func gzipped(t testing.TB, b []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, err := w.Write(b)
	if err = errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func zstdFrame(t testing.TB, b []byte) []byte {
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	return w.EncodeAll(b, nil)
}

func framed(b []byte) []byte { return append(binary.BigEndian.AppendUint32(nil, uint32(len(b))), b...) }

// Input is read as it is, or decompressed, in one part or several.
func TestCompression(t *testing.T) {
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	one, two := document(1), document(2)
	z1, z2 := zstdFrame(t, one), zstdFrame(t, two)
	skippable := append([]byte{0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0}, "abc"...)
	tests := []struct {
		name string
		doc  []byte
		want string
	}{
		{"plain", join(one, two), "2 0 0"},
		{"gzip", gzipped(t, join(one, two)), "2 0 0"},
		{"gzip in two parts", join(gzipped(t, one), gzipped(t, two)), "2 0 0"},
		{"gzip, cut in the middle", join(gzipped(t, one), gzipped(t, two)[:100]), "1 0 1 truncated_input=1"},
		{"gzip, cut before its checksum", gzipped(t, one)[:len(gzipped(t, one))-8], "1 0 0 truncated_input=1"},
		{"gzip, with something else behind it", join(gzipped(t, one), make([]byte, 600)), "1 0 0 trailing_data=1"},
		{"zstd", zstdFrame(t, join(one, two)), "2 0 0"},
		{"zstd in two frames, with one to skip between them", join(z1, skippable, z2), "2 0 0"},
		{"zstd, cut in the second frame", join(z1, z2[:20]), "1 0 0 truncated_input=1"},
		{"zstd in the file exporter's frames", join(framed(z1), framed(z2)), "2 0 0"},
		{"zstd in the file exporter's frames, cut", join(framed(z1), framed(z2)[:30]), "1 0 0 truncated_input=1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, _ := outcome(t, tt.doc)
			got = strings.NewReplacer(" service_missing=1", "", " service_missing=2", "", " several_roots=1", "").Replace(got)
			if got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestUnreadable(t *testing.T) {
	corrupt := gzipped(t, bytes.Repeat(document(1), 100))
	corrupt[len(corrupt)/2] ^= 0xff
	tests := []struct {
		name  string
		doc   []byte
		cause error
		says  string
	}{
		{"bzip2", []byte("BZh91AY&SY"), input.ErrNotTraces, "doc: compressed with bzip2"},
		{"corrupt gzip", corrupt, nil, "doc: byte "},
		{"no gzip", []byte("\x1f\x8b\xff\xff"), nil, "doc: byte 0: decompression"},
		{"no zstd", []byte("\x28\xb5\x2f\xfd\xff\xff\xff\xff\xff\xff\xff\xff"), nil, "doc: byte 0: decompression"},
		{"text", []byte("hello"), input.ErrNotTraces, "doc: not trace data"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var b tracewhy.Builder
			err := ingest.Read(context.Background(), "doc", bytes.NewReader(tt.doc), "", &b, ingest.Config{})
			if err == nil || !strings.Contains(err.Error(), tt.says) || tt.cause != nil && !errors.Is(err, tt.cause) {
				t.Errorf("got error %v, want one that says %q", err, tt.says)
			}
		})
	}
}

// spaces is an endless input that becomes very small when it is compressed.
var spaces = readerFunc(func(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
})

// What becomes too large when it is decompressed is not read to its end.
func TestBombs(t *testing.T) {
	const size = 80 << 20
	bomb := func(w io.WriteCloser, out *bytes.Buffer) []byte {
		_, err := io.Copy(w, io.MultiReader(strings.NewReader(`{"x":"`), io.LimitReader(spaces, size)))
		if err = errors.Join(err, w.Close()); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	var gz, zs bytes.Buffer
	zw, err := zstd.NewWriter(&zs)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name   string
		doc    []byte
		limits input.Limits
		limit  string
	}{
		{"gzip", bomb(gzip.NewWriter(&gz), &gz), input.Limits{}, "Ratio"},
		{"zstd", bomb(zw, &zs), input.Limits{}, "Ratio"},
		{"gzip, by length", gz.Bytes(), input.Limits{DecodedBytes: 10 << 20}, "DecodedBytes"},
		{"zstd, by length", zs.Bytes(), input.Limits{DecodedBytes: 10 << 20}, "DecodedBytes"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var b tracewhy.Builder
			err := ingest.Read(context.Background(), "doc", bytes.NewReader(tt.doc), "", &b, ingest.Config{Limits: tt.limits})
			var limit *input.LimitError
			if !errors.As(err, &limit) || limit.Limit != tt.limit {
				t.Fatalf("got error %v, want that %s was passed", err, tt.limit)
			}
			if limit.Position.Offset > 70<<20 {
				t.Errorf("it was noticed only at %d", limit.Position.Offset)
			}
		})
	}
}

// The spans of a trace may lie in several files, which are told apart by nothing.
func TestFiles(t *testing.T) {
	dir := t.TempDir()
	var paths []string
	var size int64
	for i, doc := range [][]byte{document(1), gzipped(t, document(2)), zstdFrame(t, document(3))} {
		paths = append(paths, filepath.Join(dir, string(rune('a'+i))))
		if err := os.WriteFile(paths[i], doc, 0o600); err != nil {
			t.Fatal(err)
		}
		size += int64(len(doc))
	}
	var b tracewhy.Builder
	var progress []int64
	cfg := ingest.Config{Progress: func(n int64) { progress = append(progress, n) }}
	if err := ingest.Files(context.Background(), &b, "incident", cfg, paths...); err != nil {
		t.Fatal(err)
	}
	s, err := b.Build(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if s.NumTraces() != 1 || s.NumSpans() != 3 || s.Trace(0).Source() != "incident" {
		t.Errorf("%d traces, %d spans of source %q", s.NumTraces(), s.NumSpans(), s.Trace(0).Source())
	}
	for i, n := range progress {
		if i > 0 && n < progress[i-1] {
			t.Errorf("progress goes back: %d", progress)
		}
	}
	if len(progress) < 3 || progress[len(progress)-1] != size {
		t.Errorf("progress %d, want to %d", progress, size)
	}

	err = ingest.Files(context.Background(), &b, "", ingest.Config{}, filepath.Join(dir, "none"), paths[0])
	if !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "none") {
		t.Errorf("got error %v for a file that is not there", err)
	}
	if b.Len() != 0 {
		t.Errorf("reading went on after an error")
	}
}

// A read stops soon after its context is cancelled.
func TestCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	docs := 0
	r := readerFunc(func(p []byte) (int, error) {
		if docs++; docs == 5000 {
			cancel()
		}
		return copy(p, document(docs)), nil
	})
	var b tracewhy.Builder
	err := ingest.Read(ctx, "doc", r, "", &b, ingest.Config{})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got error %v", err)
	}
	if docs > 10000 {
		t.Errorf("read %d documents more", docs-5000)
	}
}

// No goroutine outlives a read, also one that ends early.
func TestGoroutines(t *testing.T) {
	doc := bytes.Repeat(document(1), 1<<14)
	before := runtime.NumGoroutine()
	for _, doc := range [][]byte{gzipped(t, doc), zstdFrame(t, doc)} {
		var b tracewhy.Builder
		var limit *input.LimitError
		err := ingest.Read(context.Background(), "doc", bytes.NewReader(doc), "", &b, ingest.Config{Limits: input.Limits{Spans: 5}})
		if !errors.As(err, &limit) {
			t.Fatal(err)
		}
	}
	for range 5000 { // they may still be about to end, on a machine that has much to do
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Errorf("%d goroutines, %d before", runtime.NumGoroutine(), before)
}

// FuzzRead reads any bytes as they are and compressed, which makes no difference.
func FuzzRead(f *testing.F) {
	one := document(1)
	f.Add(one)
	f.Add(gzipped(f, one))
	f.Add(zstdFrame(f, one))
	f.Add(framed(zstdFrame(f, one)))
	f.Add(append(gzipped(f, one), one...))
	f.Add([]byte("\n\x12\x12\x10\x12\x0e\n\x04aaaa\x12\x04bbbb"))
	f.Fuzz(func(t *testing.T, doc []byte) {
		read := func(doc []byte) (tracewhy.Accounting, error) {
			var b tracewhy.Builder
			err := ingest.Read(context.Background(), "doc", bytes.NewReader(doc), "", &b, ingest.Config{Limits: input.Limits{DecodedBytes: 1 << 20}})
			s, buildErr := b.Build(context.Background())
			if buildErr != nil {
				t.Fatal(buildErr)
			}
			a := s.Accounting()
			if a.In != a.Kept+a.Merged+a.Quarantined {
				t.Fatalf("spans got lost: %+v", a)
			}
			return a, err
		}
		want, _ := read(doc)
		if isCompressed := bytes.HasPrefix(doc, []byte("\x1f\x8b")) || bytes.Contains(doc[:min(len(doc), 8)], []byte("\x28\xb5\x2f\xfd")); isCompressed {
			return // it is decompressed once
		}
		for _, compressed := range [][]byte{gzipped(t, doc), zstdFrame(t, doc)} {
			if got, _ := read(compressed); got != want {
				t.Fatalf("got %+v, want %+v", got, want)
			}
		}
	})
}

// Errors of the reader end a read, and what was read before is kept.
func TestReadError(t *testing.T) {
	broken := errors.New("cable cut")
	var b tracewhy.Builder
	r := io.MultiReader(bytes.NewReader(document(1)), readerFunc(func([]byte) (int, error) { return 0, broken }))
	if err := ingest.Read(context.Background(), "doc", r, "", &b, ingest.Config{}); !errors.Is(err, broken) {
		t.Errorf("got error %v", err)
	}
	if b.Len() != 1 {
		t.Errorf("%d spans were kept", b.Len())
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }
