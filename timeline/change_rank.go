package timeline

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/parallel"
	"github.com/tracewhy/tracewhy/internal/stats"
	"github.com/tracewhy/tracewhy/timeline/internal/bins"
)

// RankConfig adjusts [RankChanges]. Its zero value is the documented default.
type RankConfig struct {
	// Culprit names the service, or what has no spans of its own ([tracewhy.Span.Peer]), that the incident was
	// traced to. "" means that it is not known: then it is any of those that affected traces pass.
	Culprit string
	// Affected are the traces that suffered. The zero Cohort means those that failed, or were slow, since the
	// symptom.
	Affected tracewhy.Cohort
	// Baseline is traces of better times that came after the incident, of which no change is to be judged by:
	// they count as executions before any change. Those that came before are part of the recording.
	Baseline tracewhy.Cohort
	// Points is the result of [ChangePoints] for the same traces, which says when transactions became worse
	// and what did before; nil means that it is computed.
	Points *ChangePointsResult
	// Demand says that the culprit was asked for more than it can do, as one that throttles is: then a change is
	// looked for that made traces ask for it more often, as a campaign does.
	Demand  bool
	Outcome tracewhy.OutcomeRule // which transactions failed
	// Workers bounds how many goroutines are used; 0 means GOMAXPROCS. It never changes the result.
	Workers int
}

// RankedChange is a change, and what speaks for and against that it set the incident off.
type RankedChange struct {
	Change Change
	Seen   Change // the deployment that spans show ([Deployments]) and that this one is; or the zero Change
	// Support is the probability that the change set the incident off.
	Support float64
	// Evidence is how much more probable what its scope did is if the change did it than if it was made at a
	// moment drawn at random: Bayes's factor. At a random moment it is k or more with a probability of at most
	// 1/k. About 1 says nothing.
	Evidence float64
	// Placebo is the share of all moments of the recording at which a change would have fitted the clearest
	// rise in its scope as well; 1 where nothing rose.
	Placebo float64
	// Undetermined says that there were too few executions in its scope to tell.
	Undetermined bool

	AffectedShare, OtherShare float64 // the share of affected traces that passed what was changed, and of the others

	// Rise is when what was changed began to go worse at, or soonest after, the change; 0 if it did not.
	Rise int64
	// Dormancy is from the change to that moment, and Delay from the change to the symptom; negative if the
	// symptom came first. Dormancy is -1 without a rise.
	Dormancy, Delay time.Duration

	// On and Off are traces since the change, and since the symptom, that passed the new version, or the instance,
	// that was changed, and those that passed others of the service: how many, and how many were affected.
	On, OnAffected, Off, OffAffected int

	For, Against []string // one sentence each
}

// RankResult is which recorded change set the incident off.
type RankResult struct {
	Changes []RankedChange // the best supported first
	// Best is the index of the change that is more probable than not, and 0, or -1: no recorded change explains
	// the incident.
	Best int
	None float64 // the probability that none of the changes set the incident off
	// Symptom is when transactions became worse, in nanoseconds since the Unix epoch; 0 if they did not, or
	// that is not known.
	Symptom  int64
	Reason   string // one sentence
	Warnings []tracewhy.Warning
}

// WarningChangeUnseen says that changes name things that no trace passed.
const WarningChangeUnseen = "timeline_change_unseen"

// Of incidents about 7 in 10 are set off by changes of what broke (B. Beyer et al., Site Reliability Engineering,
// 2016, chapter 1): the odds of a change of what broke, before anything else is known.
const oddsOfChange = 7.0 / 3

