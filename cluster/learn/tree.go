package learn

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/tracewhy/tracewhy/internal/stats"
)

// TreeConfig adjusts [GrowTree]. Its zero value is the documented default: a tree that can be read.
type TreeConfig struct {
	Depth   int // how many conditions a rule may have; 0 means 3
	MinLeaf int // how many rows each rule must hold for; 0 means 5
}

// Tree is a classification tree (CART: L. Breiman, J. H. Friedman, R. A. Olshen and C. J. Stone, 1984). It
// explains classes by conditions on columns, and prints as rules.
//
// It is greedy: a class that only a combination of columns tells, none of which helps alone, it does not
// find. And it tests nothing: it has rules for random classes as well. Package compare is for that.
type Tree struct {
	columns []string
	nodes   []treeNode
}

type treeNode struct {
	column, left int // left is the first child, 0 for a leaf
	at           float64
	class, n, of int // the most frequent class, and how many of the node's rows have it
}

// GrowTree grows a tree that tells the classes of rows: class[i] is that of row i. Each cut is the one,
// between two values of a column, that lowers Gini's impurity most; of equal ones that of the first column,
// then the lowest. A node without such a cut, of one class, or at the greatest depth, is a leaf.
func GrowTree(ctx context.Context, m *Matrix, class []int, cfg TreeConfig) (*Tree, error) {
	if err := m.check(); err != nil {
		return nil, err
	}
	if len(class) != len(m.Rows) || len(class) == 0 {
		return nil, fmt.Errorf("learn: a tree of %d rows and %d classes", len(m.Rows), len(class))
	}
	if cfg.Depth <= 0 {
		cfg.Depth = 3
	}
	if cfg.MinLeaf <= 0 {
		cfg.MinLeaf = 5
	}
	values := slices.Clone(class)
	slices.Sort(values)
	values = slices.Compact(values)
	number := make([]int, len(class)) // of each row, its class's place in values
	for i, c := range class {
		number[i], _ = slices.BinarySearch(values, c)
	}
	type task struct {
		node, depth int
		rows        []int
	}
	all := make([]int, len(class))
	for i := range all {
		all[i] = i
	}
	t := &Tree{columns: m.Columns, nodes: make([]treeNode, 1)}
	stack := []task{{0, 0, all}}
	for len(stack) > 0 {
		k := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		counts := make([]int, len(values))
		for _, row := range k.rows {
			counts[number[row]]++
		}
		most := 0
		for c, n := range counts {
			if n > counts[most] {
				most = c
			}
		}
		leaf := treeNode{class: values[most], n: counts[most], of: len(k.rows)}
		t.nodes[k.node] = leaf
		if k.depth == cfg.Depth || leaf.n == leaf.of {
			continue
		}
		column, at, err := bestCut(ctx, m, k.rows, number, counts, cfg.MinLeaf)
		if err != nil {
			return nil, err
		}
		if column < 0 {
			continue
		}
		var below, above []int
		for _, row := range k.rows {
			if treeValue(m, row, column) <= at {
				below = append(below, row)
			} else {
				above = append(above, row)
			}
		}
		leaf.column, leaf.at, leaf.left = column, at, len(t.nodes)
		t.nodes[k.node] = leaf
		t.nodes = append(t.nodes, treeNode{}, treeNode{})
		stack = append(stack, task{leaf.left, k.depth + 1, below}, task{leaf.left + 1, k.depth + 1, above})
	}
	return t, nil
}

func treeValue(m *Matrix, row, column int) float64 {
	return number(m.Values[row*len(m.Columns)+column])
}

