package otlp

import (
	"encoding/base64"
	"math"
	"strconv"
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

// attributes decodes an array of attributes, and appends them to dst. It adds to over how many were
// dropped because of the limits.
func (d *jsonReader) attributes(i int, dst []tracewhy.KeyValue, over *uint32) ([]tracewhy.KeyValue, int) {
	i = d.array(i, func(i int) int {
		kv, ok, next := d.attribute(i, over)
		if ok {
			dst = append(dst, kv)
		}
		return next
	})
	return dst, i
}

// attribute decodes an attribute. It is false for null, for what is none, which is noted, and for one
// that the limits have no room for, which is added to over.
func (d *jsonReader) attribute(i int, over *uint32) (kv tracewhy.KeyValue, ok bool, next int) {
	if d.B[i] == 'n' {
		return kv, false, d.skip(i)
	}
	if !d.room(d.attrs, i) {
		*over++
		return kv, false, d.skip(i)
	}
	d.attrs++
	d.isBad = false
	kv, next = d.keyValue(i, d.config.Limits.Depth)
	if d.isBad {
		d.note(tracewhy.ProblemAttributeInvalid, i)
	}
	return kv, next >= 0 && !d.isBad, next
}

// keyValue decodes a key and its value.
func (d *jsonReader) keyValue(i, depth int) (kv tracewhy.KeyValue, next int) {
	if d.B[i] != '{' {
		d.isBad = true
		return kv, d.skip(i)
	}
	next = d.members(i, func(name []byte, i int) (next int) {
		switch string(name) {
		case "key":
			var s []byte
			var kind tokenKind
			s, kind, next = d.token(i)
			d.isBad = d.isBad || kind == compositeToken
			kv.Key = view(d.cut(s, i))
		case "value":
			kv.Value, next = d.anyValue(i, depth)
		default:
			next = d.skip(i)
		}
		return next
	})
	return kv, next
}

// anyValue decodes a value, in which arrays and maps may nest as deep as depth says.
func (d *jsonReader) anyValue(i, depth int) (v tracewhy.Value, next int) {
	if d.B[i] != '{' {
		return d.bareValue(i)
	}
	given := 0
	next = d.members(i, func(name []byte, i int) (next int) {
		given++
		switch string(name) {
		case "stringValue", "string_value":
			v, next = d.stringValue(i)
		case "boolValue", "bool_value":
			v, next = d.boolValue(i)
		case "intValue", "int_value":
			v, next = d.intValue(i)
		case "doubleValue", "double_value":
			v, next = d.doubleValue(i)
		case "bytesValue", "bytes_value":
			v, next = d.bytesValue(i)
		case "arrayValue", "array_value":
			v, next = d.arrayValue(i, depth)
		case "kvlistValue", "kvlist_value":
			v, next = d.mapValue(i, depth)
		default:
			given--
			next = d.skip(i)
		}
		if given > 1 {
			d.note(tracewhy.ProblemDuplicateField, i)
		}
		return next
	})
	return v, next
}

// bareValue decodes a value that was written as it is, without its type.
func (d *jsonReader) bareValue(i int) (v tracewhy.Value, next int) {
	s, kind, next := d.token(i)
	if next < 0 || kind == nullToken {
		return v, next
	}
	if kind != compositeToken {
		d.note(tracewhy.ProblemValueInvalid, i)
	}
	switch kind {
	case stringToken:
		v = tracewhy.StringOf(view(d.cut(s, i)))
	case boolToken:
		v = tracewhy.BoolOf(string(s) == "true")
	case numberToken:
		if n, ok := exactInt64(s); ok {
			v = tracewhy.IntOf(n)
		} else {
			v = d.floatOr(s, i)
		}
	case compositeToken:
		d.isBad = true
	}
	return v, next
}

// wrong returns a value whose text is not of its type: as text, or empty where there is none.
func (d *jsonReader) wrong(s []byte, kind tokenKind, i int) tracewhy.Value {
	d.note(tracewhy.ProblemValueInvalid, i)
	if kind == nullToken || kind == compositeToken {
		return tracewhy.Value{}
	}
	return tracewhy.StringOf(view(d.cut(s, i)))
}

func (d *jsonReader) stringValue(i int) (v tracewhy.Value, next int) {
	s, kind, next := d.token(i)
	if next < 0 {
		return v, next
	}
	if kind != stringToken {
		return d.wrong(s, kind, i), next
	}
	return tracewhy.StringOf(view(d.cut(s, i))), next
}

func (d *jsonReader) boolValue(i int) (v tracewhy.Value, next int) {
	s, kind, next := d.token(i)
	if next < 0 {
		return v, next
	}
	if kind != boolToken {
		return d.wrong(s, kind, i), next
	}
	return tracewhy.BoolOf(string(s) == "true"), next
}

func (d *jsonReader) intValue(i int) (v tracewhy.Value, next int) {
	s, kind, next := d.token(i)
	if next < 0 {
		return v, next
	}
	if kind == stringToken || kind == numberToken {
		if n, ok := exactInt64(s); ok {
			return tracewhy.IntOf(n), next
		}
	}
	return d.wrong(s, kind, i), next
}

func (d *jsonReader) doubleValue(i int) (v tracewhy.Value, next int) {
	s, kind, next := d.token(i)
	if next < 0 {
		return v, next
	}
	switch kind {
	case stringToken:
		switch string(s) {
		case "NaN":
			return tracewhy.FloatOf(math.NaN()), next
		case "Infinity":
			return tracewhy.FloatOf(math.Inf(1)), next
		case "-Infinity":
			return tracewhy.FloatOf(math.Inf(-1)), next
		}
		if isNumber(s) {
			return d.floatOr(s, i), next
		}
	case numberToken:
		return d.floatOr(s, i), next
	}
	return d.wrong(s, kind, i), next
}

// floatOr returns a number that JSON knows, or its text where it is too large.
func (d *jsonReader) floatOr(s []byte, i int) tracewhy.Value {
	f, err := strconv.ParseFloat(view(s), 64)
	if err != nil {
		return d.wrong(s, numberToken, i)
	}
	return tracewhy.FloatOf(f)
}

func (d *jsonReader) bytesValue(i int) (v tracewhy.Value, next int) {
	s, kind, next := d.token(i)
	if next < 0 {
		return v, next
	}
	switch kind {
	case nullToken:
		return d.wrong(s, kind, i), next
	case stringToken:
		if b, ok := decodeBase64(s); ok {
			return tracewhy.BytesOf(d.cut(b, i)), next
		}
	}
	d.isBad = true
	return v, next
}

// decodeBase64 reads base64 of either alphabet, with or without padding.
func decodeBase64(s []byte) ([]byte, bool) {
	text := strings.TrimRight(view(s), "=")
	encoding := base64.RawStdEncoding
	if strings.ContainsAny(text, "-_") {
		encoding = base64.RawURLEncoding
	}
	b, err := encoding.DecodeString(text)
	return b, err == nil
}

func (d *jsonReader) arrayValue(i, depth int) (v tracewhy.Value, next int) {
	if depth <= 0 {
		d.note(tracewhy.ProblemValueDepth, i)
		return v, d.skip(i)
	}
	var elems []tracewhy.Value
	next = d.values(i, func(i int) int {
		if !d.room(d.attrs, i) {
			return d.skip(i)
		}
		d.attrs++
		e, next := d.anyValue(i, depth-1)
		elems = append(elems, e)
		return next
	})
	return tracewhy.ArrayOf(elems...), next
}

func (d *jsonReader) mapValue(i, depth int) (v tracewhy.Value, next int) {
	if depth <= 0 {
		d.note(tracewhy.ProblemValueDepth, i)
		return v, d.skip(i)
	}
	var elems []tracewhy.KeyValue
	next = d.values(i, func(i int) int {
		if !d.room(d.attrs, i) {
			return d.skip(i)
		}
		d.attrs++
		e, next := d.keyValue(i, depth-1)
		elems = append(elems, e)
		return next
	})
	return tracewhy.MapOf(elems...), next
}

// values calls visit for each of the values of the array or map at B[i].
func (d *jsonReader) values(i int, visit func(i int) int) int {
	if c := d.B[i]; c != '{' {
		d.isBad = d.isBad || c != 'n'
		return d.skip(i)
	}
	return d.members(i, func(name []byte, i int) int {
		if string(name) != "values" {
			return d.skip(i)
		}
		if c := d.B[i]; c != '[' {
			d.isBad = d.isBad || c != 'n'
			return d.skip(i)
		}
		return d.array(i, visit)
	})
}
