package tracewhy

import (
	"cmp"
	"math"
	"slices"
)

// treeWork arranges the spans of traces into trees. It holds buffers that are reused from trace to
// trace. Places are positions in order of span id.
type treeWork struct {
	b         *Builder
	ids       []uint64 // by place
	parentIDs []uint64
	starts    []uint64 // sortStart
	early     int      // of all traces: spans that start before earliestClock,
	late      int      // and after
	parent    []int32  // by place: the parent's place, or noParent
	state     []uint8
	children  []int32 // places, grouped by parent, siblings in order
	first     []int32 // by the parent's place + 1 (0: no parent): where its children begin in children
	stack     []int32
	rows      []uint32
	place     []int32 // by place in id order: place in the output
}

// arrange reorders the rows of one trace, which come sorted by span id, into pre-order: roots before
// cut cycles before orphans, siblings by start, then id. It sets parent and end beside them and marks
// what is odd.
func (w *treeWork) arrange(id TraceID, rows []uint32, parent, end []int32) {
	w.read(id, rows)
	w.link(id, rows)
	w.cutCycles(id, rows)
	w.sortSiblings(rows)
	w.walk(rows, parent, end)
}

// read copies what rows are searched for and sorted by, since they are spread over memory, and marks those
// whose times are not known.
func (w *treeWork) read(id TraceID, rows []uint32) {
	w.ids, w.parentIDs, w.starts = resize(w.ids, len(rows)), resize(w.parentIDs, len(rows)), resize(w.starts, len(rows))
	for i, r := range rows {
		row := w.b.row(r)
		w.ids[i], w.parentIDs[i], w.starts[i] = row.spanID.num(), row.parentID.num(), row.sortStart()
		switch {
		case w.starts[i] < earliestClock:
			w.early++
		case w.starts[i] != unknownStart:
			w.late++
		}
		switch {
		case row.start > math.MaxInt64 || row.end > math.MaxInt64:
			row.marks |= MarkTimeUnknown
			w.b.problems.note(ProblemTimeOutOfRange, "", id)
		case row.start == 0 || row.end == 0:
			row.marks |= MarkTimeUnknown
			w.b.problems.note(ProblemTimeMissing, "", id)
		case row.end < row.start:
			row.marks |= MarkNegativeDuration
			w.b.problems.note(ProblemNegativeDuration, "", id)
		}
	}
}

// link finds each row's parent by its id.
func (w *treeWork) link(id TraceID, rows []uint32) {
	b := w.b
	w.parent = resize(w.parent, len(rows))
	for i, parentID := range w.parentIDs {
		w.parent[i] = noParent
		switch parentID {
		case 0:
		case w.ids[i]:
			b.row(rows[i]).marks |= MarkCycleCut
			b.problems.note(ProblemSelfParent, "", id)
		default:
			if p, ok := slices.BinarySearch(w.ids, parentID); ok {
				w.parent[i] = int32(p)
				continue
			}
			b.row(rows[i]).marks |= MarkOrphan
			b.problems.note(ProblemOrphan, "", id)
		}
	}
}

// cutCycles makes the earliest member of each ring of parents (by start, then id) a root.
func (w *treeWork) cutCycles(id TraceID, rows []uint32) {
	const (
		unseen, onPath, done = 0, 1, 2
	)
	b := w.b
	w.state = resize(w.state, len(rows))
	clear(w.state)
	for i := range rows {
		at := int32(i)
		for at != noParent && w.state[at] == unseen {
			w.state[at] = onPath
			at = w.parent[at]
		}
		cut := int32(noParent)
		if at != noParent && w.state[at] == onPath { // a ring through at
			cut = at
			for m := w.parent[at]; m != at; m = w.parent[m] {
				if x, y := w.starts[m], w.starts[cut]; x < y || x == y && m < cut {
					cut = m
				}
			}
		}
		// All of the path is settled, also what lies beyond the cut.
		for at := int32(i); at != noParent && w.state[at] == onPath; at = w.parent[at] {
			w.state[at] = done
		}
		if cut != noParent {
			w.parent[cut] = noParent
			b.row(rows[cut]).marks |= MarkCycleCut
			b.problems.note(ProblemCycle, "", id)
		}
	}
}

