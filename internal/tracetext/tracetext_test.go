package tracetext_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/tracetext"
)

func ms(n int64) uint64 { return uint64(tracetext.Epoch + n*1_000_000) }

func service(name string, more ...tracewhy.KeyValue) *tracewhy.Resource {
	return &tracewhy.Resource{Attributes: append([]tracewhy.KeyValue{tracewhy.String("service.name", name)}, more...)}
}

func TestParse(t *testing.T) {
	type span = tracewhy.SpanData
	one, two := tracetext.TraceID(1), tracetext.TraceID(2)
	id := tracetext.SpanID
	for _, test := range []struct {
		why, text string
		want      []span
	}{
		{"nothing", "\n# only a comment\n\n", nil},
		{"the times, with and without a unit", "a/x -5+1.5\na/y 1s+20us", []span{
			{TraceID: one, SpanID: id(1), Name: "x", Start: ms(-5), End: ms(-5) + 1_500_000, Resource: service("a")},
			{TraceID: one, SpanID: id(2), Name: "y", Start: ms(1000), End: ms(1000) + 20_000, Resource: service("a")},
		}},
		{"times that are not known or run backwards", "a/x ?+3\na/y 3+?\na/z 3+-1", []span{
			{TraceID: one, SpanID: id(1), Name: "x", End: ms(3), Resource: service("a")},
			{TraceID: one, SpanID: id(2), Name: "y", Start: ms(3), Resource: service("a")},
			{TraceID: one, SpanID: id(3), Name: "z", Start: ms(3), End: ms(2), Resource: service("a")},
		}},
		{"parents by indentation, with tabs and with more before all", "\t a/x 0+9\n\t   a/y 1+1\n\t\t\t\ta/z 2+2\n\t   a/w 3+3\n\ta/v 0+1 orphan", []span{
			{TraceID: one, SpanID: id(1), Name: "x", Start: ms(0), End: ms(9), Resource: service("a")},
			{TraceID: one, SpanID: id(2), ParentSpanID: id(1), Name: "y", Start: ms(1), End: ms(2), Resource: service("a")},
			{TraceID: one, SpanID: id(3), ParentSpanID: id(1), Name: "z", Start: ms(2), End: ms(4), Resource: service("a")},
			{TraceID: one, SpanID: id(4), ParentSpanID: id(1), Name: "w", Start: ms(3), End: ms(6), Resource: service("a")},
			{TraceID: one, SpanID: id(5), ParentSpanID: id(1<<63 - 1), Name: "v", Start: ms(0), End: ms(1), Resource: service("a")},
		}},
		{"names with spaces, slashes and plus signs", `a/GET /pay/{id} 0+1` + "\n" + `a/"1+1 = 2" 0+1`, []span{
			{TraceID: one, SpanID: id(1), Name: "GET /pay/{id}", Start: ms(0), End: ms(1), Resource: service("a")},
			{TraceID: one, SpanID: id(2), Name: "1+1 = 2", Start: ms(0), End: ms(1), Resource: service("a")},
		}},
		{"every word", `/x 0+1 client error="no route" n=5 f=0.5 s=5ms q="a b" ok=false e= resource.host.name=h scope=lib flags=257 tracestate=ot=th:8`, []span{
			{TraceID: one, SpanID: id(1), Name: "x", Start: ms(0), End: ms(1), Kind: tracewhy.KindClient,
				Status: tracewhy.StatusError, StatusMessage: "no route",
				Attributes: []tracewhy.KeyValue{tracewhy.Int("n", 5), tracewhy.Float("f", 0.5), tracewhy.String("s", "5ms"),
					tracewhy.String("q", "a b"), tracewhy.Bool("ok", false), tracewhy.String("e", "")},
				Resource: &tracewhy.Resource{Attributes: []tracewhy.KeyValue{tracewhy.String("host.name", "h")}},
				Scope:    &tracewhy.Scope{Name: "lib"}, Flags: 0x101, TraceState: "ot=th:8"},
		}},
		{"statuses", "a/x 0+1 ok\na/y 0+1 error\na/z 0+1 error=true", []span{
			{TraceID: one, SpanID: id(1), Name: "x", Start: ms(0), End: ms(1), Status: tracewhy.StatusOK, Resource: service("a")},
			{TraceID: one, SpanID: id(2), Name: "y", Start: ms(0), End: ms(1), Status: tracewhy.StatusError, Resource: service("a")},
			{TraceID: one, SpanID: id(3), Name: "z", Start: ms(0), End: ms(1), Attributes: []tracewhy.KeyValue{tracewhy.Bool("error", true)}, Resource: service("a")},
		}},
		{"events", "a/x 0+1\n  ! 0.5 \"pool is full\" size=5\n  ! ? done", []span{
			{TraceID: one, SpanID: id(1), Name: "x", Start: ms(0), End: ms(1), Resource: service("a"), Events: []tracewhy.Event{
				{Time: ms(0) + 500_000, Name: "pool is full", Attributes: []tracewhy.KeyValue{tracewhy.Int("size", 5)}}, {Name: "done"}}},
		}},
		{"traces, and a link that points ahead", "trace first source=baseline at=1s\na/x 0+1 link=@sent\ntrace\na/y 0+1 @sent", []span{
			{TraceID: one, SpanID: id(1), Name: "x", Start: ms(1000), End: ms(1001), Resource: service("a"), Source: "baseline",
				Links: []tracewhy.Link{{TraceID: two, SpanID: id(1)}}},
			{TraceID: two, SpanID: id(1), Name: "y", Start: ms(0), End: ms(1), Resource: service("a")},
		}},
	} {
		t.Run(test.why, func(t *testing.T) {
			got, err := tracetext.Parse(test.text)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestParseSharesResources(t *testing.T) {
	spans, err := tracetext.Parse("a/x 0+1 resource.v=1\na/y 0+1 resource.v=1\na/z 0+1 resource.v=\"1\"")
	if err != nil {
		t.Fatal(err)
	}
	if spans[0].Resource != spans[1].Resource || spans[1].Resource == spans[2].Resource {
		t.Error("equal resources, and no others, should be one pointer")
	}
}

func TestParseErrors(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"a/x", "line 1: no start+duration"},
		{"x 0+1", "line 1: no service/operation"},
		{"a/ 0+1", "line 1: no service/operation"},
		{"\n\na/x", "line 3: no start+duration"},
		{"a/x 0+1 fast", `line 1: "fast" is no word of a span`},
		{"a/x 0+1 =5", `line 1: "=5" is no word of a span`},
		{"a/x 0+1 k=\"v", "line 1: a quote without its end"},
		{"a/x 1.2.3+1", `line 1: "1.2.3ms" is no time`},
		{"a/x 1+5sm", `line 1: "5sm" is no time`},
		{"! 5 name", "line 1: an event needs a span"},
		{"a/x 0+1\n ! 5", "line 2: an event needs a span"},
		{"a/x 0+1\n ! 5 name odd", `line 2: "odd" is no key=value`},
		{"a/x 0+1 @l\na/y 0+1 @l", "line 2: two spans are labelled @l"},
		{"a/x 0+1 link=@l", "no span is labelled @l"},
		{"a/x 0+1\n  a/y 0+1 orphan", "line 2: an orphan is under no other span"},
		{"trace colour=red", `line 1: a trace has no "colour"`},
		{"trace at=noon", `line 1: "noon" is no time`},
	} {
		if _, err := tracetext.Parse(test.text); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("Parse(%q): %v, want %q", test.text, err, test.want)
		}
	}
}

func TestFormat(t *testing.T) {
	const text = `pay/POST -5+100 server resource.v=1
  pay/"SELECT 1 + 1" 0+1500ns client error="no route" n=5 f=0.5 q="a b" ok=true
    ! 3 "pool is full" size="5"
  pay/y 1+? internal ok
  pay/z ?+? error
pay/late 0+1 orphan
`
	tr := tracetext.Trace(text)
	if diff := cmp.Diff(text, tracetext.Format(tr)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestSpan(t *testing.T) {
	tr := tracetext.Trace("a/x 0+9\n  b/x 1+1\n  b/y 2+1")
	if got := tracetext.Span(tr, "y").ID(); got != tracetext.SpanID(3) {
		t.Errorf("Span(y) is %v", got)
	}
	if got := tracetext.Span(tr, "b/x").ID(); got != tracetext.SpanID(2) {
		t.Errorf("Span(b/x) is %v", got)
	}
}
