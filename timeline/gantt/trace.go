package gantt

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/quantity"
	"github.com/tracewhy/tracewhy/timeline"
	"github.com/tracewhy/tracewhy/timeline/internal/epoch"
)

// OfTrace draws the waterfall of a trace. What failed is critical, what the trace waited for while none of its calls
// ran, for a sixth of its time or more, is active, and what it did not wait for at all is done.
//
// At most limit spans are drawn, or 40 if it is 0: the root, those that the trace waited for longest, those that
// failed, and long ones; none of which it is not known when it began. [Chart.Cut] says how many are left out.
//
// It takes time in O(n log n) for n spans.
func OfTrace(trace tracewhy.Trace, limit int) *Chart {
	c := &Chart{Title: "Trace " + trace.ID().String()}
	c.words[Plain], c.words[Active], c.words[Critical], c.words[Done] = "the trace waits for it", "and nothing it called runs", "failed", "nobody waits for it"
	if limit <= 0 {
		limit = 40
	}
	rows := timeline.Waterfall(trace)
	begin, _, _ := trace.Interval()
	waited := subtreeTimes(rows)
	for _, i := range mostImportant(rows, waited, limit) {
		r := rows[i]
		t := Task{Name: r.Span.Service() + " " + r.Span.Name(), Start: epoch.Add(begin, int64(r.Offset))}
		if start := r.Span.Start(); r.Offset < 0 && !start.IsZero() {
			t.Start = start.UnixNano()
		} else if r.Offset < 0 {
			continue
		}
		t.End = epoch.Add(t.Start, int64(max(r.Duration, 0)))
		gap := longestGap(r)
		switch {
		case r.Duration < 0:
			t.Name += " (duration unknown)"
		case gap > 0 && gap >= rows[0].Duration/6:
			t.Status = Active
			t.Name += fmt.Sprintf(" (gap %v)", quantity.Round(gap))
		case waited[i] == 0:
			t.Status = Done
		}
		if r.Span.Failed() {
			t.Status = Critical
			t.Name += " ✗"
		}
		c.Tasks = append(c.Tasks, t)
	}
	if n := len(rows) - len(c.Tasks); n > 0 {
		c.Cut = fmt.Sprintf("left out: %d of %s", n, quantity.Count(len(rows), "span"))
	}
	return c
}

// longestGap returns for how long at a time the trace waited for the span while nothing that it called ran.
func longestGap(r timeline.Row) time.Duration {
	longest := time.Duration(0)
	for _, g := range r.Gaps {
		longest = max(longest, r.GapTime(g))
	}
	return longest
}

// subtreeTimes returns for how long the trace waited for each span or anything below it.
func subtreeTimes(rows []timeline.Row) []time.Duration {
	sums := make([]time.Duration, len(rows))
	var open []int // the chain of rows above
	for i, r := range rows {
		for len(open) > 0 && rows[open[len(open)-1]].Depth >= r.Depth {
			open = closeRow(sums, open)
		}
		sums[i] = r.CriticalTime()
		open = append(open, i)
	}
	for len(open) > 0 {
		open = closeRow(sums, open)
	}
	return sums
}

// closeRow adds the sum of the innermost open row to the one above it.
func closeRow(sums []time.Duration, open []int) []int {
	n := len(open) - 1
	if n > 0 {
		sums[open[n-1]] += sums[open[n]]
	}
	return open[:n]
}

// mostImportant returns the numbers of at most limit rows, ascending.
func mostImportant(rows []timeline.Row, waited []time.Duration, limit int) []int {
	order := make([]int, len(rows))
	for i := range order {
		order[i] = i
	}
	failed := func(i int) int {
		if rows[i].Span.Failed() {
			return 0
		}
		return 1
	}
	own := make([]time.Duration, len(rows))
	for i, r := range rows {
		own[i] = r.CriticalTime()
	}
	slices.SortFunc(order[1:], func(x, y int) int {
		return cmp.Or(cmp.Compare(own[y], own[x]), cmp.Compare(failed(x), failed(y)), cmp.Compare(waited[y], waited[x]),
			cmp.Compare(rows[y].Duration, rows[x].Duration), cmp.Compare(x, y))
	})
	order = order[:min(limit, len(order))]
	slices.Sort(order)
	return order
}
