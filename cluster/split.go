package cluster

import (
	"context"
	"math"
	"slices"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/cluster/learn"
	"github.com/tracewhy/tracewhy/internal/parallel"
	"github.com/tracewhy/tracewhy/internal/stats"
)

const (
	maxCuts   = 24 // how many cuts of a hierarchy are tried, from the top
	maxGroups = 8  // into how many groups one kind of failure may be divided
)

// The distances of every pair of a sample, by facet: that of i > j is at i(i-1)/2+j.
type distances struct {
	n  int
	of [facets][]float32
}

func pairAt(i, j int) int {
	if i < j {
		i, j = j, i
	}
	return i*(i-1)/2 + j
}

// newDistances takes O(n²) for n profiles.
func newDistances(ctx context.Context, profiles []profile, workers int) (*distances, error) {
	d := &distances{n: len(profiles)}
	for f := range d.of {
		d.of[f] = make([]float32, d.n*(d.n-1)/2)
	}
	err := parallel.For(ctx, workers, d.n, func(i int) {
		for f := range d.of {
			for j := range i {
				d.of[f][pairAt(i, j)] = float32(apart(f, &profiles[i], &profiles[j]))
			}
		}
	})
	return d, err
}

// total returns the weighted distances of the members to each other, where facet f of the k-th member is
// that of member order[f][k].
func (d *distances) total(members []int, weight [facets]float64, order [facets][]int) square {
	s := newSquare(len(members))
	for f := range facets {
		o, w := order[f], weight[f]
		if w == 0 {
			continue
		}
		for i := range members {
			row := s.row(i)
			for j := range i {
				row[j] += float32(w * float64(d.of[f][pairAt(members[o[i]], members[o[j]])]))
			}
		}
	}
	for i := range members {
		for j := range i {
			s.row(j)[i] = s.row(i)[j]
		}
	}
	return s
}

// square is a symmetric matrix of distances.
type square struct {
	n  int
	at []float32
}

func newSquare(n int) square         { return square{n, make([]float32, n*n)} }
func (s square) row(i int) []float32 { return s.at[i*s.n : (i+1)*s.n] }
func (s square) of(i, j int) float64 { return float64(s.at[i*s.n+j]) }

// identity is the order of n members in which every facet is the member's own.
func identity(n int) (out [facets][]int) {
	return [facets][]int{inOrder(n), inOrder(n), inOrder(n), inOrder(n)}
}

