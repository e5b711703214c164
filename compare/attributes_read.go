package compare

import (
	"cmp"
	"context"
	"encoding/binary"
	"iter"
	"slices"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/bitset"
)

// attributeField is a key at a place, and what is known of it.
type attributeField struct {
	place        AttributePlace
	service, key string
	items        []int32 // its attributes, by number; nil for those of spans, which are a range
	first, end   int32   // that range
	values       int     // distinct values
	traces       int     // with any value
	once         int     // values of a single trace
	isNumeric    bool
	isIDs        bool
	ascending    int // traces with a larger number than all before
	spans        int
	failedSpans  int // spans that failed, or are of a trace that did
	// failedWithout says that all traces that lack it failed, and no other trace of the Set lacks it as well.
	failedWithout bool
	has           bitset.Compact

	levels []int32 // values to ask about
	parts  []int32 // parts of lists
	ranges []int32 // of numbers, ascending
	rest   int32   // a level of what is none of these, or -1
}

// attributeLevel is a value of a field, a part of a list, or a range of numbers, and the traces with it.
type attributeLevel struct {
	value  tracewhy.Value // canonical; of a range the smallest
	traces bitset.Builder
}

// attributeReader reads attributes by number. Those of spans have the Set's numbers; those of events and
// resources get the next ones, since they are attributes of another place.
type attributeReader struct {
	*attributeTable
	spans     []int32         // the Set's numbers of the spans that count
	rows      []int32         // the traces that they are of
	events    []int32         // attributes of the spans' events
	eventEnd  []int32         // by span
	resources map[int][]int32 // attributes of each
	ofService map[string]*bitset.Builder
	others    []tracewhy.Value // of attributes from NumAttrs on
	otherOf   map[otherKey]int32

	field     []int32           // by attribute
	canonical []int32           // by attribute: the one that stands for all of the same value
	rank      []int32           // by attribute: its place among the numbers of the key
	count     []int32           // by attribute: traces
	level     []int32           // by attribute, or -1
	inRange   []int32           // by attribute: the level of its range, or -1
	inLists   map[int32][]int32 // by attribute: the levels of its parts
}

type otherKey struct {
	field int32
	kind  tracewhy.ValueKind
	text  string
}

