package rca_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tracewhy/tracewhy/internal/tracetext"
	"github.com/tracewhy/tracewhy/rca"
)

// slowing writes traces of a shop whose store becomes slow for two in five of those that pass it, while more come that do not.
// They begin after so many seconds.
func slowing(after int) string {
	var b strings.Builder
	for i := range 600 {
		source, work := "baseline", 10
		if i >= 300 {
			source = "incident"
		}
		if i >= 360 {
			work = 200
		}
		at := after*1000 + i*200
		fmt.Fprintf(&b, "trace source=%s at=%dms\nshop/pay 0+%d server\n  store/write 1+%d server\n", source, at, work+10+i%4, work+i%3)
		if i%10 == 0 || i >= 340 && i%2 == 0 {
			fmt.Fprintf(&b, "trace source=%s at=%dms\nshop/list 0+%d server\n", source, at+70, 6+i%3)
		}
	}
	return b.String()
}

func timelineOf(t *testing.T, after int, cfg rca.Config) rca.Timeline {
	t.Helper()
	set := tracetext.Set(slowing(after))
	r := investigate(t, set, cfg)
	if len(r.RootCauses) == 0 || r.RootCauses[0].Service != "store" {
		t.Fatalf("causes %+v, want store", r.RootCauses)
	}
	return r.Timeline
}

func TestTimelineSaysSinceWhen(t *testing.T) {
	got := timelineOf(t, 0, rca.Config{})
	if got.Onset == nil || got.Symptom == nil {
		t.Fatalf("%+v", got)
	}
	const began = 72.0 // seconds
	for _, at := range []time.Time{*got.Onset, *got.Symptom} {
		if off := at.Sub(second(began)); off < -3*time.Second || off > 3*time.Second {
			t.Errorf("%v, want about %v", at, second(began))
		}
	}
	if !slices.ContainsFunc(got.Events, func(e rca.TimelineEvent) bool {
		return e.Kind == "onset" && e.Service == "store" && len(e.Evidence) > 0
	}) {
		t.Errorf("no onset at store that names traces in %+v", got.Events)
	}
	for _, e := range got.Events { // more of one kind is the mix, not the incident
		if strings.Contains(e.What, "shop list") && strings.Contains(e.What, "a bin") {
			t.Errorf("the report tells of %q", e.What)
		}
	}
}

// All times of a report move with those of the traces.
func TestTimelineMovesWithTheTraces(t *testing.T) {
	const by = 86_400 * 40
	was, is := timelineOf(t, 0, rca.Config{}), timelineOf(t, by, rca.Config{})
	if len(was.Events) != len(is.Events) || was.Onset == nil || was.Symptom == nil {
		t.Fatalf("%+v, later %+v", was, is)
	}
	moved := func(x, y time.Time) bool { return y.Sub(x) == by*time.Second }
	if !moved(*was.Onset, *is.Onset) || !moved(*was.Symptom, *is.Symptom) {
		t.Errorf("onset %v and symptom %v, later %v and %v", was.Onset, was.Symptom, is.Onset, is.Symptom)
	}
	for i := range was.Events {
		if x, y := was.Events[i], is.Events[i]; !moved(x.Time, y.Time) || x.Kind != y.Kind || x.Service != y.Service {
			t.Errorf("event %+v, later %+v", x, y)
		}
	}
}
