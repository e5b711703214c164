package tracewhy

import (
	"cmp"
	"context"
	"iter"
	"slices"

	"github.com/tracewhy/tracewhy/internal/bitset"
	"github.com/tracewhy/tracewhy/internal/intern"
)

// Set is an immutable collection of traces, in columns: the model that every analysis reads.
// A [Builder] makes it. It is safe for concurrent use.
//
// Traces are ordered by their earliest start, then id. Within a trace, spans are in pre-order: parents
// before children, siblings by start, then id; roots come before orphans. Traces, spans, paths and
// attributes are numbered from 0 in an order that depends on what the Set holds and nothing else.
type Set struct {
	traces []traceRow
	cols   columns
	odd    []oddSpan // by row

	attrs     []AttrID // by span
	sideAttrs []AttrID // of events, links, resources and scopes
	events    []eventRow
	links     []linkRow
	resources []resourceRow
	scopes    []scopeRow
	metas     []spanMeta
	paths     []pathRow
	sources   []string // sorted

	pairs    []pair   // by AttrID, grouped by key
	keyFirst []AttrID // by key: its first attribute; one entry more at the end
	keys     *intern.Table
	texts    *intern.Table
	blobs    *intern.Table // encoded values
	failure  failureKeys

	byID      []int32      // trace numbers sorted by id
	split     []splitTrace // by trace
	splitIDs  []splitID    // by id
	splitRows []int32      // rows of splitIDs, each sorted by span id; nil where no link leads to one
	weights   []float64    // by trace; nil: all 1

	called   []bool // by path of orphans: calls of the same operation have a parent elsewhere
	answered []bool // by path: calls have a remote child as a rule

	problems   []Warning
	accounting Accounting
}

// columns hold one entry per span. Those that say where a list begins have one entry more.
type columns struct {
	spanID   []SpanID
	start    []int64
	duration []int64 // unknownDuration if not known
	trace    []int32
	parent   []int32
	end      []int32 // one past the last descendant
	path     []PathID
	name     []uint32
	resource []uint32
	meta     []uint32
	attr     []uint32
	event    []uint32
	link     []uint32
	kind     []Kind
	status   []StatusCode
	marks    []Mark
}

const unknownDuration = -1

func makeColumns(n int) columns {
	return columns{
		spanID: make([]SpanID, n), start: make([]int64, n), duration: make([]int64, n), trace: make([]int32, n),
		parent: make([]int32, n), end: make([]int32, n), path: make([]PathID, n), name: make([]uint32, n),
		resource: make([]uint32, n), meta: make([]uint32, n), attr: make([]uint32, n+1), event: make([]uint32, n+1),
		link: make([]uint32, n+1), kind: make([]Kind, n), status: make([]StatusCode, n), marks: make([]Mark, n),
	}
}

type traceRow struct {
	id     TraceID
	first  int32 // its first span; the next trace's first is where it stops
	source uint32
}

// oddSpan keeps of a span with one of oddMarks what its columns cannot say: what was recorded.
type oddSpan struct {
	row          int32
	span, parent SpanID
	start, end   uint64
}

const oddMarks = MarkOrphan | MarkCycleCut | MarkTimeUnknown | MarkNegativeDuration | MarkSharedID

// Mark says what is odd about a span: a set of bits.
type Mark uint16

// The marks that Build puts on spans.
const (
	MarkOrphan           Mark = 1 << iota // its parent is not in the Set
	MarkCycleCut                          // its parent link was part of a ring, and is ignored
	MarkTimeUnknown                       // no start, no end, or one out of range
	MarkNegativeDuration                  // it ends before it starts: its duration is unknown
	MarkOutsideParent                     // it starts before or ends after its parent
	MarkSharedID                          // its id or its parent's is not the recorded one, which a client and a server shared
)

// Has reports whether m has every bit of x.
func (m Mark) Has(x Mark) bool { return m&x == x }

// Accounting says what became of every span given to a Builder: In = Kept + Merged + Quarantined.
type Accounting struct {
	In          int `json:"in"`          // spans seen, by the Builder or by a reader
	Kept        int `json:"kept"`        // spans of the Set
	Merged      int `json:"merged"`      // further reports of a kept span
	Quarantined int `json:"quarantined"` // left out, with a problem that says why
}

// Accounting returns what became of every span.
func (s *Set) Accounting() Accounting { return s.accounting }

// Problems returns what was odd about the data, sorted by code. The slice is the caller's.
func (s *Set) Problems() []Warning { return slices.Clone(s.problems) }

// NumTraces returns the number of traces.
func (s *Set) NumTraces() int { return len(s.traces) }

// NumSpans returns the number of spans.
func (s *Set) NumSpans() int { return len(s.cols.spanID) }

// Trace returns trace number i, 0 ≤ i < NumTraces.
func (s *Set) Trace(i int) Trace { _ = s.traces[i]; return Trace{s, int32(i)} }

// Span returns span number i, 0 ≤ i < NumSpans.
func (s *Set) Span(i int) Span { _ = s.cols.spanID[i]; return Span{s, int32(i)} }

// Traces yields all traces in order.
func (s *Set) Traces() iter.Seq[Trace] {
	return func(yield func(Trace) bool) {
		for i := range s.traces {
			if !yield(Trace{s, int32(i)}) {
				return
			}
		}
	}
}

