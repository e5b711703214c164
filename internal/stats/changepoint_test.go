package stats

import (
	"encoding/json"
	"flag"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
)

var seriesOfKind = flag.Int("series", 8, "how many series of each kind to look for changes in; 1000 for figures to publish")

// The published figures of known series: what is found, and what it costs.
func TestChangePointsPublished(t *testing.T) {
	step := make([]float64, 2000)
	for i := 1000; i < 2000; i++ {
		step[i] = 1
	}
	for _, test := range []struct {
		source        string
		values        []float64
		at            int
		before, after float64
	}{
		{"G. W. Cobb (1978): the flow of the Nile at Aswan, a dam in 1898", nile, 28, 1097.75, 849.9722222222222},
		{"Hunter's tests: a benchmark that became twice as fast", []float64{
			1.02, 0.95, 0.99, 1.0, 1.12, 1.0, 1.01, 0.98, 1.01, 0.96, 0.5, 0.51, 0.48, 0.48, 0.55, 0.5, 0.49, 0.51, 0.5, 0.49,
		}, 10, 1.004, 0.501},
		{"signal-processing-algorithms' tests: a thousand zeros, a thousand ones", step, 1000, 0, 1},
	} {
		r := ChangePoints(ChangeSeries{Values: test.values}, ChangeConfig{})
		if len(r.Changes) != 1 || r.Changes[0].At != test.at || r.P > 0.01 {
			t.Errorf("%s: %+v, want one change at %d", test.source, r, test.at)
			continue
		}
		approx(t, test.source+": the mean before", r.Changes[0].Before, test.before, 1e-12)
		approx(t, test.source+": the mean after", r.Changes[0].After, test.after, 1e-12)
	}
	c := newCosts(ChangeSeries{Values: nile, Sizes: slices.Repeat([]float64{1}, len(nile))})
	whole, parts := c.cost(0, 100), c.cost(0, 28)+c.cost(28, 100)
	approx(t, "the squares of the Nile", whole, 2835156.75, 1e-12)
	approx(t, "the squares of its two parts", parts, 1597457.1944444445, 1e-12)
	approx(t, "supF of the Nile, as by R's strucchange", (whole-parts)/(parts/98), 75.929769, 1e-7)
	// strucchange gives the years 25 to 32 after breakpoint 28, by another method.
	r := ChangePoints(ChangeSeries{Values: nile}, ChangeConfig{}).Changes[0]
	if r.First < 25 || r.First > 28 || r.Last < 28 || r.Last > 32 {
		t.Errorf("the Nile changed between %d and %d, outside 25 to 32", r.First, r.Last)
	}
}

// The Turing Change Point Dataset, with the marks of its human annotators.
func TestChangePointsAnnotated(t *testing.T) {
	data := os.Getenv("TRACEWHY_DATA")
	if data == "" {
		t.Skip("set TRACEWHY_DATA to the folder of recorded traces and reference data")
	}
	text, err := os.ReadFile(filepath.Join(data, "reference", "changepoint_series.json"))
	if err != nil {
		t.Fatal(err)
	}
	var series map[string]struct {
		Values      []float64
		Annotations map[string][]int
	}
	if err := json.Unmarshal(text, &series); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name      string
		f1, cover float64 // at least
	}{
		{"quality_control_1", 0.66, 0.65},
		{"quality_control_2", 1, 0.92},
		{"quality_control_3", 1, 0.99},
		{"quality_control_5", 1, 1},
		{"well_log", 0.90, 0.83},
	} {
		s := series[test.name]
		var at []int
		for _, c := range ChangePoints(ChangeSeries{Values: s.Values}, ChangeConfig{}).Changes {
			at = append(at, c.At)
		}
		f1, cover := scores(s.Annotations, at, len(s.Values))
		t.Logf("%-18s F1 %.3f, covering %.3f: %v", test.name, f1, cover, at)
		if f1 < test.f1 || cover < test.cover {
			t.Errorf("%s: F1 %.3f and covering %.3f, want %v and %v", test.name, f1, cover, test.f1, test.cover)
		}
	}
	f1, cover := scores(map[string][]int{"1": {28}, "2": {28}, "3": {28}, "4": nil, "5": nil}, []int{28}, 100)
	if f1 != 1 || cover < 0.8 {
		t.Errorf("the Nile: F1 %.3f and covering %.3f", f1, cover)
	}
}

