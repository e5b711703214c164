package capacity

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/quantity"
	"github.com/tracewhy/tracewhy/internal/stats"
	"github.com/tracewhy/tracewhy/timeline/internal/epoch"
	"github.com/tracewhy/tracewhy/timeline/internal/peer"
)

// Growth is what executions that take longer spend the time on.
type Growth uint8

// The kinds of growth.
const (
	GrowthUnknown Growth = iota
	GrowthWait           // they wait for each other, for one of a number of servers
	GrowthWork           // each takes longer, also without others beside it
)

// String returns the kind in lower-case words.
func (g Growth) String() string { return [...]string{"unknown", "wait", "work"}[min(g, GrowthWork)] }

// SlowdownResult says whether executions of an operation became slower because they waited, or because of what they
// did.
type SlowdownResult struct {
	Growth Growth
	// Before and After are the mean durations in both cohorts, and Waited is how much of After the executions
	// waited for each other, on average.
	Before, After, Waited time.Duration
	Limit                 Limit // in the incident
	Reason                string
}

// Slowdown says whether executions of a path's operation take longer because they wait or because they work, in the
// incident against better times.
//
// It is a wait if spans say so by their name, or if the executions in the service, or an instance of it, wait within
// their own time for one of N, as for a lock, or before their calls, as for a connection ([Limit]); and if those waits
// are at least half of the growth. It is work if half of the growth is their own time, and executions beside which no
// other was under way when they began, and which so waited for none, grew by at least half as much, in the instances
// that became slower. Otherwise it is unknown, and the reason says why: the growth may be no more than chance, or in
// what they call; and waits for what no span shows look like work.
//
// It takes time in O(n log n) for n spans. Its error is [ErrNoTraces], if either cohort has no execution, or that of
// ctx.
func Slowdown(ctx context.Context, baseline, incident tracewhy.Cohort, path tracewhy.Path) (*SlowdownResult, error) {
	before, err := executionsOf(ctx, baseline, path)
	if err != nil {
		return nil, err
	}
	after, err := executionsOf(ctx, incident, path)
	if err != nil {
		return nil, err
	}
	if len(before.took) == 0 || len(after.took) == 0 {
		return nil, ErrNoTraces
	}
	r := &SlowdownResult{Before: meanOf(before.took), After: meanOf(after.took)}
	growth := r.After - r.Before
	if !isLonger(after.took, before.took) {
		r.Reason = fmt.Sprintf("executions did not become longer by more than chance: they took %v, and %v before", quantity.Round(r.After), quantity.Round(r.Before))
		return r, nil
	}
	ownGrowth, named := meanOf(after.own)-meanOf(before.own), meanOf(after.named)-meanOf(before.named)
	isOwn := 2*ownGrowth >= growth
	var all time.Duration
	r.Limit, all = after.waits(before.alone(0), isOwn)
	_, usual := before.waits(nil, isOwn)
	r.Waited = max(all/time.Duration(after.size()), meanOf(after.named))
	more := all/time.Duration(after.size()) - usual/time.Duration(before.size())
	slower, alone, aloneBefore := after.meanOf(r.Before+growth/2)-before.meanOf(0), after.alone(r.Before+growth/2), before.alone(0)
	aloneGrowth := meanOf(alone) - meanOf(aloneBefore)
	switch {
	case 2*named >= growth:
		r.Growth = GrowthWait
		r.Reason = fmt.Sprintf("%v of the %v by which executions became longer are in spans that are named as a wait", quantity.Round(named), quantity.Round(growth))
	case r.Limit.N > 0 && 2*more >= growth:
		r.Growth = GrowthWait
		r.Reason = fmt.Sprintf("%v of the %v by which executions became longer are waits, for one of %d: %s", quantity.Round(more), quantity.Round(growth), r.Limit.N, r.Limit.Reason)
	case !isOwn:
		r.Reason = fmt.Sprintf("of the %v by which executions became longer %v are their own, and the rest is in what they call", quantity.Round(growth), quantity.Round(max(ownGrowth, 0)))
	case len(alone) < fewestWaits || len(aloneBefore) < fewestWaits:
		r.Reason = "too few executions had none other beside them to tell work from waits: " + r.Limit.Reason
	case 2*aloneGrowth >= slower:
		r.Growth = GrowthWork
		r.Reason = fmt.Sprintf("executions became longer by %v, and those that none other was under way beside by %v", quantity.Round(growth), quantity.Round(aloneGrowth))
	default:
		r.Reason = fmt.Sprintf("executions became longer by %v, and those that none other was under way beside by %v: they wait for each other, share too little, or came when it was well; a limit is %s",
			quantity.Round(growth), quantity.Round(aloneGrowth), r.Limit.Reason)
	}
	return r, nil
}

