package report

import (
	"iter"
	"strings"

	"github.com/tracewhy/tracewhy/internal/visible"
)

// Clean makes text from a trace harmless on a terminal: whatever does not show as itself is written
// out, as \x1b or \u202e for example. That is all control characters (C0, C1, DEL; line breaks and
// tabs too), invisible formatting (the bidirectional controls, zero-width characters, tags), private
// use and unassigned code points, line and paragraph separators, heaps of combining marks, and bytes
// that are not UTF-8.
// Every text that this package prints passes through here, in one place: colours are added behind it, so
// no text can bring its own. Programs that print names from traces by themselves can use it too.
//
// The result is for eyes, not for decoding: a backslash stays a single backslash.
func Clean(s string) string { return visible.Clean(s) }

// wrap sets clean texts as one paragraph of at most maxLines lines of n cells. A text that fits on a
// line is not broken; others are broken at spaces, and within words only where a word is longer than a
// line. What does not fit is left out, with an ellipsis, but not the last of several texts if that fits
// on a line: it has the numbers of a claim, or the culprit at the end of a path.
func wrap(texts []string, n, maxLines int) []string {
	last := len(texts) - 1
	if last <= 0 || maxLines < 2 || visible.Width(texts[last]) > n || len(fill(texts, n, maxLines+1)) <= maxLines {
		return fill(texts, n, maxLines)
	}
	return append(fill(texts[:last], n, maxLines-1), texts[last])
}

// fill is wrap without the exception for the last text.
func fill(texts []string, n, maxLines int) []string {
	n = max(n, 2) // a wide character fits
	var lines []string
	line, used := "", 0
	for word := range words(texts, n) {
		for word != "" {
			w := visible.Width(word)
			switch {
			case line != "" && used+1+w <= n:
				line, used, word = line+" "+word, used+1+w, ""
			case line == "" && w <= n:
				line, used, word = word, w, ""
			case len(lines) == maxLines-1: // no line is left
				if line != "" {
					word = line + " " + word
				}
				return append(lines, visible.Cut(word+"…", n))
			case line != "":
				lines, line, used = append(lines, line), "", 0
			default:
				var first string
				first, word = visible.Head(word, n)
				lines = append(lines, first)
			}
		}
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}

// words yields the texts that fit into n cells as they are, and the words of the others.
func words(texts []string, n int) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, s := range texts {
			if visible.Width(s) <= n {
				if !yield(s) {
					return
				}
				continue
			}
			for w := range strings.FieldsSeq(s) {
				if !yield(w) {
					return
				}
			}
		}
	}
}
