package otelsdk_test

import (
	"context"
	"fmt"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/ingest/otelsdk"
)

// A service records its own traces, and looks at those that failed.
func Example() {
	ctx := context.Background()
	recorder := otelsdk.New(otelsdk.Config{})
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder))
	tracer := provider.Tracer("shop")

	for i := range 50 {
		ctx, root := tracer.Start(ctx, "POST /pay", trace.WithSpanKind(trace.SpanKindServer))
		_, call := tracer.Start(ctx, "charge", trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(attribute.String("server.address", "cards")))
		if i%25 == 0 {
			call.SetStatus(codes.Error, "no answer")
			root.SetStatus(codes.Error, "")
		}
		call.End()
		root.End()
	}

	if err := provider.Shutdown(ctx); err != nil {
		fmt.Println(err)
	}
	set, err := recorder.Set(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	failed := set.Select(func(t tracewhy.Trace) bool { return t.Root().Failed() })
	fmt.Printf("%.0f of %.0f traces failed\n", failed.Weight(), set.All().Weight())
	for t := range failed.Traces() {
		for s := range t.Spans() {
			if peer, _ := s.Peer(); peer != "" && s.Failed() {
				fmt.Printf("%s: %s\n", peer, s.StatusMessage())
			}
		}
	}
	// Output:
	// 2 of 50 traces failed
	// cards: no answer
	// cards: no answer
}
