package tracewhy

import "slices"

// Missing is what a trace lacks of itself. Most of it shows only beside other traces of the Set: a span
// is missing where others like it are there.
type Missing struct {
	Spans int // how many spans the trace has, for comparison
	// Root says that the trace is a fragment: it begins at a span whose parent is missing, and whose
	// operation is called by some span elsewhere in the Set. Neither its outcome nor its duration is known.
	// Where an operation is never called by a span of the Set, its callers are not recorded at all, and it
	// counts as a root whatever parent it names.
	Root bool
	// RootEnd says that the primary root has no known start or end, as one that was reported while it
	// still ran: the transaction took at least as long as the trace shows, and its outcome is not known.
	RootEnd bool
	// Parents is how many spans are named as parents and are missing, not counting those that are
	// missing throughout the Set.
	Parents int
	// Answers is how many calls succeeded, and lack the span of their remote side that calls of their path
	// have as a rule: four in five, in the source of the Set where most have it. Where more lack it
	// everywhere, the remote side is not always recorded, and that nothing is there says nothing. A call
	// that failed may have had no answer.
	Answers int
	// Times is how many spans have no known start or end.
	Times int
	// Details is how many spans had attributes, events or links that their producer discarded.
	Details int
}

// Missing returns what the trace lacks. It takes time in O(n log n) for n spans.
func (t Trace) Missing() Missing {
	m := Missing{Spans: t.NumSpans()}
	s := t.set
	first, end := t.bounds()
	root := Span{s, first}
	m.Root = s.isFragment(first)
	m.RootEnd = root.Marks().Has(MarkTimeUnknown)
	var parents []SpanID
	for i := first; i < end; i++ {
		span := Span{s, i}
		if s.isFragment(i) {
			parents = append(parents, span.ParentID())
		}
		if span.Marks().Has(MarkTimeUnknown) {
			m.Times++
		} else if span.Kind() == KindClient && s.answered[s.cols.path[i]] && !span.hasRemoteChild() && !span.Failed() {
			m.Answers++
		}
		if d := span.meta(); d.droppedAttrs|d.droppedEvents|d.droppedLinks != 0 {
			m.Details++
		}
	}
	slices.SortFunc(parents, func(x, y SpanID) int { return slices.Compare(x[:], y[:]) })
	m.Parents = len(slices.Compact(parents))
	return m
}

// Completeness returns the share of a trace's spans that are there and have ended, from 0 to 1, of those
// that are there or known to be missing. Of a trace with 1 nothing is known to be missing: where it does
// not make a call, that is a fact, and otherwise the call's span may be missing only. Details do not count.
func (m Missing) Completeness() float64 {
	return float64(m.Spans-m.Times) / float64(m.Spans+m.Parents+m.Answers)
}

// Completeness is that of [Trace.Missing].
func (t Trace) Completeness() float64 { return t.Missing().Completeness() }

// isFragment reports whether a span's parent is missing that others like it have.
func (s *Set) isFragment(row int32) bool {
	return s.cols.marks[row].Has(MarkOrphan) && s.called[s.cols.path[row]]
}

func (s Span) hasRemoteChild() bool {
	for c := range s.Children() {
		if c.IsRemote() {
			return true
		}
	}
	return false
}

// indexPaths finds out what is usual for calls of each path, so that [Trace.Missing] can tell what is not.
func (s *Set) indexPaths() {
	type call struct {
		service, operation uint32
		kind               Kind
	}
	called := map[call]bool{}
	for _, p := range s.paths {
		if p.parent != noPath {
			called[call{p.service, p.operation, p.kind}] = true
		}
	}
	s.called = make([]bool, len(s.paths))
	for i, p := range s.paths {
		s.called[i] = p.orphan && called[call{p.service, p.operation, p.kind}]
	}
	n := len(s.paths)
	calls, answered := make([]int32, n*len(s.sources)), make([]int32, n*len(s.sources))
	for num, row := range s.traces {
		from := int(row.source) * n
		first, end := (Trace{s, int32(num)}).bounds()
		for i := first; i < end; i++ {
			if s.cols.kind[i] != KindClient {
				continue
			}
			at := from + int(s.cols.path[i])
			calls[at]++
			if (Span{s, i}).hasRemoteChild() {
				answered[at]++
			}
		}
	}
	s.answered = make([]bool, n)
	for at, a := range answered {
		if a > 0 && 5*int64(a) >= 4*int64(calls[at]) {
			s.answered[at%n] = true
		}
	}
}