// sortSiblings fills children and first.
func (w *treeWork) sortSiblings(rows []uint32) {
	b, n := w.b, len(rows)
	w.first = resize(w.first, n+2)
	clear(w.first)
	for _, p := range w.parent[:n] {
		w.first[p+2]++
	}
	for i := 1; i < n+2; i++ {
		w.first[i] += w.first[i-1]
	}
	// Placing the rows in id order leaves siblings in id order.
	w.children = resize(w.children, n)
	w.place = resize(w.place, n+1)
	next := w.place[:n+1]
	copy(next, w.first)
	for i, p := range w.parent[:n] {
		w.children[next[p+1]] = int32(i)
		next[p+1]++
	}
	byStart := func(x, y int32) int { return cmp.Compare(w.starts[x], w.starts[y]) }
	slices.SortFunc(w.children[:w.first[1]], func(x, y int32) int {
		const rank = MarkOrphan | MarkCycleCut
		r, s := b.row(rows[x]), b.row(rows[y])
		return cmp.Or(cmp.Compare(rootRank(r.marks&rank), rootRank(s.marks&rank)), byStart(x, y), cmp.Compare(s.end, r.end), cmp.Compare(x, y))
	})
	for i := 1; i <= n; i++ {
		if kids := w.children[w.first[i]:w.first[i+1]]; len(kids) > 1 {
			slices.SortFunc(kids, func(x, y int32) int { return cmp.Or(byStart(x, y), cmp.Compare(x, y)) })
		}
	}
}

// rootRank orders spans without a parent: first those that name none.
func rootRank(m Mark) int {
	switch {
	case m.Has(MarkOrphan):
		return 2
	case m.Has(MarkCycleCut):
		return 1
	}
	return 0
}

// walk writes rows in pre-order, and the parents and ends beside them, without recursion.
func (w *treeWork) walk(rows []uint32, parent, end []int32) {
	n := len(rows)
	w.rows = append(w.rows[:0], rows...)
	w.stack = w.stack[:0]
	push := func(of int32) {
		kids := w.children[w.first[of+1]:w.first[of+2]]
		for i := len(kids) - 1; i >= 0; i-- {
			w.stack = append(w.stack, kids[i])
		}
	}
	push(noParent)
	for out := int32(0); len(w.stack) > 0; out++ {
		at := w.stack[len(w.stack)-1]
		w.stack = w.stack[:len(w.stack)-1]
		rows[out] = w.rows[at]
		w.place[at] = out
		parent[out] = noParent
		if p := w.parent[at]; p != noParent {
			parent[out] = w.place[p]
		}
		push(at)
	}
	for i := range end[:n] {
		end[i] = int32(i) + 1
	}
	for i := n - 1; i > 0; i-- {
		if p := parent[i]; p != noParent {
			end[p] = max(end[p], end[i])
		}
	}
}

// noteRoots counts a trace that has not exactly one root.
func (b *Builder) noteRoots(id TraceID, rows []uint32, end []int32) {
	roots := 0
	for i := int32(0); int(i) < len(rows); i = end[i] {
		if !b.row(rows[i]).marks.Has(MarkOrphan) {
			roots++
		}
	}
	switch {
	case roots == 0:
		b.problems.note(ProblemNoRoot, "", id)
	case roots > 1:
		b.problems.note(ProblemSeveralRoots, "", id)
	}
}

// isOutside reports whether a span starts before its parent, or ends after it.
func (r *rawSpan) isOutside(parent *rawSpan) bool {
	return (r.marks|parent.marks)&(MarkTimeUnknown|MarkNegativeDuration) == 0 && (r.start < parent.start || r.end > parent.end)
}

func resize[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n, n+n/2)
	}
	return s[:n]
}
