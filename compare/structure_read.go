package compare

import (
	"cmp"
	"context"
	"math"
	"slices"

	"github.com/tracewhy/tracewhy"
)

// structureTable is the traces of a comparison by what their executions call.
type structureTable struct {
	cfg      StructureConfig
	c        *comparison
	rows     []int32 // the traces of the comparison that are compared
	label    []bool  // by row: of the incident
	stratum  []int   // by row
	cluster  []int   // by row, -1 for one of its own; nil without clusters
	count    [2]int
	callers  []*caller // by path
	warnings []tracewhy.Warning

	// through says, by path, that its spans are calls of one name that reach several operations, such as
	// "HTTP GET". What their caller calls is the operations.
	through []bool

	family []*structureQuestion
}

// caller is a call path that calls something in some trace, and its executions.
type caller struct {
	path  tracewhy.Path
	runs  []run // in the order of rows
	calls []made
	count []int32 // runs, by row of ran.rows
	ran   *asked  // all traces with a run
}

// run is an execution.
type run struct {
	row    int32
	calls  int32 // with a known interval
	atOnce int32
	levels int32 // of recursion, in the outermost execution; 0 in others
	end    int32 // of its calls among the caller's
	failed bool
}

// made is the calls of one path that an execution makes.
type made struct {
	path  tracewhy.PathID
	times int32
	first int64 // when the first begins; unknownStart if that is not known
}

const unknownStart = math.MaxInt64

// within returns the comparison within the values of further attributes.
func (c *comparison) within(attributes []string) *comparison {
	if len(attributes) == 0 {
		return c
	}
	type key struct {
		root   int32
		values string
	}
	finer := *c
	finer.stratum = make([]int32, len(c.traces))
	numbers := map[key]int32{}
	for i, t := range c.traces {
		k := key{root: c.stratum[i]}
		for _, name := range attributes {
			k.values += firstValue(t, name) + "\x00"
		}
		n, ok := numbers[k]
		if !ok {
			n = int32(len(numbers))
			numbers[k] = n
		}
		finer.stratum[i] = n
	}
	finer.strata = make([][2]int, len(numbers))
	finer.standardise()
	return &finer
}

func newStructureTable(c *comparison, cfg StructureConfig) *structureTable {
	t := &structureTable{cfg: cfg, c: c}
	clusters := map[string]int{}
	for i, trace := range c.traces {
		if c.share[i] == 0 {
			continue
		}
		t.rows = append(t.rows, int32(i))
		t.label = append(t.label, c.side[i] == inc)
		t.stratum = append(t.stratum, int(c.stratum[i]))
		t.count[c.side[i]]++
		if cfg.Cluster == "" {
			continue
		}
		t.cluster = append(t.cluster, clusterNumber(clusters, firstValue(trace, cfg.Cluster)))
	}
	return t
}

// read collects the executions of every call path that calls something.
func (t *structureTable) read(ctx context.Context) error {
	n := t.c.set.NumPaths()
	callers := make([]*caller, n)
	t.through = make([]bool, n)
	reached := make([]tracewhy.PathID, n) // by path of a client: what the first of its spans reaches, plus one
	err := t.spans(ctx, func(_ int, s tracewhy.Span) {
		id := s.Path().ID()
		if !s.HasChildren() {
			return
		}
		if callers[id] == nil {
			callers[id] = &caller{path: s.Path()}
		}
		if r, ok := callee(s); ok {
			if reached[id] == 0 {
				reached[id] = r.Path().ID() + 1
			}
			t.through[id] = t.through[id] || reached[id] != r.Path().ID()+1
		}
	})
	if err != nil {
		return err
	}
	r := structureReader{through: t.through, open: make([]int32, n), outermost: make([]int32, n)}
	last := 0
	err = t.spans(ctx, func(row int, s tracewhy.Span) {
		if row != last {
			r.leave()
			last = row
		}
		nested := r.enter(s)
		if c := callers[s.Path().ID()]; c != nil {
			r.run(c, s, int32(row), nested)
		}
	})
	t.callers = slices.DeleteFunc(callers, func(c *caller) bool { return c == nil })
	for _, c := range t.callers {
		c.ran = &asked{}
		for i, x := range c.runs {
			if i == 0 || c.runs[i-1].row != x.row {
				c.ran.rows = append(c.ran.rows, x.row)
				c.count = append(c.count, 0)
			}
			c.count[len(c.count)-1]++
		}
		c.ran.count(t.stratum)
	}
	return err
}

