package otlp

import (
	"context"
	"io"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/ingest/input"
	"github.com/tracewhy/tracewhy/ingest/internal/decode"
	"github.com/tracewhy/tracewhy/ingest/internal/scan"
)

// ReadJSON adds the spans of OTLP JSON to b: one document, JSON lines, documents one after the other, an
// array of them, or log lines that end in one. Byte order marks are passed over.
//
// Names may also be in snake case, or those of an older OTLP. Of a member given twice the last holds,
// except that the elements of arrays given twice are joined, as protobuf does it.
func ReadJSON(ctx context.Context, r io.Reader, b *tracewhy.Builder, cfg input.Config) error {
	return newJSONReader(decode.NewSpans(ctx, r, b, cfg, scan.WindowSize)).Read()
}

// jsonReader reads OTLP JSON.
type jsonReader struct {
	decode.JSON
	blocks
	cache       refCache
	patterns    patterns
	transitions [spanFields]transition // by the field before; noField: the first member's

	isBad   bool // the attribute under way is to be dropped
	nesting int  // of documents within answers of query APIs
}

func newJSONReader(s decode.Spans) *jsonReader {
	d := &jsonReader{JSON: decode.JSON{Spans: s}}
	d.Document = d.document
	d.Firsts = []string{"resourceSpans", "resource_spans"}
	d.blocks.in = &d.Spans
	return d
}

// maxAnswers is how deep a document may lie in the answers of query APIs: {"result": {"resourceSpans":…}}.
const maxAnswers = 2

// document reads an ExportTraceServiceRequest, or TracesData, which is the same. The answers of Tempo
// and Jaeger call the list of spans otherwise or wrap the document.
func (d *jsonReader) document() error {
	members, found := 0, false
	d.nesting++
	err := d.Members(func(name []byte) error {
		members++
		switch string(name) {
		case "resourceSpans", "resource_spans", "batches":
			found = true
			return d.List(d.Objects(d.resourceSpans))
		case "trace", "result":
			if c, err := d.Next(); err != nil {
				return err
			} else if c == '{' && d.nesting <= maxAnswers {
				found = true
				return d.document()
			}
		}
		_, err := d.Skip()
		return err
	})
	d.nesting--
	if found {
		d.HasDocument = true
	} else if members > 0 {
		d.Other()
	}
	return err
}
