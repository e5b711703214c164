package tracewhy

import (
	"slices"
	"testing"
)

func TestPaths(t *testing.T) {
	inB := func(s SpanData) SpanData { s.Resource = serviceB; return s }
	other := func(s SpanData) SpanData { s.TraceID = tid(2); return s }
	set := SetOf(
		span(1, 0, "checkout", 0, 9), inB(span(2, 1, "pay", 1, 2)), inB(span(3, 1, "pay", 2, 3)), span(4, 3, "audit", 2, 3),
		inB(span(5, 4, "pay", 2, 3)), span(6, 5, "audit", 2, 3), // b calls a, which calls b
		other(span(1, 0, "checkout", 0, 9)), other(inB(span(2, 1, "pay", 1, 2))),
		other(inB(span(7, 99, "pay", 4, 5))), // not known who called
		with(other(inB(span(8, 1, "pay", 5, 6))), func(s *SpanData) { s.Kind = KindServer }),
	)
	var got []string
	for p := range set.Paths() {
		got = append(got, p.String())
	}
	want := []string{"a checkout", "a checkout > b pay", "a checkout > b pay > a audit", "a checkout > b pay", "b pay"}
	if !slices.Equal(got, want) {
		t.Fatalf("paths %q, want %q", got, want)
	}
	if a, b := set.Path(1), set.Path(3); a.Kind() != KindInternal || b.Kind() != KindServer {
		t.Errorf("kinds %v and %v", a.Kind(), b.Kind())
	}
	byID := map[byte]PathID{}
	for s := range set.Trace(0).Spans() {
		byID[s.ID()[7]] = s.Path().ID()
	}
	for id, path := range map[byte]PathID{1: 0, 2: 1, 3: 1, 4: 2, 5: 1, 6: 2} {
		if byID[id] != path {
			t.Errorf("span %d has path %d, want %d", id, byID[id], path)
		}
	}
	orphan := set.Path(4)
	if !orphan.IsOrphan() || set.Path(1).IsOrphan() || orphan.Depth() != 0 {
		t.Error("spans that nobody is known to have called are not told apart")
	}
	audit := set.Path(2)
	if audit.Service() != "a" || audit.Operation() != "audit" || audit.Depth() != 2 || set.NumPaths() != 5 {
		t.Errorf("path %v: depth %d", audit, audit.Depth())
	}
	if chain := audit.Chain(); len(chain) != 3 || chain[0].ID() != 0 || chain[2] != audit {
		t.Errorf("chain %v", chain)
	}
	if p, ok := audit.Parent(); !ok || p.ID() != 1 {
		t.Errorf("parent %v", p)
	}
	if _, ok := set.Path(0).Parent(); ok {
		t.Error("a path at the top has a parent")
	}
}

// A path's parent is the path of the span's parent, but for recursion; parents come first.
func TestPathInvariants(t *testing.T) {
	for seed := range uint64(100) {
		g := randomGen(seed)
		set := SetOf(g.spans(1 + g.choose(60))...)
		for i := range set.NumSpans() {
			s := set.Span(i)
			p := s.Path()
			if p.Service() != s.Service() || p.Operation() != s.Operation() || p.Kind() != s.Kind() {
				t.Fatalf("span of %s %s %v has path %v %v", s.Service(), s.Operation(), s.Kind(), p, p.Kind())
			}
			up, ok := s.Parent()
			if !ok {
				if p.Depth() != 0 || p.IsOrphan() != s.Marks().Has(MarkOrphan) {
					t.Fatalf("path of a root: %v", p)
				}
				continue
			}
			chain := up.Path().Chain()
			if q, ok := p.Parent(); !slices.Contains(chain, p) && (!ok || q != up.Path()) {
				t.Fatalf("span of path %v below one of %v", p, up.Path())
			}
		}
		for p := range set.Paths() {
			if q, ok := p.Parent(); ok && (q.ID() >= p.ID() || q.Depth() != p.Depth()-1) {
				t.Fatalf("path %d has parent %d", p.ID(), q.ID())
			}
		}
	}
}
