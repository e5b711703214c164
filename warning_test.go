package tracewhy

import (
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"strconv"
	"testing"
)

// constants returns the values of a file's string constants by name, one map for each const block.
func constants(t *testing.T, file string) (blocks []map[string]string) {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range f.Decls {
		decl, ok := d.(*ast.GenDecl)
		if !ok || decl.Tok != token.CONST {
			continue
		}
		block := map[string]string{}
		for _, s := range decl.Specs {
			spec := s.(*ast.ValueSpec)
			if lit, ok := spec.Values[0].(*ast.BasicLit); ok && lit.Kind == token.STRING {
				block[spec.Names[0].Name], _ = strconv.Unquote(lit.Value)
			}
		}
		blocks = append(blocks, block)
	}
	return blocks
}

func TestEveryCodeHasItsText(t *testing.T) {
	snake := regexp.MustCompile(`^[a-z0-9]+(_[a-z0-9]+)*$`)
	byCode := map[string]string{}
	for _, consts := range append(constants(t, "warning.go"), constants(t, "transaction.go")...) {
		for name, code := range consts {
			if problemText[code] == "" || !snake.MatchString(code) {
				t.Errorf("%s = %q has the text %q", name, code, problemText[code])
			}
			if byCode[code] != "" {
				t.Errorf("%s and %s are the same code", name, byCode[code])
			}
			byCode[code] = name
		}
	}
	if len(problemText) != len(byCode) {
		t.Errorf("%d texts for %d codes", len(problemText), len(byCode))
	}
}

// The random spans of these tests make every mistake that a Builder knows of, but for those that take
// an option or great depth.
func TestRandomSpansHaveEveryProblem(t *testing.T) {
	seen := map[string]int{}
	for seed := range uint64(400) {
		g := randomGen(seed)
		for code, n := range counts(SetOf(g.spans(1 + g.choose(40))...)) {
			seen[code] += n
		}
	}
	elsewhere := map[string]bool{ProblemAttributeDropped: true, ProblemValueTruncated: true, ProblemValueDepth: true, ProblemPathDepth: true, ProblemMegaTrace: true}
	ofSpans := constants(t, "warning.go")[0] // the other block is for readers
	for name, code := range ofSpans {
		if seen[code] == 0 && !elsewhere[code] {
			t.Errorf("%s never happened", name)
		}
	}
	if ofSpans["ProblemOrphan"] == "" || ofSpans["ProblemSyntax"] != "" {
		t.Errorf("the first block of codes is %v", ofSpans)
	}
}