// spans calls f for every span of the traces that are compared, in order.
func (t *structureTable) spans(ctx context.Context, f func(row int, s tracewhy.Span)) error {
	for row, i := range t.rows {
		if row%cancelEvery == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		for s := range t.c.traces[i].Spans() {
			f(row, s)
		}
	}
	return nil
}

// structureReader goes through the spans of a trace, and keeps which are open: those above the last.
type structureReader struct {
	through   []bool // by path
	stack     []tracewhy.Span
	open      []int32 // by path, how many of the stack
	outermost []int32 // by path: the number of the run of the first of those
	calls     []made
	ends      []int64
}

// enter returns how many executions of the span's path it is nested in, itself included.
func (r *structureReader) enter(s tracewhy.Span) int32 {
	for len(r.stack) > 0 && !r.stack[len(r.stack)-1].IsAncestorOf(s) {
		r.pop()
	}
	r.stack = append(r.stack, s)
	id := s.Path().ID()
	r.open[id]++
	return r.open[id]
}

func (r *structureReader) pop() {
	last := len(r.stack) - 1
	r.open[r.stack[last].Path().ID()]--
	r.stack = r.stack[:last]
}

func (r *structureReader) leave() {
	for len(r.stack) > 0 {
		r.pop()
	}
}

// run adds an execution to its caller.
func (r *structureReader) run(c *caller, s tracewhy.Span, row, nested int32) {
	x := run{row: row, failed: s.Failed()}
	if id := s.Path().ID(); nested == 1 {
		x.levels = 1
		r.outermost[id] = int32(len(c.runs))
	} else {
		outer := &c.runs[r.outermost[id]]
		outer.levels = max(outer.levels, nested)
	}
	r.calls, r.ends = r.calls[:0], r.ends[:0]
	remote, isCall := callee(s)
	for child := range s.Children() {
		m := made{child.Path().ID(), 1, unknownStart}
		if r.through[m.path] {
			if answer, ok := callee(child); ok {
				m.path = answer.Path().ID()
			}
		}
		if start, end, ok := child.Interval(); ok {
			m.first = start
			x.calls++
			r.ends = append(r.ends, end)
		}
		r.calls = append(r.calls, m)
	}
	slices.Sort(r.ends)
	begun, ended := 0, 0
	for _, m := range r.calls { // by start
		if m.first == unknownStart {
			continue
		}
		begun++
		for ended < begun-1 && r.ends[ended] <= m.first {
			ended++
		}
		x.atOnce = max(x.atOnce, int32(begun-ended))
	}
	if isCall && r.through[s.Path().ID()] {
		r.calls = slices.DeleteFunc(r.calls, func(m made) bool { return m.path == remote.Path().ID() })
	}
	slices.SortFunc(r.calls, func(a, b made) int {
		return cmp.Or(cmp.Compare(a.path, b.path), cmp.Compare(a.first, b.first))
	})
	for i, m := range r.calls {
		if i > 0 && r.calls[i-1].path == m.path {
			c.calls[len(c.calls)-1].times++
		} else {
			c.calls = append(c.calls, m)
		}
	}
	x.end = int32(len(c.calls))
	c.runs = append(c.runs, x)
}

// made returns what the i-th run calls, by path.
func (c *caller) made(i int) []made {
	if i == 0 {
		return c.calls[:c.runs[0].end]
	}
	return c.calls[c.runs[i-1].end:c.runs[i].end]
}
