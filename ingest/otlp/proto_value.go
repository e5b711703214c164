package otlp

import (
	"math"

	"github.com/tracewhy/tracewhy"
)

// attribute decodes an attribute. It is false, and that is noted, if the bytes are none.
func (d *protoReader) attribute(b []byte) (kv tracewhy.KeyValue, ok bool) {
	d.Attrs++
	if kv, ok = d.keyValue(b, d.Config.Limits.Depth); !ok {
		d.Note(tracewhy.ProblemAttributeInvalid, d.I)
	}
	return kv, ok
}

// keyValue decodes a key and its value.
func (d *protoReader) keyValue(b []byte, depth int) (kv tracewhy.KeyValue, ok bool) {
	for i := 0; i < len(b); {
		var t uint64
		var v []byte
		if t, i = uvarint(b, i); i < 0 {
			return kv, false
		}
		switch t {
		case tag(1, bytesType):
			v, i = lengthed(b, i)
			kv.Key = d.text(v)
		case tag(2, bytesType):
			if v, i = lengthed(b, i); i < 0 {
				return kv, false
			}
			if kv.Value, ok = d.anyValue(v, depth); !ok {
				return kv, false
			}
		default:
			i = skipField(b, i, t)
		}
		if i < 0 {
			return kv, false
		}
	}
	return kv, true
}

// anyValue decodes a value, in which arrays and maps may nest as deep as depth says.
func (d *protoReader) anyValue(b []byte, depth int) (v tracewhy.Value, ok bool) {
	given := 0
	for i := 0; i < len(b); {
		var t, n uint64
		var s []byte
		if t, i = uvarint(b, i); i < 0 {
			return v, false
		}
		given++
		switch t {
		case tag(1, bytesType):
			s, i = lengthed(b, i)
			v = tracewhy.StringOf(d.text(s))
		case tag(2, varintType):
			n, i = uvarint(b, i)
			v = tracewhy.BoolOf(n != 0)
		case tag(3, varintType):
			n, i = uvarint(b, i)
			v = tracewhy.IntOf(int64(n))
		case tag(4, fixed64Type):
			n, i = fixed64(b, i)
			v = tracewhy.FloatOf(math.Float64frombits(n))
		case tag(5, bytesType):
			if s, i = lengthed(b, i); i < 0 {
				return v, false
			}
			if v, ok = d.arrayValue(s, depth); !ok {
				return v, false
			}
		case tag(6, bytesType):
			if s, i = lengthed(b, i); i < 0 {
				return v, false
			}
			if v, ok = d.mapValue(s, depth); !ok {
				return v, false
			}
		case tag(7, bytesType):
			s, i = lengthed(b, i)
			v = tracewhy.BytesOf(d.Cut(s, d.I))
		default:
			given--
			i = skipField(b, i, t)
		}
		if i < 0 {
			return v, false
		}
		if given > 1 {
			d.Note(tracewhy.ProblemDuplicateField, d.I)
			given = 1
		}
	}
	return v, true
}

// arrayValue decodes the elements of an array.
func (d *protoReader) arrayValue(b []byte, depth int) (v tracewhy.Value, ok bool) {
	if depth <= 0 {
		d.Note(tracewhy.ProblemValueDepth, d.I)
		return v, true
	}
	var elems []tracewhy.Value
	ok = d.values(b, func(b []byte) bool {
		e, ok := d.anyValue(b, depth-1)
		elems = append(elems, e)
		return ok
	})
	return tracewhy.ArrayOf(elems...), ok
}

// mapValue decodes the entries of a map.
func (d *protoReader) mapValue(b []byte, depth int) (v tracewhy.Value, ok bool) {
	if depth <= 0 {
		d.Note(tracewhy.ProblemValueDepth, d.I)
		return v, true
	}
	var elems []tracewhy.KeyValue
	ok = d.values(b, func(b []byte) bool {
		e, ok := d.keyValue(b, depth-1)
		elems = append(elems, e)
		return ok
	})
	return tracewhy.MapOf(elems...), ok
}

// values calls visit for each of the values of an array or map.
func (d *protoReader) values(b []byte, visit func(b []byte) bool) bool {
	for i := 0; i < len(b); {
		var t uint64
		var v []byte
		if t, i = uvarint(b, i); i < 0 {
			return false
		}
		if t != tag(1, bytesType) {
			if i = skipField(b, i, t); i < 0 {
				return false
			}
			continue
		}
		if v, i = lengthed(b, i); i < 0 {
			return false
		}
		if !d.Room(d.Attrs, d.I) {
			continue
		}
		d.Attrs++
		if !visit(v) {
			return false
		}
	}
	return true
}
