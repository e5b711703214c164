package decode

import (
	"math"
	"strconv"
	"strings"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/ingest/internal/scan"
)

// Broken records that B[i] is where JSON stops.
func (d *JSON) Broken(i int, want string) int {
	d.fault = scan.Fault{At: i, What: "expected " + want}
	return scan.Bad
}

// Field goes to a member of an object: from after the opening brace if it is the first, else from after
// the value of the member before. It returns its name and the index of its value, which is at hand; or
// no name and the index after the closing brace.
func (d *JSON) Field(i int, first bool) (name []byte, next int) {
	b := d.B
	if i = scan.Space(b, i); i == len(b) {
		return nil, scan.Short
	}
	if b[i] == '}' {
		return nil, i + 1
	}
	if !first {
		if b[i] != ',' {
			return nil, d.Broken(i, "',' or '}'")
		}
		if i = scan.Space(b, i+1); i == len(b) {
			return nil, scan.Short
		}
	}
	if b[i] != '"' {
		return nil, d.Broken(i, "the name of a member")
	}
	name, plain, next := scan.String(b, i)
	if next < 0 {
		return nil, next
	}
	if !plain {
		if name = d.Unescape(name); name == nil {
			return nil, d.Broken(i, "a string with escapes that JSON knows")
		}
	}
	if next = scan.Space(b, next); next == len(b) {
		return nil, scan.Short
	}
	if b[next] != ':' {
		return nil, d.Broken(next, "':'")
	}
	if next = scan.Space(b, next+1); next == len(b) {
		return nil, scan.Short
	}
	return name, next
}

// Fields calls visit for each member of the object at B[i]; visit returns the index after the value.
func (d *JSON) Fields(i int, visit func(name []byte, i int) int) int {
	i++
	for first := true; ; first = false {
		name, next := d.Field(i, first)
		if next < 0 || name == nil {
			return next
		}
		if i = visit(name, next); i < 0 {
			return i
		}
	}
}

// Object is Fields where there is an object; null is one without members, and any other value makes
// the span one that cannot be kept.
func (d *JSON) Object(i int, visit func(name []byte, i int) int) int {
	switch d.B[i] {
	case '{':
		return d.Fields(i, visit)
	case 'n':
	default:
		d.Refuse(tracewhy.ProblemShape, i)
	}
	return d.Pass(i)
}

// Array calls visit for each element of the array at B[i]; visit returns the index after the element.
// Null is an array without elements, and any other value makes the span one that cannot be kept.
func (d *JSON) Array(i int, visit func(i int) int) int {
	b := d.B
	if b[i] != '[' {
		if b[i] != 'n' {
			d.Refuse(tracewhy.ProblemShape, i)
		}
		return d.Pass(i)
	}
	i++
	for first := true; ; first = false {
		if i = scan.Space(b, i); i == len(b) {
			return scan.Short
		}
		if b[i] == ']' {
			return i + 1
		}
		if !first {
			if b[i] != ',' {
				return d.Broken(i, "',' or ']'")
			}
			if i = scan.Space(b, i+1); i == len(b) {
				return scan.Short
			}
		}
		if i = visit(i); i < 0 {
			return i
		}
	}
}

// Pass passes over the value at B[i].
func (d *JSON) Pass(i int) int {
	next := scan.Skip(d.B, i)
	if next == scan.Bad {
		return d.Broken(i, "a value")
	}
	return next
}

// Unescape returns what the inside of a string stands for, or nil. It is good until the next span.
func (d *JSON) Unescape(s []byte) []byte {
	from := len(d.texts)
	texts, ok := scan.Unescape(d.texts, s)
	if !ok {
		return nil
	}
	d.texts = texts
	return texts[from:len(texts):len(texts)]
}

// A TokenKind says what a token is.
type TokenKind uint8

// The kinds of tokens.
const (
	NullToken TokenKind = iota
	TextToken
	NumberToken
	BoolToken
	CompositeToken // an array or object, skipped
)

// Token decodes the value at B[i].
func (d *JSON) Token(i int) (s []byte, kind TokenKind, next int) {
	switch d.B[i] {
	case '"':
		s, plain, next := scan.String(d.B, i)
		if next < 0 {
			return nil, 0, next
		}
		if !plain {
			if s = d.Unescape(s); s == nil {
				return nil, 0, d.Broken(i, "a string with escapes that JSON knows")
			}
		}
		return s, TextToken, next
	case '{', '[':
		return nil, CompositeToken, d.Pass(i)
	}
	s, next = scan.Scalar(d.B, i)
	if next == scan.Short {
		return nil, 0, next
	}
	switch {
	case string(s) == "null":
		return nil, NullToken, next
	case string(s) == "true", string(s) == "false":
		return s, BoolToken, next
	case IsNumber(s):
		return s, NumberToken, next
	}
	return nil, 0, d.Broken(i, "a value")
}

