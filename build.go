package tracewhy

import (
	"cmp"
	"context"
	"encoding/binary"
	"math"
	"slices"
)

// Build makes the Set of all spans added. The same spans in any order give the same Set: rows, paths
// and dictionaries are numbered by content, not by arrival.
//
// It takes time in O(n log n) for n spans. Its error is [ErrTooLarge] or ctx's. Whatever it returns,
// the Builder is empty afterwards, and keeps its options.
func (b *Builder) Build(ctx context.Context) (*Set, error) {
	defer func() { b.collected = collected{} }()
	b.settleResource()
	b.settleScope()
	if b.err != nil {
		return nil, b.err
	}
	if b.traces == nil {
		b.dict.init()
	}
	g := grouping{b: b}
	if err := g.group(ctx); err != nil {
		return nil, err
	}
	return g.emit(ctx)
}

// grouping puts rows in their final order: by trace, and within a trace parents before children.
type grouping struct {
	b        *Builder
	order    []uint32 // row numbers; a trace's kept rows first, in pre-order
	parent   []int32  // beside order: the parent's place within the trace, or noParent
	end      []int32  // beside order: the place after the last descendant
	traces   []groupedTrace
	merged   int
	sampled  int                    // traces whose weight was recorded
	weighs   bool                   // any span may say how it was sampled
	mixed    bool                   // times of before and after earliestClock
	keys     []rowKey               // a buffer
	recorded map[uint32]recordedIDs // by row: ids that were changed because spans shared one
}

// recordedIDs are a span's ids as they arrived.
type recordedIDs struct{ span, parent SpanID }

// rowKey is a row with its span id.
type rowKey struct {
	id  uint64
	row uint32
}

type groupedTrace struct {
	id      TraceID
	of      TraceID // as recorded, if the trace was split off; else zero
	from    int     // in order
	spans   int
	start   uint64 // earliest known start, or unknownStart
	source  uint32
	weight  float64
	sampled bool // the weight was recorded
}

const (
	noParent     = -1
	unknownStart = math.MaxUint64 // sorts last
)

// earliestClock is in the year 1973. Where some spans start later, at least one in ten, one that starts
// earlier has its times in microseconds, milliseconds or seconds, or comes from a clock that was never set:
// no other clock shows such a time beside theirs. It is counted, and kept as it is. Where fewer do, times
// are counted from something else than 1970, as in a simulation.
//
// That a duration alone is in another unit cannot be told: a cache is a thousand times faster than a
// report, and a server a thousand times faster than the network that leads to it.
const earliestClock = 1e17

// cancelEvery is how many spans are handled between two looks at the context.
const cancelEvery = 1 << 14

func (g *grouping) group(ctx context.Context) error {
	b := g.b
	b.joinShortIDs()
	slot := make([]int, len(b.traceIDs)+1) // by arrival number of the trace: where its rows begin in order
	for i := range b.rows.Len() {
		slot[b.rows.At(i).trace+1]++
	}
	for t := range b.traceIDs {
		slot[t+1] += slot[t]
	}
	g.order = make([]uint32, b.rows.Len())
	next := slices.Clone(slot)
	for i := range b.rows.Len() {
		t := b.rows.At(i).trace
		g.order[next[t]] = uint32(i)
		next[t]++
	}
	g.parent = make([]int32, b.rows.Len())
	g.end = make([]int32, b.rows.Len())
	w := treeWork{b: b}
	g.weighs = b.mayWeigh()
	unseen := 0
	for t, id := range b.traceIDs {
		from, to := slot[t], slot[t+1]
		if from == to { // joined to another
			continue
		}
		if unseen += to - from; unseen >= cancelEvery {
			if unseen = 0; ctx.Err() != nil {
				return ctx.Err()
			}
		}
		mixed := g.hasSources(g.order[from:to])
		kept := g.dedupe(g.order[from:to], id)
		g.merged += to - from - kept
		rows := g.order[from : from+kept]
		w.arrange(id, rows, g.parent[from:], g.end[from:])
		parts := w.split(id, rows, g.parent[from:], g.end[from:])
		if parts == nil {
			if mixed {
				b.problems.note(ProblemSplitSource, "", id)
			}
			g.add(groupedTrace{id: id, from: from, spans: kept, start: slices.Min(w.starts)})
			continue
		}
		b.problems.note(ProblemMegaTrace, "", id)
		g.traces = slices.Grow(g.traces, len(parts))
		for _, n := range parts {
			part := g.order[from : from+n]
			if g.hasSources(part) {
				b.problems.note(ProblemSplitSource, "", id)
			}
			start := uint64(unknownStart)
			for _, r := range part {
				start = min(start, b.row(r).sortStart())
			}
			g.add(groupedTrace{id: id, of: id, from: from, spans: n, start: start})
			from += n
		}
	}
	g.mixed = w.early <= 9*w.late
	g.nameSplit()
	if g.sampled > 0 {
		for _, tr := range g.traces {
			if !tr.sampled {
				b.problems.note(ProblemWeightMissing, "", cmp.Or(tr.of, tr.id))
			}
		}
	}
	slices.SortFunc(g.traces, func(x, y groupedTrace) int {
		return cmp.Or(cmp.Compare(x.start, y.start), compareIDs(x.id, y.id))
	})
	return ctx.Err()
}