func inOrder(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

// split is a division of members into groups.
type split struct {
	labels     []int // learn.Noise for what is in no group
	groups     int
	silhouette float64 // the mean; what is in no group counts as 0
}

// splitter looks for groups among profiles, in two steps: kinds of error, and within one kind, ways in which
// structure and timing go together.
type splitter struct {
	alpha      float64
	separation float64
	minSize    int
	seed       uint64
	workers    int
}

const (
	// kindsApart is how different errors of a service are at least that are of two kinds: half of the words.
	kindsApart = 0.5
	// stable is the least stability of a group, by which C. Hennig calls it one.
	stable    = 0.75
	resamples = 20
)

var (
	originOnly    = [facets]float64{facetOrigin: 1}
	callsAndTimes = [facets]float64{facetCalls: 0.5, facetTimes: 0.5}
	withinPath    = [facets]bool{facetCalls: true, facetTimes: true}
)

// A division divides members by their distances into the given number of groups of at least minSize, or any
// number if that is 0.
type division func(ctx context.Context, s square, minSize, groups int) (split, error)

// kinds divides failures by what they are: those of one service, or peer, that say much the same are of one
// kind, wherever in the service they began. That needs no test: chance does not write messages.
func (p *splitter) kinds(ctx context.Context, s square, minSize, _ int) (split, error) {
	tree, err := learn.Agglomerate(ctx, s.n, s.of, learn.Average)
	if err != nil {
		return split{}, err
	}
	c := split{labels: tree.CutAt(kindsApart)}
	c.groups = dropSmall(c.labels, minSize)
	return c, nil
}

// best returns the division with the largest mean silhouette among the cuts of a hierarchy by average
// linkage, into the given number of groups, or any if that is 0. Groups are at least minSize large, and all
// that a cut takes apart is at least the least separation apart. It is the zero split if there is none.
func (p *splitter) best(ctx context.Context, s square, minSize, groups int) (split, error) {
	tree, err := learn.Agglomerate(ctx, s.n, s.of, learn.Average)
	if err != nil {
		return split{}, err
	}
	var best split
	for k := 2; k < 2+maxCuts && k <= s.n && tree.Merges[s.n-k].Height >= p.separation; k++ {
		c := split{labels: tree.Cut(k)}
		c.groups = dropSmall(c.labels, minSize)
		if c.groups < 2 || c.groups > maxGroups || groups > 0 && c.groups != groups {
			continue
		}
		if c.silhouette, err = s.silhouette(ctx, c.labels, c.groups); err != nil {
			return split{}, err
		}
		if best.groups == 0 || stats.Compare(c.silhouette, best.silhouette) > 0 {
			best = c
		}
	}
	return best, nil
}

// dropSmall makes groups of fewer than minSize members noise, numbers the others by their first member, and
// returns how many they are.
func dropSmall(labels []int, minSize int) int {
	size := map[int]int{}
	for _, l := range labels {
		size[l]++
	}
	to := map[int]int{}
	for i, l := range labels {
		if size[l] < minSize {
			labels[i] = learn.Noise
			continue
		}
		if _, ok := to[l]; !ok {
			to[l] = len(to)
		}
		labels[i] = to[l]
	}
	return len(to)
}

// silhouette returns the mean silhouette.
func (s square) silhouette(ctx context.Context, labels []int, groups int) (float64, error) {
	size := make([]int, groups+1) // noise is last, and stays out
	slot := make([]int, len(labels))
	for i, l := range labels {
		slot[i] = l
		if l == learn.Noise {
			slot[i] = groups
		}
		size[slot[i]]++
	}
	sum, sums := 0.0, make([]float64, groups+1)
	for i, own := range slot {
		if ctx.Err() != nil {
			return 0, ctx.Err()
		}
		if own == groups {
			continue
		}
		clear(sums)
		for j, x := range s.row(i) {
			sums[slot[j]] += float64(x)
		}
		a, b := sums[own]/float64(max(size[own]-1, 1)), math.Inf(1)
		for g := range groups {
			if g != own {
				b = min(b, sums[g]/float64(size[g]))
			}
		}
		if m := max(a, b); m > 0 {
			sum += (b - a) / m
		}
	}
	return sum / float64(len(labels)), nil
}

// test looks for groups among members that fail in one way, by what was called and where time went, and asks
// whether they are real. P is the probability of a mean silhouette as large if there were one mode: with
// calls and times dealt out anew, each for itself, among traces of one path, so that nothing goes together
// but by chance or because of the path. It is 1 if there are no groups to speak of, or nothing to deal.
func (p *splitter) test(ctx context.Context, d *distances, paths []tracewhy.PathID, members []int, round uint64) (found split, pValue float64, stability []float64, err error) {
	whole := d.total(members, callsAndTimes, identity(len(members)))
	found, err = p.best(ctx, whole, p.minSize, 0)
	if err != nil || found.groups == 0 {
		return found, 1, nil, err
	}
	pValue, err = p.null(ctx, d, paths, members, found.silhouette, round)
	if err != nil || pValue > p.alpha {
		return split{}, pValue, nil, err
	}
	stability, err = p.again(ctx, whole, found, p.best, round)
	if err != nil || slices.Min(stability) < stable {
		return split{}, pValue, stability, err
	}
	return found, pValue, stability, nil
}

// null returns the p-value. It stops when so many of the replicates are as extreme that the groups cannot
// be significant any more; the p-value is then that of the replicates that were made.
func (p *splitter) null(ctx context.Context, d *distances, paths []tracewhy.PathID, members []int, observed float64, round uint64) (float64, error) {
	byPath := map[tracewhy.PathID][]int{}
	var strata [][]int
	for i, m := range members {
		byPath[paths[m]] = append(byPath[paths[m]], i)
	}
	for i, m := range members {
		if s := byPath[paths[m]]; s[0] == i {
			strata = append(strata, s)
		}
	}
	const batch = 20
	replicates := max(199, int(2/p.alpha)-1)
	extreme, done := 0, 0
	for done < replicates && float64(extreme+1) <= float64(p.alpha*float64(replicates+1)) {
		scores := make([]float64, min(batch, replicates-done))
		errs := make([]error, len(scores))
		err := parallel.For(ctx, p.workers, len(scores), func(i int) {
			order := identity(len(members))
			for f := range facets {
				if withinPath[f] {
					r := stats.NewRand(p.seed, stats.Key("one mode"), round, uint64(done+i), uint64(f))
					for _, s := range strata {
						deal(order[f], s, r)
					}
				}
			}
			var s split
			s, errs[i] = p.best(ctx, d.total(members, callsAndTimes, order), p.minSize, 0)
			scores[i] = s.silhouette
			if s.groups == 0 {
				scores[i] = math.Inf(-1)
			}
		})
		if err != nil {
			return 1, err
		}
		for i, x := range scores {
			if errs[i] != nil {
				return 1, errs[i]
			}
			if stats.Compare(x, observed) >= 0 {
				extreme++
			}
		}
		done += len(scores)
	}
	return float64(extreme+1) / float64(done+1), nil
}

// deal shuffles what stands at the given places of order.
func deal(order, at []int, r *stats.Rand) {
	for i := len(at) - 1; i > 0; i-- {
		j := r.IntN(i + 1)
		order[at[i]], order[at[j]] = order[at[j]], order[at[i]]
	}
}

// again returns the stability of each group: how much of it the same division finds again among two thirds of
// the members, on average (the mean Jaccard similarity of C. Hennig, 2007, doi:10.1016/j.csda.2006.11.025).
func (p *splitter) again(ctx context.Context, s square, found split, divide division, round uint64) ([]float64, error) {
	likeness := make([][]float64, resamples)
	errs := make([]error, resamples)
	err := parallel.For(ctx, p.workers, resamples, func(i int) {
		keep := inOrder(s.n)
		deal(keep, inOrder(s.n), stats.NewRand(p.seed, stats.Key("again"), round, uint64(i)))
		keep = keep[:(2*s.n+2)/3]
		slices.Sort(keep)
		part := newSquare(len(keep))
		was := make([]int, len(keep))
		for a, from := range keep {
			was[a] = found.labels[from]
			for b, to := range keep {
				part.row(a)[b] = s.row(from)[to]
			}
		}
		var now split
		now, errs[i] = divide(ctx, part, max(1, p.minSize*2/3), found.groups)
		likeness[i] = jaccard(was, found.groups, now)
	})
	if err != nil {
		return nil, err
	}
	out := make([]float64, found.groups)
	for i, l := range likeness {
		if errs[i] != nil {
			return nil, errs[i]
		}
		for g := range out {
			out[g] += l[g]
		}
	}
	for g := range out {
		out[g] /= resamples
	}
	return out, nil
}

// jaccard returns for each group the largest similarity that one of the groups found now has with it.
func jaccard(was []int, groups int, now split) []float64 {
	out := make([]float64, groups)
	if now.groups == 0 {
		return out
	}
	both := make([]int, groups*now.groups)
	sizeWas, sizeNow := make([]int, groups), make([]int, now.groups)
	for i, g := range was {
		h := now.labels[i]
		if g >= 0 {
			sizeWas[g]++
		}
		if h >= 0 {
			sizeNow[h]++
		}
		if g >= 0 && h >= 0 {
			both[g*now.groups+h]++
		}
	}
	for g := range out {
		for h := range now.groups {
			n := both[g*now.groups+h]
			if either := sizeWas[g] + sizeNow[h] - n; either > 0 {
				out[g] = max(out[g], float64(n)/float64(either))
			}
		}
	}
	return out
}
