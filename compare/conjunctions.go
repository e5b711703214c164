package compare

import (
	"context"

	"github.com/tracewhy/tracewhy"
)

// ConjunctionsConfig adjusts [Conjunctions]. Its zero value is the documented default.
type ConjunctionsConfig struct {
	// AttributesConfig means what it does for [Attributes]; MaxListed is not used.
	AttributesConfig
	// MaxConditions bounds how many conditions are combined, to 3 at most; 0 means 3.
	MaxConditions int
	// MaxTraces bounds how many traces are searched; 0 means 1,000. Of more, a sample is: half of it traces of
	// the incident, if there are so many. The figures of what is found are of all traces.
	MaxTraces int
}

// Conjunction is a combination of conditions, of which a trace meets all.
type Conjunction struct {
	Conditions []AttributeCondition `json:"conditions"` // by key
	// Aliases[i] can each stand for Conditions[i]: the combination then holds for exactly the same traces.
	Aliases [][]AttributeCondition `json:"aliases"`
	// Echoes would be findings by themselves, and add nothing among traces that the findings tell apart.
	Echoes []AttributeCondition `json:"echoes"`
	// Traces is how many traces meet the combination, and Known of how many that is known, of the baseline and
	// of the incident. Coverage and Prevalence are their shares, of the incident and of the baseline.
	Traces     [2]int  `json:"traces"`
	Known      [2]int  `json:"known"`
	Coverage   float64 `json:"coverage"`
	Prevalence float64 `json:"prevalence"`
	// OddsRatio, Marginal and RiskDifference are as in [AttributeFinding]; Marginal is 1 where nothing is known.
	OddsRatio      tracewhy.Estimate `json:"odds_ratio"`
	Marginal       float64           `json:"marginal_odds_ratio"`
	RiskDifference tracewhy.Estimate `json:"risk_difference"`
	// Lifts[i] is what Conditions[i] adds among traces that meet the others.
	Lifts []ConditionLift `json:"lifts"`
	// Interaction says of a pair whether its conditions do more together; else it is nil.
	Interaction *Interaction `json:"interaction"`
	// P is one-sided, of all traces, as if none depended on another. Adjusted holds against every combination asked, among traces that are
	// alike in all findings before: at most alpha is a finding.
	P         float64            `json:"p"`
	Adjusted  float64            `json:"adjusted_p"`
	Exemplars []tracewhy.TraceID `json:"exemplars"` // a few affected traces that meet it
	Affected  tracewhy.Cohort    `json:"-"`         // the incident's traces that meet it
}

// ConditionLift is the association of one condition of a combination with the incident among traces that meet
// the others, within strata. P is one-sided.
type ConditionLift struct {
	OddsRatio tracewhy.Estimate `json:"odds_ratio"`
	P         float64           `json:"p"`
}

// Interaction says how two conditions do more together than each alone would explain.
type Interaction struct {
	// Ratio is by how much the odds ratio of one is larger where the other holds, within strata. It is unknown
	// where a cell is empty. LikelihoodRatio and P test whether it is 1, with one degree of freedom.
	Ratio           tracewhy.Estimate `json:"ratio_of_odds_ratios"`
	LikelihoodRatio float64           `json:"likelihood_ratio"`
	P               float64           `json:"p"`
	// Excess is the relative excess risk due to interaction (K. J. Rothman, 1986): by how many times the risk
	// of neither, the risk of both is above what their effects add up to. It is unknown unless sampling was
	// independent of the outcome.
	Excess tracewhy.Estimate `json:"excess_risk"`
	// WRAcc is the weighted relative accuracy of the pair: P(both)·(P(affected | both) - P(affected)).
	WRAcc float64 `json:"wracc"`
}

// ConjunctionDepth says what was asked of combinations of so many conditions, and what could have been found.
type ConjunctionDepth struct {
	Conditions int                `json:"conditions"`
	Tested     int                `json:"tested"`     // combinations that hold for any trace
	CriticalP  float64            `json:"critical_p"` // the largest P that would be a finding
	Detectable []DetectableEffect `json:"detectable"`
}

