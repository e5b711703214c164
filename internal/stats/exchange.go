package stats

import (
	"encoding/binary"
	"slices"
)

// NewClusterRelabellings returns replicates relabellings for units that depend on each other within clusters:
// the labels of one cluster are given, in their order, to another of as many units of the same strata.
// clusters[i] is the cluster of unit i; a negative one says that the unit is a cluster of its own. alone is
// how many clusters have no other that is like them, and keep their labels.
//
// Clusters need exchangeable labels, in the order of their units; units within them need not.
func NewClusterRelabellings(labels []bool, strata, clusters []int, replicates int, seed uint64) (r *Relabellings, alone int) {
	number := map[int]int{}
	var members [][]int // of each cluster
	for unit, c := range clusters {
		k, ok := number[c]
		if !ok || c < 0 {
			k = len(members)
			number[c] = k
			members = append(members, nil)
		}
		members[k] = append(members[k], unit)
	}
	alike := map[string]int{}
	var groups [][][]int
	var shape []byte
	for _, units := range members {
		slices.SortStableFunc(units, func(x, y int) int { return strata[x] - strata[y] })
		shape = shape[:0]
		for _, unit := range units {
			shape = binary.AppendUvarint(shape, uint64(strata[unit]))
		}
		g, ok := alike[string(shape)]
		if !ok {
			g = len(groups)
			alike[string(shape)] = g
			groups = append(groups, nil)
		}
		groups[g] = append(groups[g], units)
	}
	for _, g := range groups {
		if len(g) == 1 {
			alone++
		}
	}
	r = &Relabellings{labels: slices.Clone(labels), n: orDefault(replicates), seed: seed}
	r.other = func(i int, dst []bool) {
		random := NewRand(seed, uint64(i))
		for _, g := range groups {
			from := slices.Clone(g)
			for k := len(from) - 1; k > 0; k-- {
				j := random.IntN(k + 1)
				from[k], from[j] = from[j], from[k]
			}
			for k, units := range g {
				for x, unit := range units {
					dst[unit] = r.labels[from[k][x]]
				}
			}
		}
	}
	return r, alone
}

// NewRotations returns relabellings for units in the order of time whose labels depend on those before, as
// attributes may as well: the labels of each stratum are turned round as a ring, all strata by the same part
// of their length, so that what follows what stays. There are up to replicates of them, and fewer than the
// largest stratum has units.
//
// The test is valid for stationary series that are long beside what they remember: the only break is where
// the ring closes.
func NewRotations(labels []bool, strata []int, replicates int) *Relabellings {
	var members [][]int
	for unit, s := range strata {
		for s >= len(members) {
			members = append(members, nil)
		}
		members[s] = append(members[s], unit)
	}
	longest := 0
	for _, units := range members {
		longest = max(longest, len(units))
	}
	r := &Relabellings{labels: slices.Clone(labels), n: min(orDefault(replicates), max(longest-1, 0))}
	step := max(1, (r.n+1)*5/8) // neighbours are alike: take them far apart
	for gcd(step, r.n+1) > 1 {
		step++
	}
	r.other = func(i int, dst []bool) {
		turn := (i + 1) * step % (r.n + 1)
		for _, units := range members {
			shift := turn * len(units) / (r.n + 1)
			for k, unit := range units {
				dst[units[(k+shift)%len(units)]] = r.labels[unit]
			}
		}
	}
	return r
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
