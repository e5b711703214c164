package zipkin_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/ingest/input"
	"github.com/tracewhy/tracewhy/ingest/zipkin"
)

// The client and the server of a call share an id, as Zipkin has it. They become two spans.
func Example() {
	const doc = `[
		{"traceId":"4d1e00c0db9010db","id":"86154a4ba6e91385","kind":"CLIENT","name":"get","timestamp":1472470996199000,"duration":207000,
		 "localEndpoint":{"serviceName":"shop"},"tags":{"error":"timed out"}},
		{"traceId":"4d1e00c0db9010db","id":"86154a4ba6e91385","kind":"SERVER","name":"get /rates","timestamp":1472470996238000,"duration":403000,
		 "localEndpoint":{"serviceName":"bank"},"shared":true}
	]`
	var b tracewhy.Builder
	if err := zipkin.Read(context.Background(), strings.NewReader(doc), &b, input.Config{}); err != nil {
		fmt.Println(err)
		return
	}
	set, err := b.Build(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	for s := range set.Trace(0).Spans() {
		fmt.Println(s.Service(), s.Kind(), s.Name(), s.Duration(), s.Status())
	}
	// Output:
	// shop client get 207ms error
	// bank server get /rates 403ms unset
}
