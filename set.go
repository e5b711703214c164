package tracewhy

import (
	"iter"
	"math"
	"slices"
	"sync"

	"github.com/tracewhy/tracewhy/internal/bitset"
	"github.com/tracewhy/tracewhy/internal/intern"
)

// Set is an immutable collection of traces, in columns: the model that every analysis reads.
// A [Builder] makes it. It is safe for concurrent use.
//
// Traces are ordered by their earliest start, then id. Within a trace, spans are in pre-order: parents
// before children, siblings by start, then id; roots come before orphans.
type Set struct {
	traces []traceRow
	cols   columns
	odd    map[int32]oddSpan

	attrs     []uint32 // pair numbers, by span
	sideAttrs []uint32 // pair numbers of events, links, resources and scopes
	events    []eventRow
	links     []linkRow
	resources []resourceRow
	scopes    []scopeRow
	metas     []spanMeta
	pairs     []pair
	texts     *intern.Table
	keys      map[string]uint32 // attribute keys only
	paths     []pathRow
	byID      []int32   // trace numbers sorted by id
	weights   []float64 // by trace; nil: all 1
	sources   []string

	problems   []Warning
	accounting Accounting

	links2 linkIndex
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
	source uint16
}

// oddSpan keeps of a span what its columns cannot say.
type oddSpan struct {
	parentID, originalID SpanID
	start, end           uint64
}

// Mark says what is odd about a span: a set of bits.
type Mark uint16

// The marks that Build puts on spans.
const (
	MarkOrphan           Mark = 1 << iota // its parent is not in the Set
	MarkCycleCut                          // its parent link was part of a ring, and is ignored
	MarkTimeUnknown                       // no start, no end, or one out of range
	MarkNegativeDuration                  // it ends before it starts: its duration is unknown
	MarkOutsideParent                     // it starts before or ends after its parent
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

// Lookup returns the trace with the given id.
func (s *Set) Lookup(id TraceID) (Trace, bool) {
	i, ok := slices.BinarySearchFunc(s.byID, id, func(t int32, id TraceID) int { return compareIDs(s.traces[t].id, id) })
	if !ok {
		return Trace{}, false
	}
	return Trace{s, s.byID[i]}, true
}

func compareIDs(a, b TraceID) int { return slices.Compare(a[:], b[:]) }

// index makes what lookups need, once the columns are complete.
func (s *Set) index() {
	s.byID = make([]int32, len(s.traces))
	for i := range s.byID {
		s.byID[i] = int32(i)
	}
	slices.SortFunc(s.byID, func(x, y int32) int { return compareIDs(s.traces[x].id, s.traces[y].id) })
	s.keys = map[string]uint32{}
	last := uint32(math.MaxUint32)
	for _, p := range s.pairs {
		if p.key != last {
			s.keys[s.texts.String(p.key)] = p.key
			last = p.key
		}
	}
}

func (s *Set) setWeight(trace, traces int, w float64) {
	if s.weights == nil {
		s.weights = make([]float64, traces)
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

// Source returns the cohort of traces that were read from the named source ([SpanData.Source]).
func (s *Set) Source(name string) Cohort {
	return s.Select(func(t Trace) bool { return t.Source() == name })
}

// Sources returns the names of the sources that traces were read from, sorted.
func (s *Set) Sources() []string {
	var names []string
	for _, t := range s.traces {
		if n := s.sources[t.source]; !slices.Contains(names, n) {
			names = append(names, n)
		}
	}
	slices.Sort(names)
	return names
}

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

// NumAttrs returns how many distinct attributes (key and value) the Set holds.
func (s *Set) NumAttrs() int { return len(s.pairs) }

// Attr returns the attribute with the given number.
func (s *Set) Attr(id AttrID) KeyValue {
	p := s.pairs[id]
	return KeyValue{s.texts.String(p.key), s.value(p)}
}

// AttrKey returns the key of the attribute with the given number.
func (s *Set) AttrKey(id AttrID) string { return s.texts.String(s.pairs[id].key) }

func (s *Set) value(p pair) Value {
	switch p.kind {
	case StringValue, BytesValue:
		return Value{kind: p.kind, str: s.texts.String(uint32(p.num))}
	case ArrayValue, MapValue:
		v, _ := decodeValue(s.texts.String(uint32(p.num)))
		return v
	}
	return Value{kind: p.kind, num: p.num}
}

// find returns the value that key has among pairs.
func (s *Set) find(pairs []uint32, key string) (Value, bool) {
	k, ok := s.keys[key]
	if !ok {
		return Value{}, false
	}
	for _, p := range pairs {
		if s.pairs[p].key == k {
			return s.value(s.pairs[p]), true
		}
	}
	return Value{}, false
}

func (s *Set) keyValues(pairs []uint32) []KeyValue {
	if len(pairs) == 0 {
		return nil
	}
	kvs := make([]KeyValue, len(pairs))
	for i, p := range pairs {
		kvs[i] = s.Attr(AttrID(p))
	}
	return kvs
}

// linkIndex finds, once somebody asks, which spans link to a trace of the Set.
type linkIndex struct {
	once sync.Once
	to   map[int32][]int32 // trace number to span numbers, ascending
}
