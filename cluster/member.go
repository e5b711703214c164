package cluster

import (
	"context"
	"slices"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/parallel"
	"github.com/tracewhy/tracewhy/internal/stats"
)

// membership is what a trace must be like to be of a mode.
type membership struct {
	like  []profile // representatives
	limit float64   // the largest mean distance to those
}

// leastLimit is how unlike a mode's representatives a trace may be however alike those are: as one that fails
// in the same way, but in another operation.
const leastLimit = 0.15

// exemplify chooses each mode's medoid, boundary and representatives.
func (f *finding) exemplify(s square, labels []int, sample []profile) {
	k := len(f.stability)
	size := make([]int, k+1)
	for _, l := range labels {
		size[l]++
	}
	type member struct {
		row         int
		own, margin float64 // the mean distance to its own mode, and the silhouette
	}
	members := make([][]member, k)
	for i, l := range labels {
		if l == k {
			continue
		}
		sums := make([]float64, k+1)
		for j, x := range s.row(i) {
			sums[labels[j]] += float64(x)
		}
		m := member{row: i, own: sums[l] / float64(max(size[l]-1, 1)), margin: 1}
		if k == 1 {
			m.margin = -m.own // what is least like the others
		}
		for g := range k {
			if g == l {
				continue
			}
			if b := sums[g] / float64(size[g]); max(b, m.own) > 0 {
				m.margin = min(m.margin, (b-m.own)/max(b, m.own))
			}
		}
		members[l] = append(members[l], m)
	}
	for _, list := range members {
		sum := 0.0
		for _, m := range list {
			sum += m.margin
		}
		if k == 1 {
			sum = 0
		}
		f.separation = append(f.separation, sum/float64(len(list)))
		slices.SortStableFunc(list, func(a, b member) int { return stats.Compare(a.own, b.own) })
		medoid := list[0].row
		like := []int{medoid}
		for i := 1; i < representatives && i < len(list); i++ {
			like = append(like, list[i*(len(list)-1)/max(min(representatives, len(list))-1, 1)].row)
		}
		limit := 0.0
		for _, m := range list {
			sum, n := 0.0, 0
			for _, other := range like {
				if other != m.row {
					sum += s.of(m.row, other)
					n++
				}
			}
			limit = max(limit, sum/float64(max(n, 1)))
		}
		slices.SortStableFunc(list, func(a, b member) int { return stats.Compare(a.margin, b.margin) })
		var edge []tracewhy.Trace
		for _, m := range list {
			if m.row != medoid && len(edge) < exemplars {
				edge = append(edge, sample[m.row].trace)
			}
		}
		f.medoids, f.boundary = append(f.medoids, sample[medoid].trace), append(f.boundary, edge)
		f.members = append(f.members, membership{pick(sample, like), max(limit, leastLimit)})
	}
}

// assign returns the mode of each profile, or -1: the one that it is most like, if it is as like it as the
// mode's own traces are. What lacks spans belongs to the mode that says the same, else.
func (r *ModesResult) assign(ctx context.Context, profiles []profile, workers int) ([]int, error) {
	out := make([]int, len(profiles))
	err := parallel.For(ctx, workers, len(profiles), func(i int) {
		p := &profiles[i]
		out[i] = r.nearest(p, distance, func(m *membership) float64 { return m.limit })
		if out[i] < 0 && p.lacks && p.what.message != "" {
			says := func(a, b *profile) float64 { return a.what.apart(b.what) }
			out[i] = r.nearest(p, says, func(*membership) float64 { return kindsApart })
		}
	})
	return out, err
}

// nearest returns the mode whose representatives are nearest on average, and not farther than the limit, or -1.
func (r *ModesResult) nearest(p *profile, apart func(a, b *profile) float64, limit func(*membership) float64) int {
	best, least := -1, 0.0
	for g := range r.members {
		m := &r.members[g]
		sum, n := 0.0, 0
		for k := range m.like {
			if m.like[k].trace != p.trace {
				sum += apart(p, &m.like[k])
				n++
			}
		}
		mean := sum / float64(max(n, 1))
		if mean > limit(m)+1e-6 { // the limit has the precision of a float32
			continue
		}
		if best < 0 || stats.Compare(mean, least) < 0 {
			best, least = g, mean
		}
	}
	return best
}
