package tracewhy

import (
	"cmp"
	"encoding/binary"
	"hash/fnv"
	"slices"
)

// maxEntries is how often one service may begin anew, under one trace id, before that id is taken to be
// that of many requests: because a process makes one id and keeps it, say. Spans without a parent are
// what says so. An ordinary trace has one for each place where the context was lost, each retry and each
// redelivery after that, and those are limited to about ten nearly everywhere.
//
// Neither size nor the number of spans without a parent decides. Where all of them lie within the time of
// one, as where parents are never recorded, or where links lead from one to the next, it is one trace.
// Spans whose parent is missing do not count: each says that it is part of something.
const maxEntries = 32

// splitTrace is a trace that was split off from others of the same recorded id.
type splitTrace struct {
	trace int32
	of    TraceID // as recorded
}

// split says whether a trace whose rows are arranged is many under one id, by the rule of maxEntries. If
// so it arranges the rows anew: it returns the lengths of the traces to make of them, one for each span
// that names no parent, with what lies below it. A trace gets spans with a missing parent too if they ran
// in the time of its root and of no other; those that are left are traces of their own, by the parent
// that they name.
func (w *treeWork) split(id TraceID, rows []uint32, parent, end []int32) []int {
	s := splitter{treeWork: w, rows: rows}
	next := int32(0)
	for int(next) < len(rows) && rootRank(w.b.row(rows[next]).marks) == 0 {
		s.roots++
		next = end[next]
	}
	if s.roots <= maxEntries {
		return nil
	}
	for i := int32(0); int(i) < len(rows); i = end[i] {
		s.tops = append(s.tops, i)
	}
	s.group = newDisjoint(len(s.tops))
	s.joinLinks(id)
	if !s.repeats() {
		return nil
	}
	s.joinOrphans()
	return s.rearrange(parent, end)
}

// splitter groups the tops of a trace, which are its spans without a parent in it.
type splitter struct {
	*treeWork
	rows  []uint32
	tops  []int32  // places in rows, ascending
	roots int      // how many of the tops name no parent; they come first, by start, then the longest
	group disjoint // by top
}

// topOf returns the top that a place lies below.
func (s *splitter) topOf(place int32) int32 {
	i, ok := slices.BinarySearch(s.tops, place)
	if !ok {
		i--
	}
	return int32(i)
}

// joinLinks joins tops that links lead between.
func (s *splitter) joinLinks(id TraceID) {
	for i, r := range s.rows {
		for _, l := range s.b.linksOf(r) {
			if l.trace != id {
				continue
			}
			if to, ok := slices.BinarySearch(s.ids, l.span.num()); ok {
				s.group.join(s.topOf(int32(i)), s.topOf(s.place[to]))
			}
		}
	}
}

// repeats reports whether one service begins more than maxEntries groups, each with a root that does not
// lie within the time of another.
func (s *splitter) repeats() bool {
	entries := map[uint32]int{} // by service
	counted := map[int32]bool{} // by group
	latest := uint64(0)
	for i := range int32(s.roots) {
		row := s.b.row(s.rows[s.tops[i]])
		if row.marks&(MarkTimeUnknown|MarkNegativeDuration) != 0 || row.end <= latest {
			continue
		}
		latest = row.end
		g := s.group.find(i)
		if counted[g] {
			continue
		}
		counted[g] = true
		service := s.b.resources.rows[row.res].service
		if entries[service]++; entries[service] > maxEntries {
			return true
		}
	}
	return false
}

// joinOrphans joins the orphans of each missing parent, and those with the only root that they ran in the
// time of.
func (s *splitter) joinOrphans() {
	type orphan struct {
		parent uint64
		top    int32
	}
	var orphans []orphan
	for i := int32(s.roots); int(i) < len(s.tops); i++ {
		if row := s.b.row(s.rows[s.tops[i]]); row.marks.Has(MarkOrphan) {
			orphans = append(orphans, orphan{row.parentID.num(), i})
		}
	}
	if orphans == nil {
		return
	}
	slices.SortFunc(orphans, func(x, y orphan) int { return cmp.Or(cmp.Compare(x.parent, y.parent), cmp.Compare(x.top, y.top)) })
	running := s.running()
	for i := 0; i < len(orphans); {
		first, start, end := orphans[i], uint64(unknownStart), uint64(0)
		for ; i < len(orphans) && orphans[i].parent == first.parent; i++ {
			s.group.join(first.top, orphans[i].top)
			if row := s.b.row(s.rows[s.tops[orphans[i].top]]); row.marks&(MarkTimeUnknown|MarkNegativeDuration) == 0 {
				start, end = min(start, row.start), max(end, row.end)
			}
		}
		n, _ := slices.BinarySearchFunc(running, start, func(r longest, start uint64) int {
			if r.start <= start {
				return -1
			}
			return 1
		})
		if end > 0 && n > 0 && running[n-1].end >= end && running[n-1].second < end {
			s.group.join(running[n-1].root, first.top)
		}
	}
}

// longest is which of the roots that start up to a moment ends last, and when the next of them does.
type longest struct {
	start, end, second uint64
	root               int32
}

// running returns the longest of the roots up to each, in the order of their start.
func (s *splitter) running() []longest {
	var all []longest
	var last longest
	for i := range int32(s.roots) {
		row := s.b.row(s.rows[s.tops[i]])
		if row.marks&(MarkTimeUnknown|MarkNegativeDuration) != 0 {
			continue
		}
		if row.end > last.end {
			last.second, last.end, last.root = last.end, row.end, i
		} else {
			last.second = max(last.second, row.end)
		}
		last.start = row.start
		all = append(all, last)
	}
	return all
}