// ConjunctionsResult says which combinations of attributes explain the incident's traces.
type ConjunctionsResult struct {
	Verdict AttributesVerdict `json:"verdict"`
	Traces  [2]int            `json:"traces"` // compared, of the baseline and of the incident
	// Findings are the causes to look for, the strongest first: each explains traces that those before do not.
	Findings []Conjunction `json:"findings"`
	// Strongest is the best of what is no finding, among traces alike in all findings; nil if there is none.
	Strongest *Conjunction `json:"strongest"`
	Explained float64      `json:"explained"` // share of the incident's traces that meet a finding
	// Searched is how many traces were searched, and Items how many conditions, aliases counted once.
	Searched     [2]int             `json:"searched"`
	Items        int                `json:"items"`
	Depths       []ConjunctionDepth `json:"depths"` // of the first search
	Relabellings int                `json:"relabellings"`
	LeftOut      []LeftOutAttribute `json:"left_out"`
	Warnings     []tracewhy.Warning `json:"warnings"`
}

// WarningSearchCut says that there were too many combinations to search them all. Its count is how many
// conditions were left out of some.
const WarningSearchCut = "search_cut"

// WarningSearchSampled says that a sample of the traces was searched. Its count is how many were not.
const WarningSearchSampled = "search_sampled"

// Conjunctions says which combinations of up to three conditions explain the incident's traces. A cause that
// needs two conditions is found as that pair, and two causes as two findings: each finding is minimal, and
// adds to those before. That none of the recorded attributes explains it is an answer, too; it comes with the
// strongest combination, and with what could have been found.
//
// It searches all combinations against relabelled cohorts, takes the one with the smallest p-value, reduces it
// to what matters, and searches again among traces that are alike in what was found, until nothing is left:
//
//   - The probability of any finding where nothing tells the cohorts apart is at most alpha, over the whole
//     search: the smallest p-value of all combinations is compared with the smallest of each relabelling
//     (P. H. Westfall and S. S. Young, 1993), within root operations, declared strata and clusters. Half of
//     alpha goes to single conditions, a quarter to pairs and to triples each, so that the many triples cost
//     a single condition little.
//   - A combination is reduced to any part within whose traces the rest adds nothing (the productive itemsets
//     of G. I. Webb, 2007, doi:10.1007/s10994-007-5006-x), by relabelling the traces of that part, against all
//     combinations that could have been added to it.
//   - A finding that does not tell traces apart which are alike in all later ones is dropped. A pair whose
//     conditions are findings too stays only if their odds ratios multiply to less than the pair's.
//
// Reductions and later searches take a quarter of alpha each, so that the findings beside up to two true
// causes are false with a probability of at most alpha.
//
// It gives [ErrCohorts] if the cohorts cannot be compared, and the context's error once that is cancelled.
// Time is that of reading the attributes, and for a search of m conditions and n traces m²·n/64 for the counts
// of pairs in 64 relabellings each, and m³·n/64 for triples. Combinations that cannot be extreme in any
// relabelling are not counted. More than 4,000 traces are sampled, and of more conditions than can be searched in some
// seconds those that divide the traces most evenly are taken, whatever the cohorts; warnings say so.
func Conjunctions(ctx context.Context, baseline, incident tracewhy.Cohort, cfg ConjunctionsConfig) (*ConjunctionsResult, error) {
	if !cfg.canCompare(baseline, incident) {
		return nil, ErrCohorts
	}
	if cfg.Alpha == 0 {
		cfg.Alpha = 0.05
	}
	if cfg.Replicates <= 0 {
		cfg.Replicates = 999
	}
	if cfg.MaxConditions <= 0 || cfg.MaxConditions > maxConditions {
		cfg.MaxConditions = maxConditions
	}
	table := cfg.AttributesConfig
	table.Alpha = 1 // what is no finding by itself may be part of one
	a := newAttributeTable(baseline, incident, table)
	if err := a.read(ctx); err != nil {
		return nil, err
	}
	a.build()
	s := newConjunctionSearch(a, cfg)
	r := &ConjunctionsResult{
		Verdict: AttributesNone, Traces: a.count, Findings: []Conjunction{}, Items: len(s.items), Searched: s.searched, Depths: []ConjunctionDepth{},
	}
	if err := s.explain(ctx, r); err != nil {
		return nil, err
	}
	r.LeftOut, r.Warnings = a.leftOut, a.warnings
	return r, nil
}
