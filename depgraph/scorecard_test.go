package depgraph_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/depgraph"
	"github.com/tracewhy/tracewhy/internal/tracetext"
)

func card(t *testing.T, set *tracewhy.Set, name string, synthetic bool) depgraph.Scorecard {
	t.Helper()
	r, err := depgraph.Scorecards(context.Background(), set.Source("baseline"), set.Source("incident"), depgraph.Config{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range r.Cards {
		if c.Name == name && c.Synthetic == synthetic {
			return c
		}
	}
	t.Fatalf("no card of %s", name)
	return depgraph.Scorecard{}
}

func TestGrades(t *testing.T) {
	for _, c := range []struct {
		name   string
		broken window
		want   depgraph.Grade
		reason string
	}{
		{"as before", window{}, depgraph.GradeHealthy, ""},
		{"slow", window{bureauSlow: 60}, depgraph.GradeDegraded, "p95 rose"},
		{"some errors", window{bureauFail: 0.05}, depgraph.GradeDegraded, "of calls fail"},
		{"many errors", window{bureauFail: 0.3}, depgraph.GradeFailing, "availability fell"},
		{"wrong requests are no outage", window{reject: 0.3}, depgraph.GradeDegraded, "of calls fail"},
		{"throttled", window{every: 100, limit: 8}, depgraph.GradeFailing, "are throttled"},
		{"too few", window{traces: 10, bureauFail: 1}, depgraph.GradeUnknown, "10 traces of the incident"},
		{"our own pool", window{poolSpan: true, poolFail: 0.3}, depgraph.GradeHealthy, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := card(t, worlds(t, 3, window{}, c.broken), "CreditBureau", false)
			has := slices.ContainsFunc(got.Reasons, func(r string) bool { return strings.Contains(r, c.reason) })
			if got.Grade != c.want || c.reason != "" && !has {
				t.Errorf("got %s because of %q", got.Grade, got.Reasons)
			}
			if c.want == depgraph.GradeHealthy && got.Incident.P99.IsKnown() {
				t.Error("a p99 of 300 traces")
			}
		})
	}
}

// Traces of tests have cards of their own, and no part in the verdict.
func TestSyntheticApart(t *testing.T) {
	spans := slices.Concat(world(1, "baseline", window{traces: 100}), world(1, "incident", window{traces: 100}),
		world(2, "baseline", window{traces: 100, synthetic: true}), world(2, "incident", window{traces: 100, synthetic: true, bureauFail: 0.5}))
	set := tracewhy.SetOf(spans...)
	if c := card(t, set, "CreditBureau", false); c.Grade != depgraph.GradeHealthy || c.Incident.Traces != 100 {
		t.Errorf("customers: %s, %q", c.Grade, c.Reasons)
	}
	if c := card(t, set, "CreditBureau", true); c.Grade != depgraph.GradeFailing || c.Incident.Traces != 100 {
		t.Errorf("tests: %s, %q", c.Grade, c.Reasons)
	}
	if r := judge(t, set, depgraph.Config{}); r.Domain != depgraph.DomainUndetermined || r.Traces != [2]int{100, 100} {
		t.Errorf("verdict %+v", r)
	}
}

func TestVolume(t *testing.T) {
	got := card(t, worlds(t, 4, window{}, window{traces: 600, every: 500}), "CreditBureau", false).Volume
	if got.Low > 2 || got.High < 2 || got.Low < 1.5 || got.High > 2.5 {
		t.Errorf("twice as many calls a second: %v", got)
	}
}

func TestInfluence(t *testing.T) {
	r, err := depgraph.Influence(context.Background(), tracetext.Set(`a/r 0+100 server
  a/x 10+40 client server.address=serial.vendor.com
  a/y 55+40 client server.address=slower.vendor.com
  a/z 55+30 client server.address=faster.vendor.com
trace two
a/r 0+100 server
  a/x 10+40 client server.address=serial.vendor.com`).All(), depgraph.Config{})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string][2]float64{}
	for _, d := range r.Dependencies {
		got[d.Name] = [2]float64{d.OnPath.Value, d.Saved.Value}
	}
	// The slower of two calls at once holds the end up, and without it the other one would.
	for name, want := range map[string][2]float64{"serial.vendor.com": {0.4, 0.4}, "slower.vendor.com": {0.2, 0.05}} {
		if got[name] != want {
			t.Errorf("%s: on the path and saved %v, want %v", name, got[name], want)
		}
	}
	if _, ok := got["faster.vendor.com"]; ok {
		t.Error("what nobody waits for has an influence")
	}
}

func TestAudit(t *testing.T) {
	r, err := depgraph.Audit(context.Background(), tracetext.Set(`a/r 0+100 server
  a/1 1+1 client dependency.type=external dependency.vendor="Credit Scoring Corp" dependency.owner=lending server.address=api.scoring.com
  a/2 3+1 client dependency.type=external dependency.vendor=CREDIT-SCORING dependency.owner=lending
  a/3 5+1 client server.address=api.scoring.com
  a/4 7+1 client server.address=push.vendor.com
  a/5 9+1 client dependency.type=external dependency.vendor=Near server.address=10.0.0.7
  a/6 11+1 client server.address=ledger
    ledger/x 11+1 server`).All(), depgraph.Config{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range r.Findings {
		got = append(got, string(f.Kind)+": "+strings.Join(f.Names, ", "))
	}
	want := []string{
		"conflict: Near", "no owner: Near", "no owner: push.vendor.com", "partly: Credit Scoring Corp",
		"spelling: CREDIT-SCORING, Credit Scoring Corp", "untagged: push.vendor.com",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
}

// What instrumentation writes by Tags is what the analyses read.
func TestTags(t *testing.T) {
	tags := depgraph.Tags{Vendor: "CreditScoringCorp", Category: "credit-scoring", Criticality: "high", Owner: "lending"}
	want := []tracewhy.KeyValue{
		tracewhy.String("dependency.type", "external"), tracewhy.String("dependency.vendor", "CreditScoringCorp"),
		tracewhy.String("dependency.service_category", "credit-scoring"), tracewhy.String("dependency.criticality", "high"),
		tracewhy.String("dependency.owner", "lending"),
	}
	got := tags.Attributes()
	if diff := cmp.Diff(want, got, cmp.Comparer(func(x, y tracewhy.Value) bool { return x.Equal(y) })); diff != "" {
		t.Errorf("attributes (-want +got):\n%s", diff)
	}
	s := tracetext.Trace("pay/x 0+5 client").Root().Data()
	s.Attributes = got
	n := node(t, build(t, tracewhy.SetOf(s), depgraph.Config{}), "dependency:CreditScoringCorp")
	if n.Class.Domain != depgraph.DomainExternal || n.Vendor != tags.Vendor || n.Category != tags.Category || n.Criticality != tags.Criticality || n.Owner != tags.Owner {
		t.Errorf("got %+v", n)
	}
	if kv := (depgraph.Tags{Internal: true}).Attributes(); len(kv) != 1 || kv[0].Value.Str() != "internal" {
		t.Errorf("got %v for something internal", kv)
	}
}
