package tracewhy

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"hash/fnv"
	"slices"
)

// num returns the id as a number of the same order.
func (id SpanID) num() uint64 { return binary.BigEndian.Uint64(id[:]) }

// dedupe sorts the rows of one trace by span id, merges reports of one span, tells client and server
// spans that share an id apart, and returns how many rows are kept, at the front.
func (g *grouping) dedupe(rows []uint32, id TraceID) int {
	b := g.b
	g.sortByID(rows)
	kept := 0
	var shared [][]uint32
	for i := 0; i < len(rows); {
		j := i + 1
		for j < len(rows) && b.row(rows[j]).spanID == b.row(rows[i]).spanID {
			j++
		}
		n := 1
		if j-i > 1 {
			n = g.merge(rows[i:j], id)
		}
		copy(rows[kept:], rows[i:i+n])
		if n > 1 {
			shared = append(shared, slices.Clone(rows[kept:kept+n]))
		}
		kept += n
		i = j
	}
	if shared != nil {
		g.unshare(rows[:kept], shared, id)
		g.sortByID(rows[:kept])
	}
	return kept
}

// sortByID sorts rows by span id. The ids are copied first: rows are spread over memory.
func (g *grouping) sortByID(rows []uint32) {
	g.keys = slices.Grow(g.keys[:0], len(rows))
	for _, r := range rows {
		g.keys = append(g.keys, rowKey{g.b.row(r).spanID.num(), r})
	}
	slices.SortFunc(g.keys, func(x, y rowKey) int { return cmp.Compare(x.id, y.id) })
	for i, k := range g.keys {
		rows[i] = k.row
	}
}

// Ranks of the reports of one span id: a client's span and that of each server which answered it may
// share one, as Zipkin has it. A report that says less about whose it is belongs to one that says more.
const (
	rankClient = iota
	rankServer
	rankServerSomewhere // no instance
	rankOther
)

func (b *Builder) rankOf(row uint32) int {
	switch r := b.row(row); {
	case r.kind == KindClient:
		return rankClient
	case r.kind != KindServer:
		return rankOther
	case b.resources.rows[r.res].instance == 0:
		return rankServerSomewhere
	}
	return rankServer
}

// maxSharers bounds how many spans may share an id; further ones conflict with the first.
const maxSharers = 64

// isSame reports whether a report of a span id is about the same span as one that is kept, and of no
// higher rank. Servers are told apart by service and instance; but what has the same name and times, as
// far as it has ended, is one span, on whose way another collector added to the resource.
func (b *Builder) isSame(kept, row uint32) bool {
	k, r := b.row(kept), b.row(row)
	if b.rankOf(row) == rankOther || k.kind == KindClient || r.kind == KindClient {
		return b.rankOf(row) == rankOther || k.kind == r.kind
	}
	x, y := b.resources.rows[k.res], b.resources.rows[r.res]
	return x.service == y.service && (x.instance == y.instance || y.instance == 0 ||
		k.start == r.start && (k.end == r.end || r.end == 0) && k.name == r.name)
}

// merge leaves the reports that one span id keeps at the front of rows, in order of rank and content.
func (g *grouping) merge(rows []uint32, id TraceID) int {
	b := g.b
	slices.SortFunc(rows, func(x, y uint32) int {
		return cmp.Or(cmp.Compare(b.rankOf(x), b.rankOf(y)), b.compareReports(x, y),
			cmp.Compare(b.sources.String(b.row(x).source), b.sources.String(b.row(y).source)))
	})
	kept := 0
	for _, r := range rows {
		winner := slices.IndexFunc(rows[:kept], func(k uint32) bool { return b.isSame(k, r) })
		if winner < 0 && kept < maxSharers {
			rows[kept] = r
			kept++
			continue
		}
		winner = max(winner, 0)
		x, y := b.row(rows[winner]), b.row(r)
		code := ProblemConflictingSpan
		switch {
		case b.compareReports(rows[winner], r) == 0:
			code = ProblemDuplicateSpan
		case y.end == 0 || x.start == y.start && y.end < x.end:
			code = ProblemPartialSpan
		}
		b.problems.note(code, "", id)
	}
	return kept
}

// unshare gives server spans that share their client's id one of their own, derived from content, makes
// the client their parent, and moves children to the span of their own service. Where the client is not
// there, one of the servers keeps the id.
func (g *grouping) unshare(rows []uint32, shared [][]uint32, id TraceID) {
	b := g.b
	if g.recorded == nil {
		g.recorded = map[uint32]recordedIDs{}
	}
	taken := make(map[SpanID]bool, len(rows))
	for _, r := range rows {
		taken[b.row(r).spanID] = true
	}
	groups := make(map[SpanID][]uint32, len(shared))
	for _, group := range shared {
		b.problems.note(ProblemSharedSpanID, "", id)
		original := b.row(group[0]).spanID
		groups[original] = group
		hasClient := b.row(group[0]).kind == KindClient
		for _, r := range group[1:] {
			row := b.row(r)
			g.recorded[r] = recordedIDs{row.spanID, row.parentID}
			row.marks |= MarkSharedID
			row.spanID = b.derivedID(id, original, b.resources.rows[row.res], taken)
			taken[row.spanID] = true
			if hasClient {
				row.parentID = original
			}
		}
	}
	for _, r := range rows {
		row := b.row(r)
		group := groups[row.parentID]
		if group == nil || slices.Contains(group, r) {
			continue
		}
		caller, ambiguous := b.callerOf(r, group)
		if ambiguous {
			b.problems.note(ProblemAmbiguousParent, "", id)
		}
		if to := b.row(caller).spanID; to != row.parentID {
			if _, ok := g.recorded[r]; !ok {
				g.recorded[r] = recordedIDs{row.spanID, row.parentID}
			}
			row.marks |= MarkSharedID
			row.parentID = to
		}
	}
}

