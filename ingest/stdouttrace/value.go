package stdouttrace

import (
	"strings"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/ingest/internal/decode"
)

// attributes decodes an array of attributes, and appends them to dst. It adds to over how many were
// dropped because of the limits.
func (d *reader) attributes(i int, dst []tracewhy.KeyValue, over *uint32) ([]tracewhy.KeyValue, int) {
	if c := d.B[i]; c != '[' {
		if c != 'n' {
			d.Note(tracewhy.ProblemAttributeInvalid, i)
		}
		return dst, d.Pass(i)
	}
	i = d.Array(i, func(i int) int {
		if d.B[i] == 'n' {
			return d.Pass(i)
		}
		if !d.Room(d.Attrs, i) {
			*over++
			return d.Pass(i)
		}
		d.Attrs++
		d.isBad = false
		kv, next := d.keyValue(i, d.Config.Limits.Depth)
		switch {
		case next < 0:
		case d.isBad:
			d.Note(tracewhy.ProblemAttributeInvalid, i)
		default:
			dst = append(dst, kv)
		}
		return next
	})
	return dst, i
}

// keyValue decodes a key and its value.
func (d *reader) keyValue(i, depth int) (kv tracewhy.KeyValue, next int) {
	if d.B[i] != '{' {
		d.isBad = true
		return kv, d.Pass(i)
	}
	next = d.Fields(i, func(name []byte, i int) (next int) {
		switch string(name) {
		case "Key":
			var s []byte
			var kind decode.TokenKind
			s, kind, next = d.Token(i)
			d.isBad = d.isBad || kind == decode.CompositeToken
			kv.Key = decode.View(d.Cut(s, i))
		case "Value":
			kv.Value, next = d.typedValue(i, depth)
		default:
			next = d.Pass(i)
		}
		return next
	})
	return kv, next
}

// typedValue decodes a value with its type, in which slices and maps may nest as deep as depth says.
func (d *reader) typedValue(i, depth int) (v tracewhy.Value, next int) {
	if d.B[i] != '{' {
		if d.B[i] != 'n' {
			d.Note(tracewhy.ProblemValueInvalid, i)
		}
		return d.Value(i, depth)
	}
	typ, hasType, early := "", false, 0
	next = d.Fields(i, func(name []byte, i int) (next int) {
		switch string(name) {
		case "Type":
			var s []byte
			s, _, next = d.Token(i)
			typ, hasType = decode.View(s), true
		case "Value":
			if hasType {
				v, next = d.value(typ, i, depth)
			} else {
				early = i
				next = d.Pass(i)
			}
		default:
			next = d.Pass(i)
		}
		return next
	})
	if next >= 0 && early > 0 {
		v, _ = d.value(typ, early, depth)
	}
	return v, next
}

// value decodes a value of a type.
func (d *reader) value(typ string, i, depth int) (v tracewhy.Value, next int) {
	switch typ {
	case "SLICE":
		return d.array(i, depth, func(i int) (tracewhy.Value, int) { return d.typedValue(i, depth-1) })
	case "MAP":
		return d.mapValue(i, depth)
	case "BOOL", "INT64", "FLOAT64", "STRING", "BYTESLICE", "INT32", "UINT32", "UINT64", "FLOAT32":
		return d.scalar(typ, i)
	case "ARRAY": // of older versions
		return d.Value(i, depth)
	case "EMPTY", "INVALID":
		if d.B[i] == 'n' {
			return v, d.Pass(i)
		}
	}
	if elem, ok := strings.CutSuffix(typ, "SLICE"); ok && elem != "" {
		return d.array(i, depth, func(i int) (tracewhy.Value, int) { return d.scalar(elem, i) })
	}
	d.Note(tracewhy.ProblemValueInvalid, i)
	return d.Value(i, depth)
}

// scalar decodes a value that has no others in it.
func (d *reader) scalar(typ string, i int) (v tracewhy.Value, next int) {
	s, kind, next := d.Token(i)
	if next < 0 {
		return v, next
	}
	switch typ {
	case "BOOL":
		if kind == decode.BoolToken {
			return tracewhy.BoolOf(string(s) == "true"), next
		}
	case "INT64", "INT32", "UINT32", "UINT64":
		if n, ok := decode.ExactInt64(s); ok && kind == decode.NumberToken {
			return tracewhy.IntOf(n), next
		}
	case "FLOAT64", "FLOAT32":
		if kind == decode.NumberToken {
			return d.FloatOr(s, i), next
		}
	case "STRING":
		if kind == decode.TextToken {
			return tracewhy.StringOf(decode.View(d.Cut(s, i))), next
		}
	case "BYTESLICE":
		if kind == decode.NullToken {
			return tracewhy.BytesOf(nil), next
		}
		if kind == decode.TextToken {
			if b, ok := decode.DecodeBase64(s); ok {
				return tracewhy.BytesOf(d.Cut(b, i)), next
			}
		}
	}
	if kind == decode.CompositeToken {
		s, kind = d.B[i:next], decode.TextToken
	}
	return d.Wrong(s, kind, i), next
}

