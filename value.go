package tracewhy

import (
	"encoding/base64"
	"encoding/binary"
	"math"
	"slices"
	"strconv"
	"strings"
)

// ValueKind is the type of an attribute's value.
type ValueKind uint8

// The kinds of value that OpenTelemetry's attributes can have.
const (
	EmptyValue ValueKind = iota // no value at all
	StringValue
	BoolValue
	IntValue
	FloatValue
	BytesValue
	ArrayValue
	MapValue
)

// Value is an attribute's typed value. The zero Value is empty. A Value is immutable.
type Value struct {
	kind  ValueKind
	num   uint64
	str   string
	elems []KeyValue // of an array (keys unused) or a map
}

// KeyValue is an attribute: a key and its value.
type KeyValue struct {
	Key   string
	Value Value
}

// String makes a string attribute.
func String(key, v string) KeyValue { return KeyValue{key, StringOf(v)} }

// Bool makes a boolean attribute.
func Bool(key string, v bool) KeyValue { return KeyValue{key, BoolOf(v)} }

// Int makes an integer attribute.
func Int(key string, v int64) KeyValue { return KeyValue{key, IntOf(v)} }

// Float makes a floating-point attribute.
func Float(key string, v float64) KeyValue { return KeyValue{key, FloatOf(v)} }

// StringOf returns a string value.
func StringOf(v string) Value { return Value{kind: StringValue, str: v} }

// BoolOf returns a boolean value.
func BoolOf(v bool) Value {
	if v {
		return Value{kind: BoolValue, num: 1}
	}
	return Value{kind: BoolValue}
}

// IntOf returns an integer value.
func IntOf(v int64) Value { return Value{kind: IntValue, num: uint64(v)} }

// FloatOf returns a floating-point value; NaN and the infinities are kept as they are.
func FloatOf(v float64) Value { return Value{kind: FloatValue, num: math.Float64bits(v)} }

// BytesOf returns a value of raw bytes, which it copies.
func BytesOf(v []byte) Value { return Value{kind: BytesValue, str: string(v)} }

// ArrayOf returns an array of values, of any mix of kinds.
func ArrayOf(vs ...Value) Value {
	elems := make([]KeyValue, len(vs))
	for i, v := range vs {
		elems[i].Value = v
	}
	return Value{kind: ArrayValue, elems: elems}
}

// MapOf returns a map value with its entries in the order given.
func MapOf(kvs ...KeyValue) Value { return Value{kind: MapValue, elems: append([]KeyValue{}, kvs...)} }

// Kind returns the value's type.
func (v Value) Kind() ValueKind { return v.kind }

// Str returns the text of a string value, and "" for any other kind.
func (v Value) Str() string {
	if v.kind != StringValue {
		return ""
	}
	return v.str
}

// Bool returns a boolean value, and false for any other kind.
func (v Value) Bool() bool { return v.kind == BoolValue && v.num != 0 }

// Int returns an integer value, and 0 for any other kind.
func (v Value) Int() int64 {
	if v.kind != IntValue {
		return 0
	}
	return int64(v.num)
}

// Float returns a floating-point value, and 0 for any other kind.
func (v Value) Float() float64 {
	if v.kind != FloatValue {
		return 0
	}
	return math.Float64frombits(v.num)
}

// Number returns the value of an integer, a floating-point number, or a string that spells a finite
// decimal number. It is false for anything else, NaN included.
func (v Value) Number() (float64, bool) {
	switch v.kind {
	case IntValue:
		return float64(int64(v.num)), true
	case FloatValue:
		f := math.Float64frombits(v.num)
		return f, f == f
	case StringValue:
		if v.str == "" || strings.Trim(v.str, "0123456789+-.eE") != "" { // no Inf, no 0x1p-2, no 1_000
			return 0, false
		}
		f, err := strconv.ParseFloat(v.str, 64)
		return f, err == nil
	}
	return 0, false
}

