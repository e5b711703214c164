package baseline

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/stats"
)

// Verdict says whether a baseline still holds.
type Verdict string

// The verdicts.
const (
	Representative Verdict = "representative" // nothing drifted, and it would have been seen
	Drifted        Verdict = "drifted"
	CannotTell     Verdict = "cannot_tell" // nothing that could be seen drifted, and not enough could be seen
)

// Comparison is how two snapshots differ.
type Comparison struct {
	Verdict Verdict `json:"verdict"`
	Reason  string  `json:"reason"` // for the verdict, in a sentence

	Traces    [2]int64   `json:"traces"` // before and after
	PerSecond [2]float64 `json:"traces_per_second"`
	// Covered is how much of what is executed in the traces after, each operation counted once for each trace, is of
	// operations with enough traces on both sides: if half of those failed, or a quarter of the requests, where none
	// did, that would have been called a drift.
	Covered float64 `json:"covered"`
	// Questions is how many things were compared, and Answerable how many of those could have been called a
	// drift at all, among so many: the others are seen too seldom.
	Questions  int `json:"questions"`
	Answerable int `json:"answerable"`
	// Changes are the drifts; other changes with a Q of at most alpha; and whatever operation, peer or version is
	// new, however seldom. A structure is not told where one of the calls in more or fewer traces is. Drifts
	// come first, and the context of it all last.
	Changes  []Change           `json:"changes"`
	Warnings []tracewhy.Warning `json:"warnings"`
}

// Diff compares a snapshot with a later one. Its error is the context's, or says that one of the two is not a snapshot.
//
// It takes time in O(n + q·b²) for n numbers in both, and q changes of durations that have b bins.
func Diff(ctx context.Context, before, after *Snapshot, cfg Config) (*Comparison, error) {
	if err := errors.Join(before.check(), after.check()); err != nil {
		return nil, fmt.Errorf("baseline: not a snapshot to compare: %w", err)
	}
	d := newDiffer(before, after, cfg.withDefaults())
	for i := range d.pairs {
		if i%questionsPerChunk == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		d.ask(&d.pairs[i])
	}
	d.askServices()
	d.judge()
	return d.comparison(ctx)
}

// Drift compares a snapshot with the traces of a cohort: [Diff] with what [Take] makes of them.
func Drift(ctx context.Context, baseline *Snapshot, cohort tracewhy.Cohort, cfg Config) (*Comparison, error) {
	after, err := Take(ctx, cohort, cfg)
	if err != nil {
		return nil, err
	}
	return Diff(ctx, baseline, after, cfg)
}

// The two sides of a comparison.
const (
	before = iota
	after
)

// pair is an operation on both sides. Where a side has none, its operation has no executions.
type pair struct {
	caller *pair // nil at the top
	ops    [2]*Operation
	// renamed says that names of one side are templates of the other's, here or above: neither is new.
	renamed bool
	below   map[[3]string]*pair
	changed bool // whether some call is made in more or fewer traces
}

func (p *pair) op() *Operation {
	if p.ops[before].Executions > 0 {
		return p.ops[before]
	}
	return p.ops[after]
}

func (p *pair) path() []string {
	var up []string
	for ; p != nil; p = p.caller {
		up = append(up, p.op().Service+" "+p.op().Name)
	}
	for i, j := 0, len(up)-1; i < j; i, j = i+1, j-1 {
		up[i], up[j] = up[j], up[i]
	}
	return up
}

// question is something that both snapshots say, and may say differently.
type question struct {
	Change
	pair     *pair
	values   [2]Histogram // of a duration or repetition
	smallest float64      // p-value that it could have had
	told     bool
}

type differ struct {
	cfg        Config
	sides      [2]*Snapshot
	requests   [2]int64
	pairs      []pair
	questions  []question
	answerable int // of those that are of behaviour
	renamed    int
	unknown    int // what one side does not have, and may have left out
}

var none = &Operation{}

func newDiffer(a, b *Snapshot, cfg Config) *differ {
	d := &differ{cfg: cfg, sides: [2]*Snapshot{a, b}, pairs: make([]pair, 0, len(a.Operations)+len(b.Operations))}
	top := map[[3]string]*pair{}
	for side, s := range d.sides {
		at := make([]*pair, len(s.Operations))
		for i := range s.Operations {
			o := &s.Operations[i]
			d.requests[side] += o.Requests
			siblings, caller := top, (*pair)(nil)
			if o.Caller >= 0 {
				caller = at[o.Caller]
				if caller.below == nil {
					caller.below = map[[3]string]*pair{}
				}
				siblings = caller.below
			}
			k := o.key()
			p := siblings[k]
			if p == nil {
				d.pairs = append(d.pairs, pair{caller: caller, ops: [2]*Operation{none, none}}) // never moves: it has the capacity
				p = &d.pairs[len(d.pairs)-1]
				siblings[k] = p
			}
			p.ops[side], at[i] = o, p
		}
	}
	d.markRenamed()
	return d
}

