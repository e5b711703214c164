package tracewhy

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math"
	"strconv"
)

// MarshalJSON writes the value as JSON of its own type: a floating-point number always has a point or
// an exponent, so that reading it back gives one again. What JSON has no type for is lossy: bytes
// become a base64 string, and an empty value, NaN and the infinities become null.
func (v Value) MarshalJSON() ([]byte, error) { return v.appendJSON(nil) }

func (v Value) appendJSON(b []byte) ([]byte, error) {
	switch v.kind {
	case StringValue:
		return appendJSONString(b, v.str)
	case BytesValue:
		return appendJSONString(b, base64.StdEncoding.EncodeToString([]byte(v.str)))
	case BoolValue:
		return strconv.AppendBool(b, v.num != 0), nil
	case IntValue:
		return strconv.AppendInt(b, int64(v.num), 10), nil
	case FloatValue:
		f := v.Float()
		if math.IsNaN(f) || math.IsInf(f, 0) {
			break
		}
		from := len(b)
		b = strconv.AppendFloat(b, f, 'g', -1, 64)
		if !bytes.ContainsAny(b[from:], ".e") {
			b = append(b, ".0"...)
		}
		return b, nil
	case ArrayValue, MapValue:
		open, shut := byte('['), byte(']')
		if v.kind == MapValue {
			open, shut = '{', '}'
		}
		b = append(b, open)
		for i, e := range v.elems {
			if i > 0 {
				b = append(b, ',')
			}
			var err error
			if v.kind == MapValue {
				if b, err = appendJSONString(b, e.Key); err != nil {
					return nil, err
				}
				b = append(b, ':')
			}
			if b, err = e.Value.appendJSON(b); err != nil {
				return nil, err
			}
		}
		return append(b, shut), nil
	}
	return append(b, "null"...), nil
}

func appendJSONString(b []byte, s string) ([]byte, error) {
	enc, err := json.Marshal(s)
	return append(b, enc...), err
}

// UnmarshalJSON reads any JSON value: a number without point and exponent is an integer if it fits 64
// bits, and null is the empty value. Arrays and objects that nest deeper than [MaxValueDepth] are an
// error.
func (v *Value) UnmarshalJSON(data []byte) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	read, err := readJSON(dec, MaxValueDepth)
	if err == nil {
		*v = read
	}
	return err
}

func readJSON(dec *json.Decoder, depth int) (Value, error) {
	t, err := dec.Token()
	if err != nil {
		return Value{}, err
	}
	switch t := t.(type) {
	case string:
		return StringOf(t), nil
	case bool:
		return BoolOf(t), nil
	case json.Number:
		if n, err := strconv.ParseInt(t.String(), 10, 64); err == nil {
			return IntOf(n), nil
		}
		f, err := t.Float64()
		return FloatOf(f), err
	case json.Delim:
		if depth <= 0 {
			return Value{}, errors.New("tracewhy: value nests too deeply")
		}
		v := Value{kind: ArrayValue, elems: []KeyValue{}}
		if t == '{' {
			v.kind = MapValue
		}
		for dec.More() {
			var e KeyValue
			if v.kind == MapValue {
				key, err := dec.Token()
				if err != nil {
					return Value{}, err
				}
				e.Key = key.(string) // the decoder accepts no other key
			}
			if e.Value, err = readJSON(dec, depth-1); err != nil {
				return Value{}, err
			}
			v.elems = append(v.elems, e)
		}
		_, err := dec.Token()
		return v, err
	}
	return Value{}, nil
}
