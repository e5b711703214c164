package report

import (
	"cmp"
	"slices"
	"time"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/timeline"
)

// keepAlike is how many calls of one path, made by one span, are shown before the rest is folded.
const keepAlike = 2

// tree is the rows of a waterfall with their relations, and which of them are shown. The row numbered
// len(rows) stands for what called the roots; it takes no line.
type tree struct {
	rows     []timeline.Row
	parent   []int
	end      []int // one past the last row below
	kids     []int // how many children a row has
	shown    []bool
	covered  []bool        // a row or something below it is shown
	visible  []int         // how many children of a row are covered
	lines    int           // how many lines the shown rows take, and those that count what is folded
	total    time.Duration // of the critical path
	sections []timeline.Section
	first    []int // by row: its first section; one entry more at the end
}

func newTree(rows []timeline.Row) *tree {
	n := len(rows)
	t := &tree{
		rows: rows, parent: make([]int, n), end: make([]int, n), kids: make([]int, n+1), shown: make([]bool, n+1),
		covered: make([]bool, n+1), visible: make([]int, n+1), first: make([]int, n+1),
	}
	t.shown[n], t.covered[n] = true, true
	var open []int // the chain of rows above
	for i, r := range rows {
		for len(open) > 0 && rows[open[len(open)-1]].Depth >= r.Depth {
			t.end[open[len(open)-1]] = i
			open = open[:len(open)-1]
		}
		t.parent[i] = n
		if len(open) > 0 {
			t.parent[i] = open[len(open)-1]
		}
		t.kids[t.parent[i]]++
		open = append(open, i)
		t.first[i] = len(t.sections)
		t.sections = append(t.sections, r.Critical...)
	}
	for _, i := range open {
		t.end[i] = n
	}
	t.first[n] = len(t.sections)
	return t
}

// alike is what calls have in common that are folded together: who made them, their path, and the path
// of the first call below, which tells clients apart that call different services under one name.
type alike struct {
	parent int
	path   tracewhy.PathID
	below  tracewhy.PathID
}

// choose decides which rows are shown, on at most limit lines: the first root, then the rows that the
// caller points at, then those with the most time on the critical path, failed ones, and long ones. A
// row brings the calls that lead to it. Where these are too many, one that matters is shown without them.
func (t *tree) choose(limit int, pointed func(tracewhy.Span) bool) {
	shownAlike := map[alike]int{}
	keys := t.importance(pointed)
	for _, k := range keys {
		chain, alike := 0, 0
		for j := k.row; !t.shown[j]; j = t.parent[j] {
			chain++
			alike = max(alike, shownAlike[t.alike(j)])
		}
		switch {
		case chain == 0, alike >= keepAlike:
		case t.lines == 0, chain <= max(2, limit/2) && t.lines+t.cost(k.row) <= limit:
			for j := k.row; !t.shown[j]; j = t.parent[j] {
				t.show(j)
				shownAlike[t.alike(j)]++
			}
		// Itself, the line about the calls that lead to it, and one about what else is folded.
		case t.lines+3 <= limit && (k.class > 0 || k.critical >= t.total/10):
			t.show(k.row)
			t.lines++
			shownAlike[t.alike(k.row)]++
		}
	}
}

func (t *tree) alike(i int) alike {
	a := alike{parent: t.parent[i], path: t.rows[i].Span.Path().ID()}
	a.below = a.path
	if t.end[i] > i+1 {
		a.below = t.rows[i+1].Span.Path().ID()
	}
	return a
}

// importance is what decides which rows are shown.
type importance struct {
	row      int
	class    int // 2: the first root; 1: pointed at
	critical time.Duration
	failed   bool
}

// importance returns that of all rows, the most important first.
func (t *tree) importance(pointed func(tracewhy.Span) bool) []importance {
	keys := make([]importance, len(t.rows))
	for i, r := range t.rows {
		keys[i] = importance{row: i, critical: r.CriticalTime(), failed: r.Span.Failed()}
		t.total += keys[i].critical
		switch {
		case i == 0:
			keys[i].class = 2
		case pointed(r.Span):
			keys[i].class = 1
		}
	}
	slices.SortFunc(keys, func(a, b importance) int {
		c := cmp.Or(cmp.Compare(b.class, a.class), cmp.Compare(b.critical, a.critical))
		if c == 0 && a.failed != b.failed {
			if a.failed {
				return -1
			}
			return 1
		}
		return cmp.Or(c, cmp.Compare(t.rows[b.row].Duration, t.rows[a.row].Duration), cmp.Compare(a.row, b.row))
	})
	return keys
}

// cost returns how many more lines it takes to show row i and everything above it.
func (t *tree) cost(i int) int {
	n, more := 0, 0 // more: by how much the covered children of j grow
	for j := i; ; j = t.parent[j] {
		after := t.foldLine(j, t.visible[j]+more)
		if t.shown[j] {
			return n + after - t.foldLine(j, t.visible[j])
		}
		n += 1 + after
		more = 1
		if t.covered[j] {
			more = 0
		}
	}
}

// foldLine returns how many lines it takes below row p to say what children of it are folded, if so many
// are covered. Where none is, p's own line says it.
func (t *tree) foldLine(p, covered int) int {
	if 0 < covered && covered < t.kids[p] {
		return 1
	}
	return 0
}

// show shows row i, and covers the rows above it.
func (t *tree) show(i int) {
	t.shown[i] = true
	t.lines += 1 + t.foldLine(i, t.visible[i])
	for j := i; !t.covered[j]; j = t.parent[j] {
		t.covered[j] = true
		p := t.parent[j]
		if t.shown[p] {
			t.lines += t.foldLine(p, t.visible[p]+1) - t.foldLine(p, t.visible[p])
		}
		t.visible[p]++
	}
}

// hidden yields the children of row p that are folded.
func (t *tree) hidden(p int) []int {
	var list []int
	first, end := p+1, len(t.rows)
	if p == len(t.rows) {
		first = 0
	} else {
		end = t.end[p]
	}
	for i := first; i < end; i = t.end[i] {
		if !t.covered[i] {
			list = append(list, i)
		}
	}
	return list
}

// skipped returns how many callers of row i are left out between it and the row that it is shown below,
// and the topmost of them.
func (t *tree) skipped(i int) (top, n int) {
	top = i
	for j := t.parent[i]; !t.shown[j]; j = t.parent[j] {
		top = j
		n++
	}
	return top, n
}

// between returns how many rows from top downwards are not shown and have nothing shown above them that
// is below top.
func (t *tree) between(top int) int {
	n := 0
	for i := top; i < t.end[top]; {
		if t.shown[i] {
			i = t.end[i]
			continue
		}
		n++
		i++
	}
	return n
}

// criticalOf returns the sections of the rows from first to before end.
func (t *tree) criticalOf(first, end int) []timeline.Section {
	return t.sections[t.first[first]:t.first[end]]
}