// ask asks everything of an operation.
func (d *differ) ask(p *pair) {
	x, y := p.ops[before], p.ops[after]
	if p.caller != nil && (p.caller.ops[before].Executions == 0 || p.caller.ops[after].Executions == 0) {
		return // as new, or as gone, as its caller
	}
	if p.renamed {
		d.renamed++
		return
	}
	for side, o := range p.ops {
		if o.Executions == 0 && d.sides[side].LeftOut > 0 {
			d.unknown++
			return
		}
	}
	isRoot := x.Requests+y.Requests > 0
	switch {
	case isRoot && x.Requests == 0:
		d.share(p, KindOperation, "", x.Requests, d.requests[before], y.Requests, d.requests[after])
	case isRoot:
		d.share(p, KindTraffic, "", x.Requests, d.requests[before], y.Requests, d.requests[after])
	case p.caller == nil:
		d.share(p, KindOperation, "", x.Traces, d.sides[before].rooted(), y.Traces, d.sides[after].rooted())
	default:
		d.share(p, KindOperation, "", x.Whole, p.caller.ops[before].Whole, y.Whole, p.caller.ops[after].Whole)
	}
	if x.Executions == 0 || y.Executions == 0 {
		return
	}
	switch {
	case d.sides[before].Outcome != d.sides[after].Outcome && isRoot:
		// Nothing that was counted by two rules is compared.
	case isRoot:
		k1, n1 := failedRequests(x)
		k2, n2 := failedRequests(y)
		d.share(p, KindFailures, "", k1, n1, k2, n2)
		d.share(p, KindAbandoned, "", x.Abandoned, x.Requests, y.Abandoned, y.Requests)
	default:
		d.share(p, KindFailures, "", x.FailedTraces, x.Traces, y.FailedTraces, y.Traces)
	}
	d.values(p, KindDuration, x.traceDurations(), y.traceDurations())
	d.values(p, KindRepetition, x.PerCaller, y.PerCaller)
	d.shapes(p)
	d.peers(p)
}

// failedRequests returns how many requests failed, of how many. Where traces were sampled with weights, it returns
// the weighted share, among as many equally weighted requests as say the same about it.
func failedRequests(o *Operation) (failed, of int64) {
	if o.Weight == 1000*o.Requests {
		return o.FailedRequests, o.Requests
	}
	weight, squares := float64(o.Weight), 0.0
	part := func(w, n int64) {
		if n > 0 {
			squares += float64(float64(w) / float64(n) * float64(w))
		}
	}
	part(o.FailedWeight, o.FailedRequests)
	part(o.Weight-o.FailedWeight, o.Requests-o.FailedRequests)
	n := min(weight/squares*weight, float64(o.Requests))
	return int64(math.Round(float64(o.FailedWeight) / weight * n)), int64(math.Round(n))
}

// fisher tests whether k of n is the same share on both sides. It returns the p-value, and the smallest that so many in
// all could have had; 1 for more traces than a table takes.
func fisher(k1, n1, k2, n2 int64) (p, smallest float64) {
	const most = 1 << 40
	if n := n1 + n2; n > most || int64(int(n)) != n { // int may have 32 bits
		return 1, 1
	}
	t := stats.Table{A: int(k2), B: int(n2 - k2), C: int(k1), D: int(n1 - k1)}
	return t.Fisher(stats.TwoSided), t.SmallestP(stats.TwoSided)
}

// share asks whether k of n is the same share on both sides.
func (d *differ) share(p *pair, kind Kind, name string, k1, n1, k2, n2 int64) {
	d.shareOf(question{pair: p, Change: Change{Kind: kind, Name: name}}, k1, n1, k2, n2)
}

func (d *differ) shareOf(q question, k1, n1, k2, n2 int64) {
	if n1 == 0 || n2 == 0 || k1 == 0 && k2 == 0 {
		return
	}
	q.P, q.smallest = fisher(k1, n1, k2, n2)
	q.Traces = [2]int64{n1, n2}
	q.Before, q.After = float64(k1)/float64(n1), float64(k2)/float64(n2)
	d.questions = append(d.questions, q)
}

