package compare

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/tracetext"
)

func pairOf(t testing.TB, text string) (left, right tracewhy.Trace) {
	t.Helper()
	set := tracetext.Set(text)
	for x := range set.Traces() {
		switch x.ID() {
		case tracetext.TraceID(1):
			left = x
		case tracetext.TraceID(2):
			right = x
		}
	}
	return left, right
}

// outline writes rows as "operation calls-left calls-right critical", with ~ for those that moved.
func outline(r *TracesResult) string {
	var b strings.Builder
	for _, row := range r.Rows {
		moved := ""
		if row.Moved {
			moved = "~"
		}
		fmt.Fprintf(&b, "%s%s%s %d %d %d\n", strings.Repeat(" ", row.Depth), moved, row.Operation, row.Left.Calls, row.Right.Calls, row.Critical()/time.Millisecond)
	}
	return b.String()
}

func TestTracesAlignment(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"slower call", `
			trace left
			a/root 0+100
			  b/one 10+20
			trace right
			a/root 0+150
			  b/one 10+70
			`, "root 1 1 0\n one 1 1 50\n"},
		{"repeats fold", `
			trace left
			a/root 0+100
			  b/query 10+20
			trace right
			a/root 0+100
			  b/query 10+20
			  b/query 30+20
			  b/query 50+20
			    c/disk 55+5
			`, "root 1 1 -40\n query 1 3 35\n  disk 0 1 5\n"},
		{"one side only, in place", `
			trace left
			a/root 0+100
			  b/one 0+10
			  b/two 10+10
			  b/four 30+10
			trace right
			a/root 0+100
			  b/one 0+10
			  b/three 20+10
			  b/four 30+10
			`, "root 1 1 0\n one 1 1 0\n two 1 0 -10\n three 0 1 10\n four 1 1 0\n"},
		{"another order: the lighter one moved", `
			trace left
			a/root 0+100
			  b/light 0+10
			  b/heavy 10+10
			  b/heavy 20+10
			trace right
			a/root 0+100
			  b/heavy 10+10
			  b/light 40+10
			`, "root 1 1 10\n ~light 1 1 0\n heavy 2 1 -10\n"},
		{"kinds differ", `
			trace left
			a/root 0+100 server
			trace right
			a/root 0+90 client
			`, "root 1 0 -100\nroot 0 1 90\n"},
		{"no times", `
			trace left
			a/root ?+?
			trace right
			a/root 0+10
			`, "root 1 1 10\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			left, right := pairOf(t, tt.text)
			if d := cmp.Diff(tt.want, outline(Traces(left, right, TracesConfig{}))); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestTracesDetails(t *testing.T) {
	left, right := pairOf(t, `
		trace left
		a/root 0+100 region=eu gone=1 code=1 resource.service.version=v-a
		  a/in 0+10 error="order 17 lost"
		trace right
		a/root 0+100 region=us new=true code="1" resource.service.version=v-b
		  ! 5 exception exception.type=Timeout
		  a/in 20+10
		`)
	r := Traces(left, right, TracesConfig{})
	write := func(all []AttributeDifference) string {
		s := ""
		for _, a := range all {
			s += fmt.Sprintf("%s %v %v; ", a.Key, a.Left, a.Right)
		}
		return s
	}
	root, in := r.Rows[0], r.Rows[1]
	if got, want := write(root.Attributes), "code [1] [1]; gone [1] []; new [] [true]; region [eu] [us]; "; got != want {
		t.Errorf("attributes: %s", got)
	}
	if d := cmp.Diff([]TextDifference{{"exception Timeout", 0, 1}}, root.Events); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]TextDifference{{"order # lost", 1, 0}}, in.Messages); d != "" {
		t.Error(d)
	}
	if in.Left.Failed != 1 || in.Right.Failed != 0 {
		t.Errorf("failed: %d and %d", in.Left.Failed, in.Right.Failed)
	}
	want := []GapDifference{{"before first", 0, 20 * time.Millisecond}, {"after last", 90 * time.Millisecond, 70 * time.Millisecond}}
	if d := cmp.Diff(want, root.Gaps[len(root.Gaps)-2:]); d != "" {
		t.Error(d)
	}
	if got := write(r.Services[0].Attributes); len(r.Services) != 1 || got != "service.version [v-a] [v-b]; " {
		t.Errorf("services: %s", got)
	}
}

