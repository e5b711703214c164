package rca

import (
	"github.com/tracewhy/tracewhy/internal/stats/special"
)

// The confidence of a cause is what share of such answers are right. It is a function of two things
// only: the shares that the suspects would account for. The probability is spread over the suspects as
// powers of their scores, and "none of these" takes what a suspect of score noise would, but at least
// blind: traces do not show every cause.
//
// The constants were fitted to generated incidents by log loss; `rca evaluate` prints how well they hold.
const (
	sharpness  = 2.0   // the power
	noise      = 0.004 // the score that suspects have for no reason
	blind      = 0.03  // the probability that the traces do not show the cause
	actionable = 0.5   // the confidence below which the verdict is that more data is needed
	coverage   = 0.9   // of the cause set
)

// confidences returns the probability of each suspect, and of none of them.
func confidences(all []*suspect) (ps []float64, none float64) {
	power := func(x float64) float64 { return special.Exp(sharpness * special.Log(x)) }
	sum := power(noise)
	for _, s := range all {
		sum += power(s.score())
	}
	for _, s := range all {
		ps = append(ps, (1-blind)*(power(s.score())/sum))
	}
	return ps, blind + float64((1-blind)*(power(noise)/sum))
}

// causeSet returns the ranks that together reach the coverage, or all of them.
func causeSet(causes []RootCause) []int {
	var set []int
	sum := 0.0
	for _, c := range causes {
		set = append(set, c.Rank)
		if sum += float64(c.Confidence); sum >= coverage {
			break
		}
	}
	return set
}
