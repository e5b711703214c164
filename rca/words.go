package rca

import (
	"time"

	"github.com/tracewhy/tracewhy/internal/quantity"
)

// percent writes a share, with two digits below 10 %.
func percent(share float64) string { return quantity.Percent(share) }

// duration writes one that is given in milliseconds.
func duration(ms float64) string { return quantity.Duration(time.Duration(ms * 1e6)) }

// count writes a number with its digits in groups of three.
func count(n int) string { return quantity.Grouped(n) }
