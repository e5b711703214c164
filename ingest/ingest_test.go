package ingest_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/ingest"
)

// dataDir returns the folder of recorded trace data, which is not part of the module.
func dataDir(t *testing.T) string {
	dir := os.Getenv("TRACEWHY_DATA")
	if dir == "" {
		t.Skip("set TRACEWHY_DATA to the folder with cases/ and reference/ to run this test")
	}
	return dir
}

// Every recorded case reads without loss.
func TestCases(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long: run without -short")
	}
	paths, err := filepath.Glob(filepath.Join(dataDir(t), "cases", "*", "*", "*.otlp.jsonl.gz"))
	if err != nil {
		t.Fatal(err)
	}
	if len(paths) == 0 {
		t.Fatal("no cases found")
	}
	for _, path := range paths {
		var b tracewhy.Builder
		if err := ingest.Files(context.Background(), &b, "incident", ingest.Config{}, path); err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		s, err := b.Build(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if a := s.Accounting(); a.Kept == 0 || a.Kept != a.In || s.Source("incident").Len() != s.NumTraces() {
			t.Errorf("%s: %+v", path, a)
		}
	}
}
