package compare

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/scenario"
	"github.com/tracewhy/tracewhy/internal/stats"
)

// A valueCount is an attribute value and how often it is there: per trace, and per span.
type valueCount struct {
	id            tracewhy.AttrID
	traces, spans [2]int
}

// naiveCounts are what the usual comparisons look at, whatever the operation.
type naiveCounts struct {
	set           *tracewhy.Set
	values        []valueCount
	traces, spans [2]int
}

// countValues counts the values of span attributes. Those that say how a span ended are left out, as are values of
// fewer than five traces, so that identifiers do not count.
func countValues(baseline, incident tracewhy.Cohort) *naiveCounts {
	c := &naiveCounts{set: incident.Set()}
	byID := make([]valueCount, c.set.NumAttrs())
	last := make([]int, len(byID)) // the trace that was counted last, from 1
	for side, cohort := range [2]tracewhy.Cohort{baseline, incident} {
		for t := range cohort.Traces() {
			c.traces[side]++
			for s := range t.Spans() {
				c.spans[side]++
				for id := range s.AttrIDs() {
					v := &byID[id]
					v.spans[side]++
					if last[id] != t.Index()+1 {
						last[id] = t.Index() + 1
						v.traces[side]++
					}
				}
			}
		}
	}
	for id, v := range byID {
		if v.traces[0]+v.traces[1] >= 5 && !isConsequence(c.set.AttrKey(tracewhy.AttrID(id))) {
			v.id = tracewhy.AttrID(id)
			c.values = append(c.values, v)
		}
	}
	return c
}

func share(n, of int) float64 { return float64(n) / float64(max(of, 1)) }

// A naiveRanking gives each value a score, of which the largest is the answer, and something to explain where it is
// at least a threshold.
type naiveRanking struct {
	name      string
	threshold func(*naiveCounts) float64
	score     func(*naiveCounts, *valueCount) float64
}

func constant(x float64) func(*naiveCounts) float64 { return func(*naiveCounts) float64 { return x } }

var naiveRankings = []naiveRanking{
	{"lift ≥ 2, 5 traces", constant(2), func(c *naiveCounts, v *valueCount) float64 {
		if v.traces[inc] < 5 {
			return 0
		}
		return share(v.traces[inc], v.traces[0]+v.traces[inc]) / share(c.traces[inc], c.traces[0]+c.traces[inc])
	}},
	{"difference ≥ 10 points", constant(0.1), func(c *naiveCounts, v *valueCount) float64 {
		return math.Abs(share(v.traces[inc], c.traces[inc]) - share(v.traces[0], c.traces[0]))
	}},
	{"divergence ≥ 0.1 bits", constant(0.1), divergence},
	{"p < 0.05", constant(-math.Log(0.05)), func(c *naiveCounts, v *valueCount) float64 {
		return -math.Log(tableOf(v.traces, c.traces).Fisher(stats.Greater))
	}},
	{"Bonferroni of spans", func(c *naiveCounts) float64 { return -math.Log(0.05 / float64(len(c.values))) },
		func(c *naiveCounts, v *valueCount) float64 {
			return -math.Log(tableOf(v.spans, c.spans).Fisher(stats.Greater))
		}},
}

func tableOf(with, all [2]int) stats.Table {
	return stats.Table{A: with[inc], B: all[inc] - with[inc], C: with[0], D: all[0] - with[0]}
}

// divergence is that of S. Kullback and R. A. Leibler (1951), in bits, of the value's key between the cohorts, with
// half a trace added to each value. Its values share it, but for the part that each has in it.
func divergence(c *naiveCounts, v *valueCount) float64 {
	key := c.set.AttrKey(v.id)
	var same []*valueCount
	var all [2]float64
	for i := range c.values {
		if u := &c.values[i]; c.set.AttrKey(u.id) == key {
			same = append(same, u)
			for side := range all {
				all[side] += float64(u.traces[side]) + 0.5
			}
		}
	}
	sum, own := 0.0, 0.0
	for _, u := range same {
		p, q := (float64(u.traces[inc])+0.5)/all[inc], (float64(u.traces[0])+0.5)/all[0]
		sum += p * math.Log2(p/q)
		if u == v {
			own = p * math.Log2(p/q)
		}
	}
	return sum + 1e-6*own // the value that adds most stands for its key
}

