package main

import (
	"flag"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the blocks of the README")

// The README shows this program, and what it prints.
func TestReadme(t *testing.T) {
	source, err := os.ReadFile("main.go")
	if err != nil {
		t.Fatal(err)
	}
	_, program, found := strings.Cut(string(source), "package main\n")
	if !found {
		t.Fatal("no package clause in main.go")
	}
	t.Chdir("../..")
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	want := replaceBlock(t, string(readme), "```go\n", "package main\n"+program)
	want = replaceBlock(t, want, "It prints\n\n```\n", output(t))
	if want == string(readme) {
		return
	}
	if !*update {
		t.Fatalf("the README does not show the program and its output (rewrite with -update): -README +should be\n%s", cmp.Diff(string(readme), want))
	}
	if err := os.WriteFile("README.md", []byte(want), 0o666); err != nil {
		t.Fatal(err)
	}
}

// replaceBlock returns text with the content of the code block that begins with fence replaced.
func replaceBlock(t *testing.T, text, fence, content string) string {
	t.Helper()
	before, rest, ok := strings.Cut(text, fence)
	_, after, closed := strings.Cut(rest, "```\n")
	if !ok || !closed {
		t.Fatalf("the README has no block that begins with %q", fence)
	}
	return before + fence + content + "```\n" + after
}

// output returns what main prints.
func output(t *testing.T) string {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout := os.Stdout
	os.Stdout = w
	printed := make(chan string)
	go func() {
		b, _ := io.ReadAll(r)
		printed <- string(b)
	}()
	main()
	os.Stdout = stdout
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return <-printed
}
