package learn

import (
	"context"
	"fmt"
	"math"

	"github.com/tracewhy/tracewhy/internal/stats"
	"github.com/tracewhy/tracewhy/internal/stats/special"
)

// KMeansConfig adjusts [KMeans]. Its zero value is the documented default.
type KMeansConfig struct {
	Restarts   int // how often to begin anew, keeping the best; 0 means 10
	Iterations int // at most, of each; 0 means 300
	Seed       uint64
}

// KMeansResult is a partition of rows into groups.
type KMeansResult struct {
	Labels  []int       // the group of each row; groups are numbered by their first row
	Centers [][]float64 // of each group: the mean of its rows
	Inertia float64     // the sum of squared distances of rows to their centres
}

// KMeans partitions the rows into k groups such that squared distances to the groups' means are small:
// S. P. Lloyd's iteration (1982, doi:10.1109/TIT.1982.1056489) from the random starts of D. Arthur and
// S. Vassilvitskii (k-means++, SODA 2007). Scale the columns first ([Matrix.RobustScale]): a column of
// large numbers outweighs the others.
//
// Known failure: it finds k groups of about equal extent in anything. It is an error if there are fewer
// than k different rows, or k is not positive.
func KMeans(ctx context.Context, m *Matrix, k int, cfg KMeansConfig) (*KMeansResult, error) {
	if err := m.check(); err != nil {
		return nil, err
	}
	if cfg.Restarts <= 0 {
		cfg.Restarts = 10
	}
	if cfg.Iterations <= 0 {
		cfg.Iterations = 300
	}
	if k <= 0 {
		return nil, fmt.Errorf("learn: %d groups", k)
	}
	keys := rowKeys(m)
	var best *KMeansResult
	for restart := range cfg.Restarts {
		centers, err := seeds(ctx, m, k, keys, cfg.Seed, uint64(restart))
		if err != nil {
			return nil, err
		}
		r := &KMeansResult{Centers: centers, Labels: make([]int, len(m.Rows))}
		for range cfg.Iterations {
			moved, err := r.iterate(ctx, m)
			if err != nil {
				return nil, err
			}
			if !moved {
				break
			}
		}
		if best == nil || stats.Compare(r.Inertia, best.Inertia) < 0 {
			best = r
		}
	}
	best.number()
	return best, nil
}

// rowKeys returns what random numbers for rows are keyed by: the name, and how many rows before it have it.
func rowKeys(m *Matrix) [][2]uint64 {
	seen := map[string]uint64{}
	keys := make([][2]uint64, len(m.Rows))
	for i, name := range m.Rows {
		keys[i] = [2]uint64{stats.Key(name), seen[name]}
		seen[name]++
	}
	return keys
}

// seeds chooses the first centres: each a row drawn with a probability in proportion to its squared
// distance to those before it. The draw is a race: each row's time to arrive is exponential with that
// rate, from a random number of its own, so that the order of rows does not matter.
func seeds(ctx context.Context, m *Matrix, k int, keys [][2]uint64, seed, restart uint64) ([][]float64, error) {
	near := make([]float64, len(m.Rows)) // squared distance to the nearest centre
	for i := range near {
		near[i] = 1
	}
	var centers [][]float64
	for len(centers) < k {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		first, least := -1, math.Inf(1)
		for i, d := range near {
			if d <= 0 {
				continue
			}
			u := stats.NewRand(seed, restart, uint64(len(centers)), keys[i][0], keys[i][1]).Float64()
			if arrives := -special.Log1p(-u) / d; arrives < least {
				first, least = i, arrives
			}
		}
		if first < 0 {
			return nil, fmt.Errorf("learn: %d groups of rows of which %d are different", k, len(centers))
		}
		center := append([]float64(nil), m.Row(first)...)
		for j, x := range center {
			center[j] = number(x)
		}
		for i := range near {
			if d := distance2(m.Row(i), center); len(centers) == 0 || d < near[i] {
				near[i] = d
			}
		}
		centers = append(centers, center)
	}
	return centers, nil
}

// iterate gives each row to its nearest centre, and moves the centres to the means of their rows. It
// reports whether any row changed its group.
func (r *KMeansResult) iterate(ctx context.Context, m *Matrix) (moved bool, err error) {
	k, d := len(r.Centers), len(m.Columns)
	sums, counts := make([]float64, k*d), make([]int, k)
	r.Inertia = 0
	for i := range m.Rows {
		if i&0xfff == 0 && ctx.Err() != nil {
			return false, ctx.Err()
		}
		row := m.Row(i)
		group, least := 0, math.Inf(1)
		for g, c := range r.Centers {
			if x := distance2(row, c); x < least {
				group, least = g, x
			}
		}
		if r.Labels[i] != group {
			r.Labels[i], moved = group, true
		}
		r.Inertia += least
		counts[group]++
		for j, x := range row {
			sums[group*d+j] += number(x)
		}
	}
	r.settle(m, sums, counts)
	return moved, nil
}

// settle moves the centres. One that lost all of its rows stays where it is.
func (r *KMeansResult) settle(m *Matrix, sums []float64, counts []int) {
	d := len(m.Columns)
	for g, n := range counts {
		if n == 0 {
			continue
		}
		for j := range d {
			r.Centers[g][j] = sums[g*d+j] / float64(n)
		}
	}
}

// number numbers the groups by their first row.
func (r *KMeansResult) number() {
	to := renumber(r.Labels)
	centers := make([][]float64, 0, len(r.Centers))
	old := make([]int, len(to))
	for from, n := range to {
		old[n] = from
	}
	for _, from := range old {
		centers = append(centers, r.Centers[from])
	}
	r.Centers = centers
}

// renumber numbers labels by their first occurrence, leaving out negative ones, and returns the new number
// of each old one.
func renumber(labels []int) map[int]int {
	to := map[int]int{}
	for i, l := range labels {
		if l < 0 {
			continue
		}
		if _, ok := to[l]; !ok {
			to[l] = len(to)
		}
		labels[i] = to[l]
	}
	return to
}
