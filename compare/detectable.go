package compare

import (
	"math"

	"github.com/tracewhy/tracewhy/internal/stats"
)

// detectableEffects returns, for conditions that hold for none, 2 % and 20 % of the baseline, the least number
// of the incident's traces that have to meet them for Fisher's exact test, one-sided, to give at most p,
// where a condition has to hold for the least number of traces of both. It is possible where there is such a
// number for any.
func detectableEffects(traces [2]int, p float64, least int) (effects []DetectableEffect, possible bool) {
	n, k := traces[base], traces[inc]
	for _, share := range []float64{0, 0.02, 0.2} {
		d := DetectableEffect{Prevalence: share}
		c := int(math.Round(share * float64(n)))
		if hits := max(leastDetectable(n, k, c, p), least-c); hits <= k {
			possible = true
			d.Traces, d.Coverage = hits, ratio(hits, k)
			d.OddsRatio = detectableTable(n, k, c, hits).OddsRatio(0.95).Value
		}
		effects = append(effects, d)
	}
	return effects, possible
}

// leastDetectable returns how many of k have to meet what c of n meet, or k+1 if all would not do.
func leastDetectable(n, k, c int, p float64) int {
	lo, hi := 0, k+1 // the least number lies in (lo, hi]
	for hi-lo > 1 {
		mid := (lo + hi) / 2
		if detectableTable(n, k, c, mid).Fisher(stats.Greater) <= p {
			hi = mid
		} else {
			lo = mid
		}
	}
	return hi
}

func detectableTable(n, k, c, hits int) stats.Table {
	return stats.Table{A: hits, B: k - hits, C: c, D: n - c}
}
