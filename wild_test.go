package tracewhy

import (
	"fmt"
	"maps"
	"math"
	"strings"
	"testing"
	"time"
)

// outlines writes all traces of a Set, in its order.
func outlines(s *Set) string {
	var lines []string
	for t := range s.Traces() {
		lines = append(lines, outline(t))
	}
	return strings.Join(lines, " | ")
}

// named returns the first span of a Set that has the name.
func named(t *testing.T, s *Set, name string) Span {
	t.Helper()
	for i := range s.NumSpans() {
		if s.Span(i).Name() == name {
			return s.Span(i)
		}
	}
	t.Fatalf("no span %q", name)
	return Span{}
}

// wild is awkward data as systems are known to produce it, and what is made of it.
type wild struct {
	name  string
	spans []SpanData
	want  string         // outlines
	codes map[string]int // problems
	check func(t *testing.T, s *Set)
}

func (w wild) run(t *testing.T) {
	first := SetOf(w.spans...)
	for seed := range uint64(6) {
		set := SetOf(shuffled(w.spans, seed)...)
		requireEqual(t, "another order", contentsOf(first), contentsOf(set))
		requireAccounted(t, set, len(w.spans))
		if got := outlines(set); got != w.want {
			t.Fatalf("got %s, want %s", got, w.want)
		}
		if got := counts(set); !maps.Equal(got, w.codes) {
			t.Fatalf("problems %v, want %v", got, w.codes)
		}
		if w.check != nil {
			w.check(t, set)
		}
	}
}

func of(service *Resource, s SpanData) SpanData { s.Resource = service; return s }

func ofKind(k Kind, s SpanData) SpanData { s.Kind = k; return s }

func ofTrace(n byte, s SpanData) SpanData { s.TraceID = tid(n); return s }

func linked(s SpanData, to ...Link) SpanData { s.Links = append(s.Links, to...); return s }

func at(start, end uint64, s SpanData) SpanData { s.Start, s.End = start, end; return s }

