package otlp

import (
	"math"
	"strings"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/ingest/internal/scan"
)

// broken records that B[i] is where JSON stops.
func (d *jsonReader) broken(i int, want string) int {
	d.fault = scan.Fault{At: i, What: "expected " + want}
	return scan.Bad
}

// member goes to a member of an object: from after the opening brace if it is the first, else from after
// the value of the member before. It returns its name and the index of its value, which is at hand; or
// no name and the index after the closing brace.
func (d *jsonReader) member(i int, first bool) (name []byte, next int) {
	b := d.B
	if i = scan.Space(b, i); i == len(b) {
		return nil, scan.Short
	}
	if b[i] == '}' {
		return nil, i + 1
	}
	if !first {
		if b[i] != ',' {
			return nil, d.broken(i, "',' or '}'")
		}
		if i = scan.Space(b, i+1); i == len(b) {
			return nil, scan.Short
		}
	}
	if b[i] != '"' {
		return nil, d.broken(i, "the name of a member")
	}
	name, plain, next := scan.String(b, i)
	if next < 0 {
		return nil, next
	}
	if !plain {
		if name = d.unescape(name); name == nil {
			return nil, d.broken(i, "a string with escapes that JSON knows")
		}
	}
	if next = scan.Space(b, next); next == len(b) {
		return nil, scan.Short
	}
	if b[next] != ':' {
		return nil, d.broken(next, "':'")
	}
	if next = scan.Space(b, next+1); next == len(b) {
		return nil, scan.Short
	}
	return name, next
}

// members calls visit for each member of the object at B[i]; visit returns the index after the value.
func (d *jsonReader) members(i int, visit func(name []byte, i int) int) int {
	i++
	for first := true; ; first = false {
		name, next := d.member(i, first)
		if next < 0 || name == nil {
			return next
		}
		if i = visit(name, next); i < 0 {
			return i
		}
	}
}

// object is members where there is an object; null is one without members, and any other value makes
// the span one that cannot be kept.
func (d *jsonReader) object(i int, visit func(name []byte, i int) int) int {
	switch d.B[i] {
	case '{':
		return d.members(i, visit)
	case 'n':
	default:
		d.refuse(tracewhy.ProblemShape, i)
	}
	return d.skip(i)
}

// array calls visit for each element of the array at B[i]; visit returns the index after the element.
// Null is an array without elements, and any other value makes the span one that cannot be kept.
func (d *jsonReader) array(i int, visit func(i int) int) int {
	b := d.B
	if b[i] != '[' {
		if b[i] != 'n' {
			d.refuse(tracewhy.ProblemShape, i)
		}
		return d.skip(i)
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
				return d.broken(i, "',' or ']'")
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

// skip passes over the value at B[i].
func (d *jsonReader) skip(i int) int {
	next := scan.Skip(d.B, i)
	if next == scan.Bad {
		return d.broken(i, "a value")
	}
	return next
}

// unescape returns what the inside of a string stands for, or nil. It is good until the next span.
func (d *jsonReader) unescape(s []byte) []byte {
	from := len(d.texts)
	texts, ok := scan.Unescape(d.texts, s)
	if !ok {
		return nil
	}
	d.texts = texts
	return texts[from:len(texts):len(texts)]
}

type tokenKind uint8

const (
	nullToken tokenKind = iota
	stringToken
	numberToken
	boolToken
	compositeToken // an array or object, skipped
)

// token decodes the value at B[i].
func (d *jsonReader) token(i int) (s []byte, kind tokenKind, next int) {
	switch d.B[i] {
	case '"':
		s, plain, next := scan.String(d.B, i)
		if next < 0 {
			return nil, 0, next
		}
		if !plain {
			if s = d.unescape(s); s == nil {
				return nil, 0, d.broken(i, "a string with escapes that JSON knows")
			}
		}
		return s, stringToken, next
	case '{', '[':
		return nil, compositeToken, d.skip(i)
	}
	s, next = scan.Scalar(d.B, i)
	if next == scan.Short {
		return nil, 0, next
	}
	switch {
	case string(s) == "null":
		return nil, nullToken, next
	case string(s) == "true", string(s) == "false":
		return s, boolToken, next
	case isNumber(s):
		return s, numberToken, next
	}
	return nil, 0, d.broken(i, "a value")
}

// text decodes a text. It may point into the window.
func (d *jsonReader) text(i int) (string, int) {
	s, kind, next := d.token(i)
	if next < 0 {
		return "", next
	}
	switch kind {
	case numberToken, boolToken:
		d.note(tracewhy.ProblemValueInvalid, i)
	case compositeToken:
		d.refuse(tracewhy.ProblemShape, i)
	}
	return view(d.cut(s, i)), next
}

// time decodes nanoseconds since the Unix epoch.
func (d *jsonReader) time(i int) (uint64, int) {
	t, kind, next := d.uint64(i)
	switch kind {
	case compositeToken:
		d.refuse(tracewhy.ProblemShape, i)
	case boolToken:
		d.refuse(tracewhy.ProblemTimeInvalid, i)
	}
	return t, next
}

// eventTime is time for an event, which is kept without one where it is none.
func (d *jsonReader) eventTime(i int) (uint64, int) {
	t, kind, next := d.uint64(i)
	if kind == compositeToken || kind == boolToken {
		d.note(tracewhy.ProblemValueInvalid, i)
	}
	return t, next
}

// uint64 decodes an integer, quoted or not. Null and "" count as 0; for what is no such integer
// the kind is boolToken, or compositeToken.
func (d *jsonReader) uint64(i int) (uint64, tokenKind, int) {
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
			return n, numberToken, to + 1
		}
	}
	s, kind, next := d.token(i)
	if next < 0 || kind == nullToken || kind == compositeToken || len(s) == 0 {
		return 0, kind, next
	}
	if neg, n, ok := exactInt(s); ok && (!neg || n == 0) {
		return n, kind, next
	}
	return 0, boolToken, next
}

// uint32 decodes a count or a set of flags.
func (d *jsonReader) uint32(i int) (uint32, int) {
	n, kind, next := d.uint64(i)
	if kind == boolToken || kind == compositeToken || n > math.MaxUint32 {
		d.note(tracewhy.ProblemValueInvalid, i)
		return 0, next
	}
	return uint32(n), next
}

// enum decodes one of the values that names lists, given by number or by name. An unknown one is 0.
func (d *jsonReader) enum(i int, prefix string, names []string) (n int, known bool, next int) {
	if n := int(d.B[i] - '0'); n < len(names) && i+1 < len(d.B) && (d.B[i+1] == ',' || d.B[i+1] == '}') {
		return n, true, i + 1
	}
	s, kind, next := d.token(i)
	if next < 0 {
		return 0, true, next
	}
	switch kind {
	case nullToken:
		return 0, true, next
	case stringToken:
		if name, ok := strings.CutPrefix(view(s), prefix); ok {
			for n, known := range names {
				if name == known {
					return n, true, next
				}
			}
		}
		if neg, n, ok := exactInt(s); ok && !neg && n < uint64(len(names)) {
			d.note(tracewhy.ProblemEnumQuoted, i)
			return int(n), true, next
		}
	case numberToken:
		if neg, n, ok := exactInt(s); ok && !neg && n < uint64(len(names)) {
			return int(n), true, next
		}
	}
	return 0, false, next
}
