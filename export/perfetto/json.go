package perfetto

import (
	"encoding/base64"
	"iter"
	"math"
	"strconv"
	"strings"
	"unicode"

	"github.com/tracewhy/tracewhy"
)

// appendMicros writes nanoseconds as microseconds, exactly.
func appendMicros(b []byte, ns int64) []byte {
	b = strconv.AppendInt(b, ns/1000, 10)
	if frac := ns % 1000; frac != 0 {
		b = append(b, '.', byte('0'+frac/100), byte('0'+frac/10%10), byte('0'+frac%10))
	}
	return b
}

// appendID writes the id of an arrow, as Chrome does.
func appendID(b []byte, id uint64) []byte {
	b = strconv.AppendUint(append(b, `"0x`...), id, 16)
	return append(b, '"')
}

// appendName writes the name of something that is drawn, without what cannot be seen.
func appendName(b []byte, name string) []byte {
	if name == "" {
		name = "(no name)"
	}
	return appendString(b, strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, name))
}

// appendString writes a string. Texts of a Set are UTF-8.
func appendString(b []byte, s string) []byte {
	const hexDigits = "0123456789abcdef"
	b = append(b, '"')
	from := 0
	for i := range len(s) {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		b = append(b, s[from:i]...)
		if c < ' ' {
			b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		} else {
			b = append(b, '\\', c)
		}
		from = i + 1
	}
	return append(append(b, s[from:]...), '"')
}

// appendFloat writes a number that reads as one with a fraction, or a string if it is not finite.
func appendFloat(b []byte, f float64) []byte {
	switch {
	case math.IsNaN(f):
		return append(b, `"NaN"`...)
	case math.IsInf(f, 1):
		return append(b, `"Infinity"`...)
	case math.IsInf(f, -1):
		return append(b, `"-Infinity"`...)
	}
	from := len(b)
	b = strconv.AppendFloat(b, f, 'g', -1, 64)
	if !strings.ContainsAny(string(b[from:]), ".e") {
		b = append(b, ".0"...)
	}
	return b
}

// appendValue writes the value of an attribute. A Set holds none that nests deeper than
// [tracewhy.MaxValueDepth].
func appendValue(b []byte, v tracewhy.Value) []byte {
	switch v.Kind() {
	case tracewhy.StringValue:
		return appendString(b, v.Str())
	case tracewhy.BoolValue:
		return strconv.AppendBool(b, v.Bool())
	case tracewhy.IntValue:
		return strconv.AppendInt(b, v.Int(), 10)
	case tracewhy.FloatValue:
		return appendFloat(b, v.Float())
	case tracewhy.BytesValue:
		b = base64.StdEncoding.AppendEncode(append(b, '"'), v.Bytes())
		return append(b, '"')
	case tracewhy.ArrayValue:
		b = append(b, '[')
		for i, e := range v.Elems() {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendValue(b, e.Value)
		}
		return append(b, ']')
	case tracewhy.MapValue:
		return appendObject(b, pairs(v.Elems()))
	}
	return append(b, "null"...)
}

func appendObject(b []byte, kvs iter.Seq2[string, tracewhy.Value]) []byte {
	b = append(b, '{')
	for key, v := range kvs {
		if b[len(b)-1] != '{' {
			b = append(b, ',')
		}
		b = appendString(b, key)
		b = appendValue(append(b, ':'), v)
	}
	return append(b, '}')
}

// attributes writes a member with attributes, if there are any.
func (d *drawing) attributes(name string, kvs iter.Seq2[string, tracewhy.Value]) {
	for range kvs {
		d.b = appendObject(append(d.b, `,"`+name+`":`...), kvs)
		return
	}
}

func pairs(kvs []tracewhy.KeyValue) iter.Seq2[string, tracewhy.Value] {
	return func(yield func(string, tracewhy.Value) bool) {
		for _, kv := range kvs {
			if !yield(kv.Key, kv.Value) {
				return
			}
		}
	}
}
