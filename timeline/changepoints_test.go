package timeline_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/scenario"
	"github.com/tracewhy/tracewhy/internal/tracetext"
	"github.com/tracewhy/tracewhy/timeline"
	"github.com/tracewhy/tracewhy/timeline/internal/logins"
)

// morning is twelve hours from midnight: what a cache answered until 07:15 is asked of the database from then on, and
// from 08:45 to 11:00 logins fail.
var morning = logins.World{Traces: 6000, Length: 12 * time.Hour, Slow: 7.25 / 12, Failing: 8.75 / 12, Over: 11.0 / 12}

// Who is slow is served: a slowness that everybody notices comes before the failures, and is no better time either.
func TestFailuresAreTheSymptom(t *testing.T) {
	w := logins.World{Traces: 6000, Length: 12 * time.Hour, Slow: 0.4, Failing: 0.8, Over: 1}
	set := tracewhy.SetOf(w.Slowed(1, 200*time.Millisecond)...)
	r, err := timeline.Split(context.Background(), set.All(), timeline.ChangePointsConfig{})
	if err != nil {
		t.Fatal(err)
	}
	at := func(share float64) time.Duration { return time.Duration(share * float64(w.Length)) }
	onset := time.Duration(r.Onset.Time - tracetext.Epoch)
	if d := onset - at(w.Failing); r.Measure != timeline.MeasureFailures || d.Abs() > 10*time.Minute {
		t.Errorf("%s from %v on, want failures from %v", r.Measure, onset, at(w.Failing))
	}
	for x := range r.Baseline.Traces() {
		if start, _, _ := x.Interval(); time.Duration(start-tracetext.Epoch) > at(w.Slow)+10*time.Minute {
			t.Fatalf("a trace of better times began at %v, and all are slow from %v on", time.Duration(start-tracetext.Epoch), at(w.Slow))
		}
	}
}

