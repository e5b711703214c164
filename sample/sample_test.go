package sample_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/scenario"
	"github.com/tracewhy/tracewhy/internal/tracetext"
	"github.com/tracewhy/tracewhy/sample"
)

// incident returns a generated incident, and the Set of it, with the sources baseline and incident.
func incident(t testing.TB, family string, seed uint64) (*tracewhy.Set, scenario.Case) {
	t.Helper()
	f, ok := scenario.Lookup(family)
	if !ok {
		t.Fatalf("no family %s", family)
	}
	c := scenario.Generate(f, seed)
	return setOf(c), c
}

func setOf(c scenario.Case) *tracewhy.Set {
	var spans []tracewhy.SpanData
	for _, s := range c.Baseline {
		s.Source = "baseline"
		spans = append(spans, s)
	}
	for _, s := range c.Incident {
		s.Source = "incident"
		spans = append(spans, s)
	}
	return tracewhy.SetOf(spans...)
}

// some returns some traces of a generated incident.
func some() []tracewhy.Trace {
	var traces []tracewhy.Trace
	for tr := range badVersion().Traces() {
		if tr.Index()%3 == 0 {
			traces = append(traces, tr)
		}
	}
	return traces
}

func encoded(t testing.TB, s *sample.Sample) []byte {
	t.Helper()
	b, err := s.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func merge(t testing.TB, into *sample.Sample, from ...*sample.Sample) *sample.Sample {
	t.Helper()
	for _, s := range from {
		if err := into.Merge(s); err != nil {
			t.Fatal(err)
		}
	}
	return into
}

func of(cfg sample.Config, traces ...tracewhy.Trace) *sample.Sample {
	s := sample.New(cfg)
	for _, t := range traces {
		s.Add(t)
	}
	return s
}

// badVersion is a generated incident that several tests use.
var badVersion = sync.OnceValue(func() *tracewhy.Set {
	f, _ := scenario.Lookup("bad-version")
	c := scenario.Generate(f, 1)
	return setOf(c)
})

// configs are such that samples keep all traces, some, fewer because of the bytes, one of each stratum, and
// hardly any.
var configs = map[string]sample.Config{
	"whole":    {PerStratum: 10000},
	"strata":   {PerStratum: 3, Bin: time.Hour},
	"halved":   {PerStratum: 64, Bin: time.Hour, MaxBytes: 1 << 20},
	"bytes":    {PerStratum: 100, Bin: time.Second, MaxBytes: 1 << 20},
	"tiny":     {PerStratum: 100, Bin: time.Second, MaxBytes: 1},
	"defaults": {},
}

// A sample is a function of the traces that were added: neither their order nor how they were shared out
// among samples, in whatever tree these were merged, shows in its bytes.
func TestSplitsAndOrdersGiveTheSameBytes(t *testing.T) {
	traces := some()
	for name, cfg := range configs {
		t.Run(name, func(t *testing.T) {
			whole := of(cfg, traces...)
			want := encoded(t, whole)
			t.Logf("%d of %d traces in %d strata, %d per stratum, %d bytes held, %d encoded",
				whole.Kept(), whole.Traces(), len(whole.Strata()), whole.PerStratum(), whole.Bytes(), len(want))
			for seed := range uint64(4) {
				rng := rand.New(rand.NewPCG(seed, 1))
				shards := make([]*sample.Sample, 1+rng.IntN(40))
				for i := range shards {
					shards[i] = sample.New(cfg)
				}
				for _, i := range rng.Perm(len(traces)) {
					shards[rng.IntN(len(shards))].Add(traces[i])
				}
				for len(shards) > 1 {
					i, j := rng.IntN(len(shards)), rng.IntN(len(shards)-1)
					if j >= i {
						j++
					}
					before := encoded(t, shards[j])
					merge(t, shards[i], shards[j])
					if !bytes.Equal(encoded(t, shards[j]), before) {
						t.Fatal("Merge changed its argument")
					}
					shards[j] = shards[len(shards)-1]
					shards = shards[:len(shards)-1]
				}
				if !bytes.Equal(encoded(t, shards[0]), want) {
					t.Fatalf("seed %d: another sample", seed)
				}
			}
		})
	}
}

func TestLaws(t *testing.T) {
	traces := some()
	for name, cfg := range configs {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(2) {
				rng := rand.New(rand.NewPCG(seed, 2))
				// Some traces are in more than one, and more than once.
				mix := func() *sample.Sample {
					s := sample.New(cfg)
					for range rng.IntN(len(traces)) {
						s.Add(traces[rng.IntN(len(traces))])
					}
					return s
				}
				copyOf := func(s *sample.Sample) *sample.Sample { return merge(t, sample.New(cfg), s) }
				a, b, c := mix(), mix(), mix()
				if x, y := merge(t, copyOf(a), b), merge(t, copyOf(b), a); !bytes.Equal(encoded(t, x), encoded(t, y)) {
					t.Error("not commutative")
				}
				left := merge(t, merge(t, copyOf(a), b), c)
				right := merge(t, copyOf(a), merge(t, copyOf(b), c))
				if !bytes.Equal(encoded(t, left), encoded(t, right)) {
					t.Error("not associative")
				}
				if !bytes.Equal(encoded(t, copyOf(a)), encoded(t, a)) || !bytes.Equal(encoded(t, merge(t, copyOf(a), sample.New(cfg))), encoded(t, a)) {
					t.Error("the empty sample is not the identity")
				}
				twice := merge(t, copyOf(a), copyOf(a))
				if !bytes.Equal(encoded(t, merge(t, a, a)), encoded(t, twice)) {
					t.Error("a sample merged with itself is not two merged samples")
				}
			}
		})
	}
}

