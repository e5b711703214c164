package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestWritesCaseFolders(t *testing.T) {
	dir := t.TempDir()
	var stdout, stderr bytes.Buffer
	if code := run([]string{"-family", "quiet", "-seed", "7", "-n", "2", "-o", dir}, &stdout, &stderr); code != 0 {
		t.Fatalf("exit status %d: %s", code, stderr.String())
	}
	for _, name := range []string{"quiet-0007", "quiet-0008"} {
		for _, pattern := range []string{"baseline-1.otlp.jsonl.gz", "incident-1.otlp.jsonl.gz", "changes.json", "label.json"} {
			if _, err := os.Stat(filepath.Join(dir, name, pattern)); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestUsage(t *testing.T) {
	tests := []struct {
		args []string
		code int
		says string
	}{
		{[]string{"-list"}, 0, "pool-exhaustion"},
		{[]string{"-family", "none", "-o", "x"}, 2, `no family "none"`},
		{[]string{}, 2, "usage"},
		{[]string{"-seed", "x"}, 2, "invalid value"},
	}
	for _, test := range tests {
		var out bytes.Buffer
		if code := run(test.args, &out, &out); code != test.code || !strings.Contains(out.String(), test.says) {
			t.Errorf("%q: exit status %d with %q, want %d with %q", test.args, code, out.String(), test.code, test.says)
		}
	}
}
