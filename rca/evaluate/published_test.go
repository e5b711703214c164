package evaluate

import (
	"context"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tracewhy/tracewhy/internal/bitset"
	"github.com/tracewhy/tracewhy/rca"
)

func bits(n int, members ...int) bitset.Set {
	s := bitset.New(n)
	for _, m := range members {
		s.Add(m)
	}
	return s
}

// Services 0 to 4 are A to E. Three abnormal traces pass through ABDE, ABCD and ABCE, as in figure 2 of
// the paper; two normal ones through AC and BD.
func TestSuspiciousSets(t *testing.T) {
	kinds := []*traceKind{
		{services: bits(5, 0, 1, 3, 4), traces: 1, abnormal: 1},
		{services: bits(5, 0, 1, 2, 3), traces: 1, abnormal: 1},
		{services: bits(5, 0, 1, 2, 4), traces: 1, abnormal: 1},
		{services: bits(5, 0, 2), traces: 1},
		{services: bits(5, 1, 3), traces: 1},
	}
	sets, err := suspiciousSets(context.Background(), kinds, 5)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, s := range sets {
		name := ""
		for i := range s.services.All() {
			name += string(rune('A' + i))
		}
		if _, twice := got[name]; twice {
			t.Errorf("%s twice", name)
		}
		got[name] = s.jaccard
	}
	// Each closed set with the share |X∩Y|/|X∪Y|.
	want := map[string]float64{
		"AB": 1, "A": 3.0 / 4, "B": 3.0 / 4,
		"ABC": 2.0 / 3, "ABD": 2.0 / 3, "ABE": 2.0 / 3,
		"AC": 2.0 / 4, "BD": 2.0 / 4,
		"ABDE": 1.0 / 3, "ABCD": 1.0 / 3, "ABCE": 1.0 / 3,
	}
	if diff := cmp.Diff(want, got, close12); diff != "" {
		t.Error(diff)
	}
	if !slices.Equal(slices.Collect(sets[0].services.All()), []int{0, 1}) {
		t.Errorf("the first set is %v, want AB", slices.Collect(sets[0].services.All()))
	}
}

func TestSuspiciousSetsNeedSupport(t *testing.T) {
	kinds := []*traceKind{
		{services: bits(2, 0), traces: 19, abnormal: 19},
		{services: bits(2, 1), traces: 1, abnormal: 1}, // in 5 % of the abnormal traces
	}
	sets, err := suspiciousSets(context.Background(), kinds, 2)
	if err != nil {
		t.Fatal(err)
	}
	if len(sets) != 1 || sets[0].services.Has(1) {
		t.Errorf("sets %+v, want only that of service 0", sets)
	}
	if sets, _ := suspiciousSets(context.Background(), []*traceKind{{services: bits(1, 0), traces: 5}}, 1); sets != nil {
		t.Errorf("sets %+v without an abnormal trace", sets)
	}
}

// The baseline gives μ = 10 ms and the least σ for every pair but that of cart and bank, whose values 9
// and 11 give σ = 1.
func TestTraceRCA(t *testing.T) {
	before := []span{shop(30, 20, 9), shop(30, 20, 11)}
	for _, test := range []struct {
		name   string
		during []span
		want   []string
	}{
		{
			// Both traces pass through all three services, and in one the calls of web, cart and bank are
			// abnormal: JI = 1/2. web and cart are called and call abnormally (IS 0), bank only is called.
			"one of two is slow from the bank up", []span{shop(80, 70, 60), shop(30, 20, 10)}, []string{"bank 0.5"},
		},
		{
			// The abnormal traces are all that pass through the bank: JI = 1, IS = 2.
			"only traces with the bank are slow",
			[]span{shop(80, 70, 60), shop(80, 70, 60), {service: "web", operation: "buy", duration: 30}},
			[]string{"bank 2"},
		},
		{
			// Only the call of cart is abnormal: cart is called so (IS 1) and web calls so (IS 1).
			"an outlier in the middle", []span{shop(30, 21, 10)}, []string{"web 1", "cart 1"},
		},
		{"within a standard deviation", []span{shop(30, 20, 11), shop(30, 20, 9)}, nil},
		{"failures", []span{failing(shop(30, 20, 10), "bank")}, []string{"cart 1", "bank 1"}},
		{"a pair without a history", []span{shop(30, 20, 10), {service: "mail", operation: "send", duration: 900}}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := rank(t, rankerNamed(t, "TraceRCA"), before, test.during)
			if diff := cmp.Diff(test.want, listed(a.Services)); diff != "" {
				t.Error(diff)
			}
			if (a.Verdict == rca.VerdictNoIncident) != (test.want == nil) {
				t.Errorf("verdict %q", a.Verdict)
			}
		})
	}
}

