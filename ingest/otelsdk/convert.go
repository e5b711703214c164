package otelsdk

import (
	"math"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/tracewhy/tracewhy"
)

// SpanData returns what a span of the SDK says, all but its number of child spans, for which there is no
// place in OTLP either. Values that nest deeper than [tracewhy.MaxValueDepth] are cut.
func SpanData(s sdktrace.ReadOnlySpan) tracewhy.SpanData {
	var c converter
	return c.span(s)
}

// A converter converts spans. It remembers resources and scopes, of which a process has few.
type converter struct {
	attrs     []tracewhy.KeyValue // of the span converted last
	resources map[*resource.Resource]*tracewhy.Resource
	scopes    map[instrumentation.Scope]*tracewhy.Scope
}

// maxBlocks bounds how many resources and scopes are remembered.
const maxBlocks = 1024

// span converts a span. Its attributes are good until the next call.
func (c *converter) span(s sdktrace.ReadOnlySpan) tracewhy.SpanData {
	c.attrs = appendKeyValues(c.attrs[:0], s.Attributes())
	sc, parent, status := s.SpanContext(), s.Parent(), s.Status()
	return tracewhy.SpanData{
		TraceID: tracewhy.TraceID(sc.TraceID()), SpanID: tracewhy.SpanID(sc.SpanID()), ParentSpanID: tracewhy.SpanID(parent.SpanID()),
		TraceState: sc.TraceState().String(), Flags: flagsOf(sc, parent),
		Name: s.Name(), Kind: kindOf(s.SpanKind()), Start: nanos(s.StartTime()), End: nanos(s.EndTime()),
		Status: statusOf(status.Code), StatusMessage: status.Description,
		Attributes: c.attrs, Events: events(s.Events()), Links: links(s.Links()),
		DroppedAttributes: count(s.DroppedAttributes()), DroppedEvents: count(s.DroppedEvents()), DroppedLinks: count(s.DroppedLinks()),
		Resource: c.resource(s.Resource()), Scope: c.scope(s.InstrumentationScope()),
	}
}

func (c *converter) resource(r *resource.Resource) *tracewhy.Resource {
	if res, ok := c.resources[r]; ok {
		return res
	}
	if c.resources == nil || len(c.resources) >= maxBlocks {
		c.resources = map[*resource.Resource]*tracewhy.Resource{}
	}
	res := &tracewhy.Resource{Attributes: keyValues(r.Attributes()), SchemaURL: r.SchemaURL()}
	c.resources[r] = res
	return res
}

func (c *converter) scope(s instrumentation.Scope) *tracewhy.Scope {
	if scope, ok := c.scopes[s]; ok {
		return scope
	}
	if c.scopes == nil || len(c.scopes) >= maxBlocks {
		c.scopes = map[instrumentation.Scope]*tracewhy.Scope{}
	}
	scope := &tracewhy.Scope{Name: s.Name, Version: s.Version, SchemaURL: s.SchemaURL, Attributes: keyValues(s.Attributes.ToSlice())}
	c.scopes[s] = scope
	return scope
}

// The span flags of OTLP (opentelemetry.proto.trace.v1.SpanFlags).
const (
	hasIsRemote = 0x100
	isRemote    = 0x200
)

func flagsOf(own, other trace.SpanContext) uint32 {
	flags := uint32(own.TraceFlags()) | hasIsRemote
	if other.IsRemote() {
		flags |= isRemote
	}
	return flags
}

func kindOf(k trace.SpanKind) tracewhy.Kind {
	switch k {
	case trace.SpanKindInternal:
		return tracewhy.KindInternal
	case trace.SpanKindServer:
		return tracewhy.KindServer
	case trace.SpanKindClient:
		return tracewhy.KindClient
	case trace.SpanKindProducer:
		return tracewhy.KindProducer
	case trace.SpanKindConsumer:
		return tracewhy.KindConsumer
	}
	return tracewhy.KindUnspecified
}

func statusOf(c codes.Code) tracewhy.StatusCode {
	switch c {
	case codes.Ok:
		return tracewhy.StatusOK
	case codes.Error:
		return tracewhy.StatusError
	}
	return tracewhy.StatusUnset
}

