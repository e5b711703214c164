package sample

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/tracewhy/tracewhy"
)

// ErrFormat is returned for bytes that are no sample.
var ErrFormat = errors.New("sample: not an encoded sample")

// A reader reads what an encoder wrote. What it reads may come from anywhere: numbers are checked, and no
// more memory is set aside than the bytes that are left can fill. After a failure it reads zeros.
type reader struct {
	data   string
	failed string // what was wrong, or ""
}

func (r *reader) fail(what string) {
	if r.failed == "" {
		r.failed = what
	}
	r.data = ""
}

// err returns the failure, or that of bytes that are left over.
func (r *reader) err() error {
	if r.failed == "" && r.data != "" {
		r.fail("trailing bytes")
	}
	if r.failed != "" {
		return fmt.Errorf("%w: %s", ErrFormat, r.failed)
	}
	return nil
}

func (r *reader) take(n uint64) string {
	if n > uint64(len(r.data)) {
		r.fail("too short")
		return ""
	}
	head := r.data[:n]
	r.data = r.data[n:]
	return head
}

func (r *reader) byte() byte {
	if b := r.take(1); b != "" {
		return b[0]
	}
	return 0
}

func (r *reader) uint64() uint64 {
	if b := r.take(8); b != "" {
		return binary.LittleEndian.Uint64([]byte(b))
	}
	return 0
}

func (r *reader) number() uint64 {
	x, n := binary.Uvarint([]byte(r.data[:min(len(r.data), binary.MaxVarintLen64)]))
	if n <= 0 || n > 1 && r.data[n-1] == 0 {
		r.fail("bad number") // or one written longer than need be
		return 0
	}
	r.data = r.data[n:]
	return x
}

func (r *reader) signed() int64 {
	x := r.number()
	return int64(x>>1) ^ -int64(x&1)
}

func (r *reader) uint32() uint32 {
	x := r.number()
	if x > math.MaxUint32 {
		r.fail("number out of range")
		return 0
	}
	return uint32(x)
}

// count reads how many things follow, each of which takes at least size bytes.
func (r *reader) count(size int) int {
	n := r.number()
	if n > uint64(len(r.data)/size) {
		r.fail("too many")
		return 0
	}
	return int(n)
}

func (r *reader) counted() string { return r.take(r.number()) }

// traceReader reads one trace.
type traceReader struct {
	reader
	texts     []string
	pairs     []tracewhy.KeyValue
	resources []tracewhy.Resource
	scopes    []tracewhy.Scope
	ids       []tracewhy.SpanID
	attrs     []uint32 // of the span that was read last: numbers of pairs
}

// read reads the spans of a trace and calls visit for each, with all but their attributes and weights:
// those are r.pairs by r.attrs.
func (r *traceReader) read(id tracewhy.TraceID, visit func(*tracewhy.SpanData)) error {
	sourceRef := r.number() // the texts come after it
	var source string
	if sourceRef == 0 {
		source = r.counted()
	}
	for range r.count(1) {
		r.texts = append(r.texts, r.counted())
	}
	if sourceRef != 0 {
		source = r.sharedText(sourceRef)
	}
	for range r.count(2) {
		r.pairs = append(r.pairs, r.keyValue(0))
	}
	for range r.count(3) {
		r.resources = append(r.resources, r.resource())
	}
	for range r.count(5) {
		r.scopes = append(r.scopes, r.scope())
	}
	start := uint64(0)
	n := r.count(minSpan)
	if n == 0 {
		r.fail("no spans")
	}
	for range n {
		var s tracewhy.SpanData
		r.span(&s, start)
		if r.failed != "" {
			break
		}
		s.TraceID, s.Source, start = id, source, s.Start
		visit(&s)
	}
	return r.err()
}

// minSpan is how many bytes a span takes at least.
const minSpan = 1 + 8 + 1 + 1 + 1 + 1 + 1 + 1 + 1

func (r *traceReader) span(s *tracewhy.SpanData, before uint64) {
	flags := r.byte()
	s.Kind, s.Status = tracewhy.Kind(flags>>kindShift&7), tracewhy.StatusCode(flags>>statusShift)
	copy(s.SpanID[:], r.take(8))
	if s.SpanID.IsZero() || s.Kind > tracewhy.KindConsumer || s.Status > tracewhy.StatusError {
		r.fail("bad span")
	}
	switch back := r.number(); {
	case back == 1:
		copy(s.ParentSpanID[:], r.take(8))
	case back > 1 && back-1 <= uint64(len(r.ids)):
		s.ParentSpanID = r.ids[len(r.ids)-int(back-1)]
	case back > 1:
		r.fail("no such parent")
	}
	r.ids = append(r.ids, s.SpanID)
	s.Name = r.text()
	s.Start = before + uint64(r.signed())
	s.End = s.Start + uint64(r.signed())
	if i := r.number(); i < uint64(len(r.resources)) {
		s.Resource = &r.resources[i]
	} else {
		r.fail("no such resource")
	}
	if i := r.number(); i < uint64(len(r.scopes)) {
		s.Scope = &r.scopes[i]
	} else {
		r.fail("no such scope")
	}
	r.attrs = r.attrs[:0]
	for range r.count(1) {
		r.attrs = append(r.attrs, r.pairNumber())
	}
	if flags&hasMeta != 0 {
		s.TraceState, s.StatusMessage = r.text(), r.text()
		s.Flags = r.uint32()
		s.DroppedAttributes, s.DroppedEvents, s.DroppedLinks = r.uint32(), r.uint32(), r.uint32()
	}
	if flags&hasEvents != 0 {
		for range r.count(4) {
			s.Events = append(s.Events, tracewhy.Event{
				Time: s.Start + uint64(r.signed()), Name: r.text(), DroppedAttributes: r.uint32(), Attributes: r.keyValues(0),
			})
		}
	}
	if flags&hasLinks != 0 {
		for range r.count(16 + 8 + 4) {
			var l tracewhy.Link
			copy(l.TraceID[:], r.take(16))
			copy(l.SpanID[:], r.take(8))
			l.TraceState, l.Flags, l.DroppedAttributes, l.Attributes = r.text(), r.uint32(), r.uint32(), r.keyValues(0)
			s.Links = append(s.Links, l)
		}
	}
}

