package tracewhy

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"hash/fnv"
	"math"
	"slices"
)

// Build makes the Set of all spans added and resets the Builder, which keeps its options.
// The same spans in any order give the same Set: rows, paths and dictionaries are numbered by
// content, not by arrival.
//
// It takes time in O(n log n) for n spans, and gives an error only where there are more spans than
// a Set can hold, or ctx is cancelled.
func (b *Builder) Build(ctx context.Context) (*Set, error) {
	b.init()
	if len(b.rows) > math.MaxInt32 || len(b.attrs) > math.MaxUint32-1 || len(b.sideAttrs) > math.MaxUint32-1 {
		return nil, errTooLarge
	}
	g := grouping{b: b}
	if err := g.group(ctx); err != nil {
		return nil, err
	}
	s, err := g.emit(ctx)
	if err != nil {
		return nil, err
	}
	*b = Builder{KeepAttribute: b.KeepAttribute, MaxValueLen: b.MaxValueLen}
	return s, nil
}

// grouping puts rows in their final order: by trace, and within a trace parents before children.
type grouping struct {
	b      *Builder
	slot   []int    // by arrival number of the trace: where its rows begin in order
	order  []uint32 // row numbers; a trace's kept rows first, in pre-order
	parent []int32  // beside order: the parent's place within the trace, or noParent
	end    []int32  // beside order: the place after the last descendant
	traces []groupedTrace
	merged int
}

type groupedTrace struct {
	id     TraceID
	from   int // in order
	spans  int
	start  int64 // earliest known start, or MaxInt64
	source uint16
	weight float64
}

const noParent = -1

// cancelEvery is how many traces are handled between two looks at the context.
const cancelEvery = 1024

func (g *grouping) group(ctx context.Context) error {
	b := g.b
	g.slot = make([]int, len(b.traceIDs)+1)
	for i := range b.rows {
		g.slot[b.rows[i].trace+1]++
	}
	for t := range b.traceIDs {
		g.slot[t+1] += g.slot[t]
	}
	g.order = make([]uint32, len(b.rows))
	next := slices.Clone(g.slot)
	for i := range b.rows {
		t := b.rows[i].trace
		g.order[next[t]] = uint32(i)
		next[t]++
	}
	g.parent = make([]int32, len(b.rows))
	g.end = make([]int32, len(b.rows))
	var w treeWork
	for t, id := range b.traceIDs {
		if t%cancelEvery == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		from, to := g.slot[t], g.slot[t+1]
		kept := g.dedupe(g.order[from:to], id)
		g.merged += to - from - kept
		tr := groupedTrace{id: id, from: from, spans: kept, start: math.MaxInt64, weight: 1}
		w.arrange(b, id, g.order[from:from+kept], g.parent[from:], g.end[from:])
		for _, r := range g.order[from : from+kept] {
			if row := &b.rows[r]; row.marks&MarkTimeUnknown == 0 {
				tr.start = min(tr.start, int64(row.start))
			}
		}
		if kept > 0 {
			tr.source = b.rows[g.order[from]].source
			tr.weight = b.traceWeight(id, g.order[from:from+kept])
			for _, r := range g.order[from : from+kept] {
				if b.rows[r].source != tr.source {
					b.problems.note(ProblemSplitSource, "", id)
					break
				}
			}
			g.traces = append(g.traces, tr)
		}
	}
	slices.SortFunc(g.traces, func(x, y groupedTrace) int {
		return cmp.Or(cmp.Compare(x.start, y.start), bytes.Compare(x.id[:], y.id[:]))
	})
	return nil
}

// dedupe sorts the rows of one trace by span id, merges reports of one span, tells client and server
// spans that share an id apart, and returns how many rows are kept, at the front.
func (g *grouping) dedupe(rows []uint32, id TraceID) int {
	b := g.b
	slices.SortFunc(rows, func(x, y uint32) int { return bytes.Compare(b.rows[x].spanID[:], b.rows[y].spanID[:]) })
	kept, shared := 0, false
	for i := 0; i < len(rows); {
		j := i + 1
		for j < len(rows) && b.rows[rows[j]].spanID == b.rows[rows[i]].spanID {
			j++
		}
		if j-i > 1 {
			n := g.merge(rows[i:j], id)
			shared = shared || n > 1
			copy(rows[kept:], rows[i:i+n])
			kept += n
		} else {
			rows[kept] = rows[i]
			kept++
		}
		i = j
	}
	if shared {
		g.unshare(rows[:kept], id)
	}
	return kept
}

