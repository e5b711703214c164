package stats

import (
	"cmp"
	"math"
	"slices"
)

// The corrections below return an adjusted p-value for each of ps, in the order of ps: reject those that are at
// most the level. All of ps are one family. A value that is no probability (NaN, as for a hypothesis that
// was not tested) stays NaN and is not counted.

// Bonferroni controls the probability of any false rejection, under any dependence. [Holm] does as well, and
// rejects more; this one serves where a single threshold must be named beforehand.
func Bonferroni(ps []float64) []float64 {
	return adjust(ps, func(sorted []float64) {
		for i, p := range sorted {
			sorted[i] = p * float64(len(sorted))
		}
	})
}

// Holm controls the probability of any false rejection, under any dependence: S. Holm (1979, Scand. J.
// Statist. 6:65–70). Where the p-values depend strongly, [StepDown] rejects more.
func Holm(ps []float64) []float64 {
	return adjust(ps, func(sorted []float64) {
		highest := 0.0
		for i, p := range sorted {
			highest = max(highest, p*float64(len(sorted)-i))
			sorted[i] = highest
		}
	})
}

// BenjaminiHochberg controls the expected share of false rejections among all rejections, for independent or
// positively dependent p-values (1995, doi:10.1111/j.2517-6161.1995.tb02031.x): for exploring, not for
// single findings. The values are also called q-values.
func BenjaminiHochberg(ps []float64) []float64 {
	return adjust(ps, func(sorted []float64) { stepUp(sorted, 1) })
}

// BenjaminiYekutieli is [BenjaminiHochberg] under any dependence (2001, doi:10.1214/aos/1013699998), at the
// price of a factor of about log(len(ps)).
func BenjaminiYekutieli(ps []float64) []float64 {
	return adjust(ps, func(sorted []float64) {
		harmonic := 0.0
		for i := len(sorted); i >= 1; i-- {
			harmonic += 1 / float64(i)
		}
		stepUp(sorted, harmonic)
	})
}

func stepUp(sorted []float64, factor float64) {
	n := float64(len(sorted))
	lowest := math.Inf(1)
	for i := len(sorted) - 1; i >= 0; i-- {
		lowest = min(lowest, factor*n/float64(i+1)*sorted[i])
		sorted[i] = lowest
	}
}

// adjust applies a correction to the probabilities among ps, in ascending order.
func adjust(ps []float64, correct func(sorted []float64)) []float64 {
	adjusted := make([]float64, len(ps))
	order := make([]int, 0, len(ps))
	for i, p := range ps {
		if p >= 0 && p <= 1 {
			order = append(order, i)
		} else {
			adjusted[i] = math.NaN()
		}
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(ps[i], ps[j]) })
	sorted := make([]float64, len(order))
	for k, i := range order {
		sorted[k] = ps[i]
	}
	correct(sorted)
	for k, i := range order {
		adjusted[i] = min(sorted[k], 1)
	}
	return adjusted
}

// A StepDown counts, over relabelled data, how often the smallest p-value of several tests is as small as
// observed: the step-down minP procedure of P. H. Westfall and S. S. Young (Resampling-Based Multiple Testing,
// 1993, algorithm 2.8). It controls the probability of any false rejection, if relabelling is valid for the
// tests together (subset pivotality), and uses their dependence and discreteness, which [Holm] can't.
//
// Add the p-values of each of the [Relabellings]. Goroutines fill a StepDown each and merge them: counts don't
// depend on the order. A StepDown must not be used by several at a time.
type StepDown struct {
	order    []int     // the hypotheses by ascending observed p
	observed []float64 // in that order, quantised
	extreme  []int     // in that order
}

// NewStepDown returns a StepDown for the observed p-values. Any other score of which smaller means more
// extreme serves as well, if its distribution under the null is much the same for all hypotheses. NaN is the
// least extreme.
func NewStepDown(observed []float64) *StepDown {
	s := &StepDown{
		order:    make([]int, len(observed)),
		observed: make([]float64, len(observed)),
		extreme:  make([]int, len(observed)),
	}
	for i := range s.order {
		s.order[i] = i
	}
	slices.SortStableFunc(s.order, func(i, j int) int {
		return cmp.Compare(leastIfNaN(observed[i]), leastIfNaN(observed[j]))
	})
	for k, i := range s.order {
		s.observed[k] = Quantise(leastIfNaN(observed[i]))
	}
	return s
}

// Add counts the p-values of one relabelling, in the order of the observed ones. It takes time linear in
// their number. It ignores a slice of another length.
func (s *StepDown) Add(ps []float64) {
	if len(ps) != len(s.order) {
		return
	}
	smallest := math.Inf(1)
	for k := len(s.order) - 1; k >= 0; k-- {
		if p := ps[s.order[k]]; p < smallest {
			smallest = Quantise(p)
		}
		if smallest <= s.observed[k] {
			s.extreme[k]++
		}
	}
}

// AddEach counts several relabellings: ps[i][b] is the p-value of hypothesis i in the b-th of them. It returns
// the smallest p-value of each.
func (s *StepDown) AddEach(ps [][]float64) (smallest []float64) {
	if len(ps) != len(s.order) || len(ps) == 0 {
		return nil
	}
	smallest = make([]float64, len(ps[0]))
	for b := range smallest {
		smallest[b] = math.Inf(1)
	}
	for k := len(s.order) - 1; k >= 0; k-- {
		for b, p := range ps[s.order[k]] {
			if p < smallest[b] {
				smallest[b] = Quantise(p)
			}
			if smallest[b] <= s.observed[k] {
				s.extreme[k]++
			}
		}
	}
	return smallest
}

// Merge adds the counts of another StepDown for the same observed p-values.
func (s *StepDown) Merge(other *StepDown) {
	if len(other.extreme) != len(s.extreme) {
		return
	}
	for k, n := range other.extreme {
		s.extreme[k] += n
	}
}

// Adjusted returns the adjusted p-value of each hypothesis, once all of the relabellings were added.
func (s *StepDown) Adjusted(all *Relabellings) []float64 {
	adjusted := make([]float64, len(s.order))
	highest := 0.0
	for k, i := range s.order {
		highest = max(highest, all.P(s.extreme[k]))
		adjusted[i] = highest
	}
	return adjusted
}

func leastIfNaN(p float64) float64 {
	if math.IsNaN(p) {
		return math.Inf(1)
	}
	return p
}
