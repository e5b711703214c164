package report_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tracewhy/tracewhy/rca"
	"github.com/tracewhy/tracewhy/rca/report"
)

// schema checks documents against the part of JSON Schema that docs/report.schema.json uses. It is
// stricter in one point: a property that the schema does not describe is an error, so that the schema
// cannot fall behind the report.
type schema struct{ root map[string]any }

func readSchema(t *testing.T) schema {
	t.Helper()
	data, err := os.ReadFile("../../docs/report.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var s schema
	if err := json.Unmarshal(data, &s.root); err != nil {
		t.Fatal(err)
	}
	return s
}

// check returns what is wrong with v, each with the place where.
func (s schema) check(rule map[string]any, v any, at string) (errs []string) {
	fail := func(format string, args ...any) {
		errs = append(errs, at+": "+fmt.Sprintf(format, args...))
	}
	for _, keyword := range slices.Sorted(maps.Keys(rule)) {
		arg := rule[keyword]
		switch keyword {
		case "$schema", "$defs", "title", "description":
		case "$ref":
			name := strings.TrimPrefix(arg.(string), "#/$defs/")
			errs = append(errs, s.check(s.root["$defs"].(map[string]any)[name].(map[string]any), v, at)...)
		case "anyOf":
			if !slices.ContainsFunc(arg.([]any), func(r any) bool { return len(s.check(r.(map[string]any), v, at)) == 0 }) {
				fail("matches no alternative")
			}
		case "const":
			if v != arg {
				fail("is %v, not %v", v, arg)
			}
		case "enum":
			if !slices.Contains(arg.([]any), v) {
				fail("%v is none of %v", v, arg)
			}
		case "type":
			types, ok := arg.([]any)
			if !ok {
				types = []any{arg}
			}
			if !slices.ContainsFunc(types, func(name any) bool { return hasType(v, name.(string)) }) {
				fail("%T is no %v", v, types)
			}
		case "minimum":
			if f, ok := v.(float64); ok && f < arg.(float64) {
				fail("%v is below %v", f, arg)
			}
		case "maximum":
			if f, ok := v.(float64); ok && f > arg.(float64) {
				fail("%v is above %v", f, arg)
			}
		case "format":
			if text, ok := v.(string); ok {
				if _, err := time.Parse(time.RFC3339Nano, text); err != nil {
					fail("%v", err)
				}
			}
		case "items":
			list, _ := v.([]any)
			for i, e := range list {
				errs = append(errs, s.check(arg.(map[string]any), e, fmt.Sprintf("%s[%d]", at, i))...)
			}
		case "required":
			object, _ := v.(map[string]any)
			for _, name := range arg.([]any) {
				if _, ok := object[name.(string)]; !ok {
					fail("lacks %v", name)
				}
			}
		case "properties":
			object, _ := v.(map[string]any)
			for _, name := range slices.Sorted(maps.Keys(object)) {
				if r, ok := arg.(map[string]any)[name]; ok {
					errs = append(errs, s.check(r.(map[string]any), object[name], at+"."+name)...)
				} else {
					fail("%s is not in the schema", name)
				}
			}
		default:
			fail("the schema uses %q, which this test does not know", keyword)
		}
	}
	return errs
}

func hasType(v any, name string) bool {
	switch v := v.(type) {
	case nil:
		return name == "null"
	case bool:
		return name == "boolean"
	case string:
		return name == "string"
	case float64:
		return name == "number" || name == "integer" && v == float64(int64(v))
	case []any:
		return name == "array"
	case map[string]any:
		return name == "object"
	}
	return false
}

// fieldWords are the values of the fields that take one of a few.
var fieldWords = map[string]string{
	"Report.Schema": rca.Schema, "Report.Verdict": string(rca.VerdictIncident),
	"Symptom.Kind": "error", "Symptom.Unit": "share",
	"Condition.Op": "=", "RootCause.Kind": "wait", "RootCause.FaultDomain": "internal",
	"RootCause.Scope": string(rca.ScopeConditions), "FailureMode.Scope": string(rca.ScopeConditions),
	"TimelineEvent.Kind": "onset",
}

// fill sets everything below v: lists to two elements, pointers to something, texts to text.
func fill(v reflect.Value, field, text string) {
	switch v.Kind() {
	case reflect.String:
		if word, ok := fieldWords[field]; ok {
			text = word
		}
		v.SetString(text)
	case reflect.Int:
		v.SetInt(3)
	case reflect.Float64:
		v.SetFloat(0.25)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Interface:
		v.Set(reflect.ValueOf(text))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), field, text)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range 2 {
			fill(v.Index(i), field, text)
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Date(2026, 11, 22, 6, 30, 38, 123456789, time.UTC)))
			return
		}
		for i := range v.NumField() {
			fill(v.Field(i), v.Type().Name()+"."+v.Type().Field(i).Name, text)
		}
	default:
		panic("fill does not know " + v.Type().String())
	}
}