// scores returns the F1 with a margin of 5, and the covering, of G. J. J. van den Burg and C. K. I. Williams,
// "An Evaluation of Change Point Detection Algorithms" (2020, arXiv:2003.06222).
func scores(annotations map[string][]int, found []int, n int) (f1, cover float64) {
	with := func(xs []int) []int { return append([]int{0}, xs...) }
	matched := func(truth, found []int) int {
		used := map[int]bool{}
		count := 0
		for _, t := range truth {
			best := -1
			for i, f := range found {
				if !used[i] && abs(f-t) <= 5 && (best < 0 || abs(f-t) < abs(found[best]-t)) {
					best = i
				}
			}
			if best >= 0 {
				used[best] = true
				count++
			}
		}
		return count
	}
	all := map[int]bool{}
	recall := 0.0
	for _, a := range annotations {
		for _, x := range with(a) {
			all[x] = true
		}
		recall += float64(matched(with(a), with(found))) / float64(len(with(a)))
		cover += covering(a, found, n)
	}
	var union []int
	for x := range all {
		union = append(union, x)
	}
	slices.Sort(union)
	precision := float64(matched(union, with(found))) / float64(len(with(found)))
	recall /= float64(len(annotations))
	return 2 * precision * recall / (precision + recall), cover / float64(len(annotations))
}

func covering(truth, found []int, n int) float64 {
	segments := func(xs []int) [][2]int {
		var out [][2]int
		from := 0
		for _, x := range append(slices.Clone(xs), n) {
			out = append(out, [2]int{from, x})
			from = x
		}
		return out
	}
	sum := 0.0
	for _, a := range segments(truth) {
		best := 0.0
		for _, b := range segments(found) {
			inter := min(a[1], b[1]) - max(a[0], b[0])
			if inter > 0 {
				best = math.Max(best, float64(inter)/float64(max(a[1], b[1])-min(a[0], b[0])))
			}
		}
		sum += float64(a[1]-a[0]) * best
	}
	return sum / float64(n)
}

func abs(x int) int {
	if x < 0 {
		return -x
	}
	return x
}

// normal returns a number that is nearly standard normal.
func (r *Rand) normal() float64 {
	sum := -6.0
	for range 12 {
		sum += r.Float64()
	}
	return sum
}

// count returns how many of the given number of trials of a probability succeed.
func (r *Rand) count(trials int, p float64) float64 {
	k := 0.0
	for range trials {
		if r.Float64() < p {
			k++
		}
	}
	return k
}

// A kind of series, and how its level changes.
type seriesKind struct {
	name   string
	season int
	// at is the observation of a moment, of n, whose level is changed or not.
	make func(r *Rand, n int, changed func(i int) bool) ChangeSeries
}

func autoregressive(phi, shift float64, season int) func(r *Rand, n int, changed func(i int) bool) ChangeSeries {
	return func(r *Rand, n int, changed func(i int) bool) ChangeSeries {
		var s ChangeSeries
		v := r.normal() / math.Sqrt(1-phi*phi)
		for i := range n {
			v = phi*v + r.normal()
			x := v
			if season > 0 {
				x += 3 * math.Sin(2*math.Pi*float64(i)/float64(season))
			}
			if changed(i) {
				x += shift
			}
			s.Values = append(s.Values, x)
		}
		return s
	}
}

func counted(model ChangeModel, trials int, p, times, phi float64) func(r *Rand, n int, changed func(i int) bool) ChangeSeries {
	return func(r *Rand, n int, changed func(i int) bool) ChangeSeries {
		s := ChangeSeries{Model: model}
		v := r.normal()
		for i := range n {
			v = phi*v + math.Sqrt(1-phi*phi)*r.normal()
			q := p
			if phi > 0 {
				q *= math.Exp(0.4 * v)
			}
			if changed(i) {
				q *= times
			}
			s.Values = append(s.Values, r.count(trials, q))
			if model == ShareChange {
				s.Sizes = append(s.Sizes, float64(trials))
			} else {
				s.Sizes = append(s.Sizes, 1)
			}
		}
		return s
	}
}

// seasonal leaves out events at some times of a day of 24 observations.
func seasonal(of func(r *Rand, n int, changed func(i int) bool) ChangeSeries) func(r *Rand, n int, changed func(i int) bool) ChangeSeries {
	return func(r *Rand, n int, changed func(i int) bool) ChangeSeries {
		s := of(r, n, changed)
		for i := range n {
			s.Values[i] = r.count(int(s.Values[i]), 0.55+0.4*math.Sin(2*math.Pi*float64(i)/24))
		}
		return s
	}
}

