package tracewhy

import (
	"errors"
	"math"

	"github.com/tracewhy/tracewhy/internal/chunk"
	"github.com/tracewhy/tracewhy/internal/intern"
)

// Builder collects spans, in any order, and builds a [Set] of them. The zero Builder is ready to use.
// It is not safe for concurrent use.
//
// Every span that is added is accounted for: it is kept, merged into another report of the same span,
// or quarantined ([Set.Accounting]). Nothing else is repaired; what is odd is marked on the span and
// counted under a stable code ([Set.Problems]).
//
// While it collects, a Builder takes about as much memory as the Set that it will build; Build needs
// both at once.
type Builder struct {
	// KeepAttribute, if set, says which attribute keys of spans, events and links to keep; resources
	// and scopes are kept whole. It is asked once per key. What it leaves out is missing for
	// everything later: conditions, and the status codes that [Span.Failed] reads.
	KeepAttribute func(key string) bool

	// MaxValueLen, if positive, is the longest string or byte value kept, in bytes; longer ones are
	// cut, inside arrays and maps too.
	MaxValueLen int

	// WeightKey, if set, names an attribute of spans that says how many traces theirs stands for, such
	// as Honeycomb's SampleRate. It goes before what is recorded in the usual places ([Trace.Weight]).
	WeightKey string

	collected
}

// collected is all that a Builder holds of the spans added so far.
type collected struct {
	rows      chunk.List[rawSpan]
	attrs     chunk.List[uint32] // pair numbers of the rows' attributes, in order of arrival
	events    chunk.List[eventRow]
	links     chunk.List[linkRow]
	sideAttrs chunk.List[uint32] // pair numbers of the attributes of events, links, resources and scopes

	dict      dictionary
	traces    map[TraceID]uint32
	traceIDs  []TraceID
	metas     map[spanMeta]uint32
	metaList  []spanMeta
	resources blockTable[Resource, resourceRow]
	scopes    blockTable[Scope, scopeRow]
	sources   intern.Table

	problems        problems
	in, quarantined int
	err             error  // why Build will fail
	limit           uint64 // in tests: how long an arena may become

	current    TraceID // of the span being added
	inBlock    bool    // a resource or scope is being read:
	blockCodes []string
	lastSource string
	lastMeta   uint32
	keyUses    []keyUse // by key
	listSerial uint64
	list       []uint32 // pair numbers of the list under way
}

// A keyUse says how an attribute key is dealt with.
type keyUse struct {
	list    uint64 // the last list of attributes that had it
	at      uint32 // where in that list
	verdict verdict
}

// A verdict is what KeepAttribute said of a key.
type verdict uint8

const (
	notAsked verdict = iota
	keepKey
	dropKey
)

// rawSpan is a span as it arrived. Its attributes, events and links end where the next row's begin.
type rawSpan struct {
	spanID, parentID  SpanID
	start, end        uint64
	trace             uint32
	name, res, meta   uint32
	attr, event, link uint32
	source            uint32
	kind              Kind
	status            StatusCode
	marks             Mark
}

// spanMeta holds what few spans of a set differ in, so that it is stored once per combination.
type spanMeta struct {
	scope, traceState, statusMessage          uint32
	flags                                     uint32
	droppedAttrs, droppedEvents, droppedLinks uint32
	weight                                    uint64 // the bits of SpanData.Weight
}

type eventRow struct {
	time        uint64
	name        uint32
	attr, attrs uint32 // offset and count in sideAttrs
	dropped     uint32
}

type linkRow struct {
	trace       TraceID
	span        SpanID
	state       uint32
	flags       uint32
	attr, attrs uint32
	dropped     uint32
}

// ErrTooLarge is returned by [Builder.Build] when more was added than one Set can hold: 2^31-1 spans,
// and twice as many attributes, events, links or distinct texts.
var ErrTooLarge = errors.New("tracewhy: more spans, attributes or events than one Set can hold")

// Add adds a span. It copies what it keeps, so s and its slices may be reused, except for what
// s.Resource and s.Scope point to. A span without ids is quarantined.
//
// When the Builder is full Add does nothing, and Build will say so.
func (b *Builder) Add(s *SpanData) { b.AddRefs(s, nil) }