// Text decodes a text. It may point into the window.
func (d *JSON) Text(i int) (string, int) {
	s, kind, next := d.Token(i)
	if next < 0 {
		return "", next
	}
	switch kind {
	case NumberToken, BoolToken:
		d.Note(tracewhy.ProblemValueInvalid, i)
	case CompositeToken:
		d.Refuse(tracewhy.ProblemShape, i)
	}
	return View(d.Cut(s, i)), next
}

// Time decodes nanoseconds since the Unix epoch.
func (d *JSON) Time(i int) (uint64, int) {
	t, kind, next := d.Uint64(i)
	switch kind {
	case CompositeToken:
		d.Refuse(tracewhy.ProblemShape, i)
	case BoolToken:
		d.Refuse(tracewhy.ProblemTimeInvalid, i)
	}
	return t, next
}

// EventTime is Time for an event, which is kept without one where it is none.
func (d *JSON) EventTime(i int) (uint64, int) {
	t, kind, next := d.Uint64(i)
	if kind == CompositeToken || kind == BoolToken {
		d.Note(tracewhy.ProblemValueInvalid, i)
	}
	return t, next
}

// Uint64 decodes an integer, quoted or not. Null and "" count as 0; for what is no such integer
// the kind is BoolToken, or CompositeToken.
func (d *JSON) Uint64(i int) (uint64, TokenKind, int) {
	if d.B[i] == '"' { // digits in quotes, as OTLP has it
		from, n := i+1, uint64(0)
		to := from
		for ; to < len(d.B) && to-from < maxDigits; to++ {
			digit := uint64(d.B[to] - '0')
			if digit > 9 {
				break
			}
			n = n*10 + digit
		}
		if to > from && to < len(d.B) && d.B[to] == '"' {
			return n, NumberToken, to + 1
		}
	}
	s, kind, next := d.Token(i)
	if next < 0 || kind == NullToken || kind == CompositeToken || len(s) == 0 {
		return 0, kind, next
	}
	if neg, n, ok := ExactInt(s); ok && (!neg || n == 0) {
		return n, kind, next
	}
	return 0, BoolToken, next
}

// Uint32 decodes a count or a set of flags.
func (d *JSON) Uint32(i int) (uint32, int) {
	n, kind, next := d.Uint64(i)
	if kind == BoolToken || kind == CompositeToken || n > math.MaxUint32 {
		d.Note(tracewhy.ProblemValueInvalid, i)
		return 0, next
	}
	return uint32(n), next
}

// Enum decodes one of the values that names lists, given by number or by name. An unknown one is 0.
func (d *JSON) Enum(i int, prefix string, names []string) (n int, known bool, next int) {
	if n := int(d.B[i] - '0'); n < len(names) && i+1 < len(d.B) && (d.B[i+1] == ',' || d.B[i+1] == '}') {
		return n, true, i + 1
	}
	s, kind, next := d.Token(i)
	if next < 0 {
		return 0, true, next
	}
	switch kind {
	case NullToken:
		return 0, true, next
	case TextToken:
		if name, ok := strings.CutPrefix(View(s), prefix); ok {
			for n, known := range names {
				if name == known {
					return n, true, next
				}
			}
		}
		if neg, n, ok := ExactInt(s); ok && !neg && n < uint64(len(names)) {
			d.Note(tracewhy.ProblemEnumQuoted, i)
			return int(n), true, next
		}
	case NumberToken:
		if neg, n, ok := ExactInt(s); ok && !neg && n < uint64(len(names)) {
			return int(n), true, next
		}
	}
	return 0, false, next
}

// Wrong returns a value whose text is not of its type: as text, or empty where there is none.
func (d *JSON) Wrong(s []byte, kind TokenKind, i int) tracewhy.Value {
	d.Note(tracewhy.ProblemValueInvalid, i)
	if kind == NullToken || kind == CompositeToken {
		return tracewhy.Value{}
	}
	return tracewhy.StringOf(View(d.Cut(s, i)))
}

// FloatOr returns a number that JSON knows, or its text where it is too large.
func (d *JSON) FloatOr(s []byte, i int) tracewhy.Value {
	f, err := strconv.ParseFloat(View(s), 64)
	if err != nil {
		return d.Wrong(s, NumberToken, i)
	}
	return tracewhy.FloatOf(f)
}
