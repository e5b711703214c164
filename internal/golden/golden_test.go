package golden

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// recorder is a test that takes down what is reported.
type recorder struct {
	testing.TB
	failure string
}

func (*recorder) Helper() {}

func (r *recorder) Errorf(format string, args ...any) { r.failure = fmt.Sprintf(format, args...) }

func (r *recorder) Fatal(args ...any) {
	r.failure = fmt.Sprint(args...)
	panic(r)
}

// check returns what Check reports.
func check(t *testing.T, name, got string) string {
	t.Helper()
	r := &recorder{TB: t}
	func() {
		defer func() {
			if x := recover(); x != nil && x != any(r) {
				panic(x)
			}
		}()
		Check(r, name, got)
	}()
	return r.failure
}

func TestCheck(t *testing.T) {
	t.Chdir(t.TempDir())
	const name = "below/x.txt"
	if got := check(t, name, "a\n"); !strings.Contains(got, "x.txt") {
		t.Errorf("of a file that there is not: %q", got)
	}
	*update = true
	defer func() { *update = false }()
	if got := check(t, name, "a\n"); got != "" {
		t.Errorf("when it is written: %q", got)
	}
	if data, err := os.ReadFile(filepath.Join("testdata", "below", "x.txt")); err != nil || string(data) != "a\n" {
		t.Errorf("%q was written: %v", data, err)
	}
	*update = false
	if got := check(t, name, "a\n"); got != "" {
		t.Errorf("of what it is: %q", got)
	}
	if got := check(t, name, "b\n"); !strings.Contains(got, "x.txt") || !strings.Contains(got, "-update") {
		t.Errorf("of something else: %q", got)
	}
}