var seriesKinds = []seriesKind{
	{"white noise", 0, autoregressive(0, 2, 0)},
	{"AR 0.3", 0, autoregressive(0.3, 2.5, 0)},
	{"AR 0.6", 0, autoregressive(0.6, 4, 0)},
	{"AR 0.8", 0, autoregressive(0.8, 8, 0)},
	{"white noise with a season", 24, autoregressive(0, 2, 24)},
	{"AR 0.5 with a season", 24, autoregressive(0.5, 4, 24)},
	{"shares with a season", 24, seasonal(counted(ShareChange, 80, 0.2, 2, 0))},
	{"events with a season", 24, seasonal(counted(RateChange, 80, 0.1, 2, 0))},
	{"rare events", 0, counted(RateChange, 50, 0.002, 8, 0)},
	{"frequent events", 0, counted(RateChange, 100, 0.2, 1.5, 0)},
	{"bursts of events", 0, counted(RateChange, 200, 0.1, 3, 0.6)},
	{"rare failures", 0, counted(ShareChange, 50, 0.001, 20, 0)},
	{"common failures", 0, counted(ShareChange, 50, 0.3, 1.4, 0)},
	{"bursts of failures", 0, counted(ShareChange, 50, 0.02, 6, 0.6)},
}

// How often a change is seen where there is none, and where there is one, and whether its interval holds it.
func TestChangePointsSimulated(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long: run without -short")
	}
	const n, change = 144, 96
	reps := *seriesOfKind
	for _, kind := range seriesKinds {
		t.Run(kind.name, func(t *testing.T) {
			alarms, found, covered := 0, 0, 0
			for rep := range reps {
				cfg := ChangeConfig{Season: kind.season, Seed: uint64(rep)}
				s := kind.make(NewRand(1, Key(kind.name), uint64(rep)), n, func(int) bool { return false })
				if r := ChangePoints(s, cfg); len(r.Changes) > 0 {
					alarms++
				}
				s = kind.make(NewRand(2, Key(kind.name), uint64(rep)), n, func(i int) bool { return i >= change })
				for _, c := range ChangePoints(s, cfg).Changes {
					if change-10 <= c.At && c.At <= change+10 {
						found++
						if c.First <= change && change <= c.Last {
							covered++
						}
						break
					}
				}
			}
			t.Logf("%-26s false alarms %.3f, found %.3f, interval right %.3f", kind.name,
				float64(alarms)/float64(reps), float64(found)/float64(reps), float64(covered)/float64(found))
			// Up to three standard errors above the gate for the number of series.
			p := 0.064
			if most := p + 3*math.Sqrt(p*(1-p)/float64(reps)); float64(alarms) > most*float64(reps) {
				t.Errorf("%s: false alarms in %d of %d", kind.name, alarms, reps)
			}
			if float64(found) < 0.8*float64(reps) || float64(covered) < 0.8*float64(found) {
				t.Errorf("%s: %d of %d found, %d of them within the interval", kind.name, found, reps, covered)
			}
		})
	}
}

// The partition is the best of all, by looking at all of them.
func TestPartitionIsOptimal(t *testing.T) {
	for rep := range uint64(60) {
		r := NewRand(5, rep)
		n, least := 8+r.IntN(9), 1+r.IntN(3)
		model := ChangeModel(r.IntN(4))
		s := ChangeSeries{Model: model}
		for i := range n {
			s.Sizes = append(s.Sizes, 1)
			s.Values = append(s.Values, r.normal()+float64(i/5))
			if model == RateChange || model == ShareChange {
				s.Sizes[i] = float64(1 + r.IntN(9))
				s.Values[i] = float64(r.IntN(int(s.Sizes[i]) + 1))
			}
		}
		c := newCosts(s)
		penalty := 4 * r.Float64()
		best := math.Inf(1)
		for mask := range 1 << (n - 1) { // bit i: a change before observation i+1
			total, from, ok := 0.0, 0, true
			for i := 1; i <= n; i++ {
				if i == n || mask>>(i-1)&1 == 1 {
					ok = ok && i-from >= least
					total += c.cost(from, i) + penalty
					from = i
				}
			}
			if ok {
				best = min(best, total)
			}
		}
		total, from := 0.0, 0
		for _, k := range append(partition(c, least, penalty), n) {
			if k-from < least {
				t.Fatalf("series %d: a segment from %d to %d, of at least %d", rep, from, k, least)
			}
			total += c.cost(from, k) + penalty
			from = k
		}
		if !near(total, best, 1e-9) && math.Abs(total-best) > 1e-9 {
			t.Errorf("series %d of model %d: costs %v, the best %v", rep, model, total, best)
		}
	}
}

