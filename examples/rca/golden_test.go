package main

import (
	"flag"
	"os"
	"path/filepath"
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
		file := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(file, []byte(got.stdout), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(string(want), got.stdout); d != "" {
			t.Errorf("%v differs from %s (-want +got):\n%s", args, file, d)
		}
	}
}
