package tracewhy_test

import (
	"fmt"

	"github.com/tracewhy/tracewhy"
)

// span makes a span for the examples, with times in milliseconds.
func span(id, parent byte, service, name string, kind tracewhy.Kind, start, end uint64) tracewhy.SpanData {
	const epoch, ms = 1_700_000_000_000_000_000, 1_000_000
	d := tracewhy.SpanData{
		TraceID: tracewhy.TraceID{1}, SpanID: tracewhy.SpanID{id}, Name: name, Kind: kind,
		Start: epoch + start*ms, End: epoch + end*ms,
		Resource: &tracewhy.Resource{Attributes: []tracewhy.KeyValue{tracewhy.String("service.name", service)}},
	}
	if parent != 0 {
		d.ParentSpanID = tracewhy.SpanID{parent}
	}
	return d
}

func ExampleTrace_CriticalPath() {
	// The payment service asks for the fraud score and the balance at once, and then books.
	set := tracewhy.SetOf(
		span(1, 0, "payments", "POST /pay", tracewhy.KindServer, 0, 100),
		span(2, 1, "payments", "score", tracewhy.KindClient, 5, 70),
		span(3, 1, "payments", "balance", tracewhy.KindClient, 5, 30),
		span(4, 1, "payments", "book", tracewhy.KindClient, 75, 95),
	)
	for _, section := range set.Trace(0).CriticalPath() {
		fmt.Printf("%5v %s\n", section.Duration(), section.Span.Name())
	}
	// Output:
	//   5ms POST /pay
	//  65ms score
	//   5ms POST /pay
	//  20ms book
	//   5ms POST /pay
}

func ExampleTrace_Slacks() {
	set := tracewhy.SetOf(
		span(1, 0, "payments", "POST /pay", tracewhy.KindServer, 0, 100),
		span(2, 1, "payments", "score", tracewhy.KindClient, 5, 70),
		span(3, 1, "payments", "balance", tracewhy.KindClient, 5, 30),
		span(4, 1, "payments", "book", tracewhy.KindClient, 75, 95),
	)
	// Without the score the payment would still wait for the balance: it drags by less than it takes.
	for _, s := range set.Trace(0).Slacks() {
		fmt.Printf("%-9s took %5v, drag %5v, slack %v\n", s.Span.Name(), s.Span.Duration(), s.Drag, s.Slack)
	}
	// Output:
	// POST /pay took 100ms, drag 100ms, slack 0s
	// score     took  65ms, drag  40ms, slack 0s
	// balance   took  25ms, drag    0s, slack 40ms
	// book      took  20ms, drag  20ms, slack 0s
}

func ExampleSpan_Gaps() {
	call := span(2, 1, "payments", "score", tracewhy.KindClient, 5, 70)
	set := tracewhy.SetOf(
		span(1, 0, "payments", "POST /pay", tracewhy.KindServer, 0, 100), call,
		span(3, 2, "fraud", "Score", tracewhy.KindServer, 45, 68),
		span(4, 3, "fraud", "SELECT rules", tracewhy.KindClient, 60, 67),
	)
	for s := range set.Trace(0).Spans() {
		for g := range s.Gaps() {
			fmt.Printf("%-9s %5v %v %s\n", s.Name(), g.Duration(), g.Class, g.Child.Name())
		}
	}
	// Output:
	// POST /pay   5ms before first score
	// POST /pay  30ms after last score
	// score      40ms request Score
	// score       2ms response Score
	// Score      15ms before first SELECT rules
	// Score       1ms after last SELECT rules
}

func ExampleTrace_ErrorOrigin() {
	root := span(1, 0, "payments", "POST /pay", tracewhy.KindServer, 0, 105)
	root.Status = tracewhy.StatusError
	call := span(2, 1, "payments", "score", tracewhy.KindClient, 3, 103)
	call.Status, call.StatusMessage = tracewhy.StatusError, "context deadline exceeded"
	set := tracewhy.SetOf(root, call,
		span(3, 2, "fraud", "Score", tracewhy.KindServer, 4, 404), // succeeds, but far too late
		span(4, 3, "fraud", "pool.acquire", tracewhy.KindInternal, 6, 390),
	)
	origin, _ := set.Trace(0).ErrorOrigin()
	fmt.Printf("%s %s: %s\n", origin.Span.Service(), origin.Span.Name(), origin.Rule)
	for _, h := range set.Trace(0).ErrorHops() {
		fmt.Println(h.Span.Name(), h.Role)
	}
	// Output:
	// fraud pool.acquire: its caller gave up, having waited for it most
	// POST /pay propagated
	// score deadline-cancelled
	// pool.acquire origin
}

func ExampleSpan_CallGroups() {
	failed := span(2, 1, "payments", "score", tracewhy.KindClient, 5, 20)
	failed.Status = tracewhy.StatusError
	set := tracewhy.SetOf(
		span(1, 0, "payments", "POST /pay", tracewhy.KindServer, 0, 100),
		failed,
		span(3, 1, "payments", "score", tracewhy.KindClient, 40, 60),
	)
	for _, g := range set.Trace(0).Root().CallGroups() {
		fmt.Println(g.Pattern, len(g.Calls), "calls, recovered:", g.Recovered)
	}
	// Output:
	// retry 2 calls, recovered: true
}
