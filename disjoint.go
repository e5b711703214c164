package tracewhy

// disjoint is a union-find structure: a forest by index, whose roots are the first of each set.
type disjoint []int32

// newDisjoint returns n sets of one.
func newDisjoint(n int) disjoint {
	d := make(disjoint, n)
	for i := range d {
		d[i] = int32(i)
	}
	return d
}

// find returns the first of x's set.
func (d disjoint) find(x int32) int32 {
	for d[x] != x {
		d[x] = d[d[x]]
		x = d[x]
	}
	return x
}

// join makes one set of x's and y's.
func (d disjoint) join(x, y int32) {
	x, y = d.find(x), d.find(y)
	d[max(x, y)] = min(x, y)
}
