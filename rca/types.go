package rca

import (
	"math"
	"strconv"
	"time"

	"github.com/tracewhy/tracewhy"
)

// Schema names the version of the JSON that a Report marshals to.
const Schema = "tracewhy.report/v1"

// Report is the answer of an investigation: what broke, why, whose it is, since when, and what it
// costs, with the evidence. It is plain data that marshals to the JSON described by
// docs/report.schema.json. Durations are milliseconds, shares and rates lie in [0, 1], unknown numbers
// are NaN (null in JSON), unknown times nil, and lists are never null in JSON.
type Report struct {
	Schema     string        `json:"schema"`
	Verdict    Verdict       `json:"verdict"`
	Population Population    `json:"population"`
	Symptoms   List[Symptom] `json:"symptoms"`
	// RootCauses are ranked, the one that would make most of the incident vanish first. They are empty if nothing
	// changed. Where it is known that some hit different transactions, each of them is of an incident of its
	// own, and their confidences may add up to more than 1.
	RootCauses List[RootCause] `json:"root_causes"`
	// NoneOfThese is the probability that the cause is not among RootCauses, of the first incident.
	NoneOfThese Number `json:"none_of_these"`
	// CauseSet lists the ranks that together hold the cause with the calibrated probability.
	CauseSet     List[int]              `json:"cause_set"`
	FailureModes List[FailureMode]      `json:"failure_modes"`
	Dependencies List[Dependency]       `json:"dependencies"`
	Timeline     Timeline               `json:"timeline"`
	Impact       Impact                 `json:"impact"`
	Next         List[NextStep]         `json:"next"`
	Warnings     List[tracewhy.Warning] `json:"warnings"`
}

// Verdict is what an investigation ends with.
type Verdict string

// The verdicts. NeedMore still lists ranked causes: none of them reached the confidence to be acted on.
const (
	VerdictIncident   Verdict = "incident"
	VerdictNoIncident Verdict = "no_incident"
	VerdictNeedMore   Verdict = "need_more"
)

// Number is a float64 that marshals to null where it is not finite, and else with at most six
// significant digits, so that the same result has the same bytes everywhere.
type Number float64

// Unknown is the Number that says that there is none.
func Unknown() Number { return Number(math.NaN()) }

// IsKnown reports whether n is finite.
func (n Number) IsKnown() bool { return !math.IsNaN(float64(n)) && !math.IsInf(float64(n), 0) }

// MarshalJSON implements json.Marshaler.
func (n Number) MarshalJSON() ([]byte, error) {
	if !n.IsKnown() {
		return []byte("null"), nil
	}
	if n == 0 {
		return []byte("0"), nil // without a sign
	}
	b := strconv.AppendFloat(nil, float64(n), 'g', 6, 64)
	f, err := strconv.ParseFloat(string(b), 64)
	if err != nil {
		return nil, err
	}
	format := byte('f')
	if a := math.Abs(f); a < 1e-6 || a >= 1e15 {
		format = 'e'
	}
	return strconv.AppendFloat(b[:0], f, format, -1, 64), nil
}

// UnmarshalJSON implements json.Unmarshaler: null is unknown.
func (n *Number) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*n = Unknown()
		return nil
	}
	f, err := strconv.ParseFloat(string(b), 64)
	*n = Number(f)
	return err
}

// Interval is an estimate with its 95 % confidence interval; limits that the data do not bound are
// unknown.
type Interval struct {
	Value Number `json:"value"`
	Low   Number `json:"low"`
	High  Number `json:"high"`
}

// Population says what was examined.
type Population struct {
	Traces         int                `json:"traces"`
	Spans          int                `json:"spans"`
	BaselineTraces int                `json:"baseline_traces"`
	IncidentTraces int                `json:"incident_traces"`
	Failing        int                `json:"failing"` // of the incident's traces
	Slow           int                `json:"slow"`    // of the incident's traces: slower than 99 % of the baseline of their root operation
	OutcomeRule    string             `json:"outcome_rule"`
	Problems       List[ProblemCount] `json:"problems"`
}

