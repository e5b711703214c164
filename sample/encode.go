package sample

import (
	"encoding/binary"
	"math"
	"slices"
	"sync"

	"github.com/tracewhy/tracewhy"
)

// A trace is kept as bytes: the columns of a Set cannot be taken apart, and structs take ten times as
// much. Numbers are uvarints, signed ones zigzag varints, and n×x is a number and as many of x.
//
//	trace    = source:text n×(length bytes) n×pair n×resource n×scope n×span
//	pair     = key:text value
//	resource = schema:text dropped n×attribute
//	scope    = name:text version:text schema:text dropped n×pair
//	span     = flags:byte id:8 parent name:text start:signed duration:signed resource scope n×attribute
//	           [state:text message:text flags dropped dropped dropped] [n×event] [n×link]
//	event    = time:signed name:text dropped n×pair
//	link     = trace:16 span:8 state:text flags dropped n×pair
//	value    = kind:byte, then text | 1 byte | signed | 8 bytes | length bytes | n×value | n×pair
//	text     = 0 length bytes | one of the texts at the front, from 1
//	parent   = 0 | 1 id:8 | how many spans back it is, plus 1
//
// A start counts from that of the span before, an event's time from its span's start. Attributes of spans
// and resources are numbers of pairs. A text of up to maxShared bytes is among those at the front;
// longer ones are written each time, so that what a few bytes stand for is bounded.
const maxShared = 256

// The first byte of a span: what else it has, its kind and its status.
const (
	hasMeta = 1 << iota
	hasEvents
	hasLinks
	kindShift   = iota
	statusShift = kindShift + 3
)

// An encoder writes traces. It holds on to its memory, and to what it learned of the last Set.
type encoder struct {
	set       *tracewhy.Set
	resources map[int]tracewhy.Resource // by ResourceIndex, of set
	scopes    map[int]tracewhy.Scope

	texts  table[string]
	res    table[int]
	scope  table[int]
	pairs  section
	places []place // by AttrID of set
	serial uint32  // of the trace

	list  []uint64
	spans []byte
	out   []byte
}

// A section is a list of things that are written once and then named by their numbers.
type section struct {
	n    uint64
	data []byte
}

func (s *section) reset() { s.n, s.data = 0, s.data[:0] }

func (s *section) appendTo(b []byte) []byte {
	return append(binary.AppendUvarint(b, s.n), s.data...)
}

// A table is a section of things that are found in a map.
type table[K comparable] struct {
	section
	num map[K]uint64
}

// find returns the number of a thing. A new one gets the next, and is to be written.
func (t *table[K]) find(k K) (num uint64, isNew bool) {
	num, ok := t.num[k]
	if !ok {
		num = t.n
		t.num[k] = num
		t.n++
	}
	return num, !ok
}

func (t *table[K]) reset() {
	if t.num == nil {
		t.num = map[K]uint64{}
	}
	clear(t.num)
	t.section.reset()
}

// A place is the number that an attribute has in a trace.
type place struct{ serial, num uint32 }

// encoders are shared by all samples: one is used for the time of an Add.
var encoders = sync.Pool{New: func() any { return new(encoder) }}

// begin makes the encoder ready for a trace of a Set.
func (e *encoder) begin(set *tracewhy.Set) {
	if e.set != set {
		e.set, e.resources, e.scopes = set, map[int]tracewhy.Resource{}, map[int]tracewhy.Scope{}
		if n := set.NumAttrs(); n <= cap(e.places) {
			e.places = e.places[:n]
			clear(e.places)
		} else {
			e.places = make([]place, n)
		}
		e.serial = 0
	}
	if e.serial++; e.serial == 0 { // once in 2^32 traces
		clear(e.places)
		e.serial = 1
	}
	e.texts.reset()
	e.pairs.reset()
	e.res.reset()
	e.scope.reset()
	e.spans = e.spans[:0]
}

