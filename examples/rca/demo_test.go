package main

import (
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/ingest"
	"github.com/tracewhy/tracewhy/internal/scenario"
)

// The embedded files hold what the generator makes, and reading them loses nothing of it.
func TestDemoFiles(t *testing.T) {
	c := scenario.Demo()
	var fromFiles, generated tracewhy.Builder
	for source, spans := range map[string][]tracewhy.SpanData{sourceBaseline: c.Baseline, sourceIncident: c.Incident} {
		paths, err := filepath.Glob(filepath.Join(demoFolder, source+"*"))
		if err != nil {
			t.Fatal(err)
		}
		if err := ingest.Files(t.Context(), &fromFiles, source, ingest.Config{}, paths...); err != nil {
			t.Fatal(err)
		}
		for i := range spans {
			generated.Add(&spans[i])
		}
	}
	got, want := build(t, &fromFiles), build(t, &generated)
	if got.NumSpans() != want.NumSpans() {
		t.Fatalf("%d spans, the generator makes %d (go generate ./examples/rca)", got.NumSpans(), want.NumSpans())
	}
	for i := range got.NumSpans() {
		if g, w := got.Span(i).Data(), want.Span(i).Data(); !reflect.DeepEqual(g, w) {
			t.Fatalf("span %d is %+v, the generator makes %+v (go generate ./examples/rca)", i, g, w)
		}
	}
}

func build(t *testing.T, b *tracewhy.Builder) *tracewhy.Set {
	t.Helper()
	set, err := b.Build(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// The commands that the demo ends with work.
func TestDemoCommands(t *testing.T) {
	got := execute(t, "", "demo")
	if got.status != statusOK || got.stderr != "" {
		t.Fatalf("%+v", got)
	}
	t.Chdir("../..")
	_, next, found := strings.Cut(got.stdout, "Try next")
	if !found {
		t.Fatalf("no next commands in\n%s", got.stdout)
	}
	n := 0
	for line := range strings.Lines(next) {
		args, ok := strings.CutPrefix(strings.TrimSpace(line), "go run ./examples/rca ")
		if !ok {
			continue
		}
		n++
		if r := execute(t, "", strings.Fields(args)...); r.status != statusOK || r.stderr != "" || r.stdout == "" {
			t.Errorf("%s: %+v", args, r)
		}
	}
	if n != 2 {
		t.Errorf("%d commands in\n%s", n, next)
	}
}

// The demo shows what analyze says about the same files.
func TestDemoIsAnalyze(t *testing.T) {
	demo, analyze := execute(t, "", "demo"), execute(t, "", "analyze", demoFolder)
	if analyze.status != statusOK || analyze.stdout == "" || !strings.Contains(demo.stdout, analyze.stdout) {
		t.Errorf("analyze says\n%s\nthe demo\n%s", analyze.stdout, demo.stdout)
	}
}
