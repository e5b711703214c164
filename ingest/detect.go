package ingest

import (
	"bytes"
	"context"
	"io"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/ingest/input"
	"github.com/tracewhy/tracewhy/ingest/internal/decode"
	"github.com/tracewhy/tracewhy/ingest/jaeger"
	"github.com/tracewhy/tracewhy/ingest/otlp"
	"github.com/tracewhy/tracewhy/ingest/stdouttrace"
	"github.com/tracewhy/tracewhy/ingest/zipkin"
)

// A format is one of the kinds of trace data.
type format struct {
	read    func(context.Context, io.Reader, *tracewhy.Builder, input.Config) error
	members []string // of its documents in JSON, by which they are told from others
}

// formats are those that are read; what has no member of any may be the first.
var formats = []format{
	{otlp.Read, []string{"resourceSpans", "resource_spans", "batches", "result", "trace", "scopeSpans", "instrumentationLibrarySpans"}},
	{jaeger.Read, []string{"data", "traceID", "spanID", "operationName", "processID", "startTimeMillis", "processes", "_source", "hits", "responses"}},
	{zipkin.Read, []string{"traceId", "localEndpoint", "parentId", "binaryAnnotations"}},
	{stdouttrace.Read, []string{"SpanContext", "SpanKind", "StartTime"}},
}

// detectable is how much of an input is looked at to tell its format.
const detectable = 64 << 10

// formatOf tells by the beginning of an input what format it has: that of the first member of a JSON
// object that only one of them knows.
func formatOf(head []byte) format {
	best, at := formats[0], len(head)
	if !decode.IsText(head) {
		return best
	}
	for _, f := range formats {
		for _, name := range f.members {
			if i := indexMember(head[:at], name); i >= 0 {
				best, at = f, i
			}
		}
	}
	return best
}

// indexMember returns where in b the first member of the given name begins, or -1. In a text that quotes
// a document the quotes are escaped.
func indexMember(b []byte, name string) int {
	quoted := []byte(`"` + name + `"`)
	for from := 0; ; {
		i := bytes.Index(b[from:], quoted)
		if i < 0 {
			return -1
		}
		i += from
		from = i + len(quoted)
		if rest := bytes.TrimLeft(b[from:], " \t\r\n"); len(rest) > 0 && rest[0] == ':' {
			return i
		}
	}
}
