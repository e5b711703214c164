package compare

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/stats"
)

func conjunctionsOf(t testing.TB, spans []tracewhy.SpanData, cfg ConjunctionsConfig) *ConjunctionsResult {
	t.Helper()
	set := tracewhy.SetOf(spans...)
	r, err := Conjunctions(context.Background(), set.Source("baseline"), set.Source("incident"), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// inWords returns the findings as text, sorted.
func inWords(r *ConjunctionsResult) string {
	var out []string
	for _, f := range r.Findings {
		var conditions []string
		for _, c := range f.Conditions {
			conditions = append(conditions, c.Condition.String())
		}
		out = append(out, strings.Join(conditions, " and "))
	}
	slices.Sort(out)
	return strings.Join(out, "; ")
}

// flags are the conditions that a trace meets, by name.
type flags map[string]bool

// words returns attributes that mean nothing, of two to four values each.
func words(r *stats.Rand, n int) []tracewhy.KeyValue {
	var out []tracewhy.KeyValue
	for k := range n {
		out = append(out, tracewhy.String(fmt.Sprintf("noise.%02d", k), string(rune('a'+r.IntN(2+k%3)))))
	}
	return out
}

// failing makes traces until there are so many of each cohort. Each flag holds for a share of traffic, and
// rate says how probably a trace fails that meets some.
func failing(seed uint64, healthy, affected, keys int, shares map[string]float64, rate func(flags) float64) []tracewhy.SpanData {
	names := slices.Sorted(func(yield func(string) bool) {
		for name := range shares {
			if !yield(name) {
				return
			}
		}
	})
	var spans []tracewhy.SpanData
	left := [2]int{base: healthy, inc: affected}
	for n := uint64(0); left[base]+left[inc] > 0; n++ {
		r := stats.NewRand(seed, 77, n)
		f := flags{}
		var attrs []tracewhy.KeyValue
		for _, name := range names {
			f[name] = r.Float64() < shares[name]
			attrs = append(attrs, tracewhy.Bool(name, f[name]))
		}
		side, fails := base, r.Float64() < rate(f)
		if fails {
			side = inc
		}
		if left[side] == 0 {
			continue
		}
		left[side]--
		spans = append(spans, oneSpan(len(spans), "GET /", fails, append(attrs, words(r, keys)...)...))
	}
	return spans
}

func oneOf(p float64, is bool) float64 {
	if is {
		return p
	}
	return 0.01
}

// The worlds of which the causes are known, as they have to be found in so many of a hundred. 60 failing traces
// and 600 others tell a single condition of prevalence 2 % and odds ratio 15, a pair of conditions of 15 %
// each, and a triple of 30 % each: the combination then holds for about 2 % of the healthy traces, and each of
// its parts for some 30 or more of those that do not fail, among which the rest has to be missing.
var causes = []struct {
	name   string
	shares map[string]float64
	rate   func(f flags) float64
	want   string
	least  float64
}{
	{"single", map[string]float64{"a": 0.03}, func(f flags) float64 { return oneOf(15*0.01/(0.99+15*0.01), f["a"]) }, "a = true", 0.95},
	{"pair", map[string]float64{"a": 0.15, "b": 0.15}, func(f flags) float64 { return oneOf(0.4, f["a"] && f["b"]) }, "a = true and b = true", 0.9},
	{"triple", map[string]float64{"a": 0.3, "b": 0.3, "c": 0.3}, func(f flags) float64 { return oneOf(0.4, f["a"] && f["b"] && f["c"]) }, "a = true and b = true and c = true", 0.8},
	{"any of three", map[string]float64{"a": 0.08, "b": 0.08, "c": 0.08}, func(f flags) float64 { return oneOf(0.4, f["a"] || f["b"] || f["c"]) }, "a = true; b = true; c = true", 0.9},
	{"one or both of two", map[string]float64{"a": 0.06, "b": 0.2, "c": 0.2}, func(f flags) float64 { return oneOf(0.4, f["a"] || f["b"] && f["c"]) }, "a = true; b = true and c = true", 0.8},
}

// The long run is
//
//	go test ./compare -run TestConjunctionsPower -v -worlds 200
func TestConjunctionsPower(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long: run without -short")
	}
	for _, c := range causes {
		t.Run(c.name, func(t *testing.T) {
			n, keys := max(*worlds/4, 5), 6
			if *worlds >= 200 {
				n, keys = 200, 20
			}
			exact := 0
			others := map[string]int{}
			for w := range n {
				r := conjunctionsOf(t, failing(uint64(500+w), 600, 60, keys, c.shares, c.rate), ConjunctionsConfig{})
				if got := inWords(r); got == c.want {
					exact++
				} else {
					others[got]++
				}
			}
			t.Logf("exactly it in %d of %d; else %v", exact, n, others)
			// A test must not fail by chance: two standard errors less.
			if limit := c.least - 2*math.Sqrt(c.least*(1-c.least)/float64(n)); float64(exact) < limit*float64(n) {
				t.Errorf("%q in %d of %d, limit %.2f; else %v", c.want, exact, n, limit, others)
			}
		})
	}
}

// The probability of any finding where there is nothing to find. The long run is
//
//	go test ./compare -run TestConjunctionsNullWorlds -v -worlds 1000
func TestConjunctionsNullWorlds(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long: run without -short")
	}
	for _, k := range []struct {
		name     string
		n, every int
		cfg      AttributesConfig
		span     func(r, user *stats.Rand, n, keys int) (name string, affected bool, attrs []tracewhy.KeyValue)
	}{
		{"independent", 330, 11, AttributesConfig{}, nil},
		{"imbalanced", 909, 101, AttributesConfig{}, nil},
		{"five failing", 55, 11, AttributesConfig{}, nil},
		{"ten traces a user", 600, 10, AttributesConfig{Cluster: "user"}, func(r, user *stats.Rand, n, keys int) (string, bool, []tracewhy.KeyValue) {
			affected := user.Float64() < 0.15 && r.Float64() < 0.7
			return "GET /", affected, append(words(user, keys), tracewhy.String("user", fmt.Sprint("u", n/10)))
		}},
		{"another mix of traffic", 330, 11, AttributesConfig{}, func(r, _ *stats.Rand, _, keys int) (string, bool, []tracewhy.KeyValue) {
			bulk := r.Float64() < 0.3
			affected := r.Float64() < map[bool]float64{true: 0.25, false: 0.03}[bulk]
			return fmt.Sprint("bulk ", bulk), affected, append(words(r, keys), tracewhy.Bool("batch", bulk != (r.Float64() < 0.1)))
		}},
	} {
		t.Run(k.name, func(t *testing.T) {
			found, keys := 0, 6
			if *worlds >= 1000 {
				keys = 12
			}
			for w := range *worlds {
				var spans []tracewhy.SpanData
				for n := range k.n {
					r, user := stats.NewRand(uint64(w), 11, uint64(n)), stats.NewRand(uint64(w), 12, uint64(n/10))
					name, affected, attrs := "GET /", n%k.every == 0, []tracewhy.KeyValue(nil)
					if k.span != nil {
						name, affected, attrs = k.span(r, user, n, keys)
					} else {
						attrs = words(r, keys)
					}
					spans = append(spans, oneSpan(n, name, affected, attrs...))
				}
				cfg := ConjunctionsConfig{AttributesConfig: k.cfg}
				cfg.Seed, cfg.Replicates = uint64(w)+1<<32, 399
				if len(conjunctionsOf(t, spans, cfg).Findings) > 0 {
					found++
				}
			}
			t.Logf("any finding in %d of %d", found, *worlds)
			// 0.05, and four standard errors for a test that must not fail by chance.
			if limit := 0.05 + 4*math.Sqrt(0.05*0.95/float64(*worlds)); float64(found) > limit*float64(*worlds) {
				t.Errorf("any finding in %d of %d, limit %.3f", found, *worlds, limit)
			}
		})
	}
}

