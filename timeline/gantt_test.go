package timeline_test

import (
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/tracetext"
	"github.com/tracewhy/tracewhy/internal/visible"
	"github.com/tracewhy/tracewhy/timeline"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden compares what was drawn with a file, or makes it that file.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

// hostileNames act on a diagram, or on a terminal, where they are not escaped.
var hostileNames = []string{
	"end", "a;b;end", "a\nend\nb", "a\r\n  n0->>n1: b", `"quoted" 'x'`, "<script>alert(1)</script>", "<br/>", "&lt;b&gt;", "#35; #quot;",
	"\x1b[31mred\x1b[0m", "\u202egnp.exe", "\u200b", "", " ", "%% comment", "%%{init: {}}%%", "section x", "title x", "click x call y()", "2026-01-01",
	"note right of p0: x", "participant x as y", "loop x", "a: b", "style:#", "$$x^2$$", "`a`", "**b**", "[x](javascript:alert(1))", "a,b", "wrap: x", "nowrap:x",
	"\xff\xfe", "漢字", "x\u0301\u0301\u0301\u0301\u0301\u0301", strings.Repeat("long ", 100), "{", "}", "->>", "p0", "+p0", "--", "par", "and", "as x",
}

func TestIncidentGantt(t *testing.T) {
	w := shop{traces: 1500, length: 4 * time.Hour, slow: 0.3, failing: 0.5, over: 0.85}
	r := changePoints(t, tracewhy.SetOf(w.spans(3)...))
	at := func(d time.Duration) time.Time { return time.Unix(0, tracetext.Epoch).Add(d) }
	changes := []timeline.Change{
		{Kind: "maintenance", Service: "users-db", ID: "CHG-7", Description: "index rebuilt", Time: at(-90 * time.Minute)},
		{Kind: "deployment", Service: "auth", Time: at(100 * time.Minute), Until: at(110 * time.Minute)},
		{Description: "certificates renewed", Time: at(-1000 * time.Hour)},
	}
	g := timeline.IncidentGantt(r, changes, 0)
	golden(t, "incident.mmd", g.Mermaid())
	golden(t, "incident.txt", g.Text(100))
	golden(t, "incident_cut.txt", timeline.IncidentGantt(r, nil, 2).Text(60))
	slices.Reverse(changes)
	if again := timeline.IncidentGantt(r, changes, 0); again.Mermaid() != g.Mermaid() {
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
	g := timeline.IncidentGantt(&timeline.ChangePointsResult{Symptom: -1}, nil, 0)
	if got := g.Text(80); !strings.Contains(got, "nothing to draw") {
		t.Errorf("got\n%s", got)
	}
	if g = timeline.WaterfallGantt(nil, 0); len(g.Tasks) != 0 || !strings.HasPrefix(g.Mermaid(), "gantt\n") {
		t.Errorf("got\n%s", g.Mermaid())
	}
}

// Moments are written in the shortest way that tells them apart.
func TestGanttScales(t *testing.T) {
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
		g := timeline.Gantt{Title: "x", Tasks: []timeline.GanttTask{{Section: "s", Name: "x", Start: tracetext.Epoch + int64(tc.start), End: tracetext.Epoch + int64(tc.end)}}}
		for _, want := range tc.want {
			if got := g.Mermaid(); !strings.Contains(got, want) {
				t.Errorf("%s: no %q in\n%s", tc.why, want, got)
			}
		}
	}
}

// Each task is one line of text, and of Mermaid, whatever its name and times are.
func TestGanttIsHarmless(t *testing.T) {
	for _, moments := range [][2]int64{{0, 0}, {math.MinInt64, math.MaxInt64}, {math.MaxInt64, math.MinInt64}, {tracetext.Epoch, tracetext.Epoch + 1}} {
		for _, name := range hostileNames {
			for status := range timeline.TaskCritical + 2 {
				g := timeline.Gantt{Title: name, Cut: name, Tasks: []timeline.GanttTask{
					{Section: name, Name: name, Status: status, Start: moments[0], End: moments[1]},
					{Section: name, Name: "second", First: moments[0], Last: moments[1]},
				}}
				for _, width := range []int{0, 80} {
					text := g.Text(width)
					checkLines(t, name, text, max(width, 40))
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

// checkLines reports lines that are too wide, or that act on a terminal.
func checkLines(t *testing.T, name, text string, width int) {
	t.Helper()
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if visible.Clean(line) != line || visible.Width(line) > width {
			t.Errorf("%q makes the line %q of %d columns", name, line, visible.Width(line))
		}
	}
}

func TestWaterfallGantt(t *testing.T) {
	rows := timeline.Waterfall(tracetext.Trace(paymentTrace))
	golden(t, "waterfall.mmd", timeline.WaterfallGantt(rows, 0).Mermaid())
	golden(t, "waterfall.txt", timeline.WaterfallGantt(rows, 0).Text(80))
	golden(t, "waterfall_cut.mmd", timeline.WaterfallGantt(rows, 4).Mermaid())
}

// paymentTrace is a payment that waits for a database connection in vain.
const paymentTrace = `
gateway/POST /payments 0+2310 server error="deadline exceeded"
  gateway/authorize 4+2300 client error="deadline exceeded"
    card-auth/authorize 6+2290 server
      card-auth/limits 8+20 client
        limits/check 9+18 server
      card-auth/check 30+2250 client
        fraud-guard/check 31+2248 server error="no connection"
          fraud-guard/pool.acquire 433+1600 internal error=timeout
          fraud-guard/SELECT rules 2040+12 client server.address=rules-db
          fraud-guard/SELECT rules 2052+12 client server.address=rules-db
          fraud-guard/SELECT rules 2065+12 client server.address=rules-db
          fraud-guard/SELECT rules 2080+12 client server.address=rules-db
          fraud-guard/SELECT rules 2095+12 client server.address=rules-db
      card-auth/notify 31+100 producer messaging.destination.name=notifications
  gateway/audit 2305+? client
`

func ExampleGantt() {
	hour := func(h int) int64 { return int64(h) * int64(time.Hour) }
	g := timeline.Gantt{Title: "Night", Tasks: []timeline.GanttTask{
		{Section: "Changes", Name: "Index change", Status: timeline.TaskDone, Start: hour(2), End: hour(3)},
		{Section: "Customer impact", Name: "Logins fail", Status: timeline.TaskCritical, Start: hour(8), End: hour(10), First: hour(7), Last: hour(9)},
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
