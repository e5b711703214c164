package timeline

import (
	"cmp"
	"slices"
	"time"

	"github.com/tracewhy/tracewhy"
)

// Order says which of two moments came first.
type Order uint8

// The orders. Where the clocks of two hosts are not known well enough there is none.
const (
	OrderUnknown Order = iota
	OrderBefore
	OrderAfter
)

// String returns "unknown", "before" or "after".
func (o Order) String() string {
	switch o {
	case OrderBefore:
		return "before"
	case OrderAfter:
		return "after"
	}
	return "unknown"
}

// span makes the tree that relates hosts: of the pairs whose offset is known those of the least uncertainty, as
// long as they relate hosts that are not related yet (J. B. Kruskal, 1956).
func (a *Alignment) span(pairs [][2]int32) {
	n := len(a.Hosts)
	order := make([]int32, 0, len(pairs))
	for i := range pairs {
		if len(a.Clocks[i].Windows) > 0 {
			order = append(order, int32(i))
		}
	}
	width := func(i int32) time.Duration {
		w := time.Duration(0)
		for _, x := range a.Clocks[i].Windows {
			w = max(w, x.High-x.Low)
		}
		return w
	}
	slices.SortStableFunc(order, func(x, y int32) int { return cmp.Compare(width(x), width(y)) })
	group := make([]int32, n)
	for h := range group {
		group[h] = int32(h)
	}
	find := func(h int32) int32 {
		for group[h] != h {
			group[h] = group[group[h]]
			h = group[h]
		}
		return h
	}
	edges := make([][][2]int32, n) // by host: the other host, and the pair
	for _, i := range order {
		x, y := pairs[i][0], pairs[i][1]
		if gx, gy := find(x), find(y); gx != gy {
			group[max(gx, gy)] = min(gx, gy)
			edges[x] = append(edges[x], [2]int32{y, i})
			edges[y] = append(edges[y], [2]int32{x, i})
		}
	}
	a.parent, a.by, a.depth = slices.Repeat([]int32{-1}, n), slices.Repeat([]int32{-1}, n), make([]int32, n)
	seen := make([]bool, n)
	for root := range n { // the first host of each group is its reference
		if seen[root] {
			continue
		}
		seen[root] = true
		for todo := []int32{int32(root)}; len(todo) > 0; {
			h := todo[0]
			todo = todo[1:]
			for _, e := range edges[h] {
				if next := e[0]; !seen[next] {
					seen[next] = true
					a.parent[next], a.by[next], a.depth[next] = h, e[1], a.depth[h]+1
					todo = append(todo, next)
				}
			}
		}
	}
}

// Offset returns by how much the clock of host to is ahead of that of host from, at a time by the clock of
// either: at least low and at most high. It is false where that is not known.
func (a *Alignment) Offset(from, to string, at int64) (low, high time.Duration, ok bool) {
	x, okX := slices.BinarySearch(a.Hosts, from)
	y, okY := slices.BinarySearch(a.Hosts, to)
	if !okX || !okY {
		return 0, 0, false
	}
	return a.offset(int32(x), int32(y), at)
}

func (a *Alignment) offset(x, y int32, at int64) (low, high time.Duration, ok bool) {
	for x != y {
		// Go up from the deeper of the two, until they meet.
		up, sign := &x, time.Duration(1)
		if a.depth[y] > a.depth[x] {
			up, sign = &y, -1
		}
		h := *up
		if a.parent[h] < 0 {
			return 0, 0, false
		}
		pair := &a.Clocks[a.by[h]]
		w, found := pair.window(at)
		if !found {
			return 0, 0, false
		}
		// The window is of To relative to From; what is added is of the upper end of the step relative to x's.
		l, u := w.Low, w.High
		if pair.To == a.Hosts[h] {
			l, u = -u, -l
		}
		if sign < 0 {
			l, u = -u, -l
		}
		low, high = low+l, high+u
		*up = a.parent[h]
	}
	return low, high, true
}

// window returns the window of a moment. Before the first and after the last, theirs holds.
func (p *ClockPair) window(at int64) (ClockWindow, bool) {
	i, _ := slices.BinarySearchFunc(p.Windows, at, func(w ClockWindow, at int64) int { return cmp.Compare(w.End, at) })
	switch {
	case len(p.Windows) == 0:
		return ClockWindow{}, false
	case i == len(p.Windows):
		return p.Windows[i-1], true
	case i > 0 && at < p.Windows[i].Start && p.Windows[i-1].End < at:
		// Between two windows the clock went from the one to the other.
		before, after := p.Windows[i-1], p.Windows[i]
		return ClockWindow{Low: min(before.Low, after.Low), High: max(before.High, after.High)}, true
	}
	return p.Windows[i], true
}

// Shifted is when a span ran by the clock of another host: it began no earlier than Start and no later than
// Start plus Slop, and ended no earlier than End and no later than End plus Slop.
type Shifted struct {
	Start, End int64         // in nanoseconds since the Unix epoch
	Slop       time.Duration // how little is known of the clocks
}

// Shift returns when the span ran by the clock of a host. It is false where the span's times, or its clock, are
// not known. The span's own times stay what they were recorded as.
func (a *Alignment) Shift(s tracewhy.Span, host string) (Shifted, bool) {
	start, end, ok := s.Interval()
	h, known := a.hostOf(s)
	y, found := slices.BinarySearch(a.Hosts, host)
	if !ok || !known || !found {
		return Shifted{}, false
	}
	low, high, ok := a.offset(h, int32(y), start)
	if !ok {
		return Shifted{}, false
	}
	return Shifted{start + int64(low), end + int64(low), high - low}, true
}

func (a *Alignment) hostOf(s tracewhy.Span) (int32, bool) {
	if s.IsZero() || s.Trace().Set() != a.set || s.ResourceIndex() >= len(a.host) {
		return 0, false
	}
	h := a.host[s.ResourceIndex()]
	return h, h >= 0
}

// Order says whether a moment by the clock of x's host came before one by that of y's: at and than are in
// nanoseconds since the Unix epoch, such as the start of x and the end of y. It is unknown where the difference
// is within what is not known of the clocks.
func (a *Alignment) Order(x tracewhy.Span, at int64, y tracewhy.Span, than int64) Order {
	hx, okX := a.hostOf(x)
	hy, okY := a.hostOf(y)
	if !okX || !okY {
		return OrderUnknown
	}
	low, high, ok := a.offset(hx, hy, at)
	if !ok {
		return OrderUnknown
	}
	ticks := int64(0)
	if hx != hy { // one clock never goes back
		ticks = int64(max(a.ticks[hx], a.ticks[hy])) - 1
	}
	switch {
	case at+int64(high)+ticks < than:
		return OrderBefore
	case at+int64(low)-ticks > than:
		return OrderAfter
	}
	return OrderUnknown
}
