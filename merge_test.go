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

// Two reports that differ in anything at all are one span, and which is kept does not depend on the order.
func TestEveryFieldDecides(t *testing.T) {
	base := func() SpanData {
		return with(span(1, 0, "s", 0, 1), func(s *SpanData) {
			s.Attributes = []KeyValue{Int("a", 1)}
			s.Events = []Event{{Time: 1, Name: "e", Attributes: []KeyValue{Int("a", 1)}}}
			s.Links = []Link{{TraceID: tid(2), SpanID: sid(2), TraceState: "x=1", Attributes: []KeyValue{Int("a", 1)}}}
			s.Resource = &Resource{Attributes: []KeyValue{String("service.name", "a"), Int("r", 1)}, SchemaURL: "s"}
			s.Scope = &Scope{Name: "n", Version: "v", SchemaURL: "s", Attributes: []KeyValue{Int("a", 1)}}
		})
	}
	changes := map[string]func(*SpanData){
		"parent":                 func(s *SpanData) { s.ParentSpanID = sid(9) },
		"trace state":            func(s *SpanData) { s.TraceState = "y=1" },
		"flags":                  func(s *SpanData) { s.Flags = 1 },
		"name":                   func(s *SpanData) { s.Name = "t" },
		"kind":                   func(s *SpanData) { s.Kind = KindProducer },
		"start":                  func(s *SpanData) { s.Start++ },
		"end":                    func(s *SpanData) { s.End++ },
		"status":                 func(s *SpanData) { s.Status = StatusOK },
		"message":                func(s *SpanData) { s.StatusMessage = "m" },
		"dropped attributes":     func(s *SpanData) { s.DroppedAttributes = 1 },
		"dropped events":         func(s *SpanData) { s.DroppedEvents = 1 },
		"dropped links":          func(s *SpanData) { s.DroppedLinks = 1 },
		"attribute value":        func(s *SpanData) { s.Attributes = []KeyValue{Int("a", 2)} },
		"attribute key":          func(s *SpanData) { s.Attributes = []KeyValue{Int("b", 1)} },
		"attribute kind":         func(s *SpanData) { s.Attributes = []KeyValue{Bool("a", true)} },
		"attribute of text":      func(s *SpanData) { s.Attributes = []KeyValue{String("a", "1")} },
		"attribute list":         func(s *SpanData) { s.Attributes = []KeyValue{{"a", ArrayOf(IntOf(1))}} },
		"event time":             func(s *SpanData) { s.Events[0].Time = 2 },
		"event name":             func(s *SpanData) { s.Events[0].Name = "f" },
		"event attribute":        func(s *SpanData) { s.Events[0].Attributes = []KeyValue{Int("a", 2)} },
		"event dropped":          func(s *SpanData) { s.Events[0].DroppedAttributes = 1 },
		"link trace":             func(s *SpanData) { s.Links[0].TraceID = tid(3) },
		"link span":              func(s *SpanData) { s.Links[0].SpanID = sid(3) },
		"link state":             func(s *SpanData) { s.Links[0].TraceState = "z=1" },
		"link flags":             func(s *SpanData) { s.Links[0].Flags = 1 },
		"link attribute":         func(s *SpanData) { s.Links[0].Attributes = nil },
		"link dropped":           func(s *SpanData) { s.Links[0].DroppedAttributes = 1 },
		"resource attribute":     func(s *SpanData) { s.Resource.Attributes[1] = Int("r", 2) },
		"resource schema":        func(s *SpanData) { s.Resource.SchemaURL = "t" },
		"resource dropped":       func(s *SpanData) { s.Resource.DroppedAttributes = 1 },
		"scope name":             func(s *SpanData) { s.Scope.Name = "m" },
		"scope version":          func(s *SpanData) { s.Scope.Version = "w" },
		"scope schema":           func(s *SpanData) { s.Scope.SchemaURL = "t" },
		"scope dropped":          func(s *SpanData) { s.Scope.DroppedAttributes = 1 },
		"scope attribute":        func(s *SpanData) { s.Scope.Attributes[0] = Int("a", 2) },
		"source":                 func(s *SpanData) { s.Source = "z" },
		"nothing, as it happens": func(*SpanData) {},
	}
	for field, change := range changes {
		a, b := base(), base()
		change(&b)
		one, other := SetOf(a, b), SetOf(b, a)
		requireEqual(t, field, contentsOf(one), contentsOf(other))
		if one.NumSpans() != 1 {
			t.Errorf("%s: %d spans", field, one.NumSpans())
		}
		isSame := field == "source" || field == "nothing, as it happens"
		if got := counts(one)[ProblemDuplicateSpan] == 1; got != isSame {
			t.Errorf("%s: duplicate %v, problems %v", field, got, counts(one))
		}
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
		{"a pending report without the instance", []SpanData{root, server(b1, 2, 3), server(serviceB, 2, 0)},
			[]string{"0 a root", "1 b call"}, map[string]int{ProblemPartialSpan: 1}},
		{"one server, enriched differently", []SpanData{root, server(b1, 2, 3), server(instance("b", "b-1.cluster"), 2, 3)},
			[]string{"0 a root", "1 b call"}, map[string]int{ProblemConflictingSpan: 1}},
		{"one server, enriched differently, and pending reports of it", []SpanData{root, server(b1, 2, 3), server(instance("b", "b-1.cluster"), 2, 3), pending(server(b1, 2, 3)), pending(server(instance("b", "b-1.cluster"), 2, 3))},
			[]string{"0 a root", "1 b call"}, map[string]int{ProblemConflictingSpan: 1, ProblemPartialSpan: 2}},
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

// A derived id is not given out twice, not even where somebody foresaw it.
func TestDerivedIDsAreUnique(t *testing.T) {
	client := with(span(2, 0, "call", 1, 8), func(s *SpanData) { s.Kind = KindClient })
	server := with(span(2, 0, "call", 2, 7), func(s *SpanData) { s.Kind, s.Resource = KindServer, serviceB })
	derived := SetOf(client, server).Span(1).ID()
	forged := with(span(0, 0, "forged", 3, 4), func(s *SpanData) { s.SpanID = derived })
	ids := map[SpanID]bool{}
	for s := range SetOf(client, server, forged).Trace(0).Spans() {
		ids[s.ID()] = true
	}
	if len(ids) != 3 || !ids[derived] {
		t.Errorf("ids %v", ids)
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
