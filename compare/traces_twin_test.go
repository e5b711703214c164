package compare

import (
	"testing"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/tracetext"
)

func TestTwin(t *testing.T) {
	set := tracetext.Set(`
		trace failing
		a/pay 0+10 error region=eu tier=gold error.type=timeout order.id=7
		  b/book 1+2
		trace other-region
		a/pay 0+10 region=us tier=gold
		  b/book 1+2
		trace fewer-calls
		a/pay 0+10 region=eu tier=gold
		trace twin
		a/pay 0+10 region=eu tier=gold order.id=8
		  b/book 1+2
		trace also-failing
		a/pay 0+10 error region=eu tier=gold
		  b/book 1+2
		trace other-operation
		a/refund 0+10 region=eu tier=gold
		  b/book 1+2
		trace same-order-other-tier
		a/pay 0+10 region=eu tier=none order.id=7
		  b/book 1+2
		trace abandoned
		a/pay 0+10 region=eu tier=gold business.outcome=abandoned
		  b/book 1+2
		trace as-like-and-not-as-usual
		a/pay 0+9 region=eu tier=gold
		  b/book 1+2
		trace slow
		a/pay 0+90 region=eu tier=gold
		  b/book 1+2
		trace fragment
		a/pay 0+10 region=eu tier=gold orphan
		  b/book 1+2
		`)
	byID := map[tracewhy.TraceID]tracewhy.Trace{}
	for x := range set.Traces() {
		byID[x.ID()] = x
	}
	trace := func(n int) tracewhy.Trace { return byID[tracetext.TraceID(n)] }
	baseline := set.Select(func(x tracewhy.Trace) bool { return x != trace(10) })
	for _, tt := range []struct{ of, want int }{
		{1, 4}, {2, 4}, {4, 9}, {5, 4}, {8, 4}, {9, 4}, {10, 4}, // a healthy one for whatever it is
	} {
		if got, ok := Twin(trace(tt.of), baseline); !ok || got != trace(tt.want) {
			t.Errorf("the twin of %d is %v, want %d", tt.of, got.ID(), tt.want)
		}
	}
	if _, ok := Twin(trace(6), baseline); ok {
		t.Error("a trace without an equal has a twin")
	}
	if _, ok := Twin(trace(1), tracewhy.Cohort{}); ok {
		t.Error("a twin in a cohort of no Set")
	}
}

// What took longer than 95 % of the baseline is no twin, however alike it is.
func TestHealthyRule(t *testing.T) {
	var spans []tracewhy.SpanData
	shop := &tracewhy.Resource{Attributes: []tracewhy.KeyValue{tracewhy.String("service.name", "shop")}}
	for n := range 40 {
		spans = append(spans, tracewhy.SpanData{
			TraceID: tracewhy.TraceID{15: byte(n + 1)}, SpanID: tracewhy.SpanID{7: 1}, Name: "GET /", Resource: shop, Source: "baseline",
			Start: 1_700_000_000 * 1_000_000_000, End: 1_700_000_000*1_000_000_000 + uint64(n+1)*millisecond,
		})
	}
	spans[39].Status = tracewhy.StatusError
	baseline := tracewhy.SetOf(spans...).Source("baseline")
	rule := newHealthyRule(baseline, tracewhy.OutcomeRule{})
	count := map[tracewhy.Outcome]int{}
	for x := range baseline.Traces() {
		count[rule.of(x)]++
	}
	// The limit is the 38th of 39 durations.
	if count[tracewhy.OutcomeOK] != 38 || count[tracewhy.OutcomeSlow] != 1 || count[tracewhy.OutcomeFailed] != 1 {
		t.Errorf("outcomes %v", count)
	}
	if limit := rule.limits[baseline.Set().Trace(0).Root().Path().ID()]; limit.median != 20*millisecond {
		t.Errorf("median %d", limit.median)
	}
}
