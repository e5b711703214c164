package timeline_test

import (
	"context"
	"flag"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/tracetext"
	"github.com/tracewhy/tracewhy/timeline"
	"github.com/tracewhy/tracewhy/timeline/internal/logins"
)

var worlds = flag.Int("worlds", 1, "how many generated cases of each family to divide into baseline and incident")

func ExampleSeries() {
	set := tracetext.Set(`
		shop/GET 100+20 server
		trace two at=1200
		shop/GET 0+40 server error
		trace three at=1700
		shop/GET 0+1500 server
		trace four at=9000
		shop/GET 0+10 server
	`)
	r, err := timeline.Series(context.Background(), set.All(), timeline.SeriesConfig{Bin: time.Second, MinCalls: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	shop := r.Counts[0] // all transactions
	for i, start := range r.Starts[:3] {
		fmt.Println(time.Unix(0, start).UTC().Format(time.TimeOnly), shop.Calls[i], shop.Failures[i], shop.Median[i], shop.Concurrency[i])
	}
	// Output:
	// 00:00:00 1 0 20ms 0.02
	// 00:00:01 2 1 40ms 0.54
	// 00:00:02 0 0 -1ns 1
}

// What is counted is what a plain loop over spans counts.
func TestSeriesCounts(t *testing.T) {
	w := logins.World{Traces: 700, Length: time.Hour, Slow: 0.3, Failing: 0.6, Over: 0.8}
	set := tracewhy.SetOf(w.Spans(4)...)
	r, err := timeline.Series(context.Background(), set.All(), timeline.SeriesConfig{Bin: 5 * time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[timeline.SubjectKind]int{}
	for _, c := range r.Counts {
		kinds[c.Subject.Kind]++
		calls, failures := make([]int, len(r.Starts)), make([]int, len(r.Starts))
		took := make([][]time.Duration, len(r.Starts))
		if c.Subject.Kind == timeline.SubjectPath {
			for i := range set.NumSpans() {
				s := set.Span(i)
				if s.Path().ID() != c.Subject.Path {
					continue
				}
				start, _, _ := s.Interval()
				bin := int((start - r.Starts[0]) / int64(5*time.Minute))
				calls[bin]++
				took[bin] = append(took[bin], s.Duration())
				if s.Failed() {
					failures[bin]++
				}
			}
			if !slices.Equal(calls, c.Calls) || !slices.Equal(failures, c.Failures) {
				t.Errorf("%v: calls %v and failures %v, want %v and %v", c.Subject, c.Calls, c.Failures, calls, failures)
			}
			for i := range took {
				slices.Sort(took[i])
				if n := len(took[i]); n > 0 && (c.Median[i] != took[i][(n-1)/2] || c.P95[i] != took[i][(n-1)*95/100]) {
					t.Errorf("%v: bin %d has a median of %v and a p95 of %v", c.Subject, i, c.Median[i], c.P95[i])
				}
			}
		}
		slow, all := 0, 0
		for i := range c.Calls {
			slow, all = slow+c.Slow[i], all+c.Calls[i]
		}
		if slow > all/10+1 {
			t.Errorf("%v: %d of %d are slow, more than one in ten", c.Subject, slow, all)
		}
	}
	// Two services on one instance each; a dependency; four paths; all transactions, and those of one root.
	if kinds[timeline.SubjectTransactions] != 2 || kinds[timeline.SubjectService] != 2 || kinds[timeline.SubjectInstance] != 2 ||
		kinds[timeline.SubjectDependency] != 1 || kinds[timeline.SubjectPath] != 4 || kinds[timeline.SubjectGap] < 4 {
		t.Errorf("subjects: %v", kinds)
	}
}

// Time in which nothing was recorded has no bins, or bins of which nothing is known: it is never zero calls.
func TestSeriesHoles(t *testing.T) {
	morning := logins.Calm(500, 10*time.Minute).Spans(1)
	evening := logins.Calm(500, 10*time.Minute).Spans(2)
	for i := range evening {
		evening[i].TraceID[0] = 2
		evening[i].Start += uint64(9 * time.Hour)
		evening[i].End += uint64(9 * time.Hour)
	}
	set := tracewhy.SetOf(append(morning, evening...)...)
	r, err := timeline.Series(context.Background(), set.All(), timeline.SeriesConfig{})
	if err != nil {
		t.Fatal(err)
	}
	if n := len(r.Starts); n < 60 || n > 250 || r.Bin > 20*time.Second {
		t.Errorf("%d bins of %v for twenty minutes", n, r.Bin)
	}
	for i := 1; i < len(r.Starts); i++ {
		if d := time.Duration(r.Starts[i] - r.Starts[i-1]); d != r.Bin && d < 8*time.Hour {
			t.Errorf("bin %d begins %v after the one before it", i, d)
		}
	}
	for i, e := range r.Exposure {
		if e < 0 || e > 1 || (e == 0) != (r.Counts[0].Calls[i] == 0) {
			t.Errorf("bin %d: exposure %v, %d transactions", i, e, r.Counts[0].Calls[i])
		}
	}
}

// Three days of half a million transactions, two million spans.
func BenchmarkThreeDays(b *testing.B) {
	if testing.Short() {
		b.Skip("two million spans")
	}
	const hour = time.Hour
	set := tracewhy.SetOf(logins.World{Traces: 500_000, Length: 72 * hour, Slow: 0.4, Failing: 0.6, Over: 0.7}.Spans(1)...)
	b.Run("series", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := timeline.Series(context.Background(), set.All(), timeline.SeriesConfig{}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("changes", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := timeline.ChangePoints(context.Background(), set.All(), timeline.ChangePointsConfig{}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("split", func(b *testing.B) {
		for b.Loop() {
			if _, err := timeline.Split(context.Background(), set.All(), timeline.ChangePointsConfig{}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("align", func(b *testing.B) {
		for b.Loop() {
			if _, err := timeline.Align(context.Background(), set.All(), timeline.AlignConfig{}); err != nil {
				b.Fatal(err)
			}
		}
	})
}
