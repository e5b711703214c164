package compare

import (
	"context"
	"fmt"
	"math"
	"testing"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/stats"
)

// batches makes traces that each write four items, of which those of one kind fail more often. All of a trace
// fail to be sent alike, whatever they are.
func batches(seed uint64, planted bool) *tracewhy.Set {
	var spans []tracewhy.SpanData
	for n := range 300 {
		r := stats.NewRand(seed, uint64(n))
		root := oneSpan(n, "POST /batch", true, tracewhy.Int("size", 4))
		spans = append(spans, root)
		unlucky := r.Float64() < 0.1
		for i := range 4 {
			s := oneSpan(n, "write", true, tracewhy.String("item.kind", fmt.Sprint("k", r.IntN(5))), tracewhy.Int("item.weight", int64(r.IntN(4))))
			s.SpanID, s.ParentSpanID = tracewhy.SpanID{6: 1, 7: byte(i + 1)}, root.SpanID
			if unlucky && r.Float64() < 0.7 || planted && s.Attributes[0].Value.Str() == "k3" && r.Float64() < 0.4 {
				s.Status = tracewhy.StatusError
			}
			spans = append(spans, s)
		}
	}
	return tracewhy.SetOf(spans...)
}

func TestAttributesOfExecutions(t *testing.T) {
	cfg := AttributesConfig{
		Spans: tracewhy.Matcher{Operation: "write"}, Executions: &tracewhy.Matcher{Failed: true}, Alpha: 0.01,
	}
	set := batches(1, true)
	all := set.Source("incident")
	r, err := Attributes(context.Background(), all.Minus(all), all, cfg)
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(findingsOf(r)); got != "[item.kind = k3]" || r.Traces[base]+r.Traces[inc] != 1200 {
		t.Errorf("found %s of %v executions", got, r.Traces)
	}
	c, err := Conjunctions(context.Background(), all.Minus(all), all, ConjunctionsConfig{AttributesConfig: cfg})
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Findings) != 1 || len(c.Findings[0].Conditions) != 1 || c.Findings[0].Conditions[0].Value.Str() != "k3" {
		t.Errorf("combinations %+v", c.Findings)
	}
}

// Executions of one trace fail together, which says nothing of their attributes.
func TestAttributesOfExecutionsNullWorlds(t *testing.T) {
	cfg := AttributesConfig{Spans: tracewhy.Matcher{Operation: "write"}, Executions: &tracewhy.Matcher{Failed: true}}
	found := 0
	for w := range *worlds {
		all := batches(uint64(1000+w), false).Source("incident")
		cfg.Seed = uint64(w) + 1<<32
		r, err := Attributes(context.Background(), all.Minus(all), all, cfg)
		if err != nil {
			t.Fatal(err)
		}
		if len(r.Findings) > 0 {
			found++
		}
	}
	t.Logf("any finding in %d of %d", found, *worlds)
	if n := float64(*worlds); float64(found) > 0.05*n+4*0.218*math.Sqrt(n) { // four standard errors
		t.Errorf("any finding in %d of %d", found, *worlds)
	}
}
