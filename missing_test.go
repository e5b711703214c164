package tracewhy

import (
	"math"
	"testing"
)

// pageCall makes a trace of four spans: a page that calls a server, which calls a cache without spans.
func pageCall(n byte) []SpanData {
	client := ofKind(KindClient, span(2, 1, "call", 1, 8))
	server := ofKind(KindServer, of(serviceB, span(3, 2, "serve", 2, 7)))
	cache := ofKind(KindClient, of(serviceB, span(4, 3, "GET", 3, 4)))
	spans := []SpanData{span(1, 0, "page", 0, 9), client, server, cache}
	for i := range spans {
		spans[i].TraceID = tid(n)
	}
	return spans
}

func TestMissing(t *testing.T) {
	without := func(spans []SpanData, ids ...byte) []SpanData {
		var out []SpanData
		for _, s := range spans {
			keep := true
			for _, id := range ids {
				keep = keep && s.SpanID != sid(id)
			}
			if keep {
				out = append(out, s)
			}
		}
		return out
	}
	changed := func(id byte, change func(*SpanData)) []SpanData {
		spans := pageCall(1)
		change(&spans[id-1])
		return spans
	}
	tests := []struct {
		name         string
		spans        []SpanData
		want         Missing
		completeness float64
	}{
		{"nothing", pageCall(1), Missing{Spans: 4}, 1},
		{"the root", without(pageCall(1), 1), Missing{Spans: 3, Root: true, Parents: 1}, 0.75},
		{"the root and the call", without(pageCall(1), 1, 2), Missing{Spans: 2, Root: true, Parents: 1}, 2.0 / 3},
		{"the server", without(pageCall(1), 3, 4), Missing{Spans: 2, Answers: 1}, 2.0 / 3},
		{"the server, but not what it called", without(pageCall(1), 3), Missing{Spans: 3, Parents: 1, Answers: 1}, 0.6},
		{"the server of a call that failed", without(changed(2, func(s *SpanData) { s.Status = StatusError }), 3, 4), Missing{Spans: 2}, 1},
		{"the call", without(pageCall(1), 2), Missing{Spans: 3, Parents: 1}, 0.75},
		{"the parent of two", append(without(pageCall(1), 2), ofKind(KindServer, of(serviceB, span(5, 2, "serve", 2, 7)))), Missing{Spans: 4, Parents: 1}, 0.8},
		{"what is never there", without(pageCall(1), 4), Missing{Spans: 3}, 1},
		{"the root's end", changed(1, func(s *SpanData) { s.End = 0 }), Missing{Spans: 4, RootEnd: true, Times: 1}, 0.75},
		{"the call's end", changed(2, func(s *SpanData) { s.End = 0 }), Missing{Spans: 4, Times: 1}, 0.75},
		{"attributes", changed(2, func(s *SpanData) { s.DroppedAttributes = 3 }), Missing{Spans: 4, Details: 1}, 1},
		{"a caller that is recorded nowhere", changed(1, func(s *SpanData) { s.ParentSpanID = sid(99) }), Missing{Spans: 4}, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			spans := tt.spans
			for n := range byte(20) {
				spans = append(spans, pageCall(2+n)...)
			}
			tr, _ := SetOf(spans...).Lookup(tid(1))
			if got := tr.Missing(); got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
			if got := tr.Completeness(); math.Abs(got-tt.completeness) > 1e-12 {
				t.Errorf("completeness %v, want %v", got, tt.completeness)
			}
		})
	}
}

// Where two calls in five have no remote side, that none is there says nothing.
func TestRemoteSidesThatAreNotAlwaysRecorded(t *testing.T) {
	var spans []SpanData
	for n := range byte(20) {
		if n%5 < 2 {
			spans = append(spans, pageCall(1 + n)[:2]...)
		} else {
			spans = append(spans, pageCall(1+n)...)
		}
	}
	if tr, _ := SetOf(spans...).Lookup(tid(1)); tr.Completeness() != 1 {
		t.Errorf("got %+v", tr.Missing())
	}
}

func TestCompletenessIsAShare(t *testing.T) {
	for seed := range uint64(200) {
		g := randomGen(seed)
		for tr := range SetOf(g.spans(1 + g.choose(40))...).Traces() {
			m := tr.Missing()
			if c := m.Completeness(); c < 0 || c > 1 || c == 1 != (m.Parents+m.Answers+m.Times == 0) || m.Root && m.Parents == 0 || m.RootEnd && m.Times == 0 {
				t.Fatalf("completeness %v of %+v", c, m)
			}
		}
	}
}

// Alone, a trace is whole unless it says otherwise.
func TestMissingOfALoneTrace(t *testing.T) {
	if m := SetOf(span(2, 1, "s", 0, 1)).Trace(0).Missing(); m != (Missing{Spans: 1}) {
		t.Errorf("%+v", m)
	}
}
