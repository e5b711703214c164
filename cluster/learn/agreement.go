package learn

import (
	"fmt"
	"math"
	"slices"

	"github.com/tracewhy/tracewhy/internal/stats/special"
)

// Agreement says how well two groupings of the same things agree. Labels are names: which group has which
// number makes no difference.
type Agreement struct {
	// ARI is the adjusted Rand index (L. Hubert and P. Arabie, 1985, doi:10.1007/BF01908075): 1 for the same
	// grouping, 0 on average for random ones of the same sizes; it can be negative.
	ARI float64
	// AMI is the adjusted mutual information (N. X. Vinh, J. Epps and J. Bailey, 2010, JMLR 11:2837-2854),
	// relative to the mean of the two entropies: as ARI, and better where sizes are very different.
	AMI float64
	// Homogeneity is 1 if each group of the second grouping has things of one group of the first only,
	// completeness 1 if things of one group of the first are all in one group of the second, and V their
	// harmonic mean (A. Rosenberg and J. Hirschberg, EMNLP 2007). None is adjusted for chance: many groups
	// look good.
	Homogeneity, Completeness, V float64
}

// Agree compares a grouping with the truth. It is an error if the two are of different lengths. The labels
// of noise count as one more group.
func Agree(truth, found []int) (Agreement, error) {
	if len(truth) != len(found) {
		return Agreement{}, fmt.Errorf("learn: groupings of %d and of %d things", len(truth), len(found))
	}
	n := len(truth)
	if n == 0 {
		return Agreement{ARI: 1, AMI: 1, Homogeneity: 1, Completeness: 1, V: 1}, nil
	}
	cells, rows, columns := crosstab(truth, found)
	pairs := func(counts []int) float64 {
		sum := 0.0
		for _, c := range counts {
			sum += float64(c) * float64(c-1) / 2
		}
		return sum
	}
	together := make([]int, len(cells))
	mutual := 0.0
	for i, c := range cells {
		together[i] = c.n
		mutual += float64(float64(c.n) / float64(n) * special.Log(float64(n)*float64(c.n)/(float64(rows[c.row])*float64(columns[c.column]))))
	}
	a := Agreement{ARI: 1, AMI: 1, Homogeneity: 1, Completeness: 1}
	p, q, all := pairs(rows), pairs(columns), pairs([]int{n})
	same := len(cells) == len(rows) && len(cells) == len(columns)
	if expected := p * q / all; !same && all > 0 {
		a.ARI = (pairs(together) - expected) / ((p+q)/2 - expected)
	}
	hr, hc := entropy(rows, n), entropy(columns, n)
	if hr > 0 {
		a.Homogeneity = clamp(mutual / hr)
	}
	if hc > 0 {
		a.Completeness = clamp(mutual / hc)
	}
	if s := a.Homogeneity + a.Completeness; s > 0 {
		a.V = 2 * a.Homogeneity * a.Completeness / s
	}
	if !same {
		expected := expectedMutual(rows, columns, n)
		a.AMI = 0
		if most := (hr + hc) / 2; math.Abs(most-expected) > 1e-15 {
			a.AMI = (mutual - expected) / (most - expected)
		}
		if math.Abs(a.AMI) < 1e-14 {
			a.AMI = 0
		}
	}
	return a, nil
}

func clamp(x float64) float64 { return min(max(x, 0), 1) }

type crosscell struct{ row, column, n int }

// crosstab counts how many things have each pair of labels, and each label.
func crosstab(a, b []int) (cells []crosscell, rows, columns []int) {
	a, b = slices.Clone(a), slices.Clone(b)
	number := func(labels []int) []int {
		to := map[int]int{}
		var counts []int
		for i, l := range labels {
			if _, ok := to[l]; !ok {
				to[l] = len(to)
				counts = append(counts, 0)
			}
			labels[i] = to[l]
			counts[to[l]]++
		}
		return counts
	}
	rows, columns = number(a), number(b)
	at := map[[2]int]int{}
	for i := range a {
		key := [2]int{a[i], b[i]}
		k, ok := at[key]
		if !ok {
			k = len(cells)
			at[key] = k
			cells = append(cells, crosscell{row: a[i], column: b[i]})
		}
		cells[k].n++
	}
	return cells, rows, columns
}

func entropy(counts []int, n int) float64 {
	h := 0.0
	for _, c := range counts {
		p := float64(c) / float64(n)
		h -= float64(p * special.Log(p))
	}
	return h
}

// expectedMutual returns the mean mutual information of random groupings of the given sizes: a sum over the
// hypergeometric distribution of each pair of groups.
func expectedMutual(rows, columns []int, n int) float64 {
	sum := 0.0
	for _, a := range rows {
		for _, b := range columns {
			for k := max(1, a+b-n); k <= min(a, b); k++ {
				p := special.HypergeometricMass(float64(k), float64(a), float64(n-a), float64(b))
				sum += float64(p * float64(k) / float64(n) * special.Log(float64(n)*float64(k)/(float64(a)*float64(b))))
			}
		}
	}
	return sum
}

// Silhouette says of each of n things how much nearer it is to its own group than to the next one, from -1
// to 1 (P. J. Rousseeuw, 1987, doi:10.1016/0377-0427(87)90125-7). It is 0 for a thing that is alone in its
// group or is [Noise], and for all if there is one group. It asks for each distance twice.
//
// It is for showing, not for deciding on the number of groups: it is undefined for one.
func Silhouette(labels []int, distance func(i, j int) float64) []float64 {
	n := len(labels)
	labels = slices.Clone(labels)
	k := len(renumber(labels))
	size := make([]int, k)
	for _, l := range labels {
		if l >= 0 {
			size[l]++
		}
	}
	out := make([]float64, n)
	sums := make([]float64, k)
	for i, own := range labels {
		if own < 0 || size[own] < 2 || k < 2 {
			continue
		}
		clear(sums)
		for j, l := range labels {
			if l >= 0 && j != i {
				sums[l] += distance(i, j)
			}
		}
		a, b := sums[own]/float64(size[own]-1), math.Inf(1)
		for g, s := range sums {
			if g != own {
				b = min(b, s/float64(size[g]))
			}
		}
		if m := max(a, b); m > 0 {
			out[i] = (b - a) / m
		}
	}
	return out
}
