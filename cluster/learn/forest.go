package learn

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/tracewhy/tracewhy/internal/parallel"
	"github.com/tracewhy/tracewhy/internal/stats"
	"github.com/tracewhy/tracewhy/internal/stats/special"
)

// ForestConfig adjusts [GrowForest]. Its zero value is the documented default.
//
// There is no share of rows to be called anomalous: that would be a number of anomalies that is found
// whether there are any. [Outliers] compares with a baseline instead.
type ForestConfig struct {
	Trees   int // how many; 0 means 100
	Sample  int // how many rows each is grown on, drawn without replacement; 0 means 256
	Seed    uint64
	Workers int // bounds the goroutines; 0 means GOMAXPROCS. It never changes the result.
}

// Forest is an Isolation Forest: F. T. Liu, K. M. Ting and Z.-H. Zhou (ICDM 2008,
// doi:10.1109/ICDM.2008.17). Its trees cut random columns at random places, and what is unlike the rest is
// soon alone.
//
// Scores are for ranking. How high one must be to mean anything depends on the data: see [Outliers]. Known
// failures: what is unusual only in the combination of many columns looks ordinary, and what lies beyond
// the extremes that the trees have seen looks as anomalous as the extremes, and no more.
type Forest struct {
	columns int
	depth   float64 // expected depth of a row in a random tree of the sample's size
	trees   [][]forestNode
}

// forestNode is a node of a tree. Its children are beside each other in the slice.
type forestNode struct {
	column int32
	left   int32 // the first child; 0 for a leaf
	at     float64
	depth  float64 // of a leaf: how deep its rows are, or would be
}

// GrowForest grows a forest on the rows. Columns need not be scaled.
func GrowForest(ctx context.Context, m *Matrix, cfg ForestConfig) (*Forest, error) {
	if err := m.check(); err != nil {
		return nil, err
	}
	if len(m.Rows) == 0 {
		return nil, fmt.Errorf("learn: a forest of no rows")
	}
	if cfg.Trees <= 0 {
		cfg.Trees = 100
	}
	if cfg.Sample <= 0 {
		cfg.Sample = 256
	}
	size := min(cfg.Sample, len(m.Rows))
	f := &Forest{columns: len(m.Columns), depth: expectedDepth(size), trees: make([][]forestNode, cfg.Trees)}
	keys := rowKeys(m)
	err := parallel.For(ctx, cfg.Workers, cfg.Trees, func(i int) {
		f.trees[i] = growIsolation(m, forestSample(keys, size, cfg.Seed, uint64(i)), cfg.Seed, uint64(i))
	})
	if err != nil {
		return nil, err
	}
	return f, nil
}

// forestSample draws rows for a tree: those whose own random numbers are the smallest.
func forestSample(keys [][2]uint64, size int, seed, tree uint64) []int {
	type draw struct {
		order uint64
		row   int
	}
	draws := make([]draw, len(keys))
	for i, k := range keys {
		draws[i] = draw{stats.NewRand(seed, stats.Key("sample"), tree, k[0], k[1]).Uint64(), i}
	}
	slices.SortFunc(draws, func(a, b draw) int { return cmp.Or(cmp.Compare(a.order, b.order), cmp.Compare(a.row, b.row)) })
	rows := make([]int, size)
	for i := range rows {
		rows[i] = draws[i].row
	}
	return rows
}

// growIsolation grows a tree down to the depth that an average row has. The random numbers of a node
// depend on its place in the tree, and cuts on the extremes of its rows: not on their order.
func growIsolation(m *Matrix, rows []int, seed, tree uint64) []forestNode {
	limit := 0
	for 1<<limit < len(rows) {
		limit++
	}
	type task struct {
		node  int
		rows  []int
		depth int
		place uint64
	}
	nodes := []forestNode{{}}
	stack := []task{{0, rows, 0, 1}}
	for len(stack) > 0 {
		t := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		r := stats.NewRand(seed, stats.Key("cut"), tree, t.place)
		column, at := -1, 0.0
		if len(t.rows) > 1 && t.depth < limit {
			column, at = randomCut(m, t.rows, r)
		}
		if column < 0 {
			nodes[t.node].depth = float64(t.depth) + expectedDepth(len(t.rows))
			continue
		}
		left := 0
		for i, row := range t.rows {
			if number(m.Row(row)[column]) <= at {
				t.rows[left], t.rows[i] = row, t.rows[left]
				left++
			}
		}
		first := len(nodes)
		nodes[t.node] = forestNode{column: int32(column), left: int32(first), at: at}
		nodes = append(nodes, forestNode{}, forestNode{})
		stack = append(stack,
			task{first, t.rows[:left], t.depth + 1, 2 * t.place},
			task{first + 1, t.rows[left:], t.depth + 1, 2*t.place + 1})
	}
	return nodes
}