// callerOf chooses the parent of a row from spans that share the id it names: a server of its own
// service, of its own instance if there is one, else the client.
func (b *Builder) callerOf(row uint32, group []uint32) (caller uint32, ambiguous bool) {
	own := b.resources.rows[b.row(row).res]
	caller = group[0]
	hasClient := b.row(caller).kind == KindClient
	inService, inInstance := 0, 0
	for i, r := range group {
		if i == 0 && hasClient {
			continue
		}
		res := b.resources.rows[b.row(r).res]
		if res.service != own.service {
			continue
		}
		inService++
		if res.instance == own.instance {
			if inInstance++; inInstance == 1 {
				caller = r
			}
		} else if inService == 1 {
			caller = r
		}
	}
	clientInService := hasClient && b.resources.rows[b.row(group[0]).res].service == own.service
	return caller, clientInService == (inService > 0) || inService > 1 && inInstance != 1
}

// derivedID returns the id of a server span that shared its client's.
func (b *Builder) derivedID(trace TraceID, original SpanID, server resourceRow, taken map[SpanID]bool) SpanID {
	h := fnv.New64a()
	h.Write(trace[:])
	h.Write(original[:])
	h.Write([]byte(b.dict.texts.String(server.service) + "\x00" + b.dict.texts.String(server.instance)))
	for n := h.Sum64(); ; n++ {
		if id := (SpanID(binary.BigEndian.AppendUint64(nil, n))); !id.IsZero() && !taken[id] {
			return id
		}
	}
}

// compareReports orders reports of one span, the one to keep first: the complete before the partial,
// the later end, the fuller; then by content alone, so that the winner never depends on arrival.
// It is 0 only for reports that say the same.
func (b *Builder) compareReports(row1, row2 uint32) int {
	x, y := b.row(row1), b.row(row2)
	attrs1, attrs2 := b.attrsOf(row1), b.attrsOf(row2)
	events1, events2 := b.eventsOf(row1), b.eventsOf(row2)
	links1, links2 := b.linksOf(row1), b.linksOf(row2)
	if c := cmp.Or(
		cmp.Compare(y.end, x.end),
		cmp.Compare(len(attrs2), len(attrs1)),
		cmp.Compare(len(events2), len(events1)),
		cmp.Compare(len(links2), len(links1)),
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
		if c := cmp.Or(b.comparePairs(b.sideOf(rx.attr, rx.attrs), b.sideOf(ry.attr, ry.attrs)),
			b.compareTexts(rx.schema, ry.schema), cmp.Compare(rx.dropped, ry.dropped)); c != 0 {
			return c
		}
	}
	return cmp.Or(
		b.comparePairs(attrs1, attrs2),
		slices.CompareFunc(events1, events2, b.compareEvents),
		slices.CompareFunc(links1, links2, b.compareLinks),
	)
}

func (b *Builder) compareEvents(x, y eventRow) int {
	return cmp.Or(cmp.Compare(x.time, y.time), b.compareTexts(x.name, y.name), cmp.Compare(x.dropped, y.dropped),
		b.comparePairs(b.sideOf(x.attr, x.attrs), b.sideOf(y.attr, y.attrs)))
}

func (b *Builder) compareLinks(x, y linkRow) int {
	return cmp.Or(bytes.Compare(x.trace[:], y.trace[:]), bytes.Compare(x.span[:], y.span[:]), cmp.Compare(x.flags, y.flags),
		b.compareTexts(x.state, y.state), cmp.Compare(x.dropped, y.dropped),
		b.comparePairs(b.sideOf(x.attr, x.attrs), b.sideOf(y.attr, y.attrs)))
}

func (b *Builder) compareMetas(x, y spanMeta) int {
	sx, sy := b.scopes.rows[x.scope], b.scopes.rows[y.scope]
	return cmp.Or(
		cmp.Compare(x.flags, y.flags), b.compareTexts(x.traceState, y.traceState), b.compareTexts(x.statusMessage, y.statusMessage),
		cmp.Compare(x.droppedAttrs, y.droppedAttrs), cmp.Compare(x.droppedEvents, y.droppedEvents), cmp.Compare(x.droppedLinks, y.droppedLinks),
		cmp.Compare(x.weight, y.weight),
		b.compareTexts(sx.name, sy.name), b.compareTexts(sx.version, sy.version), b.compareTexts(sx.schema, sy.schema), cmp.Compare(sx.dropped, sy.dropped),
		b.comparePairs(b.sideOf(sx.attr, sx.attrs), b.sideOf(sy.attr, sy.attrs)),
	)
}

func (b *Builder) compareTexts(x, y uint32) int {
	if x == y {
		return 0
	}
	return cmp.Compare(b.dict.texts.String(x), b.dict.texts.String(y))
}

func (b *Builder) comparePairs(x, y []uint32) int {
	return slices.CompareFunc(x, y, func(i, j uint32) int {
		if i == j {
			return 0
		}
		p, q := b.dict.pairs[i], b.dict.pairs[j]
		if c := cmp.Or(cmp.Compare(b.dict.keys.String(p.key), b.dict.keys.String(q.key)), cmp.Compare(p.kind, q.kind)); c != 0 {
			return c
		}
		if p.isText() || p.isBlob() {
			return cmp.Compare(b.dict.payload(p), b.dict.payload(q))
		}
		return cmp.Compare(p.num, q.num)
	})
}
