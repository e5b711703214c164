package cluster

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/cluster/learn"
	"github.com/tracewhy/tracewhy/internal/scenario"
	"github.com/tracewhy/tracewhy/internal/stats"
)

// The shares below are of so many worlds of each kind; -worlds 200 measures them.
var worlds = flag.Int("worlds", 8, "how many worlds of each kind to divide into modes")

// Three modes of settlement failures, 8 % of all traces in sum, are found as three, with and without spans
// that were lost.
func TestThreeModes(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long: run without -short")
	}
	for _, lost := range []float64{0, 0.03} {
		right := 0
		for seed := range uint64(*worlds) {
			w := settlements(seed, "incident", 1500, 0.08, failsFX, failsBatch, failsProtocol)
			w.lose(lost)
			c := failing(w.set(), "incident")
			r, err := Modes(context.Background(), c, ModesConfig{Seed: seed})
			if err != nil {
				t.Fatal(err)
			}
			truth, found := w.labels(c, r)
			a, err := learn.Agree(truth, found)
			if err != nil {
				t.Fatal(err)
			}
			if len(r.Modes) == 3 && a.ARI >= 0.95 {
				right++
				continue
			}
			t.Logf("seed %d: %d traces, %d modes, %d noise, ARI %.3f, %v", seed, c.Len(), len(r.Modes), r.Noise.Len(), a.ARI, r.Warnings)
			for _, m := range r.Modes {
				t.Logf("  %d %s %s %q stable %.2f", m.Traces.Len(), m.Service, m.Operation, m.Message, m.Stability)
			}
		}
		t.Logf("with %.0f %% of the spans lost: three modes in %d of %d worlds", 100*lost, right, *worlds)
		if right < *worlds*9/10 {
			t.Errorf("with %.0f %% of the spans lost: three modes in %d of %d worlds", 100*lost, right, *worlds)
		}
	}
}

// One mode stays one, whatever else differs between its traces.
func TestOneMode(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long: run without -short")
	}
	for _, way := range []int{failsFX, failsBatch, failsProtocol} {
		one := 0
		for seed := range uint64(*worlds) {
			w := settlements(seed, "incident", 1500, 0.08, way)
			c := failing(w.set(), "incident")
			r, err := Modes(context.Background(), c, ModesConfig{Seed: seed})
			if err != nil {
				t.Fatal(err)
			}
			if len(r.Modes) == 1 && r.Noise.Len() <= 2 {
				one++
				continue
			}
			t.Logf("way %d, seed %d: %d traces, %d modes, %d noise", way, seed, c.Len(), len(r.Modes), r.Noise.Len())
			for _, m := range r.Modes {
				t.Logf("  %d %s %s %q stable %.2f separate %.2f", m.Traces.Len(), m.Service, m.Operation, m.Message, m.Stability, m.Separation)
			}
		}
		t.Logf("way %d: one mode in %d of %d worlds", way, one, *worlds)
		if one < *worlds*95/100 {
			t.Errorf("way %d: one mode in %d of %d worlds", way, one, *worlds)
		}
	}
}

// Traces of which no two fail alike are noise, and do not disturb the modes.
func TestNoise(t *testing.T) {
	right := 0
	for seed := range uint64(*worlds) {
		w := settlements(seed, "incident", 3000, 0.09, failsFX, failsBatch, failsProtocol, failsFX, failsBatch, failsProtocol, failsFX, failsBatch, failsProtocol, failsOddly)
		c := failing(w.set(), "incident")
		r, err := Modes(context.Background(), c, ModesConfig{Seed: seed})
		if err != nil {
			t.Fatal(err)
		}
		truth, found := w.labels(c, r)
		a, err := learn.Agree(truth, found)
		if err != nil {
			t.Fatal(err)
		}
		if len(r.Modes) == 3 && a.ARI >= 0.95 {
			right++
			continue
		}
		odd, kept := 0, 0
		for i := range truth {
			if truth[i] == failsOddly {
				odd++
				if found[i] >= 0 {
					kept++
				}
			}
		}
		t.Logf("seed %d: %d traces, %d modes, %d noise of %d (%d kept), ARI %.3f", seed, c.Len(), len(r.Modes), r.Noise.Len(), odd, kept, a.ARI)
		for _, m := range r.Modes {
			t.Logf("  %d %s %s %q stable %.2f", m.Traces.Len(), m.Service, m.Operation, m.Message, m.Stability)
		}
	}
	t.Logf("three modes beside noise in %d of %d worlds", right, *worlds)
	if right < *worlds*9/10 {
		t.Errorf("three modes beside noise in %d of %d worlds", right, *worlds)
	}
}

