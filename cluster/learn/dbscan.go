package learn

import (
	"context"
	"fmt"
	"math"
)

// Noise is the label of a row that belongs to no group.
const Noise = -1

// DBSCAN groups rows that are dense: M. Ester, H.-P. Kriegel, J. Sander and X. Xu (KDD 1996). A row with
// at least minRows rows within the distance radius, itself included, is a core; cores within the radius of
// each other are of one group, and so is any other row within the radius of a core. The rest is [Noise].
// Distances are Euclidean.
//
// A row that is near the cores of several groups is given to the nearest core's, where the original gives
// it to the first found. Groups are numbered by their first row.
func DBSCAN(ctx context.Context, m *Matrix, radius float64, minRows int) ([]int, error) {
	if err := m.check(); err != nil {
		return nil, err
	}
	if !(radius > 0) || minRows < 1 {
		return nil, fmt.Errorf("learn: DBSCAN with radius %v and at least %d rows", radius, minRows)
	}
	n, limit := len(m.Rows), radius*radius
	core := make([]bool, n)
	for i := range n {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		count := 0
		for j := 0; j < n && count < minRows; j++ {
			if distance2(m.Row(i), m.Row(j)) <= limit {
				count++
			}
		}
		core[i] = count >= minRows
	}
	labels := make([]int, n)
	for i := range labels {
		labels[i] = Noise
	}
	groups := 0
	var stack []int
	for first := range n {
		if !core[first] || labels[first] != Noise {
			continue
		}
		labels[first] = groups
		stack = append(stack[:0], first)
		for len(stack) > 0 {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			i := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			for j := range n {
				if core[j] && labels[j] == Noise && distance2(m.Row(i), m.Row(j)) <= limit {
					labels[j] = groups
					stack = append(stack, j)
				}
			}
		}
		groups++
	}
	for i := range n {
		if core[i] {
			continue
		}
		least := math.Inf(1)
		for j := range n {
			if d := distance2(m.Row(i), m.Row(j)); core[j] && d <= limit && d < least {
				least, labels[i] = d, labels[j]
			}
		}
	}
	renumber(labels)
	return labels, nil
}
