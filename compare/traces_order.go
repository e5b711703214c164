package compare

import (
	"cmp"
	"hash/fnv"
	"slices"
)

// weightSum orders subsequences: by spans, and between those that have as many, by a sum of hashes of
// their keys, which is the same whichever trace is called left.
type weightSum struct{ spans, hashes uint64 }

func (w weightSum) compare(x weightSum) int {
	return cmp.Or(cmp.Compare(w.spans, x.spans), cmp.Compare(w.hashes, x.hashes))
}

func (w weightSum) plus(x weightSum) weightSum {
	return weightSum{w.spans + x.spans, w.hashes + x.hashes}
}

// orderGroups finds the heaviest subsequence of the groups that both sides have in one order, and sorts
// the groups so that it is in order, and each other group where it comes on the side that has it. The
// groups are given by key.
func orderGroups(groups []*siblingGroup) {
	chain := heaviestChain(groups)
	for _, g := range chain {
		g.chain = true
	}
	for side := range 2 {
		bySide := slices.DeleteFunc(slices.Clone(groups), func(g *siblingGroup) bool { return g.place[side] < 0 })
		slices.SortFunc(bySide, func(x, y *siblingGroup) int { return cmp.Compare(x.place[side], y.place[side]) })
		passed := 0
		for _, g := range bySide {
			if g.chain {
				g.gap = passed
				passed++
			} else if side == leftSide || g.place[leftSide] < 0 {
				g.gap = passed
			} else {
				g.gap = min(g.gap, passed)
			}
		}
	}
	slices.SortFunc(groups, func(x, y *siblingGroup) int {
		// What comes behind n groups of the chain is before the one that does so as part of the chain.
		last := 0
		if x.chain != y.chain {
			last = 1
			if y.chain {
				last = -1
			}
		}
		return cmp.Or(cmp.Compare(x.gap, y.gap), last, cmp.Compare(x.offset, y.offset), x.key.compare(y.key))
	})
}

// heaviestChain returns the heaviest subsequence in the order of both sides.
func heaviestChain(groups []*siblingGroup) []*siblingGroup {
	both := slices.DeleteFunc(slices.Clone(groups), func(g *siblingGroup) bool { return g.place[leftSide] < 0 || g.place[rightSide] < 0 })
	slices.SortFunc(both, func(x, y *siblingGroup) int { return cmp.Compare(x.place[leftSide], y.place[leftSide]) })
	places := 0
	for _, g := range both {
		places = max(places, g.place[rightSide]+1)
	}
	sums := make([]weightSum, len(both))
	before := make([]int, len(both))
	heaviest := make([]int, places+1) // a Fenwick tree of maxima over places on the right: group + 1
	best := -1
	for i, g := range both {
		before[i] = -1
		for at := g.place[rightSide]; at > 0; at &= at - 1 {
			if x := heaviest[at] - 1; x >= 0 && (before[i] < 0 || sums[x].compare(sums[before[i]]) > 0) {
				before[i] = x
			}
		}
		sums[i] = g.weight()
		if before[i] >= 0 {
			sums[i] = sums[i].plus(sums[before[i]])
		}
		for at := g.place[rightSide] + 1; at <= places; at += at & -at {
			if x := heaviest[at] - 1; x < 0 || sums[i].compare(sums[x]) > 0 {
				heaviest[at] = i + 1
			}
		}
		if best < 0 || sums[i].compare(sums[best]) > 0 {
			best = i
		}
	}
	var chain []*siblingGroup
	for ; best >= 0; best = before[best] {
		chain = append(chain, both[best])
	}
	slices.Reverse(chain)
	return chain
}

func (g *siblingGroup) weight() weightSum {
	h := fnv.New32a()
	h.Write([]byte(g.key.service + "\x00" + g.key.operation + "\x00" + g.key.kind.String()))
	return weightSum{uint64(len(g.spans[leftSide]) + len(g.spans[rightSide])), uint64(h.Sum32())}
}
