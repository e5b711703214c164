package stats

import "math"

// EffectiveSize returns how many equally weighted observations say as much about a mean as these weighted ones:
// L. Kish's (Σw)²/Σw² (Survey Sampling, 1965). It is NaN unless all weights are finite and not negative, and
// one is positive.
func EffectiveSize(weights []float64) float64 {
	largest := 0.0
	for _, w := range weights {
		if !(w >= 0) || math.IsInf(w, 1) {
			return math.NaN()
		}
		largest = max(largest, w)
	}
	if largest == 0 {
		return math.NaN()
	}
	var sum, squares summer
	for _, w := range weights {
		w /= largest
		sum.add(w)
		squares.add(float64(w * w))
	}
	return sum.sum() * sum.sum() / squares.sum()
}

// HorvitzThompson returns the total of values in the population that they were sampled from, and the estimated
// variance of that total (D. G. Horvitz and D. J. Thompson, 1952, doi:10.1080/01621459.1952.10483446). A
// weight is 1/p, where p is the probability that the observation was sampled, independently of the others
// (Poisson sampling). Both are NaN if a weight is below 1 or infinite, or the lengths differ.
//
// Known failure: a sample that happened to miss the large values has a small variance as well.
func HorvitzThompson(values, weights []float64) (total, variance float64) {
	if len(values) != len(weights) {
		return math.NaN(), math.NaN()
	}
	var t, v summer
	for i, y := range values {
		w := weights[i]
		if !(w >= 1) || math.IsInf(w, 1) {
			return math.NaN(), math.NaN()
		}
		t.add(w * y)
		v.add(w * (w - 1) * y * y)
	}
	return t.sum(), v.sum()
}

// AdjustedCount returns how many traces one trace with OpenTelemetry's sampling threshold stands for:
// 2^56/(2^56-T), where T is the tracestate value ot=th:…, 1 to 14 lower-case hexadecimal digits padded with
// zeros on the right (https://opentelemetry.io/docs/specs/otel/trace/tracestate-handling/). It is not ok if
// th is anything else; then, as with no threshold at all, the weight is unknown, which is not the same as 1.
//
// A threshold comes from outside, and one of ffffffffffffff would outweigh all else. The count is at most
// limit, and capped says that it was more. A limit below 1, or NaN, counts as 1.
func AdjustedCount(th string, limit float64) (count float64, capped, ok bool) {
	const digits = 14
	if len(th) < 1 || len(th) > digits {
		return 0, false, false
	}
	var threshold uint64
	for i := range digits {
		threshold <<= 4
		if i >= len(th) {
			continue
		}
		switch c := th[i]; {
		case '0' <= c && c <= '9':
			threshold |= uint64(c - '0')
		case 'a' <= c && c <= 'f':
			threshold |= uint64(c-'a') + 10
		default:
			return 0, false, false
		}
	}
	const all = 1 << 56
	count = all / float64(all-threshold)
	if !(limit >= 1) {
		limit = 1
	}
	if count > limit {
		return limit, true, true
	}
	return count, false, true
}
