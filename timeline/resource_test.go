package timeline_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/scenario"
	"github.com/tracewhy/tracewhy/internal/tracetext"
	"github.com/tracewhy/tracewhy/timeline"
	"github.com/tracewhy/tracewhy/timeline/internal/logins"
)

// A recordedAs says what of a wait the spans of a generated shop show.
type recordedAs int

const (
	waitWithin   recordedAs = iota // a query's span begins when it has to wait
	waitBefore                     // and when it is its turn
	waitSpan                       // likewise, after a span of the wait
	waitForHold                    // likewise, and its caller goes on with the connection
	nothingWaits                   // all queries run at once
	shared                         // all queries run at once, and share a processor
)

// queue is a generated shop, whose queries wait for one of some connections.
type queue struct {
	servers int
	load    float64 // of each server
	as      recordedAs
	service func(*rand.Rand) float64 // how long a query takes, in units of its mean
	weight  float64                  // of traces
}

func exponential(r *rand.Rand) float64 { return r.ExpFloat64() }
func constant(*rand.Rand) float64      { return 1 }
func lognormal(r *rand.Rand) float64   { return math.Exp(0.5*r.NormFloat64() - 0.125) }

const meanQuery = 50.0 // milliseconds

// spans returns n requests.
func (q queue) spans(seed uint64, n int) []tracewhy.SpanData {
	r := rand.New(rand.NewPCG(seed, 2))
	var out []tracewhy.SpanData
	free := make([]float64, q.servers)
	at := 0.0
	arrivals, begins, ends := make([]float64, n), make([]float64, n), make([]float64, n)
	for i := range n {
		at += meanQuery / (q.load * float64(q.servers)) * r.ExpFloat64()
		arrivals[i] = at
		first := slices.Index(free, slices.Min(free))
		begins[i] = at
		if q.as < nothingWaits {
			begins[i] = max(at, free[first])
		}
		ends[i] = begins[i] + meanQuery*q.service(r)
		free[first] = ends[i]
	}
	if q.as == shared {
		ends = shareProcessor(arrivals, ends)
	}
	resource := &tracewhy.Resource{Attributes: []tracewhy.KeyValue{tracewhy.String("service.name", "bank"), tracewhy.String("service.instance.id", "bank-1")}}
	for i := range n {
		id := tracewhy.TraceID{0: 1, 12: byte(i >> 24), 13: byte(i >> 16), 14: byte(i >> 8), 15: byte(i)}
		add := func(number, parent byte, name string, kind tracewhy.Kind, from, to float64) {
			s := tracewhy.SpanData{
				TraceID: id, SpanID: tracewhy.SpanID{number}, Name: name, Kind: kind, Resource: resource, Weight: q.weight,
				Start: uint64(tracetext.Epoch + int64(from*1e6)), End: uint64(tracetext.Epoch + int64(to*1e6)),
			}
			if parent > 0 {
				s.ParentSpanID = tracewhy.SpanID{parent}
			}
			if kind == tracewhy.KindClient {
				s.Attributes = []tracewhy.KeyValue{tracewhy.String("server.address", "accounts-db")}
			}
			out = append(out, s)
		}
		begin, work := begins[i], 0.2+0.1*r.Float64()
		switch q.as {
		case waitSpan:
			add(1, 0, "GET /accounts", tracewhy.KindServer, arrivals[i]-work, ends[i]+work)
			add(2, 1, "pool.acquire", tracewhy.KindInternal, arrivals[i], begin)
		case waitForHold:
			add(1, 0, "GET /accounts", tracewhy.KindServer, arrivals[i]-work, ends[i])
			add(2, 1, "pool.acquire", tracewhy.KindInternal, arrivals[i], begin)
			ends[i] = begin + (ends[i]-begin)*r.Float64()
		case waitBefore:
			add(1, 0, "GET /accounts", tracewhy.KindServer, arrivals[i]-work, ends[i]+work)
		default:
			add(1, 0, "GET /accounts", tracewhy.KindServer, arrivals[i]-work, ends[i]+work)
			begin = arrivals[i]
		}
		add(3, 1, "SELECT accounts", tracewhy.KindClient, begin, ends[i])
	}
	return out
}

