package baseline

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/stats"
)

// The codes of the warnings that a [Comparison] has.
const (
	WarningOld        = "baseline_old"      // the baseline's last trace is older than Config.MaxAge
	WarningHours      = "hours_not_covered" // traces of hours of the day of which the baseline has none
	WarningIncomplete = "traces_incomplete" // traces that lack something say nothing of structure, fragments nothing at all
	WarningNames      = "names_templated"   // a name of one snapshot is a template in the other: not compared
	WarningLeftOut    = "left_out"          // over the limits of a snapshot: what is not in it may have been there
	WarningOutcome    = "outcome_rules"     // failed requests were counted by two rules: not compared
	WarningWeighted   = "weights_not_used"  // of sampled traces: only failures of requests are weighted
	WarningOverlap    = "windows_overlap"   // the two windows overlap: they may have traces in common
)

// What has to be seen of a cohort before a baseline is said to be representative of it: how much of what is executed in
// its traces, and how many traces may be of other hours of the day. An operation is seen if failures of one in so many
// of its traces are: requests are what somebody asked for, and few of them failing matters more.
const (
	minCovered      = 0.9
	visibleRequests = 4
	visibleCalls    = 2
	maxUnseenHours  = 0.1
)

// judge adjusts the p-values. Drifts and their context are families of their own.
func (d *differ) judge() {
	for _, context := range []bool{false, true} {
		var family []*question
		for i := range d.questions {
			if q := &d.questions[i]; q.Kind.isContext() == context {
				q.Q, q.Adjusted = 1, 1
				family = append(family, q)
			}
		}
		family = answerable(family, d.cfg.Alpha)
		if !context {
			d.answerable = len(family)
		}
		ps := make([]float64, len(family))
		for i, q := range family {
			ps[i] = q.P
		}
		holm, bh := stats.Holm(ps), stats.BenjaminiHochberg(ps)
		for i, q := range family {
			q.Adjusted, q.Q = holm[i], bh[i]
		}
	}
}

// answerable leaves out what could not be rejected whatever the traces were like, given how many there are and
// how often each thing is seen on both sides together: R. E. Tarone, "A modified Bonferroni method for discrete data"
// (1990, doi:10.2307/2531456). That depends on margins alone, so that the rest is a family as good as any.
func answerable(family []*question, alpha float64) []*question {
	slices.SortStableFunc(family, func(a, b *question) int { return stats.Compare(a.smallest, b.smallest) })
	k := 1
	for k < len(family) && stats.Compare(family[k].smallest*float64(k), alpha) <= 0 {
		k++
	}
	for len(family) > 0 && stats.Compare(family[len(family)-1].smallest*float64(k), alpha) > 0 {
		family = family[:len(family)-1]
	}
	return family
}

// comparison is the answer.
func (d *differ) comparison(ctx context.Context) (*Comparison, error) {
	c := &Comparison{Questions: len(d.questions), Answerable: d.answerable, Changes: []Change{}, Warnings: d.warnings()}
	for side, s := range d.sides {
		c.Traces[side] = s.Traces
		if length := s.Last.Sub(s.First); length > 0 {
			c.PerSecond[side] = float64(s.Traces) / length.Seconds()
		}
	}
	for i := range d.questions {
		q := &d.questions[i]
		if i%questionsPerChunk == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		isNews := q.appeared() && (q.Kind == KindOperation || q.Kind == KindPeer || q.Kind == KindVersion)
		if q.Q <= d.cfg.Alpha || isNews {
			d.finish(q)
		}
	}
	for i := range d.questions {
		q := &d.questions[i]
		if !q.told || q.Kind == KindStructure && q.pair.changed {
			continue // what is called in more or fewer traces says it already
		}
		c.Changes = append(c.Changes, q.Change)
	}
	order(c.Changes)
	c.Covered = d.covered()
	c.Verdict, c.Reason = d.verdict(c)
	return c, nil
}

// finish says of a question what its answer is.
func (d *differ) finish(q *question) {
	q.told = true
	if q.pair != nil {
		o := q.pair.op()
		q.Path, q.Service, q.Operation = q.pair.path(), o.Service, o.Name
	}
	if q.isFactor() {
		q.Effect = ratio(q.values[before], q.values[after])
	} else {
		n1, n2 := float64(q.Traces[before]), float64(q.Traces[after])
		e := stats.ProportionDifference(math.Round(q.After*n2), n2, math.Round(q.Before*n1), n1, 0.95)
		q.Effect = tracewhy.Estimate{Value: e.Value, Low: e.Lo, High: e.Hi}
	}
	q.Drift = !q.Kind.isContext() && q.Adjusted <= d.cfg.Alpha && d.isLarge(&q.Change)
	if q.Kind == KindOperation && q.pair.caller != nil && q.Q <= d.cfg.Alpha {
		q.pair.caller.changed = true
	}
}

