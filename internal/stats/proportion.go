package stats

import (
	"math"

	"github.com/tracewhy/tracewhy/internal/stats/special"
)

// The counts of this file may be fractional: a weighted count is one, scaled to its effective sample size.

// Wilson returns the proportion k/n with the score interval of E. B. Wilson (1927,
// doi:10.1080/01621459.1927.10502953): the interval for a proportion that is to be seen. Its coverage is near
// level on average over proportions, and below it for some.
func Wilson(k, n, level float64) Estimate {
	if !validProportion(k, n) || !validLevel(level) {
		return undefined()
	}
	z := criticalValue(level)
	z2 := float64(z * z)
	mid := (k + float64(z2/2)) / (n + z2)
	half := float64(z / (n + z2) * math.Sqrt(float64(k*((n-k)/n))+float64(z2/4)))
	e := Estimate{Value: k / n, Lo: max(mid-half, 0), Hi: min(mid+half, 1), Level: level}
	if k == 0 {
		e.Lo = 0
	}
	if k == n {
		e.Hi = 1
	}
	return e
}

// ClopperPearson returns the proportion k/n with the exact interval of C. J. Clopper and E. S. Pearson (1934,
// doi:10.1093/biomet/26.4.404): the interval for a guarantee. It covers at least level, and mostly more.
func ClopperPearson(k, n, level float64) Estimate {
	if !validProportion(k, n) || !validLevel(level) {
		return undefined()
	}
	tail := (1 - level) / 2
	e := Estimate{Value: k / n, Lo: 0, Hi: 1, Level: level}
	if k > 0 {
		e.Lo = special.BetaQuantile(k, n-k+1, tail)
	}
	if k < n {
		// 1 minus a quantile of the mirrored distribution, whose small values keep their digits
		e.Hi = 1 - special.BetaQuantile(n-k, k+1, tail)
	}
	return e
}

// ProportionDifference returns k1/n1 - k2/n2 with the hybrid score interval, method 10 of R. G. Newcombe
// (1998, doi:10.1002/(SICI)1097-0258(19980430)17:8<873::AID-SIM779>3.0.CO;2-I). It needs proportions that
// mean something: where sampling depended on the outcome, use [Table.OddsRatio].
func ProportionDifference(k1, n1, k2, n2, level float64) Estimate {
	a, b := Wilson(k1, n1, level), Wilson(k2, n2, level)
	if !a.Defined() || !b.Defined() {
		return undefined()
	}
	diff := a.Value - b.Value
	return Estimate{
		Value: diff,
		Lo:    max(diff-hypot(a.Value-a.Lo, b.Hi-b.Value), -1),
		Hi:    min(diff+hypot(a.Hi-a.Value, b.Value-b.Lo), 1),
		Level: level,
	}
}

// hypot returns √(x²+y²) for x and y of ordinary size.
func hypot(x, y float64) float64 { return math.Sqrt(float64(x*x) + float64(y*y)) }

func validProportion(k, n float64) bool {
	return k >= 0 && k <= n && n > 0 && !math.IsInf(n, 0)
}

// UnseenMass estimates the probability that the next observation is of a kind not seen yet, after n
// observations of which once are of a kind seen exactly once, and twice kinds were seen exactly twice.
// It answers how surprising a "novel" shape is: where most traffic is new every day, novelty says little.
//
// The estimate is Good and Turing's, once/n (I. J. Good, 1953, doi:10.1093/biomet/40.3-4.237). The interval
// is the wider, on each side, of W. W. Esty's normal limit (1983, doi:10.1214/aos/1176346256) and the exact
// binomial interval of once in n, which holds where once is near 0 or n and Esty's has no width. The
// observations must be independent. Known failure: Good–Turing speaks of observation n+1, not of a later
// world that has changed.
func UnseenMass(once, twice, n int, level float64) Estimate {
	if once < 0 || twice < 0 || n <= 0 || once > n || twice > (n-once)/2 || !validLevel(level) {
		return undefined()
	}
	f1, f2, m := float64(once), float64(twice), float64(n)
	e := ClopperPearson(f1, m, level)
	spread := criticalValue(level) * math.Sqrt(float64(f1*(1-f1/m))+float64(2*f2)) / m
	e.Lo = max(min(e.Lo, e.Value-spread), 0)
	e.Hi = min(max(e.Hi, e.Value+spread), 1)
	return e
}
