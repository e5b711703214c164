package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"github.com/tracewhy/tracewhy/internal/scenario"
	"github.com/tracewhy/tracewhy/rca/evaluate"
)

// TestFolderIsTheCase: what is read back from a folder is the case: its spans with their problems, and its label.
func TestFolderIsTheCase(t *testing.T) {
	const seed = 21 // of a small case
	f, _ := scenario.Lookup("pool-exhaustion")
	c := scenario.Generate(f, seed)
	dir := t.TempDir()
	var out bytes.Buffer
	if code := run([]string{"-family", f.Name, "-seed", "21", "-o", dir}, &out, &out); code != 0 || out.Len() > 0 {
		t.Fatalf("exit status %d: %s", code, out.String())
	}
	files, err := filesOf(c)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files { // the same case gives the same bytes
		if got, err := os.ReadFile(filepath.Join(dir, c.Name, f.name)); err != nil || !bytes.Equal(got, f.data) {
			t.Errorf("%s: %v, or two encodings differ", f.name, err)
		}
	}
	folders, err := evaluate.Find(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(folders) != 1 || len(folders[0].Baseline) < 2 || len(folders[0].Incident) < 2 || folders[0].Changes == "" {
		t.Fatalf("found %+v, want one case with several files for each window", folders)
	}
	read, err := folders[0].Load(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if got := read.Label; got.Case != c.Name || !got.Incident || len(got.Causes) != 1 || got.Onset != c.Label.OnsetNS ||
		!slices.Equal(got.Causes[0].Services, c.Label.Causes[0].Services) {
		t.Errorf("the label is %+v, want %+v", got, c.Label)
	}
	set, err := build(slices.Concat(c.Baseline, c.Incident))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := read.Set.Accounting(), set.Accounting(); got != want {
		t.Errorf("read %+v, want %+v", got, want)
	}
	if got, want := read.Set.Problems(), set.Problems(); !slices.Equal(got, want) {
		t.Errorf("read with problems %v, want %v", got, want)
	}
	for i := 0; i < set.NumSpans(); i += 97 {
		got, want := read.Set.Span(i).Data(), set.Span(i).Data()
		if !reflect.DeepEqual(got, want) {
			t.Errorf("read span %d as %+v, want %+v", i, got, want)
		}
	}
}

// TestDemoIsSmall: the demo can be embedded in a program, and read back.
func TestDemoIsSmall(t *testing.T) {
	c := scenario.Demo()
	files, err := demoFiles(c)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := writeTo(dir, files); err != nil {
		t.Fatal(err)
	}
	total := 0
	for _, f := range files {
		total += len(f.data)
	}
	if total > 900_000 {
		t.Errorf("the demo has %d bytes", total)
	}
	folders, err := evaluate.Find(dir)
	if err != nil {
		t.Fatal(err)
	}
	read, err := folders[0].Load(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	set, err := build(slices.Concat(c.Baseline, c.Incident))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := read.Set.NumSpans(), set.NumSpans(); got != want {
		t.Errorf("read %d spans, want %d", got, want)
	}
}

// TestWithheldFolder: the change that set off what went wrong is in no file of a case that withholds it.
func TestWithheldFolder(t *testing.T) {
	f, _ := scenario.Lookup("bad-version")
	c := scenario.Generate(f, 21)
	id := c.Label.Causes[0].ChangeID
	dir := t.TempDir()
	var out bytes.Buffer
	if code := run([]string{"-family", f.Name, "-seed", "21", "-withhold", "-o", dir}, &out, &out); code != 0 || out.Len() > 0 {
		t.Fatalf("exit status %d: %s", code, out.String())
	}
	for _, name := range []string{"changes.json", "label.json"} {
		b, err := os.ReadFile(filepath.Join(dir, c.Name+"-withheld", name))
		if err != nil {
			t.Fatal(err)
		}
		if id == "" || bytes.Contains(b, []byte(id)) {
			t.Errorf("%s names the change %q", name, id)
		}
	}
}
