// Package stdouttrace reads what the OpenTelemetry SDK for Go prints of its spans:
// go.opentelemetry.io/otel/exporters/stdout/stdouttrace.
//
//	var b tracewhy.Builder
//	if err := stdouttrace.Read(ctx, os.Stdin, &b, input.Config{Name: "stdin"}); err != nil {
//		return err
//	}
//	set, err := b.Build(ctx)
//
// Package ingest is the way to read files, which may be compressed.
//
// # Shapes
//
// What is read, one span or several: objects with a "SpanContext", on one line or on many, one after the other
// or in arrays, as the exporter wrote them before version 1. Lines of other text may come between them, and
// what the SDK prints of metrics and log records, which is passed over and counted.
//
// # Mapping
//
// A span is what the SDK says of it (tracetest.SpanStub), and comes out as package otelsdk makes it of the span
// itself. A time in the year 1 is none: stdouttrace.WithoutTimestamps leaves no other. Parent says whether
// the parent is remote: bits 0x100 and 0x200 of [tracewhy.SpanData.Flags]. InstrumentationLibrary is the
// scope where there is no InstrumentationScope.
//
// What versions before 1 wrote is read, too, and counted as [tracewhy.ProblemLegacySchema]: ParentSpanID and
// HasRemoteParent, MessageEvents, StatusCode and StatusMessage. A status that is a number, and not in an
// object, is a code of gRPC: all but 0 are errors.
//
// A value that is not of the type it says is kept as text, and counted.
//
// # What the output does not say
//
// The schema URL of the resource; attributes whose value is NaN or infinite: the exporter does not write spans
// that have one. The number of child spans has no place in a Set.
//
// # Cost
//
// Reading is one pass in time linear in the input, whatever nests in it, and holds one span.
package stdouttrace

import (
	"context"
	"io"
	"slices"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/ingest/input"
	"github.com/tracewhy/tracewhy/ingest/internal/decode"
	"github.com/tracewhy/tracewhy/ingest/internal/scan"
)

// Read adds the spans of the exporter's output to b.
func Read(ctx context.Context, r io.Reader, b *tracewhy.Builder, cfg input.Config) error {
	return readWindow(ctx, r, b, cfg, scan.WindowSize)
}

func readWindow(ctx context.Context, r io.Reader, b *tracewhy.Builder, cfg input.Config, size int) error {
	d := &reader{JSON: decode.JSON{Spans: decode.NewSpans(ctx, r, b, cfg, size)}}
	d.Document = func() error { return d.SpanDocument(d.isSpan, d.decodeSpan) }
	d.Firsts = []string{"Name", "SpanContext"}
	return d.Read()
}

// reader reads the exporter's output.
type reader struct {
	decode.JSON
	isBad     bool // the attribute under way cannot be read
	isLegacy  bool // the span under way has members of older versions
	resources decode.Table[tracewhy.Resource]
	scopes    decode.Table[tracewhy.Scope]
}

// spanNames are members that only spans have.
var spanNames = []string{"SpanContext", "SpanKind", "ParentSpanID"}

// otherNames are members of metrics and log records, of which no span has one.
var otherNames = []string{"ScopeMetrics", "Severity", "SeverityText", "Body", "ObservedTimestamp"}

// isSpan reports whether the object at B[i] is a span. What it is not sure of is no JSON, or short.
func (d *reader) isSpan(i int) (yes bool, next int) {
	i++
	for first := true; ; first = false {
		name, next := d.Field(i, first)
		if next < 0 || name == nil {
			return false, next
		}
		if is := decode.View(name); slices.Contains(spanNames, is) || slices.Contains(otherNames, is) {
			return slices.Contains(spanNames, is), next
		}
		if i = d.Pass(next); i < 0 {
			return false, i
		}
	}
}
