package tracewhy

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"math"
	"math/bits"
	"math/rand/v2"
	"strings"
	"unicode/utf8"

	"github.com/tracewhy/tracewhy/internal/intern"
)

// Builder collects spans, in any order, and builds a [Set] of them. The zero Builder is ready to use.
// It is not safe for concurrent use.
//
// Every span that is added is accounted for: it is kept, merged into another report of the same span,
// or quarantined ([Set.Accounting]). Nothing else is repaired; what is odd is marked on the span and
// counted under a stable code ([Set.Problems]).
type Builder struct {
	// KeepAttribute, if set, says which attribute keys of spans, events and links to keep.
	// It must give the same answer for the same key each time.
	KeepAttribute func(key string) bool

	// MaxValueLen, if positive, is the longest string or byte value kept, in bytes; longer ones are cut.
	MaxValueLen int

	rows      []rawSpan
	attrs     []uint32 // pair ids of the rows' attributes, in order of arrival
	events    []eventRow
	links     []linkRow
	sideAttrs []uint32 // pair ids of the attributes of events, links, resources and scopes

	texts     intern.Table
	pairs     pairTable
	traces    map[TraceID]uint32
	traceIDs  []TraceID
	metas     map[spanMeta]uint32
	metaList  []spanMeta
	resources blockTable[Resource, resourceRow]
	scopes    blockTable[Scope, scopeRow]
	sources   []string

	problems    problems
	quarantined int
	in          int

	lastMeta   uint32
	keySerial  []uint32 // by text: the serial of the attribute list that last had it as a key
	listSerial uint32
	scratch    []byte
}

// rawSpan is a span as it arrived. Its attributes, events and links end where the next row's begin.
type rawSpan struct {
	spanID, parentID  SpanID
	start, end        uint64
	trace             uint32
	name, res, meta   uint32
	attr, event, link uint32
	kind              Kind
	status            StatusCode
	source            uint16
	marks             Mark
	originalID        SpanID // differs from spanID where that was derived
	eventEnd, linkEnd uint32
	attrEnd           uint32
}