// first returns the value with the largest score, and whether that is enough to claim it.
func (r *naiveRanking) first(c *naiveCounts) (tracewhy.AttrID, bool) {
	best, score := tracewhy.AttrID(0), math.Inf(-1)
	for i := range c.values {
		if x := r.score(c, &c.values[i]); x > score {
			best, score = c.values[i].id, x
		}
	}
	return best, score >= r.threshold(c)
}

// A nullWorld is a kind of incident in which no attribute has anything to do with who is affected, beyond what the
// operation or the time of day have.
type nullWorld struct {
	name  string
	cfg   AttributesConfig
	spans func(world uint64) []tracewhy.SpanData
}

// nullTraces makes n traces of one span; attributes says for each its operation, its attributes, and whether it is
// affected.
func nullTraces(n int, attributes func(r *stats.Rand, world uint64, n int) (string, bool, []tracewhy.KeyValue)) func(uint64) []tracewhy.SpanData {
	return func(world uint64) []tracewhy.SpanData {
		var spans []tracewhy.SpanData
		for i := range n {
			name, affected, attrs := attributes(stats.NewRand(world, 1, uint64(i)), world, i)
			spans = append(spans, oneSpan(i, name, affected, attrs...))
		}
		return spans
	}
}

// everyNth affects each n-th trace.
func everyNth(n int) func(*stats.Rand, uint64, int) (string, bool, []tracewhy.KeyValue) {
	return func(r *stats.Rand, _ uint64, i int) (string, bool, []tracewhy.KeyValue) {
		return "GET /", i%n == 0, noise(r, 20)
	}
}

var nullWorlds = []nullWorld{
	{"independent", AttributesConfig{}, nullTraces(660, everyNth(11))},
	{"ten rows a trace", AttributesConfig{}, func(world uint64) []tracewhy.SpanData {
		spans := nullTraces(660, everyNth(11))(world)
		for _, root := range spans {
			for k := range 9 {
				s := root
				s.SpanID, s.ParentSpanID, s.Name = tracewhy.SpanID{7: byte(k + 2)}, root.SpanID, "step"
				spans = append(spans, s)
			}
		}
		return spans
	}},
	{"ten traces a user", AttributesConfig{Cluster: "user"}, nullTraces(600, func(r *stats.Rand, world uint64, i int) (string, bool, []tracewhy.KeyValue) {
		user := stats.NewRand(world, 2, uint64(i/10))
		affected := user.Float64() < 0.15 && r.Float64() < 0.7
		return "GET /", affected, append(noise(user, 20), tracewhy.String("user", fmt.Sprint("u", i/10)))
	})},
	{"one in a hundred", AttributesConfig{}, nullTraces(2020, everyNth(101))},
	{"five failing", AttributesConfig{}, nullTraces(55, everyNth(11))},
	{"another mix of traffic", AttributesConfig{}, nullTraces(660, func(r *stats.Rand, _ uint64, _ int) (string, bool, []tracewhy.KeyValue) {
		bulk := r.Float64() < 0.3
		affected := r.Float64() < map[bool]float64{true: 0.25, false: 0.03}[bulk]
		return fmt.Sprint("bulk ", bulk), affected, append(noise(r, 20), tracewhy.Bool("batch", bulk != (r.Float64() < 0.1)))
	})},
	// Failures come in bursts of eleven traces, and ten of the attributes change after as many.
	{"autocorrelated", AttributesConfig{Cluster: "burst"}, nullTraces(660, func(r *stats.Rand, world uint64, i int) (string, bool, []tracewhy.KeyValue) {
		burst, state := stats.NewRand(world, 3, uint64(i/11)), stats.NewRand(world, 4, uint64(i/11))
		affected := r.Float64() < map[bool]float64{true: 0.6, false: 0.02}[burst.Float64() < 0.12]
		attrs := append(noise(state, 10), tracewhy.String("burst", fmt.Sprint("b", i/11)))
		for k := range 10 {
			attrs = append(attrs, tracewhy.Int(fmt.Sprintf("mood.%02d", k), int64(r.IntN(2+k%5))))
		}
		return "GET /", affected, attrs
	})},
	// The night fails more often, and has other customers. A trace is a millisecond, and the day 660 of them.
	{"daily season", AttributesConfig{Period: 20 * time.Millisecond}, nullTraces(660, func(r *stats.Rand, _ uint64, i int) (string, bool, []tracewhy.KeyValue) {
		night := 0.5 - 0.5*math.Cos(2*math.Pi*float64(i)/660)
		affected := r.Float64() < 0.02+0.2*night
		return "GET /", affected, append(noise(r, 20), tracewhy.Bool("batch", r.Float64() < 0.05+0.7*night))
	})},
}

