package otlp_test

import (
	"bytes"
	"context"
	"fmt"
	"os"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/ingest/input"
	"github.com/tracewhy/tracewhy/ingest/otlp"
)

// Spans that were made by hand are written as JSON, and read as what they were.
func Example() {
	set := tracewhy.SetOf(tracewhy.SpanData{
		TraceID: tracewhy.TraceID{1}, SpanID: tracewhy.SpanID{2}, Name: "GET /cart", Kind: tracewhy.KindServer,
		Start: 1000, End: 9000, Attributes: []tracewhy.KeyValue{tracewhy.Int("http.response.status_code", 200)},
		Resource: &tracewhy.Resource{Attributes: []tracewhy.KeyValue{tracewhy.String("service.name", "shop")}},
	})
	var doc bytes.Buffer
	if err := otlp.WriteJSON(&doc, set.Trace(0).Spans()); err != nil {
		fmt.Println(err)
		return
	}
	os.Stdout.Write(doc.Bytes())

	var b tracewhy.Builder
	if err := otlp.Read(context.Background(), &doc, &b, input.Config{}); err != nil {
		fmt.Println(err)
		return
	}
	again, err := b.Build(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	code, _ := again.Span(0).Attr("http.response.status_code")
	fmt.Println(again.Span(0).Service(), code.Int())
	// Output:
	// {"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]},"scopeSpans":[{"scope":{},"spans":[{"traceId":"01000000000000000000000000000000","spanId":"0200000000000000","name":"GET /cart","kind":2,"startTimeUnixNano":"1000","endTimeUnixNano":"9000","attributes":[{"key":"http.response.status_code","value":{"intValue":"200"}}]}]}]}]}
	// shop 200
}
