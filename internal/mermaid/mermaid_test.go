package mermaid_test

import (
	"html"
	"regexp"
	"strings"
	"testing"

	"github.com/tracewhy/tracewhy/internal/mermaid"
	"github.com/tracewhy/tracewhy/internal/visible"
)

func TestEscaping(t *testing.T) {
	for _, tc := range []struct{ why, in, label, text, task string }{
		{"nothing to escape", "GET /pay", "GET /pay", "GET /pay", "GET /pay"},
		{"what ends a label or a statement", `a"]; b: c`, "a#quot;#93;; b: c", "a#quot;#93;#59; b#58; c", "a#quot;#93;#59; b#58; c"},
		{"entities", "&lt; #35;", "#amp;lt; #35;35;", "#amp;lt#59; #35;35#59;", "#amp;lt#59; #35;35#59;"},
		{"lines", "a\nend\r", `a#92;nend#92;r`, `a#92;nend#92;r`, `a#92;nend#92;r`},
		{"HTML", "<b>", "#lt;b#gt;", "#lt;b#gt;", "#lt;b#gt;"},
		{"a comment and a directive", "%%{init}", "#37;#37;#123;init#125;", "#37;#37;#123;init#125;", "#37;#37;#123;init#125;"},
		{"a formula", "$$x$$", "#36;#36;x#36;#36;", "#36;#36;x#36;#36;", "#36;#36;x#36;#36;"},
		{"what the preprocessor takes for a style", "style:#", "style#58;#35;", "style#58;#35;", "style#58;#35;"},
		{"an icon", "fa:fa-bomb", "fa#58;fa-bomb", "fa#58;fa-bomb", "fa#58;fa-bomb"},
		{"terminals", "\x1b[1m\u202e", `#92;x1b#91;1m#92;u202e`, `#92;x1b#91;1m#92;u202e`, `#92;x1b#91;1m#92;u202e`},
		{"nothing", "", "#8203;", "#8203;", "#8203;"},
		{"a space", " ", " ", "#8203;", "#8203;"},
		{"a keyword of gantts", "Section x", "Section x", "Section x", "#83;ection x"},
		{"a date", "2026-01-01", "2026-01-01", "2026-01-01", "#50;026-01-01"},
		{"a long text", strings.Repeat("x", 99), strings.Repeat("x", 79) + "…", strings.Repeat("x", 79) + "…", strings.Repeat("x", 79) + "…"},
	} {
		if got := mermaid.Label(tc.in); got != tc.label {
			t.Errorf("%s: Label(%q) = %q, want %q", tc.why, tc.in, got, tc.label)
		}
		if got := mermaid.Text(tc.in); got != tc.text {
			t.Errorf("%s: Text(%q) = %q, want %q", tc.why, tc.in, got, tc.text)
		}
		if got := mermaid.Task(tc.in); got != tc.task {
			t.Errorf("%s: Task(%q) = %q, want %q", tc.why, tc.in, got, tc.task)
		}
	}
}

var entity = regexp.MustCompile(`#(\d+|quot|amp|lt|gt);`)

// decode does what Mermaid does: it makes entities of HTML, and those are characters.
func decode(s string) string {
	return entity.ReplaceAllStringFunc(s, func(e string) string {
		if '0' <= e[1] && e[1] <= '9' {
			return html.UnescapeString("&" + e)
		}
		return html.UnescapeString("&" + e[1:])
	})
}

func FuzzEscaping(f *testing.F) {
	f.Add("a\"];\n%%{init: {}}%% #35; <b>&amp; end \u202e\x1b $$ ``")
	f.Add("style a:#1;")
	f.Add("dateFormat 1")
	f.Fuzz(func(t *testing.T, s string) {
		want := visible.Cut(visible.Clean(s), 80)
		for name, got := range map[string]string{"Label": mermaid.Label(s), "Text": mermaid.Text(s), "Task": mermaid.Task(s)} {
			rest := entity.ReplaceAllString(got, "")
			if strings.ContainsAny(rest, "#\"&<>`\\|[]{}*_%$\n\r") || name != "Label" && strings.ContainsAny(rest, ":;") {
				t.Errorf("%s(%q) = %q", name, s, got)
			}
			if back := strings.Trim(decode(got), " \u200b"); back != strings.TrimSpace(want) {
				t.Errorf("%s(%q) = %q shows %q, want %q", name, s, got, back, want)
			}
		}
	})
}
