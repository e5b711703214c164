package main

import (
	"encoding/base64"
	"encoding/json"
	"strconv"

	"github.com/tracewhy/tracewhy"
)

// appendLines appends spans as lines of OTLP JSON: one request for each run of spans with the same resource.
func appendLines(b []byte, spans []tracewhy.SpanData) []byte {
	for len(spans) > 0 {
		n := batchLen(spans)
		b = append(b, `{"resourceSpans":[{"resource":{"attributes":`...)
		b = appendAttributes(b, spans[0].Resource.Attributes)
		b = append(b, `},"scopeSpans":[{"scope":{"name":`...)
		b = appendText(b, spans[0].Scope.Name)
		b = append(b, `,"version":`...)
		b = appendText(b, spans[0].Scope.Version)
		b = append(b, `},"spans":[`...)
		for i := range spans[:n] {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendSpan(b, &spans[i])
		}
		b = append(b, "]}]}]}\n"...)
		spans = spans[n:]
	}
	return b
}

// batchLen returns how many of the first spans came together.
func batchLen(spans []tracewhy.SpanData) int {
	n := 1
	for n < len(spans) && spans[n].Resource == spans[0].Resource {
		n++
	}
	return n
}

func appendSpan(b []byte, s *tracewhy.SpanData) []byte {
	b = append(b, `{"traceId":"`...)
	b = append(append(b, s.TraceID.String()...), `","spanId":"`...)
	b = append(append(b, s.SpanID.String()...), '"')
	if !s.ParentSpanID.IsZero() {
		b = append(append(append(b, `,"parentSpanId":"`...), s.ParentSpanID.String()...), '"')
	}
	b = strconv.AppendUint(append(b, `,"flags":`...), uint64(s.Flags), 10)
	b = appendText(append(b, `,"name":`...), s.Name)
	b = strconv.AppendInt(append(b, `,"kind":`...), int64(s.Kind), 10)
	b = strconv.AppendUint(append(b, `,"startTimeUnixNano":"`...), s.Start, 10)
	b = strconv.AppendUint(append(b, `","endTimeUnixNano":"`...), s.End, 10)
	b = appendAttributes(append(b, `","attributes":`...), s.Attributes)
	if len(s.Events) > 0 {
		b = append(b, `,"events":[`...)
		for i, e := range s.Events {
			if i > 0 {
				b = append(b, ',')
			}
			b = strconv.AppendUint(append(b, `{"timeUnixNano":"`...), e.Time, 10)
			b = appendText(append(b, `","name":`...), e.Name)
			b = append(appendAttributes(append(b, `,"attributes":`...), e.Attributes), '}')
		}
		b = append(b, ']')
	}
	if s.Status != tracewhy.StatusUnset {
		b = strconv.AppendInt(append(b, `,"status":{"code":`...), int64(s.Status), 10)
		b = append(appendText(append(b, `,"message":`...), s.StatusMessage), '}')
	}
	return append(b, '}')
}

func appendAttributes(b []byte, attrs []tracewhy.KeyValue) []byte {
	b = append(b, '[')
	for i, a := range attrs {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendText(append(b, `{"key":`...), a.Key), `,"value":`...)
		switch v := a.Value; v.Kind() {
		case tracewhy.IntValue:
			b = append(strconv.AppendInt(append(b, `{"intValue":"`...), v.Int(), 10), `"}`...)
		case tracewhy.BoolValue:
			b = append(strconv.AppendBool(append(b, `{"boolValue":`...), v.Bool()), '}')
		case tracewhy.FloatValue:
			b = append(strconv.AppendFloat(append(b, `{"doubleValue":`...), v.Float(), 'g', -1, 64), '}')
		case tracewhy.BytesValue:
			b = append(base64.StdEncoding.AppendEncode(append(b, `{"bytesValue":"`...), v.Bytes()), `"}`...)
		default:
			b = append(appendText(append(b, `{"stringValue":`...), v.Str()), '}')
		}
		b = append(b, '}')
	}
	return append(b, ']')
}

// appendText appends a JSON string.
func appendText(b []byte, s string) []byte {
	text, _ := json.Marshal(s) // a string always marshals
	return append(b, text...)
}
