package report

import (
	"cmp"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/visible"
	"github.com/tracewhy/tracewhy/timeline"
)

// Waterfall draws traces below each other, on one scale of time: a row for each call, and bars that
// show when it ran and when the trace waited for it. What does not fit on Config.Rows lines for each
// trace is folded and counted: calls that repeat, calls that are not on the critical path, and the
// middle of deep chains.
func Waterfall(w io.Writer, cfg Config, traces ...tracewhy.Trace) error {
	p := newPrinter(cfg)
	list := make([]drawing, len(traces))
	for i, t := range traces {
		list[i] = drawing{tracewhy.OutcomeRule{}.Of(t).String(), t, func(tracewhy.Span) bool { return false }}
	}
	p.waterfalls(cfg.rows(), list)
	return p.flush(w)
}

// drawing is one trace to draw.
type drawing struct {
	title   string // before the trace's id
	trace   tracewhy.Trace
	pointed func(tracewhy.Span) bool // spans to point at
}

// The characters of bars.
const (
	onPath   = '█'
	waiting  = '─'
	offPath  = '░'
	folded   = '·'
	noLength = '?'
)

// The columns of a waterfall, beside the bars.
const (
	markColumn     = 2
	durationColumn = 9
	minGapShare    = 6 // a gap of at least a sixth of the scale is pointed out
	maxGaps        = 3
	maxIndent      = 12
)

// canvas is where the rows of all traces of one picture go.
type canvas struct {
	p     *printer
	label int // columns
	bar   int

	scale  time.Duration
	origin time.Duration // of the trace that is drawn
}

func (p *printer) waterfalls(rows int, list []drawing) {
	c := canvas{p: p, scale: 1, label: p.width * 9 / 20}
	c.bar = p.width - markColumn - c.label - 1 - durationColumn
	falls := make([][]timeline.Row, len(list))
	for i, d := range list {
		falls[i] = timeline.Waterfall(d.trace)
		_, length := window(falls[i], d.trace)
		c.scale = max(c.scale, length)
	}
	scale := millis(float64(c.scale) / 1e6)
	p.line(piece{faint, visible.Pad("", markColumn+c.label+1) + "0" + strings.Repeat(" ", max(1, c.bar-1-visible.Width(scale))) + scale})
	for i, d := range list {
		c.draw(d, falls[i], rows)
		p.blank()
	}
	p.line(piece{faint, string(onPath) + " the trace waits for this  " + string(waiting) + " for a call that it made  " + string(offPath) + " for something else"})
}

// window returns which part of a trace the picture shows: from the start of its root on, for at most
// twice as long as that took. A clock that is far off would otherwise squeeze everything else.
func window(rows []timeline.Row, t tracewhy.Trace) (origin, length time.Duration) {
	root := rows[0]
	if root.Duration <= 0 {
		return 0, t.Duration()
	}
	return root.Offset, min(2*root.Duration, t.Duration()-root.Offset)
}

// draw prints one trace.
func (c *canvas) draw(d drawing, rows []timeline.Row, limit int) {
	start, _, _ := d.trace.Interval()
	c.p.line(piece{bold, d.title + " trace " + d.trace.ID().String()},
		piece{normal, "  " + time.Unix(0, start).UTC().Format("2006-01-02 15:04:05Z") + "  " + plural(d.trace.NumSpans(), "span")})
	c.origin, _ = window(rows, d.trace)
	t := newTree(rows)
	t.choose(limit, d.pointed)

	var open []int // the shown rows above
	closeUntil := func(i int) {
		for len(open) > 0 && (i == len(rows) || t.end[open[len(open)-1]] <= i) {
			p := open[len(open)-1]
			open = open[:len(open)-1]
			if t.visible[p] > 0 {
				c.folded(t, p, len(open)+1)
			}
		}
	}
	gaps := 0
	skipped := map[int]bool{} // calls that are left out, the topmost of each chain
	for i := range rows {
		closeUntil(i)
		if !t.shown[i] {
			continue
		}
		if top, n := t.skipped(i); n > 0 {
			label := "… " + plural(n, "call") + " deeper"
			if between := t.between(top); skipped[top] {
				label = "… deeper"
			} else if between > n {
				label += ", " + plural(between, "span")
			}
			skipped[top] = true
			c.row("", indent(len(open))+label, faint, "", faint, "")
		}
		c.span(t, i, len(open), d.pointed(rows[i].Span))
		gaps += c.gaps(rows[i], len(open), maxGaps-gaps)
		open = append(open, i)
	}
	closeUntil(len(rows))
	if len(rows) > 0 {
		c.folded(t, len(rows), 0)
	}
}

