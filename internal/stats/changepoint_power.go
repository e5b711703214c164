package stats

import "github.com/tracewhy/tracewhy/internal/stats/special"

// DetectableShare returns the smallest share above p that a segment of so many trials has to have for its
// log-likelihood to gain so much, twice, over p: what a change to it would have shown, and a smaller one may not.
// It is 1 where nothing would.
func DetectableShare(p, trials, gain float64) float64 {
	if !(trials > 0 && gain > 0 && p < 1) {
		return 1
	}
	p = max(p, 1e-12)
	rise := func(q float64) float64 {
		divergence := float64(q * special.Log(q/p))
		if q < 1 {
			divergence += float64((1 - q) * special.Log((1-q)/(1-p)))
		}
		return float64(2 * trials * divergence)
	}
	low, high := p, 1.0
	if rise(1) < gain {
		return 1
	}
	for range 60 {
		if middle := low + (high-low)/2; rise(middle) < gain {
			low = middle
		} else {
			high = middle
		}
	}
	return high
}
