package gantt

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/tracewhy/tracewhy/internal/quantity"
	"github.com/tracewhy/tracewhy/timeline"
	"github.com/tracewhy/tracewhy/timeline/internal/epoch"
)

// The sections of [OfIncident].
const (
	sectionChanges      = "Changes"
	sectionDependencies = "Dependencies"
	sectionServices     = "Services"
	sectionCustomers    = "Customer impact"
)

var sections = []string{sectionChanges, sectionDependencies, sectionServices, sectionCustomers}

// OfIncident draws an incident: what people had changed, databases and other dependencies, services, and the
// transactions of customers, each from when it became worse, or busier, until it was near to what it had been, or
// the recording ends. Marks are the first symptom and the recovery.
//
// A change from long before the recording is drawn at its beginning. Of the rest at most limit rows are drawn, or 20
// if it is 0: the symptom, then what propagated or is part of a cascade, then services and dependencies before their
// instances, gaps and paths, and these only where they did not change with their service. [Chart.Cut] says how many
// are left out.
//
// It takes time in O(n log n) for n events.
func OfIncident(points *timeline.ChangePointsResult, changes []timeline.Change, limit int) *Chart {
	r := incident{points}
	c := &Chart{Title: "Incident timeline"}
	c.words[Done], c.words[Active], c.words[Critical], c.words[Plain] = "changed", "worse", "symptom, and worse after it", "more or fewer calls"
	if limit <= 0 {
		limit = 20
	}
	all := r.stretches()
	slices.SortStableFunc(all, func(x, y stretch) int {
		return cmp.Or(cmp.Compare(x.rank, y.rank), cmp.Compare(x.task.Start, y.task.Start))
	})
	drawn, parts := 0, 0
	for i := range all {
		switch {
		case all[i].rank > 1 && r.isPart(&all[i], all[:i]):
			parts++
		case drawn < limit:
			drawn++
			c.Tasks = append(c.Tasks, all[i].task)
		}
	}
	if r.Symptom >= 0 {
		e := r.Events[r.Symptom]
		c.Tasks = append(c.Tasks, Task{
			Section: sectionCustomers, Name: "First symptom", Status: Critical, Start: e.Time, End: e.Time, First: e.First, Last: e.Last,
		})
		for _, s := range all {
			if s.first == r.Symptom && s.end >= 0 {
				e := r.Events[s.end]
				c.Tasks = append(c.Tasks, Task{Section: sectionCustomers, Name: "Recovery", Start: e.Time, End: e.Time, First: e.First, Last: e.Last})
			}
		}
	}
	c.Tasks = append(c.Tasks, r.placed(changes)...)
	slices.SortStableFunc(c.Tasks, func(x, y Task) int {
		return cmp.Or(cmp.Compare(slices.Index(sections, x.Section), slices.Index(sections, y.Section)), cmp.Compare(x.Section, y.Section),
			cmp.Compare(x.Start, y.Start), cmp.Compare(x.Name, y.Name))
	})
	c.Cut = leftOut(len(all)-drawn-parts, parts)
	return c
}

// leftOut says how many rows are left out, and how many because they say what others do.
func leftOut(rows, parts int) string {
	ofParts := quantity.Count(parts, "row") + " of parts that changed with the whole"
	switch {
	case rows > 0 && parts > 0:
		return "left out: " + quantity.Count(rows, "row") + ", and " + ofParts
	case rows > 0:
		return "left out: " + quantity.Count(rows, "row")
	case parts > 0:
		return "left out: " + ofParts
	}
	return ""
}

// incident is what is known of one.
type incident struct{ *timeline.ChangePointsResult }

// isPart reports whether what changed with a stretch is a part, such as an instance of a service or a path in it, of
// what changed in the same way at the same time with one that is drawn sooner.
func (r incident) isPart(s *stretch, sooner []stretch) bool {
	e := &r.Events[s.first]
	return slices.ContainsFunc(sooner, func(x stretch) bool {
		whole := &r.Events[x.first]
		sameThing := whole.Subject.Service == e.Subject.Service || x.task.Section == sectionCustomers && s.task.Section == sectionCustomers
		return sameThing && whole.Measure == e.Measure && whole.First <= e.Last && e.First <= whole.Last
	})
}

// placed returns changes as tasks: those from more than the length of the recording before it, at its beginning.
func (r incident) placed(changes []timeline.Change) []Task {
	out := make([]Task, 0, len(changes))
	begin, end, ok := r.recorded()
	for _, c := range changes {
		t := Task{Section: sectionChanges, Name: title(c), Status: Done, Start: c.Time.UnixNano(), End: c.Time.UnixNano()}
		if c.Until.After(c.Time) {
			t.End = c.Until.UnixNano()
		}
		if ok && t.Start < begin && epoch.Distance(t.Start, begin) > epoch.Distance(begin, end) {
			t.Name += " at " + c.Time.UTC().Format("2006-01-02 15:04")
			t.Start, t.End = begin, max(begin, t.End)
		}
		out = append(out, t)
	}
	return out
}

// title returns what a change is, in a few words.
func title(c timeline.Change) string {
	what := c.Description
	if what == "" {
		what = cmp.Or(c.Kind, "change")
	}
	if c.ID != "" {
		what = c.ID + " " + what
	}
	if c.Service != "" {
		what = c.Service + ": " + what
	}
	return what
}

