package sequence

import (
	"strings"

	"github.com/tracewhy/tracewhy/internal/quantity"
	"github.com/tracewhy/tracewhy/internal/visible"
)

// Text draws it for a terminal of so many columns, at least 40: a line downwards for each participant, arrows
// between them, and what they say at the right. Participants that have no room are not drawn, and counted.
//
//	gateway
//	│     ledger
//	├────>│   post 20ms
//	├────)│   notify 3ms       nobody waits for it
//	│x┄┄┄┄┤   ✗ disk full
func (d *Diagram) Text(width int) string {
	width = max(width, 40)
	lanes := len(d.Participants)
	cut := d.Cut
	if most := (width/2 - 1) / minLane; lanes > most {
		lanes = most
		cut = strings.TrimPrefix(cut+"; "+quantity.Count(len(d.Participants)-lanes, "participant")+" to the right of these not drawn", "; ")
	}
	p := printer{width: width, lanes: lanes, spacing: min(max((width/2-1)/max(lanes, 1), minLane), maxLane)}
	if d.Title != "" {
		p.line(visible.Clean(d.Title))
	}
	for i, name := range d.Participants[:lanes] {
		p.line(string(p.lifelines(i)) + visible.Clean(name))
	}
	depth := 0 // of loops and what is parallel
	for _, x := range d.valid() {
		text, row := visible.Clean(x.Text), p.lifelines(lanes)
		switch {
		case x.Kind.isMessage():
			if max(x.From, x.To) >= lanes {
				continue
			}
			p.arrow(row, x)
			text = p.bars(depth) + visible.CutMiddle(text, p.room(depth))
		case x.Kind == Note && x.From >= lanes:
			continue
		case x.Kind == Note:
			row[x.From*p.spacing] = '*'
			text = p.bars(depth) + visible.CutMiddle(text, p.room(depth))
		case x.Kind == End:
			depth--
			text = p.bars(depth) + "└"
		case x.Kind == And:
			text = p.bars(depth-1) + "├ " + text
		default:
			text = p.bars(depth) + map[Kind]string{Loop: "┌ loop ", Parallel: "┌ "}[x.Kind] + text
			depth++
		}
		p.line(string(row) + "  " + text)
	}
	if cut != "" {
		for _, line := range visible.Lines(strings.Fields(visible.Clean(cut)), " ", width) {
			p.line(line)
		}
	}
	return p.out.String()
}

// The columns from one participant to the next, and how deep blocks are told apart.
const (
	minLane  = 3
	maxLane  = 8
	maxDepth = 6
)

type printer struct {
	out            strings.Builder
	width          int
	lanes, spacing int
}

func (p *printer) line(text string) {
	p.out.WriteString(strings.TrimRight(visible.Cut(text, p.width), " ") + "\n")
}

// lifelines returns a row with the lines of the first n participants.
func (p *printer) lifelines(n int) []rune {
	row := []rune(strings.Repeat(" ", max(n*p.spacing, 0)))
	if n == p.lanes && n > 0 {
		row = row[:(n-1)*p.spacing+2] // room for an arrow of the last to itself
	}
	for i := range n {
		row[i*p.spacing] = '│'
	}
	return row
}

// bars returns what stands before a text in so many blocks.
func (p *printer) bars(depth int) string { return strings.Repeat("│ ", min(depth, maxDepth)) }

// room returns how many columns there are for a text.
func (p *printer) room(depth int) int {
	return p.width - (p.lanes-1)*p.spacing - 4 - 2*min(depth, maxDepth)
}

// arrow draws a message into a row.
func (p *printer) arrow(row []rune, x Step) {
	from, to := x.From*p.spacing, x.To*p.spacing
	line, head := '─', '>'
	switch {
	case x.Kind == Answer:
		line = '┄'
	case x.Kind == Message:
		head = ')'
	}
	if from == to {
		row[from], row[from+1] = '├', '┐'
		if x.Failed {
			row[from+1] = 'x'
		}
		return
	}
	for i := min(from, to) + 1; i < max(from, to); i++ {
		row[i] = line
	}
	at := to - 1
	row[from] = '├'
	if to < from {
		at = to + 1
		row[from] = '┤'
		head = map[rune]rune{'>': '<', ')': '('}[head]
	}
	if x.Failed {
		head = 'x'
	}
	row[at] = head
}
