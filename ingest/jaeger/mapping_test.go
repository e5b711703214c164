package jaeger_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tracewhy/tracewhy"
)

// readSpan returns the data of the first span of a document.
func readSpan(t *testing.T, doc string) tracewhy.SpanData {
	t.Helper()
	set := readJaeger(t, []byte(doc))
	if set.NumSpans() == 0 {
		t.Fatalf("no span in %s: %+v", doc, set.Problems())
	}
	for s := range spans(set) {
		if strings.HasSuffix(s.ID().String(), "1") {
			return s.Data()
		}
	}
	t.Fatal("no span whose id ends in 1")
	return tracewhy.SpanData{}
}

func tagJSON(key, typ, value string) string {
	return fmt.Sprintf(`{"key":%q,"type":%q,"value":%s}`, key, typ, value)
}

func withTags(tags ...string) string {
	return answer(trace(with(`"tags":[]`, `"tags":[`+strings.Join(tags, ",")+`]`)))
}

// Two conventions say that a span failed.
func TestStatus(t *testing.T) {
	status := func(code string) string { return tagJSON("otel.status_code", "string", `"`+code+`"`) }
	errorTag := func(typ, value string) string { return tagJSON("error", typ, value) }
	for _, c := range []struct {
		tags string
		want tracewhy.StatusCode
		text string // the message, or
		kept string // the attributes
	}{
		{"", tracewhy.StatusUnset, "", ""},
		{errorTag("bool", "true"), tracewhy.StatusError, "", ""},
		{errorTag("bool", `"true"`), tracewhy.StatusError, "", ""},
		{errorTag("string", `"true"`), tracewhy.StatusError, "", ""},
		{errorTag("string", `"True"`), tracewhy.StatusError, "", ""},
		{errorTag("bool", "false"), tracewhy.StatusUnset, "", "error=bool:false"},
		{errorTag("string", `"false"`), tracewhy.StatusUnset, "", `error=string:false`},
		{errorTag("string", `"False"`), tracewhy.StatusUnset, "", `error=string:False`},
		{errorTag("string", `""`), tracewhy.StatusUnset, "", `error=string:`},
		{errorTag("string", `"0"`), tracewhy.StatusUnset, "", `error=string:0`},
		{errorTag("string", `"1"`), tracewhy.StatusError, "", `error=string:1`},
		{errorTag("int64", `1`), tracewhy.StatusError, "", `error=int:1`},
		{errorTag("int64", `0`), tracewhy.StatusUnset, "", `error=int:0`},
		{errorTag("string", `"redis timeout"`), tracewhy.StatusError, "redis timeout", "error=string:redis timeout"},
		{errorTag("string", `null`), tracewhy.StatusUnset, "", "error=empty:"},
		{status("ERROR"), tracewhy.StatusError, "", ""},
		{status("OK"), tracewhy.StatusOK, "", ""},
		{status("ok"), tracewhy.StatusOK, "", ""},
		{status("UNSET"), tracewhy.StatusUnset, "", ""},
		{status("bogus"), tracewhy.StatusUnset, "", "otel.status_code=string:bogus"},
		{tagJSON("otel.status_code", "int64", "2"), tracewhy.StatusUnset, "", "otel.status_code=int:2"},
		{status("OK") + "," + errorTag("bool", "true"), tracewhy.StatusError, "", ""},
		{errorTag("bool", "true") + "," + status("OK"), tracewhy.StatusError, "", ""},
		{status("ERROR") + "," + errorTag("bool", "false"), tracewhy.StatusError, "", "error=bool:false"},
		{status("OK") + "," + errorTag("string", `"x"`), tracewhy.StatusOK, "", "error=string:x"},
		{status("UNSET") + "," + errorTag("string", `"x"`), tracewhy.StatusUnset, "", "error=string:x"},
		{status("ERROR") + "," + tagJSON("otel.status_description", "string", `"down"`), tracewhy.StatusError, "down", ""},
		{errorTag("string", `"x"`) + "," + tagJSON("otel.status_description", "string", `"down"`), tracewhy.StatusError, "down", "error=string:x"},
		{tagJSON("http.status_code", "int64", "500"), tracewhy.StatusUnset, "", "http.status_code=int:500"},
	} {
		s := readSpan(t, withTags(c.tags))
		if kept := attributes(s.Attributes); s.Status != c.want || s.StatusMessage != c.text || kept != c.kept {
			t.Errorf("%s: %v, %q and %s, want %v, %q and %s", c.tags, s.Status, s.StatusMessage, kept, c.want, c.text, c.kept)
		}
	}
}

// attributes lists attributes as key=kind:value.
func attributes(kvs []tracewhy.KeyValue) string {
	var list []string
	for _, kv := range kvs {
		list = append(list, fmt.Sprintf("%s=%s:%s", kv.Key, kinds[kv.Value.Kind()], kv.Value))
	}
	return strings.Join(list, " ")
}

