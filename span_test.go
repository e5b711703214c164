package tracewhy

import (
	"math"
	"reflect"
	"slices"
	"testing"
	"time"
)

// Everything that OpenTelemetry can say of a span is there again.
func TestDataIsWhatWasAdded(t *testing.T) {
	attrs := []KeyValue{
		String("string", "ä"), String("empty", ""), Bool("true", true), Bool("false", false), Int("int", math.MinInt64), Float("float", 0.1),
		Float("inf", math.Inf(1)), Float("-0", math.Copysign(0, -1)), {"bytes", BytesOf([]byte{0, 0xff})}, {"none", Value{}},
		{"array", ArrayOf(StringOf("a"), Value{}, IntOf(1), ArrayOf(), MapOf())},
		{"map", MapOf(Int("x", 1), KeyValue{"", BytesOf(nil)}, Int("x", 2), KeyValue{"deep", ArrayOf(MapOf(String("k", "v")))})},
	}
	want := SpanData{
		TraceID: TraceID{1, 2, 3}, SpanID: SpanID{4, 5}, ParentSpanID: SpanID{6}, TraceState: "a=1,ot=th:8", Flags: 0x301,
		Name: "pay", Kind: KindProducer, Start: 1_700_000_000_123_456_789, End: 1_700_000_001_123_456_789,
		Status: StatusError, StatusMessage: "no funds", Attributes: attrs,
		Events: []Event{
			{Time: 5, Name: "late", Attributes: attrs[:2], DroppedAttributes: 3},
			{Time: 4, Name: "", Attributes: nil},
		},
		Links: []Link{
			{TraceID: tid(9), SpanID: sid(8), TraceState: "x=y", Flags: 0x101, Attributes: attrs[8:], DroppedAttributes: 1},
			{},
		},
		DroppedAttributes: 1, DroppedEvents: 2, DroppedLinks: 3,
		Resource: &Resource{Attributes: append([]KeyValue{String("service.name", "bank")}, attrs...), DroppedAttributes: 4, SchemaURL: "https://x/1"},
		Scope:    &Scope{Name: "lib", Version: "v1", Attributes: attrs[3:5], DroppedAttributes: 5, SchemaURL: "https://x/2"},
		Source:   "incident",
	}
	set := SetOf(want)
	s := only(t, set)
	if got := s.Data(); !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v, want\n%+v", got, want)
	}
	if s.TraceState() != want.TraceState || s.Flags() != want.Flags || s.StatusMessage() != want.StatusMessage || s.DroppedAttributes() != 1 ||
		s.Service() != "bank" || s.NumEvents() != 2 || s.ParentID() != want.ParentSpanID || s.Start() != time.Unix(1_700_000_000, 123_456_789).UTC() ||
		s.Duration() != time.Second || !reflect.DeepEqual(s.Resource(), *want.Resource) || !reflect.DeepEqual(s.Scope(), *want.Scope) {
		t.Error("an accessor tells something else than Data")
	}
	if events := slices.Collect(s.Events()); !reflect.DeepEqual(events, want.Events) {
		t.Errorf("events %v", events)
	}
	if links := slices.Collect(s.Links()); !reflect.DeepEqual(links, want.Links) {
		t.Errorf("links %v", links)
	}
}

func TestRemoteParents(t *testing.T) {
	for flags, want := range map[uint32][2]bool{0: {false, false}, 0x01: {false, false}, 0x100: {false, true}, 0x300: {true, true}, 0x200: {false, false}, 0x301: {true, true}} {
		s := SetOf(with(span(1, 2, "s", 0, 1), func(s *SpanData) { s.Flags = flags })).Span(0)
		if remote, known := s.HasRemoteParent(); remote != want[0] || known != want[1] {
			t.Errorf("flags %#x: remote %v, known %v", flags, remote, known)
		}
	}
}

func TestResourcesAndScopesAreShared(t *testing.T) {
	copyOf := func(r *Resource) *Resource { c := *r; c.Attributes = slices.Clone(r.Attributes); return &c }
	set := SetOf(
		span(1, 0, "s", 0, 9), span(2, 1, "s", 1, 2),
		with(span(3, 1, "s", 2, 3), func(s *SpanData) { s.Resource = copyOf(serviceA) }),
		with(span(4, 1, "s", 3, 4), func(s *SpanData) { s.Resource, s.Scope = serviceB, &Scope{Name: "x"} }),
	)
	var resources, scopes []int
	for s := range set.Trace(0).Spans() {
		resources, scopes = append(resources, s.ResourceIndex()), append(scopes, s.ScopeIndex())
	}
	if !slices.Equal(resources, []int{0, 0, 0, 1}) || !slices.Equal(scopes, []int{0, 0, 0, 1}) {
		t.Errorf("resources %v, scopes %v", resources, scopes)
	}
}

func TestTraceIntervals(t *testing.T) {
	unknown := with(span(3, 1, "s", 0, 0), func(s *SpanData) { s.End = 0 })
	set := SetOf(span(1, 0, "root", 2, 5), span(2, 1, "early", 1, 3), span(4, 1, "late", 4, 9), unknown)
	tr := set.Trace(0)
	start, end, ok := tr.Interval()
	if want := span(0, 0, "", 1, 9); !ok || uint64(start) != want.Start || uint64(end) != want.End || tr.Duration() != 8*time.Second {
		t.Errorf("interval %d %d %v, duration %v", start, end, ok, tr.Duration())
	}
	tr = SetOf(unknown).Trace(0)
	if start, end, ok := tr.Interval(); ok || start != 0 || end != 0 || tr.Duration() != -1 {
		t.Errorf("interval %d %d %v, duration %v of a trace without times", start, end, ok, tr.Duration())
	}
}

func TestZeroHandles(t *testing.T) {
	if !(Span{}).IsZero() || !(Trace{}).IsZero() || SetOf(span(1, 0, "s", 0, 1)).Span(0).IsZero() {
		t.Error("IsZero")
	}
	a, b := SetOf(span(1, 0, "s", 0, 1)), SetOf(span(1, 0, "s", 0, 1))
	if a.Span(0) != a.Trace(0).Root() || a.Span(0) == b.Span(0) || a.Span(0).IsAncestorOf(b.Span(0)) {
		t.Error("handles of one span are equal, and of different Sets never")
	}
	if a.Trace(0).Set() != a {
		t.Error("Set")
	}
}