// spanMeta holds what few spans of a set differ in, so that it is stored once per combination.
type spanMeta struct {
	scope, traceState, statusMessage          uint32
	flags                                     uint32
	droppedAttrs, droppedEvents, droppedLinks uint32
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

type resourceRow struct {
	attr, attrs uint32
	dropped     uint32
	schema      uint32
	service     uint32
	instance    uint32
	noService   bool
}

type scopeRow struct {
	attr, attrs   uint32
	dropped       uint32
	schema        uint32
	name, version uint32
}

// blockTable numbers distinct resources or scopes: by the caller's pointer first, then by content.
type blockTable[T, R any] struct {
	last    *T
	lastNum uint32
	byPtr   map[*T]uint32
	content intern.Table
	rows    []R
}

const unknownService = "unknown_service"

// Add adds a span. It copies what it keeps, so s and its slices may be reused, except for what
// s.Resource and s.Scope point to. A span without ids is quarantined.
func (b *Builder) Add(s *SpanData) {
	if s.TraceID.IsZero() || s.SpanID.IsZero() {
		b.Quarantine(ProblemIDZero, "", s.TraceID)
		return
	}
	b.init()
	b.in++
	r := rawSpan{
		spanID: s.SpanID, parentID: s.ParentSpanID, originalID: s.SpanID,
		start: s.Start, end: s.End, kind: s.Kind, status: s.Status,
		attr: uint32(len(b.attrs)), event: uint32(len(b.events)), link: uint32(len(b.links)),
	}
	r.trace = b.trace(s.TraceID)
	r.name = b.text(s.Name)
	r.source = b.source(s.Source)
	if r.kind > KindConsumer {
		r.kind = KindUnspecified
		b.problems.note(ProblemKindUnknown, "", s.TraceID)
	}
	if r.status > StatusError {
		r.status = StatusUnset
		b.problems.note(ProblemStatusUnknown, "", s.TraceID)
	}
	r.res = b.resource(s.Resource)
	if b.resources.rows[r.res].noService {
		b.problems.note(ProblemServiceMissing, "", s.TraceID)
	}
	r.meta = b.meta(spanMeta{
		scope: b.scope(s.Scope), traceState: b.text(s.TraceState), statusMessage: b.text(s.StatusMessage),
		flags: s.Flags, droppedAttrs: s.DroppedAttributes, droppedEvents: s.DroppedEvents, droppedLinks: s.DroppedLinks,
	})
	b.attrs = b.addAttributes(b.attrs, s.Attributes, s.TraceID, filtered)
	for i := range s.Events {
		e := &s.Events[i]
		at := uint32(len(b.sideAttrs))
		b.sideAttrs = b.addAttributes(b.sideAttrs, e.Attributes, s.TraceID, filtered)
		b.events = append(b.events, eventRow{e.Time, b.text(e.Name), at, uint32(len(b.sideAttrs)) - at, e.DroppedAttributes})
	}
	for i := range s.Links {
		l := &s.Links[i]
		at := uint32(len(b.sideAttrs))
		b.sideAttrs = b.addAttributes(b.sideAttrs, l.Attributes, s.TraceID, filtered)
		b.links = append(b.links, linkRow{l.TraceID, l.SpanID, b.text(l.TraceState), l.Flags, at, uint32(len(b.sideAttrs)) - at, l.DroppedAttributes})
	}
	r.attrEnd, r.eventEnd, r.linkEnd = uint32(len(b.attrs)), uint32(len(b.events)), uint32(len(b.links))
	b.markTimes(&r, s.TraceID)
	b.rows = append(b.rows, r)
}

func (b *Builder) markTimes(r *rawSpan, id TraceID) {
	switch {
	case r.start > math.MaxInt64 || r.end > math.MaxInt64:
		r.marks |= MarkTimeUnknown
		b.problems.note(ProblemTimeOutOfRange, "", id)
	case r.start == 0 || r.end == 0:
		r.marks |= MarkTimeUnknown
		b.problems.note(ProblemTimeMissing, "", id)
	case r.end < r.start:
		r.marks |= MarkNegativeDuration
		b.problems.note(ProblemNegativeDuration, "", id)
	}
}

// Quarantine counts a span that could not be kept. Readers call it for spans that they could not
// make a [SpanData] of; message says where, in words, and id is the trace's if it is known.
func (b *Builder) Quarantine(code, message string, id TraceID) {
	b.in++
	b.quarantined++
	b.problems.note(code, message, id)
}

// Note counts a problem that a reader found and that [Set.Problems] is to list.
func (b *Builder) Note(code, message string, id TraceID) { b.problems.note(code, message, id) }

// Len returns how many spans were added, quarantined ones included.
func (b *Builder) Len() int { return b.in }

func (b *Builder) init() {
	if b.traces != nil {
		return
	}
	b.traces = map[TraceID]uint32{}
	b.metas = map[spanMeta]uint32{}
	b.texts.Intern("") // text 0 is the empty one
	b.resources.byPtr = map[*Resource]uint32{}
	b.scopes.byPtr = map[*Scope]uint32{}
}

func (b *Builder) trace(id TraceID) uint32 {
	if n := len(b.rows); n > 0 {
		if t := b.rows[n-1].trace; b.traceIDs[t] == id {
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

func (b *Builder) source(name string) uint16 {
	for i := len(b.sources) - 1; i >= 0; i-- {
		if b.sources[i] == name {
			return uint16(i)
		}
	}
	if len(b.sources) > math.MaxUint16 {
		return 0
	}
	b.sources = append(b.sources, strings.Clone(name))
	return uint16(len(b.sources) - 1)
}

// text numbers a string, repairing it if it is not UTF-8: a hash keeps different broken texts apart.
func (b *Builder) text(s string) uint32 {
	if s == "" {
		return 0
	}
	if num, ok := b.texts.Find(s); ok {
		return num
	}
	if !utf8.ValidString(s) {
		h := fnv.New32a()
		h.Write([]byte(s))
		s = fmt.Sprintf("%s~%08x", strings.ToValidUTF8(s, "\uFFFD"), h.Sum32())
		b.problems.note(ProblemInvalidUTF8, "", TraceID{})
	}
	num, _ := b.texts.Intern(s)
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

// addAttributes appends the pair ids of kvs to dst: for a key given twice, the last value holds,
// at the place of the first.
func (b *Builder) addAttributes(dst []uint32, kvs []KeyValue, id TraceID, filter bool) []uint32 {
	b.listSerial++
	from := len(dst)
	for i := range kvs {
		if kvs[i].Key == "" {
			b.problems.note(ProblemEmptyKey, "", id)
			continue
		}
		if filter && b.KeepAttribute != nil && !b.KeepAttribute(kvs[i].Key) {
			b.problems.note(ProblemAttributeDropped, "", id)
			continue
		}
		key := b.text(kvs[i].Key)
		p := b.pair(key, kvs[i].Value, id)
		for int(key) >= len(b.keySerial) {
			b.keySerial = append(b.keySerial, make([]uint32, max(64, len(b.keySerial)))...)
		}
		if b.keySerial[key] == b.listSerial {
			b.problems.note(ProblemDuplicateAttribute, "", id)
			for j := from; ; j++ {
				if b.pairs.list[dst[j]].key == key {
					dst[j] = p
					break
				}
			}
			continue
		}
		b.keySerial[key] = b.listSerial
		dst = append(dst, p)
	}
	return dst
}

// pair numbers a key with its value.
func (b *Builder) pair(key uint32, v Value, id TraceID) uint32 {
	p := pair{key: key, kind: v.kind, num: v.num}
	switch v.kind {
	case StringValue:
		p.num = uint64(b.text(b.cut(v.str, id)))
	case BytesValue:
		num, _ := b.texts.Intern(b.cut(v.str, id))
		p.num = uint64(num)
	case ArrayValue, MapValue:
		var whole bool
		b.scratch, whole = appendValue(b.scratch[:0], b.validValue(v), MaxValueDepth)
		if !whole {
			b.problems.note(ProblemValueDepth, "", id)
		}
		num, _ := b.texts.Intern(string(b.scratch))
		p.num = uint64(num)
	}
	return b.pairs.number(p)
}

// validValue repairs the texts inside a composite value that are not UTF-8.
func (b *Builder) validValue(v Value) Value { return v.repaired(b, MaxValueDepth) }

func (v Value) repaired(b *Builder, depth int) Value {
	if v.kind == StringValue && !utf8.ValidString(v.str) {
		return StringOf(b.texts.String(b.text(v.str)))
	}
	if depth <= 0 || v.kind != ArrayValue && v.kind != MapValue {
		return v
	}
	var elems []KeyValue
	for i, e := range v.elems {
		r := e.Value.repaired(b, depth-1)
		key := e.Key
		if !utf8.ValidString(key) {
			key = b.texts.String(b.text(key))
		}
		if elems == nil && (key != e.Key || !r.Equal(e.Value)) {
			elems = append(elems, v.elems...)
		}
		if elems != nil {
			elems[i] = KeyValue{key, r}
		}
	}
	if elems != nil {
		v.elems = elems
	}
	return v
}

func (b *Builder) cut(s string, id TraceID) string {
	if b.MaxValueLen <= 0 || len(s) <= b.MaxValueLen {
		return s
	}
	b.problems.note(ProblemValueTruncated, "", id)
	n := b.MaxValueLen
	for n > 0 && n > b.MaxValueLen-utf8.UTFMax && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

func (b *Builder) resource(r *Resource) uint32 {
	t := &b.resources
	if len(t.rows) > 0 && t.last == r {
		return t.lastNum
	}
	num, ok := t.byPtr[r]
	if !ok {
		var row resourceRow
		at := len(b.sideAttrs)
		if r != nil {
			b.sideAttrs = b.addAttributes(b.sideAttrs, r.Attributes, TraceID{}, everyAttribute)
			row = resourceRow{dropped: r.DroppedAttributes, schema: b.text(r.SchemaURL)}
		}
		num = t.number(b, at, [4]uint32{row.dropped, row.schema}, func(attr, attrs uint32) resourceRow {
			row.attr, row.attrs = attr, attrs
			b.identify(&row)
			return row
		})
		t.byPtr[r] = num
	}
	t.last, t.lastNum = r, num
	return num
}

// instanceKeys name one running copy of a service, the most specific first.
var instanceKeys = []string{"service.instance.id", "k8s.pod.name", "k8s.pod.uid", "container.id", "host.name", "host.id"}

// identify reads the service and its instance off a resource's attributes.
func (b *Builder) identify(row *resourceRow) {
	row.service, row.noService = b.text(unknownService), true
	best := len(instanceKeys)
	for _, p := range b.sideAttrs[row.attr : row.attr+row.attrs] {
		pr := b.pairs.list[p]
		if pr.kind != StringValue || pr.num == 0 {
			continue
		}
		key := b.texts.String(pr.key)
		if key == "service.name" {
			row.service, row.noService = uint32(pr.num), false
		}
		for i, k := range instanceKeys[:best] {
			if k == key {
				best, row.instance = i, uint32(pr.num)
				break
			}
		}
	}
}

func (b *Builder) scope(s *Scope) uint32 {
	t := &b.scopes
	if len(t.rows) > 0 && t.last == s {
		return t.lastNum
	}
	num, ok := t.byPtr[s]
	if !ok {
		var row scopeRow
		at := len(b.sideAttrs)
		if s != nil {
			b.sideAttrs = b.addAttributes(b.sideAttrs, s.Attributes, TraceID{}, everyAttribute)
			row = scopeRow{dropped: s.DroppedAttributes, schema: b.text(s.SchemaURL), name: b.text(s.Name), version: b.text(s.Version)}
		}
		num = t.number(b, at, [4]uint32{row.dropped, row.schema, row.name, row.version}, func(attr, attrs uint32) scopeRow {
			row.attr, row.attrs = attr, attrs
			return row
		})
		t.byPtr[s] = num
	}
	t.last, t.lastNum = s, num
	return num
}

// number gives the block whose attributes were appended to b.sideAttrs from at on its number,
// taking them off again if an equal block is known.
func (t *blockTable[T, R]) number(b *Builder, at int, head [4]uint32, row func(attr, attrs uint32) R) uint32 {
	key := b.scratch[:0]
	for _, x := range head {
		key = binary.LittleEndian.AppendUint32(key, x)
	}
	for _, x := range b.sideAttrs[at:] {
		key = binary.LittleEndian.AppendUint32(key, x)
	}
	b.scratch = key
	num, added := t.content.Intern(string(key))
	if added {
		t.rows = append(t.rows, row(uint32(at), uint32(len(b.sideAttrs)-at)))
	} else {
		b.sideAttrs = b.sideAttrs[:at]
	}
	return num
}

// pair is an attribute in the dictionary: num is the text's number for every kind that is text or
// encoded text, and the value's bits for the others.
type pair struct {
	num  uint64
	key  uint32
	kind ValueKind
}

func (p pair) isText() bool { return p.kind == StringValue || p.kind >= BytesValue }

// pairTable numbers distinct pairs. The zero value is ready to use.
type pairTable struct {
	seed0, seed1 uint64
	slots        []uint32 // pair number + 1, 0: free
	list         []pair
}

func (t *pairTable) hash(p pair) uint64 {
	hi, lo := bits.Mul64(p.num^t.seed0, (uint64(p.key)<<8|uint64(p.kind))^t.seed1)
	return hi ^ lo
}

func (t *pairTable) number(p pair) uint32 {
	if 3*len(t.list) >= 2*len(t.slots) {
		t.grow()
	}
	mask := uint64(len(t.slots) - 1)
	for i := t.hash(p) & mask; ; i = (i + 1) & mask {
		n := t.slots[i]
		if n == 0 {
			t.list = append(t.list, p)
			t.slots[i] = uint32(len(t.list))
			return uint32(len(t.list) - 1)
		}
		if t.list[n-1] == p {
			return n - 1
		}
	}
}

func (t *pairTable) grow() {
	if t.slots == nil {
		// The seeds only keep chosen input from colliding: numbers are given in order of arrival.
		t.seed0, t.seed1 = rand.Uint64()|1, rand.Uint64()|1
	}
	t.slots = make([]uint32, max(256, 2*len(t.slots)))
	mask := uint64(len(t.slots) - 1)
	for n, p := range t.list {
		i := t.hash(p) & mask
		for t.slots[i] != 0 {
			i = (i + 1) & mask
		}
		t.slots[i] = uint32(n) + 1
	}
}

// errTooLarge is returned by Build when offsets of 32 bits no longer suffice.
var errTooLarge = errors.New("tracewhy: more spans, attributes or events than one Set can hold (2^31-1)")
