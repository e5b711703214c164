package otlp

import (
	"encoding/base64"
	"encoding/hex"
	"io"
	"iter"
	"math"
	"strconv"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/ingest/internal/scan"
)

// WriteJSON writes spans as OTLP JSON, one document a line for each trace: what the Collector's file
// exporter writes and its receivers read. Spans of one trace should come one after the other, as
// [tracewhy.Set.Traces] gives them.
//
// [ReadJSON] gives back spans with equal [tracewhy.Span.Data], apart from its Source, and from the bits
// within a NaN, which JSON has no words for.
func WriteJSON(w io.Writer, spans iter.Seq[tracewhy.Span]) error {
	var j jsonWriter
	return inDocuments(spans, func(doc []tracewhy.Span) error {
		j.b = j.b[:0]
		j.document(doc)
		_, err := w.Write(j.b)
		return err
	})
}

// jsonWriter appends OTLP JSON to b. Fields with the value that they have when absent are left out.
type jsonWriter struct{ b []byte }

func (j *jsonWriter) document(doc []tracewhy.Span) {
	j.raw(`{"resourceSpans":[`)
	for spans := range blocksOf(doc, tracewhy.Span.ResourceIndex) {
		r := spans[0].Resource()
		j.comma()
		j.raw(`{"resource":{`)
		j.attributes(r.Attributes)
		j.count("droppedAttributesCount", r.DroppedAttributes)
		j.raw(`},"scopeSpans":[`)
		for spans := range blocksOf(spans, tracewhy.Span.ScopeIndex) {
			j.comma()
			j.scopeSpans(spans)
		}
		j.raw("]")
		j.text("schemaUrl", r.SchemaURL)
		j.raw("}")
	}
	j.raw("]}\n")
}

func (j *jsonWriter) scopeSpans(spans []tracewhy.Span) {
	s := spans[0].Scope()
	j.raw(`{"scope":{`)
	j.text("name", s.Name)
	j.text("version", s.Version)
	j.attributes(s.Attributes)
	j.count("droppedAttributesCount", s.DroppedAttributes)
	j.raw(`},"spans":[`)
	for _, s := range spans {
		j.comma()
		j.span(s.Data())
	}
	j.raw("]")
	j.text("schemaUrl", s.SchemaURL)
	j.raw("}")
}

func (j *jsonWriter) span(s tracewhy.SpanData) {
	j.raw("{")
	j.id("traceId", s.TraceID[:])
	j.id("spanId", s.SpanID[:])
	j.text("traceState", s.TraceState)
	if !s.ParentSpanID.IsZero() {
		j.id("parentSpanId", s.ParentSpanID[:])
	}
	j.count("flags", s.Flags)
	j.text("name", s.Name)
	j.count("kind", uint32(s.Kind))
	j.time("startTimeUnixNano", s.Start)
	j.time("endTimeUnixNano", s.End)
	j.attributes(s.Attributes)
	j.count("droppedAttributesCount", s.DroppedAttributes)
	if len(s.Events) > 0 {
		j.member("events")
		j.raw("[")
		for _, e := range s.Events {
			j.comma()
			j.raw("{")
			j.time("timeUnixNano", e.Time)
			j.text("name", e.Name)
			j.attributes(e.Attributes)
			j.count("droppedAttributesCount", e.DroppedAttributes)
			j.raw("}")
		}
		j.raw("]")
	}
	j.count("droppedEventsCount", s.DroppedEvents)
	if len(s.Links) > 0 {
		j.member("links")
		j.raw("[")
		for _, l := range s.Links {
			j.comma()
			j.raw("{")
			j.id("traceId", l.TraceID[:])
			j.id("spanId", l.SpanID[:])
			j.text("traceState", l.TraceState)
			j.count("flags", l.Flags)
			j.attributes(l.Attributes)
			j.count("droppedAttributesCount", l.DroppedAttributes)
			j.raw("}")
		}
		j.raw("]")
	}
	j.count("droppedLinksCount", s.DroppedLinks)
	if s.Status != tracewhy.StatusUnset || s.StatusMessage != "" {
		j.member("status")
		j.raw("{")
		j.text("message", s.StatusMessage)
		j.count("code", uint32(s.Status))
		j.raw("}")
	}
	j.raw("}")
}

