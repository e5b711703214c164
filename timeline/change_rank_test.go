package timeline_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/tracetext"
	"github.com/tracewhy/tracewhy/timeline"
	"github.com/tracewhy/tracewhy/timeline/internal/logins"
)

// early is twelve hours in which the database is slow from 02:30 on, and logins fail from 08:45 to 11:00.
var early = logins.World{Traces: 4000, Length: 12 * time.Hour, Slow: 2.5 / 12, Failing: 8.75 / 12, Over: 11.0 / 12}

func clockTime(hour, minute int) time.Time {
	return time.Unix(0, tracetext.Epoch).UTC().Add(time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute)
}

// decoys are changes that did nothing: on the way of what failed, shortly before or after it began, and elsewhere.
func decoys() []timeline.Change {
	return []timeline.Change{
		{Time: clockTime(8, 20), Kind: "deployment", Service: "auth", ID: "auth", Description: "new version"},
		{Time: clockTime(6, 0), Kind: "config", Service: "gateway", ID: "gateway", Description: "log level raised"},
		{Time: clockTime(9, 30), Kind: "scaling", Service: "auth", ID: "late", Description: "scaled out"},
		{Time: clockTime(2, 31), Kind: "maintenance", Service: "mail", ID: "mail", Description: "restarted"},
	}
}

var index = timeline.Change{Time: clockTime(2, 30), Kind: "maintenance", Service: "users-db", ID: "index", Description: "index rebuilt"}

func rank(t *testing.T, spans []tracewhy.SpanData, changes []timeline.Change, cfg timeline.RankConfig) *timeline.RankResult {
	t.Helper()
	r, err := timeline.RankChanges(context.Background(), tracewhy.SetOf(spans...).All(), changes, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func ExampleRankChanges() {
	set := tracewhy.SetOf(early.Spans(1)...)
	r, err := timeline.RankChanges(context.Background(), set.All(), append(decoys(), index), timeline.RankConfig{})
	if err != nil {
		fmt.Println(err)
		return
	}
	best := r.Changes[r.Best]
	fmt.Println(best.Change.ID, best.Change.Description)
	fmt.Println("dormant for", best.Dormancy.Round(time.Minute), "and", best.Delay.Round(time.Minute), "before the symptom")
	// Output:
	// index index rebuilt
	// dormant for 0s and 6h15m0s before the symptom
}

// The change is named among decoys, and none of them where it is withheld.
func TestRankChanges(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long: run without -short")
	}
	for seed := range uint64(2) {
		spans := early.Spans(seed)
		for _, culprit := range []string{"", "auth", "users-db"} {
			cfg := timeline.RankConfig{Culprit: culprit}
			r := rank(t, spans, append(decoys(), index), cfg)
			if r.Best != 0 || r.Changes[0].Change.ID != "index" {
				t.Errorf("seed %d, culprit %q: %s", seed, culprit, r.Reason)
			}
			if r := rank(t, spans, decoys(), cfg); r.Best != -1 || r.None < 0.5 {
				t.Errorf("seed %d, culprit %q: without the change %s", seed, culprit, r.Reason)
			}
			sum := r.None
			for _, c := range r.Changes {
				sum += c.Support
				switch {
				case c.Change.ID == "late" && (c.Support != 0 || !slices.Contains(c.Against, "the incident had begun before it was made")):
					t.Errorf("a change after the symptom: %+v", c)
				case c.Change.ID == "mail" && (c.AffectedShare != 0 || c.Support > 0.01 || !c.Undetermined):
					t.Errorf("a change of what no trace passed: %+v", c)
				}
			}
			if sum < 0.999 || sum > 1.001 {
				t.Errorf("supports add up to %v", sum)
			}
		}
	}
}

func TestRankChangesWithoutIncident(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long: run without -short")
	}
	w := early
	w.Failing, w.Slow = 2, 2
	if r := rank(t, w.Spans(1), append(decoys(), index), timeline.RankConfig{}); r.Best != -1 || r.None != 1 || len(r.Changes) != 5 {
		t.Errorf("best %d, none %v of %d changes: %s", r.Best, r.None, len(r.Changes), r.Reason)
	}
	if _, err := timeline.RankChanges(context.Background(), tracewhy.Cohort{}, nil, timeline.RankConfig{}); err != timeline.ErrNoTraces {
		t.Errorf("of no traces: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := timeline.RankChanges(ctx, tracewhy.SetOf(w.Spans(1)...).All(), nil, timeline.RankConfig{}); err != context.Canceled {
		t.Errorf("cancelled: %v", err)
	}
}

// The order of spans and changes, the number of workers, and the time of all do not matter; names do not either.
func TestRankChangesOfTheSame(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long: run without -short")
	}
	w := early
	w.Traces = 1500
	changes := append(decoys(), index)
	want := rank(t, w.Spans(3), changes, timeline.RankConfig{Workers: 1})

	spans := w.Spans(3)
	r := rand.New(rand.NewPCG(1, 2))
	r.Shuffle(len(spans), func(i, j int) { spans[i], spans[j] = spans[j], spans[i] })
	r.Shuffle(len(changes), func(i, j int) { changes[i], changes[j] = changes[j], changes[i] })
	if got := rank(t, spans, changes, timeline.RankConfig{Workers: 7}); !reflect.DeepEqual(got, want) {
		t.Errorf("shuffled, with other workers: %s; want %s", got.Reason, want.Reason)
	}

	const shift = 72 * time.Hour
	for i := range spans {
		spans[i].Start, spans[i].End = spans[i].Start+uint64(shift), spans[i].End+uint64(shift)
	}
	renamed := map[string]string{"gateway": "zebra", "auth": "yak", "users-db": "ant", "mail": "bee"}
	for i := range changes {
		changes[i].Time, changes[i].Service = changes[i].Time.Add(shift), renamed[changes[i].Service]
	}
	for i := range spans {
		res := *spans[i].Resource
		res.Attributes = slices.Clone(res.Attributes)
		for j, a := range res.Attributes {
			if a.Key == "service.name" {
				res.Attributes[j] = tracewhy.String(a.Key, renamed[a.Value.Str()])
			}
		}
		spans[i].Resource = &res
		spans[i].Attributes = slices.Clone(spans[i].Attributes)
		for j, a := range spans[i].Attributes {
			if a.Key == "server.address" {
				spans[i].Attributes[j] = tracewhy.String(a.Key, renamed[a.Value.Str()])
			}
		}
	}
	got := rank(t, spans, changes, timeline.RankConfig{})
	for i, c := range got.Changes {
		x := want.Changes[i]
		if c.Change.ID != x.Change.ID || c.Support != x.Support || c.Evidence != x.Evidence || c.Delay != x.Delay || c.Dormancy != x.Dormancy {
			t.Errorf("renamed and later, place %d: %s %v, want %s %v", i, c.Change.ID, c.Support, x.Change.ID, x.Support)
		}
	}
}

