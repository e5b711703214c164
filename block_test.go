package tracewhy

import (
	"context"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Formats put part of a resource or scope behind its spans. Whenever it is filled in, the Set is the one
// of a resource or scope that was complete from the start.
func TestCompletedBlocks(t *testing.T) {
	resources := []Resource{
		{Attributes: []KeyValue{String("service.name", "api")}, SchemaURL: "s1"},
		{Attributes: []KeyValue{String("service.name", "db")}, DroppedAttributes: 2},
		{Attributes: []KeyValue{Int("service.name", 5)}, SchemaURL: "s2"}, // no name: counted for each span
		{Attributes: []KeyValue{String("service.name", "api")}, SchemaURL: "s1"},
	}
	scopes := []Scope{{Name: "a", SchemaURL: "s1"}, {Name: "b", Version: "1", Attributes: []KeyValue{Bool("x", true)}}}
	build := func(late bool) *Set {
		var b Builder
		id := byte(0)
		for _, r := range resources {
			resource := new(Resource)
			fill(resource, r, !late)
			for _, s := range scopes {
				scope := new(Scope)
				fill(scope, s, !late)
				for range 3 {
					id++
					b.Add(&SpanData{TraceID: TraceID{id%4 + 1}, SpanID: SpanID{id}, Start: uint64(id), End: 100, Resource: resource, Scope: scope})
				}
				fill(scope, s, late)
			}
			fill(resource, r, late)
		}
		s, err := b.Build(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	first, after := build(false), build(true)
	want := Warning{Code: ProblemServiceMissing, Message: problemText[ProblemServiceMissing], Count: 6, TraceID: TraceID{1}.String()}
	if !slices.Contains(after.Problems(), want) {
		t.Errorf("problems %+v, want %+v among them", after.Problems(), want)
	}
	if diff := cmp.Diff(dataOf(first), dataOf(after), cmp.AllowUnexported(Value{})); diff != "" {
		t.Errorf("the Set depends on when resources were completed:\n%s", diff)
	}
	for i := range first.NumSpans() {
		x, y := first.Span(i), after.Span(i)
		if x.ResourceIndex() != y.ResourceIndex() || x.ScopeIndex() != y.ScopeIndex() {
			t.Errorf("span %v: resource %d and %d, scope %d and %d", x.ID(), x.ResourceIndex(), y.ResourceIndex(), x.ScopeIndex(), y.ScopeIndex())
		}
	}
	if diff := cmp.Diff(first.Problems(), after.Problems()); diff != "" {
		t.Errorf("problems differ:\n%s", diff)
	}
}

func fill[T any](p *T, v T, now bool) {
	if now {
		*p = v
	}
}

func dataOf(s *Set) []SpanData {
	var all []SpanData
	for i := range s.NumSpans() {
		all = append(all, s.Span(i).Data())
	}
	return all
}

// A pointer that comes again leads to what is there now.
func TestReusedBlocks(t *testing.T) {
	var b Builder
	resource, scope, other := new(Resource), new(Scope), new(Scope)
	for i, name := range []string{"a", "b", "c", "b"} {
		resource.Attributes = []KeyValue{String("service.name", name)}
		scope.Version = name
		d := span(byte(i+1), 0, "s", uint64(i), 9)
		d.Resource, d.Scope = resource, scope
		b.Add(&d)
		d = span(byte(i+11), 0, "t", uint64(i), 9)
		d.Resource, d.Scope = serviceA, other
		b.Add(&d)
	}
	set, err := b.Build(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got := map[byte]string{}
	for s := range set.Trace(0).Spans() {
		if s.Name() == "s" {
			got[s.ID()[7]] = s.Service() + s.Scope().Version
		} else if s.Service() != "a" || s.Scope().Version != "" {
			t.Errorf("%v is of %s %s", s.ID(), s.Service(), s.Scope().Version)
		}
	}
	if want := map[byte]string{1: "aa", 2: "bb", 3: "cc", 4: "bb"}; !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
