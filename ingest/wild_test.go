package ingest_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/ingest"
	"github.com/tracewhy/tracewhy/ingest/input"
	"github.com/tracewhy/tracewhy/internal/golden"
)

// What becomes of each trace file that other programs have in their tests: how many spans are read of it, and
// what is odd about them, or why it is refused.
func TestWildFiles(t *testing.T) {
	dir := filepath.Join(dataDir(t), "formats", "wild")
	var got strings.Builder
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".json" {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		fmt.Fprintf(&got, "%s\n\t%s\n", filepath.ToSlash(name), wildOutcome(t, path, filepath.Base(name)))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	golden.Check(t, "wild.golden", got.String())
}

// wildOutcome reads a file and says in a line what came of it.
func wildOutcome(t *testing.T, path, name string) string {
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var b tracewhy.Builder
	readErr := ingest.Read(context.Background(), name, f, "", &b, ingest.Config{})
	s, err := b.Build(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	a := s.Accounting()
	if a.In != a.Kept+a.Merged+a.Quarantined {
		t.Errorf("%s: spans got lost: %+v", path, a)
	}
	var out []string
	var syntax *input.SyntaxError
	switch {
	case readErr == nil:
	case errors.As(readErr, &syntax) || errors.Is(readErr, input.ErrNotTraces):
		out = append(out, "refused: "+readErr.Error())
	default:
		t.Errorf("%s: %v", path, readErr)
	}
	if a.In > 0 {
		out = append(out, fmt.Sprintf("%d traces, %d spans", s.NumTraces(), a.Kept))
	}
	if a.Merged > 0 {
		out = append(out, fmt.Sprintf("%d merged", a.Merged))
	}
	if a.Quarantined > 0 {
		out = append(out, fmt.Sprintf("%d quarantined", a.Quarantined))
	}
	for _, p := range s.Problems() {
		out = append(out, fmt.Sprintf("%s=%d", p.Code, p.Count))
	}
	return strings.Join(out, ", ")
}
