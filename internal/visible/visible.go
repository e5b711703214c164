// Package visible writes text from outside so that all of it shows and none of it acts: on a terminal, and in
// drawings that others render. It measures and cuts such text in terminal cells.
//
// Everything takes time linear in the text.
package visible

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Clean makes text from a trace harmless on a terminal: whatever does not show as itself is written
// out, as \x1b or \u202e for example. That is all control characters (C0, C1, DEL; line breaks and
// tabs too), invisible formatting (the bidirectional controls, zero-width characters, tags), private
// use and unassigned code points, line and paragraph separators, heaps of combining marks, and bytes
// that are not UTF-8.
//
// The result is for eyes, not for decoding: a backslash stays a single backslash.
func Clean(s string) string {
	if isClean(s) {
		return s
	}
	var b strings.Builder
	marks := 0
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		marks = countMarks(marks, r)
		switch {
		case r == utf8.RuneError && size == 1:
			b.WriteString(`\x` + hex(rune(s[i]), 2))
		case Shows(r) && marks <= maxMarks:
			b.WriteString(s[i : i+size])
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < utf8.RuneSelf:
			b.WriteString(`\x` + hex(r, 2))
		case r <= 0xffff:
			b.WriteString(`\u` + hex(r, 4))
		default:
			b.WriteString(`\U` + hex(r, 8))
		}
		i += size
	}
	return b.String()
}

func isClean(s string) bool {
	marks := 0
	for i, r := range s {
		marks = countMarks(marks, r)
		if !Shows(r) || marks > maxMarks {
			return false
		}
		if r == utf8.RuneError {
			if _, size := utf8.DecodeRuneInString(s[i:]); size == 1 {
				return false
			}
		}
	}
	return true
}

// maxMarks is how many combining marks one character may carry. More are written out: a text of marks
// alone would take no room and any number of bytes, and cover the lines around it.
const maxMarks = 4

// countMarks returns how many combining marks in a row there are with r, if there were n before it.
func countMarks(n int, r rune) int {
	if r >= 0x300 && cellWidth(r) == 0 {
		return n + 1
	}
	return 0
}

// Shows reports whether a terminal shows r as a character of its own. Spaces other than the ASCII one
// do not: they would pass for it.
func Shows(r rune) bool { return strconv.IsPrint(r) }

func hex(r rune, digits int) string {
	s := strconv.FormatInt(int64(r), 16)
	return strings.Repeat("0", max(0, digits-len(s))) + s
}

// cellWidth returns how many terminal cells r takes: none for combining marks, two for the wide
// characters of East Asian scripts and for emoji, else one. The ranges are those of UAX #11 (W and F),
// coarsely: between two blocks of wide characters unassigned code points count as wide.
func cellWidth(r rune) int {
	switch {
	case r < 0x300:
		return 1
	case unicode.In(r, unicode.Mn, unicode.Me):
		return 0
	case r < 0x1100:
		return 1
	case r <= 0x115f, 0x2e80 <= r && r <= 0xa4cf && r != 0x303f, 0xac00 <= r && r <= 0xd7a3, 0xf900 <= r && r <= 0xfaff,
		0xfe30 <= r && r <= 0xfe6f, 0xff00 <= r && r <= 0xff60, 0xffe0 <= r && r <= 0xffe6,
		0x1f300 <= r && r <= 0x1f64f, 0x1f680 <= r && r <= 0x1f6ff, 0x1f900 <= r && r <= 0x1faff, 0x20000 <= r && r <= 0x3fffd:
		return 2
	}
	return 1
}

// Width returns how many cells a clean text takes.
func Width(s string) int {
	n := 0
	for _, r := range s {
		n += cellWidth(r)
	}
	return n
}

// Head returns the longest beginning of a clean text that fits into n cells, and what is left.
func Head(s string, n int) (first, rest string) {
	for i, r := range s {
		n -= cellWidth(r)
		if n < 0 {
			return s[:i], s[i:]
		}
	}
	return s, ""
}

// Cut shortens a clean text to n cells, with an ellipsis where something was left out.
func Cut(s string, n int) string {
	first, rest := Head(s, n)
	if rest == "" {
		return first
	}
	if n <= 0 {
		return ""
	}
	first, _ = Head(s, n-1)
	return first + "…"
}

// CutMiddle shortens a clean text to n cells by leaving out its middle: names of operations often differ
// at their ends.
func CutMiddle(s string, n int) string {
	width := Width(s)
	if width <= n {
		return s
	}
	if n < 8 {
		return Cut(s, n)
	}
	tail := (n - 1) * 2 / 5
	first, _ := Head(s, n-1-tail)
	_, last := Head(s, width-tail)
	if Width(last) > tail { // a wide character stands over the cut
		_, size := utf8.DecodeRuneInString(last)
		last = last[size:]
	}
	return first + "…" + last
}

// Lines sets clean texts one after the other, on as many lines of at most n cells as they need. None of them is
// broken: one that is longer is a line that is too long.
func Lines(texts []string, separator string, n int) []string {
	var lines []string
	line := ""
	for _, text := range texts {
		switch {
		case line == "":
			line = text
		case Width(line)+Width(separator)+Width(text) > n:
			lines, line = append(lines, line), text
		default:
			line += separator + text
		}
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}

// Pad cuts or fills a clean text to exactly n cells.
func Pad(s string, n int) string {
	s = Cut(s, n)
	return s + strings.Repeat(" ", max(0, n-Width(s)))
}
