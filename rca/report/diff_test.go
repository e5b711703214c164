package report_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/compare"
	"github.com/tracewhy/tracewhy/internal/golden"
	"github.com/tracewhy/tracewhy/internal/tracetext"
	"github.com/tracewhy/tracewhy/rca/report"
)

// diffOf compares the second trace of a text with the first.
func diffOf(text string) *compare.TracesResult {
	var pair [2]tracewhy.Trace
	for t := range tracetext.Set(text).Traces() {
		for i := range pair {
			if t.ID() == tracetext.TraceID(i+1) {
				pair[i] = t
			}
		}
	}
	return compare.Traces(pair[1], pair[0], compare.TracesConfig{})
}

func TestDiff(t *testing.T) {
	r := diffOf(poolTraces)
	for name, cfg := range map[string]report.Config{
		"diff.txt":        {},
		"diff-narrow.txt": {Width: 40},
		"diff-folded.txt": {Rows: 5},
		"diff-color.txt":  {Width: 100, Color: true, Rows: 6},
	} {
		var b bytes.Buffer
		if err := report.Diff(&b, r, cfg); err != nil {
			t.Fatal(err)
		}
		golden.Check(t, name, b.Bytes())
	}
	var b bytes.Buffer
	if err := report.DiffMarkdown(&b, r, report.Config{}); err != nil {
		t.Fatal(err)
	}
	golden.Check(t, "diff.md", b.Bytes())
}

// Texts from traces bring no control characters into text, and nothing but code into Markdown.
func TestDiffOfHostileNames(t *testing.T) {
	hostile := "x\x1b[31m\u202e`` | ![i](http://e.vil) <script> @all\n# head"
	span := func(trace int, value string) tracewhy.SpanData {
		return tracewhy.SpanData{
			TraceID: tracetext.TraceID(trace), SpanID: tracetext.SpanID(1), Name: hostile, Start: tracetext.Epoch, End: tracetext.Epoch + 1000,
			Attributes: []tracewhy.KeyValue{tracewhy.String(hostile, hostile+value)},
			Resource:   &tracewhy.Resource{Attributes: []tracewhy.KeyValue{tracewhy.String("service.name", hostile), tracewhy.String(hostile, value)}},
		}
	}
	var pair []tracewhy.Trace
	for x := range tracewhy.SetOf(span(1, "a"), span(2, "b")).Traces() {
		pair = append(pair, x)
	}
	r := compare.Traces(pair[0], pair[1], compare.TracesConfig{})
	var text, markdown, data bytes.Buffer
	for _, err := range []error{report.Diff(&text, r, report.Config{Width: 400}), report.DiffMarkdown(&markdown, r, report.Config{}), report.DiffJSON(&data, r)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, out := range []string{text.String(), markdown.String(), data.String()} {
		if strings.ContainsAny(out, "\x1b\u202e") || strings.Contains(out, "\n#") || !strings.Contains(out, "script") {
			t.Errorf("control characters in, or a name left out of:\n%s", out)
		}
	}
	for line := range strings.Lines(markdown.String()) {
		if strings.Contains(line, "script") {
			outside := withoutCode(t, line)
			if strings.ContainsAny(outside, "`<[!@") {
				t.Errorf("outside of code: %s", outside)
			}
			if strings.HasPrefix(line, "|") && strings.Count(line, "|") != 7 {
				t.Errorf("a row of %d bars: %s", strings.Count(line, "|"), line)
			}
		}
	}
	var back compare.TracesResult
	if err := json.Unmarshal(data.Bytes(), &back); err != nil || len(back.Rows) != 1 || !strings.Contains(back.Rows[0].Operation, "\x1b") {
		t.Errorf("JSON: %v, %+v", err, back.Rows)
	}
}

// withoutCode removes code spans as CommonMark finds them: up to the next run of as many backticks.
func withoutCode(t *testing.T, line string) string {
	var out strings.Builder
	for line != "" {
		before, rest, found := strings.Cut(line, "`")
		out.WriteString(before)
		if !found {
			break
		}
		body := strings.TrimLeft(rest, "`")
		fence := 1 + len(rest) - len(body)
		for end := false; !end; {
			at := strings.IndexByte(body, '`')
			if at < 0 {
				t.Fatalf("a code span without end: %q", line)
			}
			after := strings.TrimLeft(body[at:], "`")
			end = len(body)-at-len(after) == fence
			body = after
		}
		line = body
	}
	return out.String()
}
