package jaeger_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/ingest/input"
	"github.com/tracewhy/tracewhy/ingest/jaeger"
)

// outcome reads a document, through windows of several sizes, and says in one line what that comes to.
func outcome(t *testing.T, doc string, limits input.Limits) string {
	t.Helper()
	first := ""
	for _, size := range []int{1 << 18, 1000, 70} { // of the window
		var b tracewhy.Builder
		err := jaeger.ReadWindow(context.Background(), strings.NewReader(doc), &b, input.Config{Limits: limits}, size)
		out := outcomeOf(t, err, build(t, &b))
		if first == "" {
			first = out
		} else if out != first {
			t.Errorf("a window of %d bytes makes a difference:\ngot  %s\nwant %s", size, out, first)
		}
	}
	return first
}

func build(tb testing.TB, b *tracewhy.Builder) *tracewhy.Set {
	tb.Helper()
	s, err := b.Build(context.Background())
	if err != nil {
		tb.Fatal(err)
	}
	if a := s.Accounting(); a.In != a.Kept+a.Merged+a.Quarantined {
		tb.Fatalf("spans got lost: %+v", a)
	}
	return s
}

// outcomeOf lists the kind of an error, the spans kept, merged and quarantined, the problems with their
// counts, and each span as "service/name".
func outcomeOf(t *testing.T, err error, s *tracewhy.Set) string {
	t.Helper()
	a := s.Accounting()
	out := fmt.Sprintf("%d %d %d", a.Kept, a.Merged, a.Quarantined)
	var syntax *input.SyntaxError
	var limit *input.LimitError
	var answer *jaeger.AnswerError
	switch {
	case errors.As(err, &syntax):
		out = fmt.Sprintf("error at %d: %s", syntax.Position.Offset, out)
	case errors.As(err, &limit):
		out = fmt.Sprintf("limit %s: %s", limit.Limit, out)
	case errors.As(err, &answer):
		out = fmt.Sprintf("answer %d %q at %d: %s", answer.Code, answer.Message, answer.Position.Offset, out)
	case errors.Is(err, input.ErrNotTraces):
		out = "not traces: " + out
	case err != nil:
		t.Errorf("unexpected error: %v", err)
	}
	for _, p := range s.Problems() {
		out += fmt.Sprintf(" %s=%d", p.Code, p.Count)
	}
	names := ""
	for span := range spans(s) {
		names += " " + span.Service() + "/" + span.Name()
	}
	if names != "" {
		out += " |" + names
	}
	return out
}

// span is a complete span whose name, and last digit of its id, is n, with more members.
func span(n int, members string) string {
	return fmt.Sprintf(`{"traceID":"5b8efff798038103d269b633813fc60c","spanID":"eee19b7ec3c1b17%d","operationName":"%d","references":[],"startTime":150278760000000%d,"duration":9,"tags":[],"logs":[],"processID":"p1","warnings":null%s}`, n, n, n, members)
}

const processes = `{"p1":{"serviceName":"s","tags":[{"key":"hostname","type":"string","value":"h"}]}}`

// trace is a trace of spans as Jaeger writes it.
func trace(spans ...string) string {
	return `{"traceID":"5b8efff798038103d269b633813fc60c","spans":[` + strings.Join(spans, ",") + `],"processes":` + processes + `,"warnings":null}`
}

// answer is an answer of Jaeger's query API.
func answer(traces ...string) string {
	return `{"data":[` + strings.Join(traces, ",") + `],"total":0,"limit":0,"offset":0,"errors":null}`
}

// stored is a span as Elasticsearch has it.
func stored(n int) string {
	return strings.Replace(span(n, `,"startTimeMillis":1502787600000,"process":{"serviceName":"es","tags":[],"tag":{"a@b":"c"}}`), `"processID":"p1",`, "", 1)
}

// with is a span with one of its members, or what follows on that, replaced.
func with(was, is string) string {
	one := span(1, "")
	if !strings.Contains(one, was) {
		panic(was + " is not in a span")
	}
	return strings.Replace(one, was, is, 1)
}

// A hostileDoc is a document, and what reading it comes to.
type hostileDoc struct{ name, doc, want string }

