package compare

import (
	"context"
	"math/bits"
	"slices"
	"sync/atomic"

	"github.com/tracewhy/tracewhy/internal/parallel"
	"github.com/tracewhy/tracewhy/internal/stats"
)

// conjunctionSpace is the traces of one search as bits, stratum after stratum, and their labels in each
// relabelling. A stratum begins with a word of its own, so that counts by stratum are counts of words.
type conjunctionSpace struct {
	traces   []int32 // by bit; -1 where the last word of a stratum has room
	words    int
	strata   []*spaceStratum
	masks    [][]uint64 // by item
	affected []uint64
	labels   [][]uint64 // by relabelling
	table    *stats.LabelTable
	all      *stats.Relabellings
}

type spaceStratum struct {
	from, to       int // words
	size, affected int
	share          float64                                 // that is affected
	tails          []atomic.Pointer[stats.ConditionalTail] // by the size of a set
}

// newSpace places traces into the strata of their cells. Strata of one cohort tell nothing, and are left out.
func (s *conjunctionSearch) newSpace(ctx context.Context, traces []int32, cells []int) (*conjunctionSpace, error) {
	x := &conjunctionSpace{}
	members := make([][]int32, slices.Max(append(cells, 0))+1)
	for k, t := range traces {
		members[cells[k]] = append(members[cells[k]], t)
	}
	for _, list := range members {
		hit := 0
		for _, t := range list {
			if s.label.Has(int(t)) {
				hit++
			}
		}
		if hit == 0 || hit == len(list) {
			continue
		}
		st := &spaceStratum{from: x.words, to: x.words + (len(list)+63)/64, size: len(list), affected: hit}
		st.share, st.tails = ratio(hit, len(list)), make([]atomic.Pointer[stats.ConditionalTail], len(list)+1)
		x.strata = append(x.strata, st)
		x.words = st.to
		x.traces = append(x.traces, list...)
		for len(x.traces) < 64*x.words {
			x.traces = append(x.traces, -1)
		}
	}
	x.affected = make([]uint64, x.words)
	x.masks = make([][]uint64, len(s.items))
	place := make([]int32, len(s.traces)) // by trace, plus one
	for bit, t := range x.traces {
		if t >= 0 {
			place[t] = int32(bit + 1)
			if s.label.Has(int(t)) {
				x.affected[bit>>6] |= 1 << (bit & 63)
			}
		}
	}
	err := parallel.For(ctx, s.cfg.Workers, len(s.items), func(i int) {
		mask := make([]uint64, x.words)
		for t := range s.sets[i].All() {
			if bit := place[t] - 1; bit >= 0 {
				mask[bit>>6] |= 1 << (bit & 63)
			}
		}
		x.masks[i] = mask
	})
	if err != nil {
		return nil, err
	}
	return x, s.relabel(ctx, x)
}

// relabel draws the relabellings of a space.
func (s *conjunctionSearch) relabel(ctx context.Context, x *conjunctionSpace) error {
	var labels []bool
	var strata, clusters, bit []int
	for at, st := range x.strata {
		for i := 64 * st.from; i < 64*st.from+st.size; i++ {
			labels = append(labels, s.label.Has(int(x.traces[i])))
			strata = append(strata, at)
			bit = append(bit, i)
			if s.cluster != nil {
				clusters = append(clusters, s.cluster[x.traces[i]])
			}
		}
	}
	switch {
	case s.cluster != nil:
		x.all, _ = stats.NewClusterRelabellings(labels, strata, clusters, s.cfg.Replicates, s.cfg.Seed)
	case s.cfg.Autocorrelated:
		x.all = stats.NewRotations(labels, strata, s.cfg.Replicates)
	default:
		x.all = stats.NewRelabellings(labels, strata, s.cfg.Replicates, s.cfg.Seed)
	}
	x.labels = make([][]uint64, x.all.Len())
	var err error
	x.table, err = stats.NewLabelTable(ctx, s.cfg.Workers, 64*x.words, x.all.Len(), func(i int, dst []bool) {
		row := make([]bool, len(labels))
		x.all.At(i, row)
		mask := make([]uint64, x.words)
		clear(dst)
		for k, is := range row {
			if is {
				dst[bit[k]] = true
				mask[bit[k]>>6] |= 1 << (bit[k] & 63)
			}
		}
		x.labels[i] = mask
	})
	return err
}

// and sets dst to what is in both masks, counts it by stratum, and returns how much it is.
func (x *conjunctionSpace) and(dst, p, q []uint64, counts []int) int {
	total := 0
	for k, st := range x.strata {
		n := 0
		for w := st.from; w < st.to; w++ {
			dst[w] = p[w] & q[w]
			n += bits.OnesCount64(dst[w])
		}
		counts[k] = n
		total += n
	}
	return total
}

