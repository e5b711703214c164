package tracewhy

import (
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
)

// gen makes spans that collide, repeat and contradict each other as often as they can: ids, times and
// texts come from short lists, and most mistakes that a producer can make are in them.
type gen struct {
	choose    func(n int) int // a number in [0, n)
	resources []*Resource
	scopes    []*Scope
}

func newGen(choose func(n int) int) *gen {
	g := &gen{choose: choose}
	for range 4 {
		g.resources = append(g.resources, g.resource())
		g.scopes = append(g.scopes, &Scope{
			Name: pick(g, "", "otel", "bad\xff"), Version: pick(g, "", "1.0"), SchemaURL: pick(g, "", "https://x/1"),
			Attributes: g.attributes(2), DroppedAttributes: uint32(choose(2)),
		})
	}
	return g
}

func randomGen(seed uint64) *gen {
	rng := rand.New(rand.NewPCG(seed, 7))
	return newGen(rng.IntN)
}

func pick[T any](g *gen, from ...T) T { return from[g.choose(len(from))] }

func (g *gen) resource() *Resource {
	r := &Resource{Attributes: g.attributes(3), DroppedAttributes: uint32(g.choose(2)), SchemaURL: pick(g, "", "https://x/2")}
	if service := pick(g, "", "a", "b", "c", "b\xfe"); service != "" {
		r.Attributes = append(r.Attributes, String("service.name", service))
	}
	if pod := pick(g, "", "", "pod-1", "pod-2"); pod != "" {
		r.Attributes = append(r.Attributes, String("k8s.pod.name", pod))
	}
	return r
}

var genTimes = []uint64{0, 1, 1000, 1001, 1500, 2000, 2001, 3000, 9000, math.MaxInt64, math.MaxInt64 + 1, math.MaxUint64}

func (g *gen) span() SpanData {
	s := SpanData{
		SpanID: SpanID{7: byte(g.choose(9))}, ParentSpanID: SpanID{7: byte(g.choose(9))},
		TraceState: pick(g, "", "", "", "ot=th:8", "ot=th:c;rv:1", "vendor=1,ot=th:xyz", "ot=th:ffffffffffffff", "s=\xff"),
		Flags:      pick[uint32](g, 0, 1, 0x100, 0x301),
		Name:       pick(g, "", "get", "GET /users/123", "GET /users/456", "SELECT 1 FROM t WHERE x = 'y'", "bad\xff", "bad\xfe", "bad\uFFFD~1d0f4c2e"),
		Kind:       Kind(g.choose(7)), Status: StatusCode(g.choose(4)), StatusMessage: pick(g, "", "boom", "\xff"),
		Start: pick(g, genTimes...), End: pick(g, genTimes...),
		Attributes:        g.attributes(5),
		DroppedAttributes: uint32(g.choose(2)), DroppedEvents: uint32(g.choose(2)), DroppedLinks: uint32(g.choose(2)),
		Source: pick(g, "incident", "incident", "baseline", ""),
		Weight: pick(g, 0, 0, 0, 0, 1, 2.5, 0.5, -1, math.NaN(), math.Inf(1)),
	}
	s.TraceID = pick(g, TraceID{}, TraceID{15: 1}, TraceID{0: 9, 15: 1}, TraceID{0: 9, 15: 2}, TraceID{0: 8, 15: 2}, TraceID{15: 2}, TraceID{0: 7, 15: 3})
	switch g.choose(3) {
	case 0:
		s.Resource, s.Scope = g.resource(), &Scope{Name: pick(g, "", "otel")}
	case 1:
		s.Resource, s.Scope = g.resources[g.choose(4)], g.scopes[g.choose(4)]
	}
	for range g.choose(3) {
		s.Events = append(s.Events, Event{Time: pick(g, genTimes...), Name: pick(g, "", "exception", "log\xff"), Attributes: g.attributes(2), DroppedAttributes: uint32(g.choose(2))})
	}
	for range g.choose(3) {
		s.Links = append(s.Links, Link{
			TraceID: pick(g, TraceID{}, TraceID{0: 9, 15: 1}, TraceID{0: 7, 15: 3}, TraceID{0: 1}), SpanID: SpanID{7: byte(g.choose(4))},
			TraceState: pick(g, "", "x=1", "\xff"), Flags: uint32(g.choose(2)), Attributes: g.attributes(2), DroppedAttributes: uint32(g.choose(2)),
		})
	}
	return s
}

