package jaeger

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"math"
	"strconv"
	"strings"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/ingest/internal/scan"
)

// WriteJSON writes spans as an answer of Jaeger's query API, which Jaeger's UI opens as a JSON file. Spans
// of one trace should come one after the other, as [tracewhy.Set.Traces] gives them: each run of them becomes
// a trace. The same spans give the same bytes.
//
// [Read] gives back what the package comment does not list as lost. Times are rounded down to microseconds,
// start and end each, so that what lay within something still does. A start or a duration that is not known is null.
func WriteJSON(w io.Writer, spans iter.Seq[tracewhy.Span]) error {
	j := jsonWriter{w: w}
	j.raw(`{"data":[`)
	for s := range spans {
		if len(j.trace) > 0 && j.trace[0].Trace() != s.Trace() {
			if err := j.flush(); err != nil {
				return err
			}
		}
		j.trace = append(j.trace, s)
	}
	if err := j.flush(); err != nil {
		return err
	}
	j.raw("],\"total\":0,\"limit\":0,\"offset\":0,\"errors\":null}\n")
	_, err := w.Write(j.b)
	return err
}

// jsonWriter appends Jaeger JSON to b.
type jsonWriter struct {
	w        io.Writer
	b        []byte
	trace    []tracewhy.Span // the spans of the trace under way
	hasTrace bool            // one was written
}

// flush writes the trace under way.
func (j *jsonWriter) flush() error {
	if len(j.trace) == 0 {
		return nil
	}
	if j.hasTrace {
		j.raw(",")
	}
	j.raw("\n")
	j.raw(`{"traceID":`)
	id := j.trace[0].Trace().ID()
	j.id(id[:])
	j.raw(`,"processes":{`)
	processes := map[int]int{} // the number of a resource to that of its process
	byText := map[string]int{} // resources that differ in what Jaeger cannot say are one process
	for _, s := range j.trace {
		if _, ok := processes[s.ResourceIndex()]; ok {
			continue
		}
		from := len(j.b)
		j.process(s.Resource())
		text := string(j.b[from:])
		j.b = j.b[:from]
		n, ok := byText[text]
		if !ok {
			n = len(byText) + 1
			byText[text] = n
			j.comma()
			j.b = append(fmt.Appendf(j.b, `"p%d":`, n), text...)
		}
		processes[s.ResourceIndex()] = n
	}
	j.raw(`},"spans":[`)
	for _, s := range j.trace {
		j.comma()
		d := s.Data()
		j.span(&d, processes[s.ResourceIndex()])
	}
	j.raw(`],"warnings":null}`)
	j.trace = j.trace[:0]
	if _, err := j.w.Write(j.b); err != nil {
		return err
	}
	j.b, j.hasTrace = j.b[:0], true
	return nil
}

func (j *jsonWriter) process(r tracewhy.Resource) {
	name := noServiceName
	attributes := r.Attributes
	for i, kv := range attributes {
		if kv.Key == "service.name" && kv.Value.Str() != "" {
			name = kv.Value.Str()
			attributes = append(attributes[:i:i], attributes[i+1:]...)
			break
		}
	}
	j.raw(`{"serviceName":`)
	j.quoted(name)
	j.raw(`,"tags":[`)
	j.tags(attributes)
	j.count(droppedAttributesKey, r.DroppedAttributes)
	j.raw("]}")
}

func (j *jsonWriter) span(s *tracewhy.SpanData, process int) {
	j.raw(`{"traceID":`)
	j.id(s.TraceID[:])
	j.raw(`,"spanID":`)
	j.id(s.SpanID[:])
	if s.Flags&sampledFlag != 0 {
		j.raw(`,"flags":1`)
	}
	j.raw(`,"operationName":`)
	j.quoted(s.Name)
	j.raw(`,"references":[`)
	if !s.ParentSpanID.IsZero() {
		j.reference("CHILD_OF", s.TraceID, s.ParentSpanID)
	}
	for _, l := range s.Links {
		refType := "FOLLOWS_FROM"
		for _, kv := range l.Attributes {
			if kv.Key == childOf.Key && kv.Value.Equal(childOf.Value) {
				refType = "CHILD_OF"
			}
		}
		j.reference(refType, l.TraceID, l.SpanID)
	}
	j.raw(`],"startTime":`)
	if s.Start == 0 {
		j.raw("null")
	} else {
		j.b = strconv.AppendUint(j.b, s.Start/1000, 10)
	}
	j.raw(`,"duration":`)
	if s.Start == 0 || s.End == 0 {
		j.raw("null")
	} else {
		j.b = strconv.AppendInt(j.b, int64(s.End/1000)-int64(s.Start/1000), 10)
	}
	j.raw(`,"tags":[`)
	warnings := j.spanTags(s)
	j.raw(`],"logs":[`)
	for _, e := range s.Events {
		j.comma()
		j.event(e)
	}
	j.b = fmt.Appendf(j.b, `],"processID":"p%d","warnings":`, process)
	if warnings == nil {
		j.raw("null}")
		return
	}
	j.raw("[")
	for _, w := range warnings {
		j.comma()
		j.quoted(w.Value.Str())
	}
	j.raw("]}")
}

