package main

import (
	"context"
	"strings"
	"testing"
	"time"
)

// The service notices its own incident and names the cause. On a busy machine all else is slower too, so
// that the words for the mechanism vary.
func TestRun(t *testing.T) {
	if testing.Short() {
		t.Skip("it runs for seconds")
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var out strings.Builder
	if err := run(ctx, &out, 3*time.Second); err != nil {
		t.Fatalf("%v; output:\n%s", err, out.String())
	}
	for _, want := range []string{"a feature goes live", "ALERT ", "INCIDENT  shop pool.acquire:", "dropped 0"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the output lacks %q:\n%s", want, out.String())
		}
	}
}
