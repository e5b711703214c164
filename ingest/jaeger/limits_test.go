package jaeger_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/ingest/input"
	"github.com/tracewhy/tracewhy/ingest/jaeger"
)

func TestLimits(t *testing.T) {
	tags := func(n int) string {
		return with(`"tags":[]`, `"tags":[`+strings.Repeat(tagJSON("a", "bool", "true")+",", n)+"null]")
	}
	long := func(n int, text string) string {
		return strings.Replace(span(n, ""), `"tags":[]`, `"tags":[`+tagJSON("a", "string", `"`+text+`"`)+"]", 1)
	}
	one, two, three := span(1, ""), span(2, ""), span(3, "")
	x := strings.Repeat("x", 1e6)
	var many []string
	for i := range 9 {
		many = append(many, long(i, x[:900]))
	}
	var short []string // 60 spans of 300 bytes
	for i := range 60 {
		short = append(short, strings.Replace(span(0, ""), "eee19b7ec3c1b170", fmt.Sprintf("%016x", i+1), 1))
	}
	for _, c := range []struct {
		name, doc string
		limits    input.Limits
		want      string
	}{
		{"decoded bytes", trace(one) + "\n" + trace(two), input.Limits{DecodedBytes: 500}, "limit DecodedBytes: 1 0 0 | s/1"},
		{"spans", answer(trace(one, two, three)), input.Limits{Spans: 2}, "limit Spans: 2 0 0 limit_exceeded=1 several_roots=1 | s/1 s/2"},
		{"objects", answer(trace(tags(3), two, tags(3))), input.Limits{Objects: 5}, "limit Objects: 2 0 0 duplicate_attribute=2 limit_exceeded=1 several_roots=1 | s/1 s/2"},
		{"tags of a span", answer(trace(tags(5))), input.Limits{PerSpan: 3}, "1 0 0 duplicate_attribute=2 too_many=1 | s/1"},
		{"logs of a span", answer(trace(with(`"logs":[]`, `"logs":[{},{},{},{}]`))), input.Limits{PerSpan: 3}, "1 0 0 too_many=1 | s/1"},
		{"references of a span", answer(trace(with(`"references":[]`, `"references":[`+strings.Repeat(`{"refType":"FOLLOWS_FROM","traceID":"1","spanID":"1"},`, 4)+"null]"))), input.Limits{PerSpan: 3}, "1 0 0 id_short=6 too_many=1 | s/1"},
		{"tags of a process", `{"processes":{"p1":{"serviceName":"s","tags":[` + strings.Repeat(tagJSON("a", "bool", "true")+",", 5) + `null]}},"spans":[` + one + `]}`, input.Limits{PerSpan: 3}, "1 0 0 duplicate_attribute=1 too_many=1 | s/1"},
		{"a long value", answer(trace(long(1, strings.Repeat("ü", 20)))), input.Limits{ValueBytes: 33}, "1 0 0 value_truncated=1 | s/1"},
		{"a long span", answer(trace(one, long(2, x), three)), input.Limits{SpanBytes: 1e5}, "2 0 1 limit_exceeded=1 several_roots=1 | s/1 s/3"},
		{"a long span of storage", stored(1) + "\n" + strings.Replace(stored(2), `"tags":[]`, `"tags":"`+x+`"`, 1) + "\n" + stored(3), input.Limits{SpanBytes: 1e5}, "2 0 1 limit_exceeded=1 several_roots=1 | es/1 es/3"},
		{"long processes", `{"processes":{"p1":{"serviceName":"` + x + `"}},"spans":[` + one + `]}`, input.Limits{SpanBytes: 1e5}, "1 0 0 limit_exceeded=1 service_missing=1 | unknown_service/1"},
		{"long processes at hand", `{"processes":{"p1":{"serviceName":"` + x[:200_000] + `"}},"spans":[` + one + `]}`, input.Limits{SpanBytes: 1e5}, "1 0 0 limit_exceeded=1 service_missing=1 | unknown_service/1"},
		{"long processes after the spans", `{"spans":[` + one + `],"processes":{"p1":{"serviceName":"` + x[:200_000] + `"}}}`, input.Limits{SpanBytes: 1e5}, "1 0 0 limit_exceeded=1 service_missing=1 | unknown_service/1"},
		{"processes too far behind", trace(short...) + trace(one), input.Limits{SpanBytes: 500}, "61 0 0 limit_exceeded=1 service_missing=60 several_roots=1 |" + strings.Repeat(" unknown_service/0", 60) + " s/1"},
		{"processes not too far behind", trace(many...), input.Limits{SpanBytes: 2000}, "9 0 0 several_roots=1 | s/0 s/1 s/2 s/3 s/4 s/5 s/6 s/7 s/8"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := outcome(t, c.doc, c.limits); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestErrors(t *testing.T) {
	doc := answer(trace(span(1, ""), span(2, "")))
	var b tracewhy.Builder
	broken := errors.New("broken")
	r := io.MultiReader(strings.NewReader(doc[:450]), iotest.ErrReader(broken))
	if err := jaeger.ReadWindow(context.Background(), r, &b, input.Config{}, 70); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := jaeger.Read(ctx, strings.NewReader(doc), &b, input.Config{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if err := jaeger.WriteJSON(failing{}, spans(readJaeger(t, []byte(doc)))); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("got %v", err)
	}
	const want = "api.json:1: byte 21: Jaeger answered with an error: \"down\" (code 503)"
	err := jaeger.Read(context.Background(), strings.NewReader(`{"data":[],"errors":[{"code":503,"msg":"down"}]}`), &b, input.Config{Name: "api.json"})
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// failing cannot be written to.
type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, io.ErrShortWrite }