// bestCut returns the cut that leaves the least impurity, or column -1 if none lowers it.
func bestCut(ctx context.Context, m *Matrix, rows, class, counts []int, minLeaf int) (column int, at float64, err error) {
	// n times the purity of a node is the sum of its squared class counts, over n: the larger, the purer.
	purity := func(squares, n int) float64 { return float64(squares) / float64(n) }
	squares := 0
	for _, c := range counts {
		squares += c * c
	}
	column = -1
	best := purity(squares, len(rows))
	sorted := slices.Clone(rows)
	below, above := make([]int, len(counts)), make([]int, len(counts))
	for j := range m.Columns {
		if ctx.Err() != nil {
			return -1, 0, ctx.Err()
		}
		slices.SortFunc(sorted, func(a, b int) int { return cmp.Compare(treeValue(m, a, j), treeValue(m, b, j)) })
		clear(below)
		copy(above, counts)
		squaresBelow, squaresAbove := 0, squares
		for i, row := range sorted[:len(sorted)-1] {
			c := class[row]
			squaresBelow += 2*below[c] + 1
			squaresAbove -= 2*above[c] - 1
			below[c]++
			above[c]--
			x, next := treeValue(m, row, j), treeValue(m, sorted[i+1], j)
			if x == next || i+1 < minLeaf || len(sorted)-i-1 < minLeaf {
				continue
			}
			if p := purity(squaresBelow, i+1) + purity(squaresAbove, len(sorted)-i-1); stats.Compare(p, best) > 0 {
				best, column, at = p, j, x+(next-x)/2
				if !(at >= x && at < next) { // rounding, or infinite values
					at = x
				}
			}
		}
	}
	return column, at, nil
}

// Predict returns the class of a row, or -1 for one of another length.
func (t *Tree) Predict(row []float64) int {
	if len(row) != len(t.columns) {
		return -1
	}
	at := &t.nodes[0]
	for at.left > 0 {
		if number(row[at.column]) <= at.at {
			at = &t.nodes[at.left]
		} else {
			at = &t.nodes[at.left+1]
		}
	}
	return at.class
}

// Rule is a way through a tree: rows that meet all conditions are of a class.
type Rule struct {
	Conditions []string // such as "calls of store" > 2.5
	Class      int
	N, Of      int // of so many rows that meet the conditions, N are of the class
}

// String returns the rule in words.
func (r Rule) String() string {
	if len(r.Conditions) == 0 {
		return fmt.Sprintf("always: %d (%d of %d)", r.Class, r.N, r.Of)
	}
	return fmt.Sprintf("if %s: %d (%d of %d)", strings.Join(r.Conditions, " and "), r.Class, r.N, r.Of)
}

// Rules returns the tree's rules, one for each leaf, from left to right. Two conditions on the same side of
// one column are one.
func (t *Tree) Rules() []Rule {
	type bound struct {
		column int
		above  bool
		at     float64
	}
	type task struct {
		node   int
		bounds []bound
	}
	var out []Rule
	stack := []task{{}}
	for len(stack) > 0 {
		k := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		n := t.nodes[k.node]
		if n.left == 0 {
			r := Rule{Class: n.class, N: n.n, Of: n.of}
			for _, b := range k.bounds {
				sign := "≤"
				if b.above {
					sign = ">"
				}
				r.Conditions = append(r.Conditions, fmt.Sprintf("%q %s %s", t.columns[b.column], sign, format(b.at)))
			}
			out = append(out, r)
			continue
		}
		with := func(above bool) []bound {
			bounds := slices.Clone(k.bounds)
			i := slices.IndexFunc(bounds, func(b bound) bool { return b.column == n.column && b.above == above })
			if i < 0 {
				return append(bounds, bound{n.column, above, n.at})
			}
			bounds[i].at = n.at // deeper, so tighter
			return bounds
		}
		stack = append(stack, task{n.left + 1, with(true)}, task{n.left, with(false)})
	}
	return out
}

// String returns the rules, a line each.
func (t *Tree) String() string {
	var b strings.Builder
	for _, r := range t.Rules() {
		fmt.Fprintln(&b, r)
	}
	return b.String()
}

func format(x float64) string {
	if math.Abs(x) >= 1e6 {
		return strconv.FormatFloat(x, 'g', 4, 64)
	}
	return strconv.FormatFloat(x, 'g', 5, 64)
}
