package compare_test

import (
	"fmt"
	"time"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/compare"
)

// The second order asks the store five times instead of once, and that is where its time goes.
func ExampleTraces() {
	span := func(trace, id, parent byte, name string, start, end time.Duration) tracewhy.SpanData {
		const at = 1_700_000_000_000_000_000
		s := tracewhy.SpanData{
			TraceID: tracewhy.TraceID{15: trace}, SpanID: tracewhy.SpanID{7: id}, Name: name,
			Start: at + uint64(start), End: at + uint64(end),
		}
		if parent != 0 {
			s.ParentSpanID = tracewhy.SpanID{7: parent}
		}
		return s
	}
	const ms = time.Millisecond
	spans := []tracewhy.SpanData{
		span(1, 1, 0, "POST /order", 0, 20*ms), span(1, 2, 1, "SELECT stock", 5*ms, 15*ms),
		span(2, 1, 0, "POST /order", 0, 60*ms),
	}
	for i := range 5 {
		start := time.Duration(5+10*i) * ms
		spans = append(spans, span(2, byte(2+i), 1, "SELECT stock", start, start+10*ms))
	}
	var traces []tracewhy.Trace
	for t := range tracewhy.SetOf(spans...).Traces() {
		traces = append(traces, t)
	}
	r := compare.Traces(traces[0], traces[1], compare.TracesConfig{})
	fmt.Println("roots differ by", r.Right.Duration-r.Left.Duration)
	for _, row := range r.Rows {
		fmt.Printf("%s: %d calls, then %d; %v of it\n", row.Operation, row.Left.Calls, row.Right.Calls, row.Critical())
	}
	// Output:
	// roots differ by 40ms
	// POST /order: 1 calls, then 1; 0s of it
	// SELECT stock: 1 calls, then 5; 40ms of it
}