// merge leaves the rows of one span id that are really different spans at the front of rows, in
// order of content: one of each kind and service where a client and servers share the id, as Zipkin
// does it, and one otherwise.
func (g *grouping) merge(rows []uint32, id TraceID) int {
	b := g.b
	slices.SortFunc(rows, func(x, y uint32) int {
		rx, ry := &b.rows[x], &b.rows[y]
		return cmp.Or(b.compareReports(rx, ry), cmp.Compare(b.sources[rx.source], b.sources[ry.source]))
	})
	hasKind := func(k Kind) bool {
		return slices.ContainsFunc(rows, func(r uint32) bool { return b.rows[r].kind == k })
	}
	isShared := hasKind(KindClient) && hasKind(KindServer)
	kept := 0
next:
	for _, r := range rows {
		row := &b.rows[r]
		for _, k := range rows[:kept] {
			winner := &b.rows[k]
			if isShared && (winner.kind != row.kind || b.resources.rows[winner.res].service != b.resources.rows[row.res].service) {
				continue
			}
			code := ProblemConflictingSpan
			switch {
			case b.compareReports(winner, row) == 0:
				code = ProblemDuplicateSpan
			case row.end == 0 || winner.start == row.start && row.end < winner.end:
				code = ProblemPartialSpan
			}
			b.problems.note(code, "", id)
			continue next
		}
		rows[kept] = r
		kept++
	}
	return kept
}

// unshare gives server spans that share their client's id one of their own, derived from content, makes
// the client their parent, and moves children to the span of their own service.
func (g *grouping) unshare(rows []uint32, id TraceID) {
	b := g.b
	type sharer struct {
		service uint32
		id      SpanID
	}
	moved := map[SpanID][]sharer{}
	for i := 0; i < len(rows); {
		j := i + 1
		for j < len(rows) && b.rows[rows[j]].spanID == b.rows[rows[i]].spanID {
			j++
		}
		group := rows[i:j]
		i = j
		if len(group) < 2 {
			continue
		}
		b.problems.note(ProblemSharedSpanID, "", id)
		original := b.rows[group[0]].spanID
		for _, r := range group {
			row := &b.rows[r]
			if row.kind == KindClient {
				continue
			}
			service := b.resources.rows[row.res].service
			h := fnv.New64a()
			h.Write(id[:])
			h.Write(original[:])
			h.Write([]byte{byte(row.kind)})
			h.Write([]byte(b.texts.String(service)))
			row.spanID = SpanID(binary.BigEndian.AppendUint64(nil, h.Sum64()|1))
			row.parentID = original
			moved[original] = append(moved[original], sharer{service, row.spanID})
		}
	}
	for _, r := range rows {
		row := &b.rows[r]
		if row.spanID != row.originalID && row.parentID == row.originalID {
			continue
		}
		for _, sh := range moved[row.parentID] {
			if sh.service == b.resources.rows[row.res].service && sh.id != row.spanID {
				row.parentID = sh.id
				b.problems.note(ProblemAmbiguousParent, "a child's parent id is shared: it went to the span of its own service", id)
				break
			}
		}
	}
	slices.SortFunc(rows, func(x, y uint32) int { return bytes.Compare(b.rows[x].spanID[:], b.rows[y].spanID[:]) })
}

