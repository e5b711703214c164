package stats

import (
	"math/bits"
	"slices"
)

// A Rand is a stream of random numbers that a seed and a key determine: SplitMix64 of G. L. Steele, D. Lea, and
// C. H. Flood (2014, doi:10.1145/2660193.2660195). Each item of work takes its own stream, keyed by what the
// item is, so that the numbers depend neither on the other items nor on which goroutine comes first. It is not
// for secrets.
type Rand struct{ state uint64 }

// NewRand returns the stream for a seed and a key of any number of parts, such as [Key] of a name and the
// index of a replicate. The streams of different keys are independent for the purposes of simulation.
func NewRand(seed uint64, key ...uint64) *Rand {
	state := mix(seed + golden)
	for _, k := range key {
		state = mix(state + mix(k+golden))
	}
	return &Rand{state}
}

// Key returns a key for a name: its 64-bit FNV-1a hash.
func Key(name string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(name) {
		h = (h ^ uint64(name[i])) * 1099511628211
	}
	return h
}

const golden = 0x9e3779b97f4a7c15 // 2^64/φ, odd

func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// Uint64 returns 64 random bits.
func (r *Rand) Uint64() uint64 {
	r.state += golden
	return mix(r.state)
}

// Float64 returns a number in [0, 1), a multiple of 2^-53.
func (r *Rand) Float64() float64 { return float64(r.Uint64()>>11) / (1 << 53) }

// IntN returns a number in [0, n), all equally probable (D. Lemire, 2019, doi:10.1145/3230636), or 0 if n <= 0.
func (r *Rand) IntN(n int) int {
	if n <= 0 {
		return 0
	}
	bound := uint64(n)
	hi, lo := bits.Mul64(r.Uint64(), bound)
	if lo < bound {
		for reject := -bound % bound; lo < reject; {
			hi, lo = bits.Mul64(r.Uint64(), bound)
		}
	}
	return int(hi)
}

// Relabellings are the ways to give the labels of two groups to the same units, keeping how many units of each
// stratum have which label: the null distribution of any statistic of labelled units, if units of a stratum are
// exchangeable. A unit is a trace, or, where traces depend on each other, a cluster of them.
//
// [NewClusterRelabellings] and [NewRotations] are for units that depend on each other.
//
// If there are at most 20,000 relabellings, they are all enumerated. Else each is a random one of its own
// stream. Either way the i-th is a function of i, so that goroutines may share them out.
type Relabellings struct {
	labels []bool
	strata []stratum
	exact  bool
	n      int
	seed   uint64
	other  func(i int, dst []bool) // if set, what At does instead
}

type stratum struct {
	units []int
	marks int // how many units have the label
	ways  int // how many relabellings, if few
}

const (
	maxEnumerated     = 20_000
	defaultReplicates = 999
)

// NewRelabellings returns the relabellings of units with the given labels. strata[i] is the stratum of unit i,
// and nil means one stratum. If there are too many to enumerate, it draws the given number of replicates with
// the seed (999 if it is not positive, which makes 0.001 the smallest p-value).
//
// There are none if strata has another length than labels.
func NewRelabellings(labels []bool, strata []int, replicates int, seed uint64) *Relabellings {
	r := &Relabellings{labels: slices.Clone(labels), seed: seed}
	if strata != nil && len(strata) != len(labels) {
		return r
	}
	place := make(map[int]int)
	for i, label := range labels {
		id := 0
		if strata != nil {
			id = strata[i]
		}
		k, ok := place[id]
		if !ok {
			k = len(r.strata)
			place[id] = k
			r.strata = append(r.strata, stratum{})
		}
		s := &r.strata[k]
		s.units = append(s.units, i)
		if label {
			s.marks++
		}
	}
	r.n, r.exact = 1, true
	for i := range r.strata {
		s := &r.strata[i]
		s.ways = chooseUpTo(len(s.units), s.marks, maxEnumerated)
		if r.n *= s.ways; r.n > maxEnumerated {
			r.exact = false
			break
		}
	}
	if !r.exact {
		r.n = orDefault(replicates)
	}
	return r
}

func orDefault(replicates int) int {
	if replicates <= 0 {
		return defaultReplicates
	}
	return replicates
}

// Len returns how many relabellings there are.
func (r *Relabellings) Len() int { return r.n }

// Exact reports whether they are all that exist, the observed labels among them.
func (r *Relabellings) Exact() bool { return r.exact }

// At writes the labels of the i-th relabelling to dst, which has to hold one label for each unit. It does
// nothing if i is not in [0, Len()), or dst is too short.
func (r *Relabellings) At(i int, dst []bool) {
	if i < 0 || i >= r.n || len(dst) < len(r.labels) {
		return
	}
	if r.other != nil {
		r.other(i, dst)
		return
	}
	if r.exact {
		for _, s := range r.strata {
			s.combination(i%s.ways, dst)
			i /= s.ways
		}
		return
	}
	random := NewRand(r.seed, uint64(i))
	for _, s := range r.strata {
		s.draw(random, dst)
	}
}

// combination writes the i-th choice of marks units, in lexicographic order.
func (s stratum) combination(i int, dst []bool) {
	left := s.marks
	for k, unit := range s.units {
		rest := len(s.units) - k - 1
		with := 0 // how many choices have this unit
		if left > 0 {
			with = chooseUpTo(rest, left-1, maxEnumerated)
		}
		if dst[unit] = i < with; dst[unit] {
			left--
		} else {
			i -= with
		}
	}
}

// draw writes a random choice of marks units: a Fisher–Yates shuffle that ends when all marks are placed.
func (s stratum) draw(random *Rand, dst []bool) {
	for k, unit := range s.units {
		dst[unit] = k < s.marks
	}
	// Shuffling the rarer label into place is enough.
	n := len(s.units)
	if s.marks <= n/2 {
		for k := range s.marks {
			j := k + random.IntN(n-k)
			s.swap(dst, k, j)
		}
		return
	}
	for k := n - 1; k >= s.marks; k-- {
		j := random.IntN(k + 1)
		s.swap(dst, k, j)
	}
}

func (s stratum) swap(dst []bool, i, j int) {
	a, b := s.units[i], s.units[j]
	dst[a], dst[b] = dst[b], dst[a]
}

// P returns the p-value of a statistic that is at least as extreme as the observed one in the given number of
// relabellings. Among random ones the observed labels count as one more, or the test would not be valid:
// B. Phipson and G. K. Smyth (2010, doi:10.2202/1544-6115.1585).
func (r *Relabellings) P(extreme int) float64 {
	switch {
	case r.n == 0 || extreme < 0 || extreme > r.n:
		return 1
	case r.exact:
		return float64(extreme) / float64(r.n)
	}
	return (float64(extreme) + 1) / (float64(r.n) + 1)
}

// chooseUpTo returns the number of ways to choose k of n things, or limit+1 if that is more than limit.
func chooseUpTo(n, k, limit int) int {
	if k < 0 || k > n {
		return 0
	}
	c := uint64(1)
	for i := range uint64(min(k, n-k)) {
		if c = c * (uint64(n) - i) / (i + 1); c > uint64(limit) {
			return limit + 1
		}
	}
	return int(c)
}
