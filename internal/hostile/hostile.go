// Package hostile tests drawings of text from outside.
package hostile

import (
	"strings"
	"testing"

	"github.com/tracewhy/tracewhy/internal/visible"
)

// Names returns names that act on a diagram, or on a terminal, where they are not escaped.
func Names() []string {
	return []string{
		"end", "a;b;end", "a\nend\nb", "a\r\n  n0->>n1: b", `"quoted" 'x'`, "<script>alert(1)</script>", "<br/>", "&lt;b&gt;", "#35; #quot;",
		"\x1b[31mred\x1b[0m", "\u202egnp.exe", "\u200b", "", " ", "%% comment", "%%{init: {}}%%", "section x", "title x", "click x call y()", "2026-01-01",
		"note right of p0: x", "participant x as y", "loop x", "a: b", "style:#", "$$x^2$$", "`a`", "**b**", "[x](javascript:alert(1))", "a,b", "wrap: x", "nowrap:x",
		"\xff\xfe", "漢字", "x\u0301\u0301\u0301\u0301\u0301\u0301", strings.Repeat("long ", 100), "{", "}", "->>", "p0", "+p0", "--", "par", "and", "as x",
	}
}

// CheckLines reports lines of a drawing that are wider than so many columns, or that act on a terminal.
func CheckLines(t testing.TB, drawing string, width int) {
	t.Helper()
	for line := range strings.Lines(drawing) {
		line = strings.TrimSuffix(line, "\n")
		if visible.Clean(line) != line || visible.Width(line) > width {
			t.Errorf("the line %q has %d columns of at most %d", line, visible.Width(line), width)
		}
	}
}
