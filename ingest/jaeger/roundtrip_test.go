package jaeger_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/tracewhy/tracewhy"
)

// generator makes spans that use everything OpenTelemetry can say.
type generator struct {
	*rand.Rand
	resources []*tracewhy.Resource
	scopes    []*tracewhy.Scope
}

func newGenerator(seed uint64) *generator {
	g := &generator{Rand: rand.New(rand.NewPCG(seed, 1))}
	g.resources = append(g.resources, nil)
	g.scopes = append(g.scopes, nil)
	for i := range 4 {
		g.resources = append(g.resources, &tracewhy.Resource{
			Attributes: append(g.attributes(3), tracewhy.String("service.name", fmt.Sprint("s", i))), DroppedAttributes: g.count(), SchemaURL: g.text(),
		})
		g.scopes = append(g.scopes, &tracewhy.Scope{
			Name: g.text(), Version: g.text(), Attributes: g.attributes(2), DroppedAttributes: g.count(), SchemaURL: g.text(),
		})
	}
	return g
}

func pick[T any](g *generator, from ...T) T { return from[g.IntN(len(from))] }

func (g *generator) text() string {
	return pick(g, "", "GET /", "quote \" and \\ and /", "new\nline\ttab\x00nul\x1f", "ünïcödé ☃ \U0001F600", "\u2028\u2029", `{"data":[]}`, "true", "17")
}

func (g *generator) count() uint32 { return pick[uint32](g, 0, 0, 0, 1, 7, math.MaxUint32) }

func (g *generator) attributes(most int) []tracewhy.KeyValue {
	var kvs []tracewhy.KeyValue
	for i := range g.IntN(most + 1) {
		kvs = append(kvs, tracewhy.KeyValue{Key: string(rune('a'+i)) + g.text(), Value: g.value(3)})
	}
	return kvs
}

func (g *generator) value(depth int) tracewhy.Value {
	kinds := 8
	if depth == 0 {
		kinds = 6
	}
	switch g.IntN(kinds) {
	case 0:
		return tracewhy.Value{}
	case 1:
		return tracewhy.StringOf(g.text())
	case 2:
		return tracewhy.BoolOf(g.IntN(2) == 0)
	case 3:
		return tracewhy.IntOf(pick(g, 0, -1, 200, math.MaxInt64, math.MinInt64, 1<<53, -1<<53, g.Int64()))
	case 4:
		return tracewhy.FloatOf(pick(g, 0, math.Copysign(0, -1), 1, 0.1, 1e300, math.SmallestNonzeroFloat64, math.MaxFloat64, math.NaN(), math.Inf(1), math.Inf(-1), g.NormFloat64()))
	case 5:
		return tracewhy.BytesOf([]byte(pick(g, "", "\x00\xff\xfe", "bytes", "\xed\xa0\x80")))
	case 6:
		vs := make([]tracewhy.Value, g.IntN(4))
		for i := range vs {
			vs[i] = g.value(depth - 1)
		}
		return tracewhy.ArrayOf(vs...)
	}
	kvs := make([]tracewhy.KeyValue, g.IntN(4))
	for i := range kvs {
		kvs[i] = tracewhy.KeyValue{Key: fmt.Sprint(i), Value: g.value(depth - 1)}
	}
	return tracewhy.MapOf(kvs...)
}

func (g *generator) id(b []byte) {
	for i := range b {
		b[i] = byte(g.Uint32())
	}
	b[0] |= 1
}

func (g *generator) time() uint64 {
	const epoch = 1_700_000_000_000_000_000
	return pick(g, 0, epoch, epoch+g.Uint64N(1e9), epoch+g.Uint64N(1e9), epoch+g.Uint64N(1e9))
}

