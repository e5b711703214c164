package main

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// The report on the demo is the same, to the byte, on every machine: run this with GOARCH=386 as well, or
// with GOARCH=arm64 under an emulator.
func TestDemoReportIsTheSameEverywhere(t *testing.T) {
	for name, args := range map[string][]string{
		"demo.json": {"analyze", "--format", "json", demoFolder},
		"demo.txt":  {"demo"},
	} {
		got := execute(t, "", args...)
		if got.status != statusOK {
			t.Fatalf("%v: status %d: %s", args, got.status, got.stderr)
		}
		golden(t, name, got.stdout)
	}
}

// golden compares what was written with a file, or makes it that file.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("it differs from %s (-want +got):\n%s", file, d)
	}
}

// goldens runs a command with each of some arguments, none of which goes wrong, and compares what it writes
// with the file of that name.
func goldens(t *testing.T, command string, cases map[string][]string) {
	t.Helper()
	for name, args := range cases {
		got := execute(t, "", append([]string{command}, args...)...)
		if got.status != statusOK || got.stderr != "" {
			t.Fatalf("%s %v: status %d: %s", command, args, got.status, got.stderr)
		}
		golden(t, name, got.stdout)
	}
}

// rejects runs a command with arguments that it has to reject.
func rejects(t *testing.T, command string, cases []rejected) {
	t.Helper()
	for _, c := range cases {
		got := execute(t, "", append([]string{command}, c.args...)...)
		if got.status != c.status || !strings.Contains(got.stderr, c.says) {
			t.Errorf("%s %v: status %d: %s", command, c.args, got.status, got.stderr)
		}
	}
}

// rejected is arguments, and what is said of them.
type rejected struct {
	args   []string
	status int
	says   string
}
