package stats

import (
	"context"
	"math/bits"

	"github.com/tracewhy/tracewhy/internal/parallel"
)

// A LabelTable holds the labels of all units in many relabellings, one bit each: a row of bits for every unit,
// rather than a set of units for every relabelling. How many units of a group have the label is then counted
// for 64 relabellings at a time, and a rare group costs little however many units there are.
//
// It takes units·count/8 bytes. It doesn't change once it is made, and may be used by several goroutines.
type LabelTable struct {
	bits  []uint64 // width words for every unit
	width int
	count int
}

// NewLabelTable returns the table of count relabellings of the given number of units. at writes the labels of
// the i-th relabelling, as [Relabellings.At] does; it is called from several goroutines, up to workers of
// them (0: GOMAXPROCS). The error is the context's.
func NewLabelTable(ctx context.Context, workers, units, count int, at func(i int, dst []bool)) (*LabelTable, error) {
	width := (count + 63) / 64
	t := &LabelTable{bits: make([]uint64, units*width), width: width, count: count}
	err := parallel.For(ctx, workers, width, func(w int) { // each word of a row is written by one goroutine
		labels := make([]bool, units)
		for b := range min(64, count-64*w) {
			if ctx.Err() != nil {
				return
			}
			at(64*w+b, labels)
			for unit, has := range labels {
				if has {
					t.bits[unit*width+w] |= 1 << b
				}
			}
		}
	})
	return t, err
}

// Len returns how many relabellings the table holds.
func (t *LabelTable) Len() int { return t.count }

// Counts sets dst[i], for every relabelling i, to how many of the given units have the label in it. dst has to
// have room for [LabelTable.Len] counts. Units that are given in ascending order are counted faster.
//
// It takes time in O(len(units)·Len()/64): the counts of 64 relabellings are added up as the bits of words, by
// the carry-save adders of R. C. Harley and R. Seal (H. S. Warren, Hacker's Delight, 2nd ed., 2012, 5-1).
func (t *LabelTable) Counts(units []int32, dst []int32) {
	// planes[k·width+w] has, for each of the 64 relabellings of word w, the bit of weight 2^k of its count.
	planes := make([]uint64, (bits.Len(uint(len(units)))+1)*t.width)
	for len(units) >= 16 {
		t.addSixteen((*[16]int32)(units), planes)
		units = units[16:]
	}
	for _, unit := range units {
		for w, carry := range t.row(unit) {
			addAt(planes, 0, w, t.width, carry)
		}
	}
	clear(dst[:t.count])
	for k := 0; k*t.width < len(planes); k++ {
		for w, plane := range planes[k*t.width : (k+1)*t.width] {
			for ; plane != 0; plane &= plane - 1 {
				dst[64*w+bits.TrailingZeros64(plane)] += 1 << k
			}
		}
	}
}

func (t *LabelTable) row(unit int32) []uint64 {
	return t.bits[int(unit)*t.width:][:t.width:t.width]
}

// addSixteen adds the labels of sixteen units to the lowest four planes, and what they carry to the next.
func (t *LabelTable) addSixteen(units *[16]int32, planes []uint64) {
	w := t.width
	p0, p1, p2, p3 := planes[:w], planes[w:][:w], planes[2*w:][:w], planes[3*w:][:w]
	x0, x1, x2, x3 := t.row(units[0]), t.row(units[1])[:w], t.row(units[2])[:w], t.row(units[3])[:w]
	x4, x5, x6, x7 := t.row(units[4])[:w], t.row(units[5])[:w], t.row(units[6])[:w], t.row(units[7])[:w]
	y0, y1, y2, y3 := t.row(units[8])[:w], t.row(units[9])[:w], t.row(units[10])[:w], t.row(units[11])[:w]
	y4, y5, y6, y7 := t.row(units[12])[:w], t.row(units[13])[:w], t.row(units[14])[:w], t.row(units[15])[:w]
	for i := range w {
		ones, a := add(p0[i], x0[i], x1[i])
		ones, b := add(ones, x2[i], x3[i])
		twos, a := add(p1[i], a, b)
		ones, b = add(ones, x4[i], x5[i])
		ones, c := add(ones, x6[i], x7[i])
		twos, b = add(twos, b, c)
		fours, a := add(p2[i], a, b)
		ones, b = add(ones, y0[i], y1[i])
		ones, c = add(ones, y2[i], y3[i])
		twos, b = add(twos, b, c)
		ones, c = add(ones, y4[i], y5[i])
		ones, d := add(ones, y6[i], y7[i])
		twos, c = add(twos, c, d)
		fours, b = add(fours, b, c)
		eights, a := add(p3[i], a, b)
		p0[i], p1[i], p2[i], p3[i] = ones, twos, fours, eights
		addAt(planes, 4, i, w, a)
	}
}

// add adds three bits in each of 64 places: a sum of weight 1 and a carry of weight 2.
func add(x, y, z uint64) (sum, carry uint64) {
	u := x ^ y
	return u ^ z, x&y | u&z
}

// addAt adds bits of weight 2^k to the counts of word w.
func addAt(planes []uint64, k, w, width int, carry uint64) {
	for i := k*width + w; carry != 0; i += width {
		planes[i], carry = planes[i]^carry, planes[i]&carry
	}
}