func (r *traceReader) text() string {
	if ref := r.number(); ref != 0 {
		return r.sharedText(ref)
	}
	return r.counted()
}

func (r *traceReader) sharedText(ref uint64) string {
	if ref > uint64(len(r.texts)) {
		r.fail("no such text")
		return ""
	}
	return r.texts[ref-1]
}

func (r *traceReader) pairNumber() uint32 {
	num := r.number()
	if num >= uint64(len(r.pairs)) {
		r.fail("no such attribute")
		return 0
	}
	return uint32(num)
}

func (r *traceReader) keyValue(depth int) tracewhy.KeyValue {
	return tracewhy.KeyValue{Key: r.text(), Value: r.value(depth)}
}

func (r *traceReader) keyValues(depth int) []tracewhy.KeyValue {
	n := r.count(2)
	if n == 0 {
		return nil
	}
	kvs := make([]tracewhy.KeyValue, n)
	for i := range kvs {
		kvs[i] = r.keyValue(depth)
	}
	return kvs
}

// value reads a value that lies in so many arrays and maps. It recurses as deep as values may nest.
func (r *traceReader) value(depth int) tracewhy.Value {
	kind := tracewhy.ValueKind(r.byte())
	if depth >= tracewhy.MaxValueDepth && (kind == tracewhy.ArrayValue || kind == tracewhy.MapValue) {
		r.fail("value nested too deep")
	}
	switch kind {
	case tracewhy.EmptyValue:
		return tracewhy.Value{}
	case tracewhy.StringValue:
		return tracewhy.StringOf(r.text())
	case tracewhy.BoolValue:
		b := r.byte()
		if b > 1 {
			r.fail("bad boolean")
		}
		return tracewhy.BoolOf(b == 1)
	case tracewhy.IntValue:
		return tracewhy.IntOf(r.signed())
	case tracewhy.FloatValue:
		return tracewhy.FloatOf(math.Float64frombits(r.uint64()))
	case tracewhy.BytesValue:
		return tracewhy.BytesOf([]byte(r.counted()))
	case tracewhy.ArrayValue:
		vs := make([]tracewhy.Value, r.count(1))
		for i := range vs {
			vs[i] = r.value(depth + 1)
		}
		return tracewhy.ArrayOf(vs...)
	case tracewhy.MapValue:
		return tracewhy.MapOf(r.keyValues(depth + 1)...)
	}
	r.fail("bad value")
	return tracewhy.Value{}
}

func (r *traceReader) resource() tracewhy.Resource {
	res := tracewhy.Resource{SchemaURL: r.text(), DroppedAttributes: r.uint32()}
	n := r.count(1)
	if n == 0 {
		return res
	}
	res.Attributes = make([]tracewhy.KeyValue, n)
	for i := range res.Attributes {
		if num := r.pairNumber(); r.failed == "" {
			res.Attributes[i] = r.pairs[num]
		}
	}
	return res
}

func (r *traceReader) scope() tracewhy.Scope {
	return tracewhy.Scope{
		Name: r.text(), Version: r.text(), SchemaURL: r.text(), DroppedAttributes: r.uint32(), Attributes: r.keyValues(0),
	}
}

// faultOf returns what is wrong with an encoded trace, or "".
func faultOf(id tracewhy.TraceID, data []byte) string {
	r := traceReader{reader: reader{data: string(data)}}
	r.read(id, func(*tracewhy.SpanData) {})
	return r.failed
}

// addTrace adds the spans of an encoded trace to a Builder.
func addTrace(b *tracewhy.Builder, id tracewhy.TraceID, weight float64, data []byte) error {
	r := traceReader{reader: reader{data: string(data)}}
	var refs, list []tracewhy.AttrRef
	return r.read(id, func(s *tracewhy.SpanData) {
		for len(refs) < len(r.pairs) {
			ref, _ := b.Ref(r.pairs[len(refs)])
			refs = append(refs, ref)
		}
		list, s.Weight = list[:0], weight
		for _, num := range r.attrs {
			if refs[num] == (tracewhy.AttrRef{}) { // to be given each time
				s.Attributes = append(s.Attributes, r.pairs[num])
			}
			list = append(list, refs[num])
		}
		b.AddRefs(s, list)
	})
}
