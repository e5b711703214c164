package zipkin_test

import (
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
	"github.com/tracewhy/tracewhy/ingest/zipkin"
)

// dataFile returns a file of the data that is not part of the repository.
func dataFile(tb testing.TB, name string) []byte {
	tb.Helper()
	dir := os.Getenv("TRACEWHY_DATA")
	if dir == "" {
		tb.Skip("set TRACEWHY_DATA to the folder that has " + name)
	}
	data, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

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

// mustSet returns the Set of what one reader reads.
func mustSet(tb testing.TB, read func(b *tracewhy.Builder) error) *tracewhy.Set {
	tb.Helper()
	var b tracewhy.Builder
	if err := read(&b); err != nil {
		tb.Fatal(err)
	}
	return build(tb, &b)
}

// readZipkin returns the Set of a document.
func readZipkin(tb testing.TB, doc string) *tracewhy.Set {
	tb.Helper()
	return mustSet(tb, func(b *tracewhy.Builder) error {
		return zipkin.Read(context.Background(), strings.NewReader(doc), b, input.Config{Name: tb.Name()})
	})
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

// readWindow returns what reading a document through a window of some size comes to: the Set, and outcomeOf.
func readWindow(t *testing.T, doc string, limits input.Limits, size int) (*tracewhy.Set, string) {
	t.Helper()
	var b tracewhy.Builder
	err := zipkin.ReadWindow(context.Background(), strings.NewReader(doc), &b, input.Config{Limits: limits}, size)
	set := build(t, &b)
	return set, outcomeOf(t, err, set)
}

// outcome reads a document, through windows of several sizes, and says in one line what that comes to.
func outcome(t *testing.T, doc string, limits input.Limits) (string, *tracewhy.Set) {
	t.Helper()
	set, first := readWindow(t, doc, limits, 1<<18)
	for _, size := range []int{1000, 70} { // of the window
		if _, got := readWindow(t, doc, limits, size); got != first {
			t.Errorf("a window of %d bytes makes a difference:\ngot  %s\nwant %s", size, got, first)
		}
	}
	return first, set
}

// outcomeOf lists the kind of an error, the spans kept, merged and quarantined, and the problems with
// their counts.
func outcomeOf(t *testing.T, err error, s *tracewhy.Set) string {
	t.Helper()
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
	case errors.Is(err, zipkin.ErrVersion1):
		out = "version 1: " + out
	case err != nil:
		t.Errorf("unexpected error: %v", err)
	}
	for _, p := range s.Problems() {
		out += fmt.Sprintf(" %s=%d", p.Code, p.Count)
	}
	return out
}

// interval says when a span was, in nanoseconds.
func interval(d tracewhy.SpanData) string { return fmt.Sprintf("%d..%d", d.Start, d.End) }

// kindNames are what types of values are called in tests; text has none.
var kindNames = map[tracewhy.ValueKind]string{
	tracewhy.EmptyValue: "empty", tracewhy.BoolValue: "bool ", tracewhy.IntValue: "int ", tracewhy.FloatValue: "float ",
	tracewhy.BytesValue: "bytes ", tracewhy.ArrayValue: "array ", tracewhy.MapValue: "map ",
}
