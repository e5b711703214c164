package compare

import (
	"context"
	"encoding/json"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/stats"
)

// How many failing traces have to carry a condition: computed with binomial coefficients of exact integers.
func TestDetectableTraces(t *testing.T) {
	tests := []struct {
		failing, healthy int
		want             [3][3]int // by tests and prevalence; 0 if all would not do
	}{
		{3, 30, [3][3]int{{0, 0, 0}, {0, 0, 0}, {0, 0, 0}}},
		{5, 50, [3][3]int{{4, 4, 0}, {5, 5, 0}, {5, 0, 0}}},
		{10, 100, [3][3]int{{4, 5, 9}, {5, 6, 10}, {6, 7, 10}}},
		{20, 200, [3][3]int{{4, 6, 13}, {5, 7, 14}, {6, 8, 15}}},
		{60, 600, [3][3]int{{4, 9, 26}, {5, 10, 28}, {6, 11, 30}}},
		{200, 5000, [3][3]int{{3, 14, 63}, {4, 16, 67}, {5, 18, 70}}},
	}
	for _, tt := range tests {
		for i, n := range []int{435, 4_000, 40_000} {
			effects, possible := detectableEffects([2]int{tt.healthy, tt.failing}, 0.05/float64(n), 1)
			var got [3]int
			for k, e := range effects {
				got[k] = e.Traces
				if e.Coverage != float64(e.Traces)/float64(tt.failing) {
					t.Errorf("%d failing: coverage %v of %d", tt.failing, e.Coverage, e.Traces)
				}
			}
			if got != tt.want[i] || possible != (got != [3]int{}) {
				t.Errorf("%d failing and %d healthy at %d tests: %v %v, want %v", tt.failing, tt.healthy, n, got, possible, tt.want[i])
			}
		}
	}
}

