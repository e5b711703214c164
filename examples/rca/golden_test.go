package main

import (
	"strings"
	"testing"

	"github.com/tracewhy/tracewhy/internal/golden"
)

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
		golden.Check(t, name, got.stdout)
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
		golden.Check(t, name, got.stdout)
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