func hostileDocs() []hostileDoc {
	one, two, three := span(1, ""), span(2, ""), span(3, "")
	ofFirst := `{"processes":` + processes + `,"spans":[` + one + `],"traceID":"5b8efff798038103d269b633813fc60c"}`
	return []hostileDoc{
		// Shapes.
		{"an answer", answer(trace(one, two)), "2 0 0 several_roots=1 | s/1 s/2"},
		{"with space everywhere", strings.NewReplacer(":", " :\r\n\t", ",", "\n, ", "{", " { ", "}", "\n}", "[", "[ ", "]", " ] ").Replace(answer(trace(one, two))), "2 0 0 several_roots=1 | s/1 s/2"},
		{"a trace", trace(one, two), "2 0 0 several_roots=1 | s/1 s/2"},
		{"a list of traces", "[" + trace(one) + "," + trace(two) + "]", "2 0 0 several_roots=1 | s/1 s/2"},
		{"lines of traces", trace(one) + "\n" + trace(two) + "\r\n\n", "2 0 0 several_roots=1 | s/1 s/2"},
		{"lines of answers", answer(trace(one)) + "\n" + answer(trace(two)) + "\n", "2 0 0 several_roots=1 | s/1 s/2"},
		{"answers one after the other", answer(trace(one)) + answer(trace(two)), "2 0 0 several_roots=1 | s/1 s/2"},
		{"data of one trace", `{"data":` + trace(one) + `}`, "1 0 0 | s/1"},
		{"members in the order of VictoriaTraces", `{"data":[` + ofFirst + `],"errors":null}`, "1 0 0 | s/1"},
		{"a trace id after the spans, which have none", strings.ReplaceAll(`{"spans":[`+one+`],"processes":`+processes, `"traceID":"5b8efff798038103d269b633813fc60c",`, "") + `,"traceID":"5b8efff798038103d269b633813fc60c"}`, "1 0 0 | s/1"},
		{"a byte order mark", "\ufeff" + answer(trace(one)), "1 0 0 | s/1"},
		{"log lines", "2026-01-02T03:04:05Z INFO {} started\n2026-01-02T03:04:06Z stdout F " + trace(one) + "\nbye\n", "1 0 0 text_skipped=3 | s/1"},
		{"spans of storage", stored(1) + "\n" + stored(2) + "\n", "2 0 0 several_roots=1 | es/1 es/2"},
		{"a list of spans of storage", "[" + stored(1) + "," + stored(2) + "]", "2 0 0 several_roots=1 | es/1 es/2"},
		{"a dump of storage", `{"_index":"jaeger-span-2026-01-02","_source":` + stored(1) + "}\n" + `{"_index":"jaeger-span-2026-01-02","_source":` + stored(2) + "}\n", "2 0 0 several_roots=1 | es/1 es/2"},
		{"a bulk request", `{"index":{"_index":"jaeger-span"}}` + "\n" + stored(1) + "\n", "1 0 0 | es/1"},
		{"a search of storage", `{"took":1,"hits":{"total":{"value":1},"max_score":null,"hits":[{"_id":"x","_source":` + stored(1) + `}]}}`, "1 0 0 | es/1"},
		{"searches of storage", `{"responses":[{"hits":{"hits":[{"_source":` + stored(1) + `}]}},{"hits":{"hits":[{"_source":` + stored(2) + `}]}}]}`, "2 0 0 several_roots=1 | es/1 es/2"},
		{"answers in answers, too deep", strings.Repeat(`{"data":[`, 9) + trace(one) + strings.Repeat("]}", 9), "not traces: 0 0 0 not_traces=1"},

		// What is not traces.
		{"nothing", "", "0 0 0 empty_input=1"},
		{"null", "null", "0 0 0 empty_input=1"},
		{"an empty object", "{}", "0 0 0 empty_input=1"},
		{"an empty list", "[]", "0 0 0 empty_input=1"},
		{"an empty answer", answer(), "0 0 0 empty_input=1"},
		{"a trace without spans", trace(), "0 0 0 empty_input=1"},
		{"spans of null", `{"data":[{"traceID":"1","spans":null,"processes":null}]}`, "0 0 0 empty_input=1 id_short=1"},
		{"a list of services", `{"data":["a","b"],"total":2,"errors":null}`, "not traces: 0 0 0 not_traces=1"},
		{"dependencies", `{"data":[{"parent":"a","child":"b","callCount":3}],"errors":null}`, "not traces: 0 0 0 not_traces=1"},
		{"data of text", `{"data":"x"}`, "not traces: 0 0 0 not_traces=1"},
		{"OTLP", `{"resourceSpans":[]}`, "not traces: 0 0 0 not_traces=1"},
		{"a number", "17", "not traces: 0 0 0 not_traces=1 text_skipped=1"},
		{"an error", `{"data":null,"total":0,"limit":0,"offset":0,"errors":[{"code":404,"msg":"trace not found"},{"code":1,"msg":"x"}]}`, `answer 404 "trace not found" at 54: 0 0 0 empty_input=1`},
		{"an error of text", `{"data":[],"errors":["no such trace"]}`, `answer 0 "no such trace" at 21: 0 0 0 empty_input=1`},
		{"an error of another kind", `{"data":null,"errors":"x"}`, "0 0 0 empty_input=1 shape=1"},
		{"an error and nothing else", `{"errors":[{"code":500,"msg":"x"}]}`, `answer 500 "x" at 11: 0 0 0 not_traces=1`},
		{"an error beside a trace", `{"data":[` + trace(one) + `],"errors":[{"code":500,"msg":"one shard is down"}]}`, "1 0 0 truncated_input=1 | s/1"},

		// What is broken.
		{"text after the answer", answer(trace(one)) + ` {"x`, "1 0 0 truncated_input=1 | s/1"},
		{"a line that is broken", trace(one) + "\n" + trace(two)[:150] + "\n" + trace(three), "2 0 1 several_roots=1 syntax=1 | s/1 s/3"},
		{"the end is missing", answer(trace(one, two))[:400], "1 0 1 service_missing=1 truncated_input=1 | unknown_service/1"},
		{"the end is missing in a trace with processes first", strings.Replace(ofFirst, one, one+","+two, 1)[:450], "1 0 1 truncated_input=1 | s/1"},
		{"the processes are cut off", strings.SplitAfter(answer(trace(one, two)), "hostname")[0], "2 0 0 service_missing=2 several_roots=1 truncated_input=1 | unknown_service/1 unknown_service/2"},
		{"a comma too many", "[" + stored(1) + ", ]", "1 0 0 syntax=1 | es/1"},
		{"a span with NaN", answer(trace(one, with(`"duration":9`, `"duration":NaN`), three)), "2 0 1 several_roots=1 syntax=1 | s/1 s/3"},
		{"a span with a bracket missing", answer(trace(one, with(`"tags":[]`, `"tags":[`), three, span(4, ""))), "3 0 1 service_missing=3 several_roots=1 syntax=1 trailing_data=1 | unknown_service/1 unknown_service/3 unknown_service/4"},
		{"a span that is a number", answer(trace(one, "5", three)), "2 0 1 several_roots=1 shape=1 | s/1 s/3"},
		{"a span that is null", answer(trace(one, "null", three)), "2 0 1 several_roots=1 shape=1 | s/1 s/3"},
		{"spans of a wrong type", `{"traceID":"1","spans":{"a":1},"processes":{}}`, "0 0 0 empty_input=1 id_short=1 shape=1"},
		{"a reference for a document", `{"refType":"CHILD_OF","traceID":"1","spanID":"2"}`, "0 0 1 id_short=2 shape=1"},
		{"a batch of Thrift", `{"process":{"serviceName":"api"},"spans":[{"traceIdLow":5951113872249657919,"spanId":6585752,"operationName":"get","startTime":1485467191639875}]}`, "0 0 1 id_missing=1"},
		{"members twice", answer(trace(with(`"duration":9`, `"duration":9,"duration":10`))), "1 0 0 | s/1"},
		{"names in another case", answer(strings.ReplaceAll(trace(one), "traceID", "TRACEID")), "0 0 1 id_missing=1"},
		{"unknown members", answer(trace(span(1, `,"depth":0,"hasChildren":true,"childSpanIds":["a"],"x":{"spans":[]}`))), "1 0 0 | s/1"},

		// Identity.
		{"the same span twice", answer(trace(one, one)), "1 1 0 duplicate_span=1 | s/1"},
		{"one span with two contents", answer(trace(one, with(`"duration":9`, `"duration":10`))), "1 1 0 partial_span=1 | s/1"},
		{"no span id", answer(trace(with(`"spanID":"eee19b7ec3c1b171",`, ""), two)), "1 0 1 id_missing=1 | s/2"},
		{"no ids", answer(`{"spans":[` + with(`"traceID":"5b8efff798038103d269b633813fc60c",`, "") + `],"processes":{}}`), "0 0 1 id_missing=1"},
		{"zero ids", answer(trace(with("eee19b7ec3c1b171", "0000000000000000"), with("5b8efff798038103d269b633813fc60c", "0"))), "0 0 2 id_short=1 id_zero=2"},
		{"ids that are none", answer(trace(with("eee19b7ec3c1b171", "xyz"), with(`"spanID":"eee19b7ec3c1b171"`, `"spanID":7`), with(`"spanID":"eee19b7ec3c1b171"`, `"spanID":{}`), two)), "1 0 3 id_invalid=2 shape=1 | s/2"},
		{"a short trace id", answer(trace(with("5b8efff798038103d269b633813fc60c", "d269b633813fc60c"))), "1 0 0 id_short=1 | s/1"},
		{"ids in capitals", answer(trace(strings.Replace(one, "eee19b7ec3c1b171", "EEE19B7EC3C1B171", 1))), "1 0 0 | s/1"},
		{"no process id", answer(trace(with(`"processID":"p1",`, ""))), "1 0 0 service_missing=1 | unknown_service/1"},
		{"an unknown process", answer(trace(with(`"p1"`, `"p2"`))), "1 0 0 service_missing=1 | unknown_service/1"},
		{"no processes", `{"traceID":"1","spans":[` + one + `]}`, "1 0 0 id_short=1 service_missing=1 | unknown_service/1"},
		{"processes of null", `{"traceID":"1","spans":[` + one + `],"processes":null}`, "1 0 0 id_short=1 service_missing=1 | unknown_service/1"},
		{"processes in a list", `{"traceID":"1","spans":[` + one + `],"processes":[1]}`, "1 0 0 id_short=1 service_missing=1 shape=1 | unknown_service/1"},
		{"a process that is none", `{"traceID":"1","spans":[` + one + `],"processes":{"p1":3}}`, "1 0 0 id_short=1 service_missing=1 value_invalid=1 | unknown_service/1"},
		{"a service without a name", `{"spans":[` + one + `],"processes":{"p1":{"serviceName":"","tags":null}}}`, "1 0 0 service_missing=1 | unknown_service/1"},
		{"a service with a number for a name", `{"spans":[` + one + `],"processes":{"p1":{"serviceName":5}}}`, "1 0 0 service_missing=1 value_invalid=1 | unknown_service/1"},
		{"a process of its own", answer(trace(with(`"processID":"p1"`, `"process":{"serviceName":"own"}`))), "1 0 0 | own/1"},

		// Time.
		{"no start", answer(trace(with(`"startTime":1502787600000001,`, ""))), "1 0 0 time_missing=1 | s/1"},
		{"no duration", answer(trace(with(`"duration":9,`, ""))), "1 0 0 time_missing=1 | s/1"},
		{"a duration of null", answer(trace(with(`"duration":9`, `"duration":null`))), "1 0 0 time_missing=1 | s/1"},
		{"a duration of nothing", answer(trace(with(`"duration":9`, `"duration":0`))), "1 0 0 | s/1"},
		{"a negative duration", answer(trace(with(`"duration":9`, `"duration":-1`))), "1 0 0 negative_duration=1 | s/1"},
		{"a negative start", answer(trace(with(`"startTime":1502787600000001`, `"startTime":-5`))), "1 0 0 time_missing=1 value_invalid=1 | s/1"},
		{"a start of 0", answer(trace(with(`"startTime":1502787600000001`, `"startTime":0`))), "1 0 0 time_missing=1 | s/1"},
		{"a start in nanoseconds", answer(trace(with(`"startTime":1502787600000001`, `"startTime":1502787600000000001`))), "1 0 0 time_out_of_range=1 unit_suspect=1 | s/1"},
		{"a start in milliseconds", answer(trace(with(`"startTime":1502787600000001`, `"startTime":1502787600000`))), "1 0 0 unit_suspect=1 | s/1"},
		{"a start that no unit explains", answer(trace(with(`"startTime":1502787600000001`, `"startTime":9223372036854775807`), two)), "1 0 1 time_out_of_range=1 | s/2"},
		{"a start beyond 64 bits", answer(trace(with(`"startTime":1502787600000001`, `"startTime":99999999999999999999`), two)), "1 0 1 time_out_of_range=1 value_invalid=1 | s/2"},
		{"a start in the year 3000", answer(trace(with(`"startTime":1502787600000001`, `"startTime":32503680000000000`))), "1 0 0 time_out_of_range=1 | s/1"},
		{"a duration beyond 64 bits", answer(trace(with(`"duration":9`, `"duration":9223372036854775807`))), "1 0 0 time_out_of_range=1 | s/1"},
		{"numbers in quotes", answer(trace(with(`"startTime":1502787600000001,"duration":9`, `"startTime":"1502787600000001","duration":"9"`))), "1 0 0 value_invalid=2 | s/1"},
		{"numbers with fractions", answer(trace(with(`"startTime":1502787600000001,"duration":9`, `"startTime":1502787600000001.5,"duration":9.0`))), "1 0 0 value_invalid=1 | s/1"},
		{"a duration of text", answer(trace(with(`"duration":9`, `"duration":"invalid"`), two)), "1 0 1 time_invalid=1 value_invalid=1 | s/2"},
		{"a start of text", answer(trace(with(`"startTime":1502787600000001`, `"startTime":"2017-08-15T09:00:00Z"`), two)), "1 0 1 time_invalid=1 value_invalid=1 | s/2"},
		{"a start of a wrong type", answer(trace(with(`"startTime":1502787600000001`, `"startTime":true`), with(`"startTime":1502787600000001`, `"startTime":[]`), two)), "1 0 2 shape=1 time_invalid=1 | s/2"},
		{"milliseconds alone", strings.Replace(stored(1), `"startTime":1502787600000001,`, "", 1), "1 0 0 | es/1"},

		{"milliseconds below 64 bits", strings.NewReplacer(`"startTime":1502787600000001,`, "", "1502787600000,", "-9223372036854775000,").Replace(stored(1)), "1 0 0 time_missing=1 value_invalid=1 | es/1"},

		// Tags, logs, references and warnings.
		{"tags of null", answer(trace(with(`"tags":[]`, `"tags":null`))), "1 0 0 | s/1"},
		{"tags of a wrong type", answer(trace(with(`"tags":[]`, `"tags":5`), two)), "1 0 1 shape=1 | s/2"},
		{"tags that are none", answer(trace(with(`"tags":[]`, `"tags":[null,5,{"key":{}},{}]`))), "1 0 0 attribute_invalid=2 empty_attribute_key=1 | s/1"},
		{"a tag twice", answer(trace(with(`"tags":[]`, `"tags":[{"key":"a","type":"bool","value":true},{"key":"a","type":"bool","value":false}]`))), "1 0 0 duplicate_attribute=1 | s/1"},
		{"tags in a map", answer(trace(with(`"tags":[]`, `"tags":{"a":1,"b":"x","c":null,"d":{}}`))), "1 0 0 value_invalid=1 | s/1"},
		{"values of another type", answer(trace(with(`"tags":[]`, `"tags":[{"key":"a","type":"int64","value":"x"},{"key":"b","type":"bool","value":3},{"key":"c","type":"string","value":{"d":1}},{"key":"e","type":"float64","value":true},{"key":"f","type":"binary","value":"!"},{"key":"g","type":"int64","value":null},{"key":"h","type":"decimal","value":1}]`))), "1 0 0 value_invalid=7 | s/1"},
		{"a status of null", withTags(`{"key":"otel.status_code","type":"string","value":null}`), "1 0 0 value_invalid=1 | s/1"},
		{"a kind that is none", answer(trace(with(`"tags":[]`, `"tags":[{"key":"span.kind","type":"string","value":"bogus"}]`))), "1 0 0 kind_unknown=1 | s/1"},
		{"a status that is none", answer(trace(with(`"tags":[]`, `"tags":[{"key":"otel.status_code","type":"string","value":"bogus"}]`))), "1 0 0 status_unknown=1 | s/1"},
		{"logs of null", answer(trace(with(`"logs":[]`, `"logs":null`))), "1 0 0 | s/1"},
		{"logs of a wrong type", answer(trace(with(`"logs":[]`, `"logs":"x"`), two)), "1 0 1 shape=1 | s/2"},
		{"logs that are odd", answer(trace(with(`"logs":[]`, `"logs":[null,{},{"timestamp":"x","fields":null},{"timestamp":true},{"timestamp":-1},{"timestamp":9223372036854775807}]`))), "1 0 0 time_out_of_range=1 value_invalid=3 | s/1"},
		{"a log that is none", answer(trace(with(`"logs":[]`, `"logs":[5]`), two)), "1 0 1 shape=1 | s/2"},
		{"references of null", answer(trace(with(`"references":[]`, `"references":null`))), "1 0 0 | s/1"},
		{"references of a wrong type", answer(trace(with(`"references":[]`, `"references":{}`), two)), "1 0 1 shape=1 | s/2"},
		{"references that are odd", answer(trace(with(`"references":[]`, `"references":[null,{},{"refType":"CHILD_OF","traceID":"0","spanID":"1"},{"refType":"FOLLOWS_FROM","spanID":"x"},{"refType":"BOGUS","spanID":"eee19b7ec3c1b172"}]`), two)), "2 0 0 id_short=2 link_invalid=3 outside_parent=1 value_invalid=1 | s/2 s/1"},
		{"a parent that is none", answer(trace(with(`"references":[]`, `"references":[{"refType":"CHILD_OF","spanID":"x"}]`), two)), "1 0 1 id_invalid=1 link_invalid=1 | s/2"},
		{"a parent id that is none", answer(trace(span(1, `,"parentSpanID":"x"`), two)), "1 0 1 id_invalid=1 | s/2"},
		{"its own parent", answer(trace(span(1, `,"parentSpanID":"eee19b7ec3c1b171"`))), "1 0 0 self_parent=1 | s/1"},
		{"warnings of a wrong type", answer(trace(with(`"warnings":null`, `"warnings":"x"`), strings.Replace(two, `"warnings":null`, `"warnings":[5]`, 1))), "2 0 0 several_roots=1 value_invalid=2 | s/1 s/2"},
		{"invalid UTF-8", answer(trace(with(`"operationName":"1"`, "\"operationName\":\"\xff\""))), "1 0 0 invalid_utf8=1 | s/�~7a0b824e"},
		{"escapes that JSON does not know", answer(trace(with(`"operationName":"1"`, `"operationName":"\x41"`), two)), "1 0 1 syntax=1 | s/2"},
		{"a name of a wrong type", answer(trace(with(`"operationName":"1"`, `"operationName":5`), with(`"operationName":"1"`, `"operationName":[]`), two)), "2 0 1 several_roots=1 shape=1 value_invalid=1 | s/5 s/2"},
		{"deep nesting in a tag", answer(trace(with(`"tags":[]`, `"tags":[{"key":"a","value":`+strings.Repeat("[", 1e5)+strings.Repeat("]", 1e5)+`}]`))), "1 0 0 value_invalid=1 | s/1"},
		{"deep nesting of spans in references", answer(trace(with(`"references":[]`, `"references":[{"refType":"CHILD_OF","spanID":"eee19b7ec3c1b172","span":`+strings.Repeat(`{"references":[`, 1e5)+strings.Repeat("]}", 1e5)+`}]`), two)), "2 0 0 outside_parent=1 | s/2 s/1"},
		{"deep nesting of nothing", strings.Repeat("[", 1e5), "error at 100000: 0 0 0 truncated_input=1"},
		{"deep nesting of data", strings.Repeat(`{"data":[`, 1e5), "error at 900000: 0 0 0 truncated_input=1"},
	}
}