// randomPair makes two traces of few names, in which everything may happen.
func randomPair(rng *rand.Rand) string {
	var b strings.Builder
	for range 2 {
		b.WriteString("trace\n")
		depth := 0
		for i := range 1 + rng.IntN(40) {
			start, length := fmt.Sprint(rng.IntN(100)), fmt.Sprint(rng.IntN(100))
			if rng.IntN(20) == 0 {
				length = "?"
			}
			fmt.Fprintf(&b, "%s%c/op%d %s+%s k=%d", strings.Repeat(" ", depth), 'a'+rune(rng.IntN(2)), rng.IntN(4), start, length, rng.IntN(3))
			switch {
			case i > 0 && depth == 0 && rng.IntN(4) == 0:
				b.WriteString(" orphan")
			case rng.IntN(8) == 0:
				fmt.Fprintf(&b, " error=\"no %d\"", rng.IntN(2))
			}
			b.WriteByte('\n')
			depth = rng.IntN(depth + 2)
		}
	}
	return b.String()
}

// mirrored exchanges left and right.
func mirrored(r *TracesResult) *TracesResult {
	m := &TracesResult{Left: r.Right, Right: r.Left}
	attributes := func(all []AttributeDifference) []AttributeDifference {
		out := []AttributeDifference{}
		for _, a := range all {
			out = append(out, AttributeDifference{a.Key, a.Right, a.Left, a.MoreRight, a.MoreLeft})
		}
		return out
	}
	texts := func(all []TextDifference) []TextDifference {
		out := []TextDifference{}
		for _, x := range all {
			out = append(out, TextDifference{x.Text, x.Right, x.Left})
		}
		return out
	}
	m.Rows, m.Services = []TraceRow{}, []ServiceDifference{}
	for _, row := range r.Rows {
		row.Left, row.Right = row.Right, row.Left
		row.Attributes, row.Messages, row.Events = attributes(row.Attributes), texts(row.Messages), texts(row.Events)
		gaps := []GapDifference{}
		for _, g := range row.Gaps {
			gaps = append(gaps, GapDifference{g.Class, g.Right, g.Left})
		}
		row.Gaps = gaps
		m.Rows = append(m.Rows, row)
	}
	for _, s := range r.Services {
		m.Services = append(m.Services, ServiceDifference{s.Service, attributes(s.Attributes)})
	}
	return m
}

// checkTraces holds the result for two traces to what is promised.
func checkTraces(t *testing.T, left, right tracewhy.Trace) {
	t.Helper()
	r := Traces(left, right, TracesConfig{})
	equal := cmp.Comparer(func(x, y tracewhy.Value) bool { return x.Equal(y) })
	fail := func(format string, args ...any) {
		t.Helper()
		t.Fatalf(format+"\n%s\n%s", append(args, tracetext.Format(left), tracetext.Format(right))...)
	}
	if d := cmp.Diff(mirrored(r), Traces(right, left, TracesConfig{}), equal); d != "" {
		fail("exchanged: %s", d)
	}
	var critical time.Duration
	var calls [2]int
	for i, row := range r.Rows {
		critical += row.Critical()
		calls[leftSide] += row.Left.Calls
		calls[rightSide] += row.Right.Calls
		if row.Parent >= i || row.Parent >= 0 && r.Rows[row.Parent].Depth != row.Depth-1 || row.Parent < 0 && row.Depth != 0 {
			fail("row %d: parent %d at depth %d", i, row.Parent, row.Depth)
		}
	}
	if calls != [2]int{left.NumSpans(), right.NumSpans()} {
		fail("rows have %v calls", calls)
	}
	if want := max(0, r.Right.Duration) - max(0, r.Left.Duration); critical != want {
		fail("critical paths differ by %v, durations by %v", critical, want)
	}
	for _, row := range Traces(left, left, TracesConfig{}).Rows {
		if row.Left != row.Right || row.Moved || len(row.Attributes)+len(row.Messages)+len(row.Events)+len(row.Gaps) > 0 {
			fail("a trace differs from itself: %+v", row)
		}
	}
}