// compareReports orders reports of one span, the one to keep first: the complete before the partial,
// the later end, the fuller; then by content alone, so that the winner never depends on arrival.
func (b *Builder) compareReports(x, y *rawSpan) int {
	if c := cmp.Or(
		cmp.Compare(y.end, x.end),
		cmp.Compare(y.attrEnd-y.attr, x.attrEnd-x.attr),
		cmp.Compare(y.eventEnd-y.event, x.eventEnd-x.event),
		cmp.Compare(y.linkEnd-y.link, x.linkEnd-x.link),
		cmp.Compare(y.status, x.status),
		cmp.Compare(x.start, y.start),
		cmp.Compare(x.kind, y.kind),
		bytes.Compare(x.parentID[:], y.parentID[:]),
		b.compareTexts(x.name, y.name),
	); c != 0 {
		return c
	}
	if x.meta != y.meta {
		if c := b.compareMetas(b.metaList[x.meta], b.metaList[y.meta]); c != 0 {
			return c
		}
	}
	if x.res != y.res {
		rx, ry := b.resources.rows[x.res], b.resources.rows[y.res]
		if c := cmp.Or(b.comparePairs(b.sideAttrs[rx.attr:rx.attr+rx.attrs], b.sideAttrs[ry.attr:ry.attr+ry.attrs]),
			b.compareTexts(rx.schema, ry.schema), cmp.Compare(rx.dropped, ry.dropped)); c != 0 {
			return c
		}
	}
	if c := b.comparePairs(b.attrs[x.attr:x.attrEnd], b.attrs[y.attr:y.attrEnd]); c != 0 {
		return c
	}
	for i := range x.eventEnd - x.event {
		ex, ey := b.events[x.event+i], b.events[y.event+i]
		if c := cmp.Or(cmp.Compare(ex.time, ey.time), b.compareTexts(ex.name, ey.name), cmp.Compare(ex.dropped, ey.dropped),
			b.comparePairs(b.sideAttrs[ex.attr:ex.attr+ex.attrs], b.sideAttrs[ey.attr:ey.attr+ey.attrs])); c != 0 {
			return c
		}
	}
	for i := range x.linkEnd - x.link {
		lx, ly := b.links[x.link+i], b.links[y.link+i]
		if c := cmp.Or(bytes.Compare(lx.trace[:], ly.trace[:]), bytes.Compare(lx.span[:], ly.span[:]), cmp.Compare(lx.flags, ly.flags),
			b.compareTexts(lx.state, ly.state), cmp.Compare(lx.dropped, ly.dropped),
			b.comparePairs(b.sideAttrs[lx.attr:lx.attr+lx.attrs], b.sideAttrs[ly.attr:ly.attr+ly.attrs])); c != 0 {
			return c
		}
	}
	return 0
}

func (b *Builder) compareMetas(x, y spanMeta) int {
	sx, sy := b.scopes.rows[x.scope], b.scopes.rows[y.scope]
	return cmp.Or(
		cmp.Compare(x.flags, y.flags), b.compareTexts(x.traceState, y.traceState), b.compareTexts(x.statusMessage, y.statusMessage),
		cmp.Compare(x.droppedAttrs, y.droppedAttrs), cmp.Compare(x.droppedEvents, y.droppedEvents), cmp.Compare(x.droppedLinks, y.droppedLinks),
		b.compareTexts(sx.name, sy.name), b.compareTexts(sx.version, sy.version), b.compareTexts(sx.schema, sy.schema), cmp.Compare(sx.dropped, sy.dropped),
		b.comparePairs(b.sideAttrs[sx.attr:sx.attr+sx.attrs], b.sideAttrs[sy.attr:sy.attr+sy.attrs]),
	)
}

func (b *Builder) compareTexts(x, y uint32) int {
	if x == y {
		return 0
	}
	return cmp.Compare(b.texts.String(x), b.texts.String(y))
}

func (b *Builder) comparePairs(x, y []uint32) int {
	return slices.CompareFunc(x, y, func(i, j uint32) int {
		if i == j {
			return 0
		}
		p, q := b.pairs.list[i], b.pairs.list[j]
		if c := cmp.Or(b.compareTexts(p.key, q.key), cmp.Compare(p.kind, q.kind)); c != 0 {
			return c
		}
		if p.isText() {
			return b.compareTexts(uint32(p.num), uint32(q.num))
		}
		return cmp.Compare(p.num, q.num)
	})
}

// treeWork holds the buffers of arrange, reused from trace to trace.
type treeWork struct {
	parent   []int32 // by place in id order: the parent's place, or noParent
	state    []uint8
	children []int32 // places, grouped by parent, siblings by (start, id)
	first    []int32 // by place + 1 (0: roots): where its children begin in children
	stack    []int32
	rows     []uint32
	place    []int32
}