// Simulated incidents of one cause are one mode, whatever operations it strikes, on whatever ways, and
// beside errors that nobody notices.
// oneWay are families whose incidents fail in one way. What is overloaded fails in several: here an attempt times out,
// there a pool is empty.
var oneWay = []string{"bad-instance", "bad-version", "mortgage-stall", "network-latency", "pool-exhaustion", "serialization"}

func TestSimulatedIncidentsAreOneMode(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long: run without -short")
	}
	one, all := 0, 0
	for _, name := range oneWay {
		family, ok := scenario.Lookup(name)
		if !ok {
			t.Fatalf("no family %q", name)
		}
		for seed := uint64(1); seed <= 4; seed++ {
			made := scenario.Generate(family, seed)
			if len(made.Label.Modes) > 1 {
				continue
			}
			set := tracewhy.SetOf(made.Incident...)
			c := set.Select(func(t tracewhy.Trace) bool { return t.Root().Failed() })
			if c.Len() < 10 {
				continue // a slow one
			}
			r, err := Modes(context.Background(), c, ModesConfig{})
			if err != nil {
				t.Fatal(err)
			}
			all++
			if len(r.Modes) == 1 && r.Noise.Len() < c.Len()/5 {
				one++
				continue
			}
			t.Logf("%s %d: %d modes and %d noise of %d failing traces", family.Name, seed, len(r.Modes), r.Noise.Len(), c.Len())
		}
	}
	t.Logf("one mode in %d of %d incidents", one, all)
	if all < 5 || one*10 < all*9 {
		t.Errorf("one mode in %d of %d incidents", one, all)
	}
}

// ledgers makes traces of a ledger that fails with one error, in two ways at one place. In the second way it has
// asked the store, and waited for it, with the given probability.
func ledgers(seed uint64, n int, asks float64) (*tracewhy.Set, map[tracewhy.TraceID]int) {
	resource := func(name string) *tracewhy.Resource {
		return &tracewhy.Resource{Attributes: []tracewhy.KeyValue{tracewhy.String("service.name", name)}}
	}
	ledger, shop := resource("ledger"), resource("shop")
	truth := map[tracewhy.TraceID]int{}
	var spans []tracewhy.SpanData
	for i := range n {
		r := stats.NewRand(seed, uint64(i))
		way := 0
		if i%2 == 1 && r.Float64() < asks {
			way = 1
		}
		id := tracewhy.TraceID{0: 1, 14: byte(i >> 8), 15: byte(i)}
		truth[id] = way
		base := 1_700_000_000_000_000_000 + uint64(i)*10_000*millisecond
		span := func(number, parent byte, r *tracewhy.Resource, name string, start, end float64, failed bool) {
			s := tracewhy.SpanData{TraceID: id, SpanID: tracewhy.SpanID{7: number}, Name: name, Kind: tracewhy.KindServer, Resource: r, Start: base + uint64(start*millisecond), End: base + uint64(end*millisecond)}
			if parent > 0 {
				s.ParentSpanID = tracewhy.SpanID{7: parent}
			}
			if failed {
				s.Status, s.StatusMessage = tracewhy.StatusError, "cannot append"
			}
			spans = append(spans, s)
		}
		took := 1 + 3*r.Float64()
		if way == 1 {
			took = 800 + 400*r.Float64()
			span(3, 2, ledger, "SELECT balance", 2.2, took-1, false)
		}
		span(2, 1, ledger, "append", 2, 2+took, true)
		span(1, 0, shop, "POST /pay", 0, 4+took, true)
	}
	return tracewhy.SetOf(spans...), truth
}

