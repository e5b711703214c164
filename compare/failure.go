package compare

import (
	"context"

	"github.com/tracewhy/tracewhy"
)

// FailureOrigin is one share of the excess of failing traces: those whose error began in one operation.
type FailureOrigin struct {
	Service, Operation string
	// Peer is what the operation called, where the failure is that the call was not answered; else "". It
	// may be a service, or something that has no spans at all.
	Peer string
	// Late says that most such calls were given up while the callee had not begun to work on them, or was still
	// at it.
	Late bool
	// Share is the share of the incident's traces that fail from here, over the baseline's.
	Share tracewhy.Estimate
	// P is of the exact stratified test, one-sided, and Q adjusted for the number of origins.
	P, Q     float64
	Traces   [2]int // failing traces, of the baseline and of the incident
	Path     tracewhy.Path
	Rule     string          // how the origin was told in most of the incident's traces
	Affected tracewhy.Cohort // the incident's traces that fail from here
}

type failureKey struct{ service, operation, peer string }

// failures partitions the failing traces by the origin of their error. It also returns which traces fail.
func (c *comparison) failures(ctx context.Context, who *callees, rule tracewhy.OutcomeRule) ([]FailureOrigin, []bool, error) {
	type origin struct {
		exposure
		traces []int32
		weight [2]float64
		rules  map[string]int
		paths  map[tracewhy.PathID]int
		late   int
	}
	origins := map[failureKey]*origin{}
	failed := make([]bool, len(c.traces))
	for i, t := range c.traces {
		if i%cancelEvery == 0 && ctx.Err() != nil {
			return nil, nil, ctx.Err()
		}
		if c.lacks[i]&lacksRoot != 0 || rule.Of(t) != tracewhy.OutcomeFailed {
			continue
		}
		failed[i] = true
		at, why := t.Root(), "no span of the trace failed: its root stands for it"
		var peer string
		late := 0
		if hop, ok := t.ErrorOrigin(); ok {
			at, why = hop.Span, string(hop.Rule)
			if hop.Rule == tracewhy.RuleNoRemoteSide {
				peer, _ = who.of(at)
			} else if peer = outwaited(hop); peer != "" {
				late = 1
			}
		}
		key := failureKey{at.Service(), at.Operation(), peer}
		o := origins[key]
		if o == nil {
			o = &origin{exposure: c.newExposure(), rules: map[string]int{}, paths: map[tracewhy.PathID]int{}}
			origins[key] = o
		}
		o.add(i)
		o.weight[c.side[i]] += c.share[i]
		if c.side[i] == inc {
			o.traces = append(o.traces, int32(i))
			o.rules[why]++
			o.late += late
			o.paths[at.Path().ID()]++
		}
	}
	var out []FailureOrigin
	for key, o := range origins {
		if len(o.traces) == 0 {
			continue
		}
		f := FailureOrigin{
			Service: key.service, Operation: key.operation, Peer: key.peer,
			Share: c.shareDifference(o.weight), Traces: o.total(), Affected: c.cohort(o.traces),
		}
		f.P = o.p()
		f.Late = 2*o.late > len(o.traces)
		most := 0
		for _, r := range sortedKeys(o.rules) {
			if o.rules[r] > most {
				most, f.Rule = o.rules[r], r
			}
		}
		most = 0
		for id := range o.paths {
			if n := o.paths[id]; n > most || n == most && id < f.Path.ID() {
				most, f.Path = n, c.set.Path(id)
			}
		}
		out = append(out, f)
	}
	byEffect(out, func(f *FailureOrigin) float64 { return f.Share.Value }, func(f *FailureOrigin) string {
		return f.Service + "\x00" + f.Operation + "\x00" + f.Peer
	})
	setQ(out, func(f *FailureOrigin) (float64, *float64) { return f.P, &f.Q })
	return out, failed, nil
}

// outwaited returns the service that had not answered when its caller gave up on it, if that is how a call failed:
// its span began, or went on, after the call had ended, or most of the call was a wait for it to begin. "" if it was not.
func outwaited(hop tracewhy.ErrorHop) string {
	remote, ok := callee(hop.Span)
	if !ok || !isCaller(hop.Span) || remote.Failed() {
		return ""
	}
	const apart = 50 // parts of a call that clocks may be apart
	start, end, known := hop.Span.Interval()
	_, answered, ended := remote.Interval()
	isLate := known && ended && answered > end+(end-start)/apart
	if hop.Rule == tracewhy.RuleOwnWait || hop.Rule == tracewhy.RuleRemoteHealthy && isLate {
		return remote.Service()
	}
	return ""
}