// arrange reorders the rows of one trace, which come sorted by span id, into pre-order: roots before
// orphans, siblings by start, then id. It sets parent and end beside them and marks what is odd.
func (w *treeWork) arrange(b *Builder, id TraceID, rows []uint32, parent, end []int32) {
	n := len(rows)
	w.link(b, id, rows)
	w.cutCycles(b, id, rows)

	// Sort places by (parent, root before orphan, start, id); equal-id order is place order.
	w.children = resize(w.children, n)
	for i := range w.children {
		w.children[i] = int32(i)
	}
	startOf := func(i int32) uint64 { // unknown times last
		if r := &b.rows[rows[i]]; r.marks&MarkTimeUnknown == 0 {
			return r.start
		}
		return math.MaxUint64
	}
	slices.SortFunc(w.children, func(x, y int32) int {
		if c := cmp.Compare(w.parent[x], w.parent[y]); c != 0 {
			return c
		}
		if w.parent[x] == noParent {
			if c := cmp.Compare(b.rows[rows[x]].marks&MarkOrphan, b.rows[rows[y]].marks&MarkOrphan); c != 0 {
				return c
			}
		}
		c := cmp.Compare(startOf(x), startOf(y))
		if c == 0 && w.parent[x] == noParent { // of roots that start together, the longest is the primary
			c = cmp.Compare(b.rows[rows[y]].end, b.rows[rows[x]].end)
		}
		return cmp.Or(c, cmp.Compare(x, y))
	})
	w.first = resize(w.first, n+2)
	clear(w.first)
	for _, p := range w.parent[:n] {
		w.first[p+2]++
	}
	for i := 1; i < n+2; i++ {
		w.first[i] += w.first[i-1]
	}

	// Depth first, without recursion: a place is pushed with its parent's place in the output.
	w.rows = append(w.rows[:0], rows...)
	w.place = resize(w.place, n) // by place in id order: place in the output
	w.stack = w.stack[:0]
	roots := w.children[w.first[0]:w.first[1]]
	for i := len(roots) - 1; i >= 0; i-- {
		w.stack = append(w.stack, roots[i])
	}
	out := int32(0)
	for len(w.stack) > 0 {
		at := w.stack[len(w.stack)-1]
		w.stack = w.stack[:len(w.stack)-1]
		rows[out] = w.rows[at]
		w.place[at] = out
		parent[out] = noParent
		if p := w.parent[at]; p != noParent {
			parent[out] = w.place[p]
		}
		kids := w.children[w.first[at+1]:w.first[at+2]]
		for i := len(kids) - 1; i >= 0; i-- {
			w.stack = append(w.stack, kids[i])
		}
		out++
	}
	for i := range end[:n] {
		end[i] = int32(i) + 1
	}
	for i := n - 1; i > 0; i-- {
		if p := parent[i]; p != noParent {
			end[p] = max(end[p], end[i])
		}
	}
	w.noteRoots(b, id, rows, parent)
}

// link finds each row's parent by its id.
func (w *treeWork) link(b *Builder, id TraceID, rows []uint32) {
	w.parent = resize(w.parent, len(rows))
	for i, r := range rows {
		row := &b.rows[r]
		w.parent[i] = noParent
		switch {
		case row.parentID.IsZero():
		case row.parentID == row.spanID:
			row.marks |= MarkCycleCut
			b.problems.note(ProblemSelfParent, "", id)
		default:
			p, ok := slices.BinarySearchFunc(rows, row.parentID, func(r uint32, id SpanID) int {
				return bytes.Compare(b.rows[r].spanID[:], id[:])
			})
			if ok {
				w.parent[i] = int32(p)
				continue
			}
			row.marks |= MarkOrphan
			b.problems.note(ProblemOrphan, "", id)
		}
	}
}

// cutCycles makes the earliest member of each ring of parents (by start, then id) a root.
func (w *treeWork) cutCycles(b *Builder, id TraceID, rows []uint32) {
	const (
		unseen, onPath, done = 0, 1, 2
	)
	w.state = resize(w.state, len(rows))
	clear(w.state)
	for i := range rows {
		at := int32(i)
		for at != noParent && w.state[at] == unseen {
			w.state[at] = onPath
			at = w.parent[at]
		}
		if at != noParent && w.state[at] == onPath { // a ring through at
			cut := at
			for m := w.parent[at]; m != at; m = w.parent[m] {
				x, y := &b.rows[rows[m]], &b.rows[rows[cut]]
				if x.start < y.start || x.start == y.start && m < cut {
					cut = m
				}
			}
			w.parent[cut] = noParent
			b.rows[rows[cut]].marks |= MarkCycleCut
			b.problems.note(ProblemCycle, "", id)
		}
		for at := int32(i); at != noParent && w.state[at] == onPath; at = w.parent[at] {
			w.state[at] = done
		}
	}
}

