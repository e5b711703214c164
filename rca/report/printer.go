package report

import (
	"bytes"
	"io"
	"strings"

	"github.com/tracewhy/tracewhy/internal/visible"
)

// style is how a piece of text looks where colours are asked for.
type style uint8

const (
	normal style = iota
	bold
	faint
	alarm // red
	calm  // green
	doubt // yellow
)

var styleCodes = [...]string{normal: "", bold: "\x1b[1m", faint: "\x1b[2m", alarm: "\x1b[1;31m", calm: "\x1b[1;32m", doubt: "\x1b[1;33m"}

const styleReset = "\x1b[0m"

// piece is a part of a line.
type piece struct {
	style style
	text  string
}

// printer lays out lines. It is the only way by which anything gets into the output: line cleans every
// piece, and only then adds colour and the line break.
type printer struct {
	out   bytes.Buffer
	width int
	color bool
}

func newPrinter(cfg Config) *printer {
	return &printer{width: cfg.width(), color: cfg.Color}
}

// line prints the pieces as one line, cut to the printer's width.
func (p *printer) line(pieces ...piece) {
	var texts []string // clean
	last, used := -1, 0
	for i, piece := range pieces {
		text := Clean(piece.text)
		if room := p.width - used; visible.Width(text) > room {
			text = visible.Cut(text, room)
		}
		used += visible.Width(text)
		texts = append(texts, text)
		if strings.TrimRight(text, " ") != "" {
			last = i
		}
	}
	for i := range last + 1 {
		text := texts[i]
		if i == last {
			text = strings.TrimRight(text, " ")
		}
		if code := styleCodes[pieces[i].style]; p.color && code != "" {
			p.out.WriteString(code + text + styleReset)
		} else {
			p.out.WriteString(text)
		}
	}
	p.out.WriteByte('\n')
}

// blank separates what follows from what was printed before, once.
func (p *printer) blank() {
	if b := p.out.Bytes(); len(b) > 0 && !bytes.HasSuffix(b, []byte("\n\n")) {
		p.line()
	}
}

// paragraph prints texts behind a label, as [wrap] sets them, in a column that begins at the given
// indent. It prints nothing where there is no text. maxLines holds for 80 columns or more; narrow output
// gets more lines for the same text.
func (p *printer) paragraph(label string, indent int, s style, maxLines int, texts ...string) {
	var kept []string
	for _, t := range texts {
		if t = Clean(t); t != "" {
			kept = append(kept, t)
		}
	}
	maxLines = max(maxLines, (maxLines*(80-indent)+p.width-indent-1)/(p.width-indent))
	for i, l := range wrap(kept, p.width-indent, maxLines) {
		if i > 0 {
			label = strings.Repeat(" ", visible.Width(label))
		}
		p.line(piece{bold, visible.Pad(label, indent)}, piece{s, l})
	}
}

// flush writes everything that was printed.
func (p *printer) flush(w io.Writer) error {
	_, err := w.Write(p.out.Bytes())
	return err
}

// capped yields the first n of a list and how many more there are.
func capped[T any](list []T, n int) (first []T, more int) {
	n = min(n, len(list))
	return list[:n], len(list) - n
}
