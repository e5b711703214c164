package scenario

import (
	"bytes"
	"context"
	"fmt"
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

func TestSameSeedSameBytes(t *testing.T) {
	for _, f := range Families() {
		first, again, other := allBytes(t, generate(f, 3, small)), allBytes(t, generate(f, 3, small)), allBytes(t, generate(f, 4, small))
		if !bytes.Equal(first, again) {
			t.Errorf("%s: two cases of one seed differ", f.Name)
		}
		if bytes.Equal(first, other) {
			t.Errorf("%s: cases of two seeds are the same", f.Name)
		}
	}
}

// allBytes returns everything that a case says, spans with what their pointers lead to.
func allBytes(t *testing.T, c Case) []byte {
	t.Helper()
	var b bytes.Buffer
	for _, list := range [][]tracewhy.SpanData{c.Baseline, c.Incident} {
		for _, s := range list {
			fmt.Fprintln(&b, *s.Resource, *s.Scope)
			s.Resource, s.Scope = nil, nil
			fmt.Fprintln(&b, s)
		}
	}
	fmt.Fprintln(&b, c.Name, c.Label, c.Changes)
	return b.Bytes()
}

func TestLabelNamesWhatIsThere(t *testing.T) {
	for _, f := range Families() {
		for seed := range uint64(4) {
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