// How often the usual comparisons claim something where there is nothing, beside Attributes. The long run is
//
//	go test ./compare -run TestNaiveComparisonsOfNullWorlds -v -worlds 1000
func TestNaiveComparisonsOfNullWorlds(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long: run without -short")
	}
	claims := make([]map[string]int, len(nullWorlds))
	for i, k := range nullWorlds {
		claims[i] = map[string]int{}
		for w := range uint64(*worlds) {
			set := tracewhy.SetOf(k.spans(w)...)
			baseline, incident := set.Source("baseline"), set.Source("incident")
			c := countValues(baseline, incident)
			for _, r := range naiveRankings {
				if _, claimed := r.first(c); claimed {
					claims[i][r.name]++
				}
			}
			cfg := k.cfg
			cfg.Seed = w
			a, err := Attributes(context.Background(), baseline, incident, cfg)
			if err != nil {
				t.Fatal(err)
			}
			if len(a.Findings) > 0 {
				claims[i]["Attributes"]++
			}
		}
	}
	header := fmt.Sprintf("%-24s", "something found in")
	for _, r := range naiveRankings {
		header += fmt.Sprintf(" %22s", r.name)
	}
	t.Log(header + "  Attributes")
	for i, k := range nullWorlds {
		line := fmt.Sprintf("%-24s", k.name)
		for _, r := range naiveRankings {
			line += fmt.Sprintf(" %22.3f", share(claims[i][r.name], *worlds))
		}
		t.Logf("%s %11.3f", line, share(claims[i]["Attributes"], *worlds))
	}
	// What theory says: some eighty tests at 0.05 each, the largest of as many differences, rows counted for
	// traces, and an operation's rate taken for that of an attribute that goes with it.
	for _, must := range []struct {
		world, ranking string
	}{
		{"independent", "p < 0.05"}, {"independent", "difference ≥ 10 points"}, {"five failing", "divergence ≥ 0.1 bits"},
		{"ten rows a trace", "Bonferroni of spans"}, {"ten traces a user", "Bonferroni of spans"},
		{"another mix of traffic", "lift ≥ 2, 5 traces"}, {"another mix of traffic", "difference ≥ 10 points"},
		{"another mix of traffic", "p < 0.05"}, {"another mix of traffic", "Bonferroni of spans"},
	} {
		i := slices.IndexFunc(nullWorlds, func(k nullWorld) bool { return k.name == must.world })
		if n := claims[i][must.ranking]; 2*n < *worlds {
			t.Errorf("%s: %s claims something in %d of %d", must.world, must.ranking, n, *worlds)
		}
	}
}

