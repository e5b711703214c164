package tracewhy

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
)

// permutations yields every order of spans.
func permutations(spans []SpanData, yield func([]SpanData)) {
	var permute func(at int)
	permute = func(at int) {
		if at == len(spans) {
			yield(spans)
			return
		}
		for i := at; i < len(spans); i++ {
			spans[at], spans[i] = spans[i], spans[at]
			permute(at + 1)
			spans[at], spans[i] = spans[i], spans[at]
		}
	}
	permute(0)
}

func TestReportsOfOneSpan(t *testing.T) {
	final := with(span(1, 0, "pay", 0, 9), func(s *SpanData) { s.Attributes = []KeyValue{Int("amount", 5), Bool("done", true)} })
	change := func(f func(*SpanData)) SpanData { return with(final, f) }
	tests := []struct {
		name    string
		reports []SpanData // the first is the one to keep
		want    map[string]int
	}{
		{"an exporter that tried again", []SpanData{final, final, final}, map[string]int{ProblemDuplicateSpan: 2}},
		{"pending, then finished", []SpanData{final, change(func(s *SpanData) { s.End = 0; s.Attributes = s.Attributes[:1] })}, map[string]int{ProblemPartialSpan: 1}},
		{"partial flushes", []SpanData{final, change(func(s *SpanData) { s.End = s.Start + 1 }), change(func(s *SpanData) { s.End = s.Start + 2 })}, map[string]int{ProblemPartialSpan: 2}},
		{"fewer attributes", []SpanData{final, change(func(s *SpanData) { s.Attributes = s.Attributes[:1] })}, map[string]int{ProblemConflictingSpan: 1}},
		{"an event lost", []SpanData{change(func(s *SpanData) { s.Events = []Event{{Name: "e"}} }), final}, map[string]int{ProblemConflictingSpan: 1}},
		{"a link lost", []SpanData{change(func(s *SpanData) { s.Links = []Link{{TraceID: tid(2)}} }), final}, map[string]int{ProblemConflictingSpan: 1}},
		{"a failure goes first", []SpanData{change(func(s *SpanData) { s.Status = StatusError }), change(func(s *SpanData) { s.Status = StatusOK }), final}, map[string]int{ProblemConflictingSpan: 2}},
		{"two names", []SpanData{change(func(s *SpanData) { s.Name = "a" }), change(func(s *SpanData) { s.Name = "b" })}, map[string]int{ProblemConflictingSpan: 1}},
		{"two parents", []SpanData{change(func(s *SpanData) { s.ParentSpanID = sid(3) }), change(func(s *SpanData) { s.ParentSpanID = sid(4) })}, map[string]int{ProblemConflictingSpan: 1}},
		{"two values", []SpanData{change(func(s *SpanData) { s.Attributes = []KeyValue{Int("a", 1), Int("b", 1)} }), change(func(s *SpanData) { s.Attributes = []KeyValue{Int("a", 1), Int("b", 2)} })}, map[string]int{ProblemConflictingSpan: 1}},
		{"two messages", []SpanData{change(func(s *SpanData) { s.StatusMessage = "a" }), change(func(s *SpanData) { s.StatusMessage = "b" })}, map[string]int{ProblemConflictingSpan: 1}},
		{"two scopes", []SpanData{change(func(s *SpanData) { s.Scope = &Scope{Name: "a"} }), change(func(s *SpanData) { s.Scope = &Scope{Name: "b"} })}, map[string]int{ProblemConflictingSpan: 1}},
		{"two services", []SpanData{final, change(func(s *SpanData) { s.Resource = serviceB })}, map[string]int{ProblemConflictingSpan: 1}},
		{"two events", []SpanData{change(func(s *SpanData) { s.Events = []Event{{Name: "a"}} }), change(func(s *SpanData) { s.Events = []Event{{Name: "b"}} })}, map[string]int{ProblemConflictingSpan: 1}},
		{"two links", []SpanData{change(func(s *SpanData) { s.Links = []Link{{TraceID: tid(2)}} }), change(func(s *SpanData) { s.Links = []Link{{TraceID: tid(3)}} })}, map[string]int{ProblemConflictingSpan: 1}},
		{"a report of no kind", []SpanData{change(func(s *SpanData) { s.Kind, s.End = KindServer, s.Start+1 }), change(func(s *SpanData) { s.Kind = KindUnspecified })}, map[string]int{ProblemConflictingSpan: 1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			want := SetOf(tt.reports[0]).Span(0).Data()
			permutations(slices.Clone(tt.reports), func(reports []SpanData) {
				set := SetOf(reports...)
				if got := only(t, set).Data(); !reflect.DeepEqual(got, want) {
					t.Fatalf("kept\n%+v, want\n%+v", got, want)
				}
				got := counts(set)
				delete(got, ProblemOrphan)
				delete(got, ProblemNoRoot)
				if !reflect.DeepEqual(got, tt.want) {
					t.Fatalf("problems %v, want %v", got, tt.want)
				}
				requireAccounted(t, set, len(reports))
			})
		})
	}
}