func TestHostile(t *testing.T) {
	for _, d := range hostileDocs() {
		t.Run(d.name, func(t *testing.T) {
			if got := outcome(t, d.doc, input.Limits{}); got != d.want {
				t.Errorf("got  %s\nwant %s", got, d.want)
			}
		})
	}
}

// Documents that break off again and again, each time with something to look for further ahead, are read in
// time linear in their length: 4 MiB of these would otherwise take half an hour.
func TestBrokenAgainAndAgain(t *testing.T) {
	for _, part := range []string{
		`{"spans":[{"a":x`,
		`{"spans":[{"a":x}],"a":[}`,
		`{"spans":[{"traceID":"1"}],"processes":{`,
		`{"spans":[[[`,
		`{"data":[{"spans":[{"traceID":"1","spanID":"2","tags":[}`,
		`{"traceID":"`,
		`{"duration":[`,
	} {
		var b tracewhy.Builder
		doc := strings.Repeat(part, 4<<20/len(part))
		if err := jaeger.Read(context.Background(), strings.NewReader(doc), &b, input.Config{}); err == nil {
			t.Errorf("%s, repeated, is not broken", part)
		}
		build(t, &b)
	}
}

// Where something is broken is said alike wherever the input ends in the window.
func TestPlaceOfBroken(t *testing.T) {
	for n := range 300 {
		doc := `{"data":[{"traceID":"1","spanID":"1"x,"` + strings.Repeat("a", n)
		if got, want := outcome(t, doc, input.Limits{}), "error at 36: 0 0 1 syntax=1"; got != want {
			t.Fatalf("with %d bytes more: %s, want %s", n, got, want)
		}
	}
}
