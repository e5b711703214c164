package gantt_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/golden"
	"github.com/tracewhy/tracewhy/internal/hostile"
	"github.com/tracewhy/tracewhy/internal/tracetext"
	"github.com/tracewhy/tracewhy/timeline"
	"github.com/tracewhy/tracewhy/timeline/gantt"
	"github.com/tracewhy/tracewhy/timeline/internal/logins"
)

func TestOfIncident(t *testing.T) {
	w := logins.World{Traces: 1500, Length: 4 * time.Hour, Slow: 0.3, Failing: 0.5, Over: 0.85}
	r := changePoints(t, tracewhy.SetOf(w.Spans(3)...))
	at := func(d time.Duration) time.Time { return time.Unix(0, tracetext.Epoch).Add(d) }
	changes := []timeline.Change{
		{Kind: "maintenance", Service: "users-db", ID: "CHG-7", Description: "index rebuilt", Time: at(-90 * time.Minute)},
		{Kind: "deployment", Service: "auth", Time: at(100 * time.Minute), Until: at(110 * time.Minute)},
		{Description: "certificates renewed", Time: at(-1000 * time.Hour)},
	}
	g := gantt.OfIncident(r, changes, 0)
	golden.Check(t, "incident.mmd", g.Mermaid())
	golden.Check(t, "incident.txt", g.Text(100))
	golden.Check(t, "incident_cut.txt", gantt.OfIncident(r, nil, 2).Text(60))
	slices.Reverse(changes)
	if again := gantt.OfIncident(r, changes, 0); again.Mermaid() != g.Mermaid() {
		t.Error("the order of changes matters")
	}
}