// A segment that always failed sends more, and the cause is elsewhere: see the scenario traffic-mix. Every ranking
// that does not look within operations puts the segment first, whether the incident is compared with the baseline or
// its failing traces with the others. Conjunctions, which takes some time, is only asked in the long run:
//
//	go test ./compare -run TestNaiveRankingsOfMixedTraffic -v -worlds 100
func TestNaiveRankingsOfMixedTraffic(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long: run without -short")
	}
	family, ok := scenario.Lookup("traffic-mix")
	if !ok {
		t.Fatal("no such family")
	}
	seeds, long := max(2, *worlds/10), *worlds > 40
	const before, others = "with the baseline", "with the others"
	right, misled := map[string]map[string]int{before: {}, others: {}}, map[string]int{}
	for seed := range uint64(seeds) {
		made := scenario.Generate(family, seed+1)
		set := tracewhy.SetOf(slices.Concat(made.Baseline, made.Incident)...)
		incident := set.Source("incident")
		failing := incident.Select(func(t tracewhy.Trace) bool { return t.Root().Failed() })
		asked := map[string]bool{} // the keys that say what customers asked for, rather than what runs where
		for t := range incident.Traces() {
			for id := range t.Root().AttrIDs() {
				asked[set.AttrKey(id)] = true
			}
		}
		isTrue := func(key, value string) bool { return made.Label.Causes[0].Conditions[key] == value }
		for against, cohorts := range map[string][2]tracewhy.Cohort{
			before: {set.Source("baseline"), incident}, others: {incident.Minus(failing), failing},
		} {
			c := countValues(cohorts[0], cohorts[inc])
			c.values = slices.DeleteFunc(c.values, func(v valueCount) bool { return !asked[set.AttrKey(v.id)] })
			for _, r := range naiveRankings {
				id, _ := r.first(c)
				if a := set.Attr(id); isTrue(a.Key, a.Value.String()) {
					right[against][r.name]++
				}
			}
		}
		segment := func(key string) bool { // in each of the spellings
			key = strings.ToLower(key)
			return strings.HasSuffix(key, "batch") || strings.HasSuffix(key, "client.kind") || strings.HasSuffix(key, "clientkind")
		}
		note := func(method string, conditions []AttributeCondition) {
			if slices.ContainsFunc(conditions, func(c AttributeCondition) bool { return isTrue(c.Key, c.Value.String()) }) {
				right[others][method]++
			}
			if slices.ContainsFunc(conditions, func(c AttributeCondition) bool { return segment(c.Key) }) {
				misled[method]++
			}
		}
		a, err := Attributes(context.Background(), incident.Minus(failing), failing, AttributesConfig{Seed: seed})
		if err != nil {
			t.Fatal(err)
		}
		var found []AttributeCondition
		for _, f := range a.Findings {
			found = append(found, f.AttributeCondition)
		}
		note("Attributes", found)
		if !long {
			continue
		}
		c, err := Conjunctions(context.Background(), incident.Minus(failing), failing, ConjunctionsConfig{AttributesConfig: AttributesConfig{Seed: seed}})
		if err != nil {
			t.Fatal(err)
		}
		found = nil
		for _, f := range c.Findings {
			found = append(found, f.Conditions...)
		}
		note("Conjunctions", found)
	}
	for _, r := range naiveRankings {
		t.Logf("%-22s puts the cause first in %d of %d %s, in %d %s", r.name, right[others][r.name], seeds, others, right[before][r.name], before)
		if n := right[others][r.name] + right[before][r.name]; 4*n > seeds {
			t.Errorf("%s puts the cause first in %d of %d", r.name, n, 2*seeds)
		}
	}
	methods := []string{"Attributes", "Conjunctions"}
	if !long {
		methods = methods[:1]
	}
	for _, method := range methods {
		t.Logf("%-22s finds the cause in %d of %d %s, and the segment in %d", method, right[others][method], seeds, others, misled[method])
	}
	if n := right[others]["Attributes"]; 2*n < seeds || misled["Attributes"] > seeds/10 {
		t.Errorf("Attributes finds the cause in %d of %d, and the segment in %d", n, seeds, misled["Attributes"])
	}
}