// randomCut chooses a column in which the rows differ, all equally likely, and a place between its
// extremes; the column is -1 if all rows are equal.
func randomCut(m *Matrix, rows []int, r *stats.Rand) (column int, at float64) {
	column = -1
	var low, high float64
	differing := 0
	for j := range m.Columns {
		least, most := math.Inf(1), math.Inf(-1)
		for _, row := range rows {
			x := number(m.Row(row)[j])
			least, most = min(least, x), max(most, x)
		}
		if least == most {
			continue
		}
		differing++
		if r.IntN(differing) == 0 {
			column, low, high = j, least, most
		}
	}
	if column < 0 {
		return column, 0
	}
	at = low + float64(r.Float64()*(high-low))
	if !(at >= low && at < high) { // rounding, or an extreme that is infinite
		at = low
	}
	return column, at
}

// expectedDepth is the mean depth at which a search for something that is not in a random binary search
// tree of n keys ends: c(n) of Liu et al.
func expectedDepth(n int) float64 {
	switch {
	case n < 2:
		return 0
	case n == 2:
		return 1
	}
	const euler = 0.57721566490153286061
	return 2*(special.Log(float64(n-1))+euler) - 2*float64(n-1)/float64(n)
}

// Score returns how anomalous a row is, from 0 to 1: 2 to the power of minus its mean depth in the trees,
// in units of the depth that is expected. About 0.5 is ordinary. It is NaN for a row of another length.
func (f *Forest) Score(row []float64) float64 {
	if len(row) != f.columns {
		return math.NaN()
	}
	sum := 0.0
	for _, tree := range f.trees {
		at := &tree[0]
		for at.left > 0 {
			if number(row[at.column]) <= at.at {
				at = &tree[at.left]
			} else {
				at = &tree[at.left+1]
			}
		}
		sum += at.depth
	}
	if f.depth == 0 {
		return 0.5
	}
	return special.Exp(-math.Ln2 * (sum / float64(len(f.trees)) / f.depth))
}

// Outlier says how a row compares with a baseline.
type Outlier struct {
	Score float64 // of the forest that was grown on one half of the baseline
	P     float64 // the conformal p-value: the share of the other half that scores as high, the row included
	Q     float64 // P adjusted for the number of rows: the expected share of false ones among those with a Q as low
}

// Outliers compares each row of m with those of a baseline that has the same columns. A forest grown on one
// half of the baseline scores the other half and m, and a row's p-value is its rank among them: valid
// whatever the distribution, if the baseline's rows and an ordinary row are exchangeable. Q is by Benjamini
// and Hochberg's method, which holds for such p-values although they share a baseline (S. Bates, E. Candès,
// L. Lei, Y. Romano and M. Sesia, 2023, Annals of Statistics 51:149-178).
//
// No P is below 1/(n/2+1) for a baseline of n rows: if that is not small against the share of outliers,
// nothing is found.
func Outliers(ctx context.Context, baseline, m *Matrix, cfg ForestConfig) ([]Outlier, error) {
	if err := cmp.Or(baseline.check(), m.check()); err != nil {
		return nil, err
	}
	if !slices.Equal(baseline.Columns, m.Columns) {
		return nil, fmt.Errorf("learn: the baseline has other columns")
	}
	if len(baseline.Rows) < 2 {
		return nil, fmt.Errorf("learn: a baseline of %d rows", len(baseline.Rows))
	}
	order := forestSample(rowKeys(baseline), len(baseline.Rows), cfg.Seed, math.MaxUint64)
	half := len(order) / 2
	train := NewMatrix(make([]string, half), baseline.Columns)
	for i, row := range order[:half] {
		train.Rows[i] = baseline.Rows[row]
		copy(train.Row(i), baseline.Row(row))
	}
	f, err := GrowForest(ctx, train, cfg)
	if err != nil {
		return nil, err
	}
	held := make([]float64, len(order)-half)
	out := make([]Outlier, len(m.Rows))
	err = parallel.For(ctx, cfg.Workers, len(held)+len(out), func(i int) {
		if i < len(held) {
			held[i] = f.Score(baseline.Row(order[half+i]))
		} else {
			out[i-len(held)].Score = f.Score(m.Row(i - len(held)))
		}
	})
	if err != nil {
		return nil, err
	}
	slices.Sort(held)
	ps := make([]float64, len(out))
	for i := range out {
		below, _ := slices.BinarySearch(held, out[i].Score)
		ps[i] = float64(len(held)-below+1) / float64(len(held)+1)
		out[i].P = ps[i]
	}
	for i, q := range stats.BenjaminiHochberg(ps) {
		out[i].Q = q
	}
	return out, nil
}
