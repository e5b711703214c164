package capacity_test

import (
	"context"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/scenario"
	"github.com/tracewhy/tracewhy/timeline/capacity"
	"github.com/tracewhy/tracewhy/timeline/internal/logins"
)

var worlds = flag.Int("worlds", 1, "how many generated cases of each family to look at")

// The mean wait, the number that wait and the utilisation are those of A. K. Erlang's C formula (1917).
func TestErlang(t *testing.T) {
	for _, as := range []recordedAs{waitWithin, waitBefore, waitSpan} {
		q := queue{servers: 4, load: 0.8, as: as, service: exponential}
		kind := capacity.Dependency
		if as == waitSpan {
			kind = capacity.Pool
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
	resources := func(spans []tracewhy.SpanData, workers int) *capacity.ResourcesResult {
		r, err := capacity.Resources(context.Background(), tracewhy.SetOf(spans...).All(), capacity.ResourcesConfig{Workers: workers})
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
	all := find(t, q.resources(t, 1, 500), capacity.Dependency)
	q.weight = 10
	sample := q.resources(t, 1, 500)
	x := find(t, sample, capacity.Dependency)
	for b := range sample.Starts {
		if math.Abs(x.InFlight[b]-10*all.InFlight[b]) > 1e-9 || x.Arrivals[b] != 10*all.Arrivals[b] || x.Time[b] != all.Time[b] {
			t.Fatalf("bin %d: %v, %v and %v of a sample, and %v, %v and %v of all",
				b, x.InFlight[b], x.Arrivals[b], x.Time[b], all.InFlight[b], all.Arrivals[b], all.Time[b])
		}
	}
	if x.Limit.N != 0 || all.Limit.N != 3 || !slices.ContainsFunc(sample.Warnings, func(w tracewhy.Warning) bool { return w.Code == capacity.WarningWeighted }) {
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
			r, err := capacity.Resources(context.Background(), tracewhy.SetOf(c.Incident...).All(), capacity.ResourcesConfig{})
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
	r, err := capacity.Resources(context.Background(), set.All(), capacity.ResourcesConfig{})
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
		r, err := capacity.Resources(context.Background(), set.All(), capacity.ResourcesConfig{})
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

// Three days of half a million transactions, two million spans.
func BenchmarkResources(b *testing.B) {
	if testing.Short() {
		b.Skip("two million spans")
	}
	set := tracewhy.SetOf(logins.World{Traces: 500_000, Length: 72 * time.Hour, Slow: 0.4, Failing: 0.6, Over: 0.7}.Spans(1)...)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := capacity.Resources(context.Background(), set.All(), capacity.ResourcesConfig{}); err != nil {
			b.Fatal(err)
		}
	}
}