// count counts a mask by stratum.
func (x *conjunctionSpace) count(p []uint64, counts []int) int {
	total := 0
	for k, st := range x.strata {
		n := 0
		for _, w := range p[st.from:st.to] {
			n += bits.OnesCount64(w)
		}
		counts[k] = n
		total += n
	}
	return total
}

func countAnd(p, q []uint64) int {
	n := 0
	for i, w := range p {
		n += bits.OnesCount64(w & q[i])
	}
	return n
}

// members appends the bits of a mask.
func members(dst []int32, mask []uint64) []int32 {
	for i, w := range mask {
		for ; w != 0; w &= w - 1 {
			dst = append(dst, int32(i<<6+bits.TrailingZeros64(w)))
		}
	}
	return dst
}

// tail returns the p-values of a set with so many traces of each stratum, by how many are affected.
func (x *conjunctionSpace) tail(sizes []int) *stats.ConditionalTail {
	if len(sizes) == 1 {
		return x.tailIn(0, sizes[0])
	}
	tables := make([]stats.Table, len(x.strata))
	for k, st := range x.strata {
		tables[k] = st.table(sizes[k])
	}
	return stats.NewConditionalTail(tables) // hardly any sizes come again
}

// tailIn is [conjunctionSpace.tail] in one stratum.
func (x *conjunctionSpace) tailIn(k, size int) *stats.ConditionalTail {
	kept := &x.strata[k].tails[size]
	t := kept.Load()
	if t == nil {
		t = stats.NewConditionalTail([]stats.Table{x.strata[k].table(size)})
		kept.Store(t)
	}
	return t
}

// table returns a table with the margins of a set of so many traces.
func (st *spaceStratum) table(size int) stats.Table {
	hit := min(size, st.affected)
	return stats.Table{A: hit, B: st.affected - hit, C: size - hit, D: st.size - st.affected - size + hit}
}

// p returns the p-value of a mask.
func (x *conjunctionSpace) p(mask []uint64) float64 {
	counts := make([]int, len(x.strata))
	if x.count(mask, counts) == 0 {
		return 1
	}
	return stats.Quantise(x.tail(counts).P(countAnd(mask, x.affected)))
}

// adjusted returns how probable so small a smallest p-value is by chance.
func (x *conjunctionSpace) adjusted(smallest []float64, p float64) float64 {
	n := 0
	for _, q := range smallest {
		if q <= p {
			n++
		}
	}
	return x.all.P(n)
}

// countBound says how many traces of a set have to be affected, at least, for a p-value of at most a limit.
//
// In one stratum it is exact, and so prunes as R. E. Tarone (1990, doi:10.2307/2531456) and A. Terada et al.
// (2013, doi:10.1073/pnas.1302233110) do. In several it is a lower bound: with a probability of at least a half,
// the count in all strata but one is no less than the whole part of its mean (K. Jogdeo and S. M. Samuels, 1968,
// doi:10.1214/aoms/1177698243), so that the count in that one has to be improbable by itself.
type countBound struct {
	space *conjunctionSpace
	need  [][]int32 // by stratum and by the size of the set in it; more than its size where none is enough
	least int       // of any set
}

func (x *conjunctionSpace) bound(limit float64) *countBound {
	b := &countBound{space: x, need: make([][]int32, len(x.strata)), least: 1}
	if len(x.strata) > 1 {
		limit *= 2
	}
	for k, st := range x.strata {
		b.need[k] = make([]int32, st.size+1)
		need, least := 1, st.size+1
		for n := 1; n <= st.size; n++ {
			for tail := x.tailIn(k, n); need <= n && stats.Quantise(tail.P(need)) > limit; {
				need++ // a larger set needs no fewer
			}
			b.need[k][n] = int32(need)
			if need <= n {
				least = min(least, need)
			}
		}
		if len(x.strata) == 1 {
			b.least = least
		}
	}
	return b
}

// of returns the bound for a set with so many traces of each stratum.
func (b *countBound) of(sizes []int) int {
	if len(sizes) == 1 {
		return int(b.need[0][sizes[0]])
	}
	mean := 0.0
	for k, n := range sizes {
		mean += float64(float64(n) * b.space.strata[k].share)
	}
	most := 1
	for k, n := range sizes {
		if n > 0 {
			rest := mean - float64(float64(n)*b.space.strata[k].share)
			most = max(most, int(rest+1e-9)+int(b.need[k][n]))
		}
	}
	return most
}