func changePoints(t *testing.T, set *tracewhy.Set) *timeline.ChangePointsResult {
	t.Helper()
	r, err := timeline.ChangePoints(t.Context(), set.All(), timeline.ChangePointsConfig{Series: timeline.SeriesConfig{Bin: 5 * time.Minute}})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestNothingToDraw(t *testing.T) {
	g := gantt.OfIncident(&timeline.ChangePointsResult{Symptom: -1}, nil, 0)
	if got := g.Text(80); !strings.Contains(got, "nothing to draw") {
		t.Errorf("got\n%s", got)
	}
	if g = gantt.OfTrace(tracetext.Trace("a/x ?+?"), 0); len(g.Tasks) != 0 || !strings.HasPrefix(g.Mermaid(), "gantt\n") {
		t.Errorf("got\n%s", g.Mermaid())
	}
}

// Moments are written in the shortest way that tells them apart.
func TestScales(t *testing.T) {
	const day = 24 * time.Hour
	for _, tc := range []struct {
		why        string
		start, end time.Duration
		want       []string
	}{
		{"minutes", 7 * time.Hour, 8*time.Hour + 30*time.Minute, []string{"dateFormat HH:mm\n", ", 07:00, 90m\n"}},
		{"seconds", time.Second, 6 * time.Second, []string{"dateFormat HH:mm:ss\n", ", 00:00:01, 5s\n"}},
		{"days", 22 * time.Hour, day + 2*time.Hour, []string{"dateFormat YYYY-MM-DD HH:mm\n", ", 2024-01-01 22:00, 4h\n"}},
		{"milliseconds", time.Millisecond, 20 * time.Second, []string{"dateFormat HH:mm:ss.SSS\n", ", 00:00:00.001, 19999ms\n"}},
		{"numbers of ms", 1500 * time.Microsecond, 200 * time.Millisecond, []string{"title x, in ms", "dateFormat x\n", ", 0, 198ms\n"}},
		{"numbers of µs", 0, 99 * time.Millisecond, []string{"title x, in µs", ", 0, 99000ms\n"}},
		{"numbers of ns", 0, 99, []string{"title x, in ns", ", 0, 99ms\n"}},
		{"no length", time.Hour, time.Hour, []string{":milestone, 01:00, 0m\n"}},
		{"an end before the start", time.Hour, 0, []string{":milestone, 01:00, 0m\n"}},
	} {
		g := gantt.Chart{Title: "x", Tasks: []gantt.Task{{Section: "s", Name: "x", Start: tracetext.Epoch + int64(tc.start), End: tracetext.Epoch + int64(tc.end)}}}
		for _, want := range tc.want {
			if got := g.Mermaid(); !strings.Contains(got, want) {
				t.Errorf("%s: no %q in\n%s", tc.why, want, got)
			}
		}
	}
}

// Each task is one line of text, and of Mermaid, whatever its name and times are.
func TestChartIsHarmless(t *testing.T) {
	for _, moments := range [][2]int64{{0, 0}, {math.MinInt64, math.MaxInt64}, {math.MaxInt64, math.MinInt64}, {tracetext.Epoch, tracetext.Epoch + 1}} {
		for _, name := range hostile.Names() {
			for status := range gantt.Critical + 2 {
				g := gantt.Chart{Title: name, Cut: name, Tasks: []gantt.Task{
					{Section: name, Name: name, Status: status, Start: moments[0], End: moments[1]},
					{Section: name, Name: "second", First: moments[0], Last: moments[1]},
				}}
				for _, width := range []int{0, 80} {
					text := g.Text(width)
					hostile.CheckLines(t, text, max(width, 40))
				}
				got := g.Mermaid()
				if n := strings.Count(got, "\n"); n > 11 {
					t.Errorf("%q makes %d lines:\n%s", name, n, got)
				}
				for line := range strings.Lines(got) {
					if task := strings.TrimSpace(line); strings.Contains(task, " :") && strings.Count(task, ";") != strings.Count(task, "#") {
						t.Errorf("%q is not escaped in %s", name, line)
					}
				}
			}
		}
	}
}

func TestOfTrace(t *testing.T) {
	text, err := os.ReadFile("../testdata/payment.trace")
	if err != nil {
		t.Fatal(err)
	}
	payment := tracetext.Trace(string(text))
	golden.Check(t, "waterfall.mmd", gantt.OfTrace(payment, 0).Mermaid())
	golden.Check(t, "waterfall.txt", gantt.OfTrace(payment, 0).Text(80))
	golden.Check(t, "waterfall_cut.mmd", gantt.OfTrace(payment, 4).Mermaid())
}

// The order in which spans were read does not matter, nor when the trace began.
func TestOfTraceLaws(t *testing.T) {
	text, err := os.ReadFile("../testdata/payment.trace")
	if err != nil {
		t.Fatal(err)
	}
	spans, err := tracetext.Parse(string(text))
	if err != nil {
		t.Fatal(err)
	}
	draw := func() string {
		for tr := range tracewhy.SetOf(spans...).Traces() {
			return gantt.OfTrace(tr, 0).Mermaid()
		}
		return ""
	}
	want := draw()
	r := rand.New(rand.NewPCG(7, 8))
	for range 20 {
		r.Shuffle(len(spans), func(i, j int) { spans[i], spans[j] = spans[j], spans[i] })
		for i := range spans {
			spans[i].Start += 3600e9
			if spans[i].End != 0 {
				spans[i].End += 3600e9
			}
		}
		if got := draw(); got != want {
			t.Fatalf("in another order, and later:\n%s\nwant\n%s", got, want)
		}
	}
}

func ExampleChart() {
	hour := func(h int) int64 { return int64(h) * int64(time.Hour) }
	g := gantt.Chart{Title: "Night", Tasks: []gantt.Task{
		{Section: "Changes", Name: "Index change", Status: gantt.Done, Start: hour(2), End: hour(3)},
		{Section: "Customer impact", Name: "Logins fail", Status: gantt.Critical, Start: hour(8), End: hour(10), First: hour(7), Last: hour(9)},
	}}
	fmt.Print(g.Text(60))
	// Output:
	// Night
	//                  03:00       06:00
	// Changes
	//  Index change ▒▒▒                             02:00  1h
	// Customer impact
	//  Logins fail                     ░░░░░░░░████ 08:00 ± 1h  2h
	// ▒ done  █ critical  ░ within which it began
}