// noteRoots counts what is odd about the finished tree.
func (w *treeWork) noteRoots(b *Builder, id TraceID, rows []uint32, parent []int32) {
	roots := 0
	for i, r := range rows {
		row := &b.rows[r]
		if p := parent[i]; p != noParent {
			q := &b.rows[rows[p]]
			if (row.marks|q.marks)&(MarkTimeUnknown|MarkNegativeDuration) == 0 && (row.start < q.start || row.end > q.end) {
				row.marks |= MarkOutsideParent
				b.problems.note(ProblemOutsideParent, "", id)
			}
		} else if row.marks&MarkOrphan == 0 {
			roots++
		}
	}
	switch {
	case roots == 0 && len(rows) > 0:
		b.problems.note(ProblemNoRoot, "", id)
	case roots > 1:
		b.problems.note(ProblemSeveralRoots, "", id)
	}
}

func resize[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n, n+n/2)
	}
	return s[:n]
}

// emit writes the columns in their final order and numbers texts and pairs by first appearance in it.
func (g *grouping) emit(ctx context.Context) (*Set, error) {
	b := g.b
	n := len(b.rows) - g.merged
	s := &Set{
		traces:     make([]traceRow, len(g.traces)),
		cols:       makeColumns(n),
		accounting: Accounting{In: b.in, Kept: n, Merged: g.merged, Quarantined: b.quarantined},
	}
	r := newRenumbering(b)
	ops := newTemplates(b, g)
	paths := newPathBuilder(b, r)
	s.attrs = make([]uint32, 0, len(b.attrs))
	row := 0
	for t, tr := range g.traces {
		if t%cancelEvery == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		s.traces[t] = traceRow{id: tr.id, first: int32(row), source: tr.source}
		if tr.weight != 1 {
			s.setWeight(t, len(g.traces), tr.weight)
		}
		base := int32(row)
		for i := range tr.spans {
			at := tr.from + i
			raw := &b.rows[g.order[at]]
			c := &s.cols
			c.trace[row] = int32(t)
			c.spanID[row] = raw.spanID
			c.parent[row] = noParent
			path := noPath
			if p := g.parent[at]; p != noParent {
				c.parent[row] = base + p
				path = c.path[base+p]
			}
			c.end[row] = base + g.end[at]
			c.start[row], c.duration[row] = raw.interval()
			c.kind[row], c.status[row], c.marks[row] = raw.kind, raw.status, raw.marks
			c.resource[row] = r.resource(raw.res)
			c.name[row] = r.text(raw.name)
			c.meta[row] = r.meta(raw.meta)
			c.path[row] = paths.child(path, b.resources.rows[raw.res].service, ops.of(raw.name), raw.kind, raw.marks&MarkOrphan != 0, tr.id)
			c.attr[row] = uint32(len(s.attrs))
			for _, p := range b.attrs[raw.attr:raw.attrEnd] {
				s.attrs = append(s.attrs, r.pair(p))
			}
			c.event[row] = uint32(len(s.events))
			for _, e := range b.events[raw.event:raw.eventEnd] {
				e.name = r.text(e.name)
				e.attr = r.side(b.sideAttrs[e.attr : e.attr+e.attrs])
				s.events = append(s.events, e)
			}
			c.link[row] = uint32(len(s.links))
			for _, l := range b.links[raw.link:raw.linkEnd] {
				l.state = r.text(l.state)
				l.attr = r.side(b.sideAttrs[l.attr : l.attr+l.attrs])
				s.links = append(s.links, l)
			}
			if raw.isOdd() {
				if s.odd == nil {
					s.odd = map[int32]oddSpan{}
				}
				s.odd[int32(row)] = oddSpan{parentID: raw.parentID, originalID: raw.originalID, start: raw.start, end: raw.end}
			}
			row++
		}
	}
	c := &s.cols
	c.attr[n], c.event[n], c.link[n] = uint32(len(s.attrs)), uint32(len(s.events)), uint32(len(s.links))
	s.paths = paths.finish()
	r.finish(s)
	s.sources = b.sources
	s.problems = b.problems.list()
	s.index()
	return s, nil
}

func (r *rawSpan) interval() (start, duration int64) {
	if r.marks&MarkTimeUnknown != 0 {
		if r.start != 0 && r.start <= math.MaxInt64 {
			return int64(r.start), unknownDuration
		}
		return 0, unknownDuration
	}
	if r.marks&MarkNegativeDuration != 0 {
		return int64(r.start), unknownDuration
	}
	return int64(r.start), int64(r.end - r.start)
}