// Canonical returns the value that stands for all which count as one in statistics and conditions: the
// number 500 for 500, 500.0 and "500", and the boolean for "true" and "false". A string that spells a
// number in another way than it would be printed stays as it is, since "007" and "1.10" may be a code
// and a version.
func (v Value) Canonical() Value {
	const exact = 1 << 53 // up to here a float64 holds every integer
	switch v.kind {
	case FloatValue:
		if f := v.Float(); f == math.Trunc(f) && math.Abs(f) <= exact {
			return IntOf(int64(f))
		}
	case StringValue:
		if v.str == "true" || v.str == "false" {
			return BoolOf(v.str == "true")
		}
		if v.str == "" || strings.Trim(v.str, "0123456789-.") != "" {
			return v
		}
		if n, err := strconv.ParseInt(v.str, 10, 64); err == nil && strconv.FormatInt(n, 10) == v.str {
			return IntOf(n)
		}
		if f, err := strconv.ParseFloat(v.str, 64); err == nil && f != math.Trunc(f) && strconv.FormatFloat(f, 'f', -1, 64) == v.str {
			return FloatOf(f)
		}
	}
	return v
}

// Bytes returns a copy of a value of raw bytes, and nil for any other kind.
func (v Value) Bytes() []byte {
	if v.kind != BytesValue {
		return nil
	}
	return []byte(v.str)
}

// Elems returns the elements of an array (with empty keys) or the entries of a map.
// The slice must not be modified.
func (v Value) Elems() []KeyValue { return v.elems }

// Equal reports whether two values have the same kind and content. NaN equals NaN of the same bits.
func (v Value) Equal(w Value) bool {
	return v.kind == w.kind && v.num == w.num && v.str == w.str &&
		slices.EqualFunc(v.elems, w.elems, func(a, b KeyValue) bool { return a.Key == b.Key && a.Value.Equal(b.Value) })
}

// String returns the value as people write it: text as it is, numbers in decimal, bytes in base64,
// arrays as [a, b] and maps as {k: v}. Output that others read must still be escaped.
func (v Value) String() string {
	if v.kind == StringValue {
		return v.str
	}
	return string(v.appendText(nil))
}

func (v Value) appendText(b []byte) []byte {
	switch v.kind {
	case StringValue:
		return append(b, v.str...)
	case BoolValue:
		return strconv.AppendBool(b, v.num != 0)
	case IntValue:
		return strconv.AppendInt(b, int64(v.num), 10)
	case FloatValue:
		return strconv.AppendFloat(b, math.Float64frombits(v.num), 'g', -1, 64)
	case BytesValue:
		return base64.StdEncoding.AppendEncode(b, []byte(v.str))
	case ArrayValue, MapValue:
		open, shut := byte('['), byte(']')
		if v.kind == MapValue {
			open, shut = '{', '}'
		}
		b = append(b, open)
		for i, e := range v.elems {
			if i > 0 {
				b = append(b, ", "...)
			}
			if v.kind == MapValue {
				b = append(append(b, e.Key...), ": "...)
			}
			b = e.Value.appendText(b)
		}
		return append(b, shut)
	}
	return b
}

// MaxValueDepth is how deep arrays and maps may nest in a Set. What lies deeper is replaced by an
// empty value, and counted.
const MaxValueDepth = 64

// decodeValue reads a value that [Builder.encodeValue] wrote, and returns the rest of s, which is
// trusted: it comes from nowhere else.
func decodeValue(s string) (v Value, rest string) {
	v.kind = ValueKind(s[0])
	s = s[1:]
	switch v.kind {
	case StringValue, BytesValue:
		v.str, s = cutCounted(s)
	case BoolValue, IntValue, FloatValue:
		v.num = binary.LittleEndian.Uint64([]byte(s[:8]))
		s = s[8:]
	case ArrayValue, MapValue:
		n, k := uvarint(s)
		s = s[k:]
		v.elems = make([]KeyValue, n)
		for i := range v.elems {
			if v.kind == MapValue {
				v.elems[i].Key, s = cutCounted(s)
			}
			v.elems[i].Value, s = decodeValue(s)
		}
	}
	return v, s
}

func cutCounted(s string) (head, tail string) {
	n, k := uvarint(s)
	return s[k : k+int(n)], s[k+int(n):]
}

func uvarint(s string) (uint64, int) {
	n, k := binary.Uvarint([]byte(s[:min(len(s), binary.MaxVarintLen64)]))
	return n, k
}
