package report

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/tracewhy/tracewhy/internal/quantity"
	"github.com/tracewhy/tracewhy/rca"
)

const unknown = "unknown"

// count writes n with its digits in groups of three.
func count(n int) string { return quantity.Grouped(n) }

// plural writes "1 trace" or "3 traces".
func plural(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return count(n) + " " + noun
}

// decimal writes v with three significant digits, and more where it has more before the point.
func decimal(v float64) string {
	if v == 0 {
		return "0" // without a sign
	}
	a := math.Abs(v)
	digits := 0
	for limit := 99.95; digits < 6 && a < limit; limit /= 10 {
		digits++
	}
	switch {
	case a >= 1e15 || a < 1e-6:
		return strconv.FormatFloat(v, 'g', 3, 64)
	case a >= 999.5:
		return count(int(math.Round(v)))
	}
	s := strconv.FormatFloat(v, 'f', digits, 64)
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s
}

// millis writes a duration given in milliseconds in the unit that suits it.
func millis(ms float64) string {
	const longest = float64(math.MaxInt64 / int64(time.Millisecond))
	switch {
	case math.Abs(ms) >= longest:
		return decimal(ms/3_600_000) + "h"
	case ms < 0:
		return "-" + quantity.Duration(time.Duration(-ms*1e6))
	}
	return quantity.Duration(time.Duration(ms * 1e6))
}

// amount writes n in a unit of the report: share, ms, per_s, or any other as it is.
func amount(n rca.Number, unit string) string {
	v := float64(n)
	switch {
	case !n.IsKnown():
		return unknown
	case unit == rca.UnitShare:
		return withSign(v, quantity.Percent)
	case unit == "points":
		return withSign(v, points) + " points"
	case unit == rca.UnitOddsRatio:
		return "odds ratio " + decimal(v)
	case unit == rca.UnitMillis:
		return millis(v)
	case unit == "per_s":
		return decimal(v) + "/s"
	case unit == "":
		return decimal(v)
	}
	return decimal(v) + " " + unit
}

// withSign writes v with its sign by what writes numbers that are not negative, and 0 without one.
func withSign(v float64, write func(float64) string) string {
	text := write(math.Abs(v))
	if v < 0 && text != write(0) {
		return "-" + text
	}
	return text
}

// points writes a share as percentage points.
func points(share float64) string { return strings.TrimSuffix(quantity.Percent(share), " %") }

// change writes a difference with its sign and interval; one of shares is in percentage points.
func change(x rca.Interval, unit string) string {
	if unit == rca.UnitShare {
		unit = "points"
	}
	s := estimate(x, unit)
	if x.Value.IsKnown() && x.Value > 0 {
		s = "+" + s
	}
	return s
}

// estimate writes a number with its interval. It is "unknown" where the number is, and "" where
// nothing at all is known and there is no unit that would say what is.
func estimate(x rca.Interval, unit string) string {
	if unit == "" && !x.Value.IsKnown() {
		return ""
	}
	write := func(n rca.Number) string { // a limit, which need not repeat the unit
		switch unit {
		case "points":
			return withSign(float64(n), points)
		case rca.UnitOddsRatio:
			return decimal(float64(n))
		}
		return amount(n, unit)
	}
	s := amount(x.Value, unit)
	switch low, high := write(x.Low), write(x.High); {
	case x.Low.IsKnown() && x.High.IsKnown() && low == high && strings.HasPrefix(s, low):
		return s
	case x.Low.IsKnown() && x.High.IsKnown():
		return s + " (" + low + " to " + high + ")"
	case x.Low.IsKnown():
		return s + " (at least " + low + ")"
	case x.High.IsKnown():
		return s + " (at most " + high + ")"
	}
	return s
}

// percent writes a probability: never 0 or 100 where it is neither.
func percent(n rca.Number) string {
	switch {
	case !n.IsKnown():
		return unknown
	case 0 < n && n < 0.01:
		return "< 1 %"
	case 0.99 < n && n < 1:
		return "> 99 %"
	}
	return strconv.Itoa(int(math.Round(float64(n)*100))) + " %"
}

// quality writes an adjusted p-value from which on chance is worth a thought, or "".
func quality(q rca.Number) string {
	if !q.IsKnown() || q < 0.001 {
		return ""
	}
	return "q " + decimal(float64(q))
}

// commas ends every text but the last with a comma, leaving out the empty ones.
func commas(texts ...string) []string {
	var kept []string
	for _, s := range texts {
		if s != "" {
			kept = append(kept, s+",")
		}
	}
	if n := len(kept); n > 0 {
		kept[n-1] = strings.TrimSuffix(kept[n-1], ",")
	}
	return kept
}

// phrase joins the parts that are not empty.
func phrase(separator string, parts ...string) string {
	kept := parts[:0:0]
	for _, s := range parts {
		if s != "" {
			kept = append(kept, s)
		}
	}
	return strings.Join(kept, separator)
}
