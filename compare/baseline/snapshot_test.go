package baseline_test

import (
	"bytes"
	"context"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/compare/baseline"
	"github.com/tracewhy/tracewhy/internal/stats"
	"github.com/tracewhy/tracewhy/internal/tracetext"
)

// small is limits that leave things out.
var small = baseline.Config{MaxOperations: 4, MaxNames: 2}

func merge(t testing.TB, a, b *baseline.Snapshot) *baseline.Snapshot {
	t.Helper()
	s, err := baseline.Merge(a, b)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Days of one Set merge, in any order and any grouping, to what is taken of all of them, to the byte; within limits
// as well.
func TestMergeIsTake(t *testing.T) {
	for _, cfg := range []baseline.Config{{}, small, {MaxOperations: 1, MaxNames: 1}} {
		for seed := range uint64(5) {
			spans := knobs{traces: 60, fails: 0.1, checks: 0.1, lost: 0.2}.spans(seed)
			spans = append(spans, knobs{traces: 40, day: 1, skips: 0.3, twice: 0.4, version: "2.0", vendor: "amex"}.spans(seed)...)
			spans = append(spans, knobs{traces: 30, day: 2, version: "3.0", vendor: "bank", carts: 0.9}.spans(seed)...)
			set := tracewhy.SetOf(spans...)
			var days []*baseline.Snapshot
			for day := range 3 {
				days = append(days, take(t, set.Select(func(tr tracewhy.Trace) bool { return tr.ID()[10] == byte(day) }), cfg))
			}
			want := string(encode(t, take(t, set.All(), cfg)))
			for _, got := range []*baseline.Snapshot{
				merge(t, merge(t, days[0], days[1]), days[2]),
				merge(t, days[0], merge(t, days[1], days[2])),
				merge(t, merge(t, days[2], days[0]), days[1]),
				merge(t, decode(t, encode(t, merge(t, days[1], days[2]))), decode(t, encode(t, days[0]))),
			} {
				if d := cmp.Diff(want, string(encode(t, got))); d != "" {
					t.Fatalf("limits %d, %d, seed %d (-taken +merged):\n%s", cfg.MaxOperations, cfg.MaxNames, seed, d)
				}
			}
		}
	}
}

// The same spans in any order give the same bytes, and another time of day moves nothing but times.
func TestTakeDependsOnContentAlone(t *testing.T) {
	spans := knobs{traces: 80, fails: 0.2, checks: 0.2, lost: 0.1}.spans(1)
	want := take(t, tracewhy.SetOf(spans...).All(), baseline.Config{})
	for seed := range uint64(5) {
		r := stats.NewRand(seed)
		for i := len(spans) - 1; i > 0; i-- {
			j := r.IntN(i + 1)
			spans[i], spans[j] = spans[j], spans[i]
		}
		got := take(t, tracewhy.SetOf(spans...).All(), baseline.Config{})
		if !bytes.Equal(encode(t, want), encode(t, got)) {
			t.Fatal("the order of spans shows")
		}
	}
	const day = 24 * time.Hour
	for i := range spans {
		spans[i].Start += uint64(3 * day)
		spans[i].End += uint64(3 * day)
	}
	later := take(t, tracewhy.SetOf(spans...).All(), baseline.Config{})
	if later.First.Sub(want.First) != 3*day || later.Last.Sub(want.Last) != 3*day {
		t.Errorf("the window is %v to %v", later.First, later.Last)
	}
	later.First, later.Last = want.First, want.Last
	if !bytes.Equal(encode(t, want), encode(t, later)) {
		t.Error("a shift of whole days shows")
	}
}

// What is counted, by hand.
func TestTakeCounts(t *testing.T) {
	set := tracetext.Set(`
trace a at=0s
shop/GET / 0+100 server resource.service.version=1
  shop/call 10+20 client error=true server.address=bank
  shop/call 40+40 client server.address=bank
trace b at=3601s
shop/GET / 0+200 server error=true
  shop/call 10+30 client server.address=bank
  cards/ask 50+30 server
trace c at=7202s
shop/GET / 0+50 server business.outcome=abandoned
trace d at=7300s
cards/ask 0+5 server orphan
`)
	s := take(t, set.All(), baseline.Config{})
	if s.Traces != 4 || s.Fragments != 1 || s.Spans != 8 || s.Hours[0] != 1 || s.Hours[1] != 1 || s.Hours[2] != 2 {
		t.Errorf("%d traces, %d fragments, %d spans, hours %v", s.Traces, s.Fragments, s.Spans, s.Hours)
	}
	var got []string
	for _, o := range s.Operations {
		got = append(got, o.Service+" "+o.Name)
	}
	if want := []string{"shop GET /", "cards ask", "shop call"}; !slices.Equal(got, want) {
		t.Fatalf("operations are %q, want %q", got, want)
	}
	root, ask, call := &s.Operations[0], &s.Operations[1], &s.Operations[2]
	if root.Requests != 3 || root.FailedRequests != 1 || root.Abandoned != 1 || root.TraceDurations != nil {
		t.Errorf("root: %+v", root)
	}
	if ask.Caller != 0 || ask.Traces != 1 || call.Executions != 3 || call.Traces != 2 || call.Failed != 1 || call.FailedTraces != 1 {
		t.Errorf("ask %+v, call %+v", ask, call)
	}
	// One trace calls once, in 30 ms; the other twice, in 30 ms on average.
	if q := call.TraceDurations; q == nil || q.N() != 2 || len(*q) != 1 || math.Abs(q.Quantile(0.5)/30e6-1) > 0.011 {
		t.Errorf("durations by trace: %v", q)
	}
	if call.PerCaller.N() != 2 || math.Abs(call.PerCaller.Quantile(1)/2000-1) > 0.011 {
		t.Errorf("calls for each of the caller's: %v", call.PerCaller)
	}
	if len(root.Callees) != 2 || len(root.Shapes) != 3 || root.Shapes[0].Traces != 1 {
		t.Errorf("callees %v, shapes %+v", root.Callees, root.Shapes)
	}
	if want := []baseline.Tally{{Name: "bank", Executions: 3, Failed: 1, Traces: 2, FailedTraces: 1}}; !slices.Equal(call.Peers, want) {
		t.Errorf("peers are %+v, want %+v", call.Peers, want)
	}
	if x := s.Services[1]; x.Name != "shop" || x.Traces != 3 || len(x.Versions) != 1 || x.Versions[0].Name != "1" {
		t.Errorf("service %+v", x)
	}
}

func TestQuantiles(t *testing.T) {
	var text strings.Builder
	var ns []float64
	r := stats.NewRand(1)
	for i := range 500 {
		d := int64(1 + r.Float64()*math.Exp(20*r.Float64()))
		ns = append(ns, float64(d))
		text.WriteString("trace t")
		text.WriteString(time.Duration(i).String())
		text.WriteString("\na/b 0+" + time.Duration(d).String() + "\n")
	}
	s := take(t, tracetext.Set(text.String()).All(), baseline.Config{})
	exact := stats.NewSample(ns)
	for _, p := range []float64{0, 0.01, 0.5, 0.9, 0.99, 1} {
		want, got := exact.ObservedQuantile(max(p, 1e-9)), s.Operations[0].Durations.Quantile(p)
		if math.Abs(got/want-1) > 0.0109 {
			t.Errorf("quantile %v is %v, and not %v", p, got, want)
		}
	}
	if q := (baseline.Histogram{}).Quantile(0.5); !math.IsNaN(q) {
		t.Errorf("the median of nothing is %v", q)
	}
}

func TestAge(t *testing.T) {
	s := knobs{traces: 2}.take(t, 1, baseline.Config{})
	if age := s.Age(epoch.Add(49 * time.Hour)); age != 49*time.Hour-time.Second {
		t.Errorf("age %v", age)
	}
	s = take(t, tracetext.Set("trace a\nshop/GET / ?+?").All(), baseline.Config{})
	if age := s.Age(epoch); age != tracewhy.Unbounded {
		t.Errorf("without times the age is %v", age)
	}
}

func TestTakeErrors(t *testing.T) {
	if _, err := baseline.Take(context.Background(), tracewhy.Cohort{}, baseline.Config{}); err != baseline.ErrEmpty {
		t.Errorf("of nothing: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := baseline.Take(ctx, knobs{traces: 2}.cohort(1), baseline.Config{}); err != context.Canceled {
		t.Errorf("cancelled: %v", err)
	}
	a := knobs{traces: 5}.take(t, 1, baseline.Config{})
	b := knobs{traces: 5, day: 1}.take(t, 1, baseline.Config{Outcome: tracewhy.OutcomeRule{AbandonedKey: "left"}})
	if _, err := baseline.Merge(a, b); err == nil || !strings.Contains(err.Error(), "rules") {
		t.Errorf("two rules: %v", err)
	}
	for _, bad := range []*baseline.Snapshot{nil, {}} {
		if _, err := baseline.Merge(a, bad); err == nil {
			t.Error("merged with no snapshot")
		}
		if _, err := baseline.Diff(context.Background(), bad, a, baseline.Config{}); err == nil {
			t.Error("compared with no snapshot")
		}
	}
}

// Nothing that an attribute, an event or a status message says gets into a snapshot, beside the names that it is about.
func TestSnapshotsHoldNamesAlone(t *testing.T) {
	set := tracetext.Set(`
trace a source=secret-source
shop/GET /users/4711 0+100 server error="secret message" customer=secret-name service.note=secret-note resource.host.note=secret-host
  ! 5 secret-event exception.message=secret-exception
  shop/call 10+20 client server.address=bank db.query.text="SELECT secret" resource.service.version=7 resource.service.instance.id=shop-1 scope=secret-scope
`)
	s := string(encode(t, take(t, set.All(), baseline.Config{})))
	if strings.Contains(s, "secret") || strings.Contains(s, "4711") {
		t.Errorf("it says %s", s)
	}
	for _, name := range []string{`"shop"`, `"GET /users/{id}"`, `"bank"`, `"7"`, `"shop-1"`} {
		if !strings.Contains(s, name) {
			t.Errorf("%s is missing in %s", name, s)
		}
	}
}

// What is too long is cut, and told apart all the same.
func TestLongNames(t *testing.T) {
	long := strings.Repeat("é", 3000)
	set := tracetext.Set("trace a\nshop/" + long + "A 0+1\ntrace b\nshop/" + long + "B 0+1")
	s := decode(t, encode(t, take(t, set.All(), baseline.Config{})))
	if len(s.Operations) != 2 || len(s.Operations[0].Name) > 1024 {
		t.Errorf("%d operations: %.2000s", len(s.Operations), encode(t, s))
	}
}
