package ingest_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/ingest"
)

// dataDir returns the folder of recorded trace data, which is not part of the module.
func dataDir(t *testing.T) string {
	dir := os.Getenv("TRACEWHY_DATA")
	if dir == "" {
		t.Skip("set TRACEWHY_DATA to the folder with cases/ and reference/ to run this test")
	}
	return dir
}

// Every recorded case reads without loss.
func TestCases(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join(dataDir(t), "cases", "*", "*", "*.otlp.jsonl.gz"))
	if err != nil {
		t.Fatal(err)
	}
	if len(paths) == 0 {
		t.Fatal("no cases found")
	}
	for _, path := range paths {
		var b tracewhy.Builder
		if err := ingest.Files(context.Background(), &b, "incident", ingest.Config{}, path); err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		s, err := b.Build(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if a := s.Accounting(); a.Kept == 0 || a.Kept != a.In || s.Source("incident").Len() != s.NumTraces() {
			t.Errorf("%s: %+v", path, a)
		}
	}
}

// One set of traces was written by several programs: what all of them write is the same.
func TestSameTraces(t *testing.T) {
	dir := filepath.Join(dataDir(t), "formats", "crossformat")
	type span struct {
		trace              tracewhy.TraceID
		id, parent         tracewhy.SpanID
		name, service      string
		kind               tracewhy.Kind
		status             tracewhy.StatusCode
		start, end         uint64
		attributes, events int
	}
	read := func(pattern string) map[span]int {
		paths, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil || len(paths) == 0 {
			t.Fatalf("%s: %d files, %v", pattern, len(paths), err)
		}
		var b tracewhy.Builder
		if err := ingest.Files(context.Background(), &b, "", ingest.Config{}, paths...); err != nil {
			t.Fatal(err)
		}
		s, err := b.Build(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		spans := map[span]int{}
		for i := range s.NumSpans() {
			d := s.Span(i).Data()
			spans[span{
				d.TraceID, d.SpanID, d.ParentSpanID, d.Name, s.Span(i).Service(), d.Kind, d.Status, d.Start, d.End, len(d.Attributes), len(d.Events),
			}]++
		}
		return spans
	}
	want := read("otlp.json")
	if len(want) == 0 {
		t.Fatal("no spans")
	}
	for _, pattern := range []string{"otlp.pb", "jaeger_v3/*.json", "tempo/*.v2.json"} {
		if diff := cmp.Diff(want, read(pattern), cmp.AllowUnexported(span{})); diff != "" {
			t.Errorf("%s differs from otlp.json:\n%s", pattern, diff)
		}
	}
}