func (j *jsonWriter) raw(s string) { j.b = append(j.b, s...) }

// comma separates a member or element from the one before.
func (j *jsonWriter) comma() {
	if c := j.b[len(j.b)-1]; c != '{' && c != '[' {
		j.b = append(j.b, ',')
	}
}

func (j *jsonWriter) member(name string) {
	j.comma()
	j.b = append(j.b, '"')
	j.b = append(j.b, name...)
	j.b = append(j.b, '"', ':')
}

func (j *jsonWriter) id(name string, id []byte) {
	j.member(name)
	j.b = append(j.b, '"')
	j.b = hex.AppendEncode(j.b, id)
	j.b = append(j.b, '"')
}

func (j *jsonWriter) text(name, s string) {
	if s != "" {
		j.member(name)
		j.quoted(s)
	}
}

func (j *jsonWriter) count(name string, n uint32) {
	if n != 0 {
		j.member(name)
		j.b = strconv.AppendUint(j.b, uint64(n), 10)
	}
}

func (j *jsonWriter) time(name string, t uint64) {
	if t != 0 {
		j.member(name)
		j.b = append(j.b, '"')
		j.b = strconv.AppendUint(j.b, t, 10)
		j.b = append(j.b, '"')
	}
}

func (j *jsonWriter) attributes(kvs []tracewhy.KeyValue) {
	if len(kvs) > 0 {
		j.member("attributes")
		j.keyValues(kvs)
	}
}

func (j *jsonWriter) keyValues(kvs []tracewhy.KeyValue) {
	j.raw("[")
	for _, kv := range kvs {
		j.comma()
		j.raw(`{"key":`)
		j.quoted(kv.Key)
		j.raw(`,"value":`)
		j.value(kv.Value)
		j.raw("}")
	}
	j.raw("]")
}

// value writes an attribute's value. A Set holds none that nests deeper than [tracewhy.MaxValueDepth].
func (j *jsonWriter) value(v tracewhy.Value) {
	switch v.Kind() {
	case tracewhy.StringValue:
		j.raw(`{"stringValue":`)
		j.quoted(v.Str())
	case tracewhy.BoolValue:
		j.raw(`{"boolValue":`)
		j.b = strconv.AppendBool(j.b, v.Bool())
	case tracewhy.IntValue:
		j.raw(`{"intValue":"`)
		j.b = strconv.AppendInt(j.b, v.Int(), 10)
		j.raw(`"`)
	case tracewhy.FloatValue:
		j.raw(`{"doubleValue":`)
		j.float(v.Float())
	case tracewhy.BytesValue:
		j.raw(`{"bytesValue":"`)
		j.b = base64.StdEncoding.AppendEncode(j.b, v.Bytes())
		j.raw(`"`)
	case tracewhy.ArrayValue:
		j.raw(`{"arrayValue":{"values":[`)
		for _, e := range v.Elems() {
			j.comma()
			j.value(e.Value)
		}
		j.raw("]}")
	case tracewhy.MapValue:
		j.raw(`{"kvlistValue":{"values":`)
		j.keyValues(v.Elems())
		j.raw("}")
	default:
		j.raw("{")
	}
	j.raw("}")
}

func (j *jsonWriter) float(f float64) {
	switch {
	case math.IsNaN(f):
		j.raw(`"NaN"`)
	case math.IsInf(f, 1):
		j.raw(`"Infinity"`)
	case math.IsInf(f, -1):
		j.raw(`"-Infinity"`)
	default:
		j.b = strconv.AppendFloat(j.b, f, 'g', -1, 64)
	}
}

// quoted writes a string. Texts of a Set are UTF-8.
func (j *jsonWriter) quoted(s string) { j.b = scan.AppendQuoted(j.b, s) }
