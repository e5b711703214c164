package rca

import (
	"bytes"
	"encoding/json"

	"github.com/tracewhy/tracewhy"
)

// List is a slice that marshals to [] where it is nil, so that whoever reads a report never meets a
// null list, in a whole [Report] or in a part of one.
type List[T any] []T

// MarshalJSON implements json.Marshaler.
func (l List[T]) MarshalJSON() ([]byte, error) {
	if l == nil {
		return []byte("[]"), nil
	}
	// An Encoder because it leaves "<" as it is; whether to escape that for HTML is the caller's choice,
	// and encoding/json applies it to what is returned here.
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode([]T(l)); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// ConditionOf returns c as the report writes it. Integers stay exact, non-finite numbers become null,
// bytes become text in base64, arrays become lists, and maps become text.
func ConditionOf(c tracewhy.Condition) Condition {
	return Condition{Key: c.Key, Op: c.Op, Value: plain(c.Value)}
}

// plain recurses at most [tracewhy.MaxValueDepth] deep for values of a Set, which are cut there.
func plain(v tracewhy.Value) any {
	switch v.Kind() {
	case tracewhy.EmptyValue:
		return nil
	case tracewhy.BoolValue:
		return v.Bool()
	case tracewhy.IntValue:
		return v.Int()
	case tracewhy.FloatValue:
		return Number(v.Float())
	case tracewhy.ArrayValue:
		list := make([]any, 0, len(v.Elems()))
		for _, e := range v.Elems() {
			list = append(list, plain(e.Value))
		}
		return list
	}
	return v.String()
}
