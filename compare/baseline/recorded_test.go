package baseline_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/compare/baseline"
	"github.com/tracewhy/tracewhy/ingest"
	"github.com/tracewhy/tracewhy/internal/stats"
)

// Every other trace of a recording is like the rest. The incidents that were made in the same systems are mostly seen.
func TestRecordedTraces(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long: run without -short")
	}
	data := os.Getenv("TRACEWHY_DATA")
	if data == "" {
		t.Skip("TRACEWHY_DATA does not name the folder of recorded traces")
	}
	files, err := filepath.Glob(filepath.Join(data, "cases", "*", "*", "incident.otlp.jsonl.gz"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no recorded cases in %s: %v", data, err)
	}
	alarms, seen, n := 0, map[baseline.Verdict]int{}, 0
	for i, incident := range files {
		if i%(1 + len(files) / *worlds) != 0 {
			continue
		}
		var b tracewhy.Builder
		read := func(source string, patterns ...string) {
			var paths []string
			for _, pattern := range patterns {
				found, err := filepath.Glob(filepath.Join(filepath.Dir(incident), pattern))
				if err != nil {
					t.Fatal(err)
				}
				paths = append(paths, found...)
			}
			if err := ingest.Files(t.Context(), &b, source, ingest.Config{}, paths...); err != nil {
				t.Fatal(err)
			}
		}
		read("before", "baseline*.gz", "normal*.gz")
		read("after", "incident*.gz")
		set, err := b.Build(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		normal := set.Source("before")
		k := 0
		half := normal.Select(func(tracewhy.Trace) bool { k++; return k%2 == 0 })
		n++
		if c := compare(t, take(t, half, baseline.Config{}), take(t, normal.Minus(half), baseline.Config{}), baseline.Config{}); c.Verdict == baseline.Drifted {
			alarms++
			t.Logf("%s: %s: %s", filepath.Dir(incident), c.Reason, c.Changes[0].String())
		}
		c, err := baseline.Drift(t.Context(), take(t, normal, baseline.Config{}), set.Source("after"), baseline.Config{})
		if err != nil {
			t.Fatal(err)
		}
		seen[c.Verdict]++
	}
	e := stats.ClopperPearson(float64(alarms), float64(n), 0.95)
	t.Logf("every other trace: %d of %d drifted (%.3f to %.3f); incidents: %v", alarms, n, e.Lo, e.Hi, seen)
	if e.Lo > 0.05 {
		t.Errorf("%d false alarms in %d", alarms, n)
	}
	if 2*seen[baseline.Drifted] < n {
		t.Errorf("of %d incidents: %v", n, seen)
	}
}
