package timeline

import (
	"cmp"
	"slices"
	"time"

	"github.com/tracewhy/tracewhy/timeline/internal/epoch"
)

// resource makes of uses what happened in each bin.
func (x *user) resource(bins *SeriesResult, isWeighted bool) Resource {
	r := Resource{Kind: x.id.kind, Service: x.id.service, Instance: x.id.instance, Name: x.id.name}
	r.Limit, x.uses, x.waiting = x.limit(isWeighted)
	n := len(bins.Starts)
	r.InFlight, r.Most = x.average(x.uses, bins), most(x.uses, bins)
	r.Arrivals, r.Completions, r.Little = make([]float64, n), make([]float64, n), make([]float64, n)
	r.Time = make([]time.Duration, n)
	began := make([]float64, n)
	for _, u := range x.uses {
		if b, ok := bins.bin(u.start); ok {
			r.Arrivals[b] += u.weight
			began[b] += float64(u.weight * float64(u.end-u.start))
		}
		if b, ok := bins.bin(u.end); ok {
			r.Completions[b] += u.weight
		}
	}
	apart, all := 0.0, 0.0
	for b := range n {
		r.Time[b] = -1
		if r.Arrivals[b] > 0 {
			r.Time[b] = time.Duration(began[b] / r.Arrivals[b])
		}
		r.Little[b] = began[b] / float64(bins.Bin)
		if bins.Exposure[b] > 0 {
			apart, all = apart+max(r.Little[b]-r.InFlight[b], r.InFlight[b]-r.Little[b]), all+r.InFlight[b]
		}
	}
	if all > 0 {
		r.Unsteady = apart / all
	}
	// Pauses are certain to be waits only where a limit explains them; spans that are named so always are.
	if x.id.kind == ResourcePool || r.Limit.N > 0 {
		r.Waiting = x.average(x.waiting, bins)
	}
	isKnown := func(b int) bool {
		return r.Limit.Stated || bins.Starts[b] < r.Limit.End && bins.Starts[b]+int64(bins.Bin) > r.Limit.Start
	}
	for b := range r.Waiting {
		if x.id.kind != ResourcePool && !isKnown(b) {
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
		r.Queues = queues(x.uses, bins)
	}
	return r
}

// average returns how many of the uses were under way in each bin, on average.
func (x *user) average(uses []use, bins *SeriesResult) []float64 {
	n, length := len(bins.Starts), int64(bins.Bin)
	out := make([]float64, n)
	whole := make([]float64, n+1) // by how much more uses fill a whole bin than the one before it
	for _, u := range uses {
		first, _ := slices.BinarySearch(bins.Starts, epoch.Add(u.start, 1))
		first = max(first-1, 0)
		last, _ := slices.BinarySearch(bins.Starts, u.end)
		last-- // the last bin that begins before the end
		for b := first; b <= last; b++ {
			from, to := max(u.start, bins.Starts[b]), min(u.end, bins.Starts[b]+length)
			if from == bins.Starts[b] && to == bins.Starts[b]+length && b < last {
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
func most(uses []use, bins *SeriesResult) []int {
	out := make([]int, len(bins.Starts))
	starts, ends := edges(uses)
	level, at := 0, 0
	for b, begin := range bins.Starts {
		end := begin + int64(bins.Bin)
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

const (
	shortestQueue = 5   // bins in which it grows
	queueGrowth   = 4   // times what is usual, at the peak
	queueLeast    = 10  // and how many more than that
	queueSlower   = 1.5 // times what it took before, at the peak
	queueSteady   = 0.8 // of the steps up to the peak do not lead down
)

// queues finds the times in which more began than ended, for long, and took longer and longer.
func queues(uses []use, bins *SeriesResult) []Queue {
	n := len(bins.Starts)
	if n < 2*shortestQueue || len(uses) == 0 {
		return nil
	}
	starts, ends := edges(uses)
	under := make([]int, n) // how many are under way when each bin ends
	took, began := make([]int64, n), make([]int64, n)
	for _, u := range uses {
		if b, ok := bins.bin(u.start); ok {
			took[b] += u.end - u.start
			began[b]++
		}
	}
	for b, begin := range bins.Starts {
		at := begin + int64(bins.Bin)
		i, _ := slices.BinarySearch(starts, at)
		j, _ := slices.BinarySearch(ends, at)
		under[b] = i - j
	}
	sorted := slices.Sorted(slices.Values(under))
	usual := sorted[(n-1)/4]
	mean := func(from, to int) time.Duration {
		sum, of := int64(0), int64(0)
		for b := max(from, 0); b < to; b++ {
			sum, of = sum+took[b], of+began[b]
		}
		return time.Duration(sum / max(of, 1))
	}
	var out []Queue
	for b := 0; b < n; {
		if under[b] <= usual {
			b++
			continue
		}
		from, to := b, b // the bins in which more than usual is under way
		for to < n && under[to] > usual && (to == from || bins.Starts[to]-bins.Starts[to-1] == int64(bins.Bin)) {
			to++
		}
		b = max(to, b+1)
		peak := from
		for i := from; i < to; i++ {
			if under[i] > under[peak] {
				peak = i
			}
		}
		// The last bin of few before the peak is where the growth begins.
		begin := peak
		for begin > from && under[begin-1] > usual+(under[peak]-usual)/10 {
			begin--
		}
		up := 0
		for i := begin + 1; i <= peak; i++ {
			if under[i] >= under[i-1] {
				up++
			}
		}
		steps := peak - begin
		third := max(steps/3, 1)
		q := Queue{
			Start: bins.Starts[begin], Peak: bins.Starts[peak] + int64(bins.Bin), Usual: usual, Most: under[peak],
			Before: mean(begin-2*third, begin+1), After: mean(peak-third, peak+1),
		}
		switch {
		case q.Most < queueGrowth*usual || q.Most < usual+queueLeast || steps < shortestQueue,
			float64(up) < float64(queueSteady*float64(steps)),
			float64(q.After) < float64(queueSlower*float64(q.Before)) || q.Before <= 0,
			// Where something takes longer, more is under way within that time, without a queue.
			int64(steps)*int64(bins.Bin) < int64(q.After):
			continue
		}
		for i := peak + 1; i < n; i++ {
			if under[i] <= usual+(q.Most-usual)/10 {
				q.Drained = bins.Starts[i] + int64(bins.Bin)
				break
			}
		}
		out = append(out, q)
	}
	return out
}

// byStart sorts uses by when they began, then ended.
func byStart(uses []use) []use {
	out := slices.Clone(uses)
	slices.SortFunc(out, func(x, y use) int {
		return cmp.Or(cmp.Compare(x.start, y.start), cmp.Compare(x.end, y.end), cmp.Compare(x.weight, y.weight))
	})
	return out
}
