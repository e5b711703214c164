package timeline

import (
	"cmp"
	"context"
	"errors"
	"math"
	"slices"
	"time"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/timeline/internal/epoch"
)

// AlignConfig adjusts [Align]. Its zero value is the documented default.
type AlignConfig struct {
	// Disagree is the largest share of calls that may contradict the others, as those do that were recorded
	// while a clock was being set; 0 means 0.02.
	Disagree float64
	// Drift is by how much two clocks that are seen to drift apart may do so in a second, in seconds; 0 means
	// 100 parts in a million, more than that of quartz.
	Drift float64
}

// Alignment is what the calls between hosts say about how far their clocks are apart. It is a layer over the
// traces: no recorded time is changed.
type Alignment struct {
	Hosts    []string    // whose clocks are known of, sorted
	Clocks   []ClockPair // of hosts that called each other, by name
	Warnings []tracewhy.Warning

	set    *tracewhy.Set
	host   []int32 // by resource: index in Hosts, or -1
	parent []int32 // by host: the next on the way to the reference of its group, or -1
	depth  []int32
	by     []int32         // by host: the pair in Clocks that leads to the parent
	ticks  []time.Duration // by host: the resolution of its clock
}

// ClockPair says by how much the clock of one host was ahead of that of another.
type ClockPair struct {
	From, To string
	Calls    int // how many calls between them were looked at
	// Windows are the times, by the clock of From, in which one interval holds for nearly all calls, in order. A
	// clock that drifts has several, and between them where it was set nothing is known.
	Windows []ClockWindow
}

// ClockWindow says by how much the clock of a pair's To was ahead of From's: at least Low, and at most High.
type ClockWindow struct {
	Start, End int64 // in nanoseconds since the Unix epoch
	Low, High  time.Duration
	Calls      int // the calls of the window
	Contradict int // and how many of them contradict the interval
}

// The warnings of [Align].
const (
	WarningClockUnknown = "clock_unknown" // hosts that call each other and whose clocks agree on nothing
	WarningClockDrift   = "clock_drift"   // hosts whose clocks drifted apart, or were set
	WarningClockAsync   = "clock_async"   // hosts known from messages only, which say nothing about clocks
)

// ErrNoTraces says that a cohort is empty.
var ErrNoTraces = errors.New("timeline: no traces")

// bound is what one call says: the clock of the callee is ahead by at least low and at most high.
type bound struct {
	at        int64
	low, high int64
}

const (
	unboundedLow  = math.MinInt64 / 4
	unboundedHigh = math.MaxInt64 / 4
	// furthest bounds how far times may be apart to count: clocks differ by less than a century.
	furthest = int64(100 * 365 * 24 * time.Hour)
	// fewestCalls is how many calls a window has at least, where a pair is divided into several.
	fewestCalls = 8
)

