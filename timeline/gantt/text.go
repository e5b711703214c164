package gantt

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/tracewhy/tracewhy/internal/quantity"
	"github.com/tracewhy/tracewhy/internal/visible"
	"github.com/tracewhy/tracewhy/timeline/internal/epoch"
)

// The characters of bars.
const (
	milestoneMark = '◆'
	uncertainMark = '░'
)

var statusMarks = [...]rune{Plain: '─', Done: '▒', Active: '▓', Critical: '█'}

// Text draws it for a terminal of so many columns, at least 40: names, bars, and when each began and how long it
// lasted, in UTC.
func (c *Chart) Text(width int) string {
	p := printer{chart: c, scale: c.scale(), tasks: c.grouped()}
	p.layOut(max(width, 40))
	p.line(visible.Clean(c.Title + p.units()))
	p.axis()
	section := ""
	for i, t := range p.tasks {
		if t.Section != section {
			section = t.Section
			p.line(visible.Clean(section))
		}
		p.line(" "+visible.Pad(visible.CutMiddle(visible.Clean(t.Name), p.label-1), p.label-1), p.bars(t), p.when[i])
	}
	if len(c.Tasks) == 0 {
		p.line("  nothing to draw")
	}
	p.paragraph(p.legend(), "  ")
	p.paragraph(strings.Fields(visible.Clean(c.Cut)), " ")
	return p.out.String()
}

type printer struct {
	scale
	chart      *Chart
	tasks      []Task
	out        strings.Builder
	when       []string // by task
	width      int
	label, bar int // columns
}

func (p *printer) layOut(width int) {
	p.width = width
	longest, times := 0, 0
	for _, t := range p.tasks {
		when := p.clock(t.Start)
		if t.isUncertain() {
			when += " " + give(t)
		}
		if !t.isMilestone() {
			when += "  " + quantity.Duration(time.Duration(epoch.Distance(t.Start, t.End)))
		}
		p.when = append(p.when, when)
		longest, times = max(longest, visible.Width(visible.Clean(t.Name))+1), max(times, visible.Width(when))
	}
	p.label = min(longest, width*2/5)
	p.bar = max(width-p.label-times-2, 8)
}

func (p *printer) line(parts ...string) {
	line := strings.TrimRight(strings.Join(parts, " "), " ")
	p.out.WriteString(visible.Cut(line, p.width) + "\n")
}

// clock writes a moment for a person.
func (p *printer) clock(ns int64) string {
	if p.layout == "" {
		return "+" + quantity.Duration(time.Duration(epoch.Distance(p.lo, ns)))
	}
	return time.Unix(0, ns).UTC().Format(strings.TrimPrefix(p.layout, "2006-"))
}

// column returns the column of a moment.
func (p *printer) column(ns int64) int {
	at, length := epoch.Distance(p.lo, ns), epoch.Distance(p.lo, p.hi)
	for length >= 1<<48 { // the product fits
		at, length = at/2, length/2
	}
	if length == 0 {
		return 0
	}
	return int(at * int64(p.bar) / length)
}

// paint draws what lasted into the columns; always into one at least.
func (p *printer) paint(cells []rune, start, end int64, mark rune) {
	from := min(p.column(start), p.bar-1)
	for i := from; i < max(p.column(end), from+1); i++ {
		cells[i] = mark
	}
}

func (p *printer) bars(t Task) string {
	cells := []rune(strings.Repeat(" ", p.bar))
	if !t.isMilestone() {
		p.paint(cells, t.Start, t.End, statusMarks[min(t.Status, Critical)])
	}
	if t.isUncertain() {
		p.paint(cells, t.First, t.Last, uncertainMark)
	}
	if t.isMilestone() {
		p.paint(cells, t.Start, t.Start, milestoneMark)
	}
	return string(cells)
}

// axis writes round moments above the columns where they are; of numbers the first and the last.
func (p *printer) axis() {
	if p.lo == p.hi {
		return
	}
	cells := []rune(strings.Repeat(" ", p.bar))
	write := func(at int, text string) {
		if at >= 0 && at+len(text) <= p.bar {
			copy(cells[at:], []rune(text))
		}
	}
	if p.layout == "" {
		end := p.clock(p.hi)
		write(0, "0")
		write(p.bar-len(end), end)
	} else {
		layout := p.layout[strings.Index(p.layout, " ")+1:] // without the date
		labels := max(p.bar/(len(layout)+3), 1)
		step := int64(epoch.RoundUp(time.Duration(min(epoch.Distance(p.lo, p.hi)/int64(labels), math.MaxInt64/2))))
		if step >= int64(24*time.Hour) {
			layout = "01-02"
		}
		at := p.lo + (step-epoch.Mod(p.lo, step))%step
		for range labels + 1 {
			if at < p.lo || at > p.hi {
				break
			}
			write(p.column(at), time.Unix(0, at).UTC().Format(layout))
			at = epoch.Add(at, step)
		}
	}
	p.line(strings.Repeat(" ", p.label), string(cells))
}

// legend says what the characters mean that were used.
func (p *printer) legend() []string {
	var used [len(statusMarks)]bool
	moment, uncertain := false, false
	for _, t := range p.tasks {
		if t.isMilestone() {
			moment = true
		} else {
			used[min(t.Status, Critical)] = true
		}
		uncertain = uncertain || t.isUncertain()
	}
	var parts []string
	for _, status := range [...]Status{Done, Active, Critical, Plain} {
		if word := p.chart.words[status]; used[status] {
			if word == "" {
				word = statusWords[status]
			}
			parts = append(parts, fmt.Sprintf("%c %s", statusMarks[status], word))
		}
	}
	if moment {
		parts = append(parts, fmt.Sprintf("%c a moment", milestoneMark))
	}
	if uncertain {
		parts = append(parts, fmt.Sprintf("%c within which it began", uncertainMark))
	}
	return parts
}

// paragraph writes parts on as many lines as they need.
func (p *printer) paragraph(parts []string, separator string) {
	for _, line := range visible.Lines(parts, separator, p.width) {
		p.line(line)
	}
}