func TestTracesProperties(t *testing.T) {
	for seed := range uint64(300) {
		left, right := pairOf(t, randomPair(rand.New(rand.NewPCG(seed, 0))))
		checkTraces(t, left, right)
	}
}

// Neither depth nor width is a matter of recursion or of quadratic time.
func TestTracesOfHostileShape(t *testing.T) {
	const n = 20_000
	deep := func(trace int) (spans []tracewhy.SpanData) {
		for i := range n {
			s := tracewhy.SpanData{
				TraceID: tracetext.TraceID(trace), SpanID: tracetext.SpanID(i + 1), Name: "call",
				Start: tracetext.Epoch + uint64(i), End: tracetext.Epoch + uint64(3*n*trace-i),
			}
			if i > 0 {
				s.ParentSpanID = tracetext.SpanID(i)
			}
			spans = append(spans, s)
		}
		return spans
	}
	for name, spans := range map[string][]tracewhy.SpanData{"deep": append(deep(1), deep(2)...), "wide": wideSpans(n)} {
		var pair []tracewhy.Trace
		for x := range tracewhy.SetOf(spans...).Traces() {
			pair = append(pair, x)
		}
		r := Traces(pair[0], pair[1], TracesConfig{})
		if len(r.Rows) < n {
			t.Errorf("%s: %d rows", name, len(r.Rows))
		}
		var critical time.Duration
		for _, row := range r.Rows {
			critical += row.Critical()
		}
		if critical != r.Right.Duration-r.Left.Duration {
			t.Errorf("%s: critical paths differ by %v, durations by %v", name, critical, r.Right.Duration-r.Left.Duration)
		}
	}
}

func FuzzTraces(f *testing.F) {
	f.Add(uint64(1), uint64(2))
	f.Fuzz(func(t *testing.T, a, b uint64) {
		left, right := pairOf(t, randomPair(rand.New(rand.NewPCG(a, b))))
		checkTraces(t, left, right)
	})
}

// Two traces of a root with n calls of different names, the second in another order.
func wideSpans(n int) []tracewhy.SpanData {
	rng := rand.New(rand.NewPCG(1, 2))
	var spans []tracewhy.SpanData
	for trace := 1; trace <= 2; trace++ {
		at := uint64(tracetext.Epoch)
		spans = append(spans, tracewhy.SpanData{
			TraceID: tracetext.TraceID(trace), SpanID: tracetext.SpanID(n + 1), Name: "root", Start: at, End: at + uint64(n)*1000,
		})
		for i := range n {
			start := at + uint64(rng.IntN(n))*1000
			spans = append(spans, tracewhy.SpanData{
				TraceID: tracetext.TraceID(trace), SpanID: tracetext.SpanID(i + 1), ParentSpanID: tracetext.SpanID(n + 1),
				Name: "op-" + letters(i), Start: start, End: start + 1000,
			})
		}
	}
	return spans
}

// letters writes i without digits, so that names are not templated.
func letters(i int) string {
	s := []byte{}
	for ; i > 0; i /= 20 {
		s = append(s, 'g'+byte(i%20))
	}
	return string(s)
}

func BenchmarkTracesWide(b *testing.B) {
	set := tracewhy.SetOf(wideSpans(100_000)...)
	var all []tracewhy.Trace
	for t := range set.Traces() {
		all = append(all, t)
	}
	b.ReportAllocs()
	for b.Loop() {
		if r := Traces(all[0], all[1], TracesConfig{}); len(r.Rows) != 100_001 {
			b.Fatal(len(r.Rows))
		}
	}
}
