package visible_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/tracewhy/tracewhy/internal/visible"
)

func TestClean(t *testing.T) {
	for _, tc := range []struct{ in, want string }{
		{"GET /pay", "GET /pay"},
		{"Überweisung €, 振込, 😀", "Überweisung €, 振込, 😀"},
		{"\x1b[31m", `\x1b[31m`},
		{"a\r\nb\tc", `a\r\nb\tc`},
		{"\u009b1m\x7f\x00", `\u009b1m\x7f\x00`},
		{"\u202eabc\u2066", `\u202eabc\u2066`},
		{"\xff\xc3", `\xff\xc3`},
		{"\ufffd", "\ufffd"}, // a replacement character that was there is one
		{"\U000e0041", `\U000e0041`},
		{"a\u00a0b", `a\u00a0b`},
		{"e\u0301\u0301", "e\u0301\u0301"},
		{"e\u0301\u0302\u0303\u0304\u0305\u0306f\u0301", `e` + "\u0301\u0302\u0303\u0304" + `\u0305\u0306f` + "\u0301"},
		{`C:\new`, `C:\new`},
	} {
		if got := visible.Clean(tc.in); got != tc.want {
			t.Errorf("Clean(%q) = %q, want %q", tc.in, got, tc.want)
		}
	}
}

func TestCut(t *testing.T) {
	for _, tc := range []struct {
		in          string
		n           int
		cut, middle string
	}{
		{"POST /payments/authorize", 24, "POST /payments/authorize", "POST /payments/authorize"},
		{"POST /payments/authorize", 12, "POST /payme…", "POST /p…rize"},
		{"POST /payments/authorize", 5, "POST…", "POST…"},
		{"漢字漢字", 5, "漢字…", "漢字…"},
		{"漢字", 0, "", ""},
		{"abcdefgh漢z", 8, "abcdefg…", "abcde…z"},
	} {
		if got := visible.Cut(tc.in, tc.n); got != tc.cut {
			t.Errorf("Cut(%q, %d) = %q, want %q", tc.in, tc.n, got, tc.cut)
		}
		if got := visible.CutMiddle(tc.in, tc.n); got != tc.middle {
			t.Errorf("CutMiddle(%q, %d) = %q, want %q", tc.in, tc.n, got, tc.middle)
		}
	}
}

func FuzzClean(f *testing.F) {
	f.Add("a\x1b[0m\u202e\xff漢")
	f.Add("0\xd3\xd3ꀼ0")
	f.Fuzz(func(t *testing.T, s string) {
		got := visible.Clean(s)
		if !utf8.ValidString(got) || visible.Clean(got) != got || strings.ContainsFunc(got, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			t.Errorf("Clean(%q) = %q is not clean", s, got)
		}
		for n := range 20 {
			if w := visible.Width(visible.Cut(got, n)); w > n {
				t.Errorf("Cut(%q, %d) takes %d cells", got, n, w)
			}
			if w := visible.Width(visible.CutMiddle(got, n)); w > n {
				t.Errorf("CutMiddle(%q, %d) takes %d cells", got, n, w)
			}
			if w := visible.Width(visible.Pad(got, n)); w != n {
				t.Errorf("Pad(%q, %d) takes %d cells", got, n, w)
			}
		}
	})
}

func TestLines(t *testing.T) {
	for _, tc := range []struct {
		texts     string
		separator string
		n         int
		want      string
	}{
		{"", " ", 10, ""},
		{"a b c", " ", 10, "a b c"},
		{"a b c", " ", 3, "a b|c"},
		{"a b c", "  ", 3, "a|b|c"},
		{"abcdef b", " ", 3, "abcdef|b"},
		{"漢 漢 漢", " ", 5, "漢 漢|漢"},
	} {
		if got := strings.Join(visible.Lines(strings.Fields(tc.texts), tc.separator, tc.n), "|"); got != tc.want {
			t.Errorf("%q in %d cells: %q, want %q", tc.texts, tc.n, got, tc.want)
		}
	}
}
