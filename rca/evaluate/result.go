package evaluate

import (
	"cmp"
	"slices"
	"strings"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/rca"
)

// Result is what an evaluation found, as plain data: for people see [Result.WriteText].
type Result struct {
	Rankers []string `json:"rankers"`
	Focus   string   `json:"focus"` // the ranker that WriteText breaks down
	// Groups hold the cases of one dataset each, by name; if there are several, another named "all"
	// follows that holds every case.
	Groups []Group `json:"groups"`
	// Cases are in the order in which they were given.
	Cases []CaseResult `json:"cases"`
}

// Group sums up some cases.
type Group struct {
	Name      string `json:"name"`
	Incidents int    `json:"incidents"`
	Quiet     int    `json:"quiet"`
	// Scores are in the order of Result.Rankers.
	Scores []Score `json:"scores"`
	// Kinds break the group down by scenario and fault type, and have no kinds themselves.
	Kinds []Group `json:"kinds"`
}

// Score is how well one ranker did on a group of cases.
type Score struct {
	Ranker string `json:"ranker"`
	// Coverage is the share of incidents in which the ranker stood by its answer.
	Coverage Proportion `json:"coverage"`
	// Services is the accuracy in naming services, over the incidents with known causes. An abstention is
	// a miss, whatever it lists.
	Services Accuracy `json:"services"`
	// Listed is the same accuracy of what is listed, also where the ranker does not stand by it.
	Listed Accuracy `json:"listed"`
	// Operations is the accuracy in naming operations, over the incidents of which they are known.
	Operations Accuracy `json:"operations"`
	// Conditions, FaultDomain and Change are the shares of first answers that name a right service and
	// also the conditions (all of them, and at most one more), the fault domain (and the vendor, if the
	// label has one), and the change, each over the incidents of which it is known.
	Conditions  Proportion `json:"conditions"`
	FaultDomain Proportion `json:"fault_domain"`
	Change      Proportion `json:"change"`
	// ConditionsAlone is the share of first answers that state the conditions whatever service they name, and
	// Unfounded that of those that state any although no cause of the label has one.
	ConditionsAlone Proportion `json:"conditions_alone"`
	Unfounded       Proportion `json:"unfounded_conditions"`
	// FalseAlarms is the share of quiet cases in which an incident was claimed or a cause was listed.
	FalseAlarms Proportion `json:"false_alarms"`
	// Detection compares the claim that there is an incident with the truth.
	Detection Confusion `json:"detection"`
	// Calibration is that of the first answers' confidence, where any had one.
	Calibration *Calibration `json:"calibration"`

	states bool // whether any first answer has a condition
}

// CaseResult is what became of one case.
type CaseResult struct {
	Name      string  `json:"name"`
	Dataset   string  `json:"dataset"` // the label's, or else its scenario
	Scenario  string  `json:"scenario"`
	FaultType string  `json:"fault_type"`
	Incident  bool    `json:"incident"`
	Causes    []Cause `json:"causes"`
	// Outcomes are in the order of Result.Rankers.
	Outcomes []Outcome `json:"outcomes"`
}

// Outcome is how one ranker did on one case.
type Outcome struct {
	Ranker  string      `json:"ranker"`
	Verdict rca.Verdict `json:"verdict"`
	// Service and Operation are the first answer's, "" if there is none.
	Service    string     `json:"service"`
	Operation  string     `json:"operation"`
	Confidence rca.Number `json:"confidence"`
	// Rank is that of the first right service, expected over the orders of ties; unknown where none is
	// listed. ServiceHits and OperationHits are the case's AC@1 to AC@5 of what is listed.
	Rank          rca.Number        `json:"rank"`
	ServiceHits   [Depth]rca.Number `json:"service_hits"`
	OperationHits [Depth]rca.Number `json:"operation_hits"`
	// Conditions, FaultDomain and Change are nil where the label does not say.
	Conditions  *bool `json:"conditions"`
	FaultDomain *bool `json:"fault_domain"`
	Change      *bool `json:"change"`
	// ConditionsAlone leaves the service out. Unfounded is whether any are stated where the label has none, and
	// nil where it has.
	ConditionsAlone *bool `json:"conditions_alone"`
	Unfounded       *bool `json:"unfounded_conditions"`

	service, operation placement
	states             bool // whether the first answer has any condition
}