// AddRefs is Add for a span with attributes that are given by reference: see [Builder.Ref]. The zero
// AttrRef stands for the next of s.Attributes; those that are left over come last.
func (b *Builder) AddRefs(s *SpanData, attrs []AttrRef) {
	if s.TraceID.IsZero() || s.SpanID.IsZero() {
		b.Quarantine(ProblemIDZero, "", s.TraceID)
		return
	}
	if b.err != nil {
		return
	}
	b.begin()
	if !b.hasRoom(s, len(attrs)) {
		b.err = ErrTooLarge
		return
	}
	b.in++
	b.current = s.TraceID
	r := rawSpan{
		spanID: s.SpanID, parentID: s.ParentSpanID,
		start: s.Start, end: s.End, kind: s.Kind, status: s.Status,
		attr: uint32(b.attrs.Len()), event: uint32(b.events.Len()), link: uint32(b.links.Len()),
	}
	r.trace = b.trace(s.TraceID)
	r.name = b.text(s.Name)
	r.source = b.source(s.Source)
	if r.kind > KindConsumer {
		r.kind = KindUnspecified
		b.note(ProblemKindUnknown)
	}
	if r.status > StatusError {
		r.status = StatusUnset
		b.note(ProblemStatusUnknown)
	}
	r.res = b.resource(s.Resource)
	r.meta = b.meta(spanMeta{
		scope: b.scope(s.Scope), traceState: b.text(s.TraceState), statusMessage: b.text(s.StatusMessage),
		flags: s.Flags, droppedAttrs: s.DroppedAttributes, droppedEvents: s.DroppedEvents, droppedLinks: s.DroppedLinks,
		weight: math.Float64bits(s.Weight),
	})
	b.addAttributes(&b.attrs, attrs, s.Attributes, filtered)
	for i := range s.Events {
		e := &s.Events[i]
		at, n := b.addSide(e.Attributes)
		b.events.Append(eventRow{e.Time, b.text(e.Name), at, n, e.DroppedAttributes})
	}
	for i := range s.Links {
		l := &s.Links[i]
		at, n := b.addSide(l.Attributes)
		b.links.Append(linkRow{l.TraceID, l.SpanID, b.text(l.TraceState), l.Flags, at, n, l.DroppedAttributes})
	}
	b.rows.Append(r)
}

// begin makes a new Builder ready.
func (b *Builder) begin() {
	if b.traces == nil {
		b.traces = map[TraceID]uint32{}
		b.metas = map[spanMeta]uint32{}
		b.dict.init()
	}
}

// hasRoom reports whether all numbers still fit 32 bits after s is added, with as many references.
func (b *Builder) hasRoom(s *SpanData, refs int) bool {
	side := 0
	for i := range s.Events {
		side += len(s.Events[i].Attributes)
	}
	for i := range s.Links {
		side += len(s.Links[i].Attributes)
	}
	if s.Resource != nil {
		side += len(s.Resource.Attributes)
	}
	if s.Scope != nil {
		side += len(s.Scope.Attributes)
	}
	attrs, events, links := refs+len(s.Attributes), len(s.Events), len(s.Links)
	d := &b.dict
	used := b.rows.Len() | b.attrs.Len() | b.sideAttrs.Len() | b.events.Len() | b.links.Len() |
		d.keys.Len() | d.texts.Len() | d.blobs.Len() | len(d.pairs)
	const plenty = 1 << 29 // both together stay below either limit
	if b.limit == 0 && used|attrs|side|events|links < plenty {
		return true
	}
	rows, limit := uint64(math.MaxInt32), uint64(math.MaxUint32-1)
	if b.limit > 0 {
		rows, limit = b.limit, b.limit
	}
	const ownTexts = 8 // name, states, message, and those of the resource and scope
	texts := attrs + side + events + links + ownTexts
	fits := func(used, more int) bool { return uint64(used)+uint64(more) <= limit }
	return uint64(b.rows.Len()) < rows && fits(b.attrs.Len(), attrs) && fits(b.sideAttrs.Len(), side) &&
		fits(b.events.Len(), events) && fits(b.links.Len(), links) && fits(d.keys.Len(), texts) &&
		fits(d.texts.Len(), texts) && fits(d.blobs.Len(), texts) && fits(len(d.pairs), texts)
}

// Quarantine counts a span that could not be kept. Readers call it for spans that they could not
// make a [SpanData] of; where says in which place of the input, and id is the trace's if it is known.
func (b *Builder) Quarantine(code, where string, id TraceID) {
	b.in++
	b.quarantined++
	b.problems.note(code, where, id)
}

// Note counts a problem that a reader found and that [Set.Problems] is to list.
func (b *Builder) Note(code, where string, id TraceID) { b.problems.note(code, where, id) }

// Len returns how many spans were added, quarantined ones included.
func (b *Builder) Len() int { return b.in }

func (b *Builder) trace(id TraceID) uint32 {
	if n := b.rows.Len(); n > 0 {
		if t := b.rows.At(n - 1).trace; b.traceIDs[t] == id {
			return t
		}
	}
	t, ok := b.traces[id]
	if !ok {
		t = uint32(len(b.traceIDs))
		b.traces[id] = t
		b.traceIDs = append(b.traceIDs, id)
	}
	return t
}

func (b *Builder) source(name string) uint32 {
	if n := b.rows.Len(); n > 0 && b.lastSource == name {
		return b.rows.At(n - 1).source
	}
	num, _ := b.sources.Intern(name)
	b.lastSource = b.sources.String(num)
	return num
}