// array decodes an array of values, each with elem.
func (d *reader) array(i, depth int, elem func(i int) (tracewhy.Value, int)) (v tracewhy.Value, next int) {
	if c := d.B[i]; c != '[' {
		if c == 'n' {
			return tracewhy.ArrayOf(), d.Pass(i)
		}
		d.Note(tracewhy.ProblemValueInvalid, i)
		return d.Value(i, depth)
	}
	if depth <= 0 {
		d.Note(tracewhy.ProblemValueDepth, i)
		return v, d.Pass(i)
	}
	var elems []tracewhy.Value
	next = d.Array(i, func(i int) int {
		if !d.Room(d.Attrs, i) {
			return d.Pass(i)
		}
		d.Attrs++
		e, next := elem(i)
		elems = append(elems, e)
		return next
	})
	return tracewhy.ArrayOf(elems...), next
}

// mapValue decodes a map: an array of keys and values.
func (d *reader) mapValue(i, depth int) (v tracewhy.Value, next int) {
	if c := d.B[i]; c != '[' {
		if c == 'n' {
			return tracewhy.MapOf(), d.Pass(i)
		}
		d.Note(tracewhy.ProblemValueInvalid, i)
		return d.Value(i, depth)
	}
	if depth <= 0 {
		d.Note(tracewhy.ProblemValueDepth, i)
		return v, d.Pass(i)
	}
	var elems []tracewhy.KeyValue
	next = d.Array(i, func(i int) int {
		if !d.Room(d.Attrs, i) {
			return d.Pass(i)
		}
		d.Attrs++
		kv, next := d.keyValue(i, depth-1)
		elems = append(elems, kv)
		return next
	})
	return tracewhy.MapOf(elems...), next
}

// decodeResource decodes the attributes of the span's resource.
func (d *reader) decodeResource(i int) int {
	d.Span.Resource = nil
	end := d.Pass(i)
	if end < 0 || d.B[i] == 'n' {
		return end
	}
	raw := d.B[i:end]
	r := d.resources.Known(raw)
	if r == nil {
		before, attrs := d.Noted, d.Attrs
		d.Attrs = 0
		r = &tracewhy.Resource{}
		var next int
		if r.Attributes, next = d.attributes(i, nil, &r.DroppedAttributes); next < 0 {
			return next
		}
		d.Attrs += attrs
		decode.Own(r.Attributes)
		if d.isPlain(before) {
			d.resources.Keep(raw, r)
		}
	}
	d.Span.Resource = r
	return end
}

// decodeScope decodes a scope. Null is none.
func (d *reader) decodeScope(i int) (*tracewhy.Scope, int) {
	end := d.Pass(i)
	if end < 0 || d.B[i] == 'n' {
		return nil, end
	}
	raw := d.B[i:end]
	if s := d.scopes.Known(raw); s != nil {
		return s, end
	}
	before, attrs := d.Noted, d.Attrs
	d.Attrs = 0
	s := &tracewhy.Scope{}
	next := d.Object(i, func(name []byte, i int) (next int) {
		switch string(name) {
		case "Name":
			s.Name, next = d.Text(i)
		case "Version":
			s.Version, next = d.Text(i)
		case "SchemaURL":
			s.SchemaURL, next = d.Text(i)
		case "Attributes":
			s.Attributes, next = d.attributes(i, nil, &s.DroppedAttributes)
		default:
			next = d.Pass(i)
		}
		return next
	})
	if next < 0 {
		return nil, next
	}
	d.Attrs += attrs
	s.Name, s.Version, s.SchemaURL = strings.Clone(s.Name), strings.Clone(s.Version), strings.Clone(s.SchemaURL)
	decode.Own(s.Attributes)
	if d.isPlain(before) {
		d.scopes.Keep(raw, s)
	}
	return s, end
}

// isPlain reports whether nothing odd was found since so much was noted.
func (d *reader) isPlain(noted int) bool {
	code, _ := d.Refusal()
	return d.Noted == noted && code == ""
}
