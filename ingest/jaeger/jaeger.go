// Package jaeger reads and writes traces in Jaeger's JSON.
//
//	var b tracewhy.Builder
//	if err := jaeger.Read(ctx, r, &b, input.Config{Name: "traces.json"}); err != nil {
//		return err
//	}
//	set, err := b.Build(ctx)
//	…
//	err = jaeger.WriteJSON(w, trace.Spans())
//
// Package ingest is the way to read files, which may be compressed.
//
// # Shapes
//
// What is read, one document or several, in lines or in arrays:
//
//   - answers of the query API, as Jaeger and VictoriaTraces give them and Jaeger's UI saves them: an
//     object with "data", whose "errors" become an [AnswerError] where there is no trace;
//   - traces: objects with "spans" and "processes";
//   - spans as Elasticsearch stores them: objects with "spanID" and "process"; also in "_source", in
//     "hits" and in "responses".
//
// Jaeger's answers of version 3 are OTLP: see package otlp.
//
// # Mapping
//
// Spans become what OpenTelemetry's mapping makes of them, read backwards
// (https://opentelemetry.io/docs/specs/otel/trace/sdk_exporters/jaeger/, and pkg/translator/jaeger of the
// Collector): process to resource, logs to events, tags to attributes, except for these tags:
//
//	span.kind                            kind
//	otel.status_code, error              status; error=true goes before otel.status_code
//	otel.status_description              its message
//	otel.scope.name, .version            scope; also otel.library.name and .version
//	w3c.tracestate                       tracestate
//	otel.dropped_attributes_count, …     dropped counts; those of attributes also of logs and processes
//
// An error tag that is not just true or false says something where there is no otel.status_code: that the
// span failed, unless it is 0, "0", "no", or empty; any other text is then the message as well, if there is
// no other. An error tag stays an attribute, except for true. An HTTP status is left for [tracewhy.Span.Failed].
//
// The parent is the span's parentSpanID, or else the first CHILD_OF reference into its own trace, or else
// the first FOLLOWS_FROM. Every other reference becomes a link with the attribute opentracing.ref_type; a
// FOLLOWS_FROM that is the parent becomes a link as well, and makes the span asynchronous
// ([tracewhy.Span.IsAsync]). An event has the name that its field "event" has, or else "message". Of the
// flags only the sampled bit is kept. The warnings of a span are its attribute @jaeger@warnings, as in
// Jaeger's storage. The tag hostname of a process is host.name if there is none.
//
// # What Jaeger's JSON cannot say
//
// WriteJSON, and whatever else writes it, loses of OpenTelemetry's spans: what is below a microsecond in a
// time; arrays and maps, which become text, as JSON; values without a type, which become empty text;
// attributes of scopes; the tracestate, flags and attributes of links, other than opentracing.ref_type, which
// all links have when they are read; dropped counts of links and scopes; schema URLs; flags, other than the sampled bit; the end of
// a span without a start. A root with a link into its own trace becomes a child there. Attributes with the
// name of one of the tags above, and an event's attribute "event", are taken for what the tags say.
//
// # Cost
//
// Reading is one pass in time linear in the input, whatever nests in it. Where the processes of a trace come
// after its spans, as Jaeger writes them, the trace is held as it is written until they are found, so
// that a span has its resource when it is added; a trace that is longer than 16 times the limit on the length
// of a span is not looked through so far, and its spans have no service. Otherwise a window holds one span.
package jaeger

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/ingest/input"
	"github.com/tracewhy/tracewhy/ingest/internal/decode"
	"github.com/tracewhy/tracewhy/ingest/internal/scan"
)

// Read adds the spans of Jaeger JSON to b.
func Read(ctx context.Context, r io.Reader, b *tracewhy.Builder, cfg input.Config) error {
	return readWindow(ctx, r, b, cfg, scan.WindowSize)
}

func readWindow(ctx context.Context, r io.Reader, b *tracewhy.Builder, cfg input.Config, size int) error {
	d := newReader(decode.NewSpans(ctx, r, b, cfg, size))
	err := d.Read()
	switch {
	case d.answer == nil:
		return err
	case d.Added == 0 && (err == nil || errors.Is(err, input.ErrNotTraces)):
		return d.answer
	}
	b.Note(tracewhy.ProblemTruncatedInput, d.answer.Error(), tracewhy.TraceID{})
	return err
}

// An AnswerError is what a query API said in place of traces.
type AnswerError struct {
	Position input.Position
	Code     int // of HTTP, or 0
	Message  string
}

func (e *AnswerError) Error() string {
	s := fmt.Sprintf("%s: Jaeger answered with an error: %q", e.Position, cmp.Or(e.Message, "no message"))
	if e.Code != 0 {
		s += fmt.Sprintf(" (code %d)", e.Code)
	}
	return s
}

// reader reads Jaeger JSON.
type reader struct {
	decode.JSON
	trace     *trace // that spans are read for
	answer    *AnswerError
	nesting   int   // of documents within each other
	maxAhead  int   // how much of a trace may be held to find its processes
	isStored  bool  // the span under way is a document of its own
	span      parts // of the span under way
	tag       tag   // the one under way
	resources table[tracewhy.Resource]
	stored    table[tracewhy.Resource] // those of documents of their own
	scopes    table[tracewhy.Scope]
}

// A trace is what spans need to know of theirs.
type trace struct {
	id        tracewhy.TraceID
	processes map[string]*tracewhy.Resource // by their names; nil until they are known
}

func newReader(s decode.Spans) *reader {
	const spans = 16 // of the largest size
	d := &reader{JSON: decode.JSON{Spans: s}, trace: &trace{}, maxAhead: math.MaxInt}
	if n := s.Config.Limits.SpanBytes; n < math.MaxInt/spans {
		d.maxAhead = spans * n
	}
	d.Document = d.document
	d.Firsts = []string{"data", "traceID", "spanID", "spans", "processes", "duration"}
	return d
}

// A table has what was read, by how it is written, for the next time.
type table[T any] struct {
	known map[string]*T
	size  int // about, in bytes
}

// keep makes v known. It forgets everything when that becomes too much.
func (t *table[T]) keep(raw []byte, v *T) {
	const most, overhead = 4 << 20, 512
	if t.size += 3*len(raw) + overhead; t.size > most || t.known == nil {
		t.size = 0
		t.known = map[string]*T{}
	}
	t.known[string(raw)] = v
}
