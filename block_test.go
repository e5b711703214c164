package tracewhy

import (
	"context"
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
