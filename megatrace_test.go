package tracewhy

import (
	"encoding/binary"
	"fmt"
	"slices"
	"testing"
)

// num8 makes a span id of a number, none of them that of sid.
func num8(n int) SpanID { return SpanID(binary.BigEndian.AppendUint64(nil, uint64(n+1000))) }

// requests makes n roots of one trace id, each with a child: of service a, one after the other.
func requests(n int) []SpanData {
	var spans []SpanData
	for i := range n {
		root := with(span(0, 0, "request", uint64(10*i), uint64(10*i+9)), func(s *SpanData) { s.SpanID = num8(2 * i) })
		child := with(span(0, 0, "call", uint64(10*i+1), uint64(10*i+2)), func(s *SpanData) { s.SpanID, s.ParentSpanID = num8(2*i+1), num8(2*i) })
		spans = append(spans, root, child)
	}
	return spans
}

func TestMegaTrace(t *testing.T) {
	const many = maxEntries + 1
	all := func(change func(i int, root *SpanData)) []SpanData {
		spans := requests(many)
		for i := range many {
			change(i, &spans[2*i])
		}
		return spans
	}
	orphan := func(id, parent byte, start, end uint64) SpanData { return span(id, parent, "orphan", start, end) }
	tests := []struct {
		name  string
		spans []SpanData
		want  int // traces
		check func(t *testing.T, s *Set)
	}{
		{name: "one request after the other", spans: requests(many), want: many},
		{name: "as many as may be retries", spans: requests(maxEntries), want: 1},
		{name: "a browser, a server that lost its parent, and a queue", want: 1,
			spans: []SpanData{span(1, 0, "page", 0, 5), of(serviceB, span(2, 9, "serve", 1, 2)), of(serviceB, span(3, 0, "job", 7, 9))}},
		{name: "requests that overlap", want: many, spans: all(func(i int, s *SpanData) { s.End += 25e9 })},
		{name: "requests within the time of one span", want: 1, spans: append(requests(many), span(1, 0, "everything", 0, 10_000))},
		{name: "two at a time, of which one is within the other", want: 2 * many, spans: append(requests(many), all(func(i int, s *SpanData) {
			s.SpanID[0], s.Start, s.End = 1, s.Start+1, s.End-1
		})...)},
		{name: "requests at one time", want: 1, spans: all(func(_ int, s *SpanData) { s.Start, s.End = 1e18, 1e18+1 })},
		{name: "times that are not known", want: 1, spans: all(func(_ int, s *SpanData) { s.Start = 0 })},
		{name: "of many services", want: 1, spans: all(func(i int, s *SpanData) { s.Resource = instance(fmt.Sprint("s", i), "") })},
		{name: "names with identifiers", want: many, spans: all(func(i int, s *SpanData) { s.Name = fmt.Sprint("GET /", i) })},
		{name: "linked one to the next", want: 1, spans: all(func(i int, s *SpanData) {
			s.Links = []Link{{TraceID: tid(1), SpanID: num8(2*i + 3)}}
		})},
		{name: "linked to nothing", want: many, spans: all(func(i int, s *SpanData) {
			s.Links = []Link{{TraceID: tid(1), SpanID: sid(99)}, {TraceID: tid(2), SpanID: num8(0)}}
		})},
		{name: "two that are linked are one", want: many, spans: append(requests(many+1), with(span(0, 0, "", 0, 0), func(s *SpanData) {
			*s = requests(1)[1]
			s.SpanID, s.ParentSpanID, s.Links = sid(1), num8(0), []Link{{TraceID: tid(1), SpanID: num8(5)}}
		}))},
		{name: "orphans only", want: 1, spans: all(func(i int, s *SpanData) { s.ParentSpanID = SpanID{0: 9, 7: byte(i)} })},
		{name: "an orphan in the time of a request is its own", want: many, spans: append(requests(many), orphan(1, 99, 13, 14)),
			check: func(t *testing.T, s *Set) {
				if got := outline(named(t, s, "orphan").Trace()); got != "request(call) orphan" {
					t.Error(got)
				}
			}},
		{name: "orphans of one parent stay together", want: many + 1, spans: append(requests(many), orphan(1, 99, 13, 14), orphan(2, 99, 43, 44)),
			check: func(t *testing.T, s *Set) {
				if got := outline(named(t, s, "orphan").Trace()); got != "orphan orphan" {
					t.Error(got)
				}
			}},
		{name: "an orphan in the time of two could be of either", want: many + 1,
			spans: append(all(func(i int, s *SpanData) { s.End += 5e9 }), orphan(1, 99, 21, 22))},
		{name: "an orphan in the time of none", want: many + 1, spans: append(requests(many), orphan(1, 99, 12, 22))},
		{name: "a ring of parents", want: many + 1, spans: append(requests(many), span(1, 2, "x", 13, 14), span(2, 1, "y", 13, 14))},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			set := SetOf(tt.spans...)
			for seed := range uint64(4) {
				requireEqual(t, "another order", contentsOf(set), contentsOf(SetOf(shuffled(tt.spans, seed)...)))
			}
			if got, want := counts(set)[ProblemMegaTrace], min(tt.want-1, 1); set.NumTraces() != tt.want || got != want {
				t.Fatalf("%d traces, want %d; %d traces split", set.NumTraces(), tt.want, got)
			}
			requireAccounted(t, set, len(tt.spans))
			requireSameAgain(t, set)
			requireTrees(t, set)
			if tt.check != nil {
				tt.check(t, set)
			}
		})
	}
}

