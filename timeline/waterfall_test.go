package timeline_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tracewhy/tracewhy/internal/tracetext"
	"github.com/tracewhy/tracewhy/timeline"
)

func Example() {
	t := tracetext.Trace(`
		gateway/POST /pay     0+100 server
		  gateway/authorize   5+90  client
		    cards/authorize   6+88  server
		      cards/acquire  10+60  internal
		      cards/SELECT   71+12  client
	`)
	for _, r := range timeline.Waterfall(t) {
		fmt.Printf("%-20s %5v %5v  critical %v\n", strings.Repeat("  ", r.Depth)+r.Span.Name(), r.Offset, r.Duration, r.CriticalTime())
	}
	// Output:
	// POST /pay               0s 100ms  critical 10ms
	//   authorize            5ms  90ms  critical 2ms
	//     authorize          6ms  88ms  critical 16ms
	//       acquire         10ms  60ms  critical 60ms
	//       SELECT          71ms  12ms  critical 12ms
}

// row is a Row that can be compared.
type row struct {
	Depth                      int
	Name                       string
	Offset, Duration, SelfTime time.Duration
	Critical                   []timeline.Section
}

func TestWaterfall(t *testing.T) {
	const ms = time.Millisecond
	for _, tc := range []struct {
		why, text string
		want      []row
	}{
		{"one span", "a/x 5+10", []row{{0, "x", 0, 10 * ms, 10 * ms, []timeline.Section{{0, 10 * ms}}}}},
		{"calls side by side: the longer one is waited for", `
			a/x 0+10
			  b/short 1+5
			  b/long 1+8`, []row{
			{0, "x", 0, 10 * ms, 2 * ms, []timeline.Section{{0, 1 * ms}, {9 * ms, 10 * ms}}},
			{1, "short", 1 * ms, 5 * ms, 5 * ms, nil},
			{1, "long", 1 * ms, 8 * ms, 8 * ms, []timeline.Section{{1 * ms, 9 * ms}}},
		}},
		{"an orphan that began first: offsets count from it", `
			a/x 4+6
			b/lost 0+3 orphan`, []row{
			{0, "x", 4 * ms, 6 * ms, 6 * ms, []timeline.Section{{4 * ms, 10 * ms}}},
			{0, "lost", 0, 3 * ms, 3 * ms, nil},
		}},
		{"unknown times", `
			a/x 0+10
			  b/y ?+?
			  b/z 3+?`, []row{
			{0, "x", 0, 10 * ms, 10 * ms, []timeline.Section{{0, 10 * ms}}},
			{1, "z", -1, -1, -1, nil}, // its start is known, and comes first
			{1, "y", -1, -1, -1, nil},
		}},
	} {
		var got []row
		for _, r := range timeline.Waterfall(tracetext.Trace(tc.text)) {
			got = append(got, row{r.Depth, r.Span.Name(), r.Offset, r.Duration, r.SelfTime, r.Critical})
		}
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%s: -want +got:\n%s", tc.why, diff)
		}
	}
}

// The sections of all rows add up to the duration of the root, one after the other.
func TestSectionsAddUp(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		var text strings.Builder
		depth := 0
		for i := range 1 + r.IntN(40) {
			fmt.Fprintf(&text, "%ss%d/op%d %d+%d\n", strings.Repeat(" ", depth), r.IntN(4), r.IntN(5), r.IntN(100), r.IntN(60))
			depth = min(1+r.IntN(depth+1), 1+i)
		}
		tr := tracetext.Trace(text.String())
		var sum time.Duration
		rows := timeline.Waterfall(tr)
		for _, row := range rows {
			sum += row.CriticalTime()
			for _, s := range row.Critical {
				if s.Start >= s.End || s.Start < row.Offset || s.End > row.Offset+row.Duration {
					t.Fatalf("section %v outside of %v+%v in\n%s", s, row.Offset, row.Duration, text.String())
				}
			}
		}
		if want := tr.Root().Duration(); sum != want || len(rows) != tr.NumSpans() {
			t.Fatalf("sections of %d rows add up to %v, want %v, in\n%s", len(rows), sum, want, text.String())
		}
	}
}

func BenchmarkWaterfall(b *testing.B) {
	text := "a/root 0+100000\n" + strings.Repeat(" b/call 1+2\n", 10_000)
	tr := tracetext.Trace(text)
	for b.Loop() {
		timeline.Waterfall(tr)
	}
}