// growthLevel is the probability at which executions are said to take longer that do not.
const growthLevel = 0.01

// isLonger reports whether executions take longer than others by more than chance: most of them, or on average.
func isLonger(after, before []int64) bool {
	growth := meanOf(after) - meanOf(before)
	if growth <= 0 {
		return false
	}
	x, y := floatsOf(after), floatsOf(before)
	if stats.MannWhitney(stats.NewSample(x), stats.NewSample(y), stats.Greater).P < growthLevel {
		return true
	}
	const deviations = 3
	spread := stats.Variance(x)/float64(len(x)) + stats.Variance(y)/float64(len(y))
	return float64(growth)*float64(growth) > deviations*deviations*spread
}

func floatsOf(xs []int64) []float64 {
	out := make([]float64, len(xs))
	for i, x := range xs {
		out[i] = float64(x)
	}
	return out
}

func meanOf(xs []int64) time.Duration {
	mean := 0.0
	for _, x := range xs {
		mean += float64(x) / float64(len(xs))
	}
	return time.Duration(mean)
}

// executions are those of an operation: of one path, and in all paths, since these share what they wait for.
type executions struct {
	took, own []int64   // of the path: durations and self times
	named     []int64   // and how much of each is in spans that are named as waits
	instances []*user   // by name
	calls     [][]*user // of each instance, by peer, with pauses before them
	entered   []*user   // what others asked of each instance, of whatever operation
	isSample  bool
}

func executionsOf(ctx context.Context, traces tracewhy.Cohort, path tracewhy.Path) (*executions, error) {
	x := &executions{}
	u := newUsers(Service)
	entries := newUsers(Service)
	isWait := u.waits(path)
	read := 0
	for t := range traces.Traces() {
		if read++; read%cancelEvery == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		x.isSample = x.isSample || t.Weight() != 1
		for s := range t.Spans() {
			p := s.Path()
			start, end, ok := s.Interval()
			if !ok || p.Service() != path.Service() {
				continue
			}
			n := u.namesOf(s)
			if u.enters(s) {
				to := entries.of(userID{Service, n[0], n[1], ""})
				to.uses = append(to.uses, use{start, end, t.Weight()})
			}
			if p.Operation() != path.Operation() || p.Kind() != path.Kind() {
				continue
			}
			if p == path {
				x.took, x.own = append(x.took, end-start), append(x.own, int64(s.SelfTime()))
				x.named = append(x.named, u.namedWaits(s))
				if isWait && !s.HasChildren() {
					x.named[len(x.named)-1] = end - start
				}
			}
			u.executed(s, use{start, end, t.Weight()})
		}
	}
	slices.SortFunc(u.all, func(x, y *user) int { return x.id.compare(y.id) })
	for _, of := range u.all {
		if of.id.name != "" {
			x.calls[len(x.calls)-1] = append(x.calls[len(x.calls)-1], of)
			continue
		}
		x.instances, x.calls = append(x.instances, of), append(x.calls, nil)
		x.entered = append(x.entered, entries.of(of.id))
	}
	return x, ctx.Err()
}

