package scenario

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"testing"

	"github.com/tracewhy/tracewhy"
)

// build makes the Set of a case.
func build(t *testing.T, c Case) *tracewhy.Set {
	t.Helper()
	var b tracewhy.Builder
	for _, list := range [][]tracewhy.SpanData{c.Baseline, c.Incident} {
		for i := range list {
			b.Add(&list[i])
		}
	}
	s, err := b.Build(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSameSeedSameCase(t *testing.T) {
	for _, f := range Families() {
		if !reflect.DeepEqual(generate(f, 3, small), generate(f, 3, small)) {
			t.Errorf("%s: two cases of one seed differ", f.Name)
		}
	}
}

// TestCasesDiffer: no two windows have a trace in common, whatever family and seed they are of.
func TestCasesDiffer(t *testing.T) {
	seen := map[tracewhy.TraceID]string{}
	for _, f := range []Family{quiet, poolExhaustion} {
		for seed := range uint64(2) {
			baseline, incident, _ := windows(f, seed, small)
			for name, w := range map[string]*run{"baseline": baseline, "incident": incident} {
				here := fmt.Sprint(f.Name, " ", seed, " ", name)
				for _, r := range w.records() {
					if there := seen[r.TraceID]; there != "" && there != here {
						t.Fatalf("trace %s is in %s and in %s", r.TraceID, there, here)
					}
					seen[r.TraceID] = here
				}
			}
		}
	}
}

func TestLabelNamesWhatIsThere(t *testing.T) {
	for _, f := range Families() {
		for seed := range uint64(2) {
			c := generate(f, seed, small)
			if f.Quiet != (len(c.Label.Causes) == 0) || f.Quiet == c.Label.Incident {
				t.Errorf("%s: incident is %v with %d causes", c.Name, c.Label.Incident, len(c.Label.Causes))
			}
			var services, operations []string
			set := build(t, c)
			for i := range set.NumSpans() {
				sp := set.Span(i)
				services, operations = append(services, sp.Service()), append(operations, sp.Name())
			}
			for _, cause := range c.Label.Causes {
				if !slices.Contains(services, cause.Services[0]) {
					t.Errorf("%s: no span of service %s", c.Name, cause.Services[0])
				}
				if !slices.ContainsFunc(cause.Operations, func(op string) bool { return slices.Contains(operations, op) }) {
					t.Errorf("%s: no span of %v", c.Name, cause.Operations)
				}
				if cause.ChangeID != "" && !slices.ContainsFunc(c.Changes, func(ch Change) bool { return ch.ID == cause.ChangeID }) {
					t.Errorf("%s: no change %s", c.Name, cause.ChangeID)
				}
			}
		}
	}
}

func BenchmarkGenerate(b *testing.B) {
	for _, f := range Families() {
		b.Run(f.Name, func(b *testing.B) {
			seed := uint64(0)
			for b.Loop() {
				seed++
				Generate(f, seed)
			}
		})
	}
}