// gaps points at the longest times for which the trace waited for a span while nothing that it called
// was running, at most n of them, and returns how many.
func (c *canvas) gaps(r timeline.Row, depth, n int) int {
	long := make([]tracewhy.Gap, 0, len(r.Gaps))
	for _, g := range r.Gaps {
		if r.GapTime(g) >= c.scale/minGapShare {
			long = append(long, g)
		}
	}
	slices.SortStableFunc(long, func(a, b tracewhy.Gap) int { return cmp.Compare(b.Duration(), a.Duration()) })
	long = long[:min(n, len(long))]
	for _, g := range long {
		c.p.line(piece{normal, visible.Pad("", markColumn) + indent(depth) + " "}, piece{doubt, "^ " + millis(float64(g.Duration())/1e6) + " " + describe(g)})
	}
	return len(long)
}

func describe(g tracewhy.Gap) string {
	switch g.Class {
	case tracewhy.GapBeforeFirst:
		return "before its first call: own work or a wait (pool, lock, queue)"
	case tracewhy.GapBetween:
		return "of its own before " + g.Child.Name()
	case tracewhy.GapAfterLast:
		return "of its own after " + g.Child.Name()
	case tracewhy.GapRequest:
		return "until " + g.Child.Service() + " began: connection, network or its queue"
	case tracewhy.GapResponse:
		return "after " + g.Child.Service() + " had answered: network or own queue"
	case tracewhy.GapQueue:
		return "in the queue before " + g.Child.Name()
	}
	return g.Class.String()
}

func indent(depth int) string { return strings.Repeat(" ", min(depth, maxIndent)) }

// row prints one row of the picture.
func (c *canvas) row(mark, label string, labelStyle style, bar string, barStyle style, duration string) {
	c.p.line(
		piece{alarm, visible.Pad(mark, markColumn)},
		piece{labelStyle, visible.Pad(Clean(label), c.label) + " "},
		piece{barStyle, visible.Pad(bar, c.bar)},
		piece{normal, strings.Repeat(" ", max(0, durationColumn-visible.Width(duration))) + duration})
}

// span prints the row of a span.
func (c *canvas) span(t *tree, i, depth int, pointed bool) {
	r := t.rows[i]
	s := r.Span
	label := s.Name()
	if p, ok := s.Parent(); !ok || p.Service() != s.Service() {
		label = s.Service() + " " + label
	}
	below := ""
	if t.visible[i] == 0 && t.end[i] > i+1 {
		below = " +" + count(t.end[i]-i-1)
	}
	label = visible.CutMiddle(Clean(label), c.label-min(depth, maxIndent)-len(below)) + below
	mark, look := "", normal
	if pointed {
		mark, look = ">", bold
	}
	if s.Failed() {
		mark, look = mark+"!", alarm
	}
	duration := unknown
	if r.Duration >= 0 {
		duration = millis(float64(r.Duration) / 1e6)
	}
	c.row(mark, indent(depth)+label, look, c.bars(t, i), normal, duration)
}

