package learn

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
)

// Linkage is how far apart two groups are, given the distances of their members.
type Linkage uint8

// The linkages of [Agglomerate].
const (
	Average  Linkage = iota // the mean of all distances between a member of one and a member of the other
	Complete                // the largest of them
)

// MaxAgglomerate is how many things [Agglomerate] accepts: their distances take 4 bytes for each pair, 200
// megabytes for 10,000 things.
const MaxAgglomerate = 10_000

// Merge is one step of a [Dendrogram]: groups A and B become one. The things are groups 0 to n-1, and the
// i-th merge makes group n+i.
type Merge struct {
	A, B   int     // A < B
	Height float64 // how far apart they were
}

// Dendrogram is a hierarchy of groups: n-1 merges, from the nearest groups to the last two.
type Dendrogram struct {
	N      int // how many things there are
	Merges []Merge
}

// Agglomerate builds a hierarchy of n things by merging the two nearest groups until one is left. Distance
// must be symmetric, and is asked for each pair once; it is kept with the precision of a float32.
//
// It follows chains of nearest neighbours (F. Murtagh, 1983, doi:10.1093/comjnl/26.4.354), which takes
// O(n²) time. It is an error to give more than [MaxAgglomerate] things.
func Agglomerate(ctx context.Context, n int, distance func(i, j int) float64, linkage Linkage) (*Dendrogram, error) {
	if n > MaxAgglomerate {
		return nil, fmt.Errorf("learn: %d things to agglomerate, of which at most %d have distances in memory: take a sample", n, MaxAgglomerate)
	}
	d := make([]float32, max(n*(n-1)/2, 0))
	at := 0
	for i := range n {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		for j := range i {
			d[at] = float32(distance(j, i))
			at++
		}
	}
	return agglomerate(ctx, n, d, linkage)
}

// agglomerate merges n things whose distances are in d, which it changes: that of i > j is d[i(i-1)/2+j].
func agglomerate(ctx context.Context, n int, d []float32, linkage Linkage) (*Dendrogram, error) {
	dist := func(i, j int) *float32 {
		if i < j {
			i, j = j, i
		}
		return &d[i*(i-1)/2+j]
	}
	active, size := make([]int, n), make([]int, n) // active groups, named by one of their things
	for i := range n {
		active[i], size[i] = i, 1
	}
	type pair struct {
		a, b   int
		height float64
	}
	var pairs []pair
	var chain []int
	for len(active) > 1 {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if len(chain) == 0 {
			chain = append(chain, active[0])
		}
		for {
			a := chain[len(chain)-1]
			next, least := -1, float32(math.Inf(1))
			if len(chain) > 1 { // where distances are equal the chain turns back, or it would not end
				next = chain[len(chain)-2]
				least = *dist(a, next)
			}
			for _, b := range active {
				if b == a {
					continue
				}
				if x := *dist(a, b); x < least || next < 0 {
					next, least = b, x
				}
			}
			if len(chain) > 1 && next == chain[len(chain)-2] {
				break
			}
			chain = append(chain, next)
		}
		a, b := chain[len(chain)-2], chain[len(chain)-1]
		chain = chain[:len(chain)-2]
		if a > b {
			a, b = b, a
		}
		pairs = append(pairs, pair{a, b, float64(*dist(a, b))})
		gone, _ := slices.BinarySearch(active, b)
		active = slices.Delete(active, gone, gone+1)
		na, nb := float64(size[a]), float64(size[b])
		for _, c := range active {
			if c == a {
				continue
			}
			x, y := dist(a, c), dist(b, c)
			if linkage == Complete {
				*x = max(*x, *y)
			} else {
				*x = float32((float64(na*float64(*x)) + float64(nb*float64(*y))) / (na + nb))
			}
		}
		size[a] += size[b]
	}
	slices.SortStableFunc(pairs, func(p, q pair) int { return cmp.Compare(p.height, q.height) })
	out := &Dendrogram{N: n}
	u := newUnion(n)
	for i, p := range pairs {
		a, b := u.find(p.a), u.find(p.b)
		ga, gb := u.group[a], u.group[b]
		out.Merges = append(out.Merges, Merge{A: min(ga, gb), B: max(ga, gb), Height: p.height})
		u.parent[max(a, b)] = min(a, b)
		u.group[min(a, b)] = n + i
	}
	return out, nil
}

// Cut returns the groups that are left before the last k-1 merges: the group of each thing, numbered by
// their first thing.
func (d *Dendrogram) Cut(k int) []int {
	return d.cut(len(d.Merges) - max(k, 1) + 1)
}

// CutAt returns the groups that are left when all merges up to the height, and at it, are done.
func (d *Dendrogram) CutAt(height float64) []int {
	merges := 0
	for merges < len(d.Merges) && d.Merges[merges].Height <= height {
		merges++
	}
	return d.cut(merges)
}

// cut does the first merges.
func (d *Dendrogram) cut(merges int) []int {
	u := newUnion(d.N)
	thing := make([]int, d.N, d.N+len(d.Merges)) // a thing of each group
	for i := range thing {
		thing[i] = i
	}
	for _, m := range d.Merges[:max(merges, 0)] {
		a, b := u.find(thing[m.A]), u.find(thing[m.B])
		u.parent[max(a, b)] = min(a, b)
		thing = append(thing, min(a, b))
	}
	labels := make([]int, d.N)
	for i := range labels {
		labels[i] = u.find(i)
	}
	renumber(labels)
	return labels
}

// union is a forest of disjoint sets, each named by its smallest element.
type union struct{ parent, group []int }

func newUnion(n int) *union {
	u := &union{make([]int, n), make([]int, n)}
	for i := range n {
		u.parent[i], u.group[i] = i, i
	}
	return u
}

func (u *union) find(i int) int {
	for u.parent[i] != i {
		u.parent[i] = u.parent[u.parent[i]]
		i = u.parent[i]
	}
	return i
}