// Scaling and shifting measurements changes levels only, and mirroring them their signs.
func TestChangePointsLaws(t *testing.T) {
	base := ChangePoints(ChangeSeries{Values: nile}, ChangeConfig{})
	for _, law := range []struct {
		name string
		of   func(x float64) float64
	}{
		{"scaled", func(x float64) float64 { return 1024 * x }},
		{"mirrored", func(x float64) float64 { return -x }},
		{"shifted", func(x float64) float64 { return x + 4096 }},
		{"tiny", func(x float64) float64 { return x / (1 << 60) }},
	} {
		values := slices.Clone(nile)
		for i := range values {
			values[i] = law.of(values[i])
		}
		kept := slices.Clone(values)
		r := ChangePoints(ChangeSeries{Values: values}, ChangeConfig{})
		if len(r.Changes) != 1 || r.Changes[0].At != 28 || !near(r.P, base.P, 1e-6) {
			t.Errorf("%s: %+v, want %+v", law.name, r, base)
		}
		if !slices.Equal(values, kept) {
			t.Errorf("%s: the values were changed", law.name)
		}
	}
	// What is not known leaves the rest as it is.
	var holes ChangeSeries
	for i, x := range nile {
		if i%7 == 3 {
			holes.Values = append(holes.Values, math.NaN())
		}
		holes.Values = append(holes.Values, x)
	}
	r := ChangePoints(holes, ChangeConfig{})
	if len(r.Changes) != 1 || r.Changes[0].At != 28+4 || r.P != base.P {
		t.Errorf("with holes: %+v, want %+v", r, base)
	}
	again := ChangePoints(holes, ChangeConfig{})
	if !reflect.DeepEqual(r, again) {
		t.Error("the same series twice gives different results")
	}
}

// What comes from outside can be anything.
func TestChangePointsHostile(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	for _, values := range [][]float64{
		nil, {1}, {nan, nan}, slices.Repeat([]float64{nan}, 50), slices.Repeat([]float64{0}, 50), slices.Repeat([]float64{7}, 11),
		slices.Repeat([]float64{inf, -inf, 1}, 20), slices.Repeat([]float64{math.MaxFloat64, -math.MaxFloat64}, 20),
		slices.Repeat([]float64{math.SmallestNonzeroFloat64, 0}, 20), slices.Repeat([]float64{-1, 1e300, 1}, 20),
		append(slices.Repeat([]float64{-math.MaxFloat64}, 20), slices.Repeat([]float64{math.MaxFloat64}, 20)...),
		append(slices.Repeat([]float64{0}, 60), 1e15),
	} {
		for model := MeanChange; model <= ShareChange; model++ {
			for _, sizes := range [][]float64{nil, {1, 2, 3}, slices.Repeat([]float64{0, 1e99}, 30), slices.Repeat([]float64{1e-300, nan, inf}, 20)} {
				for _, season := range []int{0, -1, 5} {
					r := ChangePoints(ChangeSeries{Model: model, Values: values, Sizes: sizes}, ChangeConfig{Season: season, Replicates: 29})
					if !(r.P > 0 && r.P <= 1) {
						t.Errorf("model %d of %.40v: P is %v", model, values, r.P)
					}
					last := 0
					for _, c := range r.Changes {
						if !(last < c.At && c.First <= c.At && c.At <= c.Last && c.At < len(values)) {
							t.Errorf("model %d of %.40v: %+v", model, values, c)
						}
						last = c.At
					}
				}
			}
		}
	}
}

func BenchmarkChangePoints(b *testing.B) {
	for _, kind := range seriesKinds {
		for name, changed := range map[string]func(i int) bool{
			"nothing": func(int) bool { return false }, "a change": func(i int) bool { return i >= 200 },
		} {
			b.Run(kind.name+"/"+name, func(b *testing.B) {
				s := kind.make(NewRand(1), 288, changed)
				for b.Loop() {
					ChangePoints(s, ChangeConfig{Season: kind.season})
				}
			})
		}
	}
}