// Align finds how far the clocks of hosts are apart, and how sure that is.
//
// A remote side that its caller waited for cannot have started before the call, nor ended after it. Each such
// call bounds how far the clock of the one is ahead of the other's, and the intersection of all bounds is where
// the truth lies, however much longer requests take than responses (F. Cristian, 1989, doi:10.1007/BF01784024;
// K. Marzullo and S. Owicki, 1983, doi:10.1145/800221.806730). Of a call that failed, or whose caller did not
// wait, only its start counts, and messages never do. Where the intersection is empty, and not because of a few
// calls, time is halved until it is not; the clocks are then taken to drift. Hosts that never called each other
// are related by way of those that did, their uncertainties added up, along the tree of the least uncertainty.
//
// A host is what the resource's host.name, host.id or k8s.node.name says, or else [tracewhy.Span.Instance],
// or else the service.
//
// It takes time in O(n log² n) for n spans. Its error is [ErrNoTraces] or that of ctx.
func Align(ctx context.Context, traces tracewhy.Cohort, cfg AlignConfig) (*Alignment, error) {
	if traces.Len() == 0 {
		return nil, ErrNoTraces
	}
	if !(cfg.Disagree > 0 && cfg.Disagree < 0.5) {
		cfg.Disagree = 0.02
	}
	if !(cfg.Drift > 0 && cfg.Drift < 1) {
		cfg.Drift = 100e-6
	}
	a := &Alignment{set: traces.Set()}
	if err := a.findHosts(ctx, traces); err != nil {
		return nil, err
	}
	bounds, messages, err := a.bounds(ctx, traces)
	if err != nil {
		return nil, err
	}
	pairs := make([][2]int32, 0, len(bounds))
	for p := range bounds {
		pairs = append(pairs, p)
	}
	slices.SortFunc(pairs, func(x, y [2]int32) int { return cmp.Or(cmp.Compare(x[0], y[0]), cmp.Compare(x[1], y[1])) })
	unknown := tracewhy.Warning{Code: WarningClockUnknown, Message: "hosts call each other, and their recorded times agree on no difference of their clocks"}
	drift := tracewhy.Warning{Code: WarningClockDrift, Message: "the clocks of two hosts drifted apart, or were set, while traces were recorded"}
	for _, p := range pairs {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		pair := ClockPair{From: a.Hosts[p[0]], To: a.Hosts[p[1]], Calls: len(bounds[p])}
		pair.Windows = windows(bounds[p], cfg)
		switch {
		case len(pair.Windows) == 0:
			unknown.Count++
		case len(pair.Windows) > 1:
			drift.Count++
		}
		a.Clocks = append(a.Clocks, pair)
	}
	a.span(pairs)
	if messages > 0 {
		a.Warnings = append(a.Warnings, tracewhy.Warning{
			Code: WarningClockAsync, Count: messages,
			Message: "messages between hosts say nothing about how far their clocks are apart: they were left out",
		})
	}
	for _, w := range []tracewhy.Warning{drift, unknown} {
		if w.Count > 0 {
			a.Warnings = append(a.Warnings, w)
		}
	}
	return a, nil
}

// findHosts numbers the hosts of the cohort by name, and finds the resolution of their clocks: the largest power
// of ten that divides all of their times, up to a millisecond.
func (a *Alignment) findHosts(ctx context.Context, traces tracewhy.Cohort) error {
	names, read := map[int]string{}, 0 // by resource
	for t := range traces.Traces() {
		if read++; read%cancelEvery == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		for s := range t.Spans() {
			if r := s.ResourceIndex(); names[r] == "" {
				names[r] = hostOf(s)
			}
		}
	}
	most := 0
	for r, name := range names {
		a.Hosts = append(a.Hosts, name)
		most = max(most, r)
	}
	slices.Sort(a.Hosts)
	a.Hosts = slices.Compact(a.Hosts)
	a.host = slices.Repeat([]int32{-1}, most+1)
	for r, name := range names {
		i, _ := slices.BinarySearch(a.Hosts, name)
		a.host[r] = int32(i)
	}
	a.ticks = slices.Repeat([]time.Duration{time.Millisecond}, len(a.Hosts))
	for t := range traces.Traces() {
		if read++; read%cancelEvery == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		for s := range t.Spans() {
			start, end, ok := s.Interval()
			tick := &a.ticks[a.host[s.ResourceIndex()]]
			for ok && *tick > 1 && (start%int64(*tick) != 0 || end%int64(*tick) != 0) {
				*tick /= 10
			}
		}
	}
	return nil
}

func hostOf(s tracewhy.Span) string {
	for _, key := range [...]string{"host.name", "host.id", "k8s.node.name"} {
		if v, ok := s.ResourceAttr(key); ok && v.String() != "" {
			return v.String()
		}
	}
	return cmp.Or(s.Instance(), s.Service())
}

// cancelEvery is how many traces are read between looks at the context.
const cancelEvery = 256

