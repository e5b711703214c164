package compare_test

import (
	"context"
	"fmt"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/compare"
)

// Transfers in one currency fail; the error type comes with the failure and is no cause.
func ExampleAttributes() {
	var spans []tracewhy.SpanData
	for n := range 200 {
		s := tracewhy.SpanData{
			TraceID: tracewhy.TraceID{15: byte(n + 1)}, SpanID: tracewhy.SpanID{7: 1}, Name: "POST /transfer",
			Start: uint64(1_700_000_000_000_000_000 + n), End: uint64(1_700_000_000_000_000_100 + n), Source: "ok",
			Attributes: []tracewhy.KeyValue{
				tracewhy.String("currency", []string{"EUR", "USD", "JPY", "GBP"}[n%4]), tracewhy.String("channel", []string{"web", "app", "branch"}[n%3]),
			},
		}
		if n%4 == 2 && n%5 > 0 {
			s.Source = "failed"
			s.Attributes = append(s.Attributes, tracewhy.String("error.type", "rounding"))
		}
		spans = append(spans, s)
	}
	set := tracewhy.SetOf(spans...)
	r, err := compare.Attributes(context.Background(), set.Source("ok"), set.Source("failed"), compare.AttributesConfig{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, f := range r.Findings {
		fmt.Printf("%v: %d of %d failed traces, %d of %d others\n", f.Condition, f.Traces[1], r.Traces[1], f.Traces[0], r.Traces[0])
	}
	fmt.Println("consequence:", r.Consequences[0].Condition)
	// Output:
	// currency = JPY: 40 of 40 failed traces, 10 of 160 others
	// consequence: error.type = rounding
}
