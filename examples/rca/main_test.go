package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tracewhy/tracewhy"
)

// result is what a run left behind.
type result struct {
	status         int
	stdout, stderr string
}

func execute(t *testing.T, stdin string, args ...string) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	status := run(t.Context(), args, &environment{stdin: strings.NewReader(stdin), stdout: &stdout, stderr: &stderr})
	return result{status, stdout.String(), stderr.String()}
}

// span is one span as OTLP JSON, in a document of its own.
func span(trace, service, name string, start, end string) string {
	return `{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"` + service + `"}}]},` +
		`"scopeSpans":[{"spans":[{"traceId":"` + trace + `","spanId":"00000000000000a1","name":"` + name + `","kind":2,` +
		`"startTimeUnixNano":"` + start + `","endTimeUnixNano":"` + end + `"}]}]}]}` + "\n"
}

const (
	traceA = "0000000000000000000000000000aaaa"
	traceB = "0000000000000000000000000000bbbb"
)

// write makes a file in dir and returns its path.
func write(t *testing.T, dir, name, content string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// smallCase makes a case folder with one trace on each side.
func smallCase(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, "baseline.otlp.jsonl", span(traceA, "shop", "GET /cart", "1700000000000000000", "1700000000010000000"))
	write(t, dir, "incident.otlp.jsonl", span(traceB, "shop", "GET /cart", "1700000100000000000", "1700000100090000000"))
	return dir
}

func TestStatus(t *testing.T) {
	dir := smallCase(t)
	baseline, incident := filepath.Join(dir, "baseline.otlp.jsonl"), filepath.Join(dir, "incident.otlp.jsonl")
	broken := write(t, t.TempDir(), "broken.json", "this is no trace")
	blank := write(t, t.TempDir(), "blank.json", `{"resourceSpans":[]}`)
	empty := t.TempDir()
	for _, tc := range []struct {
		why    string
		args   []string
		status int
		says   string // on standard error
	}{
		{"nothing to do", nil, statusUsage, "rca analyze"},
		{"help", []string{"help"}, statusOK, ""},
		{"help of a command", []string{"analyze", "-h"}, statusOK, ""},
		{"no such command", []string{"explain"}, statusUsage, `there is no command "explain"`},
		{"no such flag", []string{"analyze", "-verbose", incident}, statusUsage, "-verbose"},
		{"no incident", []string{"analyze", "-baseline", baseline}, statusUsage, "name the traces of the incident"},
		{"no such format", []string{"analyze", "-format", "xml", dir}, statusUsage, `not "xml"`},
		{"no such colour", []string{"analyze", "-color", "red", dir}, statusUsage, `not "red"`},
		{"one file twice", []string{"analyze", "-baseline", incident, incident}, statusUsage, "named twice"},
		{"no such file", []string{"analyze", "-baseline", baseline, "missing.json"}, statusInput, "missing.json"},
		{"no match", []string{"analyze", "-baseline", baseline, filepath.Join(dir, "x*.json")}, statusInput, "no file matches"},
		{"a folder without a case", []string{"analyze", empty}, statusInput, "no file incident*"},
		{"a folder without a baseline", []string{"analyze", "-baseline", empty, incident}, statusInput, "no file baseline*"},
		{"no traces", []string{"analyze", "-baseline", baseline, broken}, statusInput, "broken.json"},
		{"no baseline in its file", []string{"analyze", "-baseline", blank, incident}, statusInput, "no trace of better times in " + blank},
		{"no incident in its file", []string{"analyze", "-baseline", baseline, blank}, statusInput, "no trace of the incident in " + blank},
		{"no incident in its file, nor elsewhere", []string{"analyze", blank}, statusInput, "there is no trace in " + blank},
		{"a hostile name", []string{"analyze", "-baseline", baseline, "\x1b[2Jx"}, statusInput, `\x1b[2Jx`},
		{"no such changes", []string{"analyze", "-changes", "missing.json", dir}, statusInput, "missing.json"},
		{"a folder", []string{"analyze", dir}, statusOK, ""},
		{"files", []string{"analyze", "-baseline", baseline, incident}, statusOK, ""},
		{"no baseline", []string{"analyze", incident}, statusOK, ""},
		{"flags after arguments", []string{"analyze", incident, "--baseline=" + baseline, "--format", "json"}, statusOK, ""},
		{"arguments after --", []string{"analyze", "-baseline", baseline, "--", incident}, statusOK, ""},
		{"a pattern", []string{"analyze", "-baseline", filepath.Join(dir, "base*"), filepath.Join(dir, "inc*")}, statusOK, ""},
		{"waterfall without an id", []string{"waterfall", incident}, statusUsage, "ids of the traces"},
		{"waterfall of a trace that is not there", []string{"waterfall", incident, traceA}, statusInput, "no trace"},
		{"waterfall of an ambiguous id", []string{"waterfall", dir, "0000"}, statusInput, "give more digits"},
		{"waterfall", []string{"waterfall", dir, traceA, traceB}, statusOK, ""},
		{"demo with arguments", []string{"demo", "x"}, statusUsage, "no arguments"},
		{"evaluate without folders", []string{"evaluate"}, statusUsage, "name folders"},
		{"evaluate without cases", []string{"evaluate", empty}, statusInput, "no case"},
		{"evaluate what is not there", []string{"evaluate", "missing"}, statusInput, "missing"},
	} {
		t.Run(tc.why, func(t *testing.T) {
			got := execute(t, "", tc.args...)
			if got.status != tc.status || !strings.Contains(got.stderr, tc.says) || tc.status == statusOK && got.stderr != "" {
				t.Errorf("status %d, want %d; standard error %q, want %q in it", got.status, tc.status, got.stderr, tc.says)
			}
			if (got.stdout != "") != (tc.status == statusOK) {
				t.Errorf("standard output: %q", got.stdout)
			}
		})
	}
}

