// Package otlp reads and writes traces in the formats of the OpenTelemetry Protocol, OTLP: JSON and
// protobuf, as requests and files have it.
//
//	var b tracewhy.Builder
//	if err := otlp.Read(ctx, r, &b, input.Config{Name: "spans.jsonl"}); err != nil {
//		return err
//	}
//	set, err := b.Build(ctx)
//	…
//	err = otlp.WriteJSON(w, trace.Spans())
//
// Package ingest is the way to read files, which may be compressed.
//
// Readers let through what is out there: ids in base64 or without leading zeros, field names of older
// versions or in snake case, enums by name, numbers of 64 bits quoted or not, log lines that end in a
// document, the answers of query APIs that wrap one. What departs from OTLP in a way that could matter is
// counted under a Problem code of package tracewhy. A span without usable ids or times, or with a part
// of the wrong type, is quarantined; what cannot be read within one that can is dropped or kept as text.
// After something that is no JSON or protobuf at all, reading goes on with the next span if its place
// can be told, else with the next document, line or message.
//
// Reading is one pass in time linear in the input, whatever nests in it, in a window that holds one span
// whole. Decoders are written by hand, since what they compete with is a memory's speed: attributes that
// were seen lately, byte for byte, are neither decoded nor looked up ([tracewhy.Builder.Ref]), and JSON
// that is laid out as before is compared rather than parsed. Package internal/peerbench measures them.
//
// https://opentelemetry.io/docs/specs/otlp/ and
// https://opentelemetry.io/docs/specs/otel/protocol/file-exporter/ define the formats.
package otlp

import (
	"context"
	"io"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/ingest/input"
	"github.com/tracewhy/tracewhy/ingest/internal/decode"
	"github.com/tracewhy/tracewhy/ingest/internal/scan"
)

// Read adds the spans of an input to b. It tells by content whether that is JSON (see [ReadJSON]) or
// protobuf (see [ReadProto]).
func Read(ctx context.Context, r io.Reader, b *tracewhy.Builder, cfg input.Config) error {
	return readWindow(ctx, r, b, cfg, scan.WindowSize)
}

func readWindow(ctx context.Context, r io.Reader, b *tracewhy.Builder, cfg input.Config, size int) error {
	s := decode.NewSpans(ctx, r, b, cfg, size)
	e, err := encodingOf(&s)
	if err != nil {
		return err
	}
	if e == jsonText {
		return newJSONReader(s).Read()
	}
	return readProto(s, e)
}

// ReadProto adds the spans of OTLP protobuf to b: TracesData or ExportTraceServiceRequest, which are the
// same on the wire. Messages may come one after the other, and each after its length: as a varint, or
// as the four big-endian bytes of the Collector's file exporter. Which it is it tells by content.
func ReadProto(ctx context.Context, r io.Reader, b *tracewhy.Builder, cfg input.Config) error {
	s := decode.NewSpans(ctx, r, b, cfg, scan.WindowSize)
	e, err := encodingOf(&s)
	if err != nil {
		return err
	}
	return readProto(s, e)
}

// encodingOf tells how the input is written, by its beginning.
func encodingOf(s *decode.Spans) (encoding, error) {
	const enough = 4 << 10
	for len(s.B) < enough && s.More(0) {
	}
	if len(s.B) == 0 && s.Err() != nil {
		return unknown, s.Err()
	}
	return detect(s.B[:min(len(s.B), enough)]), nil
}

func readProto(s decode.Spans, e encoding) error {
	s.Log.Binary = true
	d := newProtoReader(s)
	switch e {
	case protoMessage:
		return d.one()
	case protoVarint:
		return d.messages(d.uvarint)
	case protoFixed:
		return d.messages(d.fixedLength)
	}
	if len(d.B) == 0 {
		return d.close()
	}
	return d.NotTraces()
}
