package tracewhy_test

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

// factsText writes all facts of a trace, with times since the texts' epoch in units of unit.
func factsText(t tracewhy.Trace, unit int64) string {
	var b strings.Builder
	at := func(ns int64) int64 { return (ns - tracetext.Epoch) / unit }
	length := func(d time.Duration) int64 {
		if d == tracewhy.Unbounded || d < 0 {
			return int64(d)
		}
		return int64(d) / unit
	}
	slacks := t.Slacks()
	for s := range t.Spans() {
		fmt.Fprintf(&b, "%v self %d overrun %d async %t", s.ID(), length(s.SelfTime()), length(s.Overrun()), s.IsAsync())
		own := slacks[s.Index()-t.Root().Index()]
		fmt.Fprintf(&b, " drag %d slack %d\n", length(own.Drag), length(own.Slack))
		for _, section := range s.AppendCriticalPath(nil) {
			fmt.Fprintf(&b, "  path %v %d-%d\n", section.Span.ID(), at(section.Start), at(section.End))
		}
		for g := range s.Gaps() {
			fmt.Fprintf(&b, "  %v %v %d-%d\n", g.Class, g.Child.ID(), at(g.Start), at(g.End))
		}
		for _, g := range s.CallGroups() {
			fmt.Fprintf(&b, "  %v %t", g.Pattern, g.Recovered)
			for _, c := range g.Calls {
				fmt.Fprintf(&b, " %v", c.ID())
			}
			b.WriteByte('\n')
		}
	}
	for _, h := range t.ErrorHops() {
		fmt.Fprintf(&b, "%v %v: %s, from %v\n", h.Span.ID(), h.Role, h.Rule, h.Origin.ID())
	}
	return b.String()
}

// eachFailingTrace runs a test on random traces in which spans failed and siblings are alike.
func eachFailingTrace(t *testing.T, test func(t *testing.T, spans []tracewhy.SpanData)) {
	t.Helper()
	messages := []string{"", "boom", "deadline exceeded", "context canceled"}
	for seed := range uint64(4) {
		rng := rand.New(rand.NewPCG(seed, 5))
		for tr := range randomTraces(seed, 500).Traces() {
			var spans []tracewhy.SpanData
			for s := range tr.Spans() {
				d := s.Data()
				d.Name = string(rune('a' + rng.IntN(3)))
				if rng.IntN(2) == 0 {
					d.Status, d.StatusMessage = tracewhy.StatusError, messages[rng.IntN(4)]
				}
				d.Resource = &tracewhy.Resource{Attributes: []tracewhy.KeyValue{tracewhy.Int("service.name", int64(rng.IntN(2)))}}
				spans = append(spans, d)
			}
			test(t, spans)
			if t.Failed() {
				t.Fatalf("seed %d, trace %v:\n%s", seed, tr.ID(), tracetext.Format(tracewhy.SetOf(spans...).Trace(0)))
			}
		}
	}
}

func TestFactsDoNotDependOnOrder(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 6))
	eachFailingTrace(t, func(t *testing.T, spans []tracewhy.SpanData) {
		want := factsText(tracewhy.SetOf(spans...).Trace(0), 1)
		rng.Shuffle(len(spans), func(i, j int) { spans[i], spans[j] = spans[j], spans[i] })
		if diff := cmp.Diff(want, factsText(tracewhy.SetOf(spans...).Trace(0), 1)); diff != "" {
			t.Errorf("after a shuffle, -before +after:\n%s", diff)
		}
	})
}

func TestFactsScaleWithTime(t *testing.T) {
	eachFailingTrace(t, func(t *testing.T, spans []tracewhy.SpanData) {
		want := factsText(tracewhy.SetOf(spans...).Trace(0), 1)
		const k = 1000
		for i := range spans {
			for _, at := range []*uint64{&spans[i].Start, &spans[i].End} {
				if *at != 0 {
					*at = tracetext.Epoch + (*at-tracetext.Epoch)*k
				}
			}
		}
		if diff := cmp.Diff(want, factsText(tracewhy.SetOf(spans...).Trace(0), k)); diff != "" {
			t.Errorf("with time %d times as long, -before +after:\n%s", k, diff)
		}
	})
}