// rearrange brings the spans of each group together, groups in the order of their first tops, and returns
// how many spans each has. Parents and ends become places in the group.
func (s *splitter) rearrange(parent, end []int32) []int {
	n := len(s.rows)
	oldRows, oldParent, oldEnd := slices.Clone(s.rows), slices.Clone(parent[:n]), slices.Clone(end[:n])
	number := make([]int32, len(s.tops)) // by first top: of the group
	var lengths []int
	for i, top := range s.tops {
		first := s.group.find(int32(i))
		if first == int32(i) {
			number[i] = int32(len(lengths))
			lengths = append(lengths, 0)
		}
		lengths[number[first]] += int(oldEnd[top] - top)
	}
	from := make([]int, len(lengths))
	for i := 1; i < len(from); i++ {
		from[i] = from[i-1] + lengths[i-1]
	}
	filled := make([]int32, len(lengths))
	for i, top := range s.tops {
		g := number[s.group.find(int32(i))]
		shift := filled[g] - top
		for old := top; old < oldEnd[top]; old++ {
			to := from[g] + int(old+shift)
			s.rows[to] = oldRows[old]
			parent[to], end[to] = oldParent[old], oldEnd[old]+shift
			if parent[to] != noParent {
				parent[to] += shift
			}
		}
		filled[g] += oldEnd[top] - top
	}
	return lengths
}

// nameSplit gives the traces that were split off ids of their own, in an order that is not that of arrival.
func (g *grouping) nameSplit() {
	var split []int // numbers in g.traces, where the traces of one id are in order
	for i := range g.traces {
		if !g.traces[i].of.IsZero() {
			split = append(split, i)
		}
	}
	if split == nil {
		return
	}
	taken := make(map[TraceID]bool, len(g.traces))
	for i := range g.traces {
		if g.traces[i].of.IsZero() {
			taken[g.traces[i].id] = true
		}
	}
	slices.SortStableFunc(split, func(x, y int) int { return compareIDs(g.traces[x].of, g.traces[y].of) })
	for _, i := range split {
		tr := &g.traces[i]
		tr.id = idOfSplit(tr.of, g.b.row(g.order[tr.from]).spanID, taken)
		taken[tr.id] = true
	}
}

// idOfSplit returns the id of a trace that was split off: the upper half of the recorded one, and the id of
// its first span, by which a person can find it elsewhere. An id that is taken is hashed until it is not.
func idOfSplit(of TraceID, first SpanID, taken map[TraceID]bool) TraceID {
	id := of
	copy(id[8:], first[:])
	for n := uint64(0); taken[id] || id.IsZero(); n++ {
		h := fnv.New64a()
		h.Write(of[:])
		h.Write(first[:])
		h.Write(binary.BigEndian.AppendUint64(nil, n)) // without it, chosen ids could lead round in a circle
		binary.BigEndian.PutUint64(id[8:], h.Sum64())
	}
	return id
}

// splitID is an id that was used for many traces.
type splitID struct {
	id    TraceID
	first int32 // the earliest of them
	rows  int32 // where their rows begin in splitRows
}

// indexSplit makes what [Set.Lookup] and links need to find traces by the id that they were recorded with.
func (s *Set) indexSplit() {
	if s.split == nil {
		return
	}
	order := slices.Clone(s.split)
	slices.SortStableFunc(order, func(x, y splitTrace) int { return compareIDs(x.of, y.of) })
	for _, x := range order {
		if n := len(s.splitIDs); n == 0 || s.splitIDs[n-1].id != x.of {
			s.splitIDs = append(s.splitIDs, splitID{id: x.of, first: x.trace})
		}
	}
	if !slices.ContainsFunc(s.links, func(l linkRow) bool { _, ok := s.findSplit(l.trace); return ok }) {
		return
	}
	at := -1
	for _, x := range order {
		if at < 0 || s.splitIDs[at].id != x.of {
			at++
			s.splitIDs[at].rows = int32(len(s.splitRows))
		}
		first, end := Trace{s, x.trace}.bounds()
		for row := first; row < end; row++ {
			s.splitRows = append(s.splitRows, row)
		}
	}
	for i := range s.splitIDs {
		rows := s.rowsOfSplit(i)
		slices.SortFunc(rows, func(x, y int32) int { return cmp.Compare(s.cols.spanID[x].num(), s.cols.spanID[y].num()) })
	}
}

func (s *Set) findSplit(id TraceID) (i int, ok bool) {
	return slices.BinarySearchFunc(s.splitIDs, id, func(x splitID, id TraceID) int { return compareIDs(x.id, id) })
}

func (s *Set) rowsOfSplit(i int) []int32 {
	if i+1 < len(s.splitIDs) {
		return s.splitRows[s.splitIDs[i].rows:s.splitIDs[i+1].rows]
	}
	return s.splitRows[s.splitIDs[i].rows:]
}

func (s *Set) recordedTraceID(trace int32) TraceID {
	if s.split != nil {
		if i, ok := slices.BinarySearchFunc(s.split, trace, func(x splitTrace, trace int32) int { return cmp.Compare(x.trace, trace) }); ok {
			return s.split[i].of
		}
	}
	return s.traces[trace].id
}

// linkTarget returns the trace that a link of the Set leads to: of those that were split from one id, the
// one with the span.
func (s *Set) linkTarget(id TraceID, span SpanID) (Trace, bool) {
	i, ok := s.findSplit(id)
	if !ok {
		return s.Lookup(id)
	}
	rows := s.rowsOfSplit(i)
	k, ok := slices.BinarySearchFunc(rows, span.num(), func(row int32, id uint64) int { return cmp.Compare(s.cols.spanID[row].num(), id) })
	if !ok {
		return Trace{}, false
	}
	return Trace{s, s.cols.trace[rows[k]]}, true
}
