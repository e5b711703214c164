package timeline

import (
	"fmt"
	"slices"
	"time"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/stats/special"
)

func (w *weighing) pro(format string, args ...any) {
	w.out.For = append(w.out.For, fmt.Sprintf(format, args...))
}
func (w *weighing) con(format string, args ...any) {
	w.out.Against = append(w.out.Against, fmt.Sprintf(format, args...))
}

// relation returns how probable it is, before anything is known of times, that what was changed is where the incident
// began.
func (w *weighing) relation() float64 {
	s, g, c := w.item.scope, w.graph, w.out
	name := s.change.Service
	if len(s.nodes) == 0 {
		w.con("no trace shows %q", name)
		return inUnseen
	}
	passed := [2]int{}
	for _, i := range s.nodes {
		for j := range passed {
			passed[j] = max(passed[j], g.passes[i][j])
		}
	}
	c.AffectedShare, c.OtherShare = share(passed[0], g.traces[0]), share(passed[1], g.traces[1])
	coverage := fmt.Sprintf("%s of the affected traces passed %s, and %s of the others", percent(c.AffectedShare), name, percent(c.OtherShare))
	culprit := g.named(w.cfg.Culprit)
	if len(culprit) > 0 {
		below := g.below(culprit)
		above := g.below(s.nodes)
		isBelow := slices.ContainsFunc(s.nodes, func(i int) bool { return below[i] })
		isAbove := slices.ContainsFunc(culprit, func(i int) bool { return above[i] })
		switch {
		case slices.ContainsFunc(s.nodes, func(i int) bool { return slices.Contains(culprit, i) }):
			w.isCulprit = true
			w.pro("it changed %s, which the incident was traced to", name)
			return inCulprit
		case isBelow:
			w.pro("%s depends on %s", w.cfg.Culprit, name)
			return inBelow / float64(max(count1(below), 1))
		case isAbove:
			w.pro("%s calls %s", name, w.cfg.Culprit)
			return inAbove / float64(max(w.numAbove(culprit), 1))
		}
		w.con("no call leads from %s to %s, or back", w.cfg.Culprit, name)
		return inOther
	}
	// Anything that affected traces pass, or that is called from there, may be it.
	suspects := 0
	var passing []int
	for i := range g.nodes {
		if 2*g.passes[i][0] >= g.traces[0] && g.traces[0] > 0 {
			suspects++
			passing = append(passing, i)
		}
	}
	below := g.below(passing)
	switch {
	case c.AffectedShare > 0:
		if c.AffectedShare >= c.OtherShare {
			w.pro("%s", coverage)
		} else {
			w.con("%s", coverage)
		}
		return c.AffectedShare / float64(max(suspects, 1))
	case slices.ContainsFunc(s.nodes, func(i int) bool { return below[i] }):
		w.pro("affected traces passed what calls %s at other times", name)
		return inBelow / float64(max(count1(below), 1))
	}
	w.con("no affected trace passed %s, or what calls it", name)
	return inOther
}

func share(k, n int) float64 {
	if n == 0 {
		return 0
	}
	return float64(k) / float64(n)
}

func count1(is []bool) int {
	n := 0
	for _, x := range is {
		if x {
			n++
		}
	}
	return n
}

// numAbove returns how many nodes call any of these, themselves or through others.
func (w *weighing) numAbove(nodes []int) int {
	n := 0
	for i := range w.graph.nodes {
		if slices.Contains(nodes, i) {
			continue
		}
		below := w.graph.below([]int{i})
		if slices.ContainsFunc(nodes, func(j int) bool { return below[j] }) {
			n++
		}
	}
	return n
}

