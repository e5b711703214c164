package timeline_test

import (
	"context"
	"flag"
	"slices"
	"testing"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/scenario"
	"github.com/tracewhy/tracewhy/timeline"
)

// The short run has one world of one family: with -worlds 100 -family index-change it takes some minutes.
var (
	from    = flag.Uint64("from", 0, "the first seed of generated cases to rank changes of")
	family  = flag.String("family", "canary", "which `FAMILY` of generated cases to rank changes of; all means every one")
	reasons = flag.Bool("reasons", false, "whether to print what speaks for and against each change where an answer is wrong")
)

func recordedChanges(c scenario.Case, without string) []timeline.Change {
	var out []timeline.Change
	for _, x := range c.Changes {
		if without == "" || x.ID != without {
			out = append(out, timeline.Change{Time: x.Time, Kind: x.Kind, Service: x.Service, ID: x.ID, Description: x.Description})
		}
	}
	return out
}

// generated is one case, as those who rank its changes see it.
type generated struct {
	scenario.Case
	traces, later, affected tracewhy.Cohort
	points                  *timeline.ChangePointsResult
}

func generate(t *testing.T, f scenario.Family, seed uint64) generated {
	t.Helper()
	g := generated{Case: scenario.Generate(f, seed)}
	set := tracewhy.SetOf(slices.Concat(g.Baseline, g.Incident)...)
	g.traces = set.All()
	if g.Baseline[0].Start > g.Incident[0].Start {
		g.traces, g.later = set.Source("incident"), set.Source("baseline")
	}
	var err error
	g.points, err = timeline.ChangePoints(context.Background(), g.traces, timeline.ChangePointsConfig{Series: timeline.SeriesConfig{
		Kinds: []timeline.SubjectKind{timeline.SubjectTransactions, timeline.SubjectService, timeline.SubjectDependency},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if g.points.Symptom < 0 {
		g.affected = set.Source("incident").Select(func(x tracewhy.Trace) bool { return tracewhy.OutcomeRule{}.Of(x) >= tracewhy.OutcomeAbandoned })
	}
	return g
}

// tally counts answers of one kind of question.
type tally struct{ all, right, changes, first, wrong, none int }

// ask ranks the changes of a case, if not told otherwise with the one that did it, and counts the answer.
func (g generated) ask(t *testing.T, culprit string, withheld bool, s *tally) {
	t.Helper()
	want := g.Label.Causes[0].ChangeID
	changes := recordedChanges(g.Case, "")
	if withheld {
		changes, want = recordedChanges(g.Case, want), ""
	}
	r, err := timeline.RankChanges(context.Background(), g.traces, changes, timeline.RankConfig{
		Culprit: culprit, Points: g.points, Baseline: g.later, Affected: g.affected,
	})
	if err != nil {
		t.Fatal(err)
	}
	got := ""
	if r.Best >= 0 {
		got = r.Changes[r.Best].Change.ID
	}
	s.all++
	if want != "" {
		s.changes++
		if len(r.Changes) > 0 && r.Changes[0].Change.ID == want {
			s.first++
		}
	}
	switch {
	case got == want:
		s.right++
		if want != "" {
			t.Logf("%s: dormant for %v, and %v before the symptom", g.Name, r.Changes[0].Dormancy, r.Changes[0].Delay)
		}
		return
	case got != "":
		s.wrong++
	default:
		s.none++
	}
	if !*reasons {
		return
	}
	t.Logf("%s, culprit %q, withheld %t: %q, want %q: %s", g.Name, culprit, withheld, got, want, r.Reason)
	for _, x := range r.Changes {
		if x.Support >= 0.05 || x.Change.ID == want {
			t.Logf("  %.4f evidence %.3g, placebo %.3g: %+v\n    for %q\n    against %q", x.Support, x.Evidence, x.Placebo, x.Change, x.For, x.Against)
		}
	}
}

// Of generated incidents the change that set it off is named among those that did nothing, and if nobody recorded it
// none of the others is.
func TestGeneratedChanges(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long: run without -short")
	}
	for _, f := range scenario.Families() {
		if f.Quiet || *family != "all" && f.Name != *family {
			continue
		}
		var sums [2][2]tally
		for seed := *from; seed < *from+uint64(*worlds); seed++ {
			g := generate(t, f, seed)
			for known, culprit := range []string{"", g.Label.Causes[0].Services[0]} {
				g.ask(t, culprit, false, &sums[known][0])
				if g.Label.Causes[0].ChangeID != "" {
					g.ask(t, culprit, true, &sums[known][1])
				}
			}
		}
		for known, both := range sums {
			for withheld, s := range both {
				t.Logf("%-18s culprit known %d, change withheld %d: right %d of %d; of %d changes %d first; %d wrong, %d none instead",
					f.Name, known, withheld, s.right, s.all, s.changes, s.first, s.wrong, s.none)
				if 10*s.wrong > s.all {
					t.Errorf("%s: %d of %d answers name a change that did nothing", f.Name, s.wrong, s.all)
				}
				if f.Name == "canary" && s.changes > 0 && 10*s.first < 8*s.changes {
					t.Errorf("%s: %d of %d changes come first", f.Name, s.first, s.changes)
				}
			}
		}
	}
}
