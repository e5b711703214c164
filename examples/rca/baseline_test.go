package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// keep saves the baseline of a file of traces, and returns where.
func keep(t *testing.T, name string, inputs ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	got := execute(t, "", append([]string{"baseline", "save", "-o", path}, inputs...)...)
	if got.status != statusOK || got.stdout != "" || got.stderr != "" {
		t.Fatalf("save: %+v", got)
	}
	return path
}

func TestBaselineGolden(t *testing.T) {
	_, before, after := payments(t)
	was, is := keep(t, "before.json.gz", before), keep(t, "after.json.zst", after)
	demo := keep(t, "demo.json", demoFolder)
	goldens(t, "baseline", map[string][]string{
		"baseline.save.json":      {"save", before},
		"baseline.show.txt":       {"show", "-rows", "5", demo},
		"baseline.check.txt":      {"check", "-baseline", was, after},
		"baseline.quiet.txt":      {"check", "-baseline", was, before},
		"baseline.demo.txt":       {"check", "-baseline", demo, demoFolder},
		"baseline.diff.txt":       {"diff", "-rows", "2", is, was},
		"baseline.diff.json":      {"diff", "-format", "json", was, is},
		"baseline.merge.json":     {"merge", was, is},
		"baseline.help.txt":       {"-h"},
		"baseline.check.help.txt": {"check", "-h"},
	})
}

// Whatever way it is kept, a baseline is the same.
func TestBaselineFiles(t *testing.T) {
	_, before, after := payments(t)
	want := execute(t, "", "baseline", "save", before).stdout
	for _, name := range []string{"x.json", "x.json.gz", "x.json.zst"} {
		path := keep(t, name, before)
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if isPlain := string(data) == want; isPlain != (name == "x.json") {
			t.Errorf("%s: plain is %v", name, isPlain)
		}
		// From standard input as well, whether it is the baseline or the traces.
		for _, args := range [][]string{{"baseline", "diff", "-format", "json", "-", path}, {"baseline", "diff", "-format", "json", path, "-"}} {
			got := execute(t, string(data), args...)
			var c struct {
				Verdict string
				Changes []any
			}
			if err := json.Unmarshal([]byte(got.stdout), &c); err != nil || c.Verdict == "" || len(c.Changes) > 0 {
				t.Errorf("%s: %v: %+v", name, err, got)
			}
		}
	}
	traces, err := os.ReadFile(before)
	if err != nil {
		t.Fatal(err)
	}
	if got := execute(t, string(traces), "baseline", "save", "-"); got.stdout != want {
		t.Errorf("traces from standard input: %+v", got)
	}
	// Two days, one after the other, are the two together.
	a, b := keep(t, "a.json", before), keep(t, "b.json", after)
	merged, both := execute(t, "", "baseline", "merge", b, a).stdout, execute(t, "", "baseline", "save", before, after).stdout
	if merged == "" || merged != both {
		t.Errorf("merged %s\nboth %s", merged, both)
	}
}

func TestBaselineFailsOnDrift(t *testing.T) {
	_, before, after := payments(t)
	was := keep(t, "before.json", before)
	for input, status := range map[string]int{before: statusOK, after: statusIncident} {
		if got := execute(t, "", "baseline", "check", "-fail-on-drift", "-baseline", was, input); got.status != status || got.stdout == "" {
			t.Errorf("%s: %+v", input, got)
		}
	}
}

// A name from outside cannot write to the terminal.
func TestBaselineNamesAreCleaned(t *testing.T) {
	dir := t.TempDir()
	traces := write(t, dir, "traces.jsonl", span(traceA, `shop\u001b[31m`, `GET \u202e/`, "1700000000000000000", "1700000000010000000"))
	path := keep(t, "b.json", traces)
	for _, args := range [][]string{{"show", path}, {"check", "-baseline", path, traces}} {
		got := execute(t, "", append([]string{"baseline"}, args...)...)
		if got.status != statusOK || strings.ContainsAny(got.stdout, "\x1b\u202e") {
			t.Errorf("%v: %q", args, got.stdout)
		}
	}
}

func TestBaselineUsage(t *testing.T) {
	_, before, _ := payments(t)
	dir := t.TempDir()
	was := keep(t, "before.json", before)
	data, err := os.ReadFile(was)
	if err != nil {
		t.Fatal(err)
	}
	newer := write(t, dir, "newer.json", string(bytes.Replace(data, []byte("baseline/v1"), []byte("baseline/v2"), 1)))
	rejects(t, "baseline", []rejected{
		{nil, statusUsage, "say what to do"},
		{[]string{"keep"}, statusUsage, `"keep"`},
		{[]string{"save"}, statusUsage, "name the traces"},
		{[]string{"save", "-out", "x", before}, statusUsage, "rca baseline save"},
		{[]string{"save", "missing.jsonl"}, statusInput, "missing.jsonl"},
		{[]string{"save", write(t, dir, "empty.jsonl", "")}, statusInput, "empty.jsonl"},
		{[]string{"save", "-o", filepath.Join(dir, "no", "such"), before}, statusInput, "such"},
		{[]string{"save", was}, statusInput, "before.json"},
		{[]string{"check", before}, statusUsage, "-baseline"},
		{[]string{"check", "-baseline", was}, statusUsage, "name the traces"},
		{[]string{"check", "-baseline", before, before}, statusInput, "rca baseline save wrote"},
		{[]string{"check", "-baseline", newer, before}, statusInput, "v2"},
		{[]string{"check", "-baseline", was, "-alpha", "2", before}, statusUsage, "-alpha"},
		{[]string{"check", "-baseline", was, "-min-ratio", "1", before}, statusUsage, "-min-ratio"},
		{[]string{"check", "-baseline", was, "-min-failures", "0", before}, statusUsage, "-min-failures"},
		{[]string{"diff", was}, statusUsage, "two baselines"},
		{[]string{"diff", "-format", "xml", was, was}, statusUsage, "xml"},
		{[]string{"diff", "-rows", "-1", was, was}, statusUsage, "-1"},
		{[]string{"diff", was, "missing.json"}, statusInput, "missing.json"},
		{[]string{"diff", was, write(t, dir, "cut.json.gz", "\x1f\x8b\x08")}, statusInput, "cut.json.gz"},
		{[]string{"merge", was}, statusUsage, "at least two"},
		{[]string{"merge", was, was}, statusUsage, "named twice"},
		{[]string{"show"}, statusUsage, "one baseline"},
		{[]string{"show", "-rows", "-1", was}, statusUsage, "-1"},
	})
}
