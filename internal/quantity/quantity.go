// Package quantity writes numbers for people, with as many digits as matter.
package quantity

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Count returns "1 call", "0 calls" or "3 calls", for a noun whose plural has an s more.
func Count(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return strconv.Itoa(n) + " " + noun
}

// Grouped returns 12345 as "12,345".
func Grouped(n int) string {
	s := strconv.Itoa(n)
	sign := ""
	if n < 0 {
		sign, s = "-", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return sign + s
}

// Percent returns a share of 0.31 as "31 %", and one of 0.0067 as "0.67 %".
func Percent(share float64) string {
	if share > 0.0995 {
		return fmt.Sprintf("%.0f %%", 100*share)
	}
	return fmt.Sprintf("%.2g %%", 100*share)
}

// Round returns a duration with three digits.
func Round(d time.Duration) time.Duration {
	unit := time.Duration(1)
	for d/unit >= 1000 {
		unit *= 10
	}
	return d.Round(unit)
}

// Duration returns a duration as "1h30m", "2m10s" or "1.23ms": whole minutes from an hour on, whole seconds from a
// minute on, and three digits below.
func Duration(d time.Duration) string {
	switch {
	case d >= time.Hour:
		d = d.Round(time.Minute)
	case d >= time.Minute:
		d = d.Round(time.Second)
	default:
		d = Round(d)
	}
	text := d.String()
	for _, zero := range [...]string{"m0s", "h0m"} {
		if strings.HasSuffix(text, zero) {
			text = text[:len(text)-2]
		}
	}
	return text
}
