package cluster

import (
	"cmp"
	"context"
	"slices"

	"github.com/tracewhy/tracewhy"
)

// finding is how a sample was divided.
type finding struct {
	members    []membership
	medoids    []tracewhy.Trace
	boundary   [][]tracewhy.Trace
	stability  []float64
	separation []float64
	p          []float64
	unsure     int // divisions that were not made
}

// group is a mode of a sample, or what may be several.
type group struct {
	members   []int
	stability float64
	p         float64
}

// divide finds the modes of a sample.
func (p *splitter) divide(ctx context.Context, sample []profile) (*finding, error) {
	d, err := newDistances(ctx, sample, p.workers)
	if err != nil {
		return nil, err
	}
	paths := make([]tracewhy.PathID, len(sample))
	for i := range sample {
		paths[i] = sample[i].path
	}
	all := inOrder(len(sample))
	origins := d.total(all, originOnly, identity(len(sample)))
	kinds, err := p.kinds(ctx, origins, p.minSize, 0)
	if err != nil {
		return nil, err
	}
	stability, err := p.again(ctx, origins, kinds, p.kinds, 0)
	if err != nil {
		return nil, err
	}
	f := &finding{}
	stack := kinds.parts(all, stability, 0)
	var modes []group
	for round := uint64(1); len(stack) > 0; round++ {
		g := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		s, pValue, stability, err := p.test(ctx, d, paths, g.members, round)
		if err != nil {
			return nil, err
		}
		if s.groups > 0 {
			stack = append(stack, s.parts(g.members, stability, pValue)...)
			continue
		}
		if pValue < 1 {
			f.unsure++
		}
		modes = append(modes, g)
	}
	slices.SortFunc(modes, func(a, b group) int { return cmp.Compare(a.members[0], b.members[0]) })
	labels := make([]int, len(sample))
	for i := range labels {
		labels[i] = len(modes) // noise
	}
	for l, g := range modes {
		f.stability, f.p = append(f.stability, g.stability), append(f.p, g.p)
		for _, i := range g.members {
			labels[i] = l
		}
	}
	f.exemplify(d.total(all, facetWeight, identity(len(sample))), labels, sample)
	return f, nil
}

// parts returns the groups of a split of members.
func (s *split) parts(members []int, stability []float64, p float64) []group {
	out := make([]group, s.groups)
	for i, l := range s.labels {
		if l >= 0 {
			out[l].members = append(out[l].members, members[i])
		}
	}
	for l := range out {
		out[l].stability, out[l].p = stability[l], p
	}
	return out
}
