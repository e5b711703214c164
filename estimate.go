package tracewhy

import (
	"encoding/json"
	"math"
	"strconv"
)

// Estimate is an effect with its 95 % confidence interval, as every analysis gives it.
// A value that cannot be estimated is NaN, and a limit that the data do not bound is infinite.
type Estimate struct {
	Value, Low, High float64
}

// Unknown is the Estimate of what the data say nothing about.
func Unknown() Estimate { return Estimate{math.NaN(), math.NaN(), math.NaN()} }

// IsKnown reports whether there is a value.
func (e Estimate) IsKnown() bool { return !math.IsNaN(e.Value) }

// MarshalJSON writes {"value":…,"low":…,"high":…}, with null for what is not finite.
func (e Estimate) MarshalJSON() ([]byte, error) {
	finite := func(x float64) *float64 {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return nil
		}
		return &x
	}
	return json.Marshal(struct {
		Value *float64 `json:"value"`
		Low   *float64 `json:"low"`
		High  *float64 `json:"high"`
	}{finite(e.Value), finite(e.Low), finite(e.High)})
}

// String returns the estimate as "value (low to high)".
func (e Estimate) String() string {
	f := func(x float64) string { return strconv.FormatFloat(x, 'g', 4, 64) }
	return f(e.Value) + " (" + f(e.Low) + " to " + f(e.High) + ")"
}
