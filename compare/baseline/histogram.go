package baseline

import (
	"fmt"
	"math"
	"math/bits"
	"slices"
)

// Histogram counts values in bins that are spaced by their logarithm: pairs of a bin's number and how many
// values are in it, by number, without the empty ones. Bin 0 is the value 0, and bin b > 0 the whole numbers from
// 2^((b-1)/32) up to, not including, 2^(b/32). A quantile is off by at most 1.1 % of itself, and histograms merge by
// adding counts: the sketch of C. Masson, J. E. Rim, and H. K. Lee, "DDSketch" (PVLDB 12, 2019,
// doi:10.14778/3352063.3352135), with γ = 2^(1/32), and with bins found by whole numbers alone, so that every processor
// finds the same ones. It is never collapsed: durations of up to 292 years have 2,016 bins.
type Histogram [][2]int64

// perOctave is how many bins lie between a value and its double.
const perOctave = 32

// lastBin is that of the largest int64.
const lastBin = 63 * perOctave

// binFloors are 2^(63+k/32), rounded up: where the bins of an octave begin, if its values are shifted until their
// highest bit is the 64th.
var binFloors = [perOctave]uint64{
	0x8000000000000000, 0x82cd8698ac2ba1d8, 0x85aac367cc487b15, 0x88980e8092da8528,
	0x8b95c1e3ea8bd6e7, 0x8ea4398b45cd53c1, 0x91c3d373ab11c337, 0x94f4efa8fef70962,
	0x9837f0518db8a970, 0x9b8d39b9d54e5539, 0x9ef5326091a111ae, 0xa27043030c496819,
	0xa5fed6a9b15138eb, 0xa9a15ab4ea7c0ef9, 0xad583eea42a14ac7, 0xb123f581d2ac2590,
	0xb504f333f9de6485, 0xb8fbaf4762fb9eea, 0xbd08a39f580c36bf, 0xc12c4cca66709457,
	0xc5672a115506dade, 0xc9b9bd866e2f27a3, 0xce248c151f8480e4, 0xd2a81d91f12ae45b,
	0xd744fccad69d6af5, 0xdbfbb797daf23756, 0xe0ccdeec2a94e112, 0xe5b906e77c8348a9,
	0xeac0c6e7dd24392f, 0xefe4b99bdcdaf5cc, 0xf5257d152486cc2d, 0xfa83b2db722a033b,
}

// binOf returns the bin of a value that is not negative.
func binOf(v int64) int64 {
	if v <= 0 {
		return 0
	}
	octave := bits.Len64(uint64(v)) - 1
	shifted := uint64(v) << (63 - octave)
	at, found := slices.BinarySearch(binFloors[:], shifted)
	if found {
		at++
	}
	return int64(octave*perOctave + at)
}

// binValue returns what stands for the values of a bin: as far, relatively, from its start as from its end.
func binValue(bin int64) float64 {
	if bin <= 0 {
		return 0
	}
	from, to := binStart(bin), binStart(bin+1)
	return 2 * from * to / (from + to)
}

func binStart(bin int64) float64 {
	octave, at := (bin-1)/perOctave, (bin-1)%perOctave
	return math.Ldexp(float64(binFloors[at]), int(octave)-63)
}

// N returns how many values there are.
func (h Histogram) N() int64 {
	n := int64(0)
	for _, b := range h {
		n += b[1]
	}
	return n
}

// Quantile returns the smallest value that at least a share p of the values does not exceed, to within 1.1 %; NaN if
// there are none, or if p is not in [0, 1].
func (h Histogram) Quantile(p float64) float64 {
	n := h.N()
	if n == 0 || !(p >= 0 && p <= 1) {
		return math.NaN()
	}
	rank := max(int64(math.Ceil(float64(p*float64(n)))), 1)
	for _, b := range h {
		if rank -= b[1]; rank <= 0 {
			return binValue(b[0])
		}
	}
	return binValue(h[len(h)-1][0])
}

// plus returns the histogram of the values of both.
func (h Histogram) plus(o Histogram) Histogram {
	sum := make(Histogram, 0, max(len(h), len(o)))
	for len(h) > 0 || len(o) > 0 {
		switch {
		case len(o) == 0 || len(h) > 0 && h[0][0] < o[0][0]:
			sum, h = append(sum, h[0]), h[1:]
		case len(h) == 0 || o[0][0] < h[0][0]:
			sum, o = append(sum, o[0]), o[1:]
		default:
			sum = append(sum, [2]int64{h[0][0], h[0][1] + o[0][1]})
			h, o = h[1:], o[1:]
		}
	}
	return sum
}

// check says what is wrong with a histogram that was read.
func (h Histogram) check(most int64) error {
	n := int64(0)
	for i, b := range h {
		if b[0] < 0 || b[0] > lastBin || i > 0 && b[0] <= h[i-1][0] {
			return fmt.Errorf("bin %d is out of place", b[0])
		}
		if b[1] <= 0 || b[1] > maxCount {
			return fmt.Errorf("bin %d has a count of %d", b[0], b[1])
		}
		if n += b[1]; n > most {
			return fmt.Errorf("it counts more than there are: %d of %d", n, most)
		}
	}
	return nil
}

// counter is a histogram in the making: counts by bin, from the first bin in use.
type counter struct {
	first  int64
	counts []int64
}

// add counts a value that is not negative.
func (c *counter) add(v int64) {
	bin := binOf(v)
	switch {
	case len(c.counts) == 0:
		c.first = bin
		c.counts = append(c.counts, 0)
	case bin < c.first:
		c.counts = slices.Concat(make([]int64, c.first-bin), c.counts)
		c.first = bin
	}
	if need := bin - c.first + 1; need > int64(len(c.counts)) {
		c.counts = append(c.counts, make([]int64, need-int64(len(c.counts)))...)
	}
	c.counts[bin-c.first]++
}

func (c *counter) histogram() Histogram {
	h := Histogram{}
	for i, n := range c.counts {
		if n > 0 {
			h = append(h, [2]int64{c.first + int64(i), n})
		}
	}
	return h
}
