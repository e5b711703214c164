package report

import (
	"cmp"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/compare"
	"github.com/tracewhy/tracewhy/internal/visible"
)

// The columns of a diff, beside the bars.
const (
	waitedColumn   = 11
	minDiffBar     = 4
	maxDiffDetails = 4 // lines below a row
)

// Diff writes how two traces differ, side by side: a line for each call with its time in both, bars on
// one scale, and how much longer the right trace waited for the call's own work. Below a call is what
// else differs. Of more calls than Config.Rows those with the largest differences are shown.
func Diff(w io.Writer, r *compare.TracesResult, cfg Config) error {
	p := newPrinter(cfg)
	d := newDiffLayout(r, cfg)
	d.columns(p.width)
	side := durationColumn + d.bar + 2
	p.paragraph("left", 6, normal, 2, r.Left.TraceID.String(), describeSide(r.Left))
	p.paragraph("right", 6, normal, 2, r.Right.TraceID.String(), describeSide(r.Right)+diffTotal(r))
	p.blank()
	p.line(piece{faint, visible.Pad("", markColumn+d.label) + visible.Pad(padLeft("left", durationColumn), side) +
		visible.Pad(padLeft("right", durationColumn), side) + padLeft("waited", d.waited)})
	for _, i := range d.shown {
		d.print(p, r, i)
	}
	if d.hidden > 0 {
		p.line(piece{faint, visible.Pad("", markColumn) + visible.Pad(plural(d.hidden, "more call"), d.label+2*side) + padLeft(signed(d.hiddenCritical), d.waited)})
	}
	for _, s := range r.Services {
		p.blank()
		p.line(piece{bold, "resource of " + s.Service})
		first, more := capped(s.Attributes, 2*maxDiffDetails)
		for _, a := range first {
			p.line(piece{normal, "  " + attributeLine(a)})
		}
		if more > 0 {
			p.line(piece{faint, "  " + count(more) + " more"})
		}
	}
	p.blank()
	p.line(piece{faint, string(onPath) + " the trace waits for the call itself"})
	p.line(piece{faint, string(waiting) + " the call runs  + right only  - left only"})
	return p.flush(w)
}

// diffLayout is which rows are shown, and where.
type diffLayout struct {
	scale          time.Duration
	label          int // columns
	bar            int
	waited         int
	shown          []int
	hidden         int
	hiddenCritical time.Duration
}

// columns divides the width. Where it is too small for bars there are none.
func (d *diffLayout) columns(width int) {
	d.label, d.waited = width*3/8, waitedColumn
	d.bar = (width-markColumn-d.label-d.waited)/2 - durationColumn - 2
	if d.bar < minDiffBar {
		d.bar, d.waited = -2, durationColumn // not even the blanks around them
		d.label = width - markColumn - 3*durationColumn
	}
}

func newDiffLayout(r *compare.TracesResult, cfg Config) *diffLayout {
	d := &diffLayout{scale: max(1, r.Left.Duration, r.Right.Duration)}
	order := make([]int, len(r.Rows))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Compare(worth(&r.Rows[b], d.scale), worth(&r.Rows[a], d.scale))
	})
	chosen := make([]bool, len(r.Rows))
	room := cfg.rows()
	for _, i := range order {
		var chain []int // callers that are not chosen yet
		for j := i; j >= 0 && !chosen[j] && len(chain) <= room; j = r.Rows[j].Parent {
			chain = append(chain, j)
		}
		if len(chain) > room {
			continue
		}
		for _, j := range chain {
			chosen[j] = true
		}
		if room -= len(chain); room == 0 {
			break
		}
	}
	for i := range r.Rows {
		if chosen[i] {
			d.shown = append(d.shown, i)
		} else {
			d.hidden++
			d.hiddenCritical += r.Rows[i].Critical()
		}
	}
	return d
}

// worth is how much a row is worth being shown, as a time: a failure of one side is worth the whole
// scale, a call of one side a tenth of it.
func worth(row *compare.TraceRow, scale time.Duration) time.Duration {
	n := max(row.Critical(), -row.Critical())
	if (row.Left.Failed > 0) != (row.Right.Failed > 0) {
		n += scale
	}
	if (row.Left.Calls > 0) != (row.Right.Calls > 0) {
		n += scale / 10
	}
	return n
}

func (d *diffLayout) print(p *printer, r *compare.TracesResult, i int) {
	row := &r.Rows[i]
	mark, look := diffMark(row), normal
	if strings.Contains(mark, "!") {
		look = alarm
	}
	depth := min(row.Depth, maxIndent)
	tail := diffCalls(row)
	if d.label-1-depth-visible.Width(tail) < 6 {
		tail = "" // the name matters more
	}
	name := row.Operation
	if row.Parent < 0 || r.Rows[row.Parent].Service != row.Service {
		name = row.Service + " " + name
	}
	label := indent(depth) + visible.CutMiddle(Clean(name), max(0, d.label-1-depth-visible.Width(tail))) + tail
	side := func(x compare.RowSide, look style) []piece {
		pieces := []piece{{normal, padLeft(sideTime(x), durationColumn)}}
		if d.bar > 0 {
			pieces = append(pieces, piece{look, " " + visible.Pad(d.bars(x), d.bar) + " "})
		}
		return pieces
	}
	p.line(slices.Concat(
		[]piece{{alarm, visible.Pad(mark, markColumn)}, {look, visible.Pad(label, d.label)}},
		side(row.Left, calm), side(row.Right, doubt),
		[]piece{{bold, padLeft(signed(row.Critical()), d.waited)}})...)
	first, more := capped(d.details(row), maxDiffDetails)
	for _, text := range first {
		p.line(piece{faint, visible.Pad("", markColumn+depth+2) + text})
	}
	if more > 0 {
		p.line(piece{faint, visible.Pad("", markColumn+depth+2) + plural(more, "more difference")})
	}
}

