package tracewhy_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/tracetext"
)

// pathText writes a path as "operation 0-5, operation 5-9" in milliseconds since the texts' epoch.
func pathText(sections []tracewhy.Section) string {
	var parts []string
	for _, s := range sections {
		parts = append(parts, fmt.Sprintf("%s %d-%d", s.Span.Name(), (s.Start-tracetext.Epoch)/tick, (s.End-tracetext.Epoch)/tick))
	}
	return strings.Join(parts, ", ")
}

func TestCriticalPath(t *testing.T) {
	for _, test := range []struct{ why, text, want string }{
		{"a span alone", "a/r 0+10", "r 0-10"},
		{"calls one after the other, and own work around them",
			"a/r 0+100\n  a/x 10+20\n  a/y 40+50",
			"r 0-10, x 10-30, r 30-40, y 40-90, r 90-100"},
		{"a chain of calls",
			"a/r 0+100\n  a/x 10+80\n    a/y 20+60",
			"r 0-10, x 10-20, y 20-80, x 80-90, r 90-100"},
		{"calls in parallel: the one that ended last",
			"a/r 0+100\n  a/x 10+80\n  a/y 10+50",
			"r 0-10, x 10-90, r 90-100"},
		{"overlap: one that was still running did not hold up the start of the next",
			"a/r 0+100\n  a/x 10+50\n  a/y 50+40",
			"r 0-50, y 50-90, r 90-100"},
		{"back to back: the earlier one held up the later",
			"a/r 0+100\n  a/x 0+10\n  a/y 10+90",
			"x 0-10, y 10-100"},
		{"children that end together: the one that started last",
			"a/r 0+100\n  a/x 10+90\n  a/y 40+60",
			"r 0-40, y 40-100"},
		{"children with equal intervals: the first in the Set",
			"a/r 0+100\n  a/x 10+80\n  a/y 10+80",
			"r 0-10, x 10-90, r 90-100"},
		{"spans that take no time are never on it",
			"a/r 0+100\n  a/x 0+0\n  a/y 50+0\n    a/z 50+0\n  a/w 100+0",
			"r 0-100"},
		{"a span that takes no time beside one that does",
			"a/r 0+100\n  a/x 20+60\n  a/y 80+0\n  a/z 20+0",
			"r 0-20, x 20-80, r 80-100"},
		{"a child that outlives its parent is cut",
			"a/r 0+100\n  a/x 10+200 server",
			"r 0-10, x 10-100"},
		{"and so are its own children",
			"a/r 0+100\n  a/x 10+200\n    a/y 90+100\n    a/z 20+60",
			"r 0-10, x 10-20, z 20-80, x 80-90, y 90-100"},
		{"a child that starts before its parent is cut",
			"a/r 10+90\n  a/x 0+50",
			"x 10-50, r 50-100"},
		{"a child outside its parent is not waited for",
			"a/r 0+100\n  a/x 100+50\n  a/y -20+20",
			"r 0-100"},
		{"a consumer that outlives the producer is not waited for",
			"a/r 0+100\n  a/x 10+20 producer\n    b/y 15+300 consumer",
			"r 0-10, x 10-30, r 30-100"},
		{"a producer that outlives its parent is not waited for",
			"a/r 0+100\n  a/x 90+20 producer\n  a/y 10+20",
			"r 0-10, y 10-30, r 30-100"},
		{"a consumer that answers in time is waited for",
			"a/r 0+100\n  a/x 10+80 producer\n    b/y 20+60 consumer",
			"r 0-10, x 10-20, y 20-80, x 80-90, r 90-100"},
		{"orphans and other roots are not on it",
			"a/r 0+100\na/x 0+500 orphan\na/y 5+600",
			"r 0-100"},
		{"the children of a span without an end count as its parent's",
			"a/r 0+100\n  a/x 10+?\n    a/y 20+60\n    a/z 85+5",
			"r 0-20, y 20-80, r 80-85, z 85-90, r 90-100"},
		{"the interval is not known", "a/r 0+?\n  a/x 10+10", ""},
		{"no time at all", "a/r 5+0\n  a/x 5+0", ""},
	} {
		t.Run(test.why, func(t *testing.T) {
			if got := pathText(tracetext.Trace(test.text).CriticalPath()); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

func TestCriticalPathFollowsFrom(t *testing.T) {
	// What OpenTracing says of a FOLLOWS_FROM reference comes as a link to the parent.
	spans, err := tracetext.Parse("a/r 0+100 @r\n  a/x 10+80 link=@r")
	if err != nil {
		t.Fatal(err)
	}
	spans[1].Links[0].Attributes = []tracewhy.KeyValue{tracewhy.String("opentracing.ref_type", "follows_from")}
	if got := pathText(tracewhy.SetOf(spans...).Trace(0).CriticalPath()); got != "r 0-100" {
		t.Errorf("with follows_from: %s", got)
	}
	spans[1].Links[0].Attributes[0] = tracewhy.String("opentracing.ref_type", "child_of")
	if got := pathText(tracewhy.SetOf(spans...).Trace(0).CriticalPath()); got != "r 0-10, x 10-90, r 90-100" {
		t.Errorf("with child_of: %s", got)
	}
}

func TestCriticalPathAppends(t *testing.T) {
	tr := tracetext.Trace("a/r 0+10")
	got := tr.Root().AppendCriticalPath(tr.CriticalPath())
	if pathText(got) != "r 0-10, r 0-10" {
		t.Errorf("got %s", pathText(got))
	}
}

func TestCriticalPathAgainstDefinition(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long: run without -short")
	}
	var path []tracewhy.Section
	eachRandomTrace(t, 100, func(t *testing.T, tr tracewhy.Trace) {
		for s := range tr.Spans() {
			path = s.AppendCriticalPath(path[:0])
			n := nodeOf(s)
			if !n.timed {
				if len(path) > 0 {
					t.Errorf("%s of unknown interval has a path: %s", s.Name(), pathText(path))
				}
				continue
			}
			requirePartition(t, path, s)
			for _, section := range path {
				for at := section.Start; at < section.End; at += tick {
					if want := n.ownerAt((at-tracetext.Epoch)/tick, n.start, n.end); want != section.Span {
						t.Errorf("%s waited for %s at %d; path %s", s.Name(), want.Name(), (at-tracetext.Epoch)/tick, pathText(path))
					}
				}
			}
		}
	})
}

// requirePartition reports sections that do not cover a span's interval exactly.
func requirePartition(t *testing.T, path []tracewhy.Section, s tracewhy.Span) {
	t.Helper()
	at, end, _ := s.Interval()
	for i, section := range path {
		if section.Start != at || section.End <= section.Start {
			t.Errorf("section %d does not begin where the last one ended: %s", i, pathText(path))
		}
		if i > 0 && section.Span == path[i-1].Span {
			t.Errorf("sections %d and %d are one: %s", i-1, i, pathText(path))
		}
		at = section.End
	}
	if at != end {
		t.Errorf("the path of %s stops before its end: %s", s.Name(), pathText(path))
	}
}