// filled returns a report with every field set, and text in every text that data can reach.
func filled(text string) *rca.Report {
	var r rca.Report
	fill(reflect.ValueOf(&r).Elem(), "", text)
	return &r
}

func decodeReport(t *testing.T, r *rca.Report) any {
	t.Helper()
	var b bytes.Buffer
	if err := report.JSON(&b, r); err != nil {
		t.Fatal(err)
	}
	var v any
	if err := json.Unmarshal(b.Bytes(), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestReportMatchesSchema(t *testing.T) {
	s := readSchema(t)
	unknowns := filled("x")
	unknowns.NoneOfThese = rca.Unknown()
	unknowns.RootCauses[0].Confidence = rca.Unknown()
	unknowns.RootCauses[0].Edge = nil
	unknowns.RootCauses[0].Change = nil
	unknowns.Timeline.Onset = nil
	for name, r := range map[string]*rca.Report{
		"filled":     filled("x"),
		"unknowns":   unknowns,
		"empty":      {Schema: rca.Schema, Verdict: rca.VerdictNeedMore},
		"empty part": {Schema: rca.Schema, Verdict: rca.VerdictIncident, RootCauses: []rca.RootCause{{Rank: 1, Kind: "error", FaultDomain: "undetermined", Scope: rca.ScopeUndetermined}}},
		"example":    detailed(),
	} {
		for _, e := range s.check(s.root, decodeReport(t, r), name) {
			t.Error(e)
		}
	}
}

// Every required field, left out, must be missed, and every value of a wrong type must be seen: else
// the test above shows nothing.
func TestSchemaRejects(t *testing.T) {
	s := readSchema(t)
	n := 0
	var breakEach func(v any, again func())
	breakEach = func(v any, again func()) {
		switch v := v.(type) {
		case map[string]any:
			for _, k := range slices.Sorted(maps.Keys(v)) {
				old := v[k]
				breakEach(old, again)
				for _, bad := range []any{map[string]any{}, []any{map[string]any{"x": 1}}} {
					if k == "value" && reflect.TypeOf(bad) == reflect.TypeFor[[]any]() {
						continue // a condition's value may be a list
					}
					v[k] = bad
					again()
				}
				delete(v, k)
				again()
				v["unheard_of"] = old
				again()
				delete(v, "unheard_of")
				v[k] = old
			}
		case []any:
			breakEach(v[0], again)
		}
	}
	doc := decodeReport(t, filled("x"))
	breakEach(doc, func() {
		n++
		if len(s.check(s.root, doc, "")) == 0 {
			out, _ := json.Marshal(doc)
			t.Errorf("the schema accepts a broken report: %s", out)
		}
	})
	if n < 400 {
		t.Errorf("only %d broken reports were tried", n)
	}
}

// Decoding gives the report back.
func TestJSONRoundTrip(t *testing.T) {
	want := filled("x")
	var b bytes.Buffer
	if err := report.JSON(&b, want); err != nil {
		t.Fatal(err)
	}
	var got rca.Report
	if err := json.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(want, &got) {
		t.Errorf("decoding gave %+v, want %+v", got, want)
	}
}