func (b *Builder) meta(m spanMeta) uint32 {
	if len(b.metaList) > 0 && b.metaList[b.lastMeta] == m {
		return b.lastMeta
	}
	n, ok := b.metas[m]
	if !ok {
		n = uint32(len(b.metaList))
		b.metas[m] = n
		b.metaList = append(b.metaList, m)
	}
	b.lastMeta = n
	return n
}

// The caller's filter holds for attributes of spans, events and links; resources and scopes are few,
// and a span without its service could not be told from others.
const (
	filtered       = true
	everyAttribute = false
)

// addSide adds the attributes of an event or link, and returns where they begin and how many they are.
func (b *Builder) addSide(kvs []KeyValue) (at, n uint32) {
	from := b.sideAttrs.Len()
	b.addAttributes(&b.sideAttrs, nil, kvs, filtered)
	return uint32(from), uint32(b.sideAttrs.Len() - from)
}

// addAttributes appends the pair numbers of attributes to dst. A zero reference stands for the next of
// kvs, and those that are left over come last. For a key given twice, the last value holds, at the place
// of the first.
func (b *Builder) addAttributes(dst *chunk.List[uint32], refs []AttrRef, kvs []KeyValue, filter bool) {
	b.listSerial++
	b.list = b.list[:0]
	next := 0
	for _, r := range refs {
		switch {
		case r.pair != 0:
			b.put(r.key, r.pair-1)
		case next < len(kvs):
			b.putNew(&kvs[next], next, filter)
			next++
		}
	}
	for ; next < len(kvs); next++ {
		b.putNew(&kvs[next], next, filter)
	}
	dst.Extend(b.list)
}

func (b *Builder) putNew(kv *KeyValue, place int, filter bool) {
	if key, pair, ok := b.enter(kv, place, filter); ok {
		b.put(key, pair)
	}
}

// put adds a pair to the list under way, or puts it in the place of the one with its key.
func (b *Builder) put(key, pair uint32) {
	u := &b.keyUses[key]
	if u.list == b.listSerial {
		b.note(ProblemDuplicateAttribute)
		b.list[u.at] = pair
		return
	}
	u.list, u.at = b.listSerial, uint32(len(b.list))
	b.list = append(b.list, pair)
}

// enter numbers the key and the pair of an attribute that is at the given place of its list. It is false
// for one that is not kept.
func (b *Builder) enter(kv *KeyValue, place int, filter bool) (key, pair uint32, ok bool) {
	if kv.Key == "" {
		b.note(ProblemEmptyKey)
		return 0, 0, false
	}
	key = b.key(kv.Key, place)
	for int(key) >= len(b.keyUses) {
		b.keyUses = append(b.keyUses, keyUse{})
	}
	if filter && b.KeepAttribute != nil && !b.keeps(key) {
		b.note(ProblemAttributeDropped)
		return 0, 0, false
	}
	return key, b.pair(key, kv.Value), true
}

// keeps reports whether attributes with the key are kept. Those that weights are read from always are.
func (b *Builder) keeps(key uint32) bool {
	u := &b.keyUses[key]
	if u.verdict == notAsked {
		u.verdict = dropKey
		if name := b.dict.keys.String(key); name == samplerType || name == samplerParam || name == b.WeightKey || b.KeepAttribute(name) {
			u.verdict = keepKey
		}
	}
	return u.verdict == keepKey
}

// attrsOf returns the attributes of a row; eventsOf and linksOf likewise.
func (b *Builder) attrsOf(row uint32) []uint32 {
	from, to := b.rows.At(int(row)).attr, uint32(b.attrs.Len())
	if int(row)+1 < b.rows.Len() {
		to = b.rows.At(int(row) + 1).attr
	}
	return b.attrs.Range(int(from), int(to))
}

func (b *Builder) eventsOf(row uint32) []eventRow {
	from, to := b.rows.At(int(row)).event, uint32(b.events.Len())
	if int(row)+1 < b.rows.Len() {
		to = b.rows.At(int(row) + 1).event
	}
	return b.events.Range(int(from), int(to))
}

func (b *Builder) linksOf(row uint32) []linkRow {
	from, to := b.rows.At(int(row)).link, uint32(b.links.Len())
	if int(row)+1 < b.rows.Len() {
		to = b.rows.At(int(row) + 1).link
	}
	return b.links.Range(int(from), int(to))
}

// sideOf returns the attributes of an event, link, resource or scope.
func (b *Builder) sideOf(at, n uint32) []uint32 { return b.sideAttrs.Range(int(at), int(at+n)) }

// row returns a row by its number.
func (b *Builder) row(num uint32) *rawSpan { return b.rows.At(int(num)) }
