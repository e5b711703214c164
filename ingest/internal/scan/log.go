package scan

import (
	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/ingest/input"
)

// A Log passes a reader's findings on to a Builder, and says of the first of each kind where it was.
type Log struct {
	Builder *tracewhy.Builder
	Window  *Window
	Binary  bool // positions have no line

	seen map[string]bool
	last string // the code that was noted last
}

// Note counts a problem of the input at B[i] of the window.
func (l *Log) Note(code string, i int, id tracewhy.TraceID) {
	l.Builder.Note(code, l.where(code, i), id)
}

// Quarantine counts a span that cannot be kept, because of what is at B[i] of the window.
func (l *Log) Quarantine(code string, i int, id tracewhy.TraceID) {
	l.Builder.Quarantine(code, l.where(code, i), id)
}

// Close counts a stream that was cut where no value shows it.
func (l *Log) Close() {
	if w := l.Window; w.IsCut() && !l.seen[tracewhy.ProblemTruncatedInput] {
		l.Note(tracewhy.ProblemTruncatedInput, len(w.B), tracewhy.TraceID{})
	}
}

// Position returns where B[i] is, without a line in binary formats.
func (l *Log) Position(i int) input.Position {
	p := l.Window.Position(i)
	if l.Binary {
		p.Line = 0
	}
	return p
}

func (l *Log) where(code string, i int) string {
	if l.last == code {
		return ""
	}
	l.last = code
	if l.seen[code] {
		return ""
	}
	if l.seen == nil {
		l.seen = map[string]bool{}
	}
	l.seen[code] = true
	return l.Position(i).String()
}
