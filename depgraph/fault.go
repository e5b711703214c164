package depgraph

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/stats"
)

// FaultDomainResult says whose fault an incident is, as far as its traces show it.
type FaultDomainResult struct {
	Domain Domain `json:"domain"` // internal, external, boundary or undetermined
	// Trigger says what set it off: internal for a vendor that refuses or slows down what exceeds a limit,
	// where that follows from how much was asked of it, and undetermined where it may. Otherwise it is the Domain.
	Trigger   Domain `json:"trigger"`
	Symptom   string `json:"symptom"`   // what the shares are of: error, latency, or "" if neither grew
	Mechanism string `json:"mechanism"` // in words, such as "throttling"; "" if undetermined
	Reason    string `json:"reason"`    // one sentence

	// The service or dependency with the largest part of it, and whose that is; "" where several vendors
	// became worse at once.
	Name   string `json:"name"`
	Vendor string `json:"vendor"`
	Owner  string `json:"owner"`

	// Excess is how much worse the symptom became: the share of traces that fail, or milliseconds a trace.
	Excess tracewhy.Estimate `json:"excess"`
	// Shares are of the excess of the places that became worse, by domain, and Places are the 20 worst of these.
	Shares map[Domain]tracewhy.Estimate `json:"shares"`
	Places []FaultPlace                 `json:"places"`

	Throttling *Throttling        `json:"throttling"` // of the dependency, or nil
	Traces     [2]int             `json:"traces"`     // compared, of the baseline and of the incident
	Warnings   []tracewhy.Warning `json:"warnings"`
}

// FaultPlace is where a part of an excess is.
type FaultPlace struct {
	Name   string            `json:"name"` // of a service whose time it is, or of what is called
	Part   string            `json:"part"` // what the time went into, or where errors began
	Domain Domain            `json:"domain"`
	Excess tracewhy.Estimate `json:"excess"`
	Share  tracewhy.Estimate `json:"share"`
}

// maxPlaces is how many places a result lists.
const maxPlaces = 20

// minFailures is how many failed traces are evidence.
const minFailures = 5

// slowdown is by how much a vendor's calls must take longer for waits for a pool to be its doing: the pool
// then has to serve so many more calls at a time.
const slowdown = 1.5

// FaultDomain says whether an incident is the fault of a service inside, of a vendor, or of the boundary
// between, by where the excess of failures began, or else where the excess of time on the critical paths
// is: of each root operation's traces, incident against baseline. Where time did not surely grow over all,
// that of single places does if it grew by a twentieth of how long the traces take that pass them.
//
// Waiting for a pool before a call is the caller's, unless the vendor became so much slower that the pool
// had to run out. Connecting, the network, and requests that the vendor calls wrong are the boundary's, and
// so is what only one of the calling instances sees, and what several vendors do at once. A wait between
// attempts is of whoever failed the attempt. It is undetermined where nothing became worse, where the
// interval of the largest share reaches below a half, and where nothing says whose the place is.
//
// It gives [ErrCohorts], or the context's error. It takes time in O(n log n) for n spans.
func FaultDomain(ctx context.Context, baseline, incident tracewhy.Cohort, cfg Config) (*FaultDomainResult, error) {
	v, err := newComparison(ctx, &cfg, baseline, incident)
	if err != nil {
		return nil, err
	}
	return v.faultDomain(ctx)
}

func (v *view) faultDomain(ctx context.Context) (*FaultDomainResult, error) {
	j := &judge{view: v, balance: newBalance(v), endings: map[place]votes{}}
	r := &FaultDomainResult{
		Domain: DomainUndetermined, Trigger: DomainUndetermined, Excess: tracewhy.Unknown(), Traces: j.balance.traces,
		Shares: map[Domain]tracewhy.Estimate{}, Places: []FaultPlace{}, Warnings: v.warnings(),
	}
	if r.Traces[inc] == 0 {
		r.Reason = "no root operation of the incident has enough traces in the baseline"
		return r, nil
	}
	j.judge(r)
	return r, ctx.Err()
}

type judge struct {
	*view
	balance *balance
	endings map[place]votes // how failures that began there ended
}

// suspect is a place that became worse.
type suspect struct {
	place
	domain Domain
	blame  int32 // the entity
	xs     []amount
	excess tracewhy.Estimate
}

