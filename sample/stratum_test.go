package sample

import (
	"strings"
	"testing"
	"time"
)

func TestDurationBuckets(t *testing.T) {
	last := uint8(0)
	for d := time.Duration(0); d < 1<<62; d += 1 + d/50 {
		b := bucketOf(d)
		if b < last || b > last+1 {
			t.Fatalf("bucket %d of %d follows %d", b, d, last)
		}
		last = b
		from := stratumKey{bucket: b}.minDuration()
		if from > d || from > 0 && float64(d) >= 1.5*float64(from) || bucketOf(from) != b || from > 0 && bucketOf(from-1) != b-1 {
			t.Fatalf("%d is in bucket %d, which begins at %d", d, b, from)
		}
	}
	if b := bucketOf(1<<63 - 1); b > maxBucket {
		t.Errorf("bucket %d, %d is the last", b, maxBucket)
	}
	if bucketOf(-1) != 0 || (stratumKey{}).minDuration() != -1 {
		t.Error("an unknown duration has no bucket of its own")
	}
}

func TestFold(t *testing.T) {
	for name, want := range map[string]string{
		"":                                     "",
		"GET /users/{id}":                      "GET /users/{id}",
		"GET /users/17":                        "GET /users/#",
		"GET /users/a1/x":                      "GET /users/#/x",
		"worker-7":                             "worker-#",
		"größe 5":                              "größe #",
		"SELECT * WHERE a=1":                   "SELECT * WHERE a=#",
		"550e8400-e29b-41d4-a716-446655440000": "#-#-#-#-#",
	} {
		if got := fold(name); got != want {
			t.Errorf("%q is folded to %q, want %q", name, got, want)
		}
	}
	if got := fold(strings.Repeat("ü", 500)); len(got) > maxNameLen || strings.Trim(got, "ü") != "" {
		t.Errorf("a long name becomes %q", got)
	}
}
