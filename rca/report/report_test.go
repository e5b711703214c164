package report_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/golden"
	"github.com/tracewhy/tracewhy/rca"
	"github.com/tracewhy/tracewhy/rca/report"
)

func render(t *testing.T, r *rca.Report, cfg report.Config) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := report.Text(&b, r, cfg); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// poolExhaustion is a report with every part filled as an investigation would.
func poolExhaustion() *rca.Report {
	onset := time.Date(2026, 11, 22, 6, 30, 38, 250e6, time.UTC)
	symptom := onset.Add(24500 * time.Millisecond)
	return &rca.Report{
		Schema:  rca.Schema,
		Verdict: rca.VerdictIncident,
		Population: rca.Population{
			Traces: 24010, Spans: 312130, BaselineTraces: 20000, IncidentTraces: 4010, Failing: 694, Slow: 1120,
			OutcomeRule: "a trace failed if its primary root span failed",
			Problems:    []rca.ProblemCount{{Code: tracewhy.ProblemOrphan, Count: 212}, {Code: tracewhy.ProblemOutsideParent, Count: 1402}},
		},
		Symptoms: []rca.Symptom{
			{Kind: "error", What: "POST /payments", Unit: "share", Baseline: 0.0213, Incident: 0.1731, Excess: rca.Interval{Value: 0.1518, Low: 0.1389, High: 0.1652}, Q: 1e-9},
			{Kind: "latency", What: "p95 of POST /payments", Unit: "ms", Baseline: 212.4, Incident: 2140, Excess: rca.Interval{Value: 1927.6, Low: 1850, High: 2012}, Q: 0.00031},
		},
		RootCauses: []rca.RootCause{{
			Rank: 1, Service: "fraud-guard", Operation: "pool.acquire",
			Path:         []rca.Step{{Service: "gateway", Operation: "POST /payments"}, {Service: "card-auth", Operation: "authorize"}, {Service: "fraud-guard", Operation: "check"}, {Service: "fraud-guard", Operation: "pool.acquire"}},
			Kind:         "wait",
			Mechanism:    "connection pool exhaustion",
			Conditions:   []rca.Condition{{Key: "volume.period", Op: tracewhy.OpEqual, Value: "high"}, {Key: "cards", Op: tracewhy.OpAtLeast, Value: int64(3)}, {Key: "retry", Op: tracewhy.OpMissing}},
			Scope:        rca.ScopeConditions,
			FaultDomain:  "internal",
			Owner:        "payments-risk",
			Change:       &rca.ChangeRef{ID: "deploy-4711", Kind: "deployment", Time: onset.Add(-40 * time.Second), Service: "fraud-guard", Description: "rules read the history twice", Support: 0.97, Dormancy: 40_000, Delay: rca.Unknown()},
			Confidence:   0.932,
			Attributable: rca.Attributable{Of: "error", Interval: rca.Interval{Value: 0.957, Low: 0.91, High: 0.99}},
			Evidence: []rca.Evidence{
				{Claim: "check waits before its first call: median 1.8s, 3ms before; on average this adds to a transaction", Unit: rca.UnitMillis, TraceIDs: []string{"4bf92f3577b34da6a3ce929d0e0e4736", "0af7651916cd43dd8448eb211c80319c"}, Interval: rca.Interval{Value: 1804, Low: 1710, High: 1893}, Q: 1e-12},
				{Claim: "the query itself takes as long as before: difference", Unit: rca.UnitMillis, Interval: rca.Interval{Value: 0.12, Low: -0.4, High: 0.6}, Q: rca.Unknown()},
				{Claim: "share of failing traces that fail at pool.acquire", Unit: rca.UnitShare, Interval: rca.Interval{Value: 0.98, Low: 0.96, High: rca.Unknown()}, Q: 1e-7},
				{Claim: "a fourth", Interval: rca.Interval{Value: rca.Unknown()}},
			},
			RuledOut: []rca.RuledOut{
				{Hypothesis: "slow fraud database", Because: "queries take 3.1 ms, as before (difference -0.4 to 0.6 ms)"},
				{Hypothesis: "network between card-auth and fraud-guard", Because: "client-to-server gap unchanged at 0.8 ms"},
			},
			Remediation: []rca.Remediation{{Action: "raise the pool of fraud-guard above 20 connections", Why: "all 20 are in use for 97 % of the time"}},
			Summary:     "Card authorisations wait for a database connection in fraud-guard when volume.period is high, and give up after 2 s.",
		}, {
			Rank: 2, Service: "card-auth", Edge: &rca.Edge{From: "card-auth", To: "fraud-guard"}, Operation: "check", Kind: "network", FaultDomain: "undetermined", Scope: rca.ScopeUndetermined, Confidence: 0.031,
		}},
		NoneOfThese: 0.037,
		CauseSet:    []int{1},
		Timeline:    rca.Timeline{Onset: &onset, Symptom: &symptom},
		Next:        []rca.NextStep{{Query: `{ resource.service.name = "fraud-guard" && name = "pool.acquire" && duration > 1s }`, Why: "shows every transaction that waited"}},
		Warnings:    []tracewhy.Warning{{Code: "baseline_small", Message: "The baseline has few traces at night.", Count: 1}, {Code: "weight_capped", Message: "Sampling weights were capped.", Count: 12, TraceID: "4bf92f3577b34da6a3ce929d0e0e4736"}},
	}
}

