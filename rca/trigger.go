package rca

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/timeline"
)

// warningNoTimes is the code of the warning that changes cannot be compared with traces.
const warningNoTimes = "changes_no_times"

const (
	maxRefused = 3 // changes that a cause says did not set it off
	maxChanges = 5 // that the timeline tells
	// mayHave is the least probability of a change of which it is said that it may have set a cause off.
	mayHave     = 0.1
	maxPossible = 2 // changes of which that is said
)

// triggers says which change set off each cause of the cause set, of those that were recorded and the deployments
// that spans show.
func triggers(ctx context.Context, r *Report, causes []*cause, h *history, e *estate, baseline tracewhy.Cohort, cfg Config) error {
	if h.traces.Len() == 0 {
		return nil
	}
	for _, rank := range r.CauseSet {
		c, x := causes[rank-1], &r.RootCauses[rank-1]
		ranked, err := timeline.RankChanges(ctx, h.traces, cfg.Changes, timeline.RankConfig{
			Culprit: c.service, Affected: c.affected().And(h.traces), Baseline: baseline.Minus(h.traces),
			Demand: e.isAskedTooMuch(x), Points: h.points, Outcome: cfg.Outcome, Workers: cfg.Workers,
		})
		if errors.Is(err, timeline.ErrNoTraces) { // none with a time
			if len(cfg.Changes) > 0 {
				r.Warnings = append(r.Warnings, tracewhy.Warning{
					Code: warningNoTimes, Count: len(cfg.Changes), Message: "No trace has a time: whether a recorded change set the incident off cannot be told.",
				})
			}
			return nil
		}
		if err != nil {
			return err
		}
		trigger(x, ranked, len(cfg.Changes) > 0)
		if rank == 1 {
			h.tell(r, ranked)
			for _, w := range ranked.Warnings {
				if !slices.ContainsFunc(r.Warnings, func(known tracewhy.Warning) bool { return known.Code == w.Code }) {
					r.Warnings = append(r.Warnings, w)
				}
			}
		}
	}
	return nil
}

// trigger adds to a cause what set it off, or may have, or that nothing that was recorded did.
func trigger(x *RootCause, ranked *timeline.RankResult, recorded bool) {
	others := ranked.Changes
	if ranked.Best >= 0 {
		best := &ranked.Changes[ranked.Best]
		x.Change = changeRef(best)
		x.Evidence = append(x.Evidence, changeEvidence(best, "set it off"))
		x.Remediation = slices.Insert(x.Remediation, 0, Remediation{Action: "look at undoing " + nameOf(best.Change), Why: "it set the incident off"})
		others = slices.Concat(others[:ranked.Best], others[ranked.Best+1:])
	} else if recorded {
		possible := 0
		for possible < min(maxPossible, len(others)) && others[possible].Support >= mayHave {
			possible++
		}
		for i := range others[:possible] {
			o := &others[i]
			x.Evidence = slices.Insert(x.Evidence, min(1+i, len(x.Evidence)), changeEvidence(o, "may have set it off"))
			x.Remediation = append(x.Remediation, Remediation{
				Action: "find out whether " + nameOf(o.Change) + " set it off",
				Why:    fmt.Sprintf("it may have, with a probability of %s, and no recorded change did with one of %s", percent(o.Support), percent(ranked.None)),
			})
		}
		if others = others[possible:]; possible == 0 {
			x.RuledOut = slices.Insert(x.RuledOut, 0, RuledOut{Hypothesis: "a recorded change set it off", Because: ranked.Reason})
		}
	}
	for _, o := range others[:min(maxRefused, len(others))] {
		if len(o.Against) > 0 {
			x.RuledOut = append(x.RuledOut, RuledOut{Hypothesis: nameOf(o.Change) + " set it off", Because: o.Against[0]})
		}
	}
}

// changeEvidence says that a change did something, how probable that is, and what speaks for and against it.
func changeEvidence(c *timeline.RankedChange, did string) Evidence {
	text := fmt.Sprintf("%s %s, with a probability of %s", nameOf(c.Change), did, percent(c.Support))
	if len(c.For) > 0 {
		text += ": " + strings.Join(c.For, "; ")
	}
	if c.Support <= 0.5 && len(c.Against) > 0 {
		text += "; but " + strings.Join(c.Against, "; ")
	}
	return Evidence{Claim: text, Interval: Interval{Unknown(), Unknown(), Unknown()}, Q: Unknown()}
}

func changeRef(c *timeline.RankedChange) *ChangeRef {
	ref := &ChangeRef{
		ID: c.Change.ID, Kind: c.Change.Kind, Time: c.Change.Time.UTC(), Service: c.Change.Service, Description: c.Change.Description,
		Support: Number(c.Support), Dormancy: Unknown(), Delay: Unknown(),
	}
	if c.Dormancy >= 0 {
		ref.Dormancy = Number(float64(c.Dormancy) / 1e6)
	}
	if c.Delay > 0 {
		ref.Delay = Number(float64(c.Delay) / 1e6)
	}
	return ref
}

// kindOf is the kind of a change in words, and its id.
func kindOf(c timeline.Change) string {
	return strings.TrimSpace(strings.ReplaceAll(c.Kind, "_", " ") + " " + c.ID)
}

// nameOf says which change one is.
func nameOf(c timeline.Change) string {
	return fmt.Sprintf("the %s of %s at %s", cmp.Or(kindOf(c), "change"), c.Service, c.Time.UTC().Format(time.DateTime))
}

// tell adds to the timeline the changes that could matter, and lets the onset be when what was changed began to go worse.
func (h *history) tell(r *Report, ranked *timeline.RankResult) {
	for i, c := range ranked.Changes[:min(maxChanges, len(ranked.Changes))] {
		if i != ranked.Best && c.Support < 0.01 {
			continue
		}
		r.Timeline.Events = append(r.Timeline.Events, TimelineEvent{
			Time: c.Change.Time.UTC(), Kind: "change", Service: c.Change.Service,
			What: kindOf(c.Change) + ": " + c.Change.Description,
		})
		if rise := moment(c.Rise); i == ranked.Best && c.Rise > 0 && (r.Timeline.Onset == nil || rise.Before(*r.Timeline.Onset)) {
			r.Timeline.Onset = &rise
			r.Timeline.Events = append(r.Timeline.Events, TimelineEvent{
				Time: rise, Kind: "onset", Service: c.Change.Service, What: "executions after the change become worse",
			})
		}
	}
	slices.SortStableFunc(r.Timeline.Events, func(x, y TimelineEvent) int { return x.Time.Compare(y.Time) })
}
