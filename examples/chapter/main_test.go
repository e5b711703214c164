package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tracewhy/tracewhy/internal/golden"
	"github.com/tracewhy/tracewhy/timeline"
)

func output(t *testing.T, text bool, names ...string) string {
	t.Helper()
	var b strings.Builder
	if err := run(t.Context(), &b, text, names); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestDiagrams(t *testing.T) {
	for _, d := range diagrams {
		x, err := d.draw(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		golden.Check(t, d.name+".mmd", x.Mermaid())
		golden.Check(t, d.name+".txt", x.Text(100))
	}
	if got := output(t, true, "waterfall"); !strings.Contains(got, "▓") {
		t.Errorf("as text: %s", got)
	}
	if got := output(t, false); !strings.HasPrefix(got, "waterfall\n") || strings.Count(got, "\n") != len(diagrams) {
		t.Errorf("without a name: %q", got)
	}
	if err := run(t.Context(), &strings.Builder{}, false, []string{"x"}); err == nil || !strings.Contains(err.Error(), `"x"`) {
		t.Errorf("of a diagram that there is not: %v", err)
	}
}

// original returns the lines of a diagram of the chapter, with single spaces.
func original(t *testing.T, name string) []string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "original", name+".mmd"))
	if err != nil {
		t.Fatal(err)
	}
	return lines(string(data))
}

func lines(text string) []string {
	var out []string
	for line := range strings.Lines(text) {
		if fields := strings.Fields(line); len(fields) > 0 {
			out = append(out, strings.Join(fields, " "))
		}
	}
	return out
}

// Each line of the chapter's gantts is in ours, in its order. Ours have more: a format of the axis, a margin, and no
// line of today. They name no tasks, and a milestone has a length of 0, without which Mermaid rejects it.
func TestGanttsAreTheChapters(t *testing.T) {
	id := regexp.MustCompile(`, (dep|db|srv|ci)\d, `)
	for _, name := range []string{"waterfall", "incident"} {
		ours := lines(strings.ReplaceAll(output(t, false, name), "milestone, 07:00, 0m", "milestone, 07:00"))
		at := 0
		for _, line := range original(t, name) {
			line = id.ReplaceAllString(line, ", ")
			i := slices.Index(ours[at:], line)
			if i < 0 {
				t.Errorf("%s: no line %q after the first %d of\n%s", name, line, at, strings.Join(ours, "\n"))
				continue
			}
			at += i + 1
		}
	}
}

// But for the names of participants that nobody sees, the sequence is the chapter's.
func TestInvestigationIsTheChapters(t *testing.T) {
	want := strings.Join(original(t, "investigation"), "\n")
	for i, name := range []string{"Alert", "Ops", "SME", "Logs", "DB", "RCA"} {
		p := "p" + string(rune('0'+i))
		want = strings.NewReplacer("participant "+name+" ", "participant "+p+" ", "\n"+name+"->>", "\n"+p+"->>", "->>"+name+":", "->>"+p+":").Replace(want)
	}
	if diff := cmp.Diff(strings.Split(want, "\n"), lines(output(t, false, "investigation"))); diff != "" {
		t.Errorf("-chapter +ours:\n%s", diff)
	}
}

var (
	node     = regexp.MustCompile(`(\w+)\["?([^\]"]+)"?\]`)
	edge     = regexp.MustCompile(`^(\w+)\S* --> (\w+)`)
	class    = regexp.MustCompile(`^class (\S+) (\w+);$`)
	brackets = regexp.MustCompile(`\[[^\]]*\]`)
)

// The dependency graph has the chapter's nodes, edges, classes and colours.
func TestDependenciesAreTheChapters(t *testing.T) {
	read := func(text []string) []string {
		labels := map[string]string{}
		for _, line := range text {
			for _, m := range node.FindAllStringSubmatch(line, -1) {
				labels[m[1]] = m[2]
			}
		}
		var facts []string
		for _, line := range text {
			if m := edge.FindStringSubmatch(brackets.ReplaceAllString(line, "")); m != nil {
				facts = append(facts, labels[m[1]]+" --> "+labels[m[2]])
			}
			if m := class.FindStringSubmatch(line); m != nil {
				for _, id := range strings.Split(m[1], ",") {
					facts = append(facts, labels[id]+" is "+m[2])
				}
			}
			if strings.HasPrefix(line, "classDef") {
				facts = append(facts, line)
			}
		}
		slices.Sort(facts)
		return facts
	}
	want := read(original(t, "dependencies"))
	if diff := cmp.Diff(want, read(lines(output(t, false, "dependencies")))); diff != "" || len(want) != 5+4+2 {
		t.Errorf("%d facts; -chapter +ours:\n%s", len(want), diff)
	}
}

// What the analysis finds began when the chapter says, give or take what it says itself.
func TestReconstruction(t *testing.T) {
	points, err := findChanges(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if points.Symptom < 0 {
		t.Fatal("no symptom")
	}
	for _, want := range []struct {
		hour    int
		subject string
		measure timeline.Measure
	}{
		{degraded, "accounts-db", timeline.MeasureLong},
		{exhausted, "auth", timeline.MeasureLong},
		{failing, "auth", timeline.MeasureFailures},
		{symptomatic, points.Events[points.Symptom].Subject.String(), timeline.MeasureFailures},
	} {
		at := midnight.Add(time.Duration(want.hour) * time.Hour).UnixNano()
		if !slices.ContainsFunc(points.Events, func(e timeline.Event) bool {
			return e.Subject.String() == want.subject && e.Measure == want.measure && e.IsWorse() && e.First <= at && at <= e.Last
		}) {
			t.Errorf("no %s of %s began at %02d:00 in %v", want.measure, want.subject, want.hour, points.Events)
		}
	}
	if e := points.Events[points.Symptom]; e.Subject.Kind != timeline.SubjectTransactions || e.First > hours(symptomatic) || e.Last < hours(symptomatic) {
		t.Errorf("the symptom is %v", e)
	}
}
