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

// exemplify chooses each mode's medoid, boundary and representatives. Label len(f.stability) is noise.
func (f *finding) exemplify(s square, labels []int, sample []profile) {
	k := len(f.stability)
	for _, list := range s.sampled(labels, k) {
		sum := 0.0
		for _, m := range list {
			sum += m.margin
		}
		if k == 1 {
			sum = 0
		}
		f.separation = append(f.separation, sum/float64(len(list)))
		slices.SortStableFunc(list, func(a, b sampled) int { return stats.Compare(a.own, b.own) })
		medoid := list[0].row
		like := []int{medoid} // and others, from the most to the least like it
		for i := 1; i < representatives && i < len(list); i++ {
			like = append(like, list[i*(len(list)-1)/(min(representatives, len(list))-1)].row)
		}
		limit := leastLimit
		for _, m := range list {
			limit = max(limit, s.mean(m.row, like))
		}
		slices.SortStableFunc(list, func(a, b sampled) int { return stats.Compare(a.margin, b.margin) })
		var edge []tracewhy.Trace
		for _, m := range list {
			if m.row != medoid && len(edge) < exemplars {
				edge = append(edge, sample[m.row].trace)
			}
		}
		f.medoids, f.boundary = append(f.medoids, sample[medoid].trace), append(f.boundary, edge)
		f.members = append(f.members, membership{pick(sample, like), limit})
	}
}

// sampled is a trace of the sample that is of a mode.
type sampled struct {
	row    int
	own    float64 // the mean distance to the others of its mode
	margin float64 // the silhouette; of a single mode, the less the farther from the others
}

// sampled returns the members of each of k modes.
func (s square) sampled(labels []int, k int) [][]sampled {
	size := make([]int, k+1)
	for _, l := range labels {
		size[l]++
	}
	members := make([][]sampled, k)
	sums := make([]float64, k+1)
	for i, l := range labels {
		if l == k {
			continue
		}
		clear(sums)
		for j, x := range s.row(i) {
			sums[labels[j]] += float64(x)
		}
		m := sampled{row: i, own: sums[l] / float64(max(size[l]-1, 1)), margin: 1}
		if k == 1 {
			m.margin = -m.own
		}
		for g := range k {
			b := sums[g] / float64(size[g])
			if most := max(b, m.own); g != l && most > 0 {
				m.margin = min(m.margin, (b-m.own)/most)
			}
		}
		members[l] = append(members[l], m)
	}
	return members
}

// mean returns the mean distance of row i to others; it does not count itself.
func (s square) mean(i int, others []int) float64 {
	sum, n := 0.0, 0
	for _, j := range others {
		if j != i {
			sum += s.of(i, j)
			n++
		}
	}
	return sum / float64(max(n, 1))
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
