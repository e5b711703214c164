package main

import (
	"bytes"
	"compress/gzip"
	"io"
	"strings"
	"testing"

	"github.com/tracewhy/tracewhy/internal/scenario"
)

func TestFiles(t *testing.T) {
	f, _ := scenario.Lookup("bad-instance")
	c := scenario.Generate(f, 7)
	files, err := filesOf(c)
	if err != nil {
		t.Fatal(err)
	}
	again, err := filesOf(c)
	if err != nil {
		t.Fatal(err)
	}
	lines := map[string]int{}
	for i, f := range files {
		if f.name != again[i].name || !bytes.Equal(f.data, again[i].data) {
			t.Errorf("%s: two encodings differ", f.name)
		}
		window, isTraces := strings.CutSuffix(f.name, ".otlp.jsonl.gz")
		if !isTraces {
			lines[f.name]++
			continue
		}
		r, err := gzip.NewReader(bytes.NewReader(f.data))
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		window, _, _ = strings.Cut(window, "-")
		lines[window] += bytes.Count(text, []byte(`"spanId"`))
	}
	for name, want := range map[string]int{
		"baseline": len(c.Baseline), "incident": len(c.Incident), "changes.json": 1, "label.json": 1,
	} {
		if lines[name] != want {
			t.Errorf("%s: %d spans or files, want %d", name, lines[name], want)
		}
	}
}
