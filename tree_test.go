package tracewhy

import (
	"fmt"
	"slices"
	"testing"
)

// outline writes a trace as one line: names in pre-order, children in brackets.
func outline(t Trace) string {
	var write func(s Span) string
	write = func(s Span) string {
		out := s.Name()
		for c := range s.Children() {
			out += "(" + write(c) + ")"
		}
		return out
	}
	out := ""
	for r := range t.Roots() {
		if out != "" {
			out += " "
		}
		out += write(r)
	}
	return out
}

func TestTrees(t *testing.T) {
	unknown := func(s SpanData) SpanData { s.Start, s.End = 0, 0; return s }
	tests := []struct {
		name    string
		spans   []SpanData
		want    string
		codes   map[string]int
		hasRoot bool
		whole   bool
	}{
		{"siblings by start, then id", []SpanData{span(1, 0, "r", 0, 9), span(4, 1, "a", 1, 2), span(3, 1, "b", 2, 3), span(2, 1, "c", 2, 9)},
			"r(a)(c)(b)", nil, true, true},
		{"an unknown start is last", []SpanData{span(1, 0, "r", 0, 9), unknown(span(2, 1, "x", 0, 0)), span(3, 1, "a", 1, 2)},
			"r(a)(x)", map[string]int{ProblemTimeMissing: 1}, true, true},
		{"an orphan is no root", []SpanData{span(5, 9, "o", 0, 1), span(1, 0, "r", 3, 9), span(6, 5, "c", 0, 1)},
			"r o(c)", map[string]int{ProblemOrphan: 1}, true, false},
		{"orphans only", []SpanData{span(5, 9, "late", 2, 3), span(6, 8, "early", 1, 3)},
			"early late", map[string]int{ProblemOrphan: 2, ProblemNoRoot: 1}, false, false},
		{"of several roots the earliest", []SpanData{span(1, 0, "late", 1, 9), span(2, 0, "early", 0, 1)},
			"early late", map[string]int{ProblemSeveralRoots: 1}, true, false},
		{"of those the longest", []SpanData{span(1, 0, "short", 0, 1), span(2, 0, "long", 0, 2)},
			"long short", map[string]int{ProblemSeveralRoots: 1}, true, false},
		{"of those the smallest id", []SpanData{span(2, 0, "second", 0, 1), span(1, 0, "first", 0, 1)},
			"first second", map[string]int{ProblemSeveralRoots: 1}, true, false},
		{"its own parent", []SpanData{span(1, 1, "s", 0, 1), span(2, 1, "c", 0, 1)},
			"s(c)", map[string]int{ProblemSelfParent: 1}, true, true},
		{"each other's parent", []SpanData{span(1, 2, "late", 1, 2), span(2, 1, "early", 0, 3)},
			"early(late)", map[string]int{ProblemCycle: 1}, true, true},
		{"a ring of three with a tail", []SpanData{span(1, 3, "a", 5, 9), span(2, 1, "b", 4, 9), span(3, 2, "c", 6, 9), span(4, 3, "tail", 7, 8), span(5, 4, "tip", 7, 8)},
			"b(c(a)(tail(tip)))", map[string]int{ProblemCycle: 1, ProblemOutsideParent: 1}, true, true},
		{"a ring whose starts are unknown", []SpanData{unknown(span(1, 2, "x", 0, 0)), span(2, 1, "known", 5, 6)},
			"known(x)", map[string]int{ProblemCycle: 1, ProblemTimeMissing: 1}, true, true},
		{"a ring of spans that start together, reached from a tail", []SpanData{span(1, 3, "tail", 0, 1), span(2, 3, "a", 0, 1), span(3, 2, "b", 0, 1)},
			"a(b(tail))", map[string]int{ProblemCycle: 1}, true, true},
		{"two rings", []SpanData{span(1, 2, "a", 0, 9), span(2, 1, "b", 1, 2), span(3, 4, "c", 2, 9), span(4, 3, "d", 3, 4)},
			"a(b) c(d)", map[string]int{ProblemCycle: 2, ProblemSeveralRoots: 1}, true, false},
		{"a ring is no primary root", []SpanData{span(1, 2, "a", 0, 1), span(2, 1, "b", 0, 1), span(3, 0, "root", 5, 6)},
			"root a(b)", map[string]int{ProblemCycle: 1, ProblemSeveralRoots: 1}, true, false},
		{"a child outlives its parent", []SpanData{span(1, 0, "r", 1, 3), span(2, 1, "late", 2, 4), span(3, 1, "early", 0, 2)},
			"r(early)(late)", map[string]int{ProblemOutsideParent: 2}, true, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for seed := range uint64(6) {
				set := SetOf(shuffled(tt.spans, seed)...)
				tr := set.Trace(0)
				if got := outline(tr); got != tt.want {
					t.Fatalf("got %s, want %s", got, tt.want)
				}
				if got := counts(set); fmt.Sprint(got) != fmt.Sprint(tt.codes) {
					t.Fatalf("problems %v, want %v", got, tt.codes)
				}
				if tr.HasRoot() != tt.hasRoot || tr.IsComplete() != tt.whole {
					t.Fatalf("HasRoot %v, IsComplete %v", tr.HasRoot(), tr.IsComplete())
				}
			}
		})
	}
}