// A service that others do not know of changes nothing for them.
func TestFactsDoNotDependOnOtherTraces(t *testing.T) {
	eachFailingTrace(t, func(t *testing.T, spans []tracewhy.SpanData) {
		want := factsText(tracewhy.SetOf(spans...).Trace(0), 1)
		id := spans[0].TraceID
		others, err := tracetext.Parse("z/first -5000+9000 error\n  z/x 0+10 error\n  z/x 20+10")
		if err != nil {
			t.Fatal(err)
		}
		for i := range others {
			others[i].TraceID = tracetext.TraceID(1 << 30)
		}
		tr, ok := tracewhy.SetOf(append(others, spans...)...).Lookup(id)
		if !ok {
			t.Fatal("the trace is gone")
		}
		if diff := cmp.Diff(want, factsText(tr, 1)); diff != "" {
			t.Errorf("beside another trace, -before +after:\n%s", diff)
		}
	})
}

// Facts of hostile shapes must come without recursion, and before the test's patience ends.
func TestFactsOfLargeTraces(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long: run without -short")
	}
	for _, shape := range shapes {
		n := 100_000
		if (shape.name == "flat" || shape.name == "deep") && !testing.Short() {
			n = 1_000_000
		}
		t.Run(shape.name, func(t *testing.T) {
			tr := tracewhy.SetOf(shape.make(n)...).Trace(0)
			requirePartition(t, tr.CriticalPath(), tr.Root())
			if got := len(tr.Slacks()); got != n+1 {
				t.Errorf("%d slacks of %d spans", got, n+1)
			}
			if got := len(tr.ErrorHops()); got != n+1 {
				t.Errorf("%d error hops of %d spans", got, n+1)
			}
			self, sum := tr.Set().SelfTimes(), int64(0)
			for s := range tr.Spans() {
				if got := int64(s.SelfTime()); got != self[s.Index()] {
					t.Fatalf("SelfTime is %d, SelfTimes says %d", got, self[s.Index()])
				}
				for g := range s.Gaps() {
					sum += int64(g.Duration())
				}
				if !s.HasChildren() {
					sum += int64(s.Duration())
				}
				sum -= self[s.Index()]
				s.CallGroups()
			}
			if sum != 0 {
				t.Errorf("gaps and spans without children are %d ns more than self times", sum)
			}
		})
	}
}

// Spans of unknown interval stand for their children: in a chain of them that could take quadratic time.
func TestFactsOfManyUnknownIntervals(t *testing.T) {
	n := 200_000
	if testing.Short() {
		n = 10_000
	}
	spans := shapes[2].make(n) // deep
	for i := range spans {
		if i > 0 && i < n {
			spans[i].End = 0
		}
	}
	tr := tracewhy.SetOf(spans...).Trace(0)
	path := tr.CriticalPath()
	requirePartition(t, path, tr.Root())
	if len(path) != 3 {
		t.Errorf("%d sections, want those before, in and after the only child", len(path))
	}
	if got := tr.Set().SelfTimes()[0]; got != int64(tr.Root().SelfTime()) {
		t.Errorf("SelfTimes says %d of the root, SelfTime %d", got, tr.Root().SelfTime())
	}
	if got := len(tr.Slacks()) + len(tr.ErrorHops()); got != 2*(n+1) {
		t.Errorf("%d slacks and hops of %d spans", got, n+1)
	}
	for s := range tr.Spans() {
		_, _ = s.IsAsync(), s.Overrun()
	}
}

func TestNamesOfFacts(t *testing.T) {
	for _, test := range []struct{ got, want string }{
		{fmt.Sprint(tracewhy.GapBeforeFirst, tracewhy.GapQueue, tracewhy.GapClass(99)), "before first queue gap(99)"},
		{fmt.Sprint(tracewhy.RoleOrigin, tracewhy.RoleCollateral, tracewhy.ErrorRole(99)), "origin collateral role(99)"},
		{fmt.Sprint(tracewhy.PatternRetry, tracewhy.PatternRepeat, tracewhy.CallPattern(99)), "retry repeat pattern(99)"},
	} {
		if test.got != test.want {
			t.Errorf("got %s, want %s", test.got, test.want)
		}
	}
}