func TestStandardInput(t *testing.T) {
	dir := smallCase(t)
	incident, err := os.ReadFile(filepath.Join(dir, "incident.otlp.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	got := execute(t, string(incident), "analyze", "-format", "json", "-baseline", filepath.Join(dir, "baseline.otlp.jsonl"), "-")
	want := execute(t, "", "analyze", "-format", "json", dir)
	if got.status != statusOK || got != want {
		t.Errorf("from standard input:\n%+v\nfrom files:\n%+v", got, want)
	}
	if got := execute(t, "", "analyze", "-baseline", "-", "-"); got.status != statusUsage {
		t.Errorf("standard input as both sides: status %d", got.status)
	}
}

func TestOutputFile(t *testing.T) {
	dir := smallCase(t)
	path := filepath.Join(t.TempDir(), "report.json")
	if got := execute(t, "", "analyze", dir, "-format", "json", "-o", path); got != (result{}) {
		t.Errorf("with -o: %+v", got)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if want := execute(t, "", "analyze", dir, "-format", "json"); want.stdout != string(data) {
		t.Errorf("the file has\n%s\nstandard output\n%s", data, want.stdout)
	}
	if got := execute(t, "", "analyze", dir, "-o", filepath.Join(dir, "missing", "report")); got.status != statusInput {
		t.Errorf("a file that cannot be written: %+v", got)
	}
}

// What is accepted and not used yet is said in the report.
func TestUnusedInputs(t *testing.T) {
	dir := smallCase(t)
	write(t, dir, "changes.json", "[]")
	outcomes := write(t, t.TempDir(), "o.csv", "time,metric,value\n")
	got := execute(t, "", "analyze", "-format", "json", "-outcomes", outcomes, dir)
	var r struct {
		Warnings []struct{ Code, Message string }
	}
	if err := json.Unmarshal([]byte(got.stdout), &r); err != nil {
		t.Fatal(err)
	}
	codes := map[string]bool{}
	for _, w := range r.Warnings {
		codes[w.Code] = true
	}
	if !codes[warningOutcomesUnused] {
		t.Errorf("warnings %+v", r.Warnings)
	}
}

func TestChangesThatCannotBeRead(t *testing.T) {
	dir := smallCase(t)
	write(t, dir, "changes.json", `[{"time": "yesterday"}]`)
	got := execute(t, "", "analyze", dir)
	if got.status != statusInput || !strings.Contains(got.stderr, filepath.Join(dir, "changes.json")) || !strings.Contains(got.stderr, "element 0") {
		t.Errorf("status %d: %s", got.status, got.stderr)
	}
}

func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var stdout, stderr bytes.Buffer
	status := run(ctx, []string{"analyze", smallCase(t)}, &environment{stdout: &stdout, stderr: &stderr})
	if status != statusInterrupted || stdout.Len() > 0 || !strings.Contains(stderr.String(), "interrupted") {
		t.Errorf("status %d, %q, %q", status, stdout.String(), stderr.String())
	}
}

func TestProgressIsForTerminals(t *testing.T) {
	var stdout, stderr bytes.Buffer
	status := run(t.Context(), []string{"analyze", smallCase(t)}, &environment{stdout: &stdout, stderr: &stderr, progress: true, color: true})
	if status != statusOK || !strings.Contains(stderr.String(), "reading") || !strings.HasSuffix(stderr.String(), "\r\x1b[K") {
		t.Errorf("status %d, %q", status, stderr.String())
	}
	if !strings.Contains(stdout.String(), "\x1b[") {
		t.Error("no colours on a terminal")
	}
	if got := execute(t, "", "analyze", "-color", "always", smallCase(t)); !strings.Contains(got.stdout, "\x1b[") || got.stderr != "" {
		t.Errorf("-color always, and no terminal: %+v", got)
	}
}

func TestParse(t *testing.T) {
	for _, tc := range []struct{ args, want []string }{
		{[]string{"a", "-x", "1", "b", "-y", "c"}, []string{"a", "b", "c", "x=1", "y=true"}},
		{[]string{"-x=1", "--", "-y", "a"}, []string{"-y", "a", "x=1", "y=false"}},
		{[]string{"a", "--", "--", "b"}, []string{"a", "--", "b", "x=", "y=false"}},
		{[]string{"-x", "--", "a"}, []string{"a", "x=--", "y=false"}},
		{[]string{"-"}, []string{"-", "x=", "y=false"}},
		{nil, []string{"x=", "y=false"}},
	} {
		c := command{name: "test"}
		fs := c.flagSet()
		fs.String("x", "", "")
		fs.Bool("y", false, "")
		got, err := c.parse(&environment{}, fs, tc.args)
		if err != nil {
			t.Errorf("%q: %v", tc.args, err)
		}
		got = append(got, "x="+fs.Lookup("x").Value.String(), "y="+fs.Lookup("y").Value.String())
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%q: -want +got:\n%s", tc.args, diff)
		}
	}
}

// What is odd about a file is said, also where nothing is said of an incident.
func TestOddFileWithoutBaseline(t *testing.T) {
	incident, err := os.ReadFile(filepath.Join(smallCase(t), "incident.otlp.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	got := execute(t, "", "analyze", write(t, t.TempDir(), "cut.jsonl", string(incident)+string(incident[:len(incident)/2])))
	if got.status != statusOK || !strings.Contains(got.stdout, "odd: 1 "+tracewhy.ProblemTruncatedInput) {
		t.Errorf("%+v", got)
	}
}