// Three formats and a volume: lists are asked for their parts.
func TestConjunctionsOfLists(t *testing.T) {
	var spans []tracewhy.SpanData
	for n := range 600 {
		r := stats.NewRand(9, uint64(n))
		var formats []string
		for _, f := range []string{"pdf", "png", "tiff"} {
			if r.Float64() < 0.5 {
				formats = append(formats, f)
			}
		}
		volume := []string{"high", "low"}[r.IntN(2)]
		both := slices.Contains(formats, "pdf") && slices.Contains(formats, "tiff")
		spans = append(spans, oneSpan(n, "POST /mortgage", r.Float64() < oneOf(0.8, both && volume == "high"), append(words(r, 5),
			tracewhy.String("formats", strings.Join(formats, ",")), tracewhy.String("volume", volume))...))
	}
	if got, want := inWords(conjunctionsOf(t, spans, ConjunctionsConfig{})), "formats has pdf and formats has tiff and volume = high"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// Every combination is asked, in every relabelling, and the adjusted p-value is that of the definition.
func TestConjunctionsAgainstAllRelabellings(t *testing.T) {
	checked := 0
	for seed := range uint64(6) {
		var spans []tracewhy.SpanData
		affected := []bool{}
		var meets []map[string]bool
		for n := range 18 {
			r := stats.NewRand(seed, 31, uint64(n))
			is := n%6 == 0 || n == 1
			m := map[string]bool{}
			var attrs []tracewhy.KeyValue
			for _, key := range []string{"p", "q", "r", "s"} {
				yes := r.Float64() < oneOf(0.8, is && key < "r") || r.Float64() < 0.35
				attrs = append(attrs, tracewhy.Bool(key, yes))
				m[fmt.Sprint(key, " = ", yes)] = true
			}
			spans = append(spans, oneSpan(n, "GET /", is, attrs...))
			affected, meets = append(affected, is), append(meets, m)
		}
		r := conjunctionsOf(t, spans, ConjunctionsConfig{AttributesConfig: AttributesConfig{Alpha: 0.9}})
		if len(r.Findings) == 0 {
			continue
		}
		best := r.Findings[0]
		checked++
		var names []string
		for _, c := range best.Conditions {
			names = append(names, c.Condition.String())
		}
		if want := adjustedByHand(meets, affected, names); math.Abs(best.Adjusted-want) > 1e-9 {
			t.Errorf("seed %d, %v: adjusted p %v, want %v", seed, names, best.Adjusted, want)
		}
	}
	if checked < 3 {
		t.Errorf("only %d combinations were checked", checked)
	}
}

// adjustedByHand tries all ways to choose as many affected traces, and all combinations.
func adjustedByHand(meets []map[string]bool, affected []bool, names []string) float64 {
	n, hits := len(meets), 0
	for _, is := range affected {
		if is {
			hits++
		}
	}
	var items []string
	for _, m := range meets {
		for name := range m {
			items = append(items, name)
		}
	}
	slices.Sort(items)
	items = slices.Compact(items)
	holders := func(names []string) uint32 {
		set := uint32(0)
		for i, m := range meets {
			all := true
			for _, name := range names {
				all = all && m[name]
			}
			if all {
				set |= 1 << i
			}
		}
		return set
	}
	ones := func(x uint32) (k int) {
		for ; x != 0; x &= x - 1 {
			k++
		}
		return k
	}
	p := func(set, label uint32) float64 {
		a, x := ones(set&label), ones(set)
		return stats.Quantise(stats.Table{A: a, B: hits - a, C: x - a, D: n - hits - x + a}.Fisher(stats.Greater))
	}
	var sets []uint32
	var choose func(from int, chosen []string)
	choose = func(from int, chosen []string) {
		if len(chosen) == len(names) {
			if set := holders(chosen); set != 0 && ones(set) < n {
				sets = append(sets, set)
			}
			return
		}
		for i := from; i < len(items); i++ {
			choose(i+1, append(slices.Clone(chosen), items[i]))
		}
	}
	choose(0, nil)
	slices.Sort(sets)
	sets = slices.Compact(sets)
	observed := uint32(0)
	for i, is := range affected {
		if is {
			observed |= 1 << i
		}
	}
	own := p(holders(names), observed)
	reached, all := 0, 0
	for label := range uint32(1) << n {
		if ones(label) != hits {
			continue
		}
		all++
		for _, set := range sets {
			if stats.Compare(p(set, label), own) <= 0 {
				reached++
				break
			}
		}
	}
	return min(1, float64(reached)/float64(all)*4/sizeShares[len(names)-1])
}

func TestConjunctionsDoNotDependOnOrderOrWorkers(t *testing.T) {
	spans := failing(3, 300, 40, 6, map[string]float64{"a": 0.2, "b": 0.2}, func(f flags) float64 { return oneOf(0.5, f["a"] && f["b"]) })
	var want string
	for workers := range 3 {
		b, err := json.Marshal(conjunctionsOf(t, spans, ConjunctionsConfig{AttributesConfig: AttributesConfig{Workers: workers + 1, Cluster: "noise.02"}}))
		if err != nil {
			t.Fatal(err)
		}
		if want == "" {
			want = string(b)
		}
		if string(b) != want {
			t.Fatalf("another order gives another result:\n%s\n%s", b, want)
		}
		slices.Reverse(spans)
	}
}

// Other names give the same findings, by those names.
func TestConjunctionsRenamed(t *testing.T) {
	spans := failing(4, 300, 40, 6, map[string]float64{"a": 0.2, "b": 0.2}, func(f flags) float64 { return oneOf(0.5, f["a"] && f["b"]) })
	before := conjunctionsOf(t, spans, ConjunctionsConfig{})
	for i := range spans {
		for k := range spans[i].Attributes {
			kv := &spans[i].Attributes[k]
			kv.Key = map[string]string{"a": "zeta", "b": "alpha"}[kv.Key] + strings.TrimLeft(kv.Key, "ab")
		}
	}
	after := conjunctionsOf(t, spans, ConjunctionsConfig{})
	if got := inWords(after); inWords(before) != "a = true and b = true" || got != "alpha = true and zeta = true" || before.Findings[0].Adjusted != after.Findings[0].Adjusted {
		t.Errorf("%q became %q", inWords(before), got)
	}
}

// In no root operation does the condition matter, but in one of them both it and failures are frequent.
func TestConjunctionsWithinOperations(t *testing.T) {
	var spans []tracewhy.SpanData
	for n := range 600 {
		r := stats.NewRand(8, uint64(n))
		bulk := r.Float64() < 0.3
		share, rate := 0.1, 0.03
		if bulk {
			share, rate = 0.9, 0.4
		}
		spans = append(spans, oneSpan(n, fmt.Sprint("bulk ", bulk), r.Float64() < rate, append(words(r, 5), tracewhy.Bool("batch", r.Float64() < share))...))
	}
	r := conjunctionsOf(t, spans, ConjunctionsConfig{})
	if r.Verdict != AttributesNone || len(r.Findings) > 0 || r.Strongest == nil || !(r.Strongest.Adjusted > 0.05) || r.Explained != 0 {
		t.Errorf("%s: %q, strongest %+v", r.Verdict, inWords(r), r.Strongest)
	}
	if len(r.Depths) != 3 || r.Depths[0].Tested == 0 || r.Depths[2].Tested < r.Depths[1].Tested || !(r.Depths[0].CriticalP > 0) {
		t.Errorf("what was asked: %+v", r.Depths)
	}
}

func TestConjunctionFigures(t *testing.T) {
	spans := failing(5, 600, 60, 6, map[string]float64{"a": 0.15, "b": 0.15}, func(f flags) float64 { return oneOf(0.5, f["a"] && f["b"]) })
	for i := range spans {
		if a := spans[i].Attributes[0]; a.Key == "a" {
			spans[i].Attributes = append(spans[i].Attributes, tracewhy.String("deployment", fmt.Sprint("v", a.Value)))
		}
	}
	r := conjunctionsOf(t, spans, ConjunctionsConfig{AttributesConfig: AttributesConfig{IndependentSampling: true}})
	if inWords(r) != "a = true and b = true" {
		t.Fatal(inWords(r))
	}
	f := r.Findings[0]
	if f.Traces[inc] != f.Affected.Len() || f.Coverage != ratio(f.Traces[inc], 60) || f.Coverage != r.Explained || len(f.Exemplars) != maxExemplars {
		t.Errorf("figures: %+v", f)
	}
	if len(f.Aliases) != 2 || len(f.Aliases[0]) != 1 || f.Aliases[0][0].Condition.String() != "deployment = vtrue" || len(f.Aliases[1]) != 0 {
		t.Errorf("aliases: %v", f.Aliases)
	}
	for i, l := range f.Lifts {
		if !(l.OddsRatio.Low > 1) || !(l.P < 0.001) {
			t.Errorf("%v adds %+v", f.Conditions[i], l)
		}
	}
	if m := f.Interaction; m == nil || !(m.Ratio.Low > 1) || !(m.Excess.Value > 1) || !(m.WRAcc > 0) || !(m.P < 0.001) {
		t.Errorf("interaction: %+v", m)
	}
	if !(f.RiskDifference.Low > 0) || !(f.OddsRatio.Low > 5) || !(f.P < 1e-6) || !(f.Adjusted <= 0.05) {
		t.Errorf("effects: %+v", f)
	}
}

// A host that most traffic of one kind comes from is listed with the kind.
func TestConjunctionEchoes(t *testing.T) {
	spans := failing(7, 500, 60, 5, map[string]float64{"a": 0.1}, func(f flags) float64 { return oneOf(0.5, f["a"]) })
	for i := range spans {
		r := stats.NewRand(7, 78, uint64(i))
		host := "h1"
		if isA := spans[i].Attributes[0].Value.String() == "true"; isA != (r.Float64() < 0.1) {
			host = "h2"
		}
		spans[i].Attributes = append(spans[i].Attributes, tracewhy.String("host", host))
	}
	r := conjunctionsOf(t, spans, ConjunctionsConfig{})
	if inWords(r) != "a = true" || len(r.Findings[0].Echoes) != 1 || r.Findings[0].Echoes[0].Condition.String() != "host = h2" {
		t.Errorf("%q, echoes of %+v", inWords(r), r.Findings)
	}
}

func TestConjunctionsInsufficientAndErrors(t *testing.T) {
	var spans []tracewhy.SpanData
	for n := range 12 {
		spans = append(spans, oneSpan(n, "GET /", n == 0, words(stats.NewRand(1, uint64(n)), 4)...))
	}
	if r := conjunctionsOf(t, spans, ConjunctionsConfig{}); r.Verdict != AttributesInsufficient {
		t.Errorf("one failing trace of twelve: %s", r.Verdict)
	}
	set := tracewhy.SetOf(spans...)
	if _, err := Conjunctions(context.Background(), set.Source("incident"), set.Source("incident"), ConjunctionsConfig{}); err != ErrCohorts {
		t.Errorf("one cohort: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Conjunctions(ctx, set.Source("baseline"), set.Source("incident"), ConjunctionsConfig{}); err != context.Canceled {
		t.Errorf("cancelled: %v", err)
	}
}

// Of many traces a sample is searched, and the figures are of all. The cause is so strong that the p-values of
// its parts cannot be told from its own.
func TestConjunctionsOfASample(t *testing.T) {
	spans := failing(6, 1500, 300, 4, map[string]float64{"a": 0.15, "b": 0.15}, func(f flags) float64 { return oneOf(0.9, f["a"] && f["b"]) })
	r := conjunctionsOf(t, spans, ConjunctionsConfig{MaxTraces: 500})
	if inWords(r) != "a = true and b = true" || r.Findings[0].Known != [2]int{1500, 300} || r.Searched != [2]int{250, 250} {
		t.Errorf("%q, %d searched, %+v", inWords(r), r.Searched, r.Findings)
	}
	if !slices.ContainsFunc(r.Warnings, func(w tracewhy.Warning) bool { return w.Code == WarningSearchSampled && w.Count == 1300 }) {
		t.Errorf("warnings: %v", r.Warnings)
	}
}

// The reference is a table of 2×2×2: rates of 2 %, and 30 % where both conditions hold.
func TestInteractionReference(t *testing.T) {
	m := interactionOf([]outcomesOfFour{{n: [4]float64{1000, 300, 250, 150}, hits: [4]float64{20, 6, 5, 45}}})
	for _, c := range []struct{ got, want, within float64 }{
		{m.Ratio.Value, 21, 1e-6}, {m.LikelihoodRatio, 26.306836985262635, 1e-6}, {m.P, 2.9125578577758703e-07, 1e-12},
	} {
		if !(math.Abs(c.got-c.want) <= c.within) {
			t.Errorf("%+v, want %v", m, c.want)
		}
	}
	// In two strata of the same rates, it is the same ratio, and twice the evidence.
	g := outcomesOfFour{n: [4]float64{1000, 300, 250, 150}, hits: [4]float64{20, 6, 5, 45}}
	if two := interactionOf([]outcomesOfFour{g, g}); cmp.Compare(math.Abs(two.Ratio.Value-21), 1e-6) > 0 || math.Abs(two.LikelihoodRatio-2*m.LikelihoodRatio) > 1e-6 {
		t.Errorf("two strata: %+v", two)
	}
}
