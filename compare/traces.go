package compare

import (
	"cmp"
	"slices"
	"time"

	"github.com/tracewhy/tracewhy"
)

// TracesConfig adjusts [Traces]. Its zero value is the documented default.
type TracesConfig struct {
	// MaxValues is how many values of an attribute are listed for each side of a difference; 0 means 5.
	MaxValues int
}

func (c TracesConfig) maxValues() int {
	if c.MaxValues <= 0 {
		return 5
	}
	return c.MaxValues
}

// TracesResult is how two traces differ. All times are in nanoseconds.
type TracesResult struct {
	Left  TraceSide `json:"left"`
	Right TraceSide `json:"right"`

	// Rows are the calls of both traces, in pre-order: callers before what they call.
	Rows []TraceRow `json:"rows"`

	// Services are those of both traces whose resource attributes differ, such as version and instance.
	Services []ServiceDifference `json:"services"`
}

// TraceSide is one of the two traces.
type TraceSide struct {
	TraceID tracewhy.TraceID `json:"trace_id"`
	Outcome string           `json:"outcome"`
	Spans   int              `json:"spans"`
	// Duration is that of the primary root; -1 if it is not known.
	Duration time.Duration `json:"duration_ns"`
}

// TraceRow is a call that one or both of the traces make: all spans of one service, operation and kind
// below those of the row's parent. Fifty calls against three are one row.
type TraceRow struct {
	Parent    int    `json:"parent"` // the caller's row; -1 for the roots
	Depth     int    `json:"depth"`  // 0 for the roots
	Service   string `json:"service"`
	Operation string `json:"operation"`
	Kind      string `json:"kind"`

	Left  RowSide `json:"left"` // with no Calls where only the right trace has it
	Right RowSide `json:"right"`

	// Moved says that both traces have the call, but not in the same order among its siblings.
	Moved bool `json:"moved"`

	Attributes []AttributeDifference `json:"attributes"` // by key; none where one side has no calls
	Messages   []TextDifference      `json:"messages"`   // status messages, by text
	Events     []TextDifference      `json:"events"`     // by text
	Gaps       []GapDifference       `json:"gaps"`       // by class
}

// RowSide is what one trace does in a row: sums over its calls.
type RowSide struct {
	Calls    int           `json:"calls"`
	Failed   int           `json:"failed"`
	Unknown  int           `json:"unknown"`     // calls whose duration is not known: they add nothing
	Duration time.Duration `json:"duration_ns"` // may exceed the trace's, where calls overlap
	Self     time.Duration `json:"self_ns"`
	// Critical is the calls' part of the trace's critical path.
	Critical time.Duration `json:"critical_ns"`
	// Offset is when the first call started, after the earliest span of the trace; 0 if it is not known.
	Offset time.Duration `json:"offset_ns"`
}

// Critical returns how much longer the right trace waited for the row's own work than the left one.
func (r *TraceRow) Critical() time.Duration { return r.Right.Critical - r.Left.Critical }

// AttributeDifference is an attribute with other values on one side than on the other. One side has
// none where the attribute was added or removed. Values keep their types: 1 and "1" differ.
type AttributeDifference struct {
	Key   string           `json:"key"`
	Left  []tracewhy.Value `json:"left"` // distinct, at most TracesConfig.MaxValues
	Right []tracewhy.Value `json:"right"`
	// MoreLeft and MoreRight count the values that are not listed.
	MoreLeft  int `json:"more_left"`
	MoreRight int `json:"more_right"`
}

// TextDifference is a status message or an event that one trace has more often. In Text, words with
// digits are replaced by #.
type TextDifference struct {
	Text  string `json:"text"`
	Left  int    `json:"left"` // how often
	Right int    `json:"right"`
}

// GapDifference is the time of a row's gaps of one class, where it differs.
type GapDifference struct {
	Class string        `json:"class"` // of [tracewhy.GapClass]
	Left  time.Duration `json:"left_ns"`
	Right time.Duration `json:"right_ns"`
}

// ServiceDifference is how a service's resources differ.
type ServiceDifference struct {
	Service    string                `json:"service"`
	Attributes []AttributeDifference `json:"attributes"`
}

// Traces lays two traces beside each other and says how they differ. They should be of one Set, so that
// names of operations are templated alike, and may not be zero.
//
// Calls are matched from the top down: those of one service, operation and kind below matched callers
// are one row. Siblings keep the order in which both traces make them first: of the rows that both have,
// the common subsequence with the most spans is in order, and the others are Moved.
//
// Time is accounted for exactly: the [TraceRow.Critical] of all rows add up to the difference of the
// root durations, where both are known. Exchanging the traces exchanges Left and Right, and changes
// nothing else, not even the order of rows.
//
// As siblings are folded by name first, no name occurs twice in what is to be aligned, and the
// alignment is a heaviest increasing subsequence (Fredman, "On computing the length of longest
// increasing subsequences", Discrete Mathematics 11, 1975, with weights). It takes time in O(n log n) and
// memory in O(n) for n spans, attributes and events of both, however deep or wide the traces are.
func Traces(left, right tracewhy.Trace, cfg TracesConfig) *TracesResult {
	a := aligner{cfg: cfg, sides: [2]alignedTrace{newAlignedTrace(left), newAlignedTrace(right)}}
	r := &TracesResult{Left: traceSide(left), Right: traceSide(right), Rows: []TraceRow{}, Services: a.services()}
	type pending struct {
		group  *siblingGroup
		parent int
		depth  int
	}
	var stack []pending
	push := func(groups []*siblingGroup, parent, depth int) {
		for _, g := range slices.Backward(groups) {
			stack = append(stack, pending{g, parent, depth})
		}
	}
	push(a.align([2][]tracewhy.Span{slices.Collect(left.Roots()), slices.Collect(right.Roots())}), -1, 0)
	for len(stack) > 0 {
		p := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		row := a.row(p.group)
		row.Parent, row.Depth = p.parent, p.depth
		r.Rows = append(r.Rows, row)
		var children [2][]tracewhy.Span
		for side := range children {
			for _, s := range p.group.spans[side] {
				children[side] = slices.AppendSeq(children[side], s.Children())
			}
		}
		push(a.align(children), len(r.Rows)-1, p.depth+1)
	}
	return r
}