// Traces that were split off are found by their own ids and by the one that they share, and write it out.
func TestIDsOfSplitTraces(t *testing.T) {
	const many = maxEntries + 1
	spans := requests(many)
	set := SetOf(spans...)
	ids := map[TraceID]bool{}
	for tr := range set.Traces() {
		ids[tr.ID()] = true
		if tr.RecordedID() != tid(1) || tr.Root().Data().TraceID != tid(1) {
			t.Errorf("%v was recorded as %v", tr.ID(), tr.RecordedID())
		}
		if id, root := tr.ID(), tr.Root().ID(); !slices.Equal(id[8:], root[:]) || id[0] != tid(1)[0] {
			t.Errorf("the id %v has no trace of the root's, %v", id, root)
		}
	}
	if len(ids) != many {
		t.Errorf("%d different ids", len(ids))
	}
	if first, ok := set.Lookup(tid(1)); !ok || first.Index() != 0 {
		t.Errorf("the recorded id leads to %v", first)
	}
	if counts(set)[ProblemSeveralRoots] != 0 {
		t.Error("counted as traces of several roots besides")
	}

	// Another trace has the id that the first would get.
	taken := with(span(1, 0, "another", 0, 1), func(s *SpanData) { s.TraceID = set.Trace(0).ID() })
	again := SetOf(append(spans, taken)...)
	if tr, ok := again.Lookup(taken.TraceID); !ok || tr.Root().Name() != "another" || again.NumTraces() != many+1 {
		t.Error("a recorded id was given to a trace that was split off")
	}
	requireTrees(t, again)
}

// A link leads to the trace that has the span, and nowhere if none has.
func TestLinksToSplitTraces(t *testing.T) {
	const many = maxEntries + 1
	consumer := func(n byte, to SpanID) SpanData {
		return linked(ofTrace(n, ofKind(KindConsumer, span(1, 0, "consume", 500, 501))), Link{TraceID: tid(1), SpanID: to})
	}
	set := SetOf(append(requests(many), consumer(2, num8(21)), consumer(3, sid(99)))...)
	for tr := range set.Traces() {
		switch tr.RecordedID() {
		case tid(2):
			if path := tr.JourneyPath(); path[0].Span.Trace().Root().ID() != num8(20) {
				t.Errorf("the journey begins with %v", path[0].Span.ID())
			}
		case tid(3):
			if path := tr.JourneyPath(); len(path) != 1 {
				t.Errorf("the journey %v follows a link to nothing", path)
			}
		}
	}
	tx, _ := set.All().Transactions(TransactionConfig{})
	joined, missing := 0, 0
	for _, x := range tx {
		joined += len(x.Traces) - 1
		missing += x.Missing
	}
	if joined != 1 || missing != 1 {
		t.Errorf("%d traces joined, %d links lead out", joined, missing)
	}
}

// Each trace that was split off belongs to its own source.
func TestSplitTracesHaveTheirSources(t *testing.T) {
	spans := requests(2 * maxEntries)
	for i := range spans {
		spans[i].Source = "baseline"
		if i >= len(spans)/2 {
			spans[i].Source = "incident"
		}
	}
	set := SetOf(spans...)
	if b, i := set.Source("baseline").Len(), set.Source("incident").Len(); b != maxEntries || i != maxEntries || counts(set)[ProblemSplitSource] != 0 {
		t.Errorf("%d and %d traces, problems %v", b, i, counts(set))
	}
}
