package rca

import (
	"reflect"

	"github.com/tracewhy/tracewhy"
)

// maxShared is which part of the affected traces of one cause those of another may be, if they are of
// two incidents.
const maxShared = 0.1

// apart returns what says of two causes that each is of an incident of its own: they hit other traces, and
// for each it is known whom it hits, by conditions that have nothing in common. One fault that shows in two
// places hits the same traces, or those of one condition; two faults, such as two that came with one
// deployment, need not. A cause that is rarer than the other is not less probable for that.
func apart(causes []*cause, described []RootCause) func(i, j int) bool {
	affected := make([]tracewhy.Cohort, len(causes))
	for i, c := range causes {
		if len(described[i].Conditions) > 0 {
			affected[i] = c.exposure().affected
		}
	}
	return func(i, j int) bool {
		if i >= len(causes) || j >= len(causes) || len(described[i].Conditions) == 0 || len(described[j].Conditions) == 0 {
			return false
		}
		for _, x := range described[i].Conditions {
			for _, y := range described[j].Conditions {
				if x.Key == y.Key && x.Op == y.Op && reflect.DeepEqual(x.Value, y.Value) {
					return false
				}
			}
		}
		shared := affected[i].And(affected[j]).Len()
		return float64(shared) <= maxShared*float64(min(affected[i].Len(), affected[j].Len()))
	}
}