// nanos returns a time in nanoseconds since the Unix epoch, or 0 if it is not one of 1970 to 2262.
func nanos(t time.Time) uint64 {
	if t.IsZero() || t.Unix() < 0 || t.Unix() > math.MaxInt64/int64(time.Second)-1 {
		return 0
	}
	return uint64(t.UnixNano())
}

func count(n int) uint32 { return uint32(min(max(int64(n), 0), math.MaxUint32)) }

func events(list []sdktrace.Event) []tracewhy.Event {
	if len(list) == 0 {
		return nil
	}
	out := make([]tracewhy.Event, len(list))
	for i, e := range list {
		out[i] = tracewhy.Event{Time: nanos(e.Time), Name: e.Name, Attributes: keyValues(e.Attributes), DroppedAttributes: count(e.DroppedAttributeCount)}
	}
	return out
}

func links(list []sdktrace.Link) []tracewhy.Link {
	if len(list) == 0 {
		return nil
	}
	out := make([]tracewhy.Link, len(list))
	for i, l := range list {
		sc := l.SpanContext
		out[i] = tracewhy.Link{
			TraceID: tracewhy.TraceID(sc.TraceID()), SpanID: tracewhy.SpanID(sc.SpanID()), TraceState: sc.TraceState().String(),
			Flags: flagsOf(sc, sc), Attributes: keyValues(l.Attributes), DroppedAttributes: count(l.DroppedAttributeCount),
		}
	}
	return out
}

func keyValues(kvs []attribute.KeyValue) []tracewhy.KeyValue {
	if len(kvs) == 0 {
		return nil
	}
	return appendKeyValues(make([]tracewhy.KeyValue, 0, len(kvs)), kvs)
}

func appendKeyValues(list []tracewhy.KeyValue, kvs []attribute.KeyValue) []tracewhy.KeyValue {
	for _, kv := range kvs {
		list = append(list, tracewhy.KeyValue{Key: string(kv.Key), Value: value(kv.Value, 0)})
	}
	return list
}

// value converts a value that lies in so many slices and maps. What nests deeper than a Set keeps it
// empties, as the Builder would.
func value(v attribute.Value, depth int) tracewhy.Value {
	switch v.Type() {
	case attribute.BOOL:
		return tracewhy.BoolOf(v.AsBool())
	case attribute.INT64:
		return tracewhy.IntOf(v.AsInt64())
	case attribute.FLOAT64:
		return tracewhy.FloatOf(v.AsFloat64())
	case attribute.STRING:
		return tracewhy.StringOf(v.AsString())
	case attribute.BYTESLICE:
		return tracewhy.BytesOf(v.AsByteSlice())
	case attribute.BOOLSLICE:
		return array(v.AsBoolSlice(), tracewhy.BoolOf)
	case attribute.INT64SLICE:
		return array(v.AsInt64Slice(), tracewhy.IntOf)
	case attribute.FLOAT64SLICE:
		return array(v.AsFloat64Slice(), tracewhy.FloatOf)
	case attribute.STRINGSLICE:
		return array(v.AsStringSlice(), tracewhy.StringOf)
	}
	if depth >= tracewhy.MaxValueDepth {
		return tracewhy.Value{}
	}
	switch v.Type() {
	case attribute.SLICE:
		return array(v.AsSlice(), func(v attribute.Value) tracewhy.Value { return value(v, depth+1) })
	case attribute.MAP:
		kvs := v.AsMap()
		out := make([]tracewhy.KeyValue, len(kvs))
		for i, kv := range kvs {
			out[i] = tracewhy.KeyValue{Key: string(kv.Key), Value: value(kv.Value, depth+1)}
		}
		return tracewhy.MapOf(out...)
	}
	return tracewhy.Value{}
}

func array[T any](list []T, of func(T) tracewhy.Value) tracewhy.Value {
	vs := make([]tracewhy.Value, len(list))
	for i, x := range list {
		vs[i] = of(x)
	}
	return tracewhy.ArrayOf(vs...)
}
