package stdouttrace_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/ingest/input"
	"github.com/tracewhy/tracewhy/ingest/otelsdk"
)

// A generator makes spans of the SDK.
type generator struct{ *rand.Rand }

func (g generator) text() string {
	return []string{"", "a", "GET /cart", "größe <x>", "\u2028\"\\\n", "x" + fmt.Sprint(g.IntN(1000))}[g.IntN(6)]
}

func (g generator) value(depth int) attribute.Value {
	n := 12
	if depth == 0 {
		n = 10
	}
	switch g.IntN(n) {
	case 0:
		return attribute.BoolValue(g.IntN(2) == 0)
	case 1:
		return attribute.Int64Value([]int64{0, 1, -1, math.MaxInt64, math.MinInt64, 1 << 53}[g.IntN(6)])
	case 2:
		return attribute.Float64Value([]float64{0, 1, -0.5, 1e300, 1e-300, g.Float64()}[g.IntN(6)])
	case 3:
		return attribute.StringValue(g.text())
	case 4:
		return attribute.BoolSliceValue(make([]bool, g.IntN(3)))
	case 5:
		return attribute.Int64SliceValue([]int64{1, math.MinInt64}[:g.IntN(3)])
	case 6:
		return attribute.Float64SliceValue([]float64{2, 0.1}[:g.IntN(3)])
	case 7:
		return attribute.StringSliceValue([]string{g.text(), "y"}[:g.IntN(3)])
	case 8:
		return attribute.ByteSliceValue([]byte{0, 255, 7}[:g.IntN(4)])
	case 9:
		return attribute.Value{}
	case 10:
		vs := make([]attribute.Value, g.IntN(3))
		for i := range vs {
			vs[i] = g.value(depth - 1)
		}
		return attribute.SliceValue(vs...)
	}
	return attribute.MapValue(g.attributes(depth - 1)...)
}

func (g generator) attributes(depth int) (kvs []attribute.KeyValue) {
	for i := range g.IntN(4) {
		kvs = append(kvs, attribute.KeyValue{Key: attribute.Key(fmt.Sprint("k", i)), Value: g.value(depth)})
	}
	return kvs
}

func (g generator) context(traceID trace.TraceID) trace.SpanContext {
	state, err := trace.ParseTraceState([]string{"", "a=b", "vendor=x,a=b"}[g.IntN(3)])
	if err != nil {
		panic(err)
	}
	return trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: traceID, SpanID: trace.SpanID{1, byte(g.IntN(256)), byte(g.IntN(256))},
		TraceFlags: trace.TraceFlags(g.IntN(4)), TraceState: state, Remote: g.IntN(2) == 0,
	})
}

func (g generator) time() time.Time {
	zone := time.FixedZone("", 3600*(g.IntN(20)-10))
	return time.Unix(1.7e9+g.Int64N(1e8), []int64{0, 1, 120, 999_999_999, 5_000_000}[g.IntN(5)]).In(zone)
}

func (g generator) span() tracetest.SpanStub {
	traceID := trace.TraceID{byte(g.IntN(256)), 1, byte(g.IntN(256))}
	s := tracetest.SpanStub{
		Name: g.text(), SpanContext: g.context(traceID), SpanKind: trace.SpanKind(g.IntN(6)), StartTime: g.time(), EndTime: g.time(),
		Attributes: g.attributes(3), DroppedAttributes: g.IntN(3), DroppedEvents: g.IntN(3), DroppedLinks: g.IntN(3),
		Status:   sdktrace.Status{Code: codes.Code(g.IntN(3)), Description: g.text()},
		Resource: resource.NewSchemaless(append(g.attributes(1), attribute.String("service.name", "s"))...),
		InstrumentationScope: instrumentation.Scope{
			Name: g.text(), Version: g.text(), SchemaURL: g.text(), Attributes: attribute.NewSet(g.attributes(1)...),
		},
	}
	if g.IntN(2) == 0 {
		s.Parent = g.context(traceID)
	}
	for range g.IntN(3) {
		s.Events = append(s.Events, sdktrace.Event{Name: g.text(), Time: g.time(), Attributes: g.attributes(2), DroppedAttributeCount: g.IntN(2)})
		s.Links = append(s.Links, sdktrace.Link{SpanContext: g.context(trace.TraceID{7}), Attributes: g.attributes(2), DroppedAttributeCount: g.IntN(2)})
	}
	//lint:ignore SA1019 the exporter still writes it
	s.InstrumentationLibrary = s.InstrumentationScope
	return s
}

// What the SDK prints of a span is read as what it says of the span itself.
func TestAsSDK(t *testing.T) {
	for seed := range uint64(500) {
		stub := generator{rand.New(rand.NewPCG(seed, 0))}.span()
		doc, err := json.Marshal(&stub) // as the exporter does: methods of pointers count
		if err != nil {
			t.Fatal(err)
		}
		got, _ := readWindow(t, string(doc), input.Limits{}, 1<<18)
		want := tracewhy.SetOf(otelsdk.SpanData(stub.Snapshot()))
		if got.NumSpans() != 1 || want.NumSpans() != 1 {
			t.Fatalf("seed %d: %d spans of %s", seed, got.NumSpans(), doc)
		}
		if diff := cmp.Diff(want.Span(0).Data(), got.Span(0).Data(), cmp.Comparer(tracewhy.Value.Equal)); diff != "" {
			t.Fatalf("seed %d: -want +got\n%s\n%s", seed, diff, doc)
		}
	}
}

// printed returns what the exporter prints of some spans.
func printed(tb testing.TB, seed uint64, n int) string {
	tb.Helper()
	g := generator{rand.New(rand.NewPCG(seed, 1))}
	var doc strings.Builder
	enc := json.NewEncoder(&doc)
	if seed%2 == 1 {
		enc.SetIndent("", "\t")
	}
	for range n {
		stub := g.span()
		if err := enc.Encode(&stub); err != nil {
			tb.Fatal(err)
		}
	}
	return doc.String()
}