// bounds returns what calls say, by the numbers of the two hosts, the smaller first, and how many messages
// between hosts say nothing.
func (a *Alignment) bounds(ctx context.Context, traces tracewhy.Cohort) (bounds map[[2]int32][]bound, messages int, err error) {
	bounds, read := map[[2]int32][]bound{}, 0
	for t := range traces.Traces() {
		if read++; read%cancelEvery == 0 && ctx.Err() != nil {
			return nil, 0, ctx.Err()
		}
		for s := range t.Spans() {
			caller, ok := s.Parent()
			if !ok || !s.IsRemote() {
				continue
			}
			from, to := a.host[caller.ResourceIndex()], a.host[s.ResourceIndex()]
			if from == to {
				continue
			}
			if s.Kind() == tracewhy.KindConsumer || caller.Kind() == tracewhy.KindProducer || s.IsAsync() {
				messages++
				continue
			}
			b, ok := a.boundOf(caller, s)
			if !ok {
				continue
			}
			if from > to {
				from, to = to, from
				b.low, b.high = -b.high, -b.low
			}
			bounds[[2]int32{from, to}] = append(bounds[[2]int32{from, to}], b)
		}
	}
	return bounds, messages, nil
}

func (a *Alignment) boundOf(caller, s tracewhy.Span) (bound, bool) {
	start, end, ok := caller.Interval()
	began, ended, known := s.Interval()
	if !ok || !known || epoch.Distance(start, began) > furthest || epoch.Distance(end, ended) > furthest {
		return bound{}, false
	}
	b := bound{at: start, low: unboundedLow, high: began - start + int64(a.tick(s)) - 1}
	// A caller that failed may have given up before its remote side ended.
	if !caller.Failed() && ended-began <= end-start {
		b.low = ended - end - int64(a.tick(caller)) + 1
	}
	return b, true
}

func (a *Alignment) tick(s tracewhy.Span) time.Duration { return a.ticks[a.host[s.ResourceIndex()]] }

// windows returns the times in which one interval holds for nearly all bounds.
func windows(bounds []bound, cfg AlignConfig) []ClockWindow {
	slices.SortFunc(bounds, func(x, y bound) int {
		return cmp.Or(cmp.Compare(x.at, y.at), cmp.Compare(x.low, y.low), cmp.Compare(x.high, y.high))
	})
	var out []ClockWindow
	for todo := [][]bound{bounds}; len(todo) > 0; {
		part := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		w := overlap(part)
		if isBounded := w.Low > unboundedLow && w.High < unboundedHigh; float64(w.Contradict) <= cfg.Disagree*float64(len(part)) {
			if isBounded {
				out = append(out, w)
			}
			continue
		}
		if half := len(part) / 2; half >= fewestCalls {
			todo = append(todo, part[half:], part[:half]) // the earlier half is the next
		}
	}
	if len(out) == 1 && out[0].Calls == len(bounds) {
		return out
	}
	// Within a window the clocks drifted too.
	for i := range out {
		off := time.Duration(math.Ceil(cfg.Drift * float64(out[i].End-out[i].Start)))
		out[i].Low, out[i].High = out[i].Low-off, out[i].High+off
	}
	return out
}

// overlap returns the interval that most bounds agree on; of several, the first.
func overlap(bounds []bound) ClockWindow {
	w := ClockWindow{Start: bounds[0].at, End: bounds[len(bounds)-1].at, Calls: len(bounds)}
	type edge struct {
		at   int64
		open int // 1 where an interval begins, and -1 after its end
	}
	edges := make([]edge, 0, 2*len(bounds))
	for _, b := range bounds {
		edges = append(edges, edge{b.low, 1}, edge{b.high + 1, -1})
	}
	slices.SortFunc(edges, func(x, y edge) int { return cmp.Or(cmp.Compare(x.at, y.at), cmp.Compare(x.open, y.open)) })
	open, most := 0, 0
	for i, e := range edges {
		if open += e.open; open > most {
			most = open
			w.Low, w.High = time.Duration(e.at), unboundedHigh
			if i+1 < len(edges) {
				w.High = time.Duration(edges[i+1].at - 1)
			}
		}
	}
	w.Contradict = len(bounds) - most
	return w
}
