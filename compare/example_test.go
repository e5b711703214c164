package compare_test

import (
	"context"
	"fmt"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/compare"
)

// The store of a shop became slower, and the shop with it; the excess is the store's.
func ExampleOperations() {
	var spans []tracewhy.SpanData
	services := map[string]*tracewhy.Resource{}
	for _, name := range []string{"shop", "store"} {
		services[name] = &tracewhy.Resource{Attributes: []tracewhy.KeyValue{tracewhy.String("service.name", name)}}
	}
	for n := range 80 {
		source, store := "baseline", uint64(10+n%5)
		if n >= 40 {
			source, store = "incident", uint64(60+n%5)
		}
		span := func(id, parent byte, service, name string, kind tracewhy.Kind, start, end uint64) {
			const ms = 1_000_000
			at := 1_700_000_000_000*ms + uint64(n)*1000*ms
			s := tracewhy.SpanData{
				TraceID: tracewhy.TraceID{15: byte(n + 1)}, SpanID: tracewhy.SpanID{7: id}, Name: name, Kind: kind,
				Start: at + start*ms, End: at + end*ms, Resource: services[service], Source: source,
			}
			if parent != 0 {
				s.ParentSpanID = tracewhy.SpanID{7: parent}
			}
			spans = append(spans, s)
		}
		span(1, 0, "shop", "POST /order", tracewhy.KindServer, 0, store+10)
		span(2, 1, "shop", "reserve", tracewhy.KindClient, 3, store+7)
		span(3, 2, "store", "reserve", tracewhy.KindServer, 5, store+5)
	}
	set := tracewhy.SetOf(spans...)
	r, err := compare.Operations(context.Background(), set.Source("baseline"), set.Source("incident"), compare.OperationsConfig{})
	if err != nil {
		fmt.Println(err)
		return
	}
	s := r.Symptoms[0]
	fmt.Printf("%s: %.0f ms, %.0f ms before\n", s.Kind, s.Incident, s.Baseline)
	for _, t := range r.Timings {
		fmt.Printf("%s %s: excess %.0f ms\n", t.Service, t.Callee, t.Excess.Value)
	}
	// Output:
	// latency: 72 ms, 22 ms before
	// store : excess 50 ms
	// shop : excess 0 ms
	// shop store: excess 0 ms
}
