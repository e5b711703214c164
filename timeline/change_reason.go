package timeline

import (
	"fmt"
	"slices"
	"time"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/quantity"
	"github.com/tracewhy/tracewhy/internal/stats/special"
	"github.com/tracewhy/tracewhy/timeline/internal/epoch"
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
	coverage := fmt.Sprintf("%s of the affected traces passed %s, and %s of the others", quantity.Percent(c.AffectedShare), name, quantity.Percent(c.OtherShare))
	base := 0.0
	if culprit := g.named(w.cfg.Culprit); len(culprit) > 0 {
		var how string
		base, how = w.relationTo(culprit, w.cfg.Culprit)
		w.isCulprit = base == inCulprit
		if base > inOther {
			w.pro("%s", how)
		} else {
			w.con("%s", how)
		}
	} else {
		// Anything that affected traces pass, or that is called from there, may be it.
		passing := w.passing()
		below := g.below(passing)
		switch {
		case c.AffectedShare > 0:
			base = max(attributable(c.AffectedShare, c.OtherShare)/float64(max(len(passing), 1)), inOther)
			if c.AffectedShare >= c.OtherShare {
				w.pro("%s", coverage)
			} else {
				w.con("%s", coverage)
			}
		case slices.ContainsFunc(s.nodes, func(i int) bool { return below[i] }):
			base = inBelow / float64(max(count1(below), 1))
			w.pro("affected traces passed what calls %s at other times", name)
		default:
			base = inOther
			w.con("no affected trace passed %s, or what calls it", name)
		}
	}
	// What became worse first, of all that affected traces depend on, is where it began, or near.
	e, at, ok := w.chain.event, w.chain.at, w.chain.known
	switch {
	case !ok:
		return base
	case w.item.at > e.Last:
		w.con("%s, before it was made, and affected traces depend on that", e)
		return coincident * base
	}
	near, how := w.relationTo([]int{at}, e.Subject.Service)
	if near == inCulprit {
		w.pro("it changed what became worse before anything else that affected traces depend on: %s", e)
	} else if near == inOther {
		w.con("%s, before anything else that affected traces depend on, and %s", e, how)
	}
	return float64(coincident*base) + float64((1-coincident)*near)
}

// otherReasons is the share of traces that may be affected for reasons of their own.
const otherReasons = 0.05

// attributable returns the share of affected traces that passing something explains: the attributable fraction (M. Levin,
// 1953), (a - o) / (1 - o) for the shares of affected traces, and of others, that passed it. What nearly all traces pass
// cannot be told from what all pass.
func attributable(affected, other float64) float64 {
	return max((affected-other+otherReasons)/(1-other+otherReasons), 0)
}

// relationTo returns how probable it is that what is seen to be wrong of some nodes began in what was changed, and why.
func (w *weighing) relationTo(nodes []int, name string) (float64, string) {
	s, g := w.item.scope, w.graph
	below, above := g.below(nodes), g.below(s.nodes)
	switch {
	case slices.ContainsFunc(s.nodes, func(i int) bool { return slices.Contains(nodes, i) }):
		return inCulprit, fmt.Sprintf("it changed %s, which the incident was traced to", name)
	case slices.ContainsFunc(s.nodes, func(i int) bool { return below[i] }):
		return inBelow / float64(max(count1(below), 1)), fmt.Sprintf("%s depends on %s", name, s.change.Service)
	case s.begins && slices.ContainsFunc(nodes, func(i int) bool { return above[i] }):
		return inCulprit, fmt.Sprintf("traces that pass %s begin in %s", name, s.change.Service)
	case slices.ContainsFunc(nodes, func(i int) bool { return above[i] }):
		return inAbove / float64(max(w.numAbove(nodes), 1)), fmt.Sprintf("%s calls %s", s.change.Service, name)
	}
	return inOther, fmt.Sprintf("no call leads from %s to %s, or back", name, s.change.Service)
}