// alone returns how long those executions took that began when no other was under way, nor anything else that was
// asked of their instance: of instances in which executions took so long on average.
func (x *executions) alone(slow time.Duration) []int64 {
	var out []int64
	for i, of := range x.instances {
		if meanUse(of.uses) < slow {
			continue
		}
		starts, ends := edges(x.entered[i].uses)
		latest := int64(-1 << 63)
		for _, e := range byStart(of.uses) {
			began, _ := slices.BinarySearch(starts, epoch.Add(e.start, 1))
			ended, _ := slices.BinarySearch(ends, epoch.Add(e.start, 1))
			if e.start >= latest && began-ended <= 1 { // its own
				out = append(out, e.end-e.start)
			}
			latest = max(latest, e.end)
		}
	}
	return out
}

// meanOf returns how long executions took on average: of instances in which they took so long on average.
func (x *executions) meanOf(slow time.Duration) time.Duration {
	var all []use
	for _, of := range x.instances {
		if meanUse(of.uses) >= slow {
			all = append(all, of.uses...)
		}
	}
	return meanUse(all)
}

func meanUse(uses []use) time.Duration {
	sum := int64(0)
	for _, u := range uses {
		sum += u.end - u.start
	}
	return time.Duration(sum / max(int64(len(uses)), 1))
}

// namedWaits returns for how long the children of an execution ran that are named as waits.
func (u *users) namedWaits(s tracewhy.Span) int64 {
	sum := int64(0)
	for c := range s.Children() {
		if start, end, ok := c.Interval(); ok && !c.HasChildren() && u.waits(c.Path()) {
			sum += end - start
		}
	}
	return sum
}

// size returns how many executions there are in all paths.
func (x *executions) size() int {
	n := 0
	for _, of := range x.instances {
		n += len(of.uses)
	}
	return n
}

// executed notes an execution of an instance, and its calls with what of it may be waits for them.
func (u *users) executed(s tracewhy.Span, e use) {
	n := u.namesOf(s)
	to := u.of(userID{Service, n[0], n[1], ""})
	to.uses = append(to.uses, e)
	var waits []use // that have a span and led to no call yet
	for c := range s.Children() {
		start, end, ok := c.Interval()
		if !ok {
			continue
		}
		if !c.HasChildren() && u.waits(c.Path()) {
			waits = append(waits, use{start, end, e.weight})
		} else if callee, ok := peer.Of(c); ok {
			to := u.of(userID{Service, n[0], n[1], callee})
			to.uses = append(to.uses, use{start, end, e.weight})
			for _, w := range waits {
				to.pauses = append(to.pauses, pause{w, isNamed})
			}
			waits = nil
		}
	}
	for g := range s.Gaps() {
		if callee, ok := peer.Of(g.Child); ok && (g.Class == tracewhy.GapBeforeFirst || g.Class == tracewhy.GapBetween) {
			to := u.of(userID{Service, n[0], n[1], callee})
			to.pauses = append(to.pauses, pause{use{g.Start, g.End, e.weight}, u.compared(int(g.Child.Path().ID()), int(g.Class))})
		}
	}
}

// waits returns what executions wait for, before their calls or within their own time, and for how long in all. The
// limit is that of the instance in which most waited.
func (x *executions) waits(others []int64, isOwn bool) (Limit, time.Duration) {
	if x.isSample {
		return Limit{Reason: sampledReason}, 0
	}
	var most Limit
	all := int64(0)
	for i, of := range x.instances {
		l, waits := x.waitsOf(of, x.calls[i], others, isOwn)
		if l.N > 0 {
			for _, w := range waits {
				all += w.end - w.start
			}
		}
		if most.Reason == "" || (l.N > 0) == (most.N > 0) && l.Waits > most.Waits || l.N > 0 && most.N == 0 {
			most = l
		}
	}
	return most, time.Duration(all)
}

func (x *executions) waitsOf(of *user, calls []*user, others []int64, isOwn bool) (Limit, []use) {
	for _, to := range calls {
		for _, share := range usualShares {
			waits := to.delays(share)
			if l := plateauOf(to.uses, waits); l.N > 0 {
				return l, waits
			}
		}
	}
	if !isOwn {
		return Limit{Reason: "not estimable: the time is not that of the executions themselves"}, nil
	}
	return serversOf(of.uses, others)
}