func (j *judge) judge(r *FaultDomainResult) {
	suspects := j.symptom(r)
	if suspects == nil {
		r.Reason = "neither failures nor durations grew by more than chance allows"
		return
	}
	if len(suspects) == 0 {
		r.Reason = "no single place became worse by more than chance allows"
		return
	}
	j.passOn(suspects)
	var lists [][]amount
	parts := map[Domain][][]amount{}
	for _, s := range suspects {
		lists = append(lists, s.xs)
		parts[s.domain] = append(parts[s.domain], s.xs)
	}
	whole := sum(lists...)
	for _, s := range suspects[:min(maxPlaces, len(suspects))] {
		r.Places = append(r.Places, FaultPlace{
			Name: j.entities[s.entity].name, Part: s.part.String(), Domain: s.domain, Excess: s.excess, Share: j.balance.shareOf(s.xs, whole),
		})
	}
	byDomain := map[Domain][]amount{}
	for d, lists := range parts {
		byDomain[d] = sum(lists...)
	}
	var domain Domain
	var top tracewhy.Estimate
	for _, d := range [...]Domain{DomainInternal, DomainExternal, DomainBoundary, DomainUndetermined} {
		if xs := byDomain[d]; xs != nil {
			r.Shares[d] = j.balance.shareOf(xs, whole)
			if domain == "" || stats.Compare(r.Shares[d].Value, top.Value) > 0 {
				domain, top = d, r.Shares[d]
			}
		}
	}
	byEntity := map[int32]float64{} // an excess is a sum, and so that of several places is theirs
	for _, s := range suspects {
		if s.domain == domain {
			byEntity[s.blame] += s.excess.Value
		}
	}
	best, most := int32(-1), math.Inf(-1)
	for _, s := range suspects { // in order, so that ties have one answer
		if x := byEntity[s.blame]; s.domain == domain && x > most {
			best, most = s.blame, x
		}
	}
	e := &j.entities[best]
	r.Name = e.name
	if domain != DomainInternal {
		r.Vendor = e.vendor
	}
	r.Owner = e.ownerOrVendor()
	r.Mechanism = j.mechanism(r.Symptom, best, suspects)
	if domain == DomainUndetermined {
		r.Reason = fmt.Sprintf("most of it is at %s, and nothing says whose that is: tag calls to it with %s, or give a rule", e.name, KeyType)
		return
	}
	if top.Low <= 0.5 {
		r.Reason = fmt.Sprintf("no domain surely has more than half of it: %s %s", domain, percentOf(top))
		return
	}
	r.Domain, r.Trigger = domain, domain
	r.Reason = fmt.Sprintf("%s of the excess is %s, most of it at %s (%s)", percentOf(top), domain, e.name, r.Mechanism)
	if r.Domain == DomainExternal {
		j.doubt(r, best, len(byEntity), most/j.balance.excess(byDomain[domain]).Value)
	}
	if r.Domain == DomainExternal {
		j.trigger(r, best)
	}
}

func percentOf(e tracewhy.Estimate) string {
	return fmt.Sprintf("%.0f %% (%.0f to %.0f)", 100*e.Value, 100*e.Low, 100*e.High)
}

// suspects returns the places that became worse, the worst first; it is never nil.
func (j *judge) suspects(places map[place][]amount, excess func([]amount) tracewhy.Estimate) []*suspect {
	out := []*suspect{}
	for p, xs := range places {
		if e := excess(xs); e.Low > 0 {
			out = append(out, &suspect{p, j.domainOf(p), p.entity, xs, e})
		}
	}
	slices.SortFunc(out, func(x, y *suspect) int {
		return cmp.Or(stats.Compare(y.excess.Value, x.excess.Value), cmp.Compare(x.entity, y.entity), cmp.Compare(x.part, y.part))
	})
	return out
}

func (j *judge) domainOf(p place) Domain {
	switch d := j.entities[p.entity].class.Domain; d {
	case DomainInternal:
		return d
	case DomainExternal:
		switch p.part {
		case partConnect, partWire, partRejected:
			return DomainBoundary
		}
		return d
	}
	return DomainUndetermined
}

// passOn makes waits the vendor's whose calls now hold what is waited for so much longer.
func (j *judge) passOn(suspects []*suspect) {
	for _, s := range suspects {
		if s.domain != DomainInternal || s.part != partWait && s.part != partBefore {
			continue
		}
		for _, cause := range suspects {
			if cause.domain == DomainExternal && cause.part == partRemote && j.slowdownOf(s.entity, cause.entity) >= slowdown {
				s.domain, s.blame = DomainExternal, cause.entity
				break
			}
		}
	}
}