// trace returns the encoded trace, which is good until the next call.
func (e *encoder) trace(t tracewhy.Trace) []byte {
	e.begin(t.Set())
	source := e.text(nil, t.Source())
	before := uint64(0)
	for s := range t.Spans() {
		before = e.span(s, before)
	}
	b := append(e.out[:0], source...)
	b = e.texts.appendTo(b)
	b = e.pairs.appendTo(b)
	b = e.res.appendTo(b)
	b = e.scope.appendTo(b)
	b = binary.AppendUvarint(b, uint64(t.NumSpans()))
	e.out = append(b, e.spans...)
	return e.out
}

// span writes a span that comes after one that started at before. It returns the span's start.
func (e *encoder) span(s tracewhy.Span, before uint64) (start uint64) {
	flags := byte(s.Kind())<<kindShift | byte(s.Status())<<statusShift
	state, message, otlp := s.TraceState(), s.StatusMessage(), s.Flags()
	dropped := [...]int{s.DroppedAttributes(), s.DroppedEvents(), s.DroppedLinks()}
	if state != "" || message != "" || otlp != 0 || dropped != [3]int{} {
		flags |= hasMeta
	}
	if s.NumEvents() > 0 {
		flags |= hasEvents
	}
	for range s.Links() {
		flags |= hasLinks
		break
	}
	id := s.RecordedID()
	b := append(append(e.spans, flags), id[:]...)
	b = appendParent(b, s)
	b = e.text(b, s.Name())
	start, end := recordedTimes(s)
	b = binary.AppendVarint(b, int64(start-before))
	b = binary.AppendVarint(b, int64(end-start))
	b = binary.AppendUvarint(b, e.resourceNumber(s))
	b = binary.AppendUvarint(b, e.scopeNumber(s))
	b = e.attributes(b, s)
	if flags&hasMeta != 0 {
		b = e.text(e.text(b, state), message)
		b = binary.AppendUvarint(b, uint64(otlp))
		for _, n := range dropped {
			b = binary.AppendUvarint(b, uint64(n))
		}
	}
	if flags&hasEvents != 0 {
		b = binary.AppendUvarint(b, uint64(s.NumEvents()))
		for ev := range s.Events() {
			b = binary.AppendVarint(b, int64(ev.Time-start))
			b = binary.AppendUvarint(e.text(b, ev.Name), uint64(ev.DroppedAttributes))
			b = e.keyValues(b, ev.Attributes)
		}
	}
	if flags&hasLinks != 0 {
		b = e.links(b, s)
	}
	e.spans = b
	return start
}

// recordedTimes returns a span's start and end as they were recorded, even if they make no sense.
func recordedTimes(s tracewhy.Span) (start, end uint64) {
	if start, end, ok := s.Interval(); ok {
		return uint64(start), uint64(end)
	}
	d := s.Data()
	return d.Start, d.End
}

func appendParent(b []byte, s tracewhy.Span) []byte {
	id := s.ParentID()
	if id.IsZero() {
		return append(b, 0)
	}
	if p, ok := s.Parent(); ok && p.RecordedID() == id {
		return binary.AppendUvarint(b, uint64(s.Index()-p.Index())+1)
	}
	return append(append(b, 1), id[:]...)
}

func (e *encoder) links(b []byte, s tracewhy.Span) []byte {
	links := slices.Collect(s.Links())
	b = binary.AppendUvarint(b, uint64(len(links)))
	for _, l := range links {
		b = append(append(b, l.TraceID[:]...), l.SpanID[:]...)
		b = binary.AppendUvarint(e.text(b, l.TraceState), uint64(l.Flags))
		b = e.keyValues(binary.AppendUvarint(b, uint64(l.DroppedAttributes)), l.Attributes)
	}
	return b
}