// One error at one place, on two ways that structure and timing tell, is two modes; and one if it is but one way.
func TestModesByCallsAndTimes(t *testing.T) {
	for _, test := range []struct {
		asks  float64
		modes int
	}{{1, 2}, {0, 1}} {
		right := 0
		for seed := range uint64(*worlds) {
			set, truth := ledgers(seed, 60, test.asks)
			r, err := Modes(context.Background(), set.All(), ModesConfig{Seed: seed})
			if err != nil {
				t.Fatal(err)
			}
			a, err := learn.Agree((&world{truth: truth}).labels(set.All(), r))
			if err != nil {
				t.Fatal(err)
			}
			if len(r.Modes) == test.modes && a.ARI >= 0.95 {
				right++
			}
			if test.modes == 2 && len(r.Modes) == 2 && (r.Modes[0].P == 0 || r.Modes[0].P > 0.01) {
				t.Errorf("P is %v", r.Modes[0].P)
			}
		}
		if right < *worlds*95/100 {
			t.Errorf("%d modes in %d of %d worlds", test.modes, right, *worlds)
		}
	}
}

// The test against one mode holds its level where any difference would do, and nothing goes together.
func TestDivisionOfOneModeIsRare(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long: run without -short")
	}
	const alpha = 0.1
	divided, n := 0, 5**worlds
	for seed := range uint64(n) {
		sample := make([]profile, 40)
		for i := range sample {
			r := stats.NewRand(seed, uint64(i))
			sample[i].path = tracewhy.PathID(r.IntN(2))
			sample[i].calls = []uint32{uint32(r.IntN(2)), uint32(2 + r.IntN(2))}
			own := int32(r.IntN(65536))
			sample[i].times[partOwn], sample[i].times[partAboveBefore] = own, 65536-own
			sample[i].size = 10 * r.IntN(5)
		}
		p := &splitter{alpha: alpha, separation: 0.01, minSize: 4, seed: seed}
		f, err := p.divide(context.Background(), sample)
		if err != nil {
			t.Fatal(err)
		}
		if len(f.members) > 1 {
			divided++
		}
	}
	t.Logf("%d of %d divided", divided, n)
	if float64(divided) > alpha*float64(n)+3*math.Sqrt(alpha*(1-alpha)*float64(n)) {
		t.Errorf("%d of %d divided at alpha %v", divided, n, alpha)
	}
}

// The same spans in another order, and other workers, give the same modes.
func TestModesOfShuffledSpans(t *testing.T) {
	w := settlements(7, "incident", 6000, 0.09, failsFX, failsBatch, failsProtocol, failsOddly)
	summary := func(spans []tracewhy.SpanData, workers int) (out []any) {
		r, err := Modes(context.Background(), failing(tracewhy.SetOf(spans...), "incident"), ModesConfig{Workers: workers})
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range r.Modes {
			var ids []string
			for tr := range m.Traces.Traces() {
				ids = append(ids, tr.ID().String())
			}
			m.Traces = tracewhy.Cohort{}
			path := m.Path.String()
			m.Path = tracewhy.Path{}
			out = append(out, m, path, ids)
		}
		return append(out, r.Noise.Len(), r.Warnings)
	}
	want := summary(w.spans, 1)
	shuffled := slices.Clone(w.spans)
	r := stats.NewRand(1)
	for i := len(shuffled) - 1; i > 0; i-- {
		j := r.IntN(i + 1)
		shuffled[i], shuffled[j] = shuffled[j], shuffled[i]
	}
	if d := cmp.Diff(want, summary(shuffled, 5), cmp.Comparer(func(a, b tracewhy.Cohort) bool { return true }), cmp.Comparer(func(a, b tracewhy.Path) bool { return true })); d != "" {
		t.Error(d)
	}
}

