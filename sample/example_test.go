package sample_test

import (
	"context"
	"fmt"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/tracetext"
	"github.com/tracewhy/tracewhy/sample"
)

// Two workers sample what they see, one sends its sample to the other, and the merged sample stands for
// all traces.
func Example() {
	traces := func(from, to, failing int) *tracewhy.Set {
		var spans []tracewhy.SpanData
		for i := from; i < to; i++ {
			s := tracetext.Trace("checkout/POST_/pay 0+100 server").Root().Data()
			s.TraceID = tracetext.TraceID(i)
			if i < from+failing {
				s.Status = tracewhy.StatusError
			}
			spans = append(spans, s)
		}
		return tracewhy.SetOf(spans...)
	}
	cfg := sample.Config{PerStratum: 16}
	here, there := sample.New(cfg), sample.New(cfg)
	for t := range traces(1, 1000, 3).Traces() {
		here.Add(t)
	}
	for t := range traces(1000, 2000, 4).Traces() {
		there.Add(t)
	}

	message, err := there.MarshalBinary()
	if err != nil {
		fmt.Println(err)
		return
	}
	var received sample.Sample
	if err := received.UnmarshalBinary(message); err != nil {
		fmt.Println(err)
		return
	}
	if err := here.Merge(&received); err != nil {
		fmt.Println(err)
		return
	}

	for _, st := range here.Strata() {
		fmt.Printf("%s %s, %v: %d traces, %d kept\n", st.Service, st.Operation, st.Outcome, st.Traces, st.Kept)
	}
	set, err := here.Set(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	failing := set.Select(func(t tracewhy.Trace) bool { return t.Root().Failed() })
	fmt.Printf("a Set of %d traces that stand for %.0f, %.0f of which failed\n", set.NumTraces(), set.All().Weight(), failing.Weight())
	// Output:
	// checkout POST_/pay, ok: 1992 traces, 16 kept
	// checkout POST_/pay, failed: 7 traces, 7 kept
	// a Set of 23 traces that stand for 1999, 7 of which failed
}