// spanTags writes the attributes of a span, except for its warnings, which it returns, and what Jaeger has
// tags for. Those come last, since of a tag given twice the last holds.
func (j *jsonWriter) spanTags(s *tracewhy.SpanData) (warnings []tracewhy.KeyValue) {
	hasError := false
	for _, kv := range s.Attributes {
		hasError = hasError || kv.Key == "error"
		if kv.Key == warningsKey && isTexts(kv.Value) {
			warnings = kv.Value.Elems()
			continue
		}
		j.tag(kv)
	}
	j.textTag("otel.scope.name", s.Scope.Name)
	j.textTag("otel.scope.version", s.Scope.Version)
	if s.Kind != tracewhy.KindUnspecified {
		j.textTag("span.kind", s.Kind.String())
	}
	if s.Status != tracewhy.StatusUnset || hasError {
		j.textTag("otel.status_code", strings.ToUpper(s.Status.String()))
	}
	if s.Status == tracewhy.StatusError {
		j.tag(tracewhy.Bool("error", true))
	}
	j.textTag("otel.status_description", s.StatusMessage)
	j.textTag("w3c.tracestate", s.TraceState)
	j.count(droppedAttributesKey, s.DroppedAttributes)
	j.count(droppedEventsKey, s.DroppedEvents)
	j.count(droppedLinksKey, s.DroppedLinks)
	return warnings
}

// isTexts reports whether v is an array of texts, one at least.
func isTexts(v tracewhy.Value) bool {
	if v.Kind() != tracewhy.ArrayValue {
		return false
	}
	for _, e := range v.Elems() {
		if e.Value.Kind() != tracewhy.StringValue {
			return false
		}
	}
	return len(v.Elems()) > 0
}

func (j *jsonWriter) event(e tracewhy.Event) {
	hasMessage := false
	for _, kv := range e.Attributes {
		hasMessage = hasMessage || kv.Key == "message"
	}
	j.raw(`{"timestamp":`)
	j.b = strconv.AppendUint(j.b, e.Time/1000, 10)
	j.raw(`,"fields":[`)
	if e.Name != "" || hasMessage {
		j.tag(tracewhy.String("event", e.Name))
	}
	j.tags(e.Attributes)
	j.count(droppedAttributesKey, e.DroppedAttributes)
	j.raw("]}")
}

func (j *jsonWriter) reference(refType string, traceID tracewhy.TraceID, spanID tracewhy.SpanID) {
	j.comma()
	j.raw(`{"refType":"`)
	j.raw(refType)
	j.raw(`","traceID":`)
	j.id(traceID[:])
	j.raw(`,"spanID":`)
	j.id(spanID[:])
	j.raw("}")
}

func (j *jsonWriter) tags(kvs []tracewhy.KeyValue) {
	for _, kv := range kvs {
		j.tag(kv)
	}
}

func (j *jsonWriter) textTag(key, s string) {
	if s != "" {
		j.tag(tracewhy.String(key, s))
	}
}

func (j *jsonWriter) count(key string, n uint32) {
	if n != 0 {
		j.tag(tracewhy.Int(key, int64(n)))
	}
}

func (j *jsonWriter) tag(kv tracewhy.KeyValue) {
	j.comma()
	j.raw(`{"key":`)
	j.quoted(kv.Key)
	v := kv.Value
	switch v.Kind() {
	case tracewhy.BoolValue:
		j.raw(`,"type":"bool","value":`)
		j.b = strconv.AppendBool(j.b, v.Bool())
	case tracewhy.IntValue:
		j.raw(`,"type":"int64","value":`)
		j.int(v.Int())
	case tracewhy.FloatValue:
		j.raw(`,"type":"float64","value":`)
		j.float(v.Float())
	case tracewhy.BytesValue:
		j.raw(`,"type":"binary","value":"`)
		j.b = base64.StdEncoding.AppendEncode(j.b, v.Bytes())
		j.raw(`"`)
	case tracewhy.ArrayValue, tracewhy.MapValue:
		text, err := json.Marshal(v)
		if err != nil {
			text = []byte(v.String())
		}
		j.raw(`,"type":"string","value":`)
		j.quoted(string(text))
	default:
		j.raw(`,"type":"string","value":`)
		j.quoted(v.Str())
	}
	j.raw("}")
}

// int writes an integer, in quotes if JavaScript would not keep it.
func (j *jsonWriter) int(n int64) {
	const safe = 1<<53 - 1
	if -safe <= n && n <= safe {
		j.b = strconv.AppendInt(j.b, n, 10)
		return
	}
	j.raw(`"`)
	j.b = strconv.AppendInt(j.b, n, 10)
	j.raw(`"`)
}

// float writes a number, in quotes if JSON has none for it.
func (j *jsonWriter) float(f float64) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		j.raw(`"`)
		j.b = strconv.AppendFloat(j.b, f, 'g', -1, 64)
		j.raw(`"`)
		return
	}
	j.b = strconv.AppendFloat(j.b, f, 'g', -1, 64)
}

func (j *jsonWriter) raw(s string) { j.b = append(j.b, s...) }

// comma separates a member or element from the one before.
func (j *jsonWriter) comma() {
	if c := j.b[len(j.b)-1]; c != '{' && c != '[' {
		j.b = append(j.b, ',')
	}
}

func (j *jsonWriter) id(id []byte) {
	j.b = append(j.b, '"')
	j.b = hex.AppendEncode(j.b, id)
	j.b = append(j.b, '"')
}

func (j *jsonWriter) quoted(s string) { j.b = scan.AppendQuoted(j.b, s) }