// ProblemCount counts one kind of oddity of the data: see the Problem constants of package tracewhy.
type ProblemCount struct {
	Code  string `json:"code"`
	Count int    `json:"count"`
}

// Symptom is something that changed for whoever uses the system.
type Symptom struct {
	Kind     string   `json:"kind"` // error, latency, throughput, abandonment or structure
	What     string   `json:"what"`
	Unit     string   `json:"unit"` // share, ms or per_s
	Baseline Number   `json:"baseline"`
	Incident Number   `json:"incident"`
	Excess   Interval `json:"excess"`
	Q        Number   `json:"q"`
}

// RootCause is one explanation of the symptoms, with the evidence for and against it.
type RootCause struct {
	Rank int `json:"rank"` // from 1
	// Service is the service at fault. For an external or uninstrumented peer it is the peer's name,
	// also when it has no span of its own; for a network edge it is the callee.
	Service   string     `json:"service"`
	Edge      *Edge      `json:"edge"`      // nil unless the cause lies between two services
	Operation string     `json:"operation"` // the span's name, or its template where names vary
	Path      List[Step] `json:"path"`      // from the root to the culprit
	Kind      string     `json:"kind"`      // error, latency, wait, network, throttling, structure, resource or absence
	Mechanism string     `json:"mechanism"` // in words, such as "connection pool exhaustion"
	Instance  string     `json:"instance"`  // the instance at fault, if it is one
	// Conditions all hold for the affected, and not for most others who pass the culprit in the same window.
	// They are empty unless Scope is [ScopeConditions].
	Conditions   List[Condition]   `json:"conditions"`
	Scope        Scope             `json:"scope"`        // how far it is known whom it hits
	FaultDomain  string            `json:"fault_domain"` // internal, external, boundary or undetermined
	Vendor       string            `json:"vendor"`
	Owner        string            `json:"owner"`
	Change       *ChangeRef        `json:"change"`     // nil when no change explains it
	Confidence   Number            `json:"confidence"` // the share of such answers that are right
	Attributable Attributable      `json:"attributable"`
	Evidence     List[Evidence]    `json:"evidence"`
	RuledOut     List[RuledOut]    `json:"ruled_out"`
	Remediation  List[Remediation] `json:"remediation"`
	Summary      string            `json:"summary"` // one sentence
}

// Edge is a call from one service to another.
type Edge struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// Step is one call of a path.
type Step struct {
	Service   string `json:"service"`
	Operation string `json:"operation"`
}

// Condition is a [tracewhy.Condition] as the report writes it: see [ConditionOf].
type Condition struct {
	// Service is whose resource has the attribute, where that is another service than the culprit's; "" for
	// the culprit's own, and for attributes of spans.
	Service string      `json:"service"`
	Key     string      `json:"key"`
	Op      tracewhy.Op `json:"op"`
	// Value keeps its JSON type: nil, a bool, a string, an int64, a [Number], or a list of these.
	Value any `json:"value"`
}

// ChangeRef names the change that set a cause off: a recorded one, or a deployment that spans show, which has no ID.
type ChangeRef struct {
	ID          string    `json:"id"`
	Kind        string    `json:"kind"`
	Time        time.Time `json:"time"`
	Service     string    `json:"service"`
	Description string    `json:"description"`
	Support     Number    `json:"support"` // the probability that it did
	// Dormancy is from the change until what was changed began to go worse, and Delay until transactions did,
	// in milliseconds.
	Dormancy Number `json:"dormancy_ms"`
	Delay    Number `json:"delay_ms"`
}

// Attributable is the share of a symptom's excess that would vanish without the cause.
type Attributable struct {
	Of string `json:"of"` // the symptom's kind
	Interval
}

// Units of evidence.
const (
	UnitShare     = "share"
	UnitMillis    = "ms"
	UnitOddsRatio = "odds_ratio"
)

// Evidence is a claim with its number and the traces that show it.
type Evidence struct {
	Claim    string       `json:"claim"`
	TraceIDs List[string] `json:"trace_ids"`
	Unit     string       `json:"unit"` // [UnitShare], [UnitMillis], [UnitOddsRatio], or "" where there is no number
	Interval
	Q Number `json:"q"`
}