// add appends a trace whose rows are arranged.
func (g *grouping) add(tr groupedTrace) {
	rows := g.order[tr.from : tr.from+tr.spans]
	g.b.noteRoots(tr.id, rows, g.end[tr.from:])
	tr.source, tr.weight = g.b.row(rows[0]).source, 1
	if g.weighs {
		if tr.weight, tr.sampled = g.b.traceWeight(tr.id, rows); tr.sampled {
			g.sampled++
		}
	}
	g.traces = append(g.traces, tr)
}

// joinShortIDs gives spans whose trace id has a zero upper half, because something on the way knew
// ids of 64 bits only, to the trace of 128 bits with the same lower half, where there is exactly one.
func (b *Builder) joinShortIDs() {
	low := func(id TraceID) uint64 { return binary.BigEndian.Uint64(id[8:]) }
	isShort := func(id TraceID) bool { return binary.BigEndian.Uint64(id[:8]) == 0 }
	if !slices.ContainsFunc(b.traceIDs, isShort) {
		return
	}
	const ambiguous = math.MaxUint32
	long := map[uint64]uint32{}
	for t, id := range b.traceIDs {
		if isShort(id) {
			continue
		}
		if _, ok := long[low(id)]; ok {
			long[low(id)] = ambiguous
		} else {
			long[low(id)] = uint32(t)
		}
	}
	joined := map[uint32]uint32{}
	for t, id := range b.traceIDs {
		if to, ok := long[low(id)]; ok && to != ambiguous && isShort(id) {
			joined[uint32(t)] = to
			b.problems.note(ProblemShortIDJoined, "", b.traceIDs[to])
		}
	}
	if len(joined) == 0 {
		return
	}
	for i := range b.rows.Len() {
		if to, ok := joined[b.rows.At(i).trace]; ok {
			b.rows.At(i).trace = to
		}
	}
}

// hasSources reports whether rows come from several sources.
func (g *grouping) hasSources(rows []uint32) bool {
	return slices.ContainsFunc(rows, func(r uint32) bool { return g.b.row(r).source != g.b.row(rows[0]).source })
}

