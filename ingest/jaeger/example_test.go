package jaeger_test

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/ingest/input"
	"github.com/tracewhy/tracewhy/ingest/jaeger"
)

// An answer of Jaeger's query API is read, and what failed in it is written for Jaeger's UI.
func Example() {
	const answer = `{"data":[{"traceID":"eab6257f945660422f52377a4dd6fafb","spans":[
		{"traceID":"eab6257f945660422f52377a4dd6fafb","spanID":"20dc8e702271de46","operationName":"GET /pay","references":[],
		 "startTime":1795329067777149,"duration":89545,"tags":[{"key":"span.kind","type":"string","value":"server"}],"logs":[],"processID":"p1"},
		{"traceID":"eab6257f945660422f52377a4dd6fafb","spanID":"da9bd76769a8bbd3","operationName":"SELECT",
		 "references":[{"refType":"CHILD_OF","traceID":"eab6257f945660422f52377a4dd6fafb","spanID":"20dc8e702271de46"}],
		 "startTime":1795329067777909,"duration":88160,"tags":[{"key":"error","type":"bool","value":true}],"logs":[],"processID":"p2"}],
		"processes":{"p1":{"serviceName":"payments","tags":[]},"p2":{"serviceName":"mysql","tags":[]}}}],"errors":null}`
	var b tracewhy.Builder
	if err := jaeger.Read(context.Background(), strings.NewReader(answer), &b, input.Config{Name: "traces.json"}); err != nil {
		fmt.Println(err)
		return
	}
	set, err := b.Build(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	for s := range set.Trace(0).Spans() {
		fmt.Println(s.Service(), s.Name(), s.Kind(), s.Status())
	}
	failed := func(yield func(tracewhy.Span) bool) {
		for s := range set.Trace(0).Spans() {
			if s.Status() == tracewhy.StatusError && !yield(s) {
				return
			}
		}
	}
	if err := jaeger.WriteJSON(os.Stdout, failed); err != nil {
		fmt.Println(err)
	}
	// Output:
	// payments GET /pay server unset
	// mysql SELECT unspecified error
	// {"data":[
	// {"traceID":"eab6257f945660422f52377a4dd6fafb","processes":{"p1":{"serviceName":"mysql","tags":[]}},"spans":[{"traceID":"eab6257f945660422f52377a4dd6fafb","spanID":"da9bd76769a8bbd3","operationName":"SELECT","references":[{"refType":"CHILD_OF","traceID":"eab6257f945660422f52377a4dd6fafb","spanID":"20dc8e702271de46"}],"startTime":1795329067777909,"duration":88160,"tags":[{"key":"otel.status_code","type":"string","value":"ERROR"},{"key":"error","type":"bool","value":true}],"logs":[],"processID":"p1","warnings":null}],"warnings":null}],"total":0,"limit":0,"offset":0,"errors":null}
}