func (d *differ) isLarge(c *Change) bool {
	switch c.Kind {
	case KindDuration, KindRepetition:
		return c.Effect.Value >= d.cfg.MinRatio || c.Effect.Value*d.cfg.MinRatio <= 1
	case KindFailures, KindAbandoned:
		return math.Abs(c.Effect.Value) >= d.cfg.MinFailures
	}
	return math.Abs(c.Effect.Value) >= d.cfg.MinDifference
}

// covered returns how much of what is executed in the traces after is of operations that are seen.
func (d *differ) covered() float64 {
	level := d.cfg.Alpha / float64(max(d.answerable, 1))
	seen, all := int64(0), int64(0)
	for i := range d.pairs {
		p := &d.pairs[i]
		n1, n2, part := p.ops[before].Traces, p.ops[after].Traces, int64(visibleCalls)
		if p.ops[after].Requests > 0 {
			part = visibleRequests
		}
		all += n2
		if k := n2 / part; n1 > 0 && k > 0 && !p.renamed {
			if pValue, _ := fisher(0, n1, k, n2); pValue <= level {
				seen += n2
			}
		}
	}
	return float64(seen) / float64(max(all, 1))
}

func (d *differ) verdict(c *Comparison) (Verdict, string) {
	var kinds []string
	drifts := 0
	for i := range c.Changes {
		if c.Changes[i].Drift {
			drifts++
			kinds = append(kinds, string(c.Changes[i].Kind))
		}
	}
	slices.Sort(kinds)
	kinds = slices.Compact(kinds)
	switch {
	case drifts > 0:
		return Drifted, fmt.Sprintf("%d of %d things that could be compared changed, in %s", drifts, c.Answerable, strings.Join(kinds, ", "))
	case c.Covered < minCovered:
		return CannotTell, fmt.Sprintf("nothing that could be seen drifted, but only %s of what is executed in traces is of operations with enough traces in both", percent(c.Covered))
	case 2*d.sides[before].Incomplete > d.sides[before].rooted() || 2*d.sides[after].Incomplete > d.sides[after].rooted():
		return CannotTell, "nothing that could be seen drifted, but most traces lack something, and say nothing of structure"
	case d.unseenHours() > maxUnseenHours:
		return CannotTell, fmt.Sprintf("nothing that could be seen drifted, but %s of the traces are of hours of the day of which the baseline has none", percent(d.unseenHours()))
	}
	return Representative, fmt.Sprintf("none of %d things that could be compared drifted", c.Answerable)
}

// unseenHours is the share of traces after that are of hours of the day of which there are none before.
func (d *differ) unseenHours() float64 {
	unseen, all := int64(0), int64(0)
	for hour, n := range d.sides[after].Hours {
		all += n
		if d.sides[before].Hours[hour] == 0 {
			unseen += n
		}
	}
	return float64(unseen) / float64(max(all, 1))
}

func (d *differ) warnings() []tracewhy.Warning {
	ws := []tracewhy.Warning{}
	warn := func(code string, count int64, format string, args ...any) {
		if count > 0 {
			ws = append(ws, tracewhy.Warning{Code: code, Count: int(count), Message: fmt.Sprintf(format, args...)})
		}
	}
	a, b := d.sides[before], d.sides[after]
	if age := a.Age(d.cfg.Now); !d.cfg.Now.IsZero() && age > d.cfg.MaxAge {
		if a.Last.IsZero() {
			warn(WarningOld, 1, "nothing says how old the baseline is")
		} else {
			warn(WarningOld, 1, "the baseline is %.1f days old", age.Hours()/24)
		}
	}
	if hours := d.unseenHours(); hours > 0 {
		warn(WarningHours, 1, "%s of the traces are of hours of the day of which the baseline has none: what differs may be the time of day", percent(hours))
	}
	warn(WarningIncomplete, a.Fragments+a.Incomplete+b.Fragments+b.Incomplete, "traces lack something: they do not count for structure, and without their root for nothing")
	warn(WarningNames, int64(d.renamed), "operations or structures have a name that is a template on one side only: they are not compared")
	warn(WarningLeftOut, int64(d.unknown), "things are in one snapshot, and may have been left out of the other for its limits: they are not compared")
	if a.Outcome != b.Outcome {
		warn(WarningOutcome, 1, "failed requests are those of which %q before, and %q after: they are not compared", a.Outcome, b.Outcome)
	}
	if a.Weight != 1000*a.Traces || b.Weight != 1000*b.Traces {
		warn(WarningWeighted, a.Traces+b.Traces, "traces were sampled: only failures of requests are weighted, the rest is of the traces that were kept")
	}
	if !a.First.IsZero() && !b.First.IsZero() && !a.Last.Before(b.First) && !b.Last.Before(a.First) {
		warn(WarningOverlap, 1, "the windows overlap from %s: traces may be in both", laterOf(a.First, b.First).Format(time.RFC3339))
	}
	return ws
}

func laterOf(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}