// RuledOut is an alternative explanation and the number that refutes it.
type RuledOut struct {
	Hypothesis string `json:"hypothesis"`
	Because    string `json:"because"`
}

// Remediation is what to do about a cause.
type Remediation struct {
	Action string `json:"action"`
	Why    string `json:"why"`
}

// FailureMode is a group of failing traces that fail in the same way.
type FailureMode struct {
	ID        string `json:"id"`
	Service   string `json:"service"`
	Operation string `json:"operation"`
	// Conditions tell the mode's traces from all others of the incident with the same root operations, those
	// that fail in another way included.
	Conditions List[Condition] `json:"conditions"`
	Scope      Scope           `json:"scope"` // how far it is known what tells them
	// Coverage is the share of the mode's traces that meet the conditions, Prevalence that of the others.
	// They are unknown without conditions.
	Coverage         Number       `json:"coverage"`
	Prevalence       Number       `json:"prevalence"`
	Traces           int          `json:"traces"`
	Share            Number       `json:"share"`
	ExemplarTraceIDs List[string] `json:"exemplar_trace_ids"`
	RootCauseRank    int          `json:"root_cause_rank"` // 0: none
}

// Dependency is the scorecard of something that services call.
type Dependency struct {
	Name         string `json:"name"`
	Vendor       string `json:"vendor"`
	External     bool   `json:"external"`
	Grade        string `json:"grade"`
	Calls        int    `json:"calls"`
	ErrorRate    Number `json:"error_rate"`
	ThrottleRate Number `json:"throttle_rate"`
	TimeoutRate  Number `json:"timeout_rate"`
	P95          Number `json:"p95_ms"`
	Influence    Number `json:"influence"`
}

// Timeline says when things happened.
type Timeline struct {
	Onset   *time.Time          `json:"onset"`
	Symptom *time.Time          `json:"symptom"`
	Events  List[TimelineEvent] `json:"events"`
}

// TimelineEvent is one thing that happened.
type TimelineEvent struct {
	Time     time.Time    `json:"time"`
	Kind     string       `json:"kind"` // change, precursor, onset, propagation, impact or recovery
	Service  string       `json:"service"`
	What     string       `json:"what"`
	Evidence List[string] `json:"evidence"` // trace ids
}

// Impact says what the incident cost.
type Impact struct {
	Journeys   List[JourneyImpact] `json:"journeys"`
	Segments   List[SegmentImpact] `json:"segments"`
	Thresholds List[Threshold]     `json:"thresholds"`
	Money      List[Money]         `json:"money"`
	Ranking    List[RankChange]    `json:"ranking"`
}

// JourneyImpact counts what became of the attempts at one journey.
type JourneyImpact struct {
	Journey    string   `json:"journey"`
	Attempts   int      `json:"attempts"`
	Completed  int      `json:"completed"`
	Abandoned  int      `json:"abandoned"`
	Failed     int      `json:"failed"`
	ExcessLost Interval `json:"excess_lost"`
}

// SegmentImpact is the loss in one segment of customers or traffic.
type SegmentImpact struct {
	Key    string   `json:"key"`
	Value  string   `json:"value"`
	Rate   Number   `json:"rate"`
	Excess Interval `json:"excess"`
}

// Threshold is a latency beyond which customers give up.
type Threshold struct {
	Journey   string `json:"journey"`
	Operation string `json:"operation"`
	Threshold Number `json:"threshold_ms"`
	Low       Number `json:"low"`
	High      Number `json:"high"`
}

// Money is a loss in a currency.
type Money struct {
	What    string `json:"what"`
	Unit    string `json:"unit"`
	Horizon string `json:"horizon"`
	Interval
	Driver string `json:"driver"`
}

// RankChange sets an operation's technical rank beside its business rank.
type RankChange struct {
	Service       string `json:"service"`
	Operation     string `json:"operation"`
	TechnicalRank int    `json:"technical_rank"`
	BusinessRank  int    `json:"business_rank"`
}

// NextStep is a query, or data to record, that would decide between what is left.
type NextStep struct {
	Query string `json:"query"`
	Why   string `json:"why"`
}
