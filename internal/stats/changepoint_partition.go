package stats

import "math"

// partition returns the first observation of each segment but the first, of the partition into segments of at
// least minSegment observations whose costs and penalties add up to the least. Of partitions that cost the
// same it is one of the fewest segments, with the earliest last change.
func partition(c *costs, minSegment int, penalty float64) []int {
	n := len(c.sums) - 1
	if n < 2*minSegment {
		return nil
	}
	best := make([]float64, n+1) // of the first i observations, with a penalty for each segment
	last := make([]int, n+1)     // where the last segment of that begins
	for i := range best {
		best[i] = math.Inf(1)
	}
	best[0] = 0
	candidates := []int{0} // where the last segment can begin
	var bounds []float64   // what the candidates cost, at the current end
	for end := minSegment; end <= n; end++ {
		if k := end - minSegment; k >= minSegment {
			candidates = append(candidates, k)
		}
		bounds = bounds[:0]
		for _, k := range candidates {
			without := best[k] + c.cost(k, end)
			bounds = append(bounds, without)
			if total := without + penalty; total < best[end] {
				best[end], last[end] = total, k
			}
		}
		// A segment costs no less than its parts: where a change at end is better now, it will be at all ends
		// from which on it is possible. Those before, minSegment of them, still need the candidate, so that
		// it goes only once a change that far back was better.
		kept := candidates[:0]
		for i, k := range candidates {
			if bounds[i] <= best[end] || !c.dominated(best, k, end, minSegment) {
				kept = append(kept, k)
			}
		}
		candidates = kept
	}
	var changes []int
	for at := last[n]; at > 0; at = last[at] {
		changes = append(changes, at)
	}
	for i, j := 0, len(changes)-1; i < j; i, j = i+1, j-1 {
		changes[i], changes[j] = changes[j], changes[i]
	}
	return changes
}

// dominated reports whether a last segment that begins at k is worse than a change minSegment-1 before end, and
// so will never be the best again.
func (c *costs) dominated(best []float64, k, end, minSegment int) bool {
	at := end - minSegment + 1
	return at-k >= minSegment && best[k]+c.cost(k, at) > best[at]
}