// Building a Set of some reports first, and then one of its spans and the other reports, keeps the same.
func TestMergingIsAssociative(t *testing.T) {
	for seed := range uint64(200) {
		g := randomGen(seed)
		var spans []SpanData
		for range 12 {
			s := with(g.span(), func(s *SpanData) { s.TraceID, s.Resource, s.Source = tid(1), serviceA, "" })
			spans = append(spans, s)
		}
		some := SetOf(spans[:6]...)
		again := slices.Clone(spans[6:])
		for i := range some.NumSpans() {
			again = append(again, some.Span(i).Data())
		}
		want, got := contentsOf(SetOf(spans...)), contentsOf(SetOf(again...))
		want.Accounting, want.Problems = got.Accounting, got.Problems
		requireEqual(t, fmt.Sprint("seed ", seed), want, got)
	}
}

func instance(service, pod string) *Resource {
	return &Resource{Attributes: []KeyValue{String("service.name", service), String("k8s.pod.name", pod)}}
}

// Zipkin's client and server report one span id between them.
func TestSharedSpanIDs(t *testing.T) {
	client := with(span(2, 1, "call", 1, 8), func(s *SpanData) { s.Kind = KindClient })
	server := func(res *Resource, start, end uint64) SpanData {
		return with(span(2, 1, "call", start, end), func(s *SpanData) { s.Kind, s.Resource = KindServer, res })
	}
	child := func(id byte, name string, res *Resource) SpanData {
		return with(span(id, 2, name, 3, 4), func(s *SpanData) { s.Resource = res })
	}
	root := span(1, 0, "root", 0, 9)
	b1, b2 := instance("b", "b-1"), instance("b", "b-2")
	tests := []struct {
		name  string
		spans []SpanData
		want  []string // in pre-order: depth, service and name
		codes map[string]int
	}{
		{"the server is the client's child", []SpanData{root, client, server(serviceB, 2, 7)},
			[]string{"0 a root", "1 a call", "2 b call"}, map[string]int{ProblemSharedSpanID: 1}},
		{"children are with their own service", []SpanData{root, client, server(serviceB, 2, 7), child(3, "query", serviceB), child(4, "sidecar", serviceA)},
			[]string{"0 a root", "1 a call", "2 b call", "3 b query", "2 a sidecar"}, map[string]int{ProblemSharedSpanID: 1}},
		{"a stranger stays with the client", []SpanData{root, client, server(serviceB, 2, 7), child(3, "x", instance("c", ""))},
			[]string{"0 a root", "1 a call", "2 b call", "2 c x"}, map[string]int{ProblemSharedSpanID: 1, ProblemAmbiguousParent: 1}},
		{"a service that calls itself", []SpanData{root, client, server(serviceA, 2, 7), child(3, "x", serviceA)},
			[]string{"0 a root", "1 a call", "2 a call", "3 a x"}, map[string]int{ProblemSharedSpanID: 1, ProblemAmbiguousParent: 1}},
		{"a retry on another instance", []SpanData{root, client, server(b1, 2, 3), server(b2, 4, 7), child(3, "x", b2), child(4, "y", b1)},
			[]string{"0 a root", "1 a call", "2 b call", "3 b y", "2 b call", "3 b x"}, map[string]int{ProblemSharedSpanID: 1, ProblemOutsideParent: 2}},
		{"an instance that is not known", []SpanData{root, client, server(b1, 2, 3), server(b2, 4, 7), child(3, "x", serviceB)},
			[]string{"0 a root", "1 a call", "2 b call", "2 b call", "3 b x"}, map[string]int{ProblemSharedSpanID: 1, ProblemAmbiguousParent: 1, ProblemOutsideParent: 1}},
		{"servers only", []SpanData{root, server(b1, 2, 3), server(instance("c", "c-1"), 4, 7), child(3, "x", b1)},
			[]string{"0 a root", "1 b call", "2 b x", "1 c call"}, map[string]int{ProblemSharedSpanID: 1, ProblemOutsideParent: 1}},
		{"one server by two ways", []SpanData{root, server(b1, 2, 3), server(serviceB, 2, 3)},
			[]string{"0 a root", "1 b call"}, map[string]int{ProblemConflictingSpan: 1}},
		{"one server, enriched differently", []SpanData{root, server(b1, 2, 3), server(instance("b", "b-1.cluster"), 2, 3)},
			[]string{"0 a root", "1 b call"}, map[string]int{ProblemConflictingSpan: 1}},
		{"a report without a kind", []SpanData{root, client, server(serviceB, 2, 7), with(client, func(s *SpanData) { s.Kind = KindUnspecified })},
			[]string{"0 a root", "1 a call", "2 b call"}, map[string]int{ProblemSharedSpanID: 1, ProblemConflictingSpan: 1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			first := contentsOf(SetOf(tt.spans...))
			permutations(slices.Clone(tt.spans), func(spans []SpanData) {
				requireEqual(t, "another order", first, contentsOf(SetOf(spans...)))
			})
			set := SetOf(tt.spans...)
			var got []string
			for s := range set.Trace(0).Spans() {
				depth := 0
				for p, ok := s.Parent(); ok; p, ok = p.Parent() {
					depth++
				}
				got = append(got, fmt.Sprint(depth, " ", s.Service(), " ", s.Name()))
				if s.Name() == "call" && s.RecordedID() != sid(2) || s.RecordedID() != s.ID() && !s.Marks().Has(MarkSharedID) {
					t.Errorf("%v was recorded as %v, marks %b", s.ID(), s.RecordedID(), s.Marks())
				}
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
			if got := counts(set); !reflect.DeepEqual(got, tt.codes) {
				t.Errorf("problems %v, want %v", got, tt.codes)
			}
			requireSameAgain(t, set)
		})
	}
}

func TestSharersAreBounded(t *testing.T) {
	var spans []SpanData
	for i := range 3 * maxSharers {
		spans = append(spans, with(span(1, 0, "s", 0, uint64(i)), func(s *SpanData) {
			s.Kind, s.Resource = KindServer, instance("s", fmt.Sprint(i))
		}))
	}
	set := SetOf(spans...)
	if set.NumSpans() != maxSharers {
		t.Errorf("%d spans share an id, want %d", set.NumSpans(), maxSharers)
	}
	requireAccounted(t, set, len(spans))
	ids := map[SpanID]bool{}
	for s := range set.Trace(0).Spans() {
		ids[s.ID()] = true
	}
	if len(ids) != maxSharers {
		t.Errorf("%d different ids", len(ids))
	}
}