// The fix that covers one mode is seen to cover one, and what it does to the others.
func TestCoverageAndChanges(t *testing.T) {
	w := newWorld(11)
	w.settle("before", 3000, 0.08, failsFX, failsBatch, failsProtocol)
	w.settle("after", 3000, 0.08*2/3, failsFX, failsProtocol) // batches have more time
	set := w.set()
	before, after := set.Source("before"), set.Source("after")
	r, err := Modes(context.Background(), failing(set, "before"), ModesConfig{})
	if err != nil {
		t.Fatal(err)
	}
	changes, err := r.Changes(context.Background(), before, after, tracewhy.OutcomeRule{})
	if err != nil {
		t.Fatal(err)
	}
	covered := 0
	for i, c := range r.Coverage(tracewhy.Predicate{Has: []tracewhy.Matcher{{Operation: "submit batch", Failed: true}}}) {
		m, change := r.Modes[i], changes[i]
		isBatch := m.Service == "ledger"
		if change.Traces[0].Len() != m.Traces.Len() {
			t.Errorf("%s: %d traces before, and %d of the mode", m.Service, change.Traces[0].Len(), m.Traces.Len())
		}
		switch {
		case isBatch && c.Share.Value == 1:
			covered++
			if change.After.Value != 0 || change.Difference.High >= 0 || change.Net.High >= 1 {
				t.Errorf("the mode that was remedied: %+v", change)
			}
			if change.Control.Low > 0 || change.Control.High < 0 {
				t.Errorf("its controls changed: %v", change.Control)
			}
		case isBatch || c.Share.Value > 0 || c.Covered.Len() > 0:
			t.Errorf("%s is covered by %v", m.Service, c.Share)
		case change.Difference.High < 0 || change.Difference.Low > 0.01:
			t.Errorf("%s changed by %v", m.Service, change.Difference)
		}
	}
	if covered != 1 || len(r.Modes) != 3 {
		t.Errorf("%d of %d modes are covered", covered, len(r.Modes))
	}
	if _, err := r.Changes(context.Background(), before, before, tracewhy.OutcomeRule{}); !errors.Is(err, ErrCohorts) {
		t.Errorf("cohorts that share traces: %v", err)
	}
}

// Slow traces have their origin where the time goes.
func TestModesOfSlowTraces(t *testing.T) {
	set, _ := ledgers(1, 40, 1)
	var spans []tracewhy.SpanData
	for s := range set.All().Traces() {
		for x := range s.Spans() {
			d := x.Data()
			d.Status, d.StatusMessage = tracewhy.StatusUnset, ""
			spans = append(spans, d)
		}
	}
	set = tracewhy.SetOf(spans...)
	r, err := Modes(context.Background(), set.Select(func(t tracewhy.Trace) bool { return t.Duration() > 500*time.Millisecond }), ModesConfig{})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Modes) != 1 || r.Modes[0].Operation != "SELECT balance" || r.Modes[0].Rule != slowRule || r.Modes[0].Traces.Len() != 20 {
		t.Errorf("%+v", r.Modes)
	}
}