// kind returns what a group is broken down by.
func (c *CaseResult) kind() string {
	if c.Scenario == c.Dataset {
		return c.FaultType
	}
	return strings.TrimSpace(c.Scenario + " " + c.FaultType)
}

// abstained reports whether the ranker does not stand by an answer.
func (o *Outcome) abstained() bool { return o.Verdict != rca.VerdictIncident }

func hasOperations(c Cause) bool { return len(c.Operations) > 0 }

func namesService(c Cause, s Suspect) bool { return slices.Contains(c.Services, s.Service) }

func namesOperation(c Cause, s Suspect) bool {
	return namesService(c, s) && slices.Contains(c.Operations, s.Operation)
}

// outcome compares an answer with what is true.
func outcome(ranker string, a *Answer, label *Label) Outcome {
	o := Outcome{Ranker: ranker, Verdict: a.Verdict, Confidence: rca.Unknown()}
	o.service = place(a.Services, label.Causes, namesService)
	o.Rank = rca.Number(o.service.rank)
	var located []Cause
	for _, c := range label.Causes {
		if hasOperations(c) {
			located = append(located, c)
		}
	}
	o.operation = place(a.Operations, located, namesOperation)
	for k := range Depth {
		o.ServiceHits[k] = rca.Number(o.service.hits[k])
		o.OperationHits[k] = rca.Number(o.operation.hits[k])
	}
	var said rca.RootCause // the first answer
	if len(a.Services) > 0 {
		first := a.Services[0]
		o.Service = first.Service
		if len(a.Operations) > 0 && a.Operations[0].Service == first.Service {
			o.Operation = a.Operations[0].Operation
		}
		if first.Cause != nil {
			said = *first.Cause
			o.Confidence = said.Confidence
		}
	}
	// What is known of the true causes, and of which the first answer is one.
	known := func(has func(Cause) bool, agrees func(Cause) bool) *bool {
		if !slices.ContainsFunc(label.Causes, has) {
			return nil
		}
		right := slices.ContainsFunc(label.Causes, func(c Cause) bool {
			return has(c) && slices.Contains(c.Services, o.Service) && agrees(c)
		})
		return &right
	}
	o.Conditions = known(
		func(c Cause) bool { return len(c.Conditions) > 0 },
		func(c Cause) bool { return conditionsMatch(said.Conditions, c.Conditions) })
	o.states = len(said.Conditions) > 0
	if o.Conditions != nil {
		right := slices.ContainsFunc(label.Causes, func(c Cause) bool {
			return len(c.Conditions) > 0 && conditionsMatch(said.Conditions, c.Conditions)
		})
		o.ConditionsAlone = &right
	} else if len(label.Causes) > 0 {
		states := o.states
		o.Unfounded = &states
	}
	o.FaultDomain = known(
		func(c Cause) bool { return c.FaultDomain != "" },
		func(c Cause) bool {
			return c.FaultDomain == said.FaultDomain && (c.Vendor == "" || c.Vendor == said.Vendor)
		})
	o.Change = known(
		func(c Cause) bool { return c.ChangeID != "" },
		func(c Cause) bool { return said.Change != nil && said.Change.ID == c.ChangeID })
	return o
}

// conditionsMatch reports whether said states all of the true conditions, as equalities or as elements
// of a list, and at most one more.
func conditionsMatch(said []rca.Condition, truth map[string]any) bool {
	states := func(key string, value tracewhy.Value) bool {
		return slices.ContainsFunc(said, func(c rca.Condition) bool {
			return c.Key == key && (c.Op == tracewhy.OpEqual || c.Op == tracewhy.OpHas) && sameValue(valueOf(c.Value), value)
		})
	}
	needed := 0
	for key, value := range truth {
		if _, isList := value.([]any); !isList && states(key, valueOf(value)) {
			needed++
			continue
		}
		parts := partsOf(value)
		for _, part := range parts {
			if !states(key, part) {
				return false
			}
		}
		needed += len(parts)
	}
	return len(said) <= needed+1
}

