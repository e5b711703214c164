package compare

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/stats"
)

var worlds = flag.Int("worlds", 20, "how many null incidents of each kind to make; 1000 takes minutes")

// strict finds by chance, beside a strong effect that a test is about, in one of a hundred worlds.
var strict = AttributesConfig{Alpha: 0.01}

// oneSpan makes a trace of one span, number n.
func oneSpan(n int, name string, affected bool, attrs ...tracewhy.KeyValue) tracewhy.SpanData {
	s := tracewhy.SpanData{
		TraceID: tracewhy.TraceID{0: 1, 13: byte(n >> 16), 14: byte(n >> 8), 15: byte(n)}, SpanID: tracewhy.SpanID{7: 1}, Name: name,
		Kind: tracewhy.KindServer, Source: "baseline", Attributes: attrs,
		Start: 1_700_000_000_000_000_000 + uint64(n)*millisecond, End: 1_700_000_000_000_000_000 + uint64(n+1)*millisecond,
	}
	if affected {
		s.Source = "incident"
	}
	return s
}

func attributesOf(t testing.TB, spans []tracewhy.SpanData, cfg AttributesConfig) *AttributesResult {
	t.Helper()
	set := tracewhy.SetOf(spans...)
	r, err := Attributes(context.Background(), set.Source("baseline"), set.Source("incident"), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func findingsOf(r *AttributesResult) []string {
	var out []string
	for _, f := range r.Findings {
		out = append(out, f.Condition.String()+f.Trend)
	}
	return out
}

// noise returns attributes that mean nothing.
func noise(r *stats.Rand, n int) []tracewhy.KeyValue {
	var out []tracewhy.KeyValue
	for k := range n {
		out = append(out, tracewhy.Int(fmt.Sprintf("noise.%02d", k), int64(r.IntN(2+k%5))))
	}
	return out
}

// planted makes 660 traces of which those with the condition fail more often.
func planted(seed uint64, attrs func(r *stats.Rand, affected bool) []tracewhy.KeyValue) []tracewhy.SpanData {
	var spans []tracewhy.SpanData
	for n := range 660 {
		r := stats.NewRand(seed, uint64(n))
		affected := n%11 == 0
		spans = append(spans, oneSpan(n, "GET /", affected, append(attrs(r, affected), noise(r, 20)...)...))
	}
	return spans
}

// with returns whether a trace meets a condition of the given prevalence in the two cohorts.
func with(r *stats.Rand, affected bool, healthy, failing float64) bool {
	if affected {
		return r.Float64() < failing
	}
	return r.Float64() < healthy
}

func TestAttributesFindWhatWasPlanted(t *testing.T) {
	for _, c := range []struct {
		name  string
		attrs func(r *stats.Rand, affected bool) []tracewhy.KeyValue
		want  string
	}{
		{"nothing", func(*stats.Rand, bool) []tracewhy.KeyValue { return nil }, "[]"},
		{"typed keys", func(r *stats.Rand, a bool) []tracewhy.KeyValue {
			if with(r, a, 0.05, 0.6) {
				return []tracewhy.KeyValue{[]tracewhy.KeyValue{tracewhy.Int("tier", 2), tracewhy.String("tier", "2")}[r.IntN(2)]}
			}
			return []tracewhy.KeyValue{tracewhy.String("tier", "gold")}
		}, "[tier = 2]"},
		{"missing", func(r *stats.Rand, a bool) []tracewhy.KeyValue {
			if with(r, a, 0.05, 0.6) {
				return nil
			}
			return []tracewhy.KeyValue{tracewhy.String("desk", fmt.Sprint("d", r.IntN(9)))}
		}, "[desk missing]"},
		{"identifier", func(r *stats.Rand, _ bool) []tracewhy.KeyValue {
			return []tracewhy.KeyValue{tracewhy.String("request", fmt.Sprintf("x%x", r.Uint64())), tracewhy.Int("order.id", int64(r.IntN(1<<40)))}
		}, "[]"},
		{"consequence", func(_ *stats.Rand, a bool) []tracewhy.KeyValue {
			return []tracewhy.KeyValue{tracewhy.Bool("error.seen", a), tracewhy.Int("http.status_code", map[bool]int64{true: 503, false: 200}[a])}
		}, "[]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := attributesOf(t, planted(3, c.attrs), strict)
			if got := fmt.Sprint(findingsOf(r)); got != c.want {
				t.Errorf("findings %s, want %s", got, c.want)
			}
			if (r.Verdict == AttributesFound) != (c.want != "[]") {
				t.Errorf("verdict %s", r.Verdict)
			}
			if c.name == "consequence" && len(r.Consequences) == 0 {
				t.Error("the consequences are not listed")
			}
			if _, err := json.Marshal(r); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestAttributesCollapseAliases(t *testing.T) {
	r := attributesOf(t, planted(4, func(r *stats.Rand, a bool) []tracewhy.KeyValue {
		region := "eu"
		if with(r, a, 0.05, 0.6) {
			region = "us"
		}
		return []tracewhy.KeyValue{tracewhy.String("region", region), tracewhy.String("zone", region+"-1"), tracewhy.String("host", region+"-1-a")}
	}), strict)
	if len(r.Findings) != 1 || len(r.Findings[0].Aliases) != 2 {
		t.Fatalf("%v, want one of three names", findingsOf(r))
	}
	if f := r.Findings[0]; !(f.OddsRatio.Low > 5) || f.Traces[inc]*100 != int(math.Round(f.Coverage*6000)) || f.Affected.Len() != f.Traces[inc] {
		t.Errorf("%+v", f)
	}
}

func TestAttributesCutNumbers(t *testing.T) {
	number := func(rate func(x float64) float64) []tracewhy.SpanData {
		var spans []tracewhy.SpanData
		for n := range 1000 {
			r := stats.NewRand(5, uint64(n))
			x := r.Float64() * 1000
			spans = append(spans, oneSpan(n, "GET /", r.Float64() < rate(x), append(noise(r, 10), tracewhy.Float("amount", x))...))
		}
		return spans
	}
	r := attributesOf(t, number(func(x float64) float64 {
		if x >= 900 {
			return 0.6
		}
		return 0.02
	}), strict)
	if len(r.Findings) != 1 || r.Findings[0].Key != "amount" || r.Findings[0].Op != tracewhy.OpAtLeast || math.Abs(r.Findings[0].Value.Float()-900) > 20 {
		t.Errorf("a threshold at 900: %v", findingsOf(r))
	}
	r = attributesOf(t, number(func(x float64) float64 { return 0.25 * x / 1000 }), strict)
	if len(r.Findings) == 0 || r.Findings[0].Key != "amount" || r.Findings[0].Trend != "rising" {
		t.Errorf("a trend: %v", findingsOf(r))
	}
}

// Berkeley's admissions of 1973 (P. J. Bickel et al., 1975): women were rejected more often, and in no
// department so by much.
func TestAttributesWithinDepartments(t *testing.T) {
	admissions := [][2][2]int{ // by department: admitted and rejected, men and women
		{{512, 89}, {313, 19}}, {{353, 17}, {207, 8}}, {{120, 202}, {205, 391}}, {{138, 131}, {279, 244}}, {{53, 94}, {138, 299}}, {{22, 24}, {351, 317}},
	}
	world := func(stratified bool) []tracewhy.SpanData {
		var spans []tracewhy.SpanData
		for d, outcomes := range admissions {
			for rejected, n := range outcomes {
				for gender, count := range n {
					for range count {
						name := "apply"
						if stratified {
							name += " " + string(rune('A'+d))
						}
						spans = append(spans, oneSpan(len(spans), name, rejected == 1, tracewhy.String("gender", []string{"male", "female"}[gender])))
					}
				}
			}
		}
		return spans
	}
	if got := fmt.Sprint(findingsOf(attributesOf(t, world(false), AttributesConfig{}))); got != "[gender = female]" {
		t.Errorf("over all: %s", got)
	}
	r := attributesOf(t, world(true), AttributesConfig{})
	if len(r.Findings) != 0 || r.Verdict != AttributesNone {
		t.Errorf("within departments: %v", findingsOf(r))
	}
	// The odds of rejection within departments, and over all.
	want := map[string][2]float64{"male": {1.1053, 1 / 1.841}, "female": {0.9047, 1.841}}
	seen := 0
	for _, f := range r.Candidates {
		w, ok := want[f.Value.Str()]
		if !ok {
			continue
		}
		seen++
		if math.Abs(f.OddsRatio.Value-w[0]) > 0.001 || math.Abs(f.Marginal-w[1]) > 0.01 {
			t.Errorf("%v: odds ratio %v, marginal %v; want %v", f.Condition, f.OddsRatio, f.Marginal, w)
		}
	}
	if seen == 0 {
		t.Error("neither gender is listed")
	}
}

// Kidney stones (C. R. Charig et al., 1986): treatment A fails less often for small stones and for large ones,
// and more often over both. The odds ratio of success is 0.748, and 1.447 within sizes.
func TestAttributesWithinSizes(t *testing.T) {
	var spans []tracewhy.SpanData
	for size, outcomes := range [][2][2]int{{{81, 6}, {234, 36}}, {{192, 71}, {55, 25}}} { // by size: success and failure of A and B
		for treatment, n := range outcomes {
			for failed, count := range n {
				for range count {
					spans = append(spans, oneSpan(len(spans), "treat", failed == 0, tracewhy.String("treatment", string(rune('A'+treatment))), tracewhy.Int("size", int64(size))))
				}
			}
		}
	}
	r := attributesOf(t, spans, AttributesConfig{Strata: []string{"size"}})
	for _, f := range append(r.Findings, r.Candidates...) {
		if f.Value.Str() == "A" {
			if math.Abs(f.OddsRatio.Value-1.447) > 0.001 || math.Abs(f.Marginal-0.748) > 0.003 {
				t.Errorf("odds ratio %v, marginal %v; want 1.447 and 0.748", f.OddsRatio, f.Marginal)
			}
			return
		}
	}
	t.Error("treatment A is not listed")
}

func TestAttributesDoNotDependOnOrderOrWorkers(t *testing.T) {
	spans := planted(6, func(r *stats.Rand, a bool) []tracewhy.KeyValue {
		return []tracewhy.KeyValue{tracewhy.Bool("beta", with(r, a, 0.1, 0.5))}
	})
	var want string
	for workers := range 3 {
		b, err := json.Marshal(attributesOf(t, spans, AttributesConfig{Workers: workers + 1}))
		if err != nil {
			t.Fatal(err)
		}
		if want == "" {
			want = string(b)
		}
		if string(b) != want {
			t.Fatal("another order gives another result")
		}
		slices.Reverse(spans)
	}
}

// The probability of any finding where there is nothing to find. The long run is
//
//	go test ./compare -run TestAttributesNullWorlds -v -worlds 1000
func TestAttributesNullWorlds(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long: run without -short")
	}
	kinds := []struct {
		name     string
		n, every int
		cfg      AttributesConfig
		span     func(r, group *stats.Rand, n int, affected *bool) (string, []tracewhy.KeyValue)
	}{
		{"independent", 660, 11, AttributesConfig{}, nil},
		{"imbalanced", 2020, 101, AttributesConfig{}, nil},
		{"five failing", 55, 11, AttributesConfig{}, nil},
		{"ten traces a user", 600, 10, AttributesConfig{Cluster: "user"}, func(r, user *stats.Rand, n int, affected *bool) (string, []tracewhy.KeyValue) {
			unlucky := user.Float64() < 0.15
			*affected = unlucky && r.Float64() < 0.7
			return "GET /", append(noise(user, 20), tracewhy.String("user", fmt.Sprint("u", n/10)))
		}},
		{"another mix of traffic", 660, 11, AttributesConfig{}, func(r, _ *stats.Rand, _ int, affected *bool) (string, []tracewhy.KeyValue) {
			bulk := r.Float64() < 0.3
			*affected = r.Float64() < map[bool]float64{true: 0.25, false: 0.03}[bulk]
			return fmt.Sprint("bulk ", bulk), append(noise(r, 20), tracewhy.Bool("batch", bulk != (r.Float64() < 0.1)))
		}},
	}
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			found := 0
			for w := range *worlds {
				var spans []tracewhy.SpanData
				for n := range k.n {
					r, group := stats.NewRand(uint64(w), 1, uint64(n)), stats.NewRand(uint64(w), 2, uint64(n/10))
					affected, name, attrs := n%k.every == 0, "GET /", []tracewhy.KeyValue(nil)
					if k.span != nil {
						name, attrs = k.span(r, group, n, &affected)
					} else {
						attrs = noise(r, 20)
					}
					spans = append(spans, oneSpan(n, name, affected, attrs...))
				}
				cfg := k.cfg
				cfg.Seed = stats.Key(k.name) + uint64(w)
				if len(attributesOf(t, spans, cfg).Findings) > 0 {
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

// A planted cause of odds ratio 15 and prevalence 2 % among 60 failing and 600 healthy traces.
func TestAttributesPower(t *testing.T) {
	n := min(*worlds, 200)
	alone, first := 0, 0
	for w := range n {
		r := attributesOf(t, planted(uint64(1000+w), func(r *stats.Rand, a bool) []tracewhy.KeyValue {
			return []tracewhy.KeyValue{tracewhy.Bool("beta", with(r, a, 0.02, 15*0.02/0.98/(1+15*0.02/0.98)))}
		}), AttributesConfig{})
		if len(r.Findings) > 0 && r.Findings[0].Condition.String() == "beta = true" {
			first++
			if len(r.Findings) == 1 {
				alone++
			}
		}
	}
	t.Logf("first in %d, alone in %d of %d", first, alone, n)
	if first*100 < 90*n || alone*100 < 85*n { // the short run has a standard error of 0.04
		t.Errorf("first in %d, alone in %d of %d", first, alone, n)
	}
}

func TestAttributesErrors(t *testing.T) {
	set := tracewhy.SetOf(oneSpan(1, "GET /", true))
	if _, err := Attributes(context.Background(), set.Source("baseline"), set.Source("incident"), AttributesConfig{}); err != ErrCohorts {
		t.Errorf("one cohort: %v", err)
	}
	set = tracewhy.SetOf(planted(1, func(*stats.Rand, bool) []tracewhy.KeyValue { return nil })...)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Attributes(ctx, set.Source("baseline"), set.Source("incident"), AttributesConfig{}); err != context.Canceled {
		t.Errorf("cancelled: %v", err)
	}
}