// canary is a service of which a new version fails, on one in four executions after the first half.
func canary(recorded bool) (*tracewhy.Set, []timeline.Change) {
	var text strings.Builder
	for i := range 800 {
		version, status := "1.0", 200
		if i >= 400 && i%4 == 0 {
			version = "1.1"
			if i%8 == 0 {
				status = 500
			}
		}
		fmt.Fprintf(&text, "trace t%d at=%ds\n", i, 5*i)
		fmt.Fprintf(&text, "shop/GET 0+%d server http.response.status_code=%d resource.service.version=7\n", 40+i%7, status)
		fmt.Fprintf(&text, "  cart/GET 1+%d server http.response.status_code=%d resource.service.version=%s\n", 20+i%5, status, version)
	}
	var changes []timeline.Change
	if recorded {
		changes = []timeline.Change{
			{Time: time.Unix(0, tracetext.Epoch).Add(1990 * time.Second), Kind: "deployment", Service: "cart", ID: "CHG-1", Description: "1.1 over 1.0"},
			{Time: time.Unix(0, tracetext.Epoch).Add(1980 * time.Second), Kind: "config", Service: "shop", ID: "CHG-2"},
		}
	}
	return tracetext.Set(text.String()), changes
}

// A deployment that nobody recorded is seen in spans, and one that somebody did is the same.
func TestDeployments(t *testing.T) {
	set, _ := canary(false)
	got, err := timeline.Deployments(context.Background(), set.All())
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 1 || got[0].Service != "cart" || got[0].Version != "1.1" || got[0].Share < 0.24 || got[0].Share > 0.26 ||
		got[0].Until.Sub(time.Unix(0, tracetext.Epoch)).Round(time.Second) != 2000*time.Second || !got[0].Time.Before(got[0].Until) {
		t.Errorf("%+v", got)
	}
	for _, recorded := range []bool{false, true} {
		set, changes := canary(recorded)
		r, err := timeline.RankChanges(context.Background(), set.All(), changes, timeline.RankConfig{})
		if err != nil {
			t.Fatal(err)
		}
		if r.Best != 0 {
			t.Fatalf("recorded %t: %s", recorded, r.Reason)
		}
		best := r.Changes[0]
		if best.Change.Service != "cart" || best.Change.ID != map[bool]string{true: "CHG-1"}[recorded] || best.Seen.Version != "1.1" {
			t.Errorf("recorded %t: %+v", recorded, best)
		}
		if best.On == 0 || best.OffAffected != 0 || 2*best.OnAffected < best.On-4 {
			t.Errorf("recorded %t: of %d on the new version %d, of %d off it %d", recorded, best.On, best.OnAffected, best.Off, best.OffAffected)
		}
	}
}
