package tracewhy_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/tracewhy/tracewhy"

// A layer says what the packages of one part of the module may import, besides the standard library
// and packages of the part itself.
type layer struct {
	dir      string   // the part: this directory, and those below it
	alone    bool     // only this directory
	imports  []string // parts of the module, as directories; "." is the root package
	internal bool     // and any internal package
	others   bool     // and other modules
}

// layers are the arrows of docs/architecture.md, the most specific part first.
var layers = []layer{
	{dir: ".", alone: true, internal: true},
	{dir: "internal/golden", others: true}, // which only tests import
	{dir: "internal", imports: []string{"."}},
	{dir: "sample", imports: []string{"."}, internal: true},
	{dir: "ingest", imports: []string{".", "sample"}, internal: true, others: true},
	{dir: "export", imports: []string{"."}, internal: true, others: true},
	{dir: "compare", imports: []string{"."}, internal: true},
	{dir: "cluster", imports: []string{"."}, internal: true},
	{dir: "depgraph", imports: []string{"."}, internal: true},
	{dir: "timeline", imports: []string{"."}, internal: true},
	{dir: "impact", imports: []string{"."}, internal: true},
	{dir: "rca", alone: true, imports: []string{".", "compare", "cluster", "depgraph", "timeline", "impact"}, internal: true},
	{dir: "rca", imports: []string{".", "compare", "cluster", "depgraph", "timeline", "impact", "ingest"}, internal: true},
	{dir: "examples", imports: []string{".", "compare", "cluster", "depgraph", "timeline", "impact", "sample", "ingest", "export", "rca"}, internal: true, others: true},
}

// covers reports whether the package in directory pkg is of the layer.
func (l layer) covers(pkg string) bool { return pkg == l.dir || !l.alone && isBelow(pkg, l.dir) }

func isBelow(pkg, dir string) bool { return strings.HasPrefix(pkg, dir+"/") }

// violation says why a package may not import another, or "".
func violation(pkg, imported string) string {
	at := slices.IndexFunc(layers, func(l layer) bool { return l.covers(pkg) })
	if at < 0 {
		return "a package of no known part of the module: give it a place in layers"
	}
	l := layers[at]
	to, inModule := strings.CutPrefix(imported, module)
	first, _, _ := strings.Cut(imported, "/")
	switch {
	case !inModule && !strings.Contains(first, "."):
		return "" // the standard library
	case !inModule && l.others:
		return ""
	case !inModule:
		return "no other module may be imported here"
	}
	to = strings.TrimPrefix(to, "/")
	if to == "" {
		to = "."
	}
	if to != pkg && l.covers(to) || l.internal && isBelow(to, "internal") {
		return ""
	}
	for _, dir := range l.imports {
		if to == dir || dir != "." && isBelow(to, dir) {
			return ""
		}
	}
	return "the arrows of docs/architecture.md do not allow it"
}

// imports calls found for every import of every package of the module outside tests.
func imports(t *testing.T, found func(pkg, file, imported string)) {
	t.Helper()
	err := filepath.WalkDir(".", func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() {
			if file != "." {
				_, err := os.Stat(filepath.Join(file, "go.mod"))
				if isOwnModule := err == nil; isOwnModule || name == "testdata" || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") {
					return filepath.SkipDir
				}
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, spec := range f.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			found(path.Dir(filepath.ToSlash(file)), file, imported)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestLayers(t *testing.T) {
	seen := 0
	vague := []string{"util", "utils", "common", "helper", "helpers", "types", "misc", "base", "shared", "lib"}
	imports(t, func(pkg, file, imported string) {
		seen++
		if why := violation(pkg, imported); why != "" {
			t.Errorf("%s imports %s: %s", file, imported, why)
		}
		if slices.Contains(vague, path.Base(pkg)) {
			t.Errorf("%s: the name of a package says what it is about, and %q does not", file, path.Base(pkg))
		}
	})
	if seen < 10 {
		t.Errorf("only %d imports were looked at", seen)
	}
}

// The rules themselves.
func TestViolations(t *testing.T) {
	tests := []struct {
		pkg, imports string
		allowed      bool
	}{
		{".", "strings", true},
		{".", module + "/internal/bitset", true},
		{".", module + "/ingest", false},
		{".", "golang.org/x/exp/slices", false},
		{"internal/scenario", module, true},
		{"internal/stats", module + "/internal/stats/special", true},
		{"internal/stats", module + "/compare", false},
		{"ingest/otlp", module + "/ingest/input", true},
		{"ingest/otlp", "github.com/klauspost/compress/zstd", true},
		{"ingest", module + "/compare", false},
		{"ingest/otelsdk", module + "/sample", true},
		{"sample", module + "/ingest", false},
		{"export/pprof", module, true},
		{"export/pprof", "github.com/google/pprof/profile", true},
		{"export/pprof", module + "/ingest", false},
		{"export/perfetto", module + "/compare", false},
		{"compare", module, true},
		{"compare", module + "/internal/stats", true},
		{"compare", module + "/cluster", false},
		{"compare", module + "/ingest", false},
		{"compare", "gonum.org/v1/gonum/stat", false},
		{"compare/expect", module + "/compare", true},
		{"compare/expect", module + "/timeline", false},
		{"rca", module + "/compare", true},
		{"rca", module + "/rca/report", false},
		{"rca", module + "/ingest", false},
		{"rca/evaluate", module + "/rca", true},
		{"rca/evaluate", module + "/ingest", true},
		{"rca/report", module + "/timeline", true},
		{"rca/report", module + "/examples/rca", false},
		{"examples/rca", module + "/rca/report", true},
		{"examples/rca", module + "/export/pprof", true},
		{"helpers", "strings", false},
	}
	for _, tt := range tests {
		if why := violation(tt.pkg, tt.imports); (why == "") != tt.allowed {
			t.Errorf("%s may import %s: %v, because %q", tt.pkg, tt.imports, why == "", why)
		}
	}
}