// sumUp makes the groups of the result.
func (r *Result) sumUp(cfg Config) {
	all := make([]*CaseResult, len(r.Cases))
	for i := range r.Cases {
		all[i] = &r.Cases[i]
	}
	r.Groups = r.split(all, cfg, func(c *CaseResult) string { return c.Dataset }, (*CaseResult).kind)
	if len(r.Groups) > 1 {
		r.Groups = append(r.Groups, r.group("all", all, cfg, (*CaseResult).kind))
	}
}

// split groups cases by a key, and breaks each group down by another, unless that is nil.
func (r *Result) split(cases []*CaseResult, cfg Config, by, then func(*CaseResult) string) []Group {
	sorted := slices.Clone(cases)
	slices.SortStableFunc(sorted, func(a, b *CaseResult) int { return cmp.Compare(by(a), by(b)) })
	groups := []Group{}
	for from := 0; from < len(sorted); {
		to := from
		for to < len(sorted) && by(sorted[to]) == by(sorted[from]) {
			to++
		}
		groups = append(groups, r.group(by(sorted[from]), sorted[from:to], cfg, then))
		from = to
	}
	return groups
}

func (r *Result) group(name string, cases []*CaseResult, cfg Config, by func(*CaseResult) string) Group {
	g := Group{Name: name, Scores: []Score{}, Kinds: []Group{}}
	for _, c := range cases {
		if c.Incident {
			g.Incidents++
		} else {
			g.Quiet++
		}
	}
	for i, ranker := range r.Rankers {
		g.Scores = append(g.Scores, score(ranker, i, cases, cfg))
	}
	if by != nil {
		g.Kinds = r.split(cases, cfg, by, nil)
	}
	return g
}

// score sums up the outcomes of ranker number i.
func score(ranker string, i int, cases []*CaseResult, cfg Config) Score {
	s := Score{Ranker: ranker}
	var services, listed, operations []placement
	var conditions, alone, unfounded, domain, change tally
	var forecasts []Forecast
	covered, incidents, alarms, quiet := 0, 0, 0, 0
	for _, c := range cases {
		o := &c.Outcomes[i]
		s.Detection.Add(!o.abstained(), c.Incident)
		if o.Confidence.IsKnown() && (len(c.Causes) > 0 || !c.Incident) {
			forecasts = append(forecasts, Forecast{float64(o.Confidence), o.service.hits[0] == 1})
		}
		if !c.Incident {
			quiet++
			if !o.abstained() || o.Service != "" {
				alarms++
			}
			continue
		}
		incidents++
		if !o.abstained() {
			covered++
		}
		if len(c.Causes) == 0 {
			continue // nothing to find
		}
		stood, stoodBy := o.service, o.operation
		if o.abstained() {
			stood, stoodBy = placement{}, placement{}
		}
		services = append(services, stood)
		listed = append(listed, o.service)
		if slices.ContainsFunc(c.Causes, hasOperations) {
			operations = append(operations, stoodBy)
		}
		s.states = s.states || o.states
		conditions.add(o.Conditions)
		alone.add(o.ConditionsAlone)
		unfounded.add(o.Unfounded)
		domain.add(o.FaultDomain)
		change.add(o.Change)
	}
	s.Coverage = proportion(float64(covered), incidents)
	s.Services, s.Listed, s.Operations = accuracy(services), accuracy(listed), accuracy(operations)
	s.Conditions, s.FaultDomain, s.Change = conditions.share(), domain.share(), change.share()
	s.ConditionsAlone, s.Unfounded = alone.share(), unfounded.share()
	s.FalseAlarms = proportion(float64(alarms), quiet)
	if len(forecasts) > 0 {
		calibration := Calibrate(forecasts, cfg.Bins, cfg.Seed)
		s.Calibration = &calibration
	}
	return s
}

// tally counts answers to a question that not every case asks.
type tally struct{ hits, of int }

func (t *tally) add(right *bool) {
	if right != nil {
		t.of++
		if *right {
			t.hits++
		}
	}
}

func (t *tally) share() Proportion { return proportion(float64(t.hits), t.of) }