func traceSide(t tracewhy.Trace) TraceSide {
	return TraceSide{
		TraceID: t.ID(), Outcome: tracewhy.OutcomeRule{}.Of(t).String(), Spans: t.NumSpans(), Duration: t.Root().Duration(),
	}
}

const (
	leftSide  = 0
	rightSide = 1
)

// aligner matches the spans of two traces.
type aligner struct {
	cfg   TracesConfig
	sides [2]alignedTrace
}

// alignedTrace is what rows need to know of a trace.
type alignedTrace struct {
	trace    tracewhy.Trace
	start    int64
	critical map[tracewhy.Span]time.Duration
}

func newAlignedTrace(t tracewhy.Trace) alignedTrace {
	x := alignedTrace{trace: t, critical: map[tracewhy.Span]time.Duration{}}
	x.start, _, _ = t.Interval()
	for _, s := range t.CriticalPath() {
		x.critical[s.Span] += s.Duration()
	}
	return x
}

// offset is 0 for spans whose interval is not known.
func (x *alignedTrace) offset(s tracewhy.Span) time.Duration {
	if start, _, ok := s.Interval(); ok {
		return time.Duration(start - x.start)
	}
	return 0
}

// callKey is what makes calls the same.
type callKey struct {
	service, operation string
	kind               tracewhy.Kind
}

func (k callKey) compare(x callKey) int {
	return cmp.Or(cmp.Compare(k.service, x.service), cmp.Compare(k.operation, x.operation), cmp.Compare(k.kind, x.kind))
}

// siblingGroup is the calls of one key below one row.
type siblingGroup struct {
	key    callKey
	spans  [2][]tracewhy.Span
	place  [2]int        // among the groups of its side, by first call; -1 if the side has none
	offset time.Duration // of its earliest call on either side
	chain  bool          // part of the common subsequence
	gap    int           // for others: behind how many groups of the chain it comes
}

// align folds siblings into groups and puts those into an order.
func (a *aligner) align(spans [2][]tracewhy.Span) []*siblingGroup {
	byKey := map[callKey]*siblingGroup{}
	var groups []*siblingGroup
	for side := range spans {
		places := 0
		for _, s := range spans[side] {
			key := callKey{s.Service(), s.Operation(), s.Kind()}
			g := byKey[key]
			offset := a.sides[side].offset(s)
			if g == nil {
				g = &siblingGroup{key: key, place: [2]int{-1, -1}, offset: offset}
				byKey[key] = g
				groups = append(groups, g)
			}
			if g.place[side] < 0 {
				g.place[side] = places
				places++
			}
			g.offset = min(g.offset, offset)
			g.spans[side] = append(g.spans[side], s)
		}
	}
	slices.SortFunc(groups, func(x, y *siblingGroup) int { return x.key.compare(y.key) })
	orderGroups(groups)
	return groups
}

// row says how the two sides of a group differ.
func (a *aligner) row(g *siblingGroup) TraceRow {
	r := TraceRow{
		Service: g.key.service, Operation: g.key.operation, Kind: g.key.kind.String(),
		Moved:      g.place[leftSide] >= 0 && g.place[rightSide] >= 0 && !g.chain,
		Attributes: []AttributeDifference{},
	}
	messages, events := tallies{}, tallies{}
	gaps := map[tracewhy.GapClass]*[2]time.Duration{}
	for side, rowSide := range []*RowSide{&r.Left, &r.Right} {
		for i, s := range g.spans[side] {
			offset := a.sides[side].offset(s)
			if i == 0 || offset < rowSide.Offset {
				rowSide.Offset = offset
			}
			rowSide.add(s, a.sides[side].critical[s])
			if m := s.StatusMessage(); m != "" {
				messages.add(textTemplate(m), side)
			}
			for e := range s.Events() {
				events.add(eventText(e), side)
			}
			for gap := range s.Gaps() {
				if gaps[gap.Class] == nil {
					gaps[gap.Class] = new([2]time.Duration)
				}
				gaps[gap.Class][side] += gap.Duration()
			}
		}
	}
	r.Messages, r.Events, r.Gaps = messages.differences(), events.differences(), gapDifferences(gaps)
	if r.Left.Calls > 0 && r.Right.Calls > 0 {
		values := attributeValues{}
		for side, spans := range g.spans {
			for _, s := range spans {
				for key, v := range s.Attrs() {
					values.add(key, v, side)
				}
			}
		}
		r.Attributes = values.differences(a.cfg.maxValues())
	}
	return r
}

func (r *RowSide) add(s tracewhy.Span, critical time.Duration) {
	r.Calls++
	if s.Failed() {
		r.Failed++
	}
	if d := s.Duration(); d >= 0 {
		r.Duration += d
		r.Self += max(0, s.SelfTime())
	} else {
		r.Unknown++
	}
	r.Critical += critical
}

func gapDifferences(gaps map[tracewhy.GapClass]*[2]time.Duration) []GapDifference {
	list := []GapDifference{}
	for class := tracewhy.GapBeforeFirst; class <= tracewhy.GapQueue; class++ {
		if d := gaps[class]; d != nil && d[leftSide] != d[rightSide] {
			list = append(list, GapDifference{class.String(), d[leftSide], d[rightSide]})
		}
	}
	return list
}
