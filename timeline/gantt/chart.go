package gantt

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tracewhy/tracewhy/internal/mermaid"
	"github.com/tracewhy/tracewhy/internal/quantity"
	"github.com/tracewhy/tracewhy/internal/visible"
	"github.com/tracewhy/tracewhy/timeline/internal/epoch"
)

// Chart is a picture of what lasted from when until when: bars below each other on one scale of time.
// [OfIncident] and [OfTrace] make such pictures. The zero value is an empty one.
type Chart struct {
	Title string
	Tasks []Task
	Cut   string // what was left out, or ""

	words [len(statusWords)]string // what the statuses mean here; "" for statusWords
}

// Task is one bar, or, where it has no length, a mark at a moment.
type Task struct {
	Section string // tasks of one section are drawn together; "" is one without a name
	Name    string
	Status  Status
	// Start and End are in nanoseconds since the Unix epoch. One that ends before it starts has no length.
	Start, End int64
	// First and Last bound when it started, where that is not certain; both are 0 where it is.
	First, Last int64
}

// Status is how a task is drawn. The names are those of Mermaid.
type Status uint8

// The statuses.
const (
	Plain Status = iota
	Done
	Active
	Critical
)

var (
	statusTags  = [...]string{Plain: "", Done: "done", Active: "active", Critical: "crit"}
	statusWords = [...]string{Plain: "other", Done: "done", Active: "active", Critical: "critical"}
)

func (t Task) isMilestone() bool { return t.End <= t.Start }

func (t Task) isUncertain() bool { return t.First < t.Last }

// grouped returns the tasks with those of each section together, in the order of the first of them. Mermaid draws
// the names of sections at the wrong place where they come back.
func (c *Chart) grouped() []Task {
	first := map[string]int{} // only looked up
	for i, t := range c.Tasks {
		if _, ok := first[t.Section]; !ok {
			first[t.Section] = i
		}
	}
	return slices.SortedStableFunc(slices.Values(c.Tasks), func(x, y Task) int { return cmp.Compare(first[x.Section], first[y.Section]) })
}

// bounds returns the first and the last moment of all tasks.
func (c *Chart) bounds() (lo, hi int64) {
	for i, t := range c.Tasks {
		if i == 0 {
			lo, hi = t.Start, t.Start
		}
		lo, hi = min(lo, t.Start), max(hi, t.Start, t.End)
		if t.isUncertain() {
			lo, hi = min(lo, t.First), max(hi, t.Last)
		}
	}
	return lo, hi
}

// scale is how moments are written: the shortest way that tells them all apart.
type scale struct {
	lo, hi int64
	unit   time.Duration // what moments are rounded to
	// layout is that of package time, or "" where moments are numbers of units from the first on.
	layout string
	// format and axis are the same for Mermaid, the latter in the language of D3.
	format, axis string
}

// scale returns that of the picture: the time of day, with the date where days differ, and numbers where all takes
// less than ten seconds.
func (c *Chart) scale() scale {
	s := scale{unit: time.Minute}
	s.lo, s.hi = c.bounds()
	length := epoch.Distance(s.lo, s.hi)
	isWhole := func(unit time.Duration) bool {
		for _, t := range c.Tasks {
			if t.Start%int64(unit) != 0 || !t.isMilestone() && t.End%int64(unit) != 0 || t.isUncertain() && (t.First%int64(unit) != 0 || t.Last%int64(unit) != 0) {
				return false
			}
		}
		return true
	}
	switch {
	case isWhole(time.Minute):
		s.layout, s.format, s.axis = "15:04", "HH:mm", "%H:%M"
	case isWhole(time.Second), length >= int64(24*time.Hour):
		s.unit, s.layout, s.format, s.axis = time.Second, "15:04:05", "HH:mm:ss", "%H:%M:%S"
	case length >= int64(10*time.Second):
		s.unit, s.layout, s.format, s.axis = time.Millisecond, "15:04:05.000", "HH:mm:ss.SSS", "%H:%M:%S"
	default:
		s.format, s.axis = "x", "%Q" // milliseconds since 1970, which stand for units here
		for s.unit = time.Millisecond; s.unit > 1 && length < 100*int64(s.unit); s.unit /= 1000 {
		}
		return s
	}
	const day = int64(24 * time.Hour)
	if s.lo-epoch.Mod(s.lo, day) != s.hi-epoch.Mod(s.hi, day) {
		s.layout, s.format, s.axis = "2006-01-02 "+s.layout, "YYYY-MM-DD "+s.format, "%m-%d "+s.axis
	}
	return s
}