// Whatever the limit, it holds, and the totals are exact.
func TestTotalsAndLimit(t *testing.T) {
	set := badVersion()
	for name, cfg := range configs {
		s := of(cfg, slices.Collect(set.Traces())...)
		if limit := s.Config().MaxBytes; s.Bytes() > limit || len(encoded(t, s)) > limit {
			t.Errorf("%s: %d bytes, %d encoded, %d allowed", name, s.Bytes(), len(encoded(t, s)), limit)
		}
		kept, total, weight := 0, uint64(0), 0.0
		for _, st := range s.Strata() {
			if st.Kept == 0 || st.Kept > s.PerStratum() || uint64(st.Kept) > st.Traces {
				t.Errorf("%s: %d traces kept of %d, %d allowed", name, st.Kept, st.Traces, s.PerStratum())
			}
			kept, total, weight = kept+st.Kept, total+st.Traces, weight+st.Weight
		}
		if total != uint64(set.NumTraces()) || weight != float64(total) || s.Traces() != total || s.Kept() != kept {
			t.Errorf("%s: %d traces of weight %v, %d kept; want %d, and %d kept", name, total, weight, s.Kept(), set.NumTraces(), kept)
		}
		sampled, err := s.Set(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if sampled.NumTraces() != kept || math.Abs(sampled.All().Weight()-float64(total)) > 1e-6*float64(total) {
			t.Errorf("%s: a Set of %d traces that stand for %v, want %d for %d", name, sampled.NumTraces(), sampled.All().Weight(), kept, total)
		}
		for _, source := range set.Sources() {
			if got, want := sampled.Source(source).Weight(), set.Source(source).Weight(); math.Abs(got-want) > 1e-6*want && s.PerStratum() > 1 {
				t.Errorf("%s: %v traces of %s, want %v", name, got, source, want)
			}
		}
	}
}

// Recorded weights add up exactly, and the sample stands for as many traces as were recorded for.
func TestRecordedWeights(t *testing.T) {
	var spans []tracewhy.SpanData
	want := 0.0
	for i := range 100 {
		s := tracetext.Trace("shop/buy 0+10 server").Root().Data()
		s.TraceID = tracetext.TraceID(i + 1)
		s.Weight = float64(1 + i%7)
		want += s.Weight
		spans = append(spans, s)
	}
	s := of(sample.Config{PerStratum: 8}, slices.Collect(tracewhy.SetOf(spans...).Traces())...)
	strata := s.Strata()
	if len(strata) != 1 || strata[0].Weight != want || strata[0].Traces != 100 || strata[0].Kept != 8 {
		t.Fatalf("strata %+v, want one of 100 traces and weight %v", strata, want)
	}
	set, err := s.Set(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := set.All().Weight(); math.Abs(got-want) > 1e-9*want {
		t.Errorf("the sample stands for %v traces, want %v", got, want)
	}
	ratios := map[string]bool{}
	for tr := range set.Traces() {
		id := tr.ID()
		n := int(binary.BigEndian.Uint64(id[8:])) - 1
		ratios[fmt.Sprintf("%.6f", tr.Weight()/float64(1+n%7))] = true
	}
	if len(ratios) != 1 {
		t.Errorf("weights are not in proportion to the recorded ones: %v", ratios)
	}
}

func TestStrata(t *testing.T) {
	set := tracetext.Set(`
trace a source=incident
shop/buy 0+10 server
trace b source=incident
shop/buy 1+11 server
trace c source=incident
shop/buy 2+13 server
trace d source=incident
shop/buy 3+10 server error
trace e source=incident at=61s
shop/buy 0+10 server
trace f source=incident
shop/buy 4+10 server business.outcome=abandoned
trace g source=baseline
shop/GET_/users/12 5+10 server
trace h source=baseline
shop/GET_/users/ab4 6+10 server
trace i source=baseline
shop/GET_/users/ab4 ?+?
`)
	s := of(sample.Config{}, slices.Collect(set.Traces())...)
	var got []string
	for _, st := range s.Strata() {
		bin := "-"
		if !st.Bin.IsZero() {
			bin = st.Bin.Format("15:04")
		}
		got = append(got, fmt.Sprintf("%s %s %s %v %v %s: %d", st.Source, st.Service, st.Operation, st.Outcome, st.MinDuration, bin, st.Traces))
	}
	want := []string{
		"baseline shop GET_/users/# ok -1ns -: 1",
		"baseline shop GET_/users/# ok 8.388608ms 00:00: 2",
		"incident shop buy ok 8.388608ms 00:00: 2",
		"incident shop buy ok 12.582912ms 00:00: 1",
		"incident shop buy ok 8.388608ms 00:01: 1",
		"incident shop buy abandoned 8.388608ms 00:00: 1",
		"incident shop buy failed 8.388608ms 00:00: 1",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("strata (-want +got):\n%s", d)
	}
}

// A trace added again counts again, and is kept once.
func TestDuplicates(t *testing.T) {
	tr := tracetext.Trace("shop/buy 0+10 server")
	s := of(sample.Config{}, tr, tr, tr)
	if s.Traces() != 3 || s.Kept() != 1 {
		t.Errorf("%d traces, %d kept; want 3 and 1", s.Traces(), s.Kept())
	}
	set, err := s.Set(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if set.NumSpans() != 1 || set.Trace(0).Weight() != 3 || len(set.Problems()) != 0 {
		t.Errorf("%d spans of weight %v, problems %v", set.NumSpans(), set.Trace(0).Weight(), set.Problems())
	}
}

// A trace that would crowd out the others is counted only.
func TestTooLarge(t *testing.T) {
	small := tracetext.Trace("shop/buy 0+10 server")
	large := small.Root().Data()
	large.TraceID = tracetext.TraceID(2)
	large.Attributes = append(large.Attributes, tracewhy.String("body", string(make([]byte, 20<<10))))
	s := of(sample.Config{MaxBytes: 256 << 10}, small, tracewhy.SetOf(large).Trace(0))
	if st := s.Strata(); len(st) != 1 || st[0].Traces != 2 || st[0].Kept != 1 || st[0].TooLarge != 1 {
		t.Errorf("%+v", st)
	}
	set, err := s.Set(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := set.Trace(0).Weight(); got != 2 {
		t.Errorf("the small one stands for %v", got)
	}
}

func TestMergeErrors(t *testing.T) {
	failing := tracewhy.OutcomeRule{Failure: &tracewhy.Predicate{Root: tracewhy.Matcher{Failed: true}}}
	base := sample.Config{PerStratum: 32, Bin: time.Minute, MaxBytes: 64 << 20}
	for name, change := range map[string]func(*sample.Config){
		"per stratum": func(c *sample.Config) { c.PerStratum = 33 },
		"bin":         func(c *sample.Config) { c.Bin = time.Hour },
		"bytes":       func(c *sample.Config) { c.MaxBytes = 1 << 20 },
		"outcome":     func(c *sample.Config) { c.Outcome = failing },
	} {
		cfg := base
		change(&cfg)
		if err := sample.New(base).Merge(sample.New(cfg)); !errors.Is(err, sample.ErrConfig) {
			t.Errorf("%s: error %v", name, err)
		}
		if err := sample.New(cfg).Merge(sample.New(cfg)); err != nil {
			t.Errorf("%s: error %v for equal ones", name, err)
		}
	}
	var zero, other sample.Sample
	if err := zero.Merge(&other); err != nil {
		t.Error(err)
	}
	if err := sample.New(base).Merge(&other); err != nil {
		t.Errorf("the defaults written out: %v", err)
	}
}

func TestCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := of(sample.Config{}, tracetext.Trace("shop/buy 0+10")).Set(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

// Estimates from a sample are right on average: a rate among all traces, the share of failing ones, and
// the mean duration, over many draws of trace ids.
func TestEstimatesAreUnbiased(t *testing.T) {
	const draws, traces = 80, 600
	rng := rand.New(rand.NewPCG(1, 1))
	var spans []tracewhy.SpanData
	wantEU, wantMean := 0.0, 0.0
	for range traces {
		s := tracetext.Trace("shop/buy 0+10 server").Root().Data()
		ms := math.Exp(3 + rng.NormFloat64())
		s.End = s.Start + uint64(ms*1e6)
		eu := rng.Float64() < min(1, ms/100) // slow traces are mostly European
		if eu {
			s.Attributes = append(s.Attributes, tracewhy.String("region", "eu"))
			wantEU++
		}
		if rng.IntN(50) == 0 {
			s.Status = tracewhy.StatusError
		}
		spans = append(spans, s)
		wantMean += float64(s.End - s.Start)
	}
	var eu, mean []float64
	for range draws {
		var b tracewhy.Builder
		for i := range spans {
			binary.BigEndian.PutUint64(spans[i].TraceID[:8], rng.Uint64()|1)
			binary.BigEndian.PutUint64(spans[i].TraceID[8:], rng.Uint64())
			b.Add(&spans[i])
		}
		set, err := b.Build(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		sampled, err := of(sample.Config{PerStratum: 5}, slices.Collect(set.Traces())...).Set(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		sumEU, sum := 0.0, 0.0
		for tr := range sampled.Traces() {
			if _, ok := tr.Root().Attr("region"); ok {
				sumEU += tr.Weight()
			}
			sum += tr.Weight() * float64(tr.Root().Duration())
		}
		eu, mean = append(eu, sumEU), append(mean, sum)
	}
	for what, list := range map[string][]float64{"number of European traces": eu, "sum of durations": mean} {
		want := map[string]float64{"number of European traces": wantEU, "sum of durations": wantMean}[what]
		m, ss := 0.0, 0.0
		for _, x := range list {
			m += x / draws
		}
		for _, x := range list {
			ss += (x - m) * (x - m)
		}
		se := math.Sqrt(ss / (draws - 1) / draws)
		t.Logf("%s: mean of the estimates %.6g, truth %.6g, standard error %.3g, of one estimate %.3g", what, m, want, se, se*math.Sqrt(draws))
		if se == 0 || math.Abs(m-want) > 4*se {
			t.Errorf("%s: estimated as %.6g, it is %.6g", what, m, want)
		}
	}
}
