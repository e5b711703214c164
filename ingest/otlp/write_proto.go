package otlp

import (
	"encoding/binary"
	"io"
	"iter"
	"math"

	"github.com/tracewhy/tracewhy"
)

// WriteProto writes spans as one TracesData in protobuf. It is written trace by trace, which protobuf
// allows since messages that follow each other are one. [ReadProto] gives back spans with equal
// [tracewhy.Span.Data], apart from its Source.
func WriteProto(w io.Writer, spans iter.Seq[tracewhy.Span]) error {
	var p protoWriter
	return inDocuments(spans, func(doc []tracewhy.Span) error {
		p.b = p.b[:0]
		p.document(doc)
		_, err := w.Write(p.b)
		return err
	})
}

// protoWriter appends protobuf to b. Fields with the value that they have when absent are left out.
type protoWriter struct{ b []byte }

func (p *protoWriter) document(doc []tracewhy.Span) {
	for spans := range blocksOf(doc, tracewhy.Span.ResourceIndex) {
		r := spans[0].Resource()
		p.message(1, func() {
			p.message(1, func() {
				p.attributes(1, r.Attributes)
				p.uint(2, uint64(r.DroppedAttributes))
			})
			for spans := range blocksOf(spans, tracewhy.Span.ScopeIndex) {
				p.message(2, func() { p.scopeSpans(spans) })
			}
			p.text(3, r.SchemaURL)
		})
	}
}

func (p *protoWriter) scopeSpans(spans []tracewhy.Span) {
	s := spans[0].Scope()
	p.message(1, func() {
		p.text(1, s.Name)
		p.text(2, s.Version)
		p.attributes(3, s.Attributes)
		p.uint(4, uint64(s.DroppedAttributes))
	})
	for _, s := range spans {
		p.message(2, func() { p.span(s.Data()) })
	}
	p.text(3, s.SchemaURL)
}

func (p *protoWriter) span(s tracewhy.SpanData) {
	p.bytes(1, s.TraceID[:])
	p.bytes(2, s.SpanID[:])
	p.text(3, s.TraceState)
	if !s.ParentSpanID.IsZero() {
		p.bytes(4, s.ParentSpanID[:])
	}
	p.text(5, s.Name)
	p.uint(6, uint64(s.Kind))
	p.fixed64(7, s.Start)
	p.fixed64(8, s.End)
	p.attributes(9, s.Attributes)
	p.uint(10, uint64(s.DroppedAttributes))
	for _, e := range s.Events {
		p.message(11, func() {
			p.fixed64(1, e.Time)
			p.text(2, e.Name)
			p.attributes(3, e.Attributes)
			p.uint(4, uint64(e.DroppedAttributes))
		})
	}
	p.uint(12, uint64(s.DroppedEvents))
	for _, l := range s.Links {
		p.message(13, func() {
			p.bytes(1, l.TraceID[:])
			p.bytes(2, l.SpanID[:])
			p.text(3, l.TraceState)
			p.attributes(4, l.Attributes)
			p.uint(5, uint64(l.DroppedAttributes))
			p.fixed32(6, l.Flags)
		})
	}
	p.uint(14, uint64(s.DroppedLinks))
	if s.Status != tracewhy.StatusUnset || s.StatusMessage != "" {
		p.message(15, func() {
			p.text(2, s.StatusMessage)
			p.uint(3, uint64(s.Status))
		})
	}
	p.fixed32(16, s.Flags)
}

// message writes a field that is a message, whose length is known once it is written.
func (p *protoWriter) message(field uint64, write func()) {
	p.tag(field, bytesType)
	from := len(p.b)
	write()
	var length [binary.MaxVarintLen64]byte
	n := binary.PutUvarint(length[:], uint64(len(p.b)-from))
	p.b = append(p.b, length[:n]...)
	copy(p.b[from+n:], p.b[from:])
	copy(p.b[from:], length[:n])
}

func (p *protoWriter) tag(field, wireType uint64) {
	p.b = binary.AppendUvarint(p.b, tag(field, wireType))
}

func (p *protoWriter) bytes(field uint64, s []byte) {
	p.tag(field, bytesType)
	p.b = append(binary.AppendUvarint(p.b, uint64(len(s))), s...)
}

// alwaysText writes a text, also if it is empty.
func (p *protoWriter) alwaysText(field uint64, s string) {
	p.tag(field, bytesType)
	p.b = append(binary.AppendUvarint(p.b, uint64(len(s))), s...)
}

func (p *protoWriter) text(field uint64, s string) {
	if s != "" {
		p.alwaysText(field, s)
	}
}

func (p *protoWriter) uint(field, n uint64) {
	if n != 0 {
		p.tag(field, varintType)
		p.b = binary.AppendUvarint(p.b, n)
	}
}

func (p *protoWriter) fixed64(field, n uint64) {
	if n != 0 {
		p.tag(field, fixed64Type)
		p.b = binary.LittleEndian.AppendUint64(p.b, n)
	}
}

func (p *protoWriter) fixed32(field uint64, n uint32) {
	if n != 0 {
		p.tag(field, fixed32Type)
		p.b = binary.LittleEndian.AppendUint32(p.b, n)
	}
}

func (p *protoWriter) attributes(field uint64, kvs []tracewhy.KeyValue) {
	for _, kv := range kvs {
		p.message(field, func() {
			p.text(1, kv.Key)
			p.message(2, func() { p.value(kv.Value) })
		})
	}
}

// value writes an attribute's value, with its type even where it is that type's zero. A Set holds none
// that nests deeper than [tracewhy.MaxValueDepth].
func (p *protoWriter) value(v tracewhy.Value) {
	switch v.Kind() {
	case tracewhy.StringValue:
		p.alwaysText(1, v.Str())
	case tracewhy.BoolValue:
		p.tag(2, varintType)
		n := byte(0)
		if v.Bool() {
			n = 1
		}
		p.b = append(p.b, n)
	case tracewhy.IntValue:
		p.tag(3, varintType)
		p.b = binary.AppendUvarint(p.b, uint64(v.Int()))
	case tracewhy.FloatValue:
		p.tag(4, fixed64Type)
		p.b = binary.LittleEndian.AppendUint64(p.b, math.Float64bits(v.Float()))
	case tracewhy.ArrayValue:
		p.message(5, func() {
			for _, e := range v.Elems() {
				p.message(1, func() { p.value(e.Value) })
			}
		})
	case tracewhy.MapValue:
		p.message(6, func() { p.attributes(1, v.Elems()) })
	case tracewhy.BytesValue:
		p.bytes(7, v.Bytes())
	}
}