func ExampleSplit() {
	set := tracewhy.SetOf(morning.Spans(1)...)
	r, err := timeline.Split(context.Background(), set.All(), timeline.ChangePointsConfig{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(r.Reason)
	// Output:
	// gateway POST /login: failures from 0.67 % to 40 % from 2024-01-01T08:45:00Z until 2024-01-01T11:00:00Z; 4288 traces of better times, 1121 of the incident
}

func ExampleChangePoints() {
	set := tracewhy.SetOf(morning.Spans(1)...)
	r, err := timeline.ChangePoints(context.Background(), set.All(), timeline.ChangePointsConfig{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, e := range r.Precursors() {
		fmt.Println(e.Lead, "before:", e)
	}
	fmt.Println("symptom:", r.Events[r.Symptom])
	for _, p := range r.Propagation {
		fmt.Println(r.Events[p.From].Subject, "then", r.Events[p.To].Subject, "after", p.Delay)
	}
	// Output:
	// 1h30m0s before: users-db: calls longer than the median from 27 % to 100 %, median from 1.68ms to 6.66ms at 2024-01-01T07:15:00Z
	// 1h30m0s before: auth SELECT users: calls longer than the median from 27 % to 100 %, median from 1.68ms to 6.66ms at 2024-01-01T07:15:00Z
	// symptom: gateway POST /login: failures from 0.67 % to 40 % at 2024-01-01T08:45:00Z
	// users-db then auth after 1h30m0s
}

// What changes is seen within a bin, in the right order; and where nothing changes nothing is.
func TestChanges(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long: run without -short")
	}
	w := logins.World{Traces: 4000, Length: time.Hour, Slow: 0.3, Failing: 0.6, Over: 0.8}
	moment := func(share float64) int64 { return tracetext.Epoch + int64(share*float64(w.Length)) }
	for seed := range uint64(2) {
		set := tracewhy.SetOf(w.Spans(seed)...)
		r, err := timeline.ChangePoints(context.Background(), set.All(), timeline.ChangePointsConfig{Seed: seed})
		if err != nil {
			t.Fatal(err)
		}
		within := func(what string, at int64, share float64) {
			if d := time.Duration(at - moment(share)); d.Abs() > r.Series.Bin {
				t.Errorf("seed %d: %s is off by %v, with bins of %v", seed, what, d, r.Series.Bin)
			}
		}
		if r.Symptom < 0 {
			t.Fatalf("seed %d: no symptom in %v", seed, r.Events)
		}
		symptom := r.Events[r.Symptom]
		if within("the symptom", symptom.Time, w.Failing); symptom.Measure != timeline.MeasureFailures {
			t.Errorf("seed %d: the symptom is %v", seed, symptom)
		}
		first := r.Precursors()
		if len(first) == 0 {
			t.Fatalf("seed %d: no precursors in %v", seed, r.Events)
		}
		within("the first precursor", first[0].Time, w.Slow)
		isDB := func(e timeline.Event) bool {
			return e.Subject.Kind == timeline.SubjectDependency && e.Subject.Service == "users-db"
		}
		if !slices.ContainsFunc(first, isDB) {
			t.Errorf("seed %d: the database is no precursor: %v", seed, first)
		}
		recovered := slices.ContainsFunc(r.Events, func(e timeline.Event) bool {
			return e.Kind == timeline.EventRecovery && e.Subject == symptom.Subject && time.Duration(e.Time-moment(w.Over)).Abs() <= r.Series.Bin
		})
		if !recovered {
			t.Errorf("seed %d: no recovery: %v", seed, r.Events)
		}
		certain := slices.ContainsFunc(r.Propagation, func(p timeline.Propagation) bool {
			return isDB(r.Events[p.From]) && r.Events[p.To].Subject.Service == "auth"
		})
		if !certain {
			t.Errorf("seed %d: the database did not propagate: %v", seed, r.Propagation)
		}
		for _, e := range r.Events {
			if !(e.First <= e.Time && e.Time <= e.Last && e.P <= 0.05 && e.Q <= 0.05) {
				t.Errorf("seed %d: %v, from %d to %d, P %v, Q %v", seed, e, e.First, e.Last, e.P, e.Q)
			}
		}
	}
	for seed := range uint64(2) {
		calm := logins.Calm(3000, time.Hour)
		r, err := timeline.ChangePoints(context.Background(), tracewhy.SetOf(calm.Spans(seed)...).All(), timeline.ChangePointsConfig{Seed: seed})
		if err != nil {
			t.Fatal(err)
		}
		if r.Symptom >= 0 || len(r.Events) > 0 {
			t.Errorf("seed %d: nothing changed, but %v", seed, r.Events)
		}
	}
}

func TestSplit(t *testing.T) {
	for _, test := range []struct {
		name             string
		w                logins.World
		onset, recovery  float64 // 0 for none
		baseline, within [2]float64
	}{
		{"an incident that ends", logins.World{Traces: 3000, Length: time.Hour, Slow: 0.5, Failing: 0.5, Over: 0.7}, 0.5, 0.7, [2]float64{0, 0.5}, [2]float64{0.5, 0.7}},
		{"one that goes on", logins.World{Traces: 3000, Length: time.Hour, Slow: 0.8, Failing: 0.8, Over: 1}, 0.8, 0, [2]float64{0, 0.8}, [2]float64{0.8, 1}},
		{"one that was there before", logins.World{Traces: 3000, Length: time.Hour, Slow: 0, Failing: 0, Over: 0.3}, 0, 0.3, [2]float64{0.3, 1}, [2]float64{0, 0.3}},
		{"a short one in three days", logins.World{Traces: 6000, Length: 72 * time.Hour, Slow: 0.5, Failing: 0.5, Over: 0.54}, 0.5, 0.54, [2]float64{0, 0.5}, [2]float64{0.5, 0.54}},
	} {
		set := tracewhy.SetOf(test.w.Spans(3)...)
		r, err := timeline.Split(context.Background(), set.All(), timeline.ChangePointsConfig{})
		if err != nil {
			t.Fatal(err)
		}
		check := func(what string, part tracewhy.Cohort, want [2]float64) {
			count := 0
			for x := range part.Traces() {
				start, _, _ := x.Interval()
				if at := float64(start-tracetext.Epoch) / float64(test.w.Length); at < want[0]-0.01 || at > want[1]+0.01 {
					count++
				}
			}
			if all := (want[1] - want[0]) * float64(test.w.Traces); float64(part.Len()) < 0.8*all || count > 0 {
				t.Errorf("%s: the %s has %d traces of about %.0f, and %d of another time; %s", test.name, what, part.Len(), all, count, r.Reason)
			}
		}
		check("baseline", r.Baseline, test.baseline)
		check("incident", r.Incident, test.within)
		for _, x := range []struct {
			what string
			e    timeline.Event
			want float64
		}{{"onset", r.Onset, test.onset}, {"recovery", r.Recovery, test.recovery}} {
			at := float64(x.e.Time-tracetext.Epoch) / float64(test.w.Length)
			if x.want == 0 && x.e != (timeline.Event{}) || x.want > 0 && (at < x.want-0.01 || at > x.want+0.01) {
				t.Errorf("%s: the %s is at %v, want %v", test.name, x.what, at, x.want)
			}
		}
	}
	calm := logins.Calm(2000, time.Hour)
	r, err := timeline.Split(context.Background(), tracewhy.SetOf(calm.Spans(1)...).All(), timeline.ChangePointsConfig{})
	if err != nil || r.Baseline.Len() != 0 || r.Incident.Len() != 0 || r.Reason == "" {
		t.Errorf("nothing changed: %+v, %v", r, err)
	}
	// What is said to be seen is: the next larger share of failures, for a tenth of the time.
	if r.Detectable < 0.02 || r.Detectable > 0.2 {
		t.Errorf("failures of %v would have been seen", r.Detectable)
	}
	few := logins.Calm(30, time.Hour)
	if r, err := timeline.Split(context.Background(), tracewhy.SetOf(few.Spans(1)...).All(), timeline.ChangePointsConfig{}); err != nil || r.Detectable < 0.4 {
		t.Errorf("of 30 traces: failures of %v would have been seen, %v", r.Detectable, err)
	}
}

// Where nothing is found it is said what would have been: most incidents of half as many failures again are.
func TestSplitDetectable(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long: run without -short")
	}
	const seeds = 12
	calm := logins.Calm(2000, time.Hour)
	seen := 0
	for seed := range uint64(seeds) {
		spans := calm.Spans(seed)
		r, err := timeline.Split(context.Background(), tracewhy.SetOf(spans...).All(), timeline.ChangePointsConfig{})
		if err != nil {
			t.Fatal(err)
		}
		random := rand.New(rand.NewPCG(seed, 8))
		for i := 0; i < len(spans); i += 4 { // a trace has four spans, its root first
			at := float64(spans[i].Start-tracetext.Epoch) / float64(calm.Length)
			if 0.6 <= at && at < 0.7 && random.Float64() < 1.5*r.Detectable {
				spans[i].Status = tracewhy.StatusError
			}
		}
		if r, err = timeline.Split(context.Background(), tracewhy.SetOf(spans...).All(), timeline.ChangePointsConfig{}); err != nil {
			t.Fatal(err)
		}
		if r.Incident.Len() > 0 {
			seen++
		}
	}
	if seen < seeds*3/4 {
		t.Errorf("%d of %d were seen", seen, seeds)
	}
}

// Generated incidents of a bank, baseline and incident in one recording: what is called the incident is of it.
func TestSplitScenarios(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long: run without -short")
	}
	split, incidents, alarms := 0, 0, 0
	for _, f := range scenario.Families() {
		for seed := range uint64(*worlds) {
			c := scenario.Generate(f, seed+1)
			var b tracewhy.Builder
			for i, spans := range [][]tracewhy.SpanData{c.Baseline, c.Incident} {
				for _, s := range spans {
					s.Source = [...]string{"baseline", "incident"}[i]
					b.Add(&s)
				}
			}
			set, err := b.Build(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			r, err := timeline.Split(context.Background(), set.All(), timeline.ChangePointsConfig{})
			if err != nil {
				t.Fatal(err)
			}
			right := r.Incident.And(set.Source("incident")).Len()
			t.Logf("%s %d: %d of %d right; %s", f.Name, seed, right, r.Incident.Len(), r.Reason)
			switch {
			case !c.Label.Incident && r.Incident.Len() > 0:
				alarms++
			case c.Label.Incident:
				incidents++
				if r.Incident.Len() > 0 && r.Baseline.Len() > 0 && right*10 >= r.Incident.Len()*9 {
					split++
				}
			}
		}
	}
	t.Logf("%d of %d incidents were split, %d false alarms", split, incidents, alarms)
	if alarms > *worlds || split*10 < incidents*6 {
		t.Errorf("%d of %d incidents were split, with %d false alarms", split, incidents, alarms)
	}
}

func TestChangesIsDeterministic(t *testing.T) {
	spans := logins.World{Traces: 800, Length: time.Hour, Slow: 0.5, Failing: 0.7, Over: 1}.Spans(2)
	var want []string
	for try := range 3 {
		rand.New(rand.NewPCG(uint64(try), 9)).Shuffle(len(spans), func(i, j int) { spans[i], spans[j] = spans[j], spans[i] })
		set := tracewhy.SetOf(spans...)
		r, err := timeline.ChangePoints(context.Background(), set.All(), timeline.ChangePointsConfig{Workers: 1 + try})
		if err != nil {
			t.Fatal(err)
		}
		got := []string{fmt.Sprintf("%+v", r.Series), fmt.Sprintf("%+v", r.Events), fmt.Sprintf("%+v", r.Propagation)}
		if want == nil {
			want = got
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("in another order, with %d workers, it differs", 1+try)
		}
	}
}

// A week later the same happens a week later.
func TestChangesLaws(t *testing.T) {
	spans := logins.World{Traces: 1200, Length: time.Hour, Slow: 2, Failing: 0.6, Over: 0.8}.Spans(6)
	events := func() []timeline.Event {
		r, err := timeline.Split(context.Background(), tracewhy.SetOf(spans...).All(), timeline.ChangePointsConfig{})
		if err != nil {
			t.Fatal(err)
		}
		return []timeline.Event{r.Onset, r.Recovery}
	}
	want := events()
	if want[0].Time == 0 || want[1].Time == 0 {
		t.Fatalf("no incident: %v", want)
	}
	const week = 7 * 24 * time.Hour
	for i := range spans {
		spans[i].Start += uint64(week)
		spans[i].End += uint64(week)
	}
	for i, e := range events() {
		e.Time, e.First, e.Last = e.Time-int64(week), e.First-int64(week), e.Last-int64(week)
		if e != want[i] {
			t.Errorf("a week later: %+v, want %+v", e, want[i])
		}
	}
}

func TestChangesHostile(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	set := tracewhy.SetOf(logins.World{Traces: 600, Length: time.Hour, Slow: 0.5, Failing: 0.7, Over: 1}.Spans(2)...)
	if _, err := timeline.ChangePoints(ctx, set.All(), timeline.ChangePointsConfig{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if _, err := timeline.ChangePoints(context.Background(), tracewhy.Cohort{}, timeline.ChangePointsConfig{}); !errors.Is(err, timeline.ErrNoTraces) {
		t.Errorf("no traces: %v", err)
	}
	if _, err := timeline.Split(context.Background(), tracetext.Set("a/x ?+?").All(), timeline.ChangePointsConfig{}); !errors.Is(err, timeline.ErrNoTraces) {
		t.Errorf("no times: %v", err)
	}
	for _, text := range []string{"a/x 0+0", "a/x -1+5", "a/x 0+1\ntrace b at=100000000000\nb/x 0+1"} {
		spans, err := tracetext.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		for _, cfg := range []timeline.SeriesConfig{{}, {Bin: 1}, {Bin: 1 << 62}, {Start: 1, End: 2}, {Start: -1 << 62, End: 1 << 62}} {
			r, err := timeline.ChangePoints(context.Background(), tracewhy.SetOf(spans...).All(), timeline.ChangePointsConfig{Series: cfg})
			if err == nil && len(r.Series.Starts) > 4096 {
				t.Errorf("%q: %d bins", text, len(r.Series.Starts))
			}
		}
	}
	// One clock was never set, and another is of the next century: the others still have their bins.
	spans := logins.Calm(600, time.Hour).Spans(5)
	for i, at := range []uint64{1, 9_000_000_000_000_000_000} {
		spans[4*i].Start, spans[4*i].End = at, at+5
	}
	r, err := timeline.Series(context.Background(), tracewhy.SetOf(spans...).All(), timeline.SeriesConfig{})
	if err != nil || r.Bin > 2*time.Minute || len(r.Starts) < 20 {
		t.Errorf("%d bins of %v, %v", len(r.Starts), r.Bin, err)
	}
}
