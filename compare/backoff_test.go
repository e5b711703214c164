package compare

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/tracewhy/tracewhy/internal/tracetext"
)

// What a caller waits for between two attempts is spent because the first failed, and what fails of a call to
// something without spans is not the caller's.
func TestFailedAttemptsAreTheCallees(t *testing.T) {
	var b strings.Builder
	for i := range 60 {
		fmt.Fprintf(&b, `trace source=baseline
app/apply 0+%d server
  app/POST 5+20 client server.address=bureau.example
  app/UPDATE %d+5 client server.address=db
`, 60+i, 30+i/2)
	}
	for i := range 60 {
		fmt.Fprintf(&b, `trace source=incident
app/apply 0+%d server
  app/POST 5+20 client server.address=bureau.example error
  app/POST 225+20 client server.address=bureau.example
  app/UPDATE %d+5 client server.address=db
`, 280+i, 250+i/2)
	}
	set := tracetext.Set(b.String())
	r, err := Operations(context.Background(), set.Source("baseline"), set.Source("incident"), OperationsConfig{})
	if err != nil {
		t.Fatal(err)
	}
	if e := timingOf(t, r, "app", "bureau.example").Excess; math.Abs(e.Value-200) > 5 { // of waits: a second call is no excess, given the calls
		t.Errorf("excess of calls to the bureau %v, want about 200 ms", e)
	}
	if e := timingOf(t, r, "app", "").Excess; math.Abs(e.Value) > 5 {
		t.Errorf("excess of the application's own work %v, want about none", e)
	}
	if len(r.Structures) == 0 || r.Structures[0].Service != "bureau.example" {
		t.Errorf("what changed is of %+v, want the bureau first", r.Structures)
	}
}

func TestBackoffs(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       string
	}{
		{"no failure", "a/x 0+100 server\n  a/c 10+10 client\n  a/c 50+10 client", ""},
		{"retry", "a/x 0+100 server\n  a/c 10+10 client error\n  a/c 50+10 client", "20-50"},
		{"twice", "a/x 0+100 server\n  a/c 10+10 client error\n  a/c 50+10 client error\n  a/c 80+5 client", "20-50 60-80"},
		{"another call", "a/x 0+100 server\n  a/c 10+10 client error\n  a/d 50+10 client", ""},
		{"busy with another", "a/x 0+100 server\n  a/c 10+10 client error\n  a/d 15+20 client\n  a/c 50+10 client", ""},
		{"another in between", "a/x 0+100 server\n  a/c 10+10 client error\n  a/d 30+10 client\n  a/c 50+10 client", ""},
		{"the failed one is repeated later", "a/x 0+100 server\n  a/c 10+10 client error\n  a/c 20+10 client\n  a/c 50+10 client", ""},
		{"side by side", "a/x 0+100 server\n  a/c 10+10 client error\n  a/c 12+30 client\n  a/c 50+10 client", ""},
	} {
		set := tracetext.Set(c.text)
		var got []string
		for x := range set.Traces() {
			for _, w := range backoffs(nil, x) {
				got = append(got, fmt.Sprintf("%d-%d", (w.from-tracetext.Epoch)/1e6, (w.to-tracetext.Epoch)/1e6))
			}
		}
		if got := strings.Join(got, " "); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestBackoffsOnTheCriticalPath(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       string // of each wait, in ms
	}{
		{"all of it", "a/x 0+100 server\n  a/c 10+10 client error\n  a/c 50+10 client", "30"},
		{"of two", "a/x 0+100 server\n  a/c 10+10 client error\n  a/c 50+10 client error\n  a/c 80+5 client", "30 20"},
		{"none: the root waits for another", "a/x 0+100 server\n  a/y 1+40 internal\n    a/c 5+5 client error\n    a/c 30+5 client\n  b/z 1+98 client", "0"},
		{"a part: the caller is cut", "a/x 0+40 server\n  a/y 1+60 internal\n    a/c 5+5 client error\n    a/c 50+5 client", "30"},
	} {
		tr := tracetext.Trace(c.text)
		waits := backoffs(nil, tr)
		place(waits, tr.CriticalPath())
		var got []string
		for _, w := range waits {
			got = append(got, fmt.Sprint(w.onPath/1e6))
		}
		if got := strings.Join(got, " "); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func BenchmarkBackoffs(b *testing.B) {
	for _, n := range []int{1_000, 10_000} {
		var text strings.Builder
		fmt.Fprintf(&text, "a/x 0+%d server\n", 10*n)
		for i := range n {
			fmt.Fprintf(&text, "  a/c %d+5 client error\n", 10*i)
		}
		t := tracetext.Trace(text.String())
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				place(backoffs(nil, t), t.CriticalPath())
			}
		})
	}
}
