package otelsdk_test

import (
	"math"
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
	"github.com/tracewhy/tracewhy/ingest/otelsdk"
)

func TestSpanData(t *testing.T) {
	state, err := trace.ParseTraceState("ot=th:8,x=1")
	if err != nil {
		t.Fatal(err)
	}
	own := trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}, TraceFlags: trace.FlagsSampled, TraceState: state}
	at := time.Unix(1_700_000_000, 1)
	deep := attribute.StringValue("core")
	for range tracewhy.MaxValueDepth + 1 {
		deep = attribute.SliceValue(deep)
	}
	stub := tracetest.SpanStub{
		Name: "GET /", SpanContext: trace.NewSpanContext(own),
		Parent:   trace.NewSpanContext(trace.SpanContextConfig{TraceID: own.TraceID, SpanID: trace.SpanID{3}, Remote: true}),
		SpanKind: trace.SpanKindServer, StartTime: at, EndTime: at.Add(time.Millisecond),
		Attributes: []attribute.KeyValue{
			attribute.Bool("bool", true), attribute.Int64("int", math.MinInt64), attribute.Float64("float", 0.5), attribute.String("text", "x"),
			attribute.BoolSlice("bools", []bool{true, false}), attribute.Int64Slice("ints", []int64{1, 2}),
			attribute.Float64Slice("floats", []float64{1, 2.5}), attribute.StringSlice("texts", []string{"a", ""}),
			{Key: "bytes", Value: attribute.ByteSliceValue([]byte{0xff})}, {Key: "empty"},
			{Key: "list", Value: attribute.SliceValue(attribute.IntValue(1), attribute.StringValue("b"))},
			{Key: "map", Value: attribute.MapValue(attribute.Int("k", 1))},
		},
		Events: []sdktrace.Event{{Name: "exception", Time: at.Add(1), Attributes: []attribute.KeyValue{attribute.String("exception.type", "X")}, DroppedAttributeCount: 4}},
		Links: []sdktrace.Link{{
			SpanContext: trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{9}, SpanID: trace.SpanID{8}, Remote: true}),
			Attributes:  []attribute.KeyValue{attribute.Int("n", 1)}, DroppedAttributeCount: 5,
		}},
		Status:            sdktrace.Status{Code: codes.Error, Description: "boom"},
		DroppedAttributes: 1, DroppedEvents: 2, DroppedLinks: 3,
		Resource:             resource.NewWithAttributes("https://x/r", attribute.String("service.name", "shop")),
		InstrumentationScope: instrumentation.Scope{Name: "otelhttp", Version: "1", SchemaURL: "https://x/s", Attributes: attribute.NewSet(attribute.Int("s", 1))},
	}
	number := func(f func(n float64) tracewhy.Value, ns ...float64) tracewhy.Value {
		var vs []tracewhy.Value
		for _, n := range ns {
			vs = append(vs, f(n))
		}
		return tracewhy.ArrayOf(vs...)
	}
	want := tracewhy.SpanData{
		TraceID: tracewhy.TraceID{1}, SpanID: tracewhy.SpanID{2}, ParentSpanID: tracewhy.SpanID{3}, TraceState: "ot=th:8,x=1", Flags: 0x301,
		Name: "GET /", Kind: tracewhy.KindServer, Start: uint64(at.UnixNano()), End: uint64(at.UnixNano()) + 1e6,
		Status: tracewhy.StatusError, StatusMessage: "boom",
		Attributes: []tracewhy.KeyValue{
			tracewhy.Bool("bool", true), tracewhy.Int("int", math.MinInt64), tracewhy.Float("float", 0.5), tracewhy.String("text", "x"),
			{Key: "bools", Value: tracewhy.ArrayOf(tracewhy.BoolOf(true), tracewhy.BoolOf(false))},
			{Key: "ints", Value: number(func(n float64) tracewhy.Value { return tracewhy.IntOf(int64(n)) }, 1, 2)},
			{Key: "floats", Value: number(tracewhy.FloatOf, 1, 2.5)},
			{Key: "texts", Value: tracewhy.ArrayOf(tracewhy.StringOf("a"), tracewhy.StringOf(""))},
			{Key: "bytes", Value: tracewhy.BytesOf([]byte{0xff})}, {Key: "empty"},
			{Key: "list", Value: tracewhy.ArrayOf(tracewhy.IntOf(1), tracewhy.StringOf("b"))},
			{Key: "map", Value: tracewhy.MapOf(tracewhy.Int("k", 1))},
		},
		Events: []tracewhy.Event{{Time: uint64(at.UnixNano()) + 1, Name: "exception", Attributes: []tracewhy.KeyValue{tracewhy.String("exception.type", "X")}, DroppedAttributes: 4}},
		Links: []tracewhy.Link{{
			TraceID: tracewhy.TraceID{9}, SpanID: tracewhy.SpanID{8}, Flags: 0x300, Attributes: []tracewhy.KeyValue{tracewhy.Int("n", 1)}, DroppedAttributes: 5,
		}},
		DroppedAttributes: 1, DroppedEvents: 2, DroppedLinks: 3,
		Resource: &tracewhy.Resource{Attributes: []tracewhy.KeyValue{tracewhy.String("service.name", "shop")}, SchemaURL: "https://x/r"},
		Scope:    &tracewhy.Scope{Name: "otelhttp", Version: "1", SchemaURL: "https://x/s", Attributes: []tracewhy.KeyValue{tracewhy.Int("s", 1)}},
	}
	if d := cmp.Diff(want, otelsdk.SpanData(stub.Snapshot())); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}

	empty := otelsdk.SpanData(tracetest.SpanStub{
		StartTime: time.Unix(-1, 0), EndTime: time.Date(2300, 1, 1, 0, 0, 0, 0, time.UTC), Attributes: []attribute.KeyValue{{Key: "deep", Value: deep}},
	}.Snapshot())
	if empty.Start != 0 || empty.End != 0 || empty.Status != tracewhy.StatusUnset || len(empty.Resource.Attributes) != 0 {
		t.Errorf("an empty span is %+v", empty)
	}
	v, depth := empty.Attributes[0].Value, 0
	for ; v.Kind() == tracewhy.ArrayValue; depth++ {
		v = v.Elems()[0].Value
	}
	if depth != tracewhy.MaxValueDepth || v.Kind() != tracewhy.EmptyValue {
		t.Errorf("a value %d deep ends in %v", depth, v.Kind())
	}
}

func TestKindsAndStatuses(t *testing.T) {
	for sdk, want := range map[trace.SpanKind]tracewhy.Kind{
		trace.SpanKindUnspecified: tracewhy.KindUnspecified, trace.SpanKindInternal: tracewhy.KindInternal, trace.SpanKindServer: tracewhy.KindServer,
		trace.SpanKindClient: tracewhy.KindClient, trace.SpanKindProducer: tracewhy.KindProducer, trace.SpanKindConsumer: tracewhy.KindConsumer, 77: tracewhy.KindUnspecified,
	} {
		if got := otelsdk.SpanData(tracetest.SpanStub{SpanKind: sdk}.Snapshot()).Kind; got != want {
			t.Errorf("kind %v is %v, want %v", sdk, got, want)
		}
	}
	for sdk, want := range map[codes.Code]tracewhy.StatusCode{codes.Unset: tracewhy.StatusUnset, codes.Ok: tracewhy.StatusOK, codes.Error: tracewhy.StatusError} {
		if got := otelsdk.SpanData(tracetest.SpanStub{Status: sdktrace.Status{Code: sdk}}.Snapshot()).Status; got != want {
			t.Errorf("status %v is %v, want %v", sdk, got, want)
		}
	}
}
