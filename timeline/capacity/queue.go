package capacity

import (
	"context"
	"slices"
	"time"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/timeline/internal/bins"
)

const (
	shortestQueue = 5   // bins in which it grows
	queueGrowth   = 4   // times what is usual, at the peak
	queueLeast    = 10  // and how many more than that
	queueSlower   = 1.5 // times what it took before, at the peak
	queueSteady   = 0.8 // of the steps up to the peak do not lead down
)

// Queues returns the resources at which queues grew, with these alone: it takes less time than [Resources], which
// looks for limits. Of traces of which a sample was taken there are none. Its error is [ErrNoTraces] or that of ctx.
func Queues(ctx context.Context, traces tracewhy.Cohort, cfg ResourcesConfig) ([]Resource, error) {
	cfg = cfg.withDefaults()
	grid, _, ok := bins.LayOut(traces, cfg.bins())
	if !ok {
		return nil, ErrNoTraces
	}
	var out []Resource
	for _, kind := range cfg.Kinds {
		users := newUsers(kind)
		if err := users.read(ctx, traces); err != nil {
			return nil, err
		}
		if users.isWeighted {
			return nil, nil
		}
		all, _ := users.most(cfg)
		for _, x := range all {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			if q := queues(x.uses, grid); len(q) > 0 {
				r := x.named()
				r.Queues = q
				out = append(out, r)
			}
		}
	}
	return out, nil
}

// queues finds the times in which more began than ended, for long, and took longer and longer.
func queues(uses []use, grid *bins.Bins) []Queue {
	n := len(grid.Starts)
	if n < 2*shortestQueue || len(uses) == 0 {
		return nil
	}
	starts, ends := edges(uses)
	under := make([]int, n) // how many are under way when each bin ends
	took, began := make([]int64, n), make([]int64, n)
	for _, u := range uses {
		if b, ok := grid.Of(u.start); ok {
			took[b] += u.end - u.start
			began[b]++
		}
	}
	for b, begin := range grid.Starts {
		at := begin + int64(grid.Length)
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
		for to < n && under[to] > usual && (to == from || grid.Starts[to]-grid.Starts[to-1] == int64(grid.Length)) {
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
			Start: grid.Starts[begin], Peak: grid.Starts[peak] + int64(grid.Length), Usual: usual, Most: under[peak],
			Before: mean(begin-2*third, begin+1), After: mean(peak-third, peak+1),
		}
		switch {
		case q.Most < queueGrowth*usual || q.Most < usual+queueLeast || steps < shortestQueue,
			float64(up) < float64(queueSteady*float64(steps)),
			float64(q.After) < float64(queueSlower*float64(q.Before)) || q.Before <= 0,
			// Where something takes longer, more is under way within that time, without a queue.
			int64(steps)*int64(grid.Length) < int64(q.After):
			continue
		}
		for i := peak + 1; i < n; i++ {
			if under[i] <= usual+(q.Most-usual)/10 {
				q.Drained = grid.Starts[i] + int64(grid.Length)
				break
			}
		}
		out = append(out, q)
	}
	return out
}
