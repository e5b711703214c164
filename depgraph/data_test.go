package depgraph_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/depgraph"
	"github.com/tracewhy/tracewhy/ingest"
)

// Recorded incidents of programs that call nobody outside: whatever happened, it was no vendor's fault.
func TestRecordedIncidents(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long: run without -short")
	}
	data := os.Getenv("TRACEWHY_DATA")
	if data == "" {
		t.Skip("set TRACEWHY_DATA to the folder of recorded traces")
	}
	cases, err := filepath.Glob(filepath.Join(data, "cases", "*", "*", "label.json"))
	if err != nil || len(cases) == 0 {
		t.Fatalf("no cases in %s: %v", data, err)
	}
	if testing.Short() {
		cases = cases[:3]
	}
	for _, label := range cases {
		dir := filepath.Dir(label)
		var b tracewhy.Builder
		for _, window := range [...][2]string{{"baseline*", "baseline"}, {"normal*", "baseline"}, {"incident*", "incident"}} {
			files, err := filepath.Glob(filepath.Join(dir, window[0]))
			if err != nil {
				t.Fatal(err)
			}
			if err := ingest.Files(context.Background(), &b, window[1], ingest.Config{}, files...); err != nil {
				t.Fatal(err)
			}
		}
		set, err := b.Build(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		r := judge(t, set, depgraph.Config{})
		t.Logf("%s: %s %s, %s", filepath.Base(dir), r.Domain, r.Name, r.Reason)
		if r.Domain == depgraph.DomainExternal || r.Domain == depgraph.DomainBoundary || r.Vendor != "" {
			t.Errorf("%s: %s %s: %s", filepath.Base(dir), r.Domain, r.Vendor, r.Reason)
		}
	}
}
