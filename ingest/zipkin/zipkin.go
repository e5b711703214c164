// Package zipkin reads traces in Zipkin's JSON, version 2.
//
//	var b tracewhy.Builder
//	if err := zipkin.Read(ctx, r, &b, input.Config{Name: "traces.json"}); err != nil {
//		return err
//	}
//	set, err := b.Build(ctx)
//
// Package ingest is the way to read files, which may be compressed.
//
// # Shapes
//
// What is read, one document or several, in lines or in arrays: spans, lists of spans, as Zipkin's API gives
// one trace, and lists of such lists, as it gives several. Version 1, whose spans have binaryAnnotations, is
// refused: [ErrVersion1]. Objects that are no spans are passed over, and counted where they lie in lists with spans.
//
// # Mapping
//
// Spans become what OpenTelemetry's mapping makes of them, read backwards
// (https://opentelemetry.io/docs/specs/otel/trace/sdk_exporters/zipkin/, and pkg/translator/zipkin of the
// Collector): annotations to events, tags to attributes, localEndpoint to the resource, except for these tags:
//
//	otel.scope.name, .version            scope; also otel.library.name and .version
//	otel.status_code, error              status
//	otel.status_description              its message
//	otlp.link.0, …                       links, as the Collector writes them
//	otlp.service.name.source             which attribute of the resource the name of the service is
//	w3c.tracestate                       tracestate
//	span.kind                            kind, of a span that has no other
//	service.name, host.name, …           attributes of the resource: those of OpenTelemetry's conventions
//
// Tags are text, and stay it: http.status_code is "500". What is written as a number, or as something else
// that is no text, is kept as text too, and counted.
//
// That there is an error tag says that the span failed, whatever it says: Zipkin has no other way. With these
// exceptions: where it says false, no or 0, somebody meant what they wrote, and it is counted; where
// otel.status_code is not ERROR, only true is heard. A text is the message of the status, if there is no
// other. An error tag with a text stays an attribute, unless it is what OpenTelemetry's exporters repeat of
// the status. An HTTP status is left for [tracewhy.Span.Failed].
//
// An event has the attributes that exporters of OpenTelemetry append to its name, as JSON: "name|{…}|0" of
// the Collector, "name: {…}" of Go, the same with the name in quotes of Java, and {"name":{…}} of Python.
//
// The serviceName of localEndpoint is service.name, unless a tag says it, in the case that Zipkin does not keep.
// Its address and port are the span's network.local.address and network.local.port; the address is also what
// tells instances of a service apart, service.instance.id, where no tag does. remoteEndpoint is peer.service,
// network.peer.address and network.peer.port, where no tag says the same. Of two addresses it is that of IPv4.
//
// A client and a server may have one id between them, as Zipkin has it: see [tracewhy.Span.RecordedID].
// A shared span without a kind is a server's. Nothing is made of debug.
//
// A span without a timestamp has no time, and one without a duration no end. A duration of 0 is one.
//
// # What Zipkin's JSON cannot say
//
// What OpenTelemetry's spans lose when they are exported to it: what is below a microsecond in a time; the
// case of names, in some exporters; the types of attributes, of events a little: integers and fractions
// without digits are one; which attributes are the resource's, unless the conventions tell it; attributes of
// scopes, all schema URLs, flags; links, in most exporters; the kind internal, in most exporters;
// dropped counts, other than those of events and links.
//
// # Cost
//
// Reading is one pass in time linear in the input, whatever nests in it, and holds one span.
package zipkin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/ingest/input"
	"github.com/tracewhy/tracewhy/ingest/internal/decode"
	"github.com/tracewhy/tracewhy/ingest/internal/scan"
)

// ErrVersion1 is wrapped by the error for an input that has no spans of version 2, and some of version 1.
// Where there are both, those of version 1 are quarantined.
var ErrVersion1 = errors.New("spans in version 1 of Zipkin's JSON; Zipkin gives version 2 at /api/v2/traces")

// Read adds the spans of Zipkin JSON to b.
func Read(ctx context.Context, r io.Reader, b *tracewhy.Builder, cfg input.Config) error {
	return readWindow(ctx, r, b, cfg, scan.WindowSize)
}

func readWindow(ctx context.Context, r io.Reader, b *tracewhy.Builder, cfg input.Config, size int) error {
	d := &reader{JSON: decode.JSON{Spans: decode.NewSpans(ctx, r, b, cfg, size)}}
	d.Document = func() error { return d.SpanDocument(d.isSpan, d.decodeSpan) }
	d.Firsts = firsts
	d.HasLists = true
	err := d.Read()
	if err == nil && d.Added == 0 && d.version1 != nil {
		return d.version1
	}
	return err
}

// reader reads Zipkin JSON.
type reader struct {
	decode.JSON
	version1  error // where the first span of version 1 is
	span      parts // of the span under way
	resources decode.Table[tracewhy.Resource]
	scopes    decode.Table[tracewhy.Scope]
	key       []byte // of one of them
}

// firsts are members that spans have first, and hardly anything else: annotations have a timestamp first.
var firsts = []string{"traceId", "id", "parentId", "timestamp", "kind", "name", "localEndpoint", "tags", "duration"}

// spanNames are members that only spans have.
var spanNames = []string{"traceId", "parentId", "localEndpoint", "remoteEndpoint", "annotations", "binaryAnnotations", "shared"}

// isSpan reports whether the object at B[i] is a span. What it is not sure of is no JSON, or short.
func (d *reader) isSpan(i int) (yes bool, next int) {
	hasID, hasTime := false, false
	i++
	for first := true; ; first = false {
		name, next := d.Field(i, first)
		if next < 0 || name == nil {
			return hasID && hasTime, next
		}
		is := decode.View(name)
		if slices.Contains(spanNames, is) {
			return true, next
		}
		hasID = hasID || is == "id"
		hasTime = hasTime || is == "timestamp" || is == "duration"
		if i = d.Pass(next); i < 0 {
			return false, i
		}
	}
}

// isVersion1 remembers a span of version 1 at B[at], and refuses it.
func (d *reader) isVersion1(at int) {
	d.Refuse(tracewhy.ProblemLegacySchema, at)
	if d.version1 == nil {
		d.version1 = fmt.Errorf("%s: %w", d.Log.Position(at), ErrVersion1)
	}
}