// details says what differs in a row beside its time, the most telling first. Of calls that only one
// trace has, all is different, and only failures are said.
func (d *diffLayout) details(row *compare.TraceRow) []string {
	var list []string
	if row.Left.Failed != row.Right.Failed {
		list = append(list, "failed: "+count(row.Left.Failed)+" → "+count(row.Right.Failed))
	}
	for _, m := range row.Messages {
		list = append(list, "status "+count(m.Left)+" → "+count(m.Right)+": "+m.Text)
	}
	if row.Left.Calls == 0 || row.Right.Calls == 0 {
		return list
	}
	for _, g := range row.Gaps {
		if diff := g.Right - g.Left; max(diff, -diff) >= d.scale/minGapShare {
			list = append(list, "gap "+g.Class+": "+nanos(g.Left)+" → "+nanos(g.Right))
		}
	}
	events := slices.Clone(row.Events)
	slices.SortStableFunc(events, func(a, b compare.TextDifference) int {
		return cmp.Compare(min(a.Left, 1), min(b.Left, 1)) // what only the right one says comes first
	})
	for _, e := range events {
		list = append(list, "event "+count(e.Left)+" → "+count(e.Right)+": "+e.Text)
	}
	if row.Moved {
		list = append(list, "in another order among its siblings")
	}
	for _, a := range row.Attributes {
		list = append(list, attributeLine(a))
	}
	return list
}

func (d *diffLayout) bars(s compare.RowSide) string {
	cells := func(x time.Duration) int {
		x = min(x, d.scale)
		n := int(float64(x)/float64(d.scale)*float64(d.bar) + 0.5)
		if n == 0 && x > 0 {
			n = 1
		}
		return n
	}
	own := cells(s.Critical)
	return strings.Repeat(string(onPath), own) + strings.Repeat(string(waiting), max(0, cells(s.Duration)-own))
}

// diffMark is + for calls of the right trace only, - for those of the left, and ! where one side failed.
func diffMark(row *compare.TraceRow) string {
	mark := ""
	switch {
	case row.Left.Calls == 0:
		mark = "+"
	case row.Right.Calls == 0:
		mark = "-"
	}
	if (row.Left.Failed > 0) != (row.Right.Failed > 0) {
		mark += "!"
	}
	return mark
}

// diffCalls is how many calls a row stands for, where that is not one a side.
func diffCalls(row *compare.TraceRow) string {
	left, right := row.Left.Calls, row.Right.Calls
	switch {
	case max(left, right) <= 1:
		return ""
	case left == right:
		return " ×" + count(left)
	}
	return " ×" + count(left) + "→" + count(right)
}

func attributeLine(a compare.AttributeDifference) string {
	switch {
	case len(a.Left) == 0:
		return "+ " + a.Key + " = " + valueList(a.Right, a.MoreRight)
	case len(a.Right) == 0:
		return "- " + a.Key + " = " + valueList(a.Left, a.MoreLeft)
	}
	return a.Key + ": " + valueList(a.Left, a.MoreLeft) + " → " + valueList(a.Right, a.MoreRight)
}

// valueList quotes nothing but texts that read like a number or a truth value.
func valueList(values []tracewhy.Value, more int) string {
	var texts []string
	for _, v := range values {
		text := v.String()
		if v.Kind() == tracewhy.StringValue && (text == "" || text == "true" || text == "false" || strings.Trim(text, "0123456789.-+") == "") {
			text = `"` + text + `"`
		}
		texts = append(texts, text)
	}
	if more > 0 {
		texts = append(texts, count(more)+" more")
	}
	return strings.Join(texts, ", ")
}

func describeSide(s compare.TraceSide) string {
	duration := unknown
	if s.Duration >= 0 {
		duration = nanos(s.Duration)
	}
	return s.Outcome + ", " + duration + ", " + plural(s.Spans, "span")
}

func diffTotal(r *compare.TracesResult) string {
	if r.Left.Duration < 0 || r.Right.Duration < 0 {
		return ""
	}
	return "  (" + signed(r.Right.Duration-r.Left.Duration) + ")"
}

func sideTime(s compare.RowSide) string {
	switch {
	case s.Calls == 0:
		return ""
	case s.Calls == s.Unknown:
		return unknown
	}
	return nanos(s.Duration)
}

func nanos(d time.Duration) string { return millis(float64(d) / 1e6) }

func signed(d time.Duration) string {
	switch {
	case d == 0:
		return "="
	case d > 0:
		return "+" + nanos(d)
	}
	return nanos(d)
}

func padLeft(s string, n int) string { return strings.Repeat(" ", max(0, n-visible.Width(s))) + s }