// rise returns how much more probable what the scope did is if the change did it than if none did.
func (w *weighing) rise() float64 {
	s, x, c := w.item.scope, w.item, w.out
	if len(s.nodes) == 0 {
		return 1
	}
	if len(s.streams) == 0 {
		w.con("%s was executed in %d traces, too few to tell whether anything changed in it", s.change.Service, s.passed)
		return 1
	}
	expected := 0.5 // that it rose at some moment, if no change did it
	if w.isCulprit {
		expected = 1
	}
	evidence, factor := 0.0, 0.0
	var best, clearest struct {
		stream *stream
		rise   *rise
		value  float64
	}
	affected := max(share(w.graph.traces[0], w.graph.traces[0]+w.graph.traces[1]), 0.01)
	for i := range s.streams {
		y := &s.streams[i]
		if len(y.judgements.rises) == 0 {
			n := y.judgements.none()
			l := n / (1 - expected + float64(expected*n))
			evidence += float64(y.weight * l)
			factor += float64(y.weight * l)
			continue
		}
		for j := range y.judgements.rises {
			r := &y.judgements.rises[j]
			l := y.judgements.ofChange(r, x.at, x.until, w.start, w.end)
			e := l / r.mean
			f := l / (1 - expected + float64(expected*r.mean))
			part := y.weight / float64(len(y.judgements.rises))
			evidence += float64(part * e)
			// A rise of fewer executions than traces were affected explains some of these.
			factor += float64(part*f) * min((r.after-r.before)/affected, 1)
			if v := float64(part * e); v > best.value {
				best.stream, best.rise, best.value = y, r, v
			}
			if y.judgements.at[r.at] >= x.at && (clearest.rise == nil || r.mean > clearest.value) {
				clearest.stream, clearest.rise, clearest.value = y, r, r.mean
			}
		}
	}
	c.Evidence = evidence
	if best.rise == nil {
		w.con("nothing of %s rose at any time", s.change.Service)
		return factor
	}
	c.Placebo = best.stream.judgements.placebo(best.rise, x.at, w.start, w.end)
	if evidence < 1 && clearest.rise != nil {
		best = clearest
	}
	t, r := best.stream.judgements, best.rise
	at := t.at[r.at]
	what := fmt.Sprintf("%s of %s rose from %s to %s", best.stream.what(w.traces.Set()), s.change.Service, percent(r.before), percent(r.after))
	since := fmt.Sprintf("at %s", moment(at))
	switch n := t.between(x.at, at); {
	case evidence >= 3 || evidence >= 1 && at >= x.at:
		if at >= x.at {
			c.Rise, c.Dormancy = at, time.Duration(at-x.at)
			since += fmt.Sprintf(", %s after it, with %d executions in between", time.Duration(at-x.at).Round(time.Second), n)
		} else {
			c.Rise, c.Dormancy = x.at, 0
			since += ", when it was made"
		}
		if evidence >= 3 {
			w.pro("%s %s: a change at a random moment fits as well with a probability of %s", what, since, percent(c.Placebo))
		} else {
			w.con("%s %s, which may have other reasons", what, since)
		}
	case at >= x.at:
		c.Rise, c.Dormancy = at, time.Duration(at-x.at)
		w.con("%s %s, and not before, although there were %d executions since the change", what, since, n)
	default:
		w.con("%s %s, before the change", what, since)
	}
	return factor
}

// what says what rose.
func (y *stream) what(set *tracewhy.Set) string {
	text := fmt.Sprintf("failures in %s", y.role)
	switch {
	case y.role == roleMade:
		text = "executions with more calls"
	case y.measure == MeasureLong:
		text = fmt.Sprintf("long durations of %s", y.role)
	case y.measure == MeasureSlow:
		text = fmt.Sprintf("the slowest durations of %s", y.role)
	}
	if y.hasPath {
		text += fmt.Sprintf(" (%s)", set.Path(y.path).Operation())
	}
	return text
}

// none returns the likelihood of a rise at any place, where no place is clear.
func (t *judgements) none() float64 {
	r := rise{to: len(t.at)}
	sum := 0.0
	for cell := 1; cell < len(t.at); cell++ {
		sum += t.likelihoodAt(&r, cell)
	}
	return min(sum/float64(max(len(t.at)-1, 1)), 1)
}

// between returns how many executions there were from one moment to another.
func (t *judgements) between(from, to int64) int {
	i, _ := slices.BinarySearch(t.at, from)
	j, _ := slices.BinarySearch(t.at, to)
	if j < i {
		return 0
	}
	return t.n[j] - t.n[i]
}