var kinds = map[tracewhy.ValueKind]string{
	tracewhy.EmptyValue: "empty", tracewhy.StringValue: "string", tracewhy.BoolValue: "bool", tracewhy.IntValue: "int",
	tracewhy.FloatValue: "float", tracewhy.BytesValue: "bytes", tracewhy.ArrayValue: "array", tracewhy.MapValue: "map",
}

func TestValues(t *testing.T) {
	for _, c := range []struct{ typ, value, want string }{
		{"string", `"x"`, "a=string:x"},
		{"string", `5`, "a=string:5"},
		{"string", `{"b":[1]}`, `a=string:{"b":[1]}`},
		{"string", `null`, "a=empty:"},
		{"bool", `true`, "a=bool:true"},
		{"bool", `"false"`, "a=bool:false"},
		{"bool", `1`, "a=string:1"},
		{"int64", `7`, "a=int:7"},
		{"int64", `"9223372036854775222"`, "a=int:9223372036854775222"},
		{"int64", `-9223372036854775808`, "a=int:-9223372036854775808"},
		{"int64", `9223372036854775808`, "a=string:9223372036854775808"},
		{"int64", `1.0`, "a=int:1"},
		{"int64", `1.5`, "a=string:1.5"},
		{"int64", `true`, "a=string:true"},
		{"float64", `72.5`, "a=float:72.5"},
		{"float64", `"72.5"`, "a=float:72.5"},
		{"float64", `1`, "a=float:1"},
		{"float64", `"NaN"`, "a=float:NaN"},
		{"float64", `"+Inf"`, "a=float:+Inf"},
		{"float64", `"-Infinity"`, "a=float:-Inf"},
		{"float64", `"0x1p4"`, "a=string:0x1p4"},
		{"float64", `1e999`, "a=string:1e999"},
		{"binary", `"AAAwOQ=="`, "a=bytes:AAAwOQ=="},
		{"binary", `"00003039"`, "a=bytes:00003039"},
		{"binary", `"?"`, "a=string:?"},
		{"", `"x"`, "a=string:x"},
		{"", `5`, "a=int:5"},
		{"", `5.0`, "a=float:5"},
		{"", `false`, "a=bool:false"},
		{"", `[1, 2]`, "a=string:[1, 2]"},
		{"decimal", `5`, "a=int:5"},
	} {
		if got := attributes(readSpan(t, withTags(tagJSON("a", c.typ, c.value))).Attributes); got != c.want {
			t.Errorf("%s %s: %s, want %s", c.typ, c.value, got, c.want)
		}
	}
	doc := strings.Replace(stored(1), `"tags":[]`, `"tags":[`+tagJSON("a", "binary", `"00003039"`)+`]`, 1)
	if got := attributes(readSpan(t, doc).Attributes); got != "a=bytes:AAAwOQ==" {
		t.Errorf("binary in hexadecimal, of storage: %s", got)
	}
}

