package main

import (
	"strings"
	"testing"

	"github.com/tracewhy/tracewhy/internal/golden"
)

// The folder of the demo has traces of both sides; this one failed.
func failingDemoTrace(t *testing.T) string {
	t.Helper()
	got := execute(t, "", "modes", "-format", "json", demoFolder)
	_, rest, _ := strings.Cut(got.stdout, `"medoid": "`)
	id, _, ok := strings.Cut(rest, `"`)
	if !ok {
		t.Fatalf("no medoid in %s", got.stdout)
	}
	return id
}

func TestDiff(t *testing.T) {
	id := failingDemoTrace(t)
	for name, args := range map[string][]string{
		"diff.txt":      {"diff", demoFolder, id},
		"diff.md":       {"diff", "-format", "markdown", "-rows", "8", demoFolder, id},
		"diff.json":     {"diff", "-format", "json", demoFolder, id},
		"diff.same.txt": {"diff", demoFolder, id, id},
	} {
		got := execute(t, "", args...)
		if got.status != statusOK {
			t.Fatalf("%v: status %d: %s", args, got.status, got.stderr)
		}
		golden.Check(t, name, got.stdout)
	}
}

func TestDiffOfNothing(t *testing.T) {
	file := write(t, t.TempDir(), "one.jsonl", span(traceA, "shop", "order", "1700000000000000000", "1700000001000000000"))
	for _, tt := range []struct {
		args   []string
		status int
		says   string
	}{
		{[]string{"diff", file}, statusUsage, "name a file"},
		{[]string{"diff", file, "aa", "bb", "cc"}, statusUsage, "name a file"},
		{[]string{"diff", "-format", "xml", file, traceA}, statusUsage, "-format is"},
		{[]string{"diff", file, traceB}, statusInput, "no trace"},
		{[]string{"diff", file, traceB, traceA}, statusInput, "no trace"},
		{[]string{"diff", file, traceA}, statusInput, "no healthy trace"},
		{[]string{"diff", "-baseline", file, file, traceA}, statusUsage, "named twice"},
	} {
		got := execute(t, "", tt.args...)
		if got.status != tt.status || !strings.Contains(got.stderr, tt.says) {
			t.Errorf("%v: status %d: %s", tt.args, got.status, got.stderr)
		}
	}
}