// RankChanges says which of the changes set the incident off, or that none did. Traces are all of the recording,
// from before the changes until the incident, and not only those that were affected.
//
// That a change came shortly before is weak evidence, since changes are many. Each is asked whether anything in
// its scope rose when it was made: failures that began there, calls that took long for their path, without what
// they waited for elsewhere, and calls made in turn. What counts is executions: where nothing was executed between a
// change and the rise, the change may have lain dormant, and where many were executed as before, it did not do it.
// The evidence is beside that at all other moments of the recording, so that what varies all the time is no
// evidence. Then there is
//
//   - scope: whether what was changed is what broke, is called by it, or calls it;
//   - order: a change that was made after the symptom did not set it off, and hardly one that was made after
//     the first certain event on the way to the symptom;
//   - dose: where versions, or instances, ran beside each other, whether those on the changed one were affected
//     more than the others;
//   - rarity: how often such things are changed, as the record of changes tells;
//   - words: whether its description speaks of what rose, which counts by how seldom the others do.
//
// Deployments that spans show ([Deployments]) are joined to those recorded, and are ranked as changes without an id
// where nobody recorded them.
//
// Known failures: a change whose effect builds up over hours has little support, other than of a cache that answers
// less; where the change that did it was not recorded, a rare one of what broke may be named; changes of the same thing
// between two executions of it cannot be told apart; and what rises every day is not told from what rose once.
//
// It takes time in O(n log n) for n spans, and memory for the executions of what was changed. Its error is
// [ErrNoTraces] or that of ctx.
func RankChanges(ctx context.Context, traces tracewhy.Cohort, changes []Change, cfg RankConfig) (*RankResult, error) {
	if traces.Len() == 0 {
		return nil, ErrNoTraces
	}
	if cfg.Points == nil {
		var err error
		cfg.Points, err = ChangePoints(ctx, traces, ChangePointsConfig{
			Series:  SeriesConfig{Outcome: cfg.Outcome, Kinds: []SubjectKind{SubjectTransactions, SubjectService, SubjectDependency}},
			Workers: cfg.Workers,
		})
		if err != nil {
			return nil, err
		}
	}
	k := &ranking{cfg: cfg, traces: traces}
	if !k.layOut() {
		return nil, ErrNoTraces
	}
	if err := k.candidates(ctx, changes); err != nil {
		return nil, err
	}
	if err := k.read(ctx); err != nil {
		return nil, err
	}
	if err := parallel.For(ctx, cfg.Workers, len(k.scopes), func(i int) { k.scopes[i].tally(k) }); err != nil {
		return nil, err
	}
	return k.result(), nil
}

// A ranking is the work on one incident.
type ranking struct {
	cfg        RankConfig
	traces     tracewhy.Cohort
	start, end int64   // of the recording
	before     int64   // the moment that executions of a later baseline count at
	starts     []int64 // of traces, sorted
	moments    moments

	hasSymptom  bool
	symptom     int64
	first, last int64 // bounds of when the symptom began

	items  []candidate
	scopes []*scope
	byName map[string][]*scope // by folded name of what was changed; only looked up
	graph  *callGraph
	above  map[string]int // how many nodes call some others; only looked up
	chain  struct {       // what became worse first
		event Event
		at    int
		known bool
	}
	unseen int

	asks     []asking     // by trace, where that is asked about
	culprits map[int]bool // whether a node is the culprit; only looked up

	rates      changeRates
	vocabulary *vocabulary
	statements map[tracewhy.PathID]bool // at which databases are called; only looked up
}

// A candidate is a change that may have set the incident off.
type candidate struct {
	change, seen Change
	instance     string // that its description mentions
	scope        *scope
	at, until    int64
	spoken       spoken
}

// layOut finds when the recording and the symptom were. It is false if no trace has a time.
func (k *ranking) layOut() bool {
	var starts []int64
	for t := range k.traces.Traces() {
		if start, _, ok := t.Interval(); ok {
			starts = append(starts, start)
		}
	}
	if len(starts) == 0 {
		return false
	}
	slices.Sort(starts)
	starts = bins.WithoutStray(starts)
	k.starts, k.start, k.end = starts, starts[0], starts[len(starts)-1]
	p := k.cfg.Points
	if p.Symptom >= 0 && p.Symptom < len(p.Events) {
		e := p.Events[p.Symptom]
		k.hasSymptom, k.symptom, k.first, k.last = true, e.Time, e.First, e.Last
		if k.cfg.Affected.Len() == 0 {
			k.cfg.Affected = k.affected(e)
		}
		return true
	}
	// Without a moment at which it began, the incident was there when half of those that suffered came.
	var at []int64
	for t := range k.cfg.Affected.Traces() {
		if start, _, ok := t.Interval(); ok {
			at = append(at, start)
		}
	}
	if slices.Sort(at); len(at) > 0 {
		k.first, k.last = k.start, at[len(at)/2]
	}
	return true
}

// affected returns the transactions that failed, or took longer than nine in ten did before, since the symptom.
func (k *ranking) affected(symptom Event) tracewhy.Cohort {
	limits := map[tracewhy.PathID]int64{} // only looked up
	if symptom.Measure != MeasureFailures {
		took := map[tracewhy.PathID][]int64{}
		for t := range k.traces.Traces() {
			if start, end, ok := t.Root().Interval(); ok && start < symptom.First {
				id := t.Root().Path().ID()
				took[id] = append(took[id], end-start)
			}
		}
		for id, list := range took {
			slices.Sort(list)
			limits[id] = list[int(slowShare*float64(len(list)-1))]
		}
	}
	return k.traces.Select(func(t tracewhy.Trace) bool {
		start, end, ok := t.Root().Interval()
		if !ok || start < symptom.First {
			return false
		}
		if symptom.Measure == MeasureFailures {
			return k.cfg.Outcome.Of(t) >= tracewhy.OutcomeAbandoned
		}
		limit, ok := limits[t.Root().Path().ID()]
		return ok && end-start > limit
	})
}

