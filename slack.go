package tracewhy

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// Slack says what a span's length means for the length of the primary root.
type Slack struct {
	Span Span

	// Drag is how much shorter the root would be if the span had taken no time: 0 unless it is on the
	// critical path, and there no more than what others that ran meanwhile leave.
	Drag time.Duration

	// Slack is how much longer the span could have taken without making the root longer. It is 0 on
	// the critical path, and Unbounded for spans that the root did not wait for.
	Slack time.Duration
}

// Unbounded is the slack of a span that can take as long as it likes.
const Unbounded time.Duration = math.MaxInt64

// Slacks returns the drag and slack of each of the trace's spans, in the order of the Set. Both are -1
// for spans whose own interval is not known, and for all if the root's is not.
//
// They come from a model of what each span waited for, read off one trace: a child starts, and its
// parent ends, when every child that had ended by then has ended, after as much own work of the parent
// as was recorded since the last of them. Children are those of [Span.AppendCriticalPath], cut to their
// parents from the top down. On this model both numbers are exact. On the program they are an estimate: a
// child may not have waited for all that had ended before it, so that slack can be larger and drag
// smaller than this says, and a span that outlives its parent is taken to have ended with it.
//
// Slack is the total float of the critical path method; drag is Devaux's: "The Drag Efficient: The
// Missing Quantification of Time on the Critical Path", Defense AT&L, 2012.
//
// It takes time in O(n log n) for n spans.
func (t Trace) Slacks() []Slack {
	first, stop := t.bounds()
	c := &t.set.cols
	slacks := make([]Slack, stop-first)
	root := t.Root()
	start, end, ok := root.Interval()
	for i := range slacks {
		slacks[i] = Slack{Span{t.set, first + int32(i)}, 0, Unbounded}
		if !ok || c.duration[first+int32(i)] < 0 {
			slacks[i].Drag, slacks[i].Slack = -1, -1
		}
	}
	if !ok {
		return slacks
	}
	cut := make([]piece, stop-first) // by place; zero, which no time is, for spans that are not waited for
	cut[0] = piece{root.num, start, end}
	slacks[0].Drag, slacks[0].Slack = time.Duration(end-start), 0
	var w slackWork
	for i := range cut { // parents come before children
		s := cut[i]
		if s.start == 0 || c.end[first+int32(i)] == first+int32(i)+1 {
			continue
		}
		w.kids = t.set.appendAwaited(w.kids[:0], s.num, s.start, s.end)
		w.solve(s.start, s.end)
		for j, k := range w.kids {
			own := &slacks[k.num-first]
			own.Slack = time.Duration(w.slack[j]) + slacks[i].Slack
			if own.Slack == 0 {
				own.Drag = min(time.Duration(w.drag[j]), slacks[i].Drag)
			}
			cut[k.num-first] = k
		}
	}
	return slacks
}

// slackWork finds the drag and slack of the children of one span within it, in the terms of a network
// of activities: events are the moments at which children end, numbered in their order, and a child
// leads from the last event before its start to its own.
type slackWork struct {
	kids        []piece
	slack, drag []int64 // by child

	base    []int64 // by child: when the last that had ended by its start ended
	byStart []int32 // children, the last to start first
	path    []int32 // children on the critical path, the last first
	others  []bound // those that are not, by slack
	next    []int32 // by place in path: where to look for one that no other bounds yet
}

// bound is a child by its slack.
type bound struct {
	slack int64
	kid   int32
}

// solve orders the kids, which lie in [lo, hi], and sets slack and drag.
func (w *slackWork) solve(lo, hi int64) {
	n := len(w.kids)
	if n == 1 {
		w.slack, w.drag = append(w.slack[:0], 0), append(w.drag[:0], w.kids[0].end-w.kids[0].start)
		return
	}
	sortLastEndFirst(w.kids)
	w.slack, w.drag, w.base = resize(w.slack, n), resize(w.drag, n), resize(w.base, n)
	w.byStart = resize(w.byStart, n)
	for i := range w.byStart {
		w.byStart[i] = int32(i)
	}
	slices.SortFunc(w.byStart, func(x, y int32) int {
		if w.kids[x].start != w.kids[y].start {
			return cmp.Compare(w.kids[y].start, w.kids[x].start)
		}
		return cmp.Compare(x, y)
	})
	w.findBases(lo)
	w.findSlack()
	w.findDrag(lo, hi)
}

// precedes reports whether k had ended when l started. Of two that take no time and are at one moment
// neither precedes the other.
func (k piece) precedes(l piece) bool { return k.end <= l.start && (k.end < l.end || !k.isEmpty()) }

// findBases sets base. It goes backwards, so that each kid is passed once by those that start too early
// for it; of the kids that start together, those that take no time come last.
func (w *slackWork) findBases(lo int64) {
	ended := 0
	for _, i := range w.byStart {
		for ended < len(w.kids) && !w.kids[ended].precedes(w.kids[i]) {
			ended++
		}
		w.base[i] = lo
		if ended < len(w.kids) {
			w.base[i] = w.kids[ended].end
		}
	}
}

// findSlack goes backwards: a child must end before the latest base of each that started after it.
func (w *slackWork) findSlack() {
	if len(w.kids) == 0 {
		return
	}
	latest, started := w.kids[0].end, 0 // the parent's end waits for all
	for i, k := range w.kids {
		for started < len(w.byStart) && k.precedes(w.kids[w.byStart[started]]) {
			j := w.byStart[started]
			latest = min(latest, w.base[j]+w.slack[j])
			started++
		}
		w.slack[i] = latest - k.end
	}
}

// findDrag uses that every path through the network crosses the moment at which a child on the critical
// path ends. Without that child the longest one is shorter by the least slack of all else that crosses
// the moment: other children, and just waiting since the event before.
func (w *slackWork) findDrag(lo, hi int64) {
	clear(w.drag)
	w.path, w.others = w.path[:0], w.others[:0]
	at := hi
	for i, k := range w.kids {
		if k.isEmpty() || k.end > at {
			w.others = append(w.others, bound{w.slack[i], int32(i)})
			continue
		}
		at = k.start
		w.path = append(w.path, int32(i))
		before := i + 1
		for before < len(w.kids) && w.kids[before].end == k.end {
			before++
		}
		event := lo
		if before < len(w.kids) {
			event = w.kids[before].end
		}
		w.drag[i] = min(k.end-k.start, k.end-event)
	}
	slices.SortFunc(w.others, func(x, y bound) int {
		if x.slack != y.slack {
			return cmp.Compare(x.slack, y.slack)
		}
		return cmp.Compare(x.kid, y.kid)
	})
	w.next = resize(w.next, len(w.path)+1)
	for i := range w.next {
		w.next[i] = int32(i)
	}
	for _, o := range w.others {
		from, _ := slices.BinarySearchFunc(w.path, w.kids[o.kid].end, func(i int32, end int64) int { return cmp.Compare(end, w.kids[i].end) })
		for i := w.open(int32(from)); int(i) < len(w.path) && w.kids[w.path[i]].end > w.base[o.kid]; i = w.open(i) {
			p := w.path[i]
			w.drag[p] = min(w.drag[p], o.slack)
			w.next[i] = i + 1
		}
	}
}

// open returns the first place in path, from i on, of a child that no other was seen to bound.
func (w *slackWork) open(i int32) int32 {
	for w.next[i] != i {
		w.next[i] = w.next[w.next[i]]
		i = w.next[i]
	}
	return i
}
