package compare

import (
	"cmp"
	"slices"

	"github.com/tracewhy/tracewhy"
)

// asked is the traces in which a question makes sense.
type asked struct {
	rows   []int32
	strata []int // that they are of, ascending
	sizes  []int // rows, by those
	hash   uint64
}

func (a *asked) count(stratum []int) {
	sizes := map[int]int{}
	for _, row := range a.rows {
		sizes[stratum[row]]++
		a.hash += mix(uint64(row) + 1)
	}
	for s := range sizes {
		a.strata = append(a.strata, s)
	}
	slices.Sort(a.strata)
	for _, s := range a.strata {
		a.sizes = append(a.sizes, sizes[s])
	}
}

// whole is the score of a trace of which all executions are so: scores are whole numbers, and shares of
// executions rounded to twentieths.
const whole = 20

// structureQuestion is whether a statement holds for as many executions of the incident as of the baseline.
type structureQuestion struct {
	caller *caller
	structureStatement
	asked *asked
	// scored is the rows with a score above 0, by score. turned says that a score is of executions for which
	// the statement does not hold, where those are in fewer rows.
	scored [whole + 1][]int32
	turned bool
	same   []structureStatement // that hold for the same executions, or for all others

	ps             []float64 // by relabelling
	p, q, adjusted float64
}

// structureStatement is what may hold for an execution.
type structureStatement struct {
	kind        StructureKind
	call, other tracewhy.PathID
	from        int32
}

// holds reports whether the statement holds for the i-th run, in halves, and whether the question makes sense.
func (s structureStatement) holds(c *caller, i int) (halves int, makesSense bool) {
	n, ok := s.value(c, i)
	switch {
	case !ok:
		return 0, false
	case s.kind == StructureOrder:
		return int(n), true
	case n >= s.from:
		return 2, true
	}
	return 0, true
}

// value returns what the statement is about: how many there are, or for an order 2 for yes and 1 for both at
// the same time.
func (s structureStatement) value(c *caller, i int) (n int32, makesSense bool) {
	x := &c.runs[i]
	switch s.kind {
	case StructureAtOnce:
		return x.atOnce, x.calls >= max(2, s.from)
	case StructureDepth:
		return x.levels, x.levels > 0
	case StructureOrder:
		first, ok := c.madeOf(i, s.call)
		second, both := c.madeOf(i, s.other)
		if !ok || !both || first.first == unknownStart || second.first == unknownStart {
			return 0, false
		}
		return int32(1 + cmp.Compare(second.first, first.first)), true
	default:
		m, _ := c.madeOf(i, s.call)
		return m.times, true
	}
}

func (c *caller) madeOf(i int, path tracewhy.PathID) (made, bool) {
	list := c.made(i)
	at, ok := slices.BinarySearchFunc(list, path, func(m made, path tracewhy.PathID) int { return cmp.Compare(m.path, path) })
	if !ok {
		return made{}, false
	}
	return list[at], true
}

// maxOrdered is of how many calls of a path, the most frequent, the order is asked.
const maxOrdered = 12

// minShown is in how many traces a statement has to hold, and its opposite, to be asked about.
const minShown = 3

// rowShare is the executions of a trace for which a statement holds, in halves, and those it makes sense for.
type rowShare struct{ row, halves, runs int32 }

func (x rowShare) score() int {
	return (int(x.halves)*whole + int(x.runs)) / (2 * int(x.runs))
}

// questions returns what there is to ask of a caller.
func (t *structureTable) questions(c *caller) []*structureQuestion {
	var list []*structureQuestion
	byCall := map[tracewhy.PathID][]int32{} // the runs that make the call
	var calls []tracewhy.PathID
	for i := range c.runs {
		for _, m := range c.made(i) {
			if byCall[m.path] == nil {
				calls = append(calls, m.path)
			}
			byCall[m.path] = append(byCall[m.path], int32(i))
		}
	}
	slices.Sort(calls)
	for _, call := range calls {
		if call != c.path.ID() { // which is a matter of depth
			list = append(list, t.callQuestions(c, call, byCall[call])...)
		}
	}
	for _, kind := range []StructureKind{StructureAtOnce, StructureDepth} {
		list = append(list, t.levelQuestions(c, kind)...)
	}
	slices.SortStableFunc(calls, func(x, y tracewhy.PathID) int { return cmp.Compare(len(byCall[y]), len(byCall[x])) })
	calls = calls[:min(len(calls), maxOrdered)]
	slices.Sort(calls)
	list = append(list, t.orderQuestions(c, calls)...)
	return distinctQuestions(list)
}

// callQuestions asks how often a call is made.
func (t *structureTable) callQuestions(c *caller, call tracewhy.PathID, runs []int32) []*structureQuestion {
	values := make([]int32, 0, len(runs)+1)
	if len(runs) < len(c.runs) {
		values = append(values, 0)
	}
	for _, i := range runs {
		m, _ := c.madeOf(int(i), call)
		values = append(values, m.times)
	}
	var list []*structureQuestion
	for _, from := range cutsOf(values) {
		var shares []rowShare
		at := 0
		for _, i := range runs {
			m, _ := c.madeOf(int(i), call)
			if m.times < from {
				continue
			}
			row := c.runs[i].row
			if n := len(shares); n > 0 && shares[n-1].row == row {
				shares[n-1].halves += 2
				continue
			}
			for c.ran.rows[at] < row {
				at++
			}
			shares = append(shares, rowShare{row, 2, c.count[at]})
		}
		list = append(list, newStructureQuestion(c, structureStatement{kind: StructureCalls, call: call, from: from}, c.ran, shares))
	}
	return list
}

