package stats

import "math/bits"

// Reaching sets bit i of dst for every relabelling i in which at least so many of the given units have the label,
// and the others to 0; least is positive, and dst has a word for every 64 relabellings. It is [LabelTable.Counts]
// where few relabellings matter, without reading all the counts out of their bits. It returns planes, to be given
// to the next call, which saves it memory.
func (t *LabelTable) Reaching(units []int32, least int, dst, planes []uint64) []uint64 {
	size := (bits.Len(uint(len(units))) + 1) * t.width
	if cap(planes) < size {
		planes = make([]uint64, size)
	}
	planes = planes[:size]
	clear(planes)
	for len(units) >= 16 {
		t.addSixteen((*[16]int32)(units), planes)
		units = units[16:]
	}
	for _, unit := range units {
		for w, carry := range t.row(unit) {
			addAt(planes, 0, w, t.width, carry)
		}
	}
	clear(dst[:t.width])
	if bits.Len(uint(least))*t.width > len(planes) {
		return planes
	}
	for w := range t.width {
		more, same := uint64(0), ^uint64(0) // than least, by the planes so far
		for k := len(planes)/t.width - 1; k >= 0; k-- {
			plane := planes[k*t.width+w]
			if least>>k&1 == 1 {
				same &= plane
			} else {
				more |= same & plane
				same &^= plane
			}
		}
		dst[w] = more | same
	}
	return planes
}
