package compare

import (
	"math"

	"github.com/tracewhy/tracewhy/internal/stats"
)

// detectableEffects returns, for conditions that hold for none, 2 % and 20 % of the baseline, the least number
// of the incident's traces that have to meet them for Fisher's exact test, one-sided, to give at most p. It is
// possible where there is such a number for any.
func detectableEffects(traces [2]int, p float64) (effects []DetectableEffect, possible bool) {
	n, k := traces[base], traces[inc]
	for _, share := range []float64{0, 0.02, 0.2} {
		d := DetectableEffect{Prevalence: share}
		if hits := leastDetectable(n, k, int(math.Round(share*float64(n))), p); hits > 0 {
			possible = true
			d.Traces, d.Coverage = hits, ratio(hits, k)
			d.OddsRatio = detectableTable(n, k, int(math.Round(share*float64(n))), hits).OddsRatio(0.95).Value
		}
		effects = append(effects, d)
	}
	return effects, possible
}

// leastDetectable returns how many of k have to meet what c of n meet, or 0 if all would not do.
func leastDetectable(n, k, c int, p float64) int {
	lo, hi := 0, k+1 // the least number lies in (lo, hi]; k+1 if none does
	for hi-lo > 1 {
		mid := (lo + hi) / 2
		if detectableTable(n, k, c, mid).Fisher(stats.Greater) <= p {
			hi = mid
		} else {
			lo = mid
		}
	}
	if hi > k {
		return 0
	}
	return hi
}

func detectableTable(n, k, c, hits int) stats.Table {
	return stats.Table{A: hits, B: k - hits, C: c, D: n - c}
}
