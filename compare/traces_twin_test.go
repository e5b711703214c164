package compare

import (
	"testing"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/tracetext"
)

func TestTwin(t *testing.T) {
	set := tracetext.Set(`
		trace failing
		a/pay 0+10 error region=eu tier=gold
		  b/book 1+2
		trace other-region
		a/pay 0+10 region=us tier=gold
		  b/book 1+2
		trace less
		a/pay 0+10 region=eu tier=gold
		trace twin
		a/pay 0+10 region=eu tier=gold
		  b/book 1+2
		trace also-failing
		a/pay 0+10 error region=eu tier=gold
		  b/book 1+2
		trace other-operation
		a/refund 0+10 region=eu tier=gold
		  b/book 1+2
		`)
	byID := map[tracewhy.TraceID]tracewhy.Trace{}
	for x := range set.Traces() {
		byID[x.ID()] = x
	}
	trace := func(n int) tracewhy.Trace { return byID[tracetext.TraceID(n)] }
	for _, tt := range []struct{ of, want int }{{1, 4}, {4, 1}, {5, 4}} {
		if got, ok := Twin(trace(tt.of), set.All()); !ok || got != trace(tt.want) {
			t.Errorf("the twin of %d is %v, want %d", tt.of, got.ID(), tt.want)
		}
	}
	if _, ok := Twin(trace(6), set.All()); ok {
		t.Error("a trace without an equal has a twin")
	}
	if _, ok := Twin(trace(1), tracewhy.Cohort{}); ok {
		t.Error("a twin in a cohort of no Set")
	}
}