// nile is the yearly flow of the Nile at Aswan from 1871 to 1970, in 10⁸ m³.
var nile = []float64{
	1120, 1160, 963, 1210, 1160, 1160, 813, 1230, 1370, 1140, 995, 935, 1110, 994, 1020, 960, 1180, 799, 958, 1140,
	1100, 1210, 1150, 1250, 1260, 1220, 1030, 1100, 774, 840, 874, 694, 940, 833, 701, 916, 692, 1020, 1050, 969,
	831, 726, 456, 824, 702, 1120, 1100, 832, 764, 821, 768, 845, 864, 862, 698, 845, 744, 796, 1040, 759,
	781, 865, 845, 944, 984, 897, 822, 1010, 771, 676, 649, 846, 812, 742, 801, 1040, 860, 874, 848, 890,
	744, 749, 838, 1050, 918, 986, 797, 923, 975, 815, 1020, 906, 901, 1170, 912, 746, 919, 718, 714, 740,
}

// The counts of the null have the mean and the spread that they are asked for.
func TestCountLaws(t *testing.T) {
	for _, test := range []struct {
		model                  ChangeModel
		size, rate, dispersion float64
	}{
		{RateChange, 1, 0.05, 1}, {RateChange, 1, 3, 1}, {RateChange, 2, 45, 1}, {RateChange, 1, 500, 1},
		{RateChange, 1, 0.5, 2}, {RateChange, 1, 12, 5}, {RateChange, 1, 400, 9},
		{ShareChange, 50, 0.002, 1}, {ShareChange, 50, 0.4, 1}, {ShareChange, 50, 0.97, 1}, {ShareChange, 4000, 0.5, 1},
		{ShareChange, 50, 0.05, 3}, {ShareChange, 60, 0.8, 4}, {ShareChange, 3000, 0.3, 6}, {ShareChange, 1, 0.3, 3},
	} {
		law := newCountLaw(test.model, test.size, test.rate, test.dispersion)
		r := NewRand(1)
		xs := make([]float64, 20000)
		for i := range xs {
			if xs[i] = law.quantile(r.normal()); xs[i] < 0 || test.model == ShareChange && xs[i] > test.size {
				t.Fatalf("%+v: a count of %v", test, xs[i])
			}
		}
		mean, variance := test.size*test.rate, test.size*test.rate
		if test.model == ShareChange {
			variance *= 1 - test.rate
		}
		if test.size > 1 || test.model == RateChange {
			variance *= test.dispersion
		}
		sd := math.Sqrt(variance / float64(len(xs)))
		if m, v := Mean(xs), Variance(xs); math.Abs(m-mean) > 6*sd+0.005*mean || math.Abs(v-variance) > 0.12*variance {
			t.Errorf("%+v: a mean of %.4g and a variance of %.4g, want %.4g and %.4g", test, m, v, mean, variance)
		}
	}
}

func TestDetectableShare(t *testing.T) {
	for _, test := range []struct{ p, trials, gain, want float64 }{
		{0.01, 1000, 15, 0.0253}, // 2·1000·(0.0253·log 2.53 + 0.9747·log(0.9747/0.99)) = 15
		{0.01, 3, 30, 1},         // nothing
		{0.5, 100, 2e9, 1},
		{0, 0, 15, 1},
		{1, 100, 15, 1},
	} {
		got := DetectableShare(test.p, test.trials, test.gain)
		if math.Abs(got-test.want) > 1e-3 {
			t.Errorf("%+v: %v", test, got)
		}
		if got < 1 {
			gain := 2 * test.trials * (got*math.Log(got/test.p) + (1-got)*math.Log((1-got)/(1-test.p)))
			if !near(gain, test.gain, 1e-6) {
				t.Errorf("%+v: a share of %v gains %v", test, got, gain)
			}
		}
	}
}

// TestStepsOfARise: a level that rises in steps shorter than a segment rises when it does, and not a segment earlier.
func TestStepsOfARise(t *testing.T) {
	s := ChangeSeries{Model: ShareChange}
	add := func(n int, failed float64) {
		for range n {
			s.Values, s.Sizes = append(s.Values, failed), append(s.Sizes, 50)
		}
	}
	add(40, 0)
	add(2, 9)
	add(20, 30)
	r := ChangePoints(s, ChangeConfig{Seed: 1})
	if len(r.Changes) == 0 || r.Changes[0].At != 40 || r.Changes[0].Before != 0 {
		t.Errorf("changes are %+v, want the first at 40", r.Changes)
	}
	// There and back is a level of its own, as long as a segment.
	s.Values, s.Sizes = nil, nil
	add(40, 1)
	add(5, 30)
	add(40, 1)
	r = ChangePoints(s, ChangeConfig{Seed: 1})
	if len(r.Changes) != 2 || r.Changes[0].At != 40 || r.Changes[1].At != 45 {
		t.Errorf("changes are %+v, want two at 40 and 45", r.Changes)
	}
}
