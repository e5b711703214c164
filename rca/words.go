package rca

import (
	"strconv"
	"time"

	"github.com/tracewhy/tracewhy/internal/quantity"
)

// percent writes a share, with two digits below 10 %.
func percent(share float64) string { return quantity.Percent(share) }

// duration writes one that is given in milliseconds.
func duration(ms float64) string { return quantity.Duration(time.Duration(ms * 1e6)) }

// count writes a number with its digits in groups of three.
func count(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0 && n >= 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