// candidates joins recorded changes to the deployments that spans show.
func (k *ranking) candidates(ctx context.Context, changes []Change) error {
	seen, err := Deployments(ctx, k.traces)
	if err != nil {
		return err
	}
	sorted := slices.Clone(changes)
	slices.SortStableFunc(sorted, compareChanges)
	joined := make([]bool, len(seen))
	for _, c := range sorted {
		x := candidate{change: c, at: nanos(c.Time), until: nanos(c.until())}
		if i := matching(c, seen, joined); i >= 0 {
			joined[i], x.seen = true, seen[i]
		}
		k.items = append(k.items, x)
	}
	for i, c := range seen {
		if !joined[i] {
			k.items = append(k.items, candidate{change: c, seen: c, at: nanos(c.Time), until: nanos(c.Until)})
		}
	}
	k.before = k.start
	for _, x := range k.items {
		k.before = min(k.before, x.at)
	}
	if k.cfg.Baseline.Len() > 0 {
		k.moments = newMoments(k.starts, k.before)
	} else {
		k.moments = newMoments(k.starts, k.start)
	}
	k.before--
	return nil
}

// things returns how many things there are that can be changed: all that traces pass, and what they do not that was.
func (k *ranking) things() int {
	n := len(k.graph.nodes)
	known := map[string]bool{} // only looked up
	for _, s := range k.scopes {
		if name := fold(s.change.Service); len(s.nodes) == 0 && !known[name] {
			known[name] = true
			n++
		}
	}
	return n
}

// rollout is how long after it was recorded a deployment may be first seen, if no name says which it is.
const rollout = time.Hour

// matching returns which of the deployments that spans show a recorded one is, or -1.
func matching(c Change, seen []Change, taken []bool) int {
	best := -1
	for i, s := range seen {
		if taken[i] || fold(s.Service) != fold(c.Service) {
			continue
		}
		switch named := c.Version == s.Version || mentions(c.Description, s.Version); {
		case c.Time.After(s.Until):
			continue
		case c.Version != "" && c.Version != s.Version:
			continue
		case !named && (c.Kind != "deployment" || s.Time.Sub(c.Time) > rollout):
			continue
		}
		// The first that came after.
		if best < 0 || s.Until.Before(seen[best].Until) {
			best = i
		}
	}
	return best
}

// result weighs the candidates.
func (k *ranking) result() *RankResult {
	r := &RankResult{Best: -1, None: 1, Symptom: k.symptom}
	if k.unseen > 0 {
		r.Warnings = append(r.Warnings, tracewhy.Warning{
			Code: WarningChangeUnseen, Count: k.unseen, Message: "changes name things that no trace passed: whether they mattered cannot be told",
		})
	}
	if !k.hasSymptom && k.cfg.Affected.Len() == 0 {
		r.Reason = "nothing became worse that a change could have set off"
		for i := range k.items {
			r.Changes = append(r.Changes, RankedChange{Change: k.items[i].change, Seen: k.items[i].seen, Evidence: 1, Placebo: 1, Undetermined: true, Dormancy: -1})
		}
		return r
	}
	k.above = map[string]int{}
	k.chain.event, k.chain.at, k.chain.known = k.firstInChain()
	k.rates = newChangeRates(k.items, k.start, k.end, k.things())
	k.vocabulary = newVocabulary(k.items)
	weights := make([]float64, len(k.items))
	sum := 1.0
	for i := range k.items {
		var c RankedChange
		c, weights[i] = k.weigh(&k.items[i])
		sum += weights[i]
		r.Changes = append(r.Changes, c)
	}
	r.None = 1 / sum
	for i := range r.Changes {
		r.Changes[i].Support = weights[i] / sum
	}
	slices.SortStableFunc(r.Changes, func(x, y RankedChange) int {
		return cmp.Or(stats.Compare(y.Support, x.Support), compareChanges(x.Change, y.Change))
	})
	if len(r.Changes) > 0 && r.Changes[0].Support > 0.5 {
		r.Best = 0
	}
	r.Reason = r.reason()
	return r
}