// dose returns how much more probable the outcomes of those on and off what was changed are if it mattered than if it
// did not.
func (w *weighing) dose() float64 {
	s, c := w.item.scope, w.out
	if !s.partial() {
		return 1
	}
	roots := map[tracewhy.PathID]int{}
	var tables [][4]int // affected and not, on; affected and not, off
	for _, d := range s.doses {
		if d.at < w.item.at {
			continue
		}
		i, ok := roots[d.root]
		if !ok {
			i = len(tables)
			roots[d.root] = i
			tables = append(tables, [4]int{})
		}
		at := 0
		if !d.on {
			at = 2
		}
		if !d.affected {
			at++
		}
		tables[i][at]++
	}
	evidence := 0.0
	on, off := 0.0, 0.0
	for _, t := range tables {
		c.OnAffected, c.On = c.OnAffected+t[0], c.On+t[0]+t[1]
		c.OffAffected, c.Off = c.OffAffected+t[2], c.Off+t[2]+t[3]
		if t[0]+t[1] == 0 || t[2]+t[3] == 0 {
			continue
		}
		n := float64(t[0] + t[1])
		on += float64(t[0])
		off += n * share(t[2], t[2]+t[3])
		evidence += logBeta(t[0], t[0]+t[1]) + logBeta(t[2], t[2]+t[3]) - logBeta(t[0]+t[2], t[0]+t[1]+t[2]+t[3])
	}
	if c.On < fewestDoses || c.Off < fewestDoses {
		return 1
	}
	text := fmt.Sprintf("%s of %d traces on %s were affected, and %s of %d on others at the same time",
		percent(share(c.OnAffected, c.On)), c.On, w.part(), percent(share(c.OffAffected, c.Off)), c.Off)
	if on > off && evidence > 0 {
		w.pro("%s", text)
		return special.Exp(min(evidence, 20))
	}
	w.con("%s", text)
	if on > off {
		return special.Exp(max(evidence, -5))
	}
	return special.Exp(-min(max(evidence, -evidence, 0), 5))
}

// part names the part of the service that was changed.
func (w *weighing) part() string {
	if c := w.item.scope.change; c.Instance != "" {
		return c.Instance
	} else {
		return c.Service + " " + c.Version
	}
}

// order returns how probable it is that the change came before what it would have set off.
func (w *weighing) order() float64 {
	x, c := w.item, w.out
	if w.first <= w.last && x.at > w.last {
		w.con("the incident had begun before it was made")
		return 0
	}
	if w.hasSymptom && c.Delay > 0 && len(w.item.scope.nodes) > 0 {
		w.pro("it was made %s before transactions became worse", c.Delay.Round(time.Second))
	}
	e, ok := w.firstInChain()
	if !ok || x.at <= e.Last {
		return 1
	}
	w.con("%s before it was made, and affected traces depend on that", e)
	return coincident
}

// firstInChain returns the first certain event on the way to the symptom: something that what broke depends on, or
// affected traces pass, became worse before, and was still so.
func (w *weighing) firstInChain() (Event, bool) {
	if !w.hasSymptom {
		return Event{}, false
	}
	g := w.graph
	inChain := make([]bool, len(g.nodes))
	if culprit := g.named(w.cfg.Culprit); len(culprit) > 0 {
		inChain = g.below(culprit)
		for _, i := range culprit {
			inChain[i] = true
		}
	} else {
		for i := range g.nodes {
			inChain[i] = 2*g.passes[i][0] >= g.traces[0]
		}
	}
	events := w.cfg.Points.Events
	for i, e := range events {
		isMore := e.IsWorse() || e.Measure == MeasureFanout && e.After > e.Before
		if e.Kind != EventPrecursor || !isMore || e.Subject.Kind == SubjectTransactions {
			continue
		}
		n, ok := g.number[node{e.Subject.Service, e.Subject.Kind == SubjectDependency}]
		if !ok || !inChain[n] {
			continue
		}
		isOver := slices.ContainsFunc(events[i+1:], func(f Event) bool {
			return f.Subject == e.Subject && f.Measure == e.Measure && f.Time < w.symptom && f.After < f.Before
		})
		if !isOver {
			return e, true
		}
	}
	return Event{}, false
}

func moment(ns int64) string { return time.Unix(0, ns).UTC().Format(time.RFC3339) }

// name returns what a reader knows a change by.
func (c Change) name() string {
	text := c.Kind
	if c.ID != "" {
		text = fmt.Sprintf("%s %s", c.Kind, c.ID)
	}
	return fmt.Sprintf("%s of %s at %s", text, c.Service, c.Time.UTC().Format(time.RFC3339))
}

// reason says in one sentence which change it was.
func (r *RankResult) reason() string {
	switch {
	case r.Best >= 0:
		c := r.Changes[r.Best]
		text := fmt.Sprintf("%s set it off, with a probability of %s", c.Change.name(), percent(c.Support))
		if c.Change.ID == "" {
			text += "; nobody recorded it"
		}
		return text
	case len(r.Changes) == 0:
		return "no change is known"
	case r.Changes[0].Support > r.None:
		return fmt.Sprintf("several changes may have set it off, %s with a probability of %s, and none of them with one of %s",
			r.Changes[0].Change.name(), percent(r.Changes[0].Support), percent(r.None))
	}
	return fmt.Sprintf("no recorded change explains it, with a probability of %s", percent(r.None))
}