// read reads every attribute of every span that counts.
func (a *attributeTable) read(ctx context.Context) error {
	r := &attributeReader{
		attributeTable: a, resources: map[int][]int32{}, ofService: map[string]*bitset.Builder{},
		otherOf: map[otherKey]int32{}, inLists: map[int32][]int32{},
	}
	for _, step := range []func(context.Context) error{r.readSpans, r.countTraces, r.chooseLevels, r.fillLevels, r.findAbsent} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// readSpans lists the spans that count, and numbers the attributes of their events and resources.
func (r *attributeReader) readSpans(ctx context.Context) error {
	a := r.attributeTable
	r.field = make([]int32, a.set.NumAttrs())
	for key := range a.set.Keys() {
		first, end := a.set.AttrRange(key)
		f := r.newField(PlaceSpan, "", key)
		a.fields[f].first, a.fields[f].end = int32(first), int32(end)
		for id := first; id < end; id++ {
			r.field[id] = f
		}
	}
	fieldOf := map[[2]string]int32{}
	other := func(place AttributePlace, service, key string, v tracewhy.Value) int32 {
		f, ok := fieldOf[[2]string{service, key}] // no service is "" but that of events
		if !ok {
			f = r.newField(place, service, key)
			fieldOf[[2]string{service, key}] = f
		}
		v = v.Canonical()
		k := otherKey{f, v.Kind(), v.String()}
		item, ok := r.otherOf[k]
		if !ok {
			item = int32(len(r.field))
			r.otherOf[k] = item
			r.field = append(r.field, f)
			r.others = append(r.others, v)
			a.fields[f].items = append(a.fields[f].items, item)
		}
		return item
	}
	for i, t := range a.traces {
		if i%cancelEvery == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		for s := range a.spansOf(i, t) {
			r.spans = append(r.spans, int32(s.Index()))
			r.rows = append(r.rows, int32(i))
			if s.NumEvents() > 0 {
				for e := range s.Events() {
					for _, kv := range e.Attributes {
						r.events = append(r.events, other(PlaceEvent, "", kv.Key, kv.Value))
					}
				}
			}
			r.eventEnd = append(r.eventEnd, int32(len(r.events)))
			if _, ok := r.resources[s.ResourceIndex()]; !ok {
				var items []int32
				for id := range s.ResourceAttrIDs() {
					items = append(items, other(PlaceResource, s.Service(), a.set.AttrKey(id), a.set.AttrValue(id)))
				}
				r.resources[s.ResourceIndex()] = items
			}
			of := r.ofService[s.Service()]
			if of == nil {
				b := bitset.NewBuilder(len(a.traces))
				of = &b
				r.ofService[s.Service()] = of
			}
			of.Add(i)
		}
	}
	return nil
}

// spansOf returns the spans whose attributes count: those of a trace that are selected, or the execution itself.
func (a *attributeTable) spansOf(i int, t tracewhy.Trace) iter.Seq[tracewhy.Span] {
	return func(yield func(tracewhy.Span) bool) {
		if a.execution != nil {
			yield(a.execution[i])
			return
		}
		for s := range t.Spans() {
			if a.cfg.Spans.Matches(s) && !yield(s) {
				return
			}
		}
	}
}

func (a *attributeTable) newField(place AttributePlace, service, key string) int32 {
	a.fields = append(a.fields, attributeField{place: place, service: service, key: key, rest: -1})
	return int32(len(a.fields) - 1)
}

// value returns an attribute's value, canonical.
func (r *attributeReader) value(item int32) tracewhy.Value {
	if n := r.set.NumAttrs(); int(item) >= n {
		return r.others[int(item)-n]
	}
	return r.set.AttrValue(tracewhy.AttrID(item)).Canonical()
}

// itemsOf calls f with every attribute of a field.
func (r *attributeReader) itemsOf(d *attributeField, f func(item int32)) {
	for item := d.first; item < d.end; item++ {
		f(item)
	}
	for _, item := range d.items {
		f(item)
	}
}

// eachSpan calls f with the attributes of every span that counts: those of its own and its events, and those
// of its resource.
func (r *attributeReader) eachSpan(ctx context.Context, f func(k int, s tracewhy.Span, own, events, resource []int32)) error {
	var own []int32
	for k, span := range r.spans {
		if k%cancelEvery == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		s := r.set.Span(int(span))
		own = own[:0]
		for id := range s.AttrIDs() {
			own = append(own, int32(id))
		}
		f(k, s, own, r.eventsOf(k), r.resources[s.ResourceIndex()])
	}
	return nil
}

func (r *attributeReader) eventsOf(k int) []int32 {
	from := int32(0)
	if k > 0 {
		from = r.eventEnd[k-1]
	}
	return r.events[from:r.eventEnd[k]]
}

// countTraces counts the traces with each attribute, and with any of each field.
func (r *attributeReader) countTraces(ctx context.Context) error {
	r.orderValues()
	lastOf, last := make([]int32, len(r.field)), make([]int32, len(r.fields)) // the last trace that had it, plus one
	highest := make([]int32, len(r.fields))
	r.count = make([]int32, len(r.field))
	return r.eachSpan(ctx, func(k int, _ tracewhy.Span, own, events, resource []int32) {
		row := r.rows[k] + 1
		for _, items := range [3][]int32{own, events, resource} {
			for _, item := range items {
				if item = r.canonical[item]; lastOf[item] == row {
					continue
				}
				lastOf[item] = row
				r.count[item]++
				f := r.field[item]
				if last[f] == row {
					continue
				}
				last[f] = row
				d := &r.fields[f]
				d.traces++
				if rank := r.rank[item] + 1; rank > highest[f] {
					d.ascending++
					highest[f] = rank
				}
			}
		}
	})
}

// fillLevels collects the traces of every level.
func (r *attributeReader) fillLevels(ctx context.Context) error {
	r.rank, r.count = nil, nil
	err := r.eachSpan(ctx, func(k int, _ tracewhy.Span, own, events, resource []int32) {
		row := int(r.rows[k])
		for _, items := range [3][]int32{own, events, resource} {
			for _, item := range items {
				item = r.canonical[item]
				if l := r.level[item]; l >= 0 {
					r.levels[l].traces.Add(row)
				}
				if l := r.inRange[item]; l >= 0 {
					r.levels[l].traces.Add(row)
				}
				if len(r.inLists) > 0 {
					for _, l := range r.inLists[item] {
						r.levels[l].traces.Add(row)
					}
				}
			}
		}
	})
	if err != nil {
		return err
	}
	for f := range r.fields {
		d := &r.fields[f]
		var sets []bitset.Compact
		for _, levels := range [][]int32{d.levels, d.ranges, {d.rest}} {
			for _, l := range levels {
				if l >= 0 {
					sets = append(sets, r.levels[l].traces.Compact())
				}
			}
		}
		d.has = bitset.Union(len(r.traces), sets...)
	}
	return nil
}

// findAbsent finds where a field lacks that other spans of the path, or other copies of the service, have,
// and where it may have been dropped. It visits spans by path.
func (r *attributeReader) findAbsent(ctx context.Context) error {
	n := len(r.traces)
	r.dropped = bitset.New(n)
	failed := bitset.New(n)
	for i, t := range r.traces {
		if i%cancelEvery == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if m := t.Missing(); m.Details > 0 || r.execution == nil && (m.Root || m.Completeness() < 1) {
			r.dropped.Add(i)
		}
		if r.execution == nil && t.Root().Failed() || r.execution != nil && r.execution[i].Failed() {
			failed.Add(i)
		}
	}
	ofPath := map[tracewhy.PathID][]int32{} // spans, as places in r.spans
	var paths []tracewhy.PathID
	for k, span := range r.spans {
		p := r.set.Span(int(span)).Path().ID()
		if ofPath[p] == nil {
			paths = append(paths, p)
		}
		ofPath[p] = append(ofPath[p], int32(k))
	}
	pathsOf := make([][]int32, len(r.fields)) // of each field: places in paths
	tracesOf := make([]bitset.Compact, len(paths))
	for at, p := range paths {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		traces := bitset.NewBuilder(n)
		see := func(f int32) *attributeField {
			if last := len(pathsOf[f]) - 1; last < 0 || pathsOf[f][last] != int32(at) {
				pathsOf[f] = append(pathsOf[f], int32(at))
			}
			return &r.fields[f]
		}
		for _, k := range ofPath[p] {
			row := int(r.rows[k])
			traces.Add(row)
			s := r.set.Span(int(r.spans[k]))
			bad := 0
			if failed.Has(row) || s.Failed() {
				bad = 1
			}
			for id := range s.AttrIDs() {
				d := see(r.field[id])
				d.spans++
				d.failedSpans += bad
			}
			for _, item := range r.eventsOf(int(k)) {
				d := see(r.field[item])
				d.spans++
				d.failedSpans += bad
			}
		}
		tracesOf[at] = traces.Compact()
	}
	r.subtractPresent(pathsOf, tracesOf)
	return r.findFailedWithout(ctx, failed, pathsOf, paths)
}

// findFailedWithout finds the fields that are missing only where something failed: what a service records as it
// ends its work is missing where it did not come to that. If traces beside those compared lack it as well,
// as in better times, it is missing for another reason.
func (r *attributeReader) findFailedWithout(ctx context.Context, failed bitset.Set, pathsOf [][]int32, paths []tracewhy.PathID) error {
	expected := map[tracewhy.PathID][]int32{} // by path: the fields in question
	for f, absent := range r.absent {
		d := &r.fields[f]
		d.failedWithout = d.place != PlaceResource && absent.Len() >= minFailures
		for i := range absent.All() {
			d.failedWithout = d.failedWithout && failed.Has(i)
		}
		if d.failedWithout {
			for _, at := range pathsOf[f] {
				expected[paths[at]] = append(expected[paths[at]], f)
			}
		}
	}
	if len(expected) == 0 {
		return nil
	}
	next := 0 // in r.traces, which are in the order of the Set
	has, lacks := map[string]bool{}, map[int32]bool{}
	for t := range r.set.Traces() {
		if next < len(r.traces) && r.traces[next] == t {
			for next < len(r.traces) && r.traces[next] == t {
				next++
			}
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if m := t.Missing(); t.Root().Failed() || m.Details > 0 || m.Root {
			continue
		}
		clear(has)
		clear(lacks)
		for s := range t.Spans() {
			if !r.cfg.Spans.Matches(s) {
				continue
			}
			for _, f := range expected[s.Path().ID()] {
				lacks[f] = true
			}
			for id := range s.AttrIDs() {
				has[r.set.AttrKey(id)] = true
			}
			for e := range s.Events() {
				for _, kv := range e.Attributes {
					has[kv.Key] = true
				}
			}
		}
		for f := range lacks {
			if d := &r.fields[f]; !has[d.key] {
				d.failedWithout = false
			}
		}
	}
	return nil
}

// subtractPresent sets the traces that have spans of a field's paths, or of its service, and not the field.
// Fields of the same paths share the union of their traces.
func (r *attributeReader) subtractPresent(pathsOf [][]int32, tracesOf []bitset.Compact) {
	n := len(r.traces)
	unions := map[string]bitset.Compact{}
	dropped := r.dropped.Compact()
	for f := range r.fields {
		d := &r.fields[f]
		if d.traces == 0 || d.traces == n {
			continue
		}
		var expected bitset.Compact
		if d.place == PlaceResource {
			expected = r.ofService[d.service].Compact()
		} else {
			var key []byte
			for _, p := range pathsOf[f] {
				key = binary.AppendUvarint(key, uint64(p))
			}
			var ok bool
			if expected, ok = unions[string(key)]; !ok {
				sets := make([]bitset.Compact, len(pathsOf[f]))
				for i, p := range pathsOf[f] {
					sets[i] = tracesOf[p]
				}
				expected = bitset.Union(n, sets...)
				unions[string(key)] = expected
			}
		}
		if absent := expected.Minus(d.has).Minus(dropped); absent.Len() > 0 {
			r.absent[int32(f)] = absent
		}
	}
}

// maxContext is how many values of a key are shown.
const maxContext = 10

// valuesOf returns the most frequent values of a field.
func (a *attributeTable) valuesOf(f int32) []AttributeValue {
	values := []AttributeValue{}
	for _, l := range a.fields[f].levels {
		set := a.levels[l].traces.Compact()
		affected := set.LenAndSet(a.label)
		values = append(values, AttributeValue{Value: a.levels[l].value, Traces: [2]int{set.Len() - affected, affected}})
	}
	slices.SortFunc(values, func(x, y AttributeValue) int {
		return cmp.Or(cmp.Compare(y.Traces[0]+y.Traces[1], x.Traces[0]+x.Traces[1]), cmp.Compare(x.Value.String(), y.Value.String()))
	})
	return values[:min(len(values), maxContext)]
}
