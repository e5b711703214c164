package cluster

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxMessage is how much of a message is read, in bytes: what tells failures apart comes first, and stack
// traces after it.
const maxMessage = 400

// template returns the first line of a message without what differs from case to case: numbers,
// identifiers and quoted texts. "order 4711 of 'ann' timed out after 30s" becomes "order # of ? timed out
// after #s".
func template(message string) string {
	if len(message) > maxMessage {
		cut := maxMessage
		for cut > 0 && !utf8.RuneStart(message[cut]) {
			cut--
		}
		message = message[:cut]
	}
	message, _, _ = strings.Cut(strings.TrimSpace(message), "\n")
	var out []string
	for word := range strings.FieldsSeq(unquote(message)) {
		out = append(out, templateWord(word))
	}
	return strings.Join(out, " ")
}

// unquote puts a ? for each quoted text. An apostrophe within a word quotes nothing.
func unquote(s string) string {
	var b strings.Builder
	for len(s) > 0 {
		i := strings.IndexAny(s, "\"'`")
		if i < 0 {
			break
		}
		before, _ := utf8.DecodeLastRuneInString(s[:i])
		end := strings.IndexByte(s[i+1:], s[i])
		if end < 0 || unicode.IsLetter(before) || unicode.IsDigit(before) {
			b.WriteString(s[:i+1])
			s = s[i+1:]
			continue
		}
		b.WriteString(s[:i])
		b.WriteByte('?')
		s = s[i+1+end+1:]
	}
	b.WriteString(s)
	return b.String()
}

// templateWord puts a # for each part of a word that is a number or, having digits among its letters, an
// identifier. Short words of letters with a number behind them, as HTTP2 and v1, stay.
func templateWord(word string) string {
	var b strings.Builder
	for len(word) > 0 {
		end := strings.IndexFunc(word, func(r rune) bool { return !isWordPart(r) })
		if end < 0 {
			end = len(word)
		}
		if end == 0 {
			_, n := utf8.DecodeRuneInString(word)
			b.WriteString(word[:n])
			word = word[n:]
			continue
		}
		b.WriteString(templatePart(word[:end]))
		word = word[end:]
	}
	return b.String()
}

func isWordPart(r rune) bool {
	return r == '_' || r == '-' || unicode.IsLetter(r) || unicode.IsDigit(r)
}

func templatePart(s string) string {
	digits := strings.IndexFunc(s, unicode.IsDigit)
	if digits < 0 {
		return s
	}
	letters := strings.TrimRightFunc(s, unicode.IsDigit)
	if digits == len(letters) && digits > 0 && len(s)-digits == 1 && !strings.ContainsAny(s, "-_") {
		return s
	}
	unit := strings.TrimLeftFunc(s, unicode.IsDigit)
	if digits == 0 && len(unit) <= 3 && !strings.ContainsFunc(unit, unicode.IsDigit) {
		return "#" + unit
	}
	if digits > 0 && !strings.ContainsFunc(letters, unicode.IsDigit) && (strings.HasSuffix(letters, "-") || strings.HasSuffix(letters, "_")) {
		return letters + "#" // worker-7
	}
	return "#"
}
