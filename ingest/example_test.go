package ingest_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/ingest"
)

func Example() {
	const lines = `{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]},"scopeSpans":[{"spans":[{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","name":"GET /cart","startTimeUnixNano":"1000000","endTimeUnixNano":"9000000"}]}]}]}
{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"db"}}]},"scopeSpans":[{"spans":[{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b175","parentSpanId":"eee19b7ec3c1b174","name":"SELECT","startTimeUnixNano":"2000000","endTimeUnixNano":"7000000"},{"name":"who knows"}]}]}]}
`
	var b tracewhy.Builder
	if err := ingest.Read(context.Background(), "spans.jsonl", strings.NewReader(lines), "incident", &b, ingest.Config{}); err != nil {
		fmt.Println(err)
		return
	}
	set, err := b.Build(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	for s := range set.Trace(0).Spans() {
		fmt.Println(s.Service(), s.Name(), s.Duration())
	}
	for _, p := range set.Problems() {
		fmt.Println(p.Count, p.Code, p.Message)
	}
	// Output:
	// shop GET /cart 8ms
	// db SELECT 5ms
	// 1 id_missing spans without a trace or span id were left out; for example spans.jsonl:2: byte 589
}
