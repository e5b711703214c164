package compare_test

import (
	"context"
	"fmt"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/compare"
)

// orders are traces of a shop: an order asks for stock once, or once for each of its items.
func orders(source string, first, n int, oneByOne bool) (spans []tracewhy.SpanData) {
	shop := &tracewhy.Resource{Attributes: []tracewhy.KeyValue{tracewhy.String("service.name", "shop")}}
	for i := first; i < first+n; i++ {
		at := 1_700_000_000_000_000_000 + uint64(i)*1_000_000_000
		span := func(id, parent byte, name string, start, end uint64) {
			s := tracewhy.SpanData{
				TraceID: tracewhy.TraceID{15: byte(i + 1)}, SpanID: tracewhy.SpanID{7: id}, Name: name,
				Start: at + start*1_000_000, End: at + end*1_000_000, Resource: shop, Source: source,
			}
			if parent != 0 {
				s.ParentSpanID = tracewhy.SpanID{7: parent}
			}
			spans = append(spans, s)
		}
		items := 3 + i%4
		calls := 1
		if oneByOne {
			calls = items
		}
		span(1, 0, "POST /order", 0, uint64(5+10*calls))
		for k := range calls {
			span(byte(2+k), 1, "SELECT stock", uint64(2+10*k), uint64(10+10*k))
		}
	}
	return spans
}

// A release asks for each item by itself.
func ExampleStructure() {
	set := tracewhy.SetOf(append(orders("baseline", 0, 40, false), orders("incident", 40, 40, true)...)...)
	r, err := compare.Structure(context.Background(), set.Source("baseline"), set.Source("incident"), compare.StructureConfig{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, f := range r.Findings {
		fmt.Printf("%s %s %s\n", f.Service, f.Operation, f.What)
		fmt.Printf("%.1f calls, %.1f before; contribution %.2f\n", f.Mean[1], f.Mean[0], f.Contribution.Value)
	}
	// Output:
	// shop POST /order now calls SELECT stock twice or more
	// 4.5 calls, 1.0 before; contribution 1.00
}

// What to look at first: a usual trace, one that is as unlike it as any, and a healthy one to lay beside each.
func ExampleExemplars() {
	set := tracewhy.SetOf(append(orders("baseline", 0, 40, false), orders("incident", 40, 40, true)...)...)
	list, err := compare.Exemplars(context.Background(), set.Source("incident"), compare.ExemplarsConfig{Baseline: set.Source("baseline"), Boundary: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, e := range list {
		fmt.Printf("%s: %s, %d spans; its twin has %d\n", e.Role, e.Outcome, e.Trace.NumSpans(), e.Twin.NumSpans())
	}
	// Output:
	// medoid: slow, 6 spans; its twin has 2
	// boundary: slow, 4 spans; its twin has 2
}

// Twelve traces of an incident can show that two of them fail too many, and nothing of their slowest.
func ExampleAdequacy() {
	set := tracewhy.SetOf(append(orders("baseline", 0, 80, false), orders("incident", 80, 12, false)...)...)
	r, err := compare.Adequacy(context.Background(), set.Source("baseline"), set.Source("incident"), compare.AdequacyConfig{})
	if err != nil {
		fmt.Println(err)
		return
	}
	o := r.Operations[0]
	fmt.Printf("%s: from %.0f %% failures on\n", o.Operation, 100*o.DetectableRate)
	for _, l := range o.Latency {
		fmt.Printf("p%.0f: estimable %v, needs %d\n", 100*l.Quantile, l.Estimable, l.Needed)
	}
	// Output:
	// POST /order: from 17 % failures on
	// p50: estimable true, needs 6
	// p95: estimable false, needs 72
	// p99: estimable false, needs 368
}
