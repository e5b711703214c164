package main

import (
	"bytes"
	"strings"
	"testing"
)

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