// values asks whether values are as large on both sides.
func (d *differ) values(p *pair, kind Kind, a, b Histogram) {
	if len(a) == 0 || len(b) == 0 {
		return
	}
	median := func(h Histogram) float64 {
		if kind == KindDuration {
			return h.Quantile(0.5) / 1e6
		}
		x := h.Quantile(0.5) / 1e3
		if n := math.Round(x); math.Abs(x-n) <= 0.011*n { // mostly each is called once, and never 0.991 times
			return n
		}
		return x
	}
	q := question{pair: p, values: [2]Histogram{a, b}, Change: Change{
		Kind: kind, Traces: [2]int64{a.N(), b.N()}, Before: median(a), After: median(b),
	}}
	q.P, q.smallest = rankTest(a, b)
	d.questions = append(d.questions, q)
}

// shapes asks in how many traces an operation makes just these calls, for all sets of calls that it makes.
func (d *differ) shapes(p *pair) {
	type counts struct {
		name  string
		n     [2]int64
		known bool
	}
	var list []counts
	at := map[string]int{}
	for side, o := range p.ops {
		for _, x := range o.Shapes {
			var key, name strings.Builder
			known := true
			for _, c := range x.Callees {
				callee := o.Callees[c]
				for _, part := range callee {
					key.WriteString(part)
					key.WriteByte(0)
				}
				if name.Len() > 0 {
					name.WriteString(", ")
				}
				name.WriteString(callee[0] + " " + callee[1])
				if below := p.below[callee]; below != nil && below.renamed {
					known = false
				}
			}
			i, ok := at[key.String()]
			if !ok {
				i = len(list)
				at[key.String()] = i
				list = append(list, counts{name: name.String(), known: known})
			}
			list[i].n[side] = x.Traces
			list[i].known = list[i].known && known
		}
	}
	for _, x := range list {
		switch {
		case !x.known:
			d.renamed++
		case x.n[before] == 0 && p.ops[before].OtherShapes > 0 || x.n[after] == 0 && p.ops[after].OtherShapes > 0:
			d.unknown++
		default:
			d.share(p, KindStructure, x.name, x.n[before], p.ops[before].Whole, x.n[after], p.ops[after].Whole)
		}
	}
}

// peers asks what an operation calls that has no spans, and how that fails.
func (d *differ) peers(p *pair) {
	x, y := p.ops[before], p.ops[after]
	for name, n := range tallyPairs(x.Peers, y.Peers) {
		if n[before].Traces == 0 && x.OtherPeers > 0 || n[after].Traces == 0 && y.OtherPeers > 0 {
			d.unknown++
			continue
		}
		d.share(p, KindPeer, name, n[before].Traces, x.Whole, n[after].Traces, y.Whole)
		d.share(p, KindFailures, name, n[before].FailedTraces, n[before].Traces, n[after].FailedTraces, n[after].Traces)
	}
}

// tallyPairs yields the tallies of each name that either list has, by name.
func tallyPairs(a, b []Tally) func(yield func(string, [2]Tally) bool) {
	return func(yield func(string, [2]Tally) bool) {
		for len(a) > 0 || len(b) > 0 {
			var n [2]Tally
			name := ""
			switch {
			case len(b) == 0 || len(a) > 0 && a[0].Name < b[0].Name:
				name, n[before], a = a[0].Name, a[0], a[1:]
			case len(a) == 0 || b[0].Name < a[0].Name:
				name, n[after], b = b[0].Name, b[0], b[1:]
			default:
				name, n, a, b = a[0].Name, [2]Tally{a[0], b[0]}, a[1:], b[1:]
			}
			if !yield(name, n) {
				return
			}
		}
	}
}

// askServices asks which versions and instances of a service were there.
func (d *differ) askServices() {
	a, b := d.sides[before].Services, d.sides[after].Services
	for len(a) > 0 && len(b) > 0 {
		x, y := &a[0], &b[0]
		if x.Name != y.Name {
			if x.Name < y.Name {
				a = a[1:]
			} else {
				b = b[1:]
			}
			continue
		}
		d.tallies(x.Name, KindVersion, x, y, x.Versions, y.Versions, x.OtherVersions, y.OtherVersions)
		d.tallies(x.Name, KindInstance, x, y, x.Instances, y.Instances, x.OtherInstances, y.OtherInstances)
		a, b = a[1:], b[1:]
	}
}

func (d *differ) tallies(service string, kind Kind, x, y *Service, a, b []Tally, othersBefore, othersAfter int64) {
	for name, n := range tallyPairs(a, b) {
		if n[before].Traces == 0 && othersBefore > 0 || n[after].Traces == 0 && othersAfter > 0 {
			d.unknown++
			continue
		}
		q := question{Change: Change{Kind: kind, Service: service, Path: []string{service}, Name: name}}
		d.shareOf(q, n[before].Traces, x.Traces, n[after].Traces, y.Traces)
	}
}
