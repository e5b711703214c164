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

// confidences returns the probability that each suspect is a cause, and that none of them is. Suspects are
// rivals, of whom one is at fault, unless apart, if not nil, says of two that each is of an incident of its own.
func confidences(all []*suspect, apart func(i, j int) bool) (ps []float64, none float64) {
	if len(all) == 0 {
		return nil, 1
	}
	power := func(x float64) float64 { return special.Exp(sharpness * special.Log(x)) }
	for i, s := range all {
		sum := power(noise)
		for j, rival := range all {
			if j == i || apart == nil || !apart(i, j) {
				sum += power(rival.score())
			}
		}
		ps = append(ps, (1-blind)*(power(s.score())/sum))
		if i == 0 {
			none = blind + float64((1-blind)*(power(noise)/sum))
		}
	}
	return ps, none
}

// causeSet returns the ranks that together reach the coverage, or all of them, and those of further incidents.
func causeSet(causes []RootCause, apart func(i, j int) bool) []int {
	var set []int
	for i, c := range causes {
		sum, rivals := 0.0, false
		for _, rank := range set {
			if apart == nil || !apart(i, rank-1) {
				sum += float64(causes[rank-1].Confidence)
				rivals = true
			}
		}
		if rivals && sum < coverage || !rivals && (i == 0 || float64(c.Confidence) >= actionable) {
			set = append(set, c.Rank)
		}
	}
	return set
}