func TestText(t *testing.T) {
	full := poolExhaustion()
	needMore := poolExhaustion()
	needMore.Verdict = rca.VerdictNeedMore
	needMore.RootCauses[0].Confidence = 0.41
	needMore.RootCauses[0].Conditions = nil
	needMore.RootCauses[0].Scope = rca.ScopeUnexplained
	needMore.RootCauses[0].Change = nil
	needMore.Timeline = rca.Timeline{}
	for _, tc := range []struct {
		name   string
		report *rca.Report
		cfg    report.Config
	}{
		{"incident.txt", full, report.Config{}},
		{"incident-color.txt", full, report.Config{Color: true}},
		{"incident-narrow.txt", full, report.Config{Width: 40}},
		{"need-more.txt", needMore, report.Config{}},
		{"no-incident.txt", &rca.Report{Schema: rca.Schema, Verdict: rca.VerdictNoIncident, Population: full.Population, NoneOfThese: rca.Unknown()}, report.Config{}},
		{"details.txt", detailed(), report.Config{}},
		{"empty.txt", &rca.Report{}, report.Config{}},
	} {
		t.Run(tc.name, func(t *testing.T) { golden.Check(t, tc.name, render(t, tc.report, tc.cfg)) })
	}
}

// detailed is a report with everything that lies below the first screen.
func detailed() *rca.Report {
	r := poolExhaustion()
	at := *r.Timeline.Onset
	r.FailureModes = []rca.FailureMode{{ID: "M1", Service: "fraud-guard", Operation: "pool.acquire", Conditions: r.RootCauses[0].Conditions, Scope: rca.ScopeConditions, Coverage: 0.98, Prevalence: 0.04, Traces: 640, Share: 0.922, ExemplarTraceIDs: []string{"4bf92f3577b34da6a3ce929d0e0e4736"}, RootCauseRank: 1}}
	r.Dependencies = []rca.Dependency{{Name: "credit-bureau", Vendor: "CreditScoringCorp", External: true, Grade: "B", Calls: 18012, ErrorRate: 0.0004, ThrottleRate: rca.Unknown(), TimeoutRate: 0.001, P95: 180, Influence: 0.02}}
	for i := range 8 {
		r.Timeline.Events = append(r.Timeline.Events, rca.TimelineEvent{Time: at.Add(time.Duration(i) * time.Second), Kind: "propagation", Service: "card-auth", What: "p95 rises", Evidence: []string{"0af7651916cd43dd8448eb211c80319c"}})
	}
	r.Impact = rca.Impact{
		Journeys:   []rca.JourneyImpact{{Journey: "card payment", Attempts: 4010, Completed: 3100, Abandoned: 216, Failed: 694, ExcessLost: rca.Interval{Value: 609, Low: 557, High: 662}}},
		Segments:   []rca.SegmentImpact{{Key: "customer.segment", Value: "premium", Rate: 0.21, Excess: rca.Interval{Value: 0.19, Low: 0.15, High: 0.23}}},
		Thresholds: []rca.Threshold{{Journey: "card payment", Operation: "POST /payments", Threshold: 1800, Low: 1500, High: 2200}},
		Money:      []rca.Money{{What: "lost fees", Unit: "USD", Horizon: "incident", Interval: rca.Interval{Value: 4120, Low: 3500, High: 5000}, Driver: "failed payments"}},
		Ranking:    []rca.RankChange{{Service: "fraud-guard", Operation: "check", TechnicalRank: 3, BusinessRank: 1}},
	}
	return r
}