func (g *gen) attributes(most int) []KeyValue {
	var kvs []KeyValue
	for range g.choose(most + 1) {
		kvs = append(kvs, KeyValue{pick(g, "", "a", "b", "c", "error", "http.status_code", "sampler.type", "sampler.param", "k\xff", "k\xfe"), g.value(0)})
	}
	return kvs
}

func (g *gen) value(depth int) Value {
	kinds := 8
	if depth == 3 {
		kinds = 6
	}
	switch ValueKind(g.choose(kinds)) {
	case StringValue:
		return StringOf(pick(g, "", "x", "500", "probabilistic", "\xff", "\xfe", "y, z"))
	case BoolValue:
		return BoolOf(g.choose(2) == 0)
	case IntValue:
		return IntOf(pick[int64](g, 0, 1, -1, 500, math.MaxInt64, math.MinInt64))
	case FloatValue:
		return FloatOf(pick(g, 0, 0.5, -1, math.NaN(), math.Inf(1), math.Copysign(0, -1), 500))
	case BytesValue:
		return BytesOf([]byte(pick(g, "", "x", "\xff")))
	case ArrayValue:
		vs := make([]Value, g.choose(3))
		for i := range vs {
			vs[i] = g.value(depth + 1)
		}
		return ArrayOf(vs...)
	case MapValue:
		kvs := make([]KeyValue, g.choose(3))
		for i := range kvs {
			kvs[i] = KeyValue{pick(g, "", "x", "\xff"), g.value(depth + 1)}
		}
		return MapOf(kvs...)
	}
	return Value{}
}

func (g *gen) spans(n int) []SpanData {
	spans := make([]SpanData, n)
	for i := range spans {
		if i > 0 && g.choose(8) == 0 {
			spans[i] = spans[g.choose(i)] // a retry of the exporter
		} else {
			spans[i] = g.span()
		}
	}
	return spans
}

// contents is all that a Set holds, without what may differ between equal Sets: hash tables.
type contents struct {
	Traces             []traceRow
	Cols               columns
	Odd                []oddSpan
	Attrs, SideAttrs   []AttrID
	Events             []eventRow
	Links              []linkRow
	Resources          []resourceRow
	Scopes             []scopeRow
	Metas              []spanMeta
	Paths              []pathRow
	Sources            []string
	Pairs              []pair
	KeyFirst           []AttrID
	Keys, Texts, Blobs []string
	Failure            failureKeys
	ByID               []int32
	Split              []splitTrace
	SplitIDs           []splitID
	SplitRows          []int32
	Weights            []float64
	Problems           []Warning
	Accounting         Accounting
}

func contentsOf(s *Set) contents {
	c := contents{
		Traces: s.traces, Cols: s.cols, Odd: s.odd, Attrs: s.attrs, SideAttrs: s.sideAttrs, Events: s.events, Links: s.links,
		Resources: s.resources, Scopes: s.scopes, Metas: s.metas, Paths: s.paths, Sources: s.sources, Pairs: s.pairs,
		KeyFirst: s.keyFirst, Failure: s.failure, ByID: s.byID,
		Split: s.split, SplitIDs: s.splitIDs, SplitRows: s.splitRows, Weights: s.weights, Problems: s.problems, Accounting: s.accounting,
	}
	for i := range s.keys.Len() {
		c.Keys = append(c.Keys, s.keys.String(uint32(i)))
	}
	for i := range s.texts.Len() {
		c.Texts = append(c.Texts, s.texts.String(uint32(i)))
	}
	for i := range s.blobs.Len() {
		c.Blobs = append(c.Blobs, s.blobs.String(uint32(i)))
	}
	return c
}

// requireEqual fails the test unless two Sets hold the same, to the last number.
func requireEqual(t *testing.T, what string, want, got contents) {
	t.Helper()
	if reflect.DeepEqual(want, got) {
		return
	}
	w, g := reflect.ValueOf(want), reflect.ValueOf(got)
	for i := range w.NumField() {
		if x, y := w.Field(i).Interface(), g.Field(i).Interface(); !reflect.DeepEqual(x, y) {
			t.Fatalf("%s: Sets differ in %s:\n%+v\n%+v", what, w.Type().Field(i).Name, x, y)
		}
	}
}

func shuffled(spans []SpanData, seed uint64) []SpanData {
	rng := rand.New(rand.NewPCG(seed, 3))
	out := slices.Clone(spans)
	rng.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}