func adequacyOf(t testing.TB, spans []tracewhy.SpanData, cfg AdequacyConfig) *AdequacyResult {
	t.Helper()
	set := tracewhy.SetOf(spans...)
	r, err := Adequacy(context.Background(), set.Source("baseline"), set.Source("incident"), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestAdequacy(t *testing.T) {
	spans := slices.Concat(
		site{traces: 400, fails: 0.1}.window(1, "baseline"), site{traces: 80}.window(1, "incident"),
		site{traces: 4, entry: func(*stats.Rand) string { return "GET /rare" }}.window(2, "incident"),
	)
	r := adequacyOf(t, spans, AdequacyConfig{})
	if r.Traces != [2]int{400, 84} || r.Effective != [2]float64{400, 84} || len(r.Operations) != 2 {
		t.Fatalf("%+v", r)
	}
	o := r.Operations[0]
	if o.Operation != "GET /" || o.Traces != [2]int{400, 80} || o.Failed[inc] != 0 || o.FailureRate != float64(o.Failed[base])/400 {
		t.Errorf("%+v", o)
	}
	// The rate is the least that is significant.
	hits := int(math.Round(o.DetectableRate * 80))
	for off, significant := range map[int]bool{0: true, -1: false} {
		x := stats.Table{A: hits + off, B: 80 - hits - off, C: o.Failed[base], D: 400 - o.Failed[base]}
		if p := x.Fisher(stats.Greater); (p <= 0.05) != significant {
			t.Errorf("%d of 80 failures: p %v", hits+off, p)
		}
	}
	needed := []int{}
	estimable := []bool{}
	for _, l := range o.Latency {
		needed = append(needed, l.Needed)
		estimable = append(estimable, l.Estimable)
	}
	if d := cmp.Diff([]int{6, 72, 368}, needed) + cmp.Diff([]bool{true, true, false}, estimable); d != "" {
		t.Error(d)
	}
	if !o.Latency[2].Quantiles[base].IsKnown() || o.Latency[2].Quantiles[inc].IsKnown() {
		t.Errorf("p99 %v", o.Latency[2].Quantiles)
	}
	if !(o.NewShape.Value < 0.05) || o.NewShapes != 0 {
		t.Errorf("new shapes %v, %d", o.NewShape, o.NewShapes)
	}
	rare := r.Operations[1]
	if rare.Traces != [2]int{0, 4} || rare.DetectableRate != 0 || rare.NewShape.IsKnown() || rare.Latency[0].Estimable {
		t.Errorf("%+v", rare)
	}
	if _, err := json.Marshal(r); err != nil {
		t.Error(err)
	}
	var codes []string
	for _, w := range r.Warnings {
		codes = append(codes, w.Code)
	}
	if d := cmp.Diff([]string{WarningFewTraces, WarningUnmatchedRoot}, codes); d != "" {
		t.Error(d)
	}
}

// A shift as large as the least that could be seen is seen about half of the time, and twice that nearly always.
func TestDetectableShift(t *testing.T) {
	found := map[float64]int{}
	const worlds = 200
	for w := range worlds {
		r := stats.NewRand(uint64(w))
		var xs [2][]float64
		for side, n := range []int{150, 90} {
			for range n {
				xs[side] = append(xs[side], 10+r.Float64()*10+r.Float64()*10)
			}
		}
		l := latencyAdequacy(0.5, [2]stats.Sample{stats.NewSample(xs[base]), stats.NewSample(xs[inc])})
		for _, factor := range []float64{0, 1, 2} {
			difference := l.Quantiles[inc].Value - l.Quantiles[base].Value + factor*l.DetectableShift
			if difference > l.DetectableShift {
				found[factor]++
			}
		}
	}
	if found[0] > worlds*6/100 || found[1] < worlds*4/10 || found[1] > worlds*6/10 || found[2] < worlds*93/100 {
		t.Errorf("of %d seen, by the shift over the least: %v", worlds, found)
	}
}

// Ten traces of a user say as much as one, and one trace that stands for nearly all as much as itself.
func TestAdequacyEffective(t *testing.T) {
	spans := slices.Concat(site{traces: 100, tenants: 10}.window(1, "baseline"), site{traces: 100, tenants: 10}.window(1, "incident"))
	r := adequacyOf(t, spans, AdequacyConfig{Cluster: "tenant"})
	if r.Effective != [2]float64{10, 10} || r.Operations[0].Latency[1].Quantiles[base].IsKnown() {
		t.Errorf("clusters: %v, %v", r.Effective, r.Operations[0].Latency)
	}
	if d := r.Attributes[0].Detectable[0].Traces; d != 9 { // 8 of 10 have p 3.6e-4, 9 have 6.0e-5
		t.Errorf("%d of 10 clusters, want 9", d)
	}
	for i := range spans {
		spans[i].Weight = 1
		if spans[i].TraceID[15] == 0 {
			spans[i].Weight = 1000
		}
	}
	r = adequacyOf(t, spans, AdequacyConfig{})
	if want := 1099 * 1099 / (1000*1000 + 99.0); math.Abs(r.Effective[base]-want) > 1e-9 {
		t.Errorf("weights: %v, want %v", r.Effective[base], want)
	}
	if !slices.ContainsFunc(r.Warnings, func(w tracewhy.Warning) bool { return w.Code == WarningFewEffective }) {
		t.Errorf("warnings %v", r.Warnings)
	}
}

func TestAdequacyTimes(t *testing.T) {
	baseline, incident := site{traces: 11}.window(1, "baseline"), site{traces: 31}.window(1, "incident")
	for i := range incident {
		incident[i].Start += uint64(30 * 24 * time.Hour)
		incident[i].End += uint64(30 * 24 * time.Hour)
	}
	r := adequacyOf(t, slices.Concat(baseline, incident), AdequacyConfig{})
	if r.Length != [2]time.Duration{10 * time.Second, 30 * time.Second} || r.Apart != 30*24*time.Hour-10*time.Second {
		t.Errorf("lengths %v, apart %v", r.Length, r.Apart)
	}
	var codes []string
	for _, w := range r.Warnings {
		codes = append(codes, w.Code)
	}
	if d := cmp.Diff([]string{WarningBaselineShort, WarningBaselineOld}, codes[:2]); d != "" {
		t.Error(d)
	}
}

func TestAdequacyOfLittle(t *testing.T) {
	none := tracewhy.Cohort{}
	if _, err := Adequacy(context.Background(), none, none, AdequacyConfig{}); err != ErrCohorts {
		t.Errorf("nothing: %v", err)
	}
	// Traces that are no more than a span without an end.
	var spans []tracewhy.SpanData
	for i := range 6 {
		spans = append(spans, tracewhy.SpanData{
			TraceID: tracewhy.TraceID{15: byte(i + 1)}, SpanID: tracewhy.SpanID{7: 1}, Name: "x", Source: []string{"baseline", "incident"}[i%2],
		})
	}
	var want string
	for workers := range 3 {
		r := adequacyOf(t, spans, AdequacyConfig{Workers: workers + 1})
		if r.Operations[0].Latency[0].Quantiles[base].IsKnown() || r.Operations[0].Incomplete != [2]int{3, 3} {
			t.Errorf("%+v", r.Operations[0])
		}
		b, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		if want == "" {
			want = string(b)
		}
		if string(b) != want {
			t.Error("another order gives another result")
		}
		slices.Reverse(spans)
	}
}