// slowdownOf returns how many times as long the calls of a service to another now take, without the
// waits before them.
func (j *judge) slowdownOf(from, to int32) float64 {
	var mean [2]ratio
	for i := range j.calls {
		c := &j.calls[i]
		if c.from != from || c.to != to || c.duration() < 0 || c.isDirect || j.balance.share[c.trace] == 0 {
			continue
		}
		mean[j.side[c.trace]].add(j.traces[c.trace].Weight(), float64(c.duration()-c.wait), 1)
	}
	return mean[inc].value() / mean[base].value()
}

// mechanism says in words what happened at an entity.
func (j *judge) mechanism(symptom string, e int32, suspects []*suspect) string {
	for _, s := range suspects { // the worst first
		if s.blame != e {
			continue
		}
		if symptom == "error" {
			if m, n := j.endings[s.place].winner(); n > 0 && s.part == partRemote {
				return m
			}
		}
		switch s.part {
		case partWait:
			return MechanismPoolWait
		case partConnect, partWire, partRejected:
			return s.part.String()
		case partBackoff:
			return "failed attempts"
		case partRemote:
			if symptom == "latency" {
				return MechanismSlowAnswers
			}
		case partBefore:
			return "work, or a wait without a span, before a call"
		}
		if symptom == "error" {
			return MechanismErrors
		}
		return "slow work"
	}
	return ""
}

// Mechanisms of a [FaultDomainResult] that say more than the part of a call that they are about.
const (
	MechanismPoolWait    = "wait for a pool" // of ours, before a call
	MechanismThrottling  = "throttling"      // a dependency says that too much is asked of it
	MechanismTimeouts    = "timeouts"        // calls are given up
	MechanismSlowAnswers = "slow answers"    // of the other side
	MechanismErrors      = "errors"          // any others
)

func (e ending) mechanism() string {
	switch {
	case e.has(endThrottled):
		return MechanismThrottling
	case e.has(endTimedOut):
		return MechanismTimeouts
	case e.has(endUnreachable):
		return "connect"
	}
	return MechanismErrors
}

// doubt holds against a vendor that others had the same trouble, or that only one caller has it.
func (j *judge) doubt(r *FaultDomainResult, to int32, vendors int, part float64) {
	if vendors >= 3 && part < 0.6 {
		r.Domain, r.Trigger = DomainBoundary, DomainBoundary
		r.Name, r.Vendor, r.Owner = "", "", ""
		r.Reason = fmt.Sprintf("%d vendors became worse at once: that is rather the way to all of them", vendors)
		return
	}
	if name := j.onlyCaller(r.Symptom, to); name != "" {
		r.Domain, r.Trigger = DomainBoundary, DomainBoundary
		r.Reason = fmt.Sprintf("only calls from %s to %s became worse, and not those from other instances", name, r.Name)
	}
}

// minCalls is how many calls of an instance say something about it.
const minCalls = 10

// onlyCaller returns the one calling instance that has nearly all of the excess, if others that make as
// many calls have none.
func (j *judge) onlyCaller(symptom string, to int32) string {
	var normal ratio
	type sums struct {
		n      int
		excess float64
	}
	instances := map[string]*sums{}
	value := func(c *call) float64 {
		if symptom == "latency" {
			return float64(max(0, c.duration())) / 1e6
		}
		if c.ending.has(endFailed) {
			return 1
		}
		return 0
	}
	for i := range j.calls {
		if c := &j.calls[i]; c.to == to && j.side[c.trace] == base && !c.isDirect {
			normal.add(j.traces[c.trace].Weight(), value(c), 1)
		}
	}
	for i := range j.calls {
		c := &j.calls[i]
		if c.to != to || j.side[c.trace] != inc || c.isDirect || c.span.Instance() == "" {
			continue
		}
		k := c.span.Service() + " " + c.span.Instance()
		if instances[k] == nil {
			instances[k] = &sums{}
		}
		instances[k].n++
		instances[k].excess += float64(j.traces[c.trace].Weight() * (value(c) - normal.value()))
	}
	names, all, calls, others := votes{}, 0.0, 0, 0
	for k, s := range instances {
		names[k] = s.n
		calls += s.n
	}
	worst, most := "", 0.0
	keys := make([]string, 0, len(names))
	for k := range names {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		s := instances[k]
		all += max(0, s.excess)
		if s.excess > most {
			worst, most = k, s.excess
		}
	}
	for _, k := range keys {
		if k != worst {
			others += instances[k].n
		}
	}
	if worst == "" || others < minCalls || instances[worst].n < minCalls || 10*instances[worst].n > 7*calls || most < 0.9*all {
		return ""
	}
	return worst
}
