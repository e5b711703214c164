package timeline_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/ingest"
	"github.com/tracewhy/tracewhy/timeline"
	"github.com/tracewhy/tracewhy/timeline/capacity"
)

// recorded reads a case, baseline and incident, and when its fault began, if that is known.
func recorded(t *testing.T, name string) (set *tracewhy.Set, fault time.Time) {
	t.Helper()
	data := os.Getenv("TRACEWHY_DATA")
	if data == "" {
		t.Skip("set TRACEWHY_DATA to the folder of recorded traces")
	}
	dir := filepath.Join(data, "cases", "hotrod", name)
	var b tracewhy.Builder
	for _, source := range []string{"baseline", "incident"} {
		if err := ingest.Files(context.Background(), &b, source, ingest.Config{}, filepath.Join(dir, source+".otlp.jsonl.gz")); err != nil {
			t.Fatal(err)
		}
	}
	set, err := b.Build(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "label.json"))
	if err != nil {
		t.Fatal(err)
	}
	var label struct {
		Start time.Time `json:"fault_start"`
	}
	if err := json.Unmarshal(text, &label); err != nil {
		t.Fatal(err)
	}
	return set, label.Start
}

// The driver service was killed in the middle of the recording.
func TestDriverDown(t *testing.T) {
	set, fault := recorded(t, "hotrod-driver-down")
	r, err := timeline.Split(context.Background(), set.All(), timeline.ChangePointsConfig{})
	if err != nil {
		t.Fatal(err)
	}
	t.Log(r.Reason)
	if d := time.Unix(0, r.Onset.Time).Sub(fault); d.Abs() > 2*time.Second || r.Measure != timeline.MeasureFailures {
		t.Errorf("the driver died at %v; by %v of %v the incident began %v later", fault, r.Measure, r.Symptom, d)
	}
	for x := range r.Incident.Traces() {
		if start := x.Root().Start(); start.Before(fault.Add(-2 * time.Second)) {
			t.Errorf("a trace of %v is in the incident", start)
		}
	}
	incident := set.Source("incident")
	c, err := timeline.ChangePoints(context.Background(), incident, timeline.ChangePointsConfig{})
	if err != nil {
		t.Fatal(err)
	}
	if c.Symptom < 0 {
		t.Fatal("no symptom in the incident's own recording")
	}
	for _, e := range c.Events {
		t.Logf("%-12v %v", e.Kind, e)
	}
	if len(c.Cascades) > 0 {
		t.Errorf("customers are called as often as before, and nothing waits: %v", c.Cascades)
	}
	if d := time.Unix(0, c.Events[c.Symptom].Time).Sub(fault); d.Abs() > 2*time.Second {
		t.Errorf("the driver died at %v, and the symptom began %v later", fault, d)
	}
}

// All transactions of the incident wait for a lock: they are another recording than the baseline, and nothing else.
func TestDatabaseMutex(t *testing.T) {
	set, _ := recorded(t, "hotrod-db-mutex")
	r, err := timeline.Split(context.Background(), set.All(), timeline.ChangePointsConfig{})
	if err != nil {
		t.Fatal(err)
	}
	t.Log(r.Reason)
	right, wrong := r.Incident.And(set.Source("incident")).Len(), r.Incident.And(set.Source("baseline")).Len()
	if all := set.Source("incident").Len(); right < all*8/10 || wrong > 0 || r.Baseline.Len() < 500 {
		t.Errorf("%d of %d traces of the incident were found, and %d of the baseline taken for it", right, all, wrong)
	}
	c, err := timeline.ChangePoints(context.Background(), set.All(), timeline.ChangePointsConfig{})
	if err != nil {
		t.Fatal(err)
	}
	isWait := false
	for _, e := range c.Events {
		isWait = isWait || strings.HasPrefix(e.Subject.String(), "mysql SQL SELECT") && e.IsWorse()
	}
	if !isWait {
		t.Errorf("the query did not become slower: %v", c.Events)
	}
}

// The query of customers waits for a lock, which no span names: it is a wait for one, and no other operation's.
func TestDatabaseMutexIsWait(t *testing.T) {
	set, _ := recorded(t, "hotrod-db-mutex")
	r, err := capacity.Resources(context.Background(), set.Source("incident"), capacity.ResourcesConfig{})
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range r.Resources {
		if isLocked := x.Limit.N == 1; isLocked != (x.Service == "mysql") || isLocked && x.Saturated() < len(r.Starts)/4 {
			t.Errorf("%v: %+v, full in %d of %d bins", &x, x.Limit, x.Saturated(), len(r.Starts))
		}
	}
	for p := range set.Paths() {
		s, err := capacity.Slowdown(context.Background(), set.Source("baseline"), set.Source("incident"), p)
		if err != nil {
			continue // of an operation that only one of both has
		}
		if isWait := s.Growth == capacity.GrowthWait; isWait != (p.Service() == "mysql") {
			t.Errorf("%v: %v: %s", p, s.Growth, s.Reason)
		}
		if s.Growth > 0 {
			t.Logf("%v: %s", p, s.Reason)
		}
	}
}