// passing returns what at least half of the affected traces passed.
func (k *ranking) passing() []int {
	var out []int
	for i, n := range k.graph.passes {
		if 2*n[0] >= k.graph.traces[0] && k.graph.traces[0] > 0 {
			out = append(out, i)
		}
	}
	return out
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
func (k *ranking) numAbove(nodes []int) int {
	key := fmt.Sprint(nodes)
	if n, ok := k.above[key]; ok {
		return n
	}
	n := 0
	for i := range k.graph.nodes {
		if slices.Contains(nodes, i) {
			continue
		}
		below := k.graph.below([]int{i})
		if slices.ContainsFunc(nodes, func(j int) bool { return below[j] }) {
			n++
		}
	}
	k.above[key] = n
	return n
}

// rise returns how much more probable what the scope did is if the change did it than if none did.
func (w *weighing) rise() float64 {
	s, x, c := w.item.scope, w.item, w.out
	if len(s.nodes) == 0 {
		return w.onset()
	}
	if len(s.streams) == 0 {
		w.con("%s was executed in %d traces, too few to tell whether anything changed in it", s.change.Service, s.passed)
		return w.onset()
	}
	delay := &usualDelay
	if s.spared {
		delay = &expiryDelay
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
		word   string
	}
	affected := max(share(w.graph.traces[0], w.graph.traces[0]+w.graph.traces[1]), 0.01)
	for i := range s.streams {
		y := &s.streams[i]
		likely, word := w.vocabulary.factor(&x.spoken, y.mechanism(w.ranking, s), y.operation(w.traces.Set()))
		for j := range y.judgements.rises {
			r := &y.judgements.rises[j]
			if r.weight == 0 {
				continue
			}
			if r.isFlat() || r.late {
				evidence += r.weight // any place is as improbable as all are on average
				continue
			}
			l := y.judgements.ofChange(r, x.at, x.until, delay)
			e := l / r.mean
			evidence += float64(r.weight * e)
			// A rise of fewer executions than traces were affected explains some of these.
			explains := max(min(r.size/affected, 1), 0)
			factor += likely * float64(r.weight*explains) * firstHand[y.role] * l / (float64((1-expected)*r.none) + float64(expected*r.mean))
			if v := float64(r.weight * e); v > best.value {
				best.stream, best.rise, best.value, best.word = y, r, v, word
			}
			if y.judgements.at[r.at] >= x.at && (clearest.rise == nil || r.weight > clearest.value) {
				clearest.stream, clearest.rise, clearest.value = y, r, r.weight
			}
		}
	}
	factor = float64((1-hidden)*factor)/w.byChance + float64(hidden*w.onset())
	c.Evidence = evidence
	if best.rise == nil {
		w.con("nothing of %s rose, or only after transactions had become worse", s.change.Service)
		return factor
	}
	c.Placebo = w.moments.placebo(best.stream.judgements, best.rise, x.at)
	if evidence < 1 && clearest.rise != nil {
		best = clearest
	}
	t, r := best.stream.judgements, best.rise
	at := t.at[r.at]
	if best.word != "" && at >= x.at {
		w.pro("its description speaks of that: %q", best.word)
	}
	what := fmt.Sprintf("%s rose from %s to %s", best.stream.what(w.traces.Set(), s.change.Service), quantity.Percent(r.before), quantity.Percent(r.after))
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
			w.pro("%s %s: a change at a random moment fits as well with a probability of %s", what, since, quantity.Percent(c.Placebo))
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

// hidden is the share of changes whose effect on what was changed spans do not show: as when it is the others that wait
// for what they share with it.
const hidden = 0.1

const ofRollout = 10 // moments of a change that took some time, or of which only bounds are known

// onset returns how much more probable it is that transactions became worse when they did if the change set that off
// than if it was made by chance, and 1 at most: changes are made in bursts, and when something is about to fail, so that
// nearness alone is no evidence for one, while a long time is against it.
func (w *weighing) onset() float64 {
	if w.first > w.last {
		return 1
	}
	// The moment is not known better than by what the roll-out takes.
	from, to := w.first, max(w.last, epoch.Add(w.first, int64(rolling)))
	sum := 0.0
	for i := range ofRollout {
		at := epoch.Add(w.item.at, int64(float64(epoch.Distance(w.item.at, w.item.until))*(float64(i)+0.5)/ofRollout))
		sum += usualDelay.between(at, from, to) / ofRollout
	}
	return min(sum*w.moments.length/float64(epoch.Distance(from, to))/w.byChance, 1)
}

// what says what rose, of a thing of some name.
func (y *stream) what(set *tracewhy.Set, name string) string {
	var text string
	switch y.role {
	case roleOwn:
		text = [...]string{"failures that began in %s", "long work of %s", "slow work of %s"}[y.measure]
	case roleIn:
		text = [...]string{"failures of calls to %s", "long calls to %s", "slow calls to %s"}[y.measure]
	case roleOut:
		text = [...]string{"failures of calls that %s made", "long calls that %s made", "slow calls that %s made"}[y.measure]
	case roleAsks:
		text = "traces that began in %s and passed what was asked for too much, of all,"
	case roleMade:
		text = "requests for which many calls were made, by %s or with it,"
	}
	text = fmt.Sprintf(text, name)
	if y.hasPath {
		text += fmt.Sprintf(" (%s)", set.Path(y.path).Operation())
	}
	return text
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
		quantity.Percent(share(c.OnAffected, c.On)), c.On, w.part(), quantity.Percent(share(c.OffAffected, c.Off)), c.Off)
	if on > off && evidence > 0 {
		w.pro("%s", text)
		return special.Exp(min(evidence, mostDose))
	}
	w.con("%s", text)
	if on > off {
		return special.Exp(max(evidence, -5))
	}
	return special.Exp(-min(max(evidence, -evidence, 0), 5))
}

// mostDose is the logarithm of how much a dose says at most: traces at one time depend on each other.
const mostDose = 3.4

// part names the part of the service that was changed.
func (w *weighing) part() string {
	if c := w.item.scope.change; c.Instance != "" {
		return c.Instance
	} else {
		return c.Service + " " + c.Version
	}
}

// isLate reports whether the change was made after what it would have set off.
func (w *weighing) isLate() bool {
	if w.first <= w.last && w.item.at > w.last {
		w.con("the incident had begun before it was made")
		return true
	}
	if w.hasSymptom && w.out.Delay > 0 && len(w.item.scope.nodes) > 0 {
		w.pro("it was made %s before transactions became worse", w.out.Delay.Round(time.Second))
	}
	return false
}

// firstInChain returns the first certain event on the way to the symptom, and where it was: something that what broke
// depends on, or affected traces pass, became worse before, and was still so.
func (k *ranking) firstInChain() (Event, int, bool) {
	if !k.hasSymptom {
		return Event{}, 0, false
	}
	g := k.graph
	nodes := g.named(k.cfg.Culprit)
	if len(nodes) == 0 {
		nodes = k.passing()
	}
	inChain := g.below(nodes)
	for _, i := range nodes {
		inChain[i] = true
	}
	events := k.cfg.Points.Events
	best, at, found := Event{}, 0, false
	for i, e := range events {
		if e.Kind != EventPrecursor || !e.IsWorse() || e.Subject.Kind == SubjectTransactions {
			continue
		}
		n, ok := g.number[node{e.Subject.Service, e.Subject.Kind == SubjectDependency}]
		if !ok || !inChain[n] {
			continue
		}
		isOver := slices.ContainsFunc(events[i+1:], func(f Event) bool {
			return f.Subject == e.Subject && f.Measure == e.Measure && f.Time < k.symptom && f.After < f.Before
		})
		switch {
		case isOver:
		case !found:
			best, at, found = e, n, true
		case e.First <= best.Last && n != at && g.below([]int{at})[n]:
			best, at = e, n // of what may have begun together, what the other waits for
		}
	}
	return best, at, found
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
		text := fmt.Sprintf("%s set it off, with a probability of %s", c.Change.name(), quantity.Percent(c.Support))
		if c.Change.ID == "" {
			text += "; nobody recorded it"
		}
		return text
	case len(r.Changes) == 0:
		return "no change is known"
	case r.Changes[0].Support > r.None:
		return fmt.Sprintf("several changes may have set it off, %s with a probability of %s, and none of them with one of %s",
			r.Changes[0].Change.name(), quantity.Percent(r.Changes[0].Support), quantity.Percent(r.None))
	}
	return fmt.Sprintf("no recorded change explains it, with a probability of %s", quantity.Percent(r.None))
}