// folded prints the line about the children of row p that are folded, if there are any.
func (c *canvas) folded(t *tree, p, depth int) {
	list := t.hidden(p)
	if len(list) == 0 {
		return
	}
	same, spans := true, 0
	cells := make([]cell, c.bar)
	for _, i := range list {
		same = same && t.alike(i) == t.alike(list[0])
		spans += t.end[i] - i
		r := t.rows[i]
		c.cover(cells, timeline.Section{Start: r.Offset, End: r.Offset + r.Duration}, func(x *cell, d time.Duration) { x.covered += d })
		for _, s := range t.criticalOf(i, t.end[i]) {
			c.cover(cells, s, func(x *cell, d time.Duration) { x.own += d })
		}
	}
	label := "+" + count(len(list)) + " more"
	switch {
	case same && t.showsAlike(list[0]):
		label += " like this"
	case same:
		label += " " + t.rows[list[0]].Span.Operation()
	}
	if spans > len(list) {
		label += ", " + plural(spans, "span")
	}
	c.row("", indent(depth)+label, faint, paint(cells, folded, folded), faint, "")
}

// showsAlike reports whether a sibling that is like row i is shown.
func (t *tree) showsAlike(i int) bool {
	p := t.parent[i]
	first, end := 0, len(t.rows)
	if p < len(t.rows) {
		first, end = p+1, t.end[p]
	}
	for j := first; j < end; j = t.end[j] {
		if t.shown[j] && t.alike(j) == t.alike(i) {
			return true
		}
	}
	return false
}

// cell is one column of a bar: for how long the span ran within it, and for how long the critical path
// went through the span itself, and through calls below it.
type cell struct {
	covered, own, below time.Duration
	beyond              rune // where the span lies outside of the picture: on which side
}

// bars draws the bar of row i.
func (c *canvas) bars(t *tree, i int) string {
	r := t.rows[i]
	cells := make([]cell, c.bar)
	if r.Duration < 0 {
		return string(noLength)
	}
	c.cover(cells, timeline.Section{Start: r.Offset, End: r.Offset + r.Duration}, func(x *cell, d time.Duration) { x.covered += d })
	for _, s := range t.criticalOf(i, i+1) {
		c.cover(cells, s, func(x *cell, d time.Duration) { x.own += d })
	}
	for _, s := range t.criticalOf(i+1, t.end[i]) {
		c.cover(cells, s, func(x *cell, d time.Duration) { x.below += d })
	}
	return paint(cells, waiting, offPath)
}

// cover calls add for each cell that a stretch of time touches, with how long; for at least a
// nanosecond, so that no span is invisible.
func (c *canvas) cover(cells []cell, s timeline.Section, add func(*cell, time.Duration)) {
	n := time.Duration(len(cells))
	from, to := s.Start-c.origin, s.End-c.origin
	switch {
	case from > to:
		return
	case to < 0 || to == 0 && from < 0:
		cells[0].beyond = '<'
		return
	case from > c.scale:
		cells[n-1].beyond = '>'
		return
	}
	from, to = max(from, 0), min(to, c.scale)
	edge := func(k time.Duration) time.Duration { return c.scale/n*k + c.scale%n*k/n }
	k := min(n-1, time.Duration(float64(from)/float64(c.scale)*float64(n)))
	for k > 0 && edge(k) > from {
		k--
	}
	for k < n-1 && edge(k+1) <= from {
		k++
	}
	add(&cells[k], max(1, min(to, edge(k+1))-from))
	for k++; k < n && edge(k) < to; k++ {
		add(&cells[k], min(to, edge(k+1))-edge(k))
	}
}

// paint draws cells: solid where the critical path goes through the span for at least half of its
// time there, else in one way where it goes through calls below, and in another where it does not.
func paint(cells []cell, below, off rune) string {
	var b strings.Builder
	for _, x := range cells {
		switch {
		case x.covered == 0 && x.beyond != 0:
			b.WriteRune(x.beyond)
		case x.covered == 0:
			b.WriteByte(' ')
		case 2*x.own >= x.covered:
			b.WriteRune(onPath)
		case 2*(x.own+x.below) >= x.covered:
			b.WriteRune(below)
		default:
			b.WriteRune(off)
		}
	}
	return b.String()
}
