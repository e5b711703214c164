package scan

import "github.com/tracewhy/tracewhy"

// A Log passes a reader's findings on to a Builder, and says of the first of each kind where it was.
type Log struct {
	Builder *tracewhy.Builder
	Window  *Window
	Binary  bool // positions have no line

	seen map[string]bool
}

// Note counts a problem of the input at B[i] of the window.
func (l *Log) Note(code string, i int, id tracewhy.TraceID) {
	l.Builder.Note(code, l.where(code, i), id)
}

// Quarantine counts a span that cannot be kept, because of what is at B[i] of the window.
func (l *Log) Quarantine(code string, i int, id tracewhy.TraceID) {
	l.Builder.Quarantine(code, l.where(code, i), id)
}

// Seen reports whether a problem of this kind was found.
func (l *Log) Seen(code string) bool { return l.seen[code] }

func (l *Log) where(code string, i int) string {
	if l.seen[code] {
		return ""
	}
	if l.seen == nil {
		l.seen = map[string]bool{}
	}
	l.seen[code] = true
	p := l.Window.Position(i)
	if l.Binary {
		p.Line = 0
	}
	return p.String()
}