func (g *generator) span(trace tracewhy.TraceID, earlier []tracewhy.SpanData) tracewhy.SpanData {
	s := tracewhy.SpanData{
		TraceID: trace, TraceState: g.text(), Flags: g.count(), Name: g.text(), Kind: tracewhy.Kind(g.IntN(6)),
		Start: g.time(), End: g.time(), Status: tracewhy.StatusCode(g.IntN(3)), StatusMessage: g.text(),
		Attributes: g.attributes(5), DroppedAttributes: g.count(), DroppedEvents: g.count(), DroppedLinks: g.count(),
		Resource: pick(g, g.resources...), Scope: pick(g, g.scopes...),
	}
	g.id(s.SpanID[:])
	switch n := g.IntN(8); {
	case n == 0:
		g.id(s.ParentSpanID[:]) // an orphan
	case n < 7 && len(earlier) > 0:
		s.ParentSpanID = pick(g, earlier...).SpanID
	}
	switch g.IntN(6) {
	case 0:
		s.Attributes = append(s.Attributes, pick(g, tracewhy.Bool("error", false), tracewhy.String("error", ""), tracewhy.String("error", "x"), tracewhy.Int("error", 1)))
	case 1:
		s.Attributes = append(s.Attributes, tracewhy.KeyValue{Key: "@jaeger@warnings", Value: tracewhy.ArrayOf(tracewhy.StringOf("a"), tracewhy.StringOf(g.text()))})
	}
	for range g.IntN(3) {
		e := tracewhy.Event{Time: g.time(), Name: g.text(), Attributes: g.attributes(3), DroppedAttributes: g.count()}
		if g.IntN(4) == 0 {
			e.Attributes = append(e.Attributes, tracewhy.KeyValue{Key: "message", Value: g.value(0)})
		}
		s.Events = append(s.Events, e)
	}
	for range g.IntN(3) {
		l := tracewhy.Link{TraceState: g.text(), Flags: g.count(), Attributes: g.attributes(2), DroppedAttributes: g.count()}
		if g.IntN(2) == 0 {
			l.Attributes = append(l.Attributes, tracewhy.String("opentracing.ref_type", pick(g, "child_of", "follows_from")))
		}
		g.id(l.TraceID[:])
		g.id(l.SpanID[:])
		s.Links = append(s.Links, l)
	}
	if !s.ParentSpanID.IsZero() && g.IntN(4) == 0 {
		s.Links = append(s.Links, tracewhy.Link{TraceID: trace, SpanID: s.ParentSpanID, Attributes: []tracewhy.KeyValue{tracewhy.String("opentracing.ref_type", "follows_from")}})
	}
	return s
}

func (g *generator) set(tb testing.TB, traces int) *tracewhy.Set {
	var b tracewhy.Builder
	for range traces {
		var id tracewhy.TraceID
		g.id(id[:])
		var spans []tracewhy.SpanData
		for range 1 + g.IntN(12) {
			spans = append(spans, g.span(id, spans))
			b.Add(&spans[len(spans)-1])
		}
	}
	return build(tb, &b)
}

// lose takes from a span what the package comment says that Jaeger's JSON cannot say.
func lose(s *tracewhy.SpanData) {
	texts := func(kvs []tracewhy.KeyValue) []tracewhy.KeyValue {
		kvs = slices.Clone(kvs)
		for i, kv := range kvs {
			switch kv.Value.Kind() {
			case tracewhy.EmptyValue:
				kvs[i].Value = tracewhy.StringOf("")
			case tracewhy.ArrayValue, tracewhy.MapValue:
				if kv.Key == "@jaeger@warnings" {
					continue
				}
				text, err := json.Marshal(kv.Value)
				if err != nil {
					panic(err)
				}
				kvs[i].Value = tracewhy.StringOf(string(text))
			}
		}
		return kvs
	}
	if s.Start == 0 {
		s.End = 0
	}
	s.Start, s.End = s.Start/1000*1000, s.End/1000*1000
	s.Flags &= 1
	s.Attributes = texts(s.Attributes)
	for i := range s.Events {
		e := &s.Events[i]
		e.Time, e.Attributes = e.Time/1000*1000, texts(e.Attributes)
	}
	for i := range s.Links {
		l := &s.Links[i]
		refType := "follows_from"
		for _, kv := range l.Attributes {
			if kv.Key == "opentracing.ref_type" {
				refType = kv.Value.Str()
			}
		}
		*l = tracewhy.Link{TraceID: l.TraceID, SpanID: l.SpanID, Attributes: []tracewhy.KeyValue{tracewhy.String("opentracing.ref_type", refType)}}
	}
	r := *s.Resource
	r.Attributes, r.SchemaURL = texts(r.Attributes), ""
	s.Resource = &r
	s.Scope = &tracewhy.Scope{Name: s.Scope.Name, Version: s.Scope.Version}
}

// Writing Jaeger's JSON and reading it back loses what the package comment lists, and nothing else.
func TestRoundTrip(t *testing.T) {
	for seed := range uint64(40) {
		want := newGenerator(seed).set(t, 10)
		doc := written(t, want)
		if !json.Valid(doc) {
			t.Fatalf("seed %d: no JSON:\n%s", seed, doc)
		}
		got := readJaeger(t, doc)
		for _, d := range differences(want, got, lose) {
			t.Errorf("seed %d: %s", seed, d)
		}
		again := written(t, got) // siblings may be in another order, now that their starts are rounded
		if third := written(t, readJaeger(t, again)); !bytes.Equal(again, third) {
			t.Errorf("seed %d: what was read is written otherwise", seed)
		}
	}
}
