package evaluate

import (
	"context"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/rca"
	"github.com/tracewhy/tracewhy/timeline"
)

// Question is what is known of a case by whoever has to say what broke.
type Question struct {
	Baseline, Incident tracewhy.Cohort
	Changes            []timeline.Change // that were recorded, if any
}

// Ranker is a method that names suspects. Rank must give the same answer for the same question, and
// stop soon after ctx is cancelled.
type Ranker struct {
	Name string
	Rank func(context.Context, Question) (*Answer, error)
}

// byTraces makes a ranker of a method that asks for traces alone.
func byTraces(name string, rank func(ctx context.Context, baseline, incident tracewhy.Cohort) (*Answer, error)) Ranker {
	return Ranker{name, func(ctx context.Context, q Question) (*Answer, error) { return rank(ctx, q.Baseline, q.Incident) }}
}

// Answer is what a ranker says about a case.
type Answer struct {
	// Verdict is VerdictIncident where the ranker stands by its suspects, VerdictNeedMore where it lists
	// them without doing so, and VerdictNoIncident where it sees nothing. The last two are abstentions.
	Verdict rca.Verdict
	// Services are the suspected services, each once, by falling score. Equal scores are a tie: each
	// order among them is then taken to be equally probable, so that no ranker gains or loses by the
	// order in which it happens to list its suspects.
	Services []Suspect
	// Operations are the suspected operations likewise, each pair of service and operation once.
	Operations []Suspect
}

// Suspect is a service or an operation that may be the culprit.
type Suspect struct {
	Service   string
	Operation string  // "" among Answer.Services
	Score     float64 // larger is more suspicious; comparable within one answer only
	// Cause is what the ranker says beyond the name; nil if that is nothing.
	Cause *rca.RootCause
}

// answerOf returns a report's root causes as an answer: services and operations keep their order, and
// each keeps the first cause that names it.
func answerOf(report *rca.Report) *Answer {
	a := &Answer{Verdict: report.Verdict}
	services := map[string]bool{}
	operations := map[rca.Step]bool{}
	for i := range report.RootCauses {
		c := &report.RootCauses[i]
		score := 1 / float64(i+1)
		if !services[c.Service] {
			services[c.Service] = true
			a.Services = append(a.Services, Suspect{Service: c.Service, Score: score, Cause: c})
		}
		key := rca.Step{Service: c.Service, Operation: c.Operation}
		if !operations[key] {
			operations[key] = true
			a.Operations = append(a.Operations, Suspect{c.Service, c.Operation, score, c})
		}
	}
	return a
}