func weights(t *testing.T, g *operationGraph, preferences []float64) []float64 {
	t.Helper()
	w, err := g.pageRank(context.Background(), preferences)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// Two operations of one trace, the first calling the second. With x the first's rank in terms of the
// second's, x(0.5 + 0.01x) = 0.5.
func TestPageRank(t *testing.T) {
	g := &operationGraph{covers: [][]int{{0, 1}}, calls: [][]int{{1}, nil}, covered: []float64{1, 1}}
	x := (math.Sqrt(0.25+4*0.01*0.5) - 0.5) / (2 * 0.01)
	mean := (1 + x) / 2
	if diff := cmp.Diff([]float64{x * mean, mean}, weights(t, g, []float64{1}), close12); diff != "" {
		t.Error(diff)
	}
}

// A random walk between an operation that both traces cover and one that only the second covers: without
// calls, the rank of the second is that of its trace's half, r = (t2/2)/(t1+t2/2).
func TestPageRankPrefers(t *testing.T) {
	g := &operationGraph{covers: [][]int{{0}, {0, 1}}, calls: [][]int{nil, nil}, covered: []float64{2, 1}}
	rare := func(u ...float64) float64 { w := weights(t, g, u); return w[1] / w[0] }
	// t1 = 0.85·1/2 + 0.15·u1 and t2 = 0.85·(1/2+r) + 0.15·u2 at the fixed point, up to a common factor.
	for _, u := range [][]float64{{0.5, 0.5}, {1, 0}, {0, 1}} {
		r := rare(u...)
		t1, t2 := 0.85/2+0.15*u[0], 0.85*(0.5+r)+0.15*u[1]
		if want := t2 / 2 / (t1 + t2/2); math.Abs(r-want) > 1e-7 {
			t.Errorf("preference %v: rank %v is not at the fixed point %v", u, r, want)
		}
	}
	if !(rare(0, 1) > rare(0.5, 0.5) && rare(0.5, 0.5) > rare(1, 0)) {
		t.Error("preferring a trace does not raise the rank of what only it covers")
	}
}

func TestPreferences(t *testing.T) {
	g := &operationGraph{covers: [][]int{{0, 1, 2}, {2, 1, 0}, {0}}}
	// Two traces are of one kind: 1/2, 1/2, 1. The scopes are 3, 3, 1.
	if diff := cmp.Diff([]float64{0.25, 0.25, 0.5}, g.preferences(false), close12); diff != "" {
		t.Errorf("normal: %s", diff)
	}
	if diff := cmp.Diff([]float64{0.225, 0.225, 0.55}, g.preferences(true), close12); diff != "" {
		t.Errorf("abnormal: %s", diff)
	}
}

// Operation 0 is covered by both abnormal traces and by one of two normal ones, 1 by one abnormal trace
// alone, and 2 by the normal ones alone.
func TestDstar2(t *testing.T) {
	bad := &operationGraph{covers: [][]int{{0}, {0, 1}}, calls: [][]int{nil, nil}, covered: []float64{2, 1}}
	good := &operationGraph{covers: [][]int{{0, 2}, {2}}, calls: [][]int{nil, nil, nil}, covered: []float64{1, 0, 2}}
	f, p := weights(t, bad, bad.preferences(true)), weights(t, good, good.preferences(false))
	got, err := dstar2(context.Background(), bad, good, 3)
	if err != nil {
		t.Fatal(err)
	}
	want := []float64{
		(2 * f[0]) * (2 * f[0]) / p[0],
		f[1] * f[1] / (1e-7 + f[1]),
		1e-14 / (2*(1+p[2]) + 1e-7),
	}
	if diff := cmp.Diff(want, got, close12); diff != "" {
		t.Error(diff)
	}
}

// Own times in ms: web 10, cart 10, and bank 9 and 11, which allow 10 + 1.5 for the bank; so a trace of
// three spans may take 31.5 ms.
func TestMicroRankAbnormalTraces(t *testing.T) {
	ctx := context.Background()
	baseline, incident := cohorts(t,
		[]span{shop(29, 19, 9), shop(31, 21, 11)},
		[]span{shop(31, 21, 11), shop(32, 22, 12), {service: "web", operation: "buy", duration: 10}, {service: "web", operation: "buy", duration: 11}})
	c, err := newCatalog(ctx, baseline, incident)
	if err != nil {
		t.Fatal(err)
	}
	expected, err := c.expectedTimes(ctx, baseline)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]float64{10, 10, 11.5}, expected, close12); diff != "" {
		t.Error(diff)
	}
	abnormal, err := c.abnormalTraces(ctx, incident, expected)
	if err != nil {
		t.Fatal(err)
	}
	var got []bool
	for tr := range incident.Traces() {
		got = append(got, abnormal.Has(tr))
	}
	if want := []bool{false, true, false, true}; !slices.Equal(got, want) {
		t.Errorf("abnormal = %v, want %v", got, want)
	}
}

func TestMicroRank(t *testing.T) {
	r := rankerNamed(t, "MicroRank")
	web := span{service: "web", operation: "buy", duration: 10}
	before := []span{shop(30, 20, 10), shop(30, 20, 10), web}
	a := rank(t, r, before, []span{shop(80, 70, 60), shop(80, 70, 60), web, web})
	// cart and bank are in abnormal traces only and alike but for the call of the one by the other,
	// which lifts the bank.
	var order []string
	for _, s := range a.Services {
		order = append(order, s.Service)
	}
	if want := []string{"bank", "cart", "web"}; !slices.Equal(order, want) {
		t.Errorf("order %v, want %v", order, want)
	}
	if a := rank(t, r, before, []span{shop(30, 20, 10), web}); a.Verdict != rca.VerdictNoIncident || len(a.Services) > 0 {
		t.Errorf("without an abnormal trace: %+v, want an abstention", a)
	}
	// All traces of the incident are abnormal: the baseline's are the normal ones.
	if a := rank(t, r, before, []span{shop(80, 70, 60)}); a.Verdict != rca.VerdictIncident || a.Services[0].Service != "bank" {
		t.Errorf("without a normal trace: %+v, want the bank first", a)
	}
}
