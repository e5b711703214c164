package capacity

import (
	"cmp"
	"slices"
	"time"

	"github.com/tracewhy/tracewhy/timeline/internal/bins"
	"github.com/tracewhy/tracewhy/timeline/internal/epoch"
)

// named returns the resource without what happened to it.
func (x *user) named() Resource {
	return Resource{Kind: x.id.kind, Service: x.id.service, Instance: x.id.instance, Name: x.id.name}
}

// resource makes of uses what happened in each bin.
func (x *user) resource(grid *bins.Bins, isWeighted bool) Resource {
	r := x.named()
	r.Limit, x.uses, x.waiting = x.limit(isWeighted)
	n := len(grid.Starts)
	r.InFlight, r.Most = x.average(x.uses, grid), most(x.uses, grid)
	r.Arrivals, r.Completions, r.Little = make([]float64, n), make([]float64, n), make([]float64, n)
	r.Time = make([]time.Duration, n)
	began := make([]float64, n)
	for _, u := range x.uses {
		if b, ok := grid.Of(u.start); ok {
			r.Arrivals[b] += u.weight
			began[b] += float64(u.weight * float64(u.end-u.start))
		}
		if b, ok := grid.Of(u.end); ok {
			r.Completions[b] += u.weight
		}
	}
	apart, all := 0.0, 0.0
	for b := range n {
		r.Time[b] = -1
		if r.Arrivals[b] > 0 {
			r.Time[b] = time.Duration(began[b] / r.Arrivals[b])
		}
		r.Little[b] = began[b] / float64(grid.Length)
		if grid.Exposure[b] > 0 {
			apart, all = apart+max(r.Little[b]-r.InFlight[b], r.InFlight[b]-r.Little[b]), all+r.InFlight[b]
		}
	}
	if all > 0 {
		r.Unsteady = apart / all
	}
	// Pauses are certain to be waits only where a limit explains them; spans that are named so always are.
	if x.id.kind == Pool || r.Limit.N > 0 {
		r.Waiting = x.average(x.waiting, grid)
	}
	isKnown := func(b int) bool {
		return r.Limit.Stated || grid.Starts[b] < r.Limit.End && grid.Starts[b]+int64(grid.Length) > r.Limit.Start
	}
	for b := range r.Waiting {
		if x.id.kind != Pool && !isKnown(b) {
			r.Waiting[b] = -1
		}
	}
	if r.Limit.N > 0 {
		r.Utilisation = make([]float64, n)
		for b := range n {
			if !isKnown(b) {
				r.Utilisation[b] = -1
				continue
			}
			busy := r.InFlight[b]
			if r.Limit.Within {
				busy -= r.Waiting[b]
			}
			r.Utilisation[b] = max(busy, 0) / float64(r.Limit.N)
		}
	}
	if !isWeighted {
		r.Queues = queues(x.uses, grid)
	}
	return r
}

// average returns how many of the uses were under way in each bin, on average.
func (x *user) average(uses []use, grid *bins.Bins) []float64 {
	n, length := len(grid.Starts), int64(grid.Length)
	out := make([]float64, n)
	whole := make([]float64, n+1) // by how much more uses fill a whole bin than the one before it
	for _, u := range uses {
		first, _ := slices.BinarySearch(grid.Starts, epoch.Add(u.start, 1))
		first = max(first-1, 0)
		last, _ := slices.BinarySearch(grid.Starts, u.end)
		last-- // the last bin that begins before the end
		for b := first; b <= last; b++ {
			from, to := max(u.start, grid.Starts[b]), min(u.end, grid.Starts[b]+length)
			if from == grid.Starts[b] && to == grid.Starts[b]+length && b < last {
				whole[b] += u.weight
				whole[last] -= u.weight
				b = last - 1
				continue
			}
			if to > from {
				out[b] += float64(u.weight * float64(to-from))
			}
		}
	}
	full := 0.0
	for b := range n {
		full += whole[b]
		out[b] = out[b]/float64(length) + full
	}
	return out
}

// most returns how many of the uses were under way at once in each bin, at most.
func most(uses []use, grid *bins.Bins) []int {
	out := make([]int, len(grid.Starts))
	starts, ends := edges(uses)
	level, at := 0, 0
	for b, begin := range grid.Starts {
		end := begin + int64(grid.Length)
		for ; at < len(ends) && ends[at] <= begin; at++ {
			level--
		}
		for len(starts) > 0 && starts[0] <= begin {
			starts, level = starts[1:], level+1
		}
		for ; at < len(ends) && ends[at] <= begin; at++ { // of no length
			level--
		}
		out[b] = max(level, 0)
		for len(starts) > 0 && starts[0] < end {
			for ; at < len(ends) && ends[at] <= starts[0]; at++ {
				level--
			}
			starts, level = starts[1:], level+1
			out[b] = max(out[b], level)
		}
	}
	return out
}

// edges returns when uses began and ended, both sorted.
func edges(uses []use) (starts, ends []int64) {
	starts, ends = make([]int64, len(uses)), make([]int64, len(uses))
	for i, u := range uses {
		starts[i], ends[i] = u.start, u.end
	}
	slices.Sort(starts)
	slices.Sort(ends)
	return starts, ends
}

// byStart sorts uses by when they began, then ended.
func byStart(uses []use) []use {
	out := slices.Clone(uses)
	slices.SortFunc(out, func(x, y use) int {
		return cmp.Or(cmp.Compare(x.start, y.start), cmp.Compare(x.end, y.end), cmp.Compare(x.weight, y.weight))
	})
	return out
}