// Identity and structure: which spans there are, and what belongs to what.
func TestWildStructure(t *testing.T) {
	root, child := span(1, 0, "root", 0, 9), span(2, 1, "child", 1, 2)
	manyLinks := make([]Link, 10_000)
	for i := range manyLinks {
		manyLinks[i] = Link{TraceID: TraceID{1, 14: byte(i >> 8), 15: byte(i)}, SpanID: sid(1)}
	}
	tests := []wild{
		{
			name:  "an exporter sends a batch again",
			spans: []SpanData{root, child, root, child, root, child},
			want:  "root(child)", codes: map[string]int{ProblemDuplicateSpan: 4},
		},
		{
			name:  "a span is sent while it runs, and once it has ended",
			spans: []SpanData{with(root, func(s *SpanData) { s.End = 0 }), child, root},
			want:  "root(child)", codes: map[string]int{ProblemPartialSpan: 1},
			check: func(t *testing.T, s *Set) {
				if d := s.Span(0).Duration(); d != 9*time.Second {
					t.Errorf("the root took %v", d)
				}
			},
		},
		{
			name:  "one id with two contents",
			spans: []SpanData{root, child, with(child, func(s *SpanData) { s.Name = "other" })},
			want:  "root(child)", codes: map[string]int{ProblemConflictingSpan: 1},
		},
		{
			name:  "a client and its server share an id",
			spans: []SpanData{root, ofKind(KindClient, child), ofKind(KindServer, of(serviceB, span(2, 1, "serve", 1, 2)))},
			want:  "root(child(serve))", codes: map[string]int{ProblemSharedSpanID: 1},
		},
		{
			name: "a client shares its id with two servers, as when it asks again",
			spans: []SpanData{root, ofKind(KindClient, child), ofKind(KindServer, of(instance("b", "1"), span(2, 1, "first", 1, 2))),
				ofKind(KindServer, of(instance("b", "2"), span(2, 1, "second", 1, 2))), of(instance("b", "2"), span(3, 2, "query", 1, 2))},
			want: "root(child(first)(second(query)))", codes: map[string]int{ProblemSharedSpanID: 1},
		},
		{
			name:  "a span that is its own parent, two that are each other's, and a ring of three",
			spans: []SpanData{span(1, 1, "self", 0, 9), span(2, 3, "a", 1, 2), span(3, 2, "b", 2, 3), span(4, 6, "x", 3, 9), span(5, 4, "y", 4, 5), span(6, 5, "z", 5, 6)},
			want:  "self a(b) x(y(z))", codes: map[string]int{ProblemSelfParent: 1, ProblemCycle: 2, ProblemSeveralRoots: 1, ProblemOutsideParent: 2},
		},
		{
			name:  "a parent that is not there",
			spans: []SpanData{root, span(3, 99, "orphan", 1, 2), span(4, 3, "below", 1, 2)},
			want:  "root orphan(below)", codes: map[string]int{ProblemOrphan: 1},
			check: func(t *testing.T, s *Set) {
				if p, ok := named(t, s, "orphan").Parent(); ok || !named(t, s, "below").Path().IsOrphan() || s.Trace(0).IsComplete() {
					t.Errorf("the orphan has the parent %v, or counts as a root", p)
				}
			},
		},
		{
			name:  "several roots",
			spans: []SpanData{span(3, 0, "second", 1, 9), root, child},
			want:  "root(child) second", codes: map[string]int{ProblemSeveralRoots: 1},
			check: func(t *testing.T, s *Set) {
				if s.NumTraces() != 1 || s.Trace(0).Root().Name() != "root" || s.Trace(0).IsComplete() {
					t.Error("not one trace with the earliest root first")
				}
			},
		},
		{
			name:  "no root at all",
			spans: []SpanData{span(2, 1, "late", 3, 4), span(3, 1, "early", 1, 2)},
			want:  "early late", codes: map[string]int{ProblemOrphan: 2, ProblemNoRoot: 1},
		},
		{
			name:  "a root that has not ended",
			spans: append([]SpanData{with(root, func(s *SpanData) { s.End = 0 }), child}, ofTrace(2, root), ofTrace(2, child)),
			want:  "root(child) | root(child)", codes: map[string]int{ProblemTimeMissing: 1},
			check: func(t *testing.T, s *Set) {
				if m := s.Trace(0).Missing(); !m.RootEnd || s.Trace(0).Completeness() != 0.5 || s.Trace(1).Completeness() != 1 {
					t.Errorf("missing: %+v", m)
				}
			},
		},
		{
			name:  "spans that came too late for the rest of their trace to be kept",
			spans: []SpanData{child, span(3, 2, "below", 1, 2), ofTrace(2, root), ofTrace(2, child)},
			want:  "root(child) | child(below)", codes: map[string]int{ProblemOrphan: 1, ProblemNoRoot: 1},
			check: func(t *testing.T, s *Set) {
				if m := s.Trace(1).Missing(); !m.Root || s.Trace(0).Missing().Root {
					t.Errorf("missing: %+v", m)
				}
			},
		},
		{
			name:  "one id for everything",
			spans: requests(maxEntries + 1),
			want:  strings.TrimPrefix(strings.Repeat(" | request(call)", maxEntries+1), " | "), codes: map[string]int{ProblemMegaTrace: 1},
		},
		{
			name:  "ids of 64 bits beside the same of 128",
			spans: []SpanData{root, with(child, func(s *SpanData) { s.TraceID = TraceID{15: 1} })},
			want:  "root(child)", codes: map[string]int{ProblemShortIDJoined: 1},
		},
		{
			name: "an id of 64 bits that could be either of two",
			spans: []SpanData{root, with(child, func(s *SpanData) { s.TraceID = TraceID{15: 1} }),
				with(span(1, 0, "another", 10, 11), func(s *SpanData) { s.TraceID = TraceID{0: 0xbb, 15: 1} })},
			want: "root | child | another", codes: map[string]int{ProblemOrphan: 1, ProblemNoRoot: 1},
		},
		{
			name: "links to itself, to its child, to what is not there, and to nothing",
			spans: []SpanData{linked(root, Link{TraceID: tid(1), SpanID: sid(1)}, Link{TraceID: tid(1), SpanID: sid(2)},
				Link{TraceID: tid(9), SpanID: sid(1)}, Link{}), linked(child, Link{TraceID: tid(1), SpanID: sid(2)})},
			want: "root(child)",
			check: func(t *testing.T, s *Set) {
				tx, _ := s.All().Transactions(TransactionConfig{})
				if len(tx) != 1 || tx[0].Missing != 1 || len(s.Trace(0).JourneyPath()) != 3 {
					t.Errorf("transactions %v, journey %v", tx, s.Trace(0).JourneyPath())
				}
			},
		},
		{
			name:  "ten thousand links, of which one is known",
			spans: []SpanData{linked(root, manyLinks...), with(span(1, 0, "linked", 0, 1), func(s *SpanData) { s.TraceID = TraceID{1, 15: 1} })},
			want:  "linked | root",
			check: func(t *testing.T, s *Set) {
				tx, ws := s.All().Transactions(TransactionConfig{})
				if len(tx) != 2 || len(ws) != 1 || ws[0].Code != WarningTransactionBatch {
					t.Errorf("transactions %v, warnings %v", tx, ws)
				}
			},
		},
		{
			name: "a consumer of a batch of messages",
			spans: []SpanData{ofTrace(1, ofKind(KindProducer, span(1, 0, "send 1", 0, 1))), ofTrace(2, ofKind(KindProducer, span(1, 0, "send 2", 1, 2))),
				linked(ofTrace(3, ofKind(KindConsumer, span(1, 0, "process", 5, 8))), Link{TraceID: tid(1), SpanID: sid(1)}, Link{TraceID: tid(2), SpanID: sid(1)})},
			want: "send 1 | send 2 | process",
			check: func(t *testing.T, s *Set) {
				path := s.Trace(2).JourneyPath()
				if len(path) != 3 || path[0].Span.Name() != "send 2" || path[1].Duration() != 3*time.Second || path[1].Span.Name() != "process" {
					t.Errorf("the wait for the queue is not on the journey %v", path)
				}
			},
		},
		{
			name: "a child that follows from its parent",
			spans: []SpanData{root, linked(span(2, 1, "later", 3, 30), Link{TraceID: tid(1), SpanID: sid(1),
				Attributes: []KeyValue{String("opentracing.ref_type", "follows_from")}})},
			want: "root(later)", codes: map[string]int{ProblemOutsideParent: 1},
			check: func(t *testing.T, s *Set) {
				if !named(t, s, "later").IsAsync() || s.Trace(0).Root().SelfTime() != 9*time.Second {
					t.Error("the parent is taken to have waited")
				}
			},
		},
		{
			name:  "no name of a service, an empty one, and one that is a number",
			spans: []SpanData{of(nil, root), of(&Resource{Attributes: []KeyValue{String("service.name", "")}}, child), of(&Resource{Attributes: []KeyValue{Int("service.name", 7)}}, span(3, 1, "number", 3, 4))},
			want:  "root(child)(number)", codes: map[string]int{ProblemServiceMissing: 3},
			check: func(t *testing.T, s *Set) {
				if s.Span(0).Service() != unknownService || s.Span(1).Service() != unknownService || s.Span(2).Service() != unknownService {
					t.Error("a service that is not known has a name")
				}
			},
		},
		{
			name:  "identifiers in names",
			spans: []SpanData{root, span(2, 1, "GET /users/123", 1, 2), span(3, 1, "GET /users/456", 2, 3)},
			want:  "root(GET /users/123)(GET /users/456)", codes: map[string]int{ProblemNameTemplated: 2},
			check: func(t *testing.T, s *Set) {
				if s.NumPaths() != 2 {
					t.Errorf("%d paths, want 2", s.NumPaths())
				}
			},
		},
		{
			name:  "every span says that it is internal",
			spans: []SpanData{root, of(serviceB, child), of(serviceB, span(3, 2, "inner", 1, 2))},
			want:  "root(child(inner))",
			check: func(t *testing.T, s *Set) {
				if !named(t, s, "child").IsRemote() || named(t, s, "inner").IsRemote() {
					t.Error("the call between services is not where the service changes")
				}
			},
		},
		{
			name:  "what is called has no spans",
			spans: []SpanData{root, ofKind(KindClient, with(child, func(s *SpanData) { s.Attributes = []KeyValue{String("db.system", "redis")} }))},
			want:  "root(child)",
			check: func(t *testing.T, s *Set) {
				if name, _ := named(t, s, "child").Peer(); name != "redis" {
					t.Errorf("the peer is %q", name)
				}
			},
		},
		{
			name: "one instance whose resource changes from batch to batch",
			spans: []SpanData{of(&Resource{Attributes: []KeyValue{String("service.name", "a"), String("service.instance.id", "i"), String("host.name", "old")}}, root),
				of(&Resource{Attributes: []KeyValue{String("service.name", "a"), String("service.instance.id", "i"), String("host.name", "new")}}, child)},
			want: "root(child)",
			check: func(t *testing.T, s *Set) {
				if s.Span(0).Instance() != "i" || s.Span(1).Instance() != "i" {
					t.Error("one instance is taken for two")
				}
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, tt.run)
	}
}

// Time: clocks that differ, step, or count in something else.
func TestWildTimes(t *testing.T) {
	const year = 1_700_000_000_000_000_000
	root, child := span(1, 0, "root", 0, 9), span(2, 1, "child", 1, 2)
	tests := []wild{
		{
			name:  "a host whose clock is behind",
			spans: []SpanData{span(1, 0, "root", 100, 109), of(serviceB, span(2, 1, "child", 95, 97))},
			want:  "root(child)", codes: map[string]int{ProblemOutsideParent: 1},
			check: func(t *testing.T, s *Set) {
				if s.Span(1).Data().Start != year+95e9 || s.Span(0).SelfTime() != 9*time.Second {
					t.Error("a time was moved, or something negative came of it")
				}
			},
		},
		{
			name:  "a parent whose clock counts milliseconds, a child whose counts nanoseconds",
			spans: []SpanData{at(year+1e6, year+3e6, root), of(serviceB, at(year+1_200_000, year+3_000_400, child))},
			want:  "root(child)", codes: map[string]int{ProblemOutsideParent: 1}, // as if a clock were wrong
			check: func(t *testing.T, s *Set) {
				if s.Span(0).SelfTime() != 200*time.Microsecond || len(s.Trace(0).CriticalPath()) != 2 {
					t.Errorf("self time %v, critical path %v", s.Span(0).SelfTime(), s.Trace(0).CriticalPath())
				}
			},
		},
		{
			name:  "an asynchronous child that ends after its parent",
			spans: []SpanData{root, ofKind(KindProducer, span(2, 1, "send", 8, 15))},
			want:  "root(send)", codes: map[string]int{ProblemOutsideParent: 1},
			check: func(t *testing.T, s *Set) {
				if send := s.Span(1); send.Overrun() != 6*time.Second || !send.IsAsync() || send.Data().Start != year+8e9 {
					t.Error("it was moved, or is not asynchronous")
				}
			},
		},
		{
			name:  "a browser on a laptop that slept for a week",
			spans: []SpanData{span(1, 0, "page", 0, 7*24*3600), ofKind(KindServer, of(serviceB, child)), ofTrace(2, span(1, 0, "page", 5, 6))},
			want:  "page(child) | page",
			check: func(t *testing.T, s *Set) {
				if s.Trace(0).Duration() != 7*24*time.Hour || s.Span(1).Duration() != time.Second {
					t.Error("what was recorded was changed")
				}
			},
		},
		{
			name:  "an end before the start",
			spans: []SpanData{root, span(2, 1, "negative", 5, 3)},
			want:  "root(negative)", codes: map[string]int{ProblemNegativeDuration: 1},
			check: func(t *testing.T, s *Set) {
				if s.Span(1).Duration() != unknownDuration || len(s.Trace(0).CriticalPath()) != 1 {
					t.Error("a negative duration is one")
				}
			},
		},
		{
			name:  "a span that takes no time",
			spans: []SpanData{root, span(2, 1, "event", 5, 5), ofTrace(2, span(1, 0, "event", 5, 5))},
			want:  "root(event) | event",
			check: func(t *testing.T, s *Set) {
				if s.Span(1).Duration() != 0 || len(s.Trace(0).CriticalPath()) != 1 || len(s.Trace(1).CriticalPath()) != 0 {
					t.Error("no time is not nothing")
				}
			},
		},
		{
			name:  "no times",
			spans: []SpanData{root, at(0, 0, child), at(year, 0, span(3, 1, "running", 0, 0))},
			want:  "root(running)(child)", codes: map[string]int{ProblemTimeMissing: 2},
			check: func(t *testing.T, s *Set) {
				if s.Trace(0).Duration() != 9*time.Second {
					t.Errorf("the trace took %v", s.Trace(0).Duration())
				}
			},
		},
		{
			name:  "a time beyond what 64 bits hold",
			spans: []SpanData{root, at(math.MaxUint64, math.MaxUint64, child), at(year, math.MaxInt64+1, span(3, 1, "wrapped", 0, 0))},
			want:  "root(wrapped)(child)", codes: map[string]int{ProblemTimeOutOfRange: 2},
			check: func(t *testing.T, s *Set) {
				if s.Trace(0).Duration() != 9*time.Second || s.Span(2).Data().Start != math.MaxUint64 {
					t.Error("a time wrapped around, or is lost")
				}
			},
		},
		{
			name:  "times of the far future, and of the past",
			spans: []SpanData{root, at(math.MaxInt64-2, math.MaxInt64, child), ofTrace(2, at(1, math.MaxInt64, root))},
			want:  "root | root(child)", codes: map[string]int{ProblemOutsideParent: 1, ProblemUnitSuspect: 1},
			check: func(t *testing.T, s *Set) {
				if s.Trace(0).Duration() != math.MaxInt64-1 || s.Trace(1).Duration() != math.MaxInt64-year || s.Trace(1).Root().SelfTime() != 9*time.Second {
					t.Errorf("durations %v and %v: something wrapped around", s.Trace(0).Duration(), s.Trace(1).Duration())
				}
			},
		},
		{
			name: "a service that counts in microseconds",
			spans: []SpanData{root, of(serviceB, at((year+1e9)/1000, (year+2e9)/1000, child)),
				ofTrace(2, root), ofTrace(2, of(serviceB, at((year+1e9)/1000, (year+2e9)/1000, child)))},
			want: "root(child) | root(child)", codes: map[string]int{ProblemUnitSuspect: 2, ProblemOutsideParent: 2},
			check: func(t *testing.T, s *Set) {
				if d := named(t, s, "child").Data(); d.Start != (year+1e9)/1000 {
					t.Error("a time was changed")
				}
				if d := s.Trace(0).Root().SelfTime(); d != 9*time.Second || len(s.Trace(0).CriticalPath()) != 1 {
					t.Errorf("self time %v", d)
				}
			},
		},
		{
			name:  "times that are counted from zero",
			spans: []SpanData{at(1000, 9000, root), at(2000, 3000, child), ofTrace(2, at(1000, 5000, root))},
			want:  "root(child) | root",
		},
		{
			name:  "nanoseconds that differ by one",
			spans: []SpanData{at(year+999_999_999, year+1_000_000_000, root)},
			want:  "root",
			check: func(t *testing.T, s *Set) {
				if s.Span(0).Duration() != 1 {
					t.Error("digits were lost")
				}
			},
		},
		{
			name:  "a pause of a whole host",
			spans: []SpanData{root, span(2, 1, "a", 1, 2), span(3, 1, "b", 8, 9), ofTrace(2, span(1, 0, "other", 0, 9)), ofTrace(2, span(2, 1, "c", 1, 2))},
			want:  "root(a)(b) | other(c)",
			check: func(t *testing.T, s *Set) {
				var gaps []time.Duration
				for g := range s.Trace(0).Root().Gaps() {
					gaps = append(gaps, g.Duration())
				}
				if fmt.Sprint(gaps) != "[1s 6s]" {
					t.Errorf("gaps %v", gaps)
				}
			},
		},
		{
			name:  "overlapping siblings",
			spans: []SpanData{span(1, 0, "root", 0, 10), span(2, 1, "a", 1, 6), span(3, 1, "b", 2, 7), span(4, 1, "c", 3, 8)},
			want:  "root(a)(b)(c)",
			check: func(t *testing.T, s *Set) {
				if s.Span(0).SelfTime() != 3*time.Second {
					t.Errorf("self time %v", s.Span(0).SelfTime())
				}
			},
		},
		{
			name:  "siblings one right after the other",
			spans: []SpanData{span(1, 0, "root", 0, 3), span(2, 1, "a", 0, 1), span(3, 1, "b", 1, 2), span(4, 1, "c", 2, 3)},
			want:  "root(a)(b)(c)",
			check: func(t *testing.T, s *Set) {
				if path := s.Trace(0).CriticalPath(); len(path) != 3 {
					t.Errorf("critical path %v", path)
				}
			},
		},
		{
			name: "events out of order and outside their span",
			spans: []SpanData{with(root, func(s *SpanData) {
				s.Events = []Event{{Time: year + 99e9, Name: "a"}, {Time: 5, Name: "z"}, {Time: year + 1e9, Name: "b"}}
			})},
			want: "root",
			check: func(t *testing.T, s *Set) {
				names := ""
				for e := range s.Span(0).Events() {
					names += e.Name
				}
				if names != "azb" || s.Trace(0).Duration() != 9*time.Second {
					t.Errorf("events %s: not as they were recorded", names)
				}
			},
		},
		{
			name:  "times are in UTC",
			spans: []SpanData{root},
			want:  "root",
			check: func(t *testing.T, s *Set) {
				if got := s.Span(0).Start().Format(time.RFC3339); got != "2023-11-14T22:13:20Z" {
					t.Errorf("start %s", got)
				}
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, tt.run)
	}
}