// levelQuestions asks how many calls run at once, or how deep a recursion goes.
func (t *structureTable) levelQuestions(c *caller, kind StructureKind) []*structureQuestion {
	var values []int32
	level := structureStatement{kind: kind}
	for i := range c.runs {
		if n, ok := level.value(c, i); ok {
			values = append(values, n)
		}
	}
	var list []*structureQuestion
	for _, from := range cutsOf(values) {
		s := structureStatement{kind: kind, from: from}
		var shares []rowShare
		for i, x := range c.runs {
			if halves, ok := s.holds(c, i); ok {
				shares = addRun(shares, x.row, halves)
			}
		}
		list = append(list, newStructureQuestion(c, s, t.askedOf(shares), shares))
	}
	return list
}

// orderQuestions asks which of two calls begins first, for each pair.
func (t *structureTable) orderQuestions(c *caller, calls []tracewhy.PathID) []*structureQuestion {
	shares := make([][]rowShare, len(calls)*len(calls))
	var mine []int
	for i, x := range c.runs {
		mine = mine[:0]
		list := c.made(i)
		for k, call := range calls {
			if m, ok := c.madeOf(i, call); ok && m.first != unknownStart {
				mine = append(mine, k)
			}
		}
		if len(list) < 2 {
			continue
		}
		for at, a := range mine {
			for _, b := range mine[at+1:] {
				s := structureStatement{kind: StructureOrder, call: calls[a], other: calls[b]}
				halves, _ := s.holds(c, i)
				p := &shares[a*len(calls)+b]
				*p = addRun(*p, x.row, halves)
			}
		}
	}
	var list []*structureQuestion
	for k, pair := range shares {
		if len(pair) > 0 {
			s := structureStatement{kind: StructureOrder, call: calls[k/len(calls)], other: calls[k%len(calls)]}
			list = append(list, newStructureQuestion(c, s, t.askedOf(pair), pair))
		}
	}
	return list
}

func addRun(shares []rowShare, row int32, halves int) []rowShare {
	if n := len(shares); n == 0 || shares[n-1].row != row {
		shares = append(shares, rowShare{row: row})
	}
	last := &shares[len(shares)-1]
	last.halves += int32(halves)
	last.runs++
	return shares
}

func (t *structureTable) askedOf(shares []rowShare) *asked {
	a := &asked{rows: make([]int32, len(shares))}
	for i, x := range shares {
		a.rows[i] = x.row
	}
	a.count(t.stratum)
	return a
}

// newStructureQuestion returns a question, of which shares lists at least the traces with any yes.
func newStructureQuestion(c *caller, s structureStatement, a *asked, shares []rowShare) *structureQuestion {
	q := &structureQuestion{caller: c, structureStatement: s, asked: a}
	some, all := 0, 0
	for _, x := range shares {
		switch x.score() {
		case 0:
			some--
		case whole:
			all++
		}
		some++
	}
	if q.turned = all > len(a.rows)-some; !q.turned {
		for _, x := range shares {
			if n := x.score(); n > 0 {
				q.scored[n] = append(q.scored[n], x.row)
			}
		}
		return q
	}
	at := 0
	for _, row := range a.rows {
		n := whole
		if at < len(shares) && shares[at].row == row {
			n -= shares[at].score()
			at++
		}
		if n > 0 {
			q.scored[n] = append(q.scored[n], row)
		}
	}
	return q
}

// rare returns in how many rows the score is above 0.
func (q *structureQuestion) rare() int {
	n := 0
	for _, rows := range q.scored {
		n += len(rows)
	}
	return n
}

// distinctQuestions leaves out what too few traces say, and makes one question of those that ask the same.
func distinctQuestions(list []*structureQuestion) []*structureQuestion {
	seen := map[[2]uint64]*structureQuestion{}
	return slices.DeleteFunc(list, func(q *structureQuestion) bool {
		if q.rare() < minShown {
			return true
		}
		sum := uint64(0)
		for score, rows := range q.scored {
			for _, row := range rows {
				sum += uint64(score) * mix(uint64(row)+1)
			}
		}
		key := [2]uint64{q.asked.hash, min(sum, whole*q.asked.hash-sum)}
		if first := seen[key]; first != nil {
			first.same = append(first.same, q.structureStatement)
			return true
		}
		seen[key] = q
		return false
	})
}

// cutsOf returns the numbers from which on to count: 1, 2, 3, 4, 6, 8, 12 … and some quantiles, of those that
// divide the values. It sorts them.
func cutsOf(values []int32) []int32 {
	if len(values) == 0 {
		return nil
	}
	slices.Sort(values)
	least, most := values[0], values[len(values)-1]
	var cuts []int32
	for step := int32(1); step <= most; step *= 2 {
		cuts = append(cuts, step)
		if step > 1 && step+step/2 <= most {
			cuts = append(cuts, step+step/2)
		}
		if step > most/2 {
			break
		}
	}
	for _, percent := range []int{10, 25, 50, 75, 90} {
		v := values[(len(values)-1)*percent/100]
		cuts = append(cuts, v, v+1)
	}
	slices.Sort(cuts)
	return slices.DeleteFunc(slices.Compact(cuts), func(v int32) bool { return v <= least || v > most })
}