// recorded returns when the first bin begins and the last one ends.
func (r incident) recorded() (begin, end int64, ok bool) {
	if r.Series == nil || len(r.Series.Starts) == 0 {
		return 0, 0, false
	}
	s := r.Series.Starts
	return s[0], epoch.Add(s[len(s)-1], int64(r.Series.Bin)), true
}

// stretch is a time in which one measure of a subject was not what it had been before.
type stretch struct {
	task       Task
	rank       int     // which are drawn first
	first, end int     // events; end is -1 if it went on
	from, peak float64 // the level before, and the one that is furthest from it
}

// stretches returns those of all events, by the first of them.
func (r incident) stretches() []stretch {
	type series struct {
		subject timeline.Subject
		measure timeline.Measure
	}
	open := map[series]int{} // only looked up
	var out []stretch
	begin, end, _ := r.recorded()
	for i, e := range r.Events {
		key := series{e.Subject, e.Measure}
		if at, ok := open[key]; ok {
			s := &out[at]
			if math.Abs(e.After-s.from) < math.Abs(s.peak-s.from)/2 {
				s.end, s.task.End = i, e.Time
				delete(open, key)
			} else if math.Abs(e.After-s.from) > math.Abs(s.peak-s.from) {
				s.peak = e.After
			}
			continue
		}
		s := stretch{first: i, end: -1, from: e.Before, peak: e.After}
		s.task = Task{Section: section(e.Subject), Status: r.status(e), Start: e.Time, End: max(end, e.Time+1), First: e.First, Last: e.Last}
		if e.IsBetter() { // it was worse from the beginning on
			if slices.ContainsFunc(out, func(x stretch) bool {
				return r.Events[x.first].Subject == e.Subject && r.Events[x.first].Measure == e.Measure
			}) {
				continue // or is better than it ever was
			}
			s.end, s.from, s.peak = i, e.After, e.Before
			s.task.Start, s.task.End, s.task.First, s.task.Last = begin, max(e.Time, begin+1), 0, 0
		} else {
			open[key] = len(out)
		}
		out = append(out, s)
	}
	signatures, propagated := r.signatures(), make([]bool, len(r.Events))
	for _, p := range r.Propagation {
		propagated[p.From], propagated[p.To] = true, true
	}
	for i := range out {
		s := &out[i]
		s.task.Name = s.name(r.Events[s.first])
		if kind := signatures[s.first]; kind != "" {
			s.task.Name += " (" + kind + ")"
		}
		s.rank = r.rank(s.first)
		if propagated[s.first] || signatures[s.first] != "" {
			s.rank = min(s.rank, 1)
		}
	}
	return out
}

// section returns the section of a subject.
func section(s timeline.Subject) string {
	switch s.Kind {
	case timeline.SubjectTransactions:
		return sectionCustomers
	case timeline.SubjectDependency:
		return sectionDependencies
	}
	return sectionServices
}

// isNeutral reports whether something changed that is neither better nor worse.
func isNeutral(e timeline.Event) bool { return !e.IsBetter() && !e.IsWorse() }

// status returns how a stretch that an event begins is drawn.
func (r incident) status(e timeline.Event) Status {
	switch {
	case isNeutral(e):
		return Plain
	case e.Kind == timeline.EventSymptom, e.Kind == timeline.EventConcurrent, e.Kind == timeline.EventPropagation:
		return Critical
	}
	return Active
}

// name returns what a stretch is of.
func (s *stretch) name(e timeline.Event) string {
	name := e.Subject.String()
	switch e.Measure {
	case timeline.MeasureCalls:
		return fmt.Sprintf("%s calls %s → %s", name, amount(s.from), amount(s.peak))
	case timeline.MeasureFanout:
		return fmt.Sprintf("%s calls per caller %s → %s", name, amount(s.from), amount(s.peak))
	}
	return fmt.Sprintf("%s %s %s → %s", name, [...]string{"failures", "long calls", "slow calls"}[e.Measure], strings.TrimSuffix(quantity.Percent(s.from), " %"), quantity.Percent(s.peak))
}

// amount writes a number with three digits, and more where it has more before the point.
func amount(x float64) string {
	if x >= 100 {
		return fmt.Sprintf("%.0f", x)
	}
	return fmt.Sprintf("%.3g", x)
}

// signatures returns the kinds of cascades that each event is part of.
func (r incident) signatures() []string {
	of := make([]string, len(r.Events))
	for _, c := range r.Cascades {
		for _, i := range c.Events {
			if kind := c.Kind.String(); !strings.Contains(of[i], kind) {
				of[i] = strings.TrimPrefix(of[i]+", "+kind, ", ")
			}
		}
	}
	return of
}

// rank returns how soon an event's stretch is drawn: the smaller, the sooner.
func (r incident) rank(event int) int {
	e := r.Events[event]
	rank := [...]int{timeline.SubjectTransactions: 3, timeline.SubjectService: 2, timeline.SubjectInstance: 4, timeline.SubjectDependency: 2, timeline.SubjectPath: 6, timeline.SubjectGap: 5}[min(e.Subject.Kind, timeline.SubjectGap)]
	switch {
	case event == r.Symptom:
		return 0
	case isNeutral(e):
		rank += 10
	}
	return rank
}