// isOdd reports whether the columns alone cannot give back what was added.
func (r *rawSpan) isOdd() bool {
	return r.marks&(MarkOrphan|MarkCycleCut|MarkTimeUnknown|MarkNegativeDuration) != 0 || r.spanID != r.originalID
}

// renumbering gives texts, pairs, resources and metas new numbers in order of first use.
type renumbering struct {
	b         *Builder
	texts     numbers
	pairs     numbers
	resources numbers
	metas     numbers
	scopes    numbers
	pairList  []pair
	sideAttrs []uint32
	resRows   []resourceRow
	metaRows  []spanMeta
	scopeRows []scopeRow
}

// numbers maps old numbers to new ones, given in order of first use.
type numbers struct {
	to    []uint32 // new number + 1, 0: none yet
	order []uint32 // old numbers by new number
}

func (n *numbers) get(old uint32) (num uint32, added bool) {
	if n.to[old] == 0 {
		n.order = append(n.order, old)
		n.to[old] = uint32(len(n.order))
		return n.to[old] - 1, true
	}
	return n.to[old] - 1, false
}

func newRenumbering(b *Builder) *renumbering {
	r := &renumbering{
		b:         b,
		texts:     numbers{to: make([]uint32, b.texts.Len())},
		pairs:     numbers{to: make([]uint32, len(b.pairs.list))},
		resources: numbers{to: make([]uint32, len(b.resources.rows))},
		metas:     numbers{to: make([]uint32, len(b.metaList))},
		scopes:    numbers{to: make([]uint32, len(b.scopes.rows))},
	}
	r.text(0) // the empty text stays number 0
	return r
}

func (r *renumbering) text(old uint32) uint32 {
	for int(old) >= len(r.texts.to) { // texts that templates added meanwhile
		r.texts.to = append(r.texts.to, 0)
	}
	num, _ := r.texts.get(old)
	return num
}

func (r *renumbering) pair(old uint32) uint32 {
	num, added := r.pairs.get(old)
	if added {
		p := r.b.pairs.list[old]
		p.key = r.text(p.key)
		if p.isText() {
			p.num = uint64(r.text(uint32(p.num)))
		}
		r.pairList = append(r.pairList, p)
	}
	return num
}

// side copies a list of pairs to the new side arena and returns where it begins.
func (r *renumbering) side(pairs []uint32) uint32 {
	at := uint32(len(r.sideAttrs))
	for _, p := range pairs {
		r.sideAttrs = append(r.sideAttrs, r.pair(p))
	}
	return at
}

func (r *renumbering) resource(old uint32) uint32 {
	num, added := r.resources.get(old)
	if added {
		row := r.b.resources.rows[old]
		row.attr = r.side(r.b.sideAttrs[row.attr : row.attr+row.attrs])
		row.schema, row.service, row.instance = r.text(row.schema), r.text(row.service), r.text(row.instance)
		r.resRows = append(r.resRows, row)
	}
	return num
}

func (r *renumbering) scope(old uint32) uint32 {
	num, added := r.scopes.get(old)
	if added {
		row := r.b.scopes.rows[old]
		row.attr = r.side(r.b.sideAttrs[row.attr : row.attr+row.attrs])
		row.schema, row.name, row.version = r.text(row.schema), r.text(row.name), r.text(row.version)
		r.scopeRows = append(r.scopeRows, row)
	}
	return num
}

func (r *renumbering) meta(old uint32) uint32 {
	num, added := r.metas.get(old)
	if added {
		m := r.b.metaList[old]
		m.scope, m.traceState, m.statusMessage = r.scope(m.scope), r.text(m.traceState), r.text(m.statusMessage)
		r.metaRows = append(r.metaRows, m)
	}
	return num
}

func (r *renumbering) finish(s *Set) {
	s.texts = r.b.texts.Select(r.texts.order)
	s.pairs = slices.Clip(r.pairList)
	s.sideAttrs = slices.Clip(r.sideAttrs)
	s.resources = slices.Clip(r.resRows)
	s.metas = slices.Clip(r.metaRows)
	s.scopes = slices.Clip(r.scopeRows)
	s.attrs = clipCopy(s.attrs)
	s.events = clipCopy(s.events)
	s.links = clipCopy(s.links)
}

// clipCopy returns s with no spare capacity, copying it only where much is spare.
func clipCopy[T any](s []T) []T {
	if cap(s)-len(s) <= len(s)/16 {
		return s[:len(s):len(s)]
	}
	return append(make([]T, 0, len(s)), s...)
}