// Lookup returns the trace with the given [Trace.ID], or else the earliest of those with that
// [Trace.RecordedID].
func (s *Set) Lookup(id TraceID) (Trace, bool) {
	if i, ok := slices.BinarySearchFunc(s.byID, id, func(t int32, id TraceID) int { return compareIDs(s.traces[t].id, id) }); ok {
		return Trace{s, s.byID[i]}, true
	}
	if i, ok := s.findSplit(id); ok {
		return Trace{s, s.splitIDs[i].first}, true
	}
	return Trace{}, false
}

// index makes what lookups need, once everything else is complete.
func (s *Set) index() {
	s.byID = make([]int32, len(s.traces))
	for i := range s.byID {
		s.byID[i] = int32(i)
	}
	slices.SortFunc(s.byID, func(x, y int32) int { return compareIDs(s.traces[x].id, s.traces[y].id) })
	s.indexSplit()
	s.failure = s.failureKeys()
	s.indexPaths()
}

func (s *Set) setWeight(trace int, w float64) {
	if s.weights == nil {
		s.weights = make([]float64, len(s.traces))
		for i := range s.weights {
			s.weights[i] = 1
		}
	}
	s.weights[trace] = w
}

// Weighted reports whether any trace stands for more than itself.
func (s *Set) Weighted() bool { return s.weights != nil }

// All returns the cohort of all traces.
func (s *Set) All() Cohort {
	b := bitset.New(len(s.traces))
	b.Fill()
	return Cohort{s, b}
}

// Source returns the cohort of traces that belong to the named source ([Trace.Source]).
func (s *Set) Source(name string) Cohort {
	num, ok := slices.BinarySearch(s.sources, name)
	return s.Select(func(t Trace) bool { return ok && s.traces[t.num].source == uint32(num) })
}

// Sources returns the names of the sources that traces belong to, sorted.
func (s *Set) Sources() []string { return slices.Clone(s.sources) }

// Select returns the cohort of the traces that keep accepts.
func (s *Set) Select(keep func(Trace) bool) Cohort {
	b := bitset.New(len(s.traces))
	for i := range s.traces {
		if keep(Trace{s, int32(i)}) {
			b.Add(i)
		}
	}
	return Cohort{s, b}
}

// AttrID numbers a distinct pair of attribute key and value within one Set.
type AttrID uint32

// NumAttrs returns how many distinct attributes (key and value) the Set holds: those of spans, events,
// links, resources and scopes.
func (s *Set) NumAttrs() int { return len(s.pairs) }

// Attr returns the attribute with the given number.
func (s *Set) Attr(id AttrID) KeyValue { return KeyValue{s.AttrKey(id), s.AttrValue(id)} }

// AttrKey returns the key of the attribute with the given number.
func (s *Set) AttrKey(id AttrID) string { return s.keys.String(s.pairs[id].key) }

// AttrValue returns the value of the attribute with the given number.
func (s *Set) AttrValue(id AttrID) Value {
	p := s.pairs[id]
	switch {
	case p.isText():
		return Value{kind: p.kind, str: s.texts.String(uint32(p.num))}
	case p.isBlob():
		v, _ := decodeValue(s.blobs.String(uint32(p.num)))
		return v
	}
	return Value{kind: p.kind, num: p.num}
}

// AttrRange returns the numbers of all attributes with the given key: first up to, not including, end.
// They are equal if no attribute has the key.
func (s *Set) AttrRange(key string) (first, end AttrID) {
	k, ok := s.keys.Find(key)
	if !ok {
		return 0, 0
	}
	return s.keyFirst[k], s.keyFirst[k+1]
}

// Keys yields the attribute keys of the Set, in the order of [Set.AttrRange].
func (s *Set) Keys() iter.Seq[string] {
	return func(yield func(string) bool) {
		for k := range s.keys.Len() {
			if !yield(s.keys.String(uint32(k))) {
				return
			}
		}
	}
}

// attrRange is the range of the attributes of one key.
type attrRange struct{ first, end AttrID }

// in returns the attribute of the range that a list has, if any.
func (r attrRange) in(list []AttrID) (AttrID, bool) {
	for _, a := range list {
		if a-r.first < r.end-r.first { // a < r.first wraps around
			return a, true
		}
	}
	return 0, false
}

// find returns the attribute that a list has with the key.
func (s *Set) find(list []AttrID, key string) (AttrID, bool) {
	first, end := s.AttrRange(key)
	if first == end {
		return 0, false
	}
	return attrRange{first, end}.in(list)
}

func (s *Set) keyValues(list []AttrID) []KeyValue {
	if len(list) == 0 {
		return nil
	}
	kvs := make([]KeyValue, len(list))
	for i, id := range list {
		kvs[i] = s.Attr(id)
	}
	return kvs
}

// side returns the attributes of an event, link, resource or scope.
func (s *Set) side(at, n uint32) []AttrID { return s.sideAttrs[at : at+n] }

// oddOf returns what was recorded of a span that one of oddMarks is on.
func (s *Set) oddOf(row int32) *oddSpan {
	i, _ := slices.BinarySearchFunc(s.odd, row, func(o oddSpan, row int32) int { return cmp.Compare(o.row, row) })
	return &s.odd[i]
}

// SetOf returns a Set of the given spans: the short way for tests and for spans made by hand.
// It panics if they are more than a Set can hold.
func SetOf(spans ...SpanData) *Set {
	var b Builder
	for i := range spans {
		b.Add(&spans[i])
	}
	s, err := b.Build(context.Background())
	if err != nil {
		panic(err)
	}
	return s
}