// text writes a text, or the number of one at the front.
func (e *encoder) text(b []byte, s string) []byte {
	if len(s) > maxShared {
		return appendCounted(append(b, 0), s)
	}
	num, isNew := e.texts.find(s)
	if isNew {
		e.texts.data = appendCounted(e.texts.data, s)
	}
	return binary.AppendUvarint(b, num+1)
}

func appendCounted(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// attributes writes the numbers of a span's attributes.
func (e *encoder) attributes(b []byte, s tracewhy.Span) []byte {
	e.list = e.list[:0]
	for id := range s.AttrIDs() {
		e.list = append(e.list, e.pair(id))
	}
	return appendNumbers(b, e.list)
}

func appendNumbers(b []byte, list []uint64) []byte {
	b = binary.AppendUvarint(b, uint64(len(list)))
	for _, num := range list {
		b = binary.AppendUvarint(b, num)
	}
	return b
}

// pair returns the number of an attribute.
func (e *encoder) pair(id tracewhy.AttrID) uint64 {
	p := &e.places[id]
	if p.serial != e.serial {
		*p = place{e.serial, uint32(e.pairs.n)}
		e.pairs.n++
		e.pairs.data = e.keyValue(e.pairs.data, e.set.Attr(id))
	}
	return uint64(p.num)
}

func (e *encoder) keyValues(b []byte, kvs []tracewhy.KeyValue) []byte {
	b = binary.AppendUvarint(b, uint64(len(kvs)))
	for _, kv := range kvs {
		b = e.keyValue(b, kv)
	}
	return b
}

func (e *encoder) keyValue(b []byte, kv tracewhy.KeyValue) []byte {
	return e.value(e.text(b, kv.Key), kv.Value)
}

// value writes a value. A Set has cut it to [tracewhy.MaxValueDepth].
func (e *encoder) value(b []byte, v tracewhy.Value) []byte {
	b = append(b, byte(v.Kind()))
	switch v.Kind() {
	case tracewhy.StringValue:
		b = e.text(b, v.Str())
	case tracewhy.BoolValue:
		if v.Bool() {
			return append(b, 1)
		}
		return append(b, 0)
	case tracewhy.IntValue:
		b = binary.AppendVarint(b, v.Int())
	case tracewhy.FloatValue:
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v.Float()))
	case tracewhy.BytesValue:
		b = appendCounted(b, string(v.Bytes()))
	case tracewhy.ArrayValue:
		b = binary.AppendUvarint(b, uint64(len(v.Elems())))
		for _, elem := range v.Elems() {
			b = e.value(b, elem.Value)
		}
	case tracewhy.MapValue:
		b = e.keyValues(b, v.Elems())
	}
	return b
}

// resourceNumber returns the number of a span's resource.
func (e *encoder) resourceNumber(s tracewhy.Span) uint64 {
	num, isNew := e.res.find(s.ResourceIndex())
	if isNew {
		r, ok := e.resources[s.ResourceIndex()]
		if !ok {
			r = s.Resource()
			e.resources[s.ResourceIndex()] = r
		}
		b := binary.AppendUvarint(e.text(e.res.data, r.SchemaURL), uint64(r.DroppedAttributes))
		e.list = e.list[:0]
		for id := range s.ResourceAttrIDs() {
			e.list = append(e.list, e.pair(id))
		}
		e.res.data = appendNumbers(b, e.list)
	}
	return num
}

// scopeNumber returns the number of a span's instrumentation scope.
func (e *encoder) scopeNumber(s tracewhy.Span) uint64 {
	num, isNew := e.scope.find(s.ScopeIndex())
	if isNew {
		sc, ok := e.scopes[s.ScopeIndex()]
		if !ok {
			sc = s.Scope()
			e.scopes[s.ScopeIndex()] = sc
		}
		b := e.text(e.text(e.text(e.scope.data, sc.Name), sc.Version), sc.SchemaURL)
		e.scope.data = e.keyValues(binary.AppendUvarint(b, uint64(sc.DroppedAttributes)), sc.Attributes)
	}
	return num
}