// References become a parent and links.
func TestReferences(t *testing.T) {
	const own, other = "5b8efff798038103d269b633813fc60c", "00000000000000ff0000000000000000"
	ref := func(refType, traceID, spanID string) string {
		return fmt.Sprintf(`{"refType":%q,"traceID":%q,"spanID":"000000000000000%s"}`, refType, traceID, spanID)
	}
	for _, c := range []struct{ name, references, parentID, want string }{
		{"none", "", "", "0"},
		{"a parent", ref("CHILD_OF", own, "a"), "", "a"},
		{"a parent id", "", "a", "a"},
		{"both", ref("CHILD_OF", own, "a"), "a", "a"},
		{"a parent id and another parent", ref("CHILD_OF", own, "b"), "a", "a child_of:b"},
		{"the second is the parent", ref("CHILD_OF", other, "a") + "," + ref("CHILD_OF", own, "b"), "", "b child_of:a@ff"},
		{"two parents", ref("CHILD_OF", own, "a") + "," + ref("CHILD_OF", own, "b"), "", "a child_of:b"},
		{"the parent twice", ref("CHILD_OF", own, "a") + "," + ref("CHILD_OF", own, "a"), "", "a"},
		{"a parent that did not wait", ref("FOLLOWS_FROM", own, "a"), "", "a follows_from:a"},
		{"a parent before one that did not wait", ref("FOLLOWS_FROM", own, "a") + "," + ref("CHILD_OF", own, "b"), "", "b follows_from:a"},
		{"a link to another trace", ref("FOLLOWS_FROM", other, "a"), "", "0 follows_from:a@ff"},
		{"a parent in another trace", ref("CHILD_OF", other, "a"), "", "0 child_of:a@ff"},
		{"half a trace id", ref("CHILD_OF", own[16:], "a"), "", "a"},
		{"no trace id", ref("CHILD_OF", "", "a"), "", "a"},
		{"small letters", ref("child_of", own, "a"), "", "a"},
	} {
		parentID := ""
		if c.parentID != "" {
			parentID = `"parentSpanID":"000000000000000` + c.parentID + `",`
		}
		s := readSpan(t, answer(trace(with(`"references":[]`, parentID+`"references":[`+c.references+`]`))))
		got := strings.TrimLeft(s.ParentSpanID.String(), "0")
		if got == "" {
			got = "0"
		}
		for _, l := range s.Links {
			got += " " + l.Attributes[0].Value.Str() + ":" + strings.TrimLeft(l.SpanID.String(), "0")
			if l.TraceID != s.TraceID {
				got += "@" + strings.Trim(l.TraceID.String(), "0")
			}
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	doc := answer(trace(with(`"references":[]`, `"references":[`+strings.Replace(ref("FOLLOWS_FROM", own, "2"), "0000000000000002", "eee19b7ec3c1b172", 1)+`]`), span(2, "")))
	for s := range spans(readJaeger(t, []byte(doc))) {
		if s.Name() == "1" && !s.IsAsync() {
			t.Error("a span that only follows from its parent is not asynchronous")
		}
	}
}

func TestEvents(t *testing.T) {
	fields := func(fields ...string) string {
		return `{"timestamp":1502787600000000,"fields":[` + strings.Join(fields, ",") + `]}`
	}
	event, message, x := tagJSON("event", "string", `"e"`), tagJSON("message", "string", `"m"`), tagJSON("x", "int64", "1")
	for _, c := range []struct{ log, want string }{
		{fields(event, x), "e x=int:1"},
		{fields(x, event), "e x=int:1"},
		{fields(message, x), "m message=string:m x=int:1"},
		{fields(message, event), "e message=string:m"},
		{fields(tagJSON("event", "string", `""`), message), " message=string:m"},
		{fields(tagJSON("event", "int64", "5")), " event=int:5"},
		{fields(), " "},
	} {
		e := readSpan(t, answer(trace(with(`"logs":[]`, `"logs":[`+c.log+`]`)))).Events[0]
		if got := e.Name + " " + attributes(e.Attributes); got != c.want || e.Time != 1502787600000000_000 {
			t.Errorf("%s: %q at %d, want %q", c.log, got, e.Time, c.want)
		}
	}
}

// What a span has besides is where OpenTelemetry has it.
func TestRest(t *testing.T) {
	s := readSpan(t, withTags(
		tagJSON("span.kind", "string", `"server"`), tagJSON("otel.library.name", "string", `"l"`), tagJSON("otel.scope.version", "string", `"1"`),
		tagJSON("w3c.tracestate", "string", `"a=b"`), tagJSON("b", "string", `"c"`)))
	if s.Kind != tracewhy.KindServer || s.Scope.Name != "l" || s.Scope.Version != "1" || s.TraceState != "a=b" || attributes(s.Attributes) != "b=string:c" {
		t.Errorf("%+v %+v", s, s.Scope)
	}
	if got := attributes(s.Resource.Attributes); got != "service.name=string:s host.name=string:h" {
		t.Errorf("resource: %s", got)
	}
	s = readSpan(t, answer(trace(with(`"warnings":null`, `"flags":3,"warnings":["a","b"]`))))
	if s.Flags != 1 || attributes(s.Attributes) != "@jaeger@warnings=array:[a, b]" {
		t.Errorf("%+v", s)
	}
	s = readSpan(t, withTags(
		tagJSON("otel.dropped_attributes_count", "int64", "3"), tagJSON("otel.dropped_events_count", "string", `"4"`),
		tagJSON("otel.dropped_links_count", "int64", "5"), tagJSON("otel.dropped_links_count", "int64", "-1")))
	if s.DroppedAttributes != 3 || s.DroppedEvents != 4 || s.DroppedLinks != 5 || attributes(s.Attributes) != "otel.dropped_links_count=int:-1" {
		t.Errorf("dropped %d, %d, %d: %s", s.DroppedAttributes, s.DroppedEvents, s.DroppedLinks, attributes(s.Attributes))
	}
	s = readSpan(t, stored(1))
	if got := attributes(s.Resource.Attributes); got != "service.name=string:es a.b=string:c" {
		t.Errorf("resource of storage: %s", got)
	}
	if s.Start != 1502787600000001_000 || s.End != 1502787600000010_000 {
		t.Errorf("from %d to %d", s.Start, s.End)
	}
	s = readSpan(t, strings.Replace(stored(1), `"startTime":1502787600000001,`, "", 1))
	if s.Start != 1502787600000000_000 {
		t.Errorf("started in milliseconds: %d", s.Start)
	}
}

// The processes of one trace are not those of another, wherever they stand.
func TestProcessesOfTraces(t *testing.T) {
	other := strings.NewReplacer(`"s"`, `"t"`, "5b8efff7", "6b8efff7").Replace(trace(span(2, "")))
	first := `{"processes":` + strings.Replace(processes, `"s"`, `"u"`, 1) + `,"spans":[` + strings.Replace(span(3, ""), "5b8efff7", "7b8efff7", 1) + `]}`
	for _, doc := range []string{answer(trace(span(1, "")), other, first), answer(first, trace(span(1, "")), other)} {
		var got []string
		for s := range spans(readJaeger(t, []byte(doc))) {
			got = append(got, s.Service()+s.Name())
		}
		slices.Sort(got)
		if want := []string{"s1", "t2", "u3"}; !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