// shareProcessor returns when requests end that share one processor, given when each would if it were alone.
func shareProcessor(arrivals, alone []float64) []float64 {
	ends := make([]float64, len(arrivals))
	left := map[int]float64{}
	now, next := arrivals[0], 0
	for next < len(arrivals) || len(left) > 0 {
		until := math.Inf(1)
		if next < len(arrivals) {
			until = arrivals[next]
		}
		first, least := -1, math.Inf(1)
		for i, x := range left {
			if x < least || x == least && i < first {
				first, least = i, x
			}
		}
		step := (until - now) / max(float64(len(left)), 1)
		if first >= 0 && least <= step {
			step = least
		}
		for i := range left {
			left[i] -= step
		}
		if first >= 0 && step == least {
			now += step * float64(len(left))
			ends[first] = now
			delete(left, first)
			continue
		}
		now = until
		left[next] = alone[next] - arrivals[next]
		next++
	}
	return ends
}

func (q queue) resources(t testing.TB, seed uint64, n int) *timeline.ResourcesResult {
	t.Helper()
	r, err := timeline.Resources(context.Background(), tracewhy.SetOf(q.spans(seed, n)...).All(), timeline.ResourcesConfig{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// find returns the resource of a kind.
func find(t testing.TB, r *timeline.ResourcesResult, kind timeline.ResourceKind) *timeline.Resource {
	t.Helper()
	for i := range r.Resources {
		if r.Resources[i].Kind == kind {
			return &r.Resources[i]
		}
	}
	t.Fatalf("no %v in %v", kind, r.Resources)
	return nil
}

// The limit is that of the queue, however the wait is recorded; and where there is none, there is none.
func TestLimit(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long: run without -short")
	}
	for name, service := range map[string]func(*rand.Rand) float64{"exponential": exponential, "lognormal": lognormal, "constant": constant} {
		for _, as := range []recordedAs{waitWithin, waitBefore, waitSpan, waitForHold, nothingWaits, shared} {
			for _, servers := range []int{1, 3, 8} {
				kind := timeline.ResourceDependency
				if as == waitSpan || as == waitForHold {
					kind = timeline.ResourcePool
				}
				q := queue{servers: servers, load: 0.85, as: as, service: service}
				if as == shared {
					q.servers = 1
				}
				l := find(t, q.resources(t, uint64(servers), 1500), kind).Limit
				want := servers
				if as >= nothingWaits {
					want = 0
				}
				if as == waitWithin && servers == 8 && l.N == 0 {
					continue // nearly all waited
				}
				if l.N != want && (as != waitWithin || servers < 8) || l.Low > want || l.High < want {
					t.Errorf("%s, %v, %d: %+v", name, as, servers, l)
				}
			}
		}
	}
}

// Of pools of any size, in which more or less waits, the limit is right wherever it is said to be known; and it is
// where much waits.
func TestLimitOfPools(t *testing.T) {
	services := []func(*rand.Rand) float64{exponential, lognormal, constant}
	n := 10 * *worlds
	for _, as := range []recordedAs{waitWithin, waitBefore, waitSpan, waitForHold} {
		known, near, covered := 0, 0, 0
		for seed := range uint64(n) {
			r := rand.New(rand.NewPCG(seed, 9))
			q := queue{servers: 1 + r.IntN(12), load: 0.8 + 0.25*r.Float64(), as: as, service: services[r.IntN(3)]}
			kind := timeline.ResourceDependency
			if as == waitSpan || as == waitForHold {
				kind = timeline.ResourcePool
			}
			l := find(t, q.resources(t, seed, 600), kind).Limit
			if l.N == 0 {
				continue
			}
			known++
			if d := l.N - q.servers; 5*max(d, -d) <= q.servers {
				near++
			}
			if l.Low <= q.servers && q.servers <= l.High {
				covered++
			}
		}
		t.Logf("%v: of %d pools the limit of %d is known, %d within a fifth and %d within its interval", as, n, known, near, covered)
		if 20*near < 19*known || 20*covered < 18*known || as != waitWithin && 10*known < 9*n {
			t.Errorf("%v: of %d pools the limit of %d is known, %d within a fifth and %d within its interval", as, n, known, near, covered)
		}
	}
}

// The mean wait, the number that wait and the utilisation are those of A. K. Erlang's C formula (1917).
func TestErlang(t *testing.T) {
	for _, as := range []recordedAs{waitWithin, waitBefore, waitSpan} {
		q := queue{servers: 4, load: 0.8, as: as, service: exponential}
		kind := timeline.ResourceDependency
		if as == waitSpan {
			kind = timeline.ResourcePool
		}
		r := q.resources(t, 3, 10_000)
		x := find(t, r, kind)
		if x.Limit.N != 4 {
			t.Fatalf("%v: %+v", as, x.Limit)
		}
		mean := func(xs []float64) (sum float64) {
			for _, x := range xs {
				sum += x / float64(len(xs))
			}
			return sum
		}
		const erlangC = 0.5964 // that an arrival waits, for 4 servers and a load of 3.2
		waiting := erlangC * 0.8 / (1 - 0.8)
		if got := mean(x.Waiting); math.Abs(got-waiting) > 0.3*waiting {
			t.Errorf("%v: %.3f wait on average, want %.3f", as, got, waiting)
		}
		if got := mean(x.Utilisation); math.Abs(got-0.8) > 0.03 {
			t.Errorf("%v: a utilisation of %.3f, want 0.8", as, got)
		}
	}
}

// Over all bins the number under way is what J. Little's law says, up to what crosses the ends of the recording.
func TestLittle(t *testing.T) {
	r := queue{servers: 3, load: 0.7, as: waitWithin, service: exponential}.resources(t, 1, 4000)
	for _, x := range r.Resources {
		measured, law, arrivals, completions, spent := 0.0, 0.0, 0.0, 0.0, time.Duration(0)
		for b := range r.Starts {
			measured, law = measured+x.InFlight[b], law+x.Little[b]
			arrivals, completions = arrivals+x.Arrivals[b], completions+x.Completions[b]
			if x.Arrivals[b] > 0 {
				spent += time.Duration(x.Arrivals[b] * float64(x.Time[b]))
			}
			if float64(x.Most[b]) < x.InFlight[b] {
				t.Errorf("%v: %d at once at most, and %v on average", &x, x.Most[b], x.InFlight[b])
			}
		}
		if math.Abs(measured-law) > 0.005*law || arrivals != 4000 || arrivals-completions > 5 {
			t.Errorf("%v: %v under way, %v by Little's law; %v began and %v ended", &x, measured, law, arrivals, completions)
		}
		if got := spent.Seconds() / r.Bin.Seconds(); math.Abs(got-law) > 1e-3*law {
			t.Errorf("%v: arrivals by their time are %v, and Little's law says %v", &x, got, law)
		}
		if x.Unsteady > 0.2 {
			t.Errorf("%v: unsteady by %v", &x, x.Unsteady)
		}
	}
}

// The same spans in any order, on any number of goroutines, are the same; and an hour later they are the same then.
func TestResourcesOrder(t *testing.T) {
	spans := queue{servers: 3, load: 0.9, as: waitSpan, service: lognormal}.spans(1, 400)
	resources := func(spans []tracewhy.SpanData, workers int) *timeline.ResourcesResult {
		r, err := timeline.Resources(context.Background(), tracewhy.SetOf(spans...).All(), timeline.ResourcesConfig{Workers: workers})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	want := resources(spans, 1)
	r := rand.New(rand.NewPCG(1, 1))
	r.Shuffle(len(spans), func(i, j int) { spans[i], spans[j] = spans[j], spans[i] })
	if d := cmp.Diff(want, resources(spans, 5)); d != "" {
		t.Errorf("in another order:\n%s", d)
	}
	for i := range spans {
		spans[i].Start, spans[i].End = spans[i].Start+uint64(time.Hour), spans[i].End+uint64(time.Hour)
	}
	later := resources(spans, 2)
	for i := range later.Starts {
		later.Starts[i] -= int64(time.Hour)
	}
	for i := range later.Resources {
		if l := &later.Resources[i].Limit; l.End > 0 {
			l.Start, l.End = l.Start-int64(time.Hour), l.End-int64(time.Hour)
		}
		for j := range later.Resources[i].Queues {
			q := &later.Resources[i].Queues[j]
			q.Start, q.Peak = q.Start-int64(time.Hour), q.Peak-int64(time.Hour)
			if q.Drained > 0 {
				q.Drained -= int64(time.Hour)
			}
		}
	}
	if d := cmp.Diff(want, later); d != "" {
		t.Errorf("an hour later:\n%s", d)
	}
}

// Of traces of which one in ten was kept, what happened is ten times what is seen, and no limit is.
func TestResourcesWeighted(t *testing.T) {
	q := queue{servers: 3, load: 0.9, as: waitBefore, service: exponential}
	all := find(t, q.resources(t, 1, 500), timeline.ResourceDependency)
	q.weight = 10
	sample := q.resources(t, 1, 500)
	x := find(t, sample, timeline.ResourceDependency)
	for b := range sample.Starts {
		if math.Abs(x.InFlight[b]-10*all.InFlight[b]) > 1e-9 || x.Arrivals[b] != 10*all.Arrivals[b] || x.Time[b] != all.Time[b] {
			t.Fatalf("bin %d: %v, %v and %v of a sample, and %v, %v and %v of all",
				b, x.InFlight[b], x.Arrivals[b], x.Time[b], all.InFlight[b], all.Arrivals[b], all.Time[b])
		}
	}
	if x.Limit.N != 0 || all.Limit.N != 3 || !slices.ContainsFunc(sample.Warnings, func(w tracewhy.Warning) bool { return w.Code == timeline.WarningWeighted }) {
		t.Errorf("limits %+v of a sample and %+v of all, with %v", x.Limit, all.Limit, sample.Warnings)
	}
}

// Where nothing is wrong nothing is said to be full, and where connections are leaked no limit is made up: what is
// leaked has no spans.
func TestResourcesScenarios(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long: run without -short")
	}
	families := []string{"quiet-mix", "pool-exhaustion", "quiet", "bad-instance"}
	if *worlds == 1 {
		families = families[:2]
	}
	for _, family := range families {
		f, ok := scenario.Lookup(family)
		if !ok {
			t.Fatalf("no family %s", family)
		}
		limits, queues, waits, resources := 0, 0, 0, 0
		for seed := range uint64(*worlds) {
			c := scenario.Generate(f, seed)
			r, err := timeline.Resources(context.Background(), tracewhy.SetOf(c.Incident...).All(), timeline.ResourcesConfig{})
			if err != nil {
				t.Fatal(err)
			}
			for _, x := range r.Resources {
				resources++
				queues += len(x.Queues)
				if x.Limit.N > 0 && !x.Limit.Stated {
					limits++
					t.Logf("%s %v: %+v", c.Name, &x, x.Limit)
				}
				if x.Limit.Waits >= 20 {
					waits++
				}
			}
		}
		t.Logf("%s: of %d resources of %d cases %d have waits, %d a limit, and %d queues grew", family, resources, *worlds, waits, limits, queues)
		if family != "pool-exhaustion" && (limits > 0 || queues > *worlds/20) {
			t.Errorf("%s: %d limits and %d queues", family, limits, queues)
		}
	}
}

func ExampleResources() {
	set := tracewhy.SetOf(queue{servers: 4, load: 0.9, as: waitBefore, service: exponential}.spans(1, 2000)...)
	r, err := timeline.Resources(context.Background(), set.All(), timeline.ResourcesConfig{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, x := range r.Resources {
		if x.Limit.N > 0 {
			fmt.Printf("%s: %d at most, since %s; full in %d of %d bins\n", &x, x.Limit.N, x.Limit.Reason, x.Saturated(), len(r.Starts))
		}
	}
	// Output:
	// accounts-db of bank bank-1: 4 at most, since 4 were under way in 100 % of the time in which others waited, and in 27 % of the rest; full in 96 of 142 bins
}

// An operation becomes slower since its load grows and it waits, or since its work takes longer.
func TestSlowdown(t *testing.T) {
	usual := queue{servers: 2, load: 0.2, service: lognormal}
	for _, test := range []struct {
		name      string
		as        recordedAs
		operation string
		load      float64
		slower    float64
		want      timeline.Growth
	}{
		{"a lock", waitWithin, "SELECT accounts", 0.9, 1, timeline.GrowthWait},
		{"a lock that nearly all wait for", waitWithin, "SELECT accounts", 0.98, 1, timeline.GrowthWait},
		{"a pool", waitBefore, "GET /accounts", 0.9, 1, timeline.GrowthWait},
		{"a pool with spans", waitSpan, "GET /accounts", 0.9, 1, timeline.GrowthWait},
		{"behind a pool", waitSpan, "SELECT accounts", 0.9, 1, timeline.GrowthUnknown},
		{"more work", waitWithin, "SELECT accounts", 0.25, 2, timeline.GrowthWork},
		{"more work of callees", nothingWaits, "GET /accounts", 0.4, 2, timeline.GrowthUnknown},
		{"nothing", nothingWaits, "GET /accounts", 0.25, 1, timeline.GrowthUnknown},
		{"a busy processor", shared, "SELECT accounts", 0.45, 1, timeline.GrowthUnknown},
	} {
		before, after := usual, usual
		before.as, after.as = test.as, test.as
		after.load = test.load
		after.service = func(r *rand.Rand) float64 { return test.slower * lognormal(r) }
		spans := before.spans(1, 1000)
		for _, s := range after.spans(2, 1000) {
			s.TraceID[1] = 1
			s.Start, s.End = s.Start+uint64(time.Hour), s.End+uint64(time.Hour)
			spans = append(spans, s)
		}
		set := tracewhy.SetOf(spans...)
		incident := set.Select(func(t tracewhy.Trace) bool { return t.ID()[1] == 1 })
		r, err := timeline.Slowdown(context.Background(), set.All().Minus(incident), incident, pathOf(t, set, test.operation))
		if err != nil {
			t.Fatal(err)
		}
		if r.Growth != test.want || r.Growth == timeline.GrowthWait && (r.Limit.N != 2 || r.Waited < (r.After-r.Before)/2 || r.Waited > r.After) {
			t.Errorf("%s: %+v", test.name, r)
		}
	}
}

func pathOf(t *testing.T, set *tracewhy.Set, operation string) tracewhy.Path {
	t.Helper()
	for p := range set.Paths() {
		if p.Operation() == operation {
			return p
		}
	}
	t.Fatalf("no path of %s", operation)
	return tracewhy.Path{}
}

// Where a cache no longer answers, and connections to the database are all in use, their number is what spans name.
func TestResourcesCache(t *testing.T) {
	f, ok := scenario.Lookup("cache-expiry")
	if !ok {
		t.Fatal("no family cache-expiry")
	}
	limits, named := 0, 0
	for seed := range uint64(*worlds) {
		c := scenario.Generate(f, 1+seed)
		set := tracewhy.SetOf(c.Incident...)
		stated := map[string]int{}
		for i := range set.NumSpans() {
			if v, ok := set.Span(i).Attr("db.client.connection.max"); ok {
				n, _ := v.Number()
				stated[set.Span(i).Service()] = int(n)
			}
		}
		r, err := timeline.Resources(context.Background(), set.All(), timeline.ResourcesConfig{})
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range r.Resources {
			if x.Limit.N == 0 || x.Limit.Stated {
				continue
			}
			limits++
			n, ok := stated[x.Service]
			if ok {
				named++
			}
			if ok && n != x.Limit.N || !slices.Contains(c.Label.Causes[0].Services, x.Service) {
				t.Errorf("%s: %v: %+v, and spans name %d", c.Name, &x, x.Limit, n)
			}
		}
	}
	t.Logf("%d limits, of which %d are named", limits, named)
	if limits == 0 || named == 0 {
		t.Errorf("%d limits, of which %d are named", limits, named)
	}
}

// Operations that wait for connections are not said to work more, and those that work more are not said to wait.
func TestSlowdownScenarios(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long: run without -short")
	}
	for family, never := range map[string]timeline.Growth{
		"pool-exhaustion": timeline.GrowthWork, "bad-instance": timeline.GrowthWait, "bad-version": timeline.GrowthWait,
	} {
		if *worlds == 1 && family == "bad-version" {
			continue
		}
		f, ok := scenario.Lookup(family)
		if !ok {
			t.Fatalf("no family %s", family)
		}
		kinds := map[timeline.Growth]int{}
		for seed := range uint64(*worlds) {
			c := scenario.Generate(f, seed)
			isOf := map[tracewhy.TraceID]bool{}
			for i := range c.Incident {
				c.Incident[i].TraceID[0] ^= 0x80 // both windows have traces of the same numbers
				isOf[c.Incident[i].TraceID] = true
			}
			set := tracewhy.SetOf(slices.Concat(c.Baseline, c.Incident)...)
			incident := set.Select(func(t tracewhy.Trace) bool { return isOf[t.ID()] })
			for p := range set.Paths() {
				cause := c.Label.Causes[0]
				if !slices.Contains(cause.Services, p.Service()) || !slices.Contains(cause.Operations, p.Operation()) {
					continue
				}
				r, err := timeline.Slowdown(context.Background(), set.All().Minus(incident), incident, p)
				if errors.Is(err, timeline.ErrNoTraces) {
					continue
				}
				if err != nil {
					t.Fatal(err)
				}
				if kinds[r.Growth]++; r.Growth == never {
					t.Errorf("%s: %v: %+v", c.Name, p, r)
				}
			}
		}
		t.Logf("%s: %v", family, kinds)
	}
}

// Three days of half a million transactions, two million spans.
func BenchmarkResources(b *testing.B) {
	if testing.Short() {
		b.Skip("two million spans")
	}
	set := tracewhy.SetOf(logins.World{Traces: 500_000, Length: 72 * time.Hour, Slow: 0.4, Failing: 0.6, Over: 0.7}.Spans(1)...)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := timeline.Resources(context.Background(), set.All(), timeline.ResourcesConfig{}); err != nil {
			b.Fatal(err)
		}
	}
}