// emit writes the columns in their final order, and numbers everything by first use in it.
func (g *grouping) emit(ctx context.Context) (*Set, error) {
	b := g.b
	n := b.rows.Len() - g.merged
	s := &Set{
		traces:     make([]traceRow, len(g.traces)),
		cols:       makeColumns(n),
		attrs:      make([]AttrID, 0, b.attrs.Len()),
		events:     make([]eventRow, 0, b.events.Len()),
		links:      make([]linkRow, 0, b.links.Len()),
		accounting: Accounting{In: b.in, Kept: n, Merged: g.merged, Quarantined: b.quarantined},
	}
	names := newTemplates(b, g)
	r := newRenumbering(b)
	paths := newPathBuilder(b, r)
	sources := g.numberSources(s)
	row, unseen := 0, 0
	for t, tr := range g.traces {
		if unseen += tr.spans; unseen >= cancelEvery {
			if unseen = 0; ctx.Err() != nil {
				return nil, ctx.Err()
			}
		}
		s.traces[t] = traceRow{id: tr.id, first: int32(row), source: sources[tr.source]}
		if tr.weight != 1 {
			s.setWeight(t, tr.weight)
		}
		if !tr.of.IsZero() {
			s.split = append(s.split, splitTrace{int32(t), tr.of})
		}
		base := int32(row)
		for i := range tr.spans {
			at := tr.from + i
			num := g.order[at]
			raw := b.row(num)
			c := &s.cols
			c.trace[row] = int32(t)
			c.spanID[row] = raw.spanID
			c.parent[row] = noParent
			path := noPath
			if p := g.parent[at]; p != noParent {
				c.parent[row] = base + p
				if raw.isOutside(b.row(g.order[tr.from+int(p)])) {
					raw.marks |= MarkOutsideParent
					b.problems.note(ProblemOutsideParent, "", tr.id)
				}
				path = c.path[base+p]
			}
			c.end[row] = base + g.end[at]
			if g.mixed && raw.sortStart() < earliestClock {
				b.problems.note(ProblemUnitSuspect, "", tr.id)
			}
			c.start[row], c.duration[row] = raw.interval()
			c.kind[row], c.status[row], c.marks[row] = raw.kind, raw.status, raw.marks
			c.resource[row] = r.resource(raw.res)
			c.name[row] = r.text(raw.name)
			c.meta[row] = r.meta(raw.meta)
			c.path[row] = paths.child(path, b.resources.rows[raw.res].service, names.of(raw.name), raw.kind, raw.marks&MarkOrphan != 0, tr.id)
			c.attr[row] = uint32(len(s.attrs))
			s.attrs = r.list(s.attrs, b.attrsOf(num))
			c.event[row] = uint32(len(s.events))
			for _, e := range b.eventsOf(num) {
				e.name = r.text(e.name)
				e.attr = r.side(e.attr, e.attrs)
				s.events = append(s.events, e)
			}
			c.link[row] = uint32(len(s.links))
			for _, l := range b.linksOf(num) {
				l.state = r.text(l.state)
				l.attr = r.side(l.attr, l.attrs)
				s.links = append(s.links, l)
			}
			if raw.marks&oddMarks != 0 {
				o := oddSpan{row: int32(row), span: raw.spanID, parent: raw.parentID, start: raw.start, end: raw.end}
				if rec, ok := g.recorded[num]; ok {
					o.span, o.parent = rec.span, rec.parent
				}
				s.odd = append(s.odd, o)
			}
			row++
		}
	}
	c := &s.cols
	c.attr[n], c.event[n], c.link[n] = uint32(len(s.attrs)), uint32(len(s.events)), uint32(len(s.links))
	s.paths = slices.Clip(paths.rows)
	r.finish(s)
	s.problems = b.problems.list()
	s.index()
	return s, nil
}

// numberSources gives s the sources that its traces belong to, sorted, and returns the number of each
// by the Builder's.
func (g *grouping) numberSources(s *Set) []uint32 {
	to := make([]uint32, g.b.sources.Len())
	used := make([]bool, len(to))
	for _, tr := range g.traces {
		if !used[tr.source] {
			used[tr.source] = true
			s.sources = append(s.sources, g.b.sources.String(tr.source))
		}
	}
	slices.Sort(s.sources)
	for i := range to {
		if used[i] {
			n, _ := slices.BinarySearch(s.sources, g.b.sources.String(uint32(i)))
			to[i] = uint32(n)
		}
	}
	return to
}

// sortStart returns the start for ordering: an unknown one is last.
func (r *rawSpan) sortStart() uint64 {
	if r.start == 0 || r.start > math.MaxInt64 {
		return unknownStart
	}
	return r.start
}

func (r *rawSpan) interval() (start, duration int64) {
	if r.start <= math.MaxInt64 {
		start = int64(r.start)
	}
	if r.marks&(MarkTimeUnknown|MarkNegativeDuration) != 0 {
		return start, unknownDuration
	}
	return start, int64(r.end - r.start)
}
