package compare_test

import (
	"context"
	"fmt"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/compare"
)

// Scans of one format fail where there are many at a time: two conditions that are one cause.
func ExampleConjunctions() {
	var spans []tracewhy.SpanData
	for n := range 600 {
		format := []string{"pdf", "tiff", "png"}[n%3]
		volume := []string{"high", "low", "low", "low"}[n/3%4]
		s := tracewhy.SpanData{
			TraceID: tracewhy.TraceID{14: byte(n >> 8), 15: byte(n) | 1}, SpanID: tracewhy.SpanID{7: 1}, Name: "POST /scan",
			Start: uint64(1_700_000_000_000_000_000 + n), End: uint64(1_700_000_000_000_000_100 + n), Source: "ok",
			Attributes: []tracewhy.KeyValue{tracewhy.String("format", format), tracewhy.String("volume", volume), tracewhy.Int("shard", int64(n/12%3))},
		}
		s.TraceID[13] = byte(n)
		if format == "tiff" && volume == "high" && n%5 > 0 || n%50 == 7 {
			s.Source = "failed"
		}
		spans = append(spans, s)
	}
	set := tracewhy.SetOf(spans...)
	r, err := compare.Conjunctions(context.Background(), set.Source("ok"), set.Source("failed"), compare.ConjunctionsConfig{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, f := range r.Findings {
		for _, c := range f.Conditions {
			fmt.Println(c.Condition)
		}
		fmt.Printf("%d of %d failed traces, %d of %d others\n", f.Traces[1], r.Traces[1], f.Traces[0], r.Traces[0])
	}
	fmt.Printf("%s, explained: %.2f\n", r.Verdict, r.Explained)
	// Output:
	// format = tiff
	// volume = high
	// 40 of 50 failed traces, 10 of 550 others
	// found, explained: 0.80
}