// at writes a moment for Mermaid.
func (s scale) at(ns int64) string {
	if s.layout == "" {
		return fmt.Sprint(epoch.Distance(s.lo, ns) / int64(s.unit))
	}
	return time.Unix(0, ns).UTC().Format(s.layout)
}

// lasting writes how long something lasted for Mermaid, which takes numbers of one unit.
func (s scale) lasting(start, end int64) string {
	if end <= start {
		return "0m"
	}
	// Both are rounded down, so that what follows each other still does.
	n := max(epoch.Distance(s.lo, end)/int64(s.unit)-epoch.Distance(s.lo, start)/int64(s.unit), 1)
	if s.layout == "" {
		return fmt.Sprintf("%dms", n)
	}
	unit := s.unit
	for _, u := range [...]struct {
		larger time.Duration
		times  int64
	}{{time.Second, 1000}, {time.Minute, 60}, {time.Hour, 60}} {
		if unit < u.larger && n%u.times == 0 {
			n, unit = n/u.times, u.larger
		}
	}
	return fmt.Sprintf("%d%s", n, map[time.Duration]string{time.Millisecond: "ms", time.Second: "s", time.Minute: "m", time.Hour: "h"}[unit])
}

// units is what a title says about numbers.
func (s scale) units() string {
	if s.layout != "" {
		return ""
	}
	return ", in " + strings.TrimPrefix(s.unit.String(), "1")
}

// Mermaid draws it as a gantt of Mermaid, in UTC. When a task began, where that is not certain and takes a
// twentieth of the picture or more, is a row of its own above the task; else it is behind the task's name.
func (c *Chart) Mermaid() string {
	s := c.scale()
	var b strings.Builder
	longest := 0
	for _, t := range c.Tasks {
		longest = max(longest, visible.Width(visible.Clean(t.Section)))
	}
	if longest > 9 { // what the left margin has room for
		fmt.Fprintf(&b, "%%%%{init: {\"gantt\": {\"leftPadding\": %d}}}%%%%\n", min(7*longest+15, 400))
	}
	title := c.Title + s.units()
	if c.Cut != "" {
		title += " – " + c.Cut
	}
	fmt.Fprintf(&b, "gantt\n    title %s\n    dateFormat %s\n    axisFormat %s\n", mermaid.Text(title), s.format, s.axis)
	if s.layout == "" {
		fmt.Fprintf(&b, "    tickInterval %dmillisecond\n", roundNumber(epoch.Distance(s.lo, s.hi)/int64(s.unit)/8))
	}
	b.WriteString("    todayMarker off\n") // times of day are not today's
	section := ""
	for _, t := range c.grouped() {
		if t.Section != section {
			section = t.Section
			fmt.Fprintf(&b, "    section %s\n", mermaid.Text(section))
		}
		name := t.Name
		if t.isUncertain() {
			if epoch.Distance(t.First, t.Last) >= epoch.Distance(s.lo, s.hi)/20 {
				fmt.Fprintf(&b, "    %s :done, %s, %s\n", mermaid.Task("began within"), s.at(t.First), s.lasting(t.First, t.Last))
			} else {
				name += " (" + give(t) + ")"
			}
		}
		tag := statusTags[min(t.Status, Critical)]
		if t.isMilestone() {
			tag = strings.TrimPrefix(tag+", milestone", ", ")
		}
		if tag == "" {
			tag = " " // an empty first field
		}
		fmt.Fprintf(&b, "    %s :%s, %s, %s\n", mermaid.Task(name), tag, s.at(t.Start), s.lasting(t.Start, t.End))
	}
	return b.String()
}

// give writes how far a start may be off.
func give(t Task) string {
	return "± " + quantity.Duration(time.Duration(max(epoch.Distance(t.First, t.Start), epoch.Distance(t.Start, t.Last))))
}

// roundNumber returns the smallest of 1, 2, 5, 10, 20 … that is at least n.
func roundNumber(n int64) int64 {
	for unit := int64(1); unit < 1<<60; unit *= 10 {
		for _, f := range [...]int64{1, 2, 5} {
			if f*unit >= n {
				return f * unit
			}
		}
	}
	return 1 << 60
}
