package cluster_test

import (
	"context"
	"fmt"
	"os"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/cluster"
	"github.com/tracewhy/tracewhy/cluster/learn"
)

// failures makes traces of a bank: of thirty settlements that fail, twenty do so in the conversion of
// currencies, and ten because the ledger takes too long.
func failures() *tracewhy.Set {
	var spans []tracewhy.SpanData
	services := map[string]*tracewhy.Resource{}
	for _, name := range []string{"settlement", "fx", "ledger"} {
		services[name] = &tracewhy.Resource{Attributes: []tracewhy.KeyValue{tracewhy.String("service.name", name)}}
	}
	for n := range 30 {
		span := func(id, parent byte, service, name string, start, end uint64, message string) {
			const ms = 1_000_000
			at := 1_700_000_000_000*ms + uint64(n)*60_000*ms
			s := tracewhy.SpanData{
				TraceID: tracewhy.TraceID{15: byte(n + 1)}, SpanID: tracewhy.SpanID{7: id}, Name: name, Kind: tracewhy.KindServer,
				Start: at + start*ms, End: at + end*ms, Resource: services[service], Status: tracewhy.StatusError, StatusMessage: message,
			}
			if parent > 0 {
				s.ParentSpanID = tracewhy.SpanID{7: parent}
			}
			spans = append(spans, s)
		}
		if n%3 < 2 {
			span(1, 0, "settlement", "settle", 0, uint64(20+n), "failed")
			span(2, 1, "fx", "convert", 5, uint64(10+n), fmt.Sprintf("rounding of %d.5 JPY loses precision", 100+n))
		} else {
			span(1, 0, "settlement", "settle", 0, uint64(2010+n), "failed")
			span(2, 1, "ledger", "append", 5, uint64(2005+n), fmt.Sprintf("batch of %d took longer than 2s", 900+n))
		}
	}
	return tracewhy.SetOf(spans...)
}

// One incident is two failure modes, and a remedy covers one of them.
func ExampleModes() {
	r, err := cluster.Modes(context.Background(), failures().All(), cluster.ModesConfig{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, m := range r.Modes {
		fmt.Printf("%d of %d: %s %s: %s\n", m.Traces.Len(), r.Traces, m.Service, m.Operation, m.Message)
	}
	moreTime := tracewhy.Predicate{Has: []tracewhy.Matcher{{Service: "ledger", Failed: true}}}
	for i, c := range r.Coverage(moreTime) {
		fmt.Printf("%s: covered %d of %d\n", r.Modes[i].Service, c.Covered.Len(), c.Traces)
	}
	// Output:
	// 20 of 30: fx convert: rounding of #.# JPY loses precision
	// 10 of 30: ledger append: batch of # took longer than #s
	// fx: covered 0 of 20
	// ledger: covered 10 of 10
}

// A table of traces, for other tools and for package learn.
func ExampleFeatures() {
	f, err := cluster.Features(context.Background(), failures().All(), cluster.FeaturesConfig{})
	if err != nil {
		fmt.Println(err)
		return
	}
	r, err := learn.KMeans(context.Background(), f.RobustScale(), 2, learn.KMeansConfig{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(r.Labels[:6])
	few := learn.NewMatrix(f.Rows[:2], f.Columns[:2])
	copy(few.Row(0), f.Row(0))
	copy(few.Row(1), f.Row(1))
	if err := few.WriteCSV(os.Stdout); err != nil {
		fmt.Println(err)
	}
	// Output:
	// [0 0 1 0 0 1]
	// row,duration,completeness
	// 00000000000000000000000000000001,14.287784512498186,1
	// 00000000000000000000000000000002,14.358170405569041,1
}
