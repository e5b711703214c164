package otlp

import (
	"encoding/base64"
	"math"
	"strconv"
	"strings"

	"github.com/tracewhy/tracewhy"
)

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
