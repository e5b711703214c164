package otlp_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/ingest/input"
	"github.com/tracewhy/tracewhy/ingest/otlp"
)

// rewrite writes a JSON value again, with its members sorted or in another order, and with other space.
func rewrite(r *rand.Rand, dst []byte, v any, space []string, shuffle bool) []byte {
	gap := func() { dst = append(dst, space[r.IntN(len(space))]...) }
	gap()
	switch v := v.(type) {
	case map[string]any:
		var names []string
		for name := range v {
			names = append(names, name)
		}
		slices.Sort(names)
		if shuffle {
			r.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
		}
		dst = append(dst, '{')
		for i, name := range names {
			if i > 0 {
				dst = append(dst, ',')
			}
			gap()
			dst = fmt.Appendf(dst, "%q", name)
			gap()
			dst = append(dst, ':')
			dst = rewrite(r, dst, v[name], space, shuffle)
		}
		dst = append(dst, '}')
	case []any:
		dst = append(dst, '[')
		for i, e := range v {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = rewrite(r, dst, e, space, shuffle)
		}
		gap()
		dst = append(dst, ']')
	default:
		b, err := json.Marshal(v)
		if err != nil {
			panic(err)
		}
		dst = append(dst, b...)
	}
	gap()
	return dst
}

// It makes no difference to what is read in which order members come, what space is between them, and
// where windows end.
func TestJSONLayouts(t *testing.T) {
	for _, space := range [][]string{{""}, {" "}, {"", " ", "\n\t", "\r\n  "}} {
		for seed := range uint64(4) {
			want := newGenerator(seed).set(t, 10)
			var doc bytes.Buffer
			if err := otlp.WriteJSON(&doc, allSpans(want)); err != nil {
				t.Fatal(err)
			}
			r := rand.New(rand.NewPCG(seed, 3))
			var other []byte
			for line := range bytes.Lines(doc.Bytes()) {
				var v any
				d := json.NewDecoder(bytes.NewReader(line))
				d.UseNumber()
				if err := d.Decode(&v); err != nil {
					t.Fatal(err)
				}
				other = rewrite(r, other, v, space, seed%2 == 0)
			}
			for _, size := range []int{1 << 18, 300} {
				var b tracewhy.Builder
				if err := otlp.ReadWindow(context.Background(), bytes.NewReader(other), &b, input.Config{Source: "test"}, size); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(dataOf(want), dataOf(build(t, &b))); diff != "" {
					t.Fatalf("seed %d, space %q, window %d:\n%s", seed, space, size, diff)
				}
			}
		}
	}
}

// Blocks of spans get the resource and scope that were written for them, in whatever order resources,
// schema URLs and spans come, and whether blocks before were written alike or not.
func TestBlocks(t *testing.T) {
	type block struct{ resource, schema, scope, scopeSchema, spans, order, before int }
	names := []string{"", "a", "b", strings.Repeat("long ", 50) + "1", strings.Repeat("long ", 50) + "2"}
	for seed := range uint64(50) {
		r := rand.New(rand.NewPCG(seed, 4))
		var want tracewhy.Builder
		var jsonDoc, protoDoc []byte
		id := uint64(0)
		kinds := 1 + r.IntN(len(names)) // few, so that they repeat
		for range 30 {
			k := block{r.IntN(kinds), r.IntN(2), r.IntN(kinds), r.IntN(2), r.IntN(3), r.IntN(6), r.IntN(3)}
			resource := tracewhy.Resource{SchemaURL: names[k.schema]}
			var attrs string
			var protoAttrs []byte
			if k.resource > 0 {
				resource.Attributes = []tracewhy.KeyValue{tracewhy.String("service.name", names[k.resource])}
				attrs = fmt.Sprintf(`{"key":"service.name","value":{"stringValue":%q}}`, names[k.resource])
				protoAttrs = message(1, message(1, []byte("service.name")), message(2, message(1, []byte(names[k.resource]))))
			}
			scope := tracewhy.Scope{Name: names[k.scope], SchemaURL: names[k.scopeSchema]}
			var spans []string
			var protoSpans []byte
			for range k.spans {
				id++
				s := tracewhy.SpanData{TraceID: tracewhy.TraceID{1}, Start: 1, End: 2, Resource: &resource, Scope: &scope}
				binary.BigEndian.PutUint64(s.SpanID[:], id)
				want.Add(&s)
				spans = append(spans, fmt.Sprintf(`{"traceId":"%s","spanId":"%s","startTimeUnixNano":"1","endTimeUnixNano":"2"}`, s.TraceID, s.SpanID))
				protoSpans = append(protoSpans, message(2, message(1, s.TraceID[:]), message(2, s.SpanID[:]), fixed64(7, 1), fixed64(8, 2))...)
			}
			// Sometimes there is another resource before, which does not count, and a span or two may come between.
			other, protoOther := "", ""
			if k.before > 0 {
				other, protoOther = `"resource":{},`, string(message(1))
			}
			if k.before > 1 {
				other = fmt.Sprintf(`"resource":{"attributes":[{"key":"service.name","value":{"stringValue":%q}}]},`, names[1+k.spans])
				protoOther = string(message(1, message(1, message(1, []byte("service.name")), message(2, message(1, []byte(names[1+k.spans]))))))
			}
			jsonDoc = fmt.Appendf(jsonDoc, "{\"resourceSpans\":[{%s%s}]}\n", other, inOrder(k.order, ",",
				`"resource":{"attributes":[`+attrs+`]}`,
				`"scopeSpans":[{`+inOrder(k.order, ",", fmt.Sprintf(`"scope":{"name":%q}`, scope.Name), `"spans":[`+strings.Join(spans, ",")+`]`, fmt.Sprintf(`"schemaUrl":%q`, scope.SchemaURL))+`}]`,
				fmt.Sprintf(`"schemaUrl":%q`, resource.SchemaURL)))
			protoDoc = append(protoDoc, message(1, []byte(protoOther+inOrder(k.order, "",
				string(message(1, protoAttrs)),
				string(message(2, []byte(inOrder(k.order, "", string(message(1, message(1, []byte(scope.Name)))), string(protoSpans), string(message(3, []byte(scope.SchemaURL))))))),
				string(message(3, []byte(resource.SchemaURL))))))...)
		}
		set := build(t, &want)
		for _, doc := range [][]byte{jsonDoc, protoDoc} {
			var b tracewhy.Builder
			if err := otlp.Read(context.Background(), bytes.NewReader(doc), &b, input.Config{}); err != nil && id > 0 {
				t.Fatal(err)
			}
			got := build(t, &b)
			if diff := cmp.Diff(dataOf(set), dataOf(got)); diff != "" {
				t.Fatalf("seed %d:\n%s\n%.2000s", seed, diff, doc)
			}
			if diff := cmp.Diff(set.Problems(), got.Problems()); diff != "" {
				t.Fatalf("seed %d:\n%s", seed, diff)
			}
		}
	}
}

// inOrder joins three parts in one of the six orders.
func inOrder(order int, separator string, x, y, z string) string {
	parts := [][]string{{x, y, z}, {x, z, y}, {y, x, z}, {y, z, x}, {z, x, y}, {z, y, x}}[order]
	return strings.Join(parts, separator)
}
