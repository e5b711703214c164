package stdouttrace_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/ingest/input"
	"github.com/tracewhy/tracewhy/ingest/otlp"
	"github.com/tracewhy/tracewhy/ingest/stdouttrace"
	"github.com/tracewhy/tracewhy/internal/golden"
)

func build(tb testing.TB, b *tracewhy.Builder) *tracewhy.Set {
	tb.Helper()
	s, err := b.Build(context.Background())
	if err != nil {
		tb.Fatal(err)
	}
	if a := s.Accounting(); a.In != a.Kept+a.Merged+a.Quarantined {
		tb.Fatalf("spans got lost: %+v", a)
	}
	return s
}

// readWindow returns what reading a document through a window of some size comes to: the Set, and the kind of
// the error, the spans kept, merged and quarantined, and the problems with their counts, in one line.
func readWindow(tb testing.TB, doc string, limits input.Limits, size int) (*tracewhy.Set, string) {
	tb.Helper()
	var b tracewhy.Builder
	err := stdouttrace.ReadWindow(context.Background(), strings.NewReader(doc), &b, input.Config{Limits: limits}, size)
	s := build(tb, &b)
	a := s.Accounting()
	out := fmt.Sprintf("%d %d %d", a.Kept, a.Merged, a.Quarantined)
	var syntax *input.SyntaxError
	var limit *input.LimitError
	switch {
	case errors.As(err, &syntax):
		out = fmt.Sprintf("error at %d: %s", syntax.Position.Offset, out)
	case errors.As(err, &limit):
		out = fmt.Sprintf("limit %s: %s", limit.Limit, out)
	case errors.Is(err, input.ErrNotTraces):
		out = "not traces: " + out
	case err != nil:
		tb.Errorf("unexpected error: %v", err)
	}
	for _, p := range s.Problems() {
		out += fmt.Sprintf(" %s=%d", p.Code, p.Count)
	}
	return s, out
}

// spans yields the spans of a Set, trace by trace.
func spans(set *tracewhy.Set) iter.Seq[tracewhy.Span] {
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

// What versions of the exporter wrote is read as the golden files say, in OTLP's JSON: 1.47 wrote all of its
// kinds of attributes, on lines, on many lines, and without times.
func TestGolden(t *testing.T) {
	for name, want := range map[string]string{
		"lines.jsonl":        "5 0 0 weight_missing=2",
		"pretty.json":        "5 0 0 weight_missing=2",
		"no_timestamps.json": "5 0 0 time_missing=5 weight_missing=2",
		"v0.7.json":          "2 0 0 legacy_schema=2 service_missing=2 text_skipped=2",
		"v0.20.json":         "1 0 0 legacy_schema=1 no_root=1 orphan=1",
		"v1.19.json":         "1 0 0 no_root=1 orphan=1",
	} {
		t.Run(name, func(t *testing.T) {
			doc, err := os.ReadFile(filepath.Join("testdata", name))
			if err != nil {
				t.Fatal(err)
			}
			set, got := readWindow(t, string(doc), input.Limits{}, 1<<18)
			if got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
			var out bytes.Buffer
			if err := otlp.WriteJSON(&out, spans(set)); err != nil {
				t.Fatal(err)
			}
			expected := name
			if name == "pretty.json" {
				expected = "lines.jsonl"
			}
			golden.Check(t, expected+".golden", out.Bytes())
		})
	}
}