func TestMarks(t *testing.T) {
	set := SetOf(span(1, 1, "self", 0, 5), span(2, 9, "orphan", 0, 1), span(3, 1, "late", 4, 6), span(4, 1, "negative", 3, 2), span(5, 1, "fine", 1, 2))
	want := map[string]Mark{"self": MarkCycleCut, "orphan": MarkOrphan, "late": MarkOutsideParent, "negative": MarkNegativeDuration, "fine": 0}
	for s := range set.Trace(0).Spans() {
		if s.Marks() != want[s.Name()] {
			t.Errorf("%s has marks %b, want %b", s.Name(), s.Marks(), want[s.Name()])
		}
	}
}

// The laws that every accessor of the tree relies on.
func TestTreeInvariants(t *testing.T) {
	for seed := range uint64(200) {
		g := randomGen(seed)
		requireTrees(t, SetOf(g.spans(1+g.choose(60))...))
	}
}

func requireTrees(t *testing.T, set *Set) {
	t.Helper()
	seen := 0
	for tr := range set.Traces() {
		ids := map[SpanID]bool{}
		for s := range tr.Spans() {
			seen++
			if s.Index() != seen-1 || s.Trace() != tr || ids[s.ID()] {
				t.Fatalf("span %d of trace %d: index %d, id %v", seen-1, tr.Index(), s.Index(), s.ID())
			}
			ids[s.ID()] = true
			if found, ok := tr.Find(s.ID()); !ok || found != s {
				t.Fatalf("Find gives %v for %v", found, s)
			}
			if s.IsAncestorOf(s) {
				t.Fatal("a span is its own ancestor")
			}
			p, hasParent := s.Parent()
			if hasParent && (p.Index() >= s.Index() || p.Trace() != tr || !p.IsAncestorOf(s) || s.IsAncestorOf(p)) {
				t.Fatalf("parent %d of %d", p.Index(), s.Index())
			}
			if hasParent && s.ParentID() != p.RecordedID() && s.RecordedID() == s.ID() {
				t.Fatalf("parent id %v, parent %v", s.ParentID(), p.RecordedID())
			}
			var children []Span
			for d := range s.Descendants() {
				if q, _ := d.Parent(); q == s {
					children = append(children, d)
				}
				if !s.IsAncestorOf(d) {
					t.Fatal("a descendant that is not below")
				}
			}
			if got := slices.Collect(s.Children()); !slices.Equal(got, children) || s.HasChildren() != (len(children) > 0) {
				t.Fatalf("children %v, want %v", got, children)
			}
			if !slices.IsSortedFunc(children, func(a, b Span) int { return compareSiblings(a, b) }) {
				t.Fatal("siblings are out of order")
			}
		}
		if tr.NumSpans() != len(ids) {
			t.Fatalf("NumSpans %d, %d spans", tr.NumSpans(), len(ids))
		}
		if found, ok := set.Lookup(tr.ID()); !ok || found != tr {
			t.Fatalf("Lookup gives %v", found)
		}
		var roots []Span
		for s := range tr.Spans() {
			if _, ok := s.Parent(); !ok {
				roots = append(roots, s)
			}
		}
		if got := slices.Collect(tr.Roots()); !slices.Equal(got, roots) || got[0] != tr.Root() {
			t.Fatalf("roots %v, want %v", got, roots)
		}
	}
	if seen != set.NumSpans() {
		t.Fatalf("%d spans in traces, %d in the Set", seen, set.NumSpans())
	}
	if _, ok := set.Lookup(TraceID{0xee}); ok {
		t.Fatal("found a trace that is not there")
	}
}

func compareSiblings(a, b Span) int {
	x, y := a.Start(), b.Start()
	if x.IsZero() != y.IsZero() {
		if x.IsZero() {
			return 1
		}
		return -1
	}
	if c := x.Compare(y); c != 0 {
		return c
	}
	return slices.Compare(a.set.cols.spanID[a.num][:], b.set.cols.spanID[b.num][:])
}

// Depth and width come from outside: neither may cost recursion or quadratic time.
func TestHostileShapes(t *testing.T) {
	const n = 300_000
	id := func(i int) SpanID { return SpanID{0: 1, 5: byte(i >> 16), 6: byte(i >> 8), 7: byte(i)} }
	build := func(parent func(i int) SpanID) *Set {
		var b Builder
		for i := range n {
			s := SpanData{TraceID: tid(1), SpanID: id(i), ParentSpanID: parent(i), Name: string(rune('a' + i%700)), Start: uint64(i + 1), End: n + 1, Resource: serviceA}
			b.Add(&s)
		}
		set, err := b.Build(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return set
	}
	chain := build(func(i int) SpanID {
		if i == 0 {
			return SpanID{}
		}
		return id(i - 1)
	})
	if !chain.Span(0).IsAncestorOf(chain.Span(n - 1)) {
		t.Error("the end of the chain is not below its beginning")
	}
	if d := chain.Span(600).Path().Depth(); d != MaxPathDepth-1 || chain.NumPaths() != MaxPathDepth || counts(chain)[ProblemPathDepth] != 700-MaxPathDepth {
		t.Errorf("chain: path depth %d, %d paths, problems %v", d, chain.NumPaths(), counts(chain))
	}
	star := build(func(i int) SpanID {
		if i == 0 {
			return SpanID{}
		}
		return id(0)
	})
	if got := len(slices.Collect(star.Span(0).Children())); got != n-1 {
		t.Errorf("star: %d children", got)
	}
	ring := build(func(i int) SpanID { return id((i + 1) % n) })
	if tr := ring.Trace(0); tr.NumSpans() != n || tr.Root().ID() != id(0) || counts(ring)[ProblemCycle] != 1 {
		t.Errorf("ring: root %v, problems %v", tr.Root().ID(), counts(ring))
	}
}
