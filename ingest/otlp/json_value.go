package otlp

import (
	"math"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/ingest/internal/decode"
)

// attributes decodes an array of attributes, and appends them to dst. It adds to over how many were
// dropped because of the limits.
func (d *jsonReader) attributes(i int, dst []tracewhy.KeyValue, over *uint32) ([]tracewhy.KeyValue, int) {
	i = d.Array(i, func(i int) int {
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
		return kv, false, d.Pass(i)
	}
	if !d.Room(d.Attrs, i) {
		*over++
		return kv, false, d.Pass(i)
	}
	d.Attrs++
	d.isBad = false
	kv, next = d.keyValue(i, d.Config.Limits.Depth)
	if d.isBad {
		d.Note(tracewhy.ProblemAttributeInvalid, i)
	}
	return kv, next >= 0 && !d.isBad, next
}

// keyValue decodes a key and its value.
func (d *jsonReader) keyValue(i, depth int) (kv tracewhy.KeyValue, next int) {
	if d.B[i] != '{' {
		d.isBad = true
		return kv, d.Pass(i)
	}
	next = d.Fields(i, func(name []byte, i int) (next int) {
		switch string(name) {
		case "key":
			var s []byte
			var kind decode.TokenKind
			s, kind, next = d.Token(i)
			d.isBad = d.isBad || kind == decode.CompositeToken
			kv.Key = decode.View(d.Cut(s, i))
		case "value":
			kv.Value, next = d.anyValue(i, depth)
		default:
			next = d.Pass(i)
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
	next = d.Fields(i, func(name []byte, i int) (next int) {
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
			next = d.Pass(i)
		}
		if given > 1 {
			d.Note(tracewhy.ProblemDuplicateField, i)
		}
		return next
	})
	return v, next
}

// bareValue decodes a value that was written as it is, without its type.
func (d *jsonReader) bareValue(i int) (v tracewhy.Value, next int) {
	s, kind, next := d.Token(i)
	if next < 0 || kind == decode.NullToken {
		return v, next
	}
	if kind != decode.CompositeToken {
		d.Note(tracewhy.ProblemValueInvalid, i)
	}
	switch kind {
	case decode.TextToken:
		v = tracewhy.StringOf(decode.View(d.Cut(s, i)))
	case decode.BoolToken:
		v = tracewhy.BoolOf(string(s) == "true")
	case decode.NumberToken:
		if n, ok := decode.ExactInt64(s); ok {
			v = tracewhy.IntOf(n)
		} else {
			v = d.FloatOr(s, i)
		}
	case decode.CompositeToken:
		d.isBad = true
	}
	return v, next
}

func (d *jsonReader) stringValue(i int) (v tracewhy.Value, next int) {
	s, kind, next := d.Token(i)
	if next < 0 {
		return v, next
	}
	if kind != decode.TextToken {
		return d.Wrong(s, kind, i), next
	}
	return tracewhy.StringOf(decode.View(d.Cut(s, i))), next
}

func (d *jsonReader) boolValue(i int) (v tracewhy.Value, next int) {
	s, kind, next := d.Token(i)
	if next < 0 {
		return v, next
	}
	if kind != decode.BoolToken {
		return d.Wrong(s, kind, i), next
	}
	return tracewhy.BoolOf(string(s) == "true"), next
}

func (d *jsonReader) intValue(i int) (v tracewhy.Value, next int) {
	s, kind, next := d.Token(i)
	if next < 0 {
		return v, next
	}
	if kind == decode.TextToken || kind == decode.NumberToken {
		if n, ok := decode.ExactInt64(s); ok {
			return tracewhy.IntOf(n), next
		}
	}
	return d.Wrong(s, kind, i), next
}

func (d *jsonReader) doubleValue(i int) (v tracewhy.Value, next int) {
	s, kind, next := d.Token(i)
	if next < 0 {
		return v, next
	}
	switch kind {
	case decode.TextToken:
		switch string(s) {
		case "NaN":
			return tracewhy.FloatOf(math.NaN()), next
		case "Infinity":
			return tracewhy.FloatOf(math.Inf(1)), next
		case "-Infinity":
			return tracewhy.FloatOf(math.Inf(-1)), next
		}
		if decode.IsNumber(s) {
			return d.FloatOr(s, i), next
		}
	case decode.NumberToken:
		return d.FloatOr(s, i), next
	}
	return d.Wrong(s, kind, i), next
}

func (d *jsonReader) bytesValue(i int) (v tracewhy.Value, next int) {
	s, kind, next := d.Token(i)
	if next < 0 {
		return v, next
	}
	switch kind {
	case decode.NullToken:
		return d.Wrong(s, kind, i), next
	case decode.TextToken:
		if b, ok := decode.DecodeBase64(s); ok {
			return tracewhy.BytesOf(d.Cut(b, i)), next
		}
	}
	d.isBad = true
	return v, next
}

func (d *jsonReader) arrayValue(i, depth int) (v tracewhy.Value, next int) {
	if depth <= 0 {
		d.Note(tracewhy.ProblemValueDepth, i)
		return v, d.Pass(i)
	}
	var elems []tracewhy.Value
	next = d.values(i, func(i int) int {
		if !d.Room(d.Attrs, i) {
			return d.Pass(i)
		}
		d.Attrs++
		e, next := d.anyValue(i, depth-1)
		elems = append(elems, e)
		return next
	})
	return tracewhy.ArrayOf(elems...), next
}

func (d *jsonReader) mapValue(i, depth int) (v tracewhy.Value, next int) {
	if depth <= 0 {
		d.Note(tracewhy.ProblemValueDepth, i)
		return v, d.Pass(i)
	}
	var elems []tracewhy.KeyValue
	next = d.values(i, func(i int) int {
		if !d.Room(d.Attrs, i) {
			return d.Pass(i)
		}
		d.Attrs++
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
		return d.Pass(i)
	}
	return d.Fields(i, func(name []byte, i int) int {
		if string(name) != "values" {
			return d.Pass(i)
		}
		if c := d.B[i]; c != '[' {
			d.isBad = d.isBad || c != 'n'
			return d.Pass(i)
		}
		return d.Array(i, visit)
	})
}