func TestModesOfLittle(t *testing.T) {
	ctx := context.Background()
	if _, err := Modes(ctx, tracewhy.Cohort{}, ModesConfig{}); !errors.Is(err, ErrNoTraces) {
		t.Error(err)
	}
	set := shop()
	r, err := Modes(ctx, set.All(), ModesConfig{})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Modes) != 1 || r.Modes[0].Traces.Len() != 1 || len(r.Warnings) != 1 || r.Warnings[0].Code != WarningModesFew {
		t.Errorf("%+v", r)
	}
	if s := r.Modes[0].Stability; s != 1 {
		t.Errorf("a single trace has stability %v", s)
	}
	over, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := Modes(over, set.All(), ModesConfig{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// Few traces of one kind are a mode, and traces that each fail in another way are none.
func TestModesOfFew(t *testing.T) {
	for _, test := range []struct{ ways, modes, noise int }{{1, 1, 0}, {4, 0, 4}} {
		var spans []tracewhy.SpanData
		for i := range 4 {
			spans = append(spans, tracewhy.SpanData{
				TraceID: tracewhy.TraceID{15: byte(i + 1)}, SpanID: tracewhy.SpanID{7: 1}, Name: "pay", Kind: tracewhy.KindServer,
				Start: 1_700_000_000_000_000_000, End: 1_700_000_000_000_000_000 + millisecond, Status: tracewhy.StatusError,
				StatusMessage: []string{"no money", "bad card", "who are you", "try later"}[i%test.ways],
			})
		}
		r, err := Modes(context.Background(), tracewhy.SetOf(spans...).All(), ModesConfig{})
		if err != nil {
			t.Fatal(err)
		}
		if len(r.Modes) != test.modes || r.Noise.Len() != test.noise {
			t.Errorf("%d ways: %d modes and %d noise", test.ways, len(r.Modes), r.Noise.Len())
		}
	}
}

// Shares are those of the traffic that sampled traces stand for.
func TestSharesAreWeighted(t *testing.T) {
	var spans []tracewhy.SpanData
	for i := range 50 {
		s := tracewhy.SpanData{
			TraceID: tracewhy.TraceID{15: byte(i + 1)}, SpanID: tracewhy.SpanID{7: 1}, Name: "pay", Kind: tracewhy.KindServer,
			Start: 1_700_000_000_000_000_000, End: 1_700_000_000_000_000_000 + millisecond, Status: tracewhy.StatusError,
			StatusMessage: "no money", TraceState: "ot=th:8", // one of two
		}
		if i >= 30 {
			s.StatusMessage, s.TraceState = "bad card", "ot=th:0"
		}
		spans = append(spans, s)
	}
	r, err := Modes(context.Background(), tracewhy.SetOf(spans...).All(), ModesConfig{})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Modes) != 2 || r.Modes[0].Message != "no money" || r.Modes[0].Share.Value != 0.75 {
		t.Fatalf("%+v", r.Modes)
	}
	if s := r.Modes[0].Share; s.Low < 0.59 || s.High > 0.87 || s.High-s.Low < 0.24 {
		t.Errorf("the interval of 36 of 45.7 effective traces is not %v", s) // Kish: 80²/140
	}
}

// A result can be asked by several goroutines at once.
func TestModesResultIsSafe(t *testing.T) {
	w := newWorld(3)
	w.settle("before", 300, 0.2, failsFX)
	w.settle("after", 300, 0.2, failsFX, failsBatch)
	set := w.set()
	r, err := Modes(context.Background(), failing(set, "before"), ModesConfig{})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan []Change)
	for range 4 {
		go func() {
			c, err := r.Changes(context.Background(), set.Source("before"), set.Source("after"), tracewhy.OutcomeRule{})
			if err != nil {
				t.Error(err)
			}
			done <- c
		}()
	}
	for range 4 {
		if c := <-done; len(c) != len(r.Modes) {
			t.Errorf("%d changes of %d modes", len(c), len(r.Modes))
		}
	}
}

// patience is a context that is cancelled after its error was asked for so many times.
type patience struct {
	context.Context
	left *atomic.Int64
}

func (p patience) Err() error {
	if p.left.Add(-1) < 0 {
		return context.Canceled
	}
	return nil
}

// Whenever an analysis is cancelled, it says so.
func TestModesCancelled(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long: run without -short")
	}
	set, _ := ledgers(1, 600, 1)
	cancelled := 0
	for n := int64(1); ; n = n*3/2 + 1 {
		ctx := patience{context.Background(), new(atomic.Int64)}
		ctx.left.Store(n)
		r, err := Modes(ctx, set.All(), ModesConfig{Workers: 1})
		if err == nil {
			if len(r.Modes) != 2 {
				t.Errorf("%d modes", len(r.Modes))
			}
			break
		}
		if cancelled++; !errors.Is(err, context.Canceled) || r != nil {
			t.Fatalf("after %d looks at the context: %v, %v", n, r, err)
		}
	}
	if cancelled < 10 {
		t.Errorf("cancelled at %d places", cancelled)
	}
}

func BenchmarkModes(b *testing.B) {
	for _, n := range []int{1000, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			c := failing(settlements(1, "incident", n, 1, failsFX, failsBatch, failsProtocol).set(), "incident")
			if c.Len() != n {
				b.Fatalf("%d of %d traces fail", c.Len(), n)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Modes(context.Background(), c, ModesConfig{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkFeatures(b *testing.B) {
	set := settlements(1, "incident", 10_000, 1, failsFX, failsBatch, failsProtocol).set()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Features(context.Background(), set.All(), FeaturesConfig{}); err != nil {
			b.Fatal(err)
		}
	}
}
