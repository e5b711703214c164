package otlp_test

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/tracewhy/tracewhy"
)

// generator makes spans that use everything OTLP can say.
type generator struct {
	*rand.Rand
	resources []*tracewhy.Resource
	scopes    []*tracewhy.Scope
}

func newGenerator(seed uint64) *generator {
	g := &generator{Rand: rand.New(rand.NewPCG(seed, 1))}
	g.resources = append(g.resources, nil)
	g.scopes = append(g.scopes, nil)
	for range 4 {
		g.resources = append(g.resources, &tracewhy.Resource{
			Attributes: append(g.attributes(3), tracewhy.String("service.name", g.text())), DroppedAttributes: g.count(), SchemaURL: g.text(),
		})
		g.scopes = append(g.scopes, &tracewhy.Scope{
			Name: g.text(), Version: g.text(), Attributes: g.attributes(2), DroppedAttributes: g.count(), SchemaURL: g.text(),
		})
	}
	return g
}

func pick[T any](g *generator, from []T) T { return from[g.IntN(len(from))] }

var texts = []string{
	"", "", "GET /", "s", "quote \" and \\ and /", "new\nline\ttab\x00nul\x1f", "ünïcödé ☃ \U0001F600", "\u2028\u2029", "{\"resourceSpans\":[]}", "é",
	"a text that is longer than the eight bytes that are looked at together, up to here",
}

func (g *generator) text() string {
	if g.IntN(4) > 0 {
		return pick(g, texts)
	}
	runes := make([]rune, g.IntN(40))
	for i := range runes {
		runes[i] = rune(g.IntN(0x300))
	}
	return string(runes)
}

func (g *generator) count() uint32 { return pick(g, []uint32{0, 0, 0, 1, 7, math.MaxUint32}) }

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
		return tracewhy.IntOf(pick(g, []int64{0, 1, -1, 200, math.MaxInt64, math.MinInt64, g.Int64()}))
	case 4:
		return tracewhy.FloatOf(pick(g, []float64{
			0, math.Copysign(0, -1), 1, 0.1, 1e300, math.SmallestNonzeroFloat64, math.MaxFloat64, math.NaN(), math.Inf(1), math.Inf(-1), g.NormFloat64(),
		}))
	case 5:
		return tracewhy.BytesOf([]byte(pick(g, []string{"", "\x00\xff\xfe", "bytes", "\xed\xa0\x80"})))
	case 6:
		vs := make([]tracewhy.Value, g.IntN(4))
		for i := range vs {
			vs[i] = g.value(depth - 1)
		}
		return tracewhy.ArrayOf(vs...)
	}
	kvs := make([]tracewhy.KeyValue, g.IntN(4))
	for i := range kvs {
		kvs[i] = tracewhy.KeyValue{Key: g.text(), Value: g.value(depth - 1)}
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
	return pick(g, []uint64{0, 1, 1700000000000000000, 1700000000000000000 + g.Uint64N(1e9), math.MaxInt64, math.MaxUint64})
}

func (g *generator) span(trace tracewhy.TraceID, earlier []tracewhy.SpanData) tracewhy.SpanData {
	s := tracewhy.SpanData{
		TraceID: trace, TraceState: g.text(), Flags: g.count(), Name: g.text(), Kind: tracewhy.Kind(g.IntN(6)),
		Start: g.time(), End: g.time(), Status: tracewhy.StatusCode(g.IntN(3)), StatusMessage: g.text(),
		Attributes: g.attributes(5), DroppedAttributes: g.count(), DroppedEvents: g.count(), DroppedLinks: g.count(),
		Resource: pick(g, g.resources), Scope: pick(g, g.scopes), Source: "test",
	}
	g.id(s.SpanID[:])
	switch n := g.IntN(8); {
	case n == 0:
		g.id(s.ParentSpanID[:]) // an orphan
	case n < 7 && len(earlier) > 0:
		s.ParentSpanID = pick(g, earlier).SpanID
	}
	for range g.IntN(3) {
		s.Events = append(s.Events, tracewhy.Event{Time: g.time(), Name: g.text(), Attributes: g.attributes(3), DroppedAttributes: g.count()})
	}
	for range g.IntN(3) {
		l := tracewhy.Link{TraceState: g.text(), Flags: g.count(), Attributes: g.attributes(2), DroppedAttributes: g.count()}
		g.id(l.TraceID[:])
		g.id(l.SpanID[:])
		s.Links = append(s.Links, l)
	}
	return s
}

func (g *generator) set(t testing.TB, traces int) *tracewhy.Set {
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
	return build(t, &b)
}

func build(t testing.TB, b *tracewhy.Builder) *tracewhy.Set {
	t.Helper()
	s, err := b.Build(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if a := s.Accounting(); a.In != a.Kept+a.Merged+a.Quarantined {
		t.Fatalf("spans got lost: %+v", a)
	}
	return s
}
