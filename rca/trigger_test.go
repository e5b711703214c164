package rca_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/tracetext"
	"github.com/tracewhy/tracewhy/rca"
	"github.com/tracewhy/tracewhy/timeline"
)

// ledger writes a minute of traces before, and one after, that a service which asks another begins to fail ten seconds
// into; a third is asked by others.
func ledger() string {
	var b strings.Builder
	for i := range 600 {
		source, status := "baseline", ""
		if i >= 300 {
			source = "incident"
		}
		if i >= 350 && i%2 == 0 {
			status = " error"
		}
		at := i * 200
		fmt.Fprintf(&b, "trace source=%s at=%dms\nshop/pay 0+%d server%s\n  shop/post 1+%d client%s\n    ledger/post 2+%d server%s\n",
			source, at, 20+i%5, status, 15+i%3, status, 10+i%3, status)
		fmt.Fprintf(&b, "trace source=%s at=%dms\nshop/list 0+%d server\n  shop/get 1+%d client\n    stock/get 2+%d server\n",
			source, at+50, 12+i%3, 8+i%3, 5+i%2)
	}
	return b.String()
}

// second returns a moment of the traces.
func second(s float64) time.Time {
	return time.Unix(0, tracetext.Epoch+int64(s*1e9)).UTC()
}

func TestChangeThatSetItOff(t *testing.T) {
	set := tracetext.Set(ledger())
	did := timeline.Change{Time: second(69.9), Kind: "feature_flag", Service: "ledger", ID: "A", Description: "new rounding"}
	elsewhere := timeline.Change{Time: second(69), Kind: "config", Service: "stock", ID: "B"}
	late := timeline.Change{Time: second(100), Kind: "config", Service: "ledger", ID: "C"}
	longAfter := timeline.Change{Time: second(1e6), Kind: "config", Service: "ledger", ID: "D"}
	for _, c := range []struct {
		name    string
		changes []timeline.Change
		want    string   // the id of the change
		refused []string // what is said of others
	}{
		{"none recorded", nil, "", nil},
		{"the one that did", []timeline.Change{did}, "A", nil},
		{"among others", []timeline.Change{elsewhere, did, late}, "A", []string{"the config B of stock", "the config C of ledger"}},
		{"only others", []timeline.Change{elsewhere, late}, "", []string{"a recorded change set it off", "the config B of stock", "the config C of ledger"}},
		{"long after", []timeline.Change{longAfter}, "", []string{"a recorded change set it off", "the config D of ledger"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := investigate(t, set, rca.Config{Changes: c.changes})
			if len(r.RootCauses) == 0 || r.RootCauses[0].Service != "ledger" {
				t.Fatalf("causes %+v, want ledger first", r.RootCauses)
			}
			got := r.RootCauses[0]
			id := ""
			if got.Change != nil {
				id = got.Change.ID
			}
			if id != c.want {
				t.Errorf("change %+v, want %q", got.Change, c.want)
			}
			isAbout := func(x rca.RuledOut) bool { return strings.HasSuffix(x.Hypothesis, "set it off") }
			for _, want := range c.refused {
				if !slices.ContainsFunc(got.RuledOut, func(x rca.RuledOut) bool {
					return isAbout(x) && strings.HasPrefix(x.Hypothesis, want) && x.Because != ""
				}) {
					t.Errorf("ruled out is %+v, want %q", got.RuledOut, want)
				}
			}
			if len(c.refused) == 0 && slices.ContainsFunc(got.RuledOut, isAbout) {
				t.Errorf("ruled out is %+v, want nothing about changes", got.RuledOut)
			}
			if c.want == "" {
				return
			}
			if a := got.Remediation; len(a) == 0 || !strings.HasPrefix(a[0].Action, "look at undoing the feature flag A of ledger") {
				t.Errorf("remediation %+v, want to undo the change first", a)
			}
			if !slices.ContainsFunc(r.Timeline.Events, func(e rca.TimelineEvent) bool { return e.Kind == "change" && e.Time.Equal(did.Time) }) {
				t.Errorf("events %+v, want the change", r.Timeline.Events)
			}
			if !slices.IsSortedFunc(r.Timeline.Events, func(x, y rca.TimelineEvent) int { return x.Time.Compare(y.Time) }) {
				t.Errorf("events %+v, not in the order of time", r.Timeline.Events)
			}
			if r.Timeline.Onset == nil || r.Timeline.Symptom == nil || r.Timeline.Onset.After(*r.Timeline.Symptom) || r.Timeline.Onset.Before(did.Time) {
				t.Errorf("onset %v and symptom %v after a change at %v", r.Timeline.Onset, r.Timeline.Symptom, did.Time)
			}
		})
	}
}

// The order of spans and of changes, and the number of goroutines, do not matter.
func TestChangesInAnyOrder(t *testing.T) {
	spans, err := tracetext.Parse(ledger())
	if err != nil {
		t.Fatal(err)
	}
	changes := []timeline.Change{
		{Time: second(69), Kind: "config", Service: "stock", ID: "B"},
		{Time: second(69.9), Kind: "config", Service: "ledger", ID: "A"},
		{Time: second(69.9), Kind: "config", Service: "ledger", ID: "A2"},
		{Time: second(69.9), Kind: "config", Service: "shop", ID: "E"},
	}
	random := rand.New(rand.NewPCG(1, 2))
	var want []byte
	for workers := 1; workers <= 3; workers++ {
		var b tracewhy.Builder
		for i := range spans {
			b.Add(&spans[i])
		}
		set, err := b.Build(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		r := investigate(t, set, rca.Config{Changes: changes, Workers: workers})
		got, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		if want == nil {
			want = got
		}
		if !bytes.Equal(got, want) {
			t.Errorf("with %d workers\n%s\nand not\n%s", workers, got, want)
		}
		random.Shuffle(len(spans), func(i, j int) { spans[i], spans[j] = spans[j], spans[i] })
		random.Shuffle(len(changes), func(i, j int) { changes[i], changes[j] = changes[j], changes[i] })
	}
}

// Traces without times have no history: of changes nothing is said but that.
func TestChangesWithoutTimes(t *testing.T) {
	var b strings.Builder
	for i := range 400 {
		source, status := "baseline", ""
		if i >= 200 {
			source = "incident"
			if i%2 == 0 {
				status = " error"
			}
		}
		fmt.Fprintf(&b, "trace source=%s\nshop/pay ?+? server%s\n  ledger/post ?+? internal%s\n", source, status, status)
	}
	set := tracetext.Set(b.String())
	r, err := rca.Investigate(t.Context(), set.Source("baseline"), set.Source("incident"), rca.Config{
		Changes: []timeline.Change{{Time: second(1), Kind: "config", Service: "ledger", ID: "A"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.RootCauses) == 0 || r.RootCauses[0].Change != nil || r.Timeline.Onset != nil || r.Timeline.Symptom != nil {
		t.Errorf("causes %+v, timeline %+v", r.RootCauses, r.Timeline)
	}
	if !slices.ContainsFunc(r.Warnings, func(w tracewhy.Warning) bool { return w.Code == "changes_no_times" }) {
		t.Errorf("warnings %+v", r.Warnings)
	}
}
