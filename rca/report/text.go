package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/visible"
	"github.com/tracewhy/tracewhy/rca"
)

// The room that lists get in text: the first screen is for what somebody acts on.
const (
	maxSymptoms = 4
	maxEvidence = 3
	maxRuledOut = 3
	maxOthers   = 3
	maxNext     = 3
	maxWarnings = 3
	maxProblems = 8
	maxDetails  = 5 // of each list below the first screen

	labelColumn = 10
)

// Text writes r for a person: the verdict first, then on one screen what broke, where, for whom, since
// when, how bad, why that is believed, what was ruled out, and what to do next.
func Text(w io.Writer, r *rca.Report, cfg Config) error {
	p := newPrinter(cfg)
	var top *rca.RootCause
	if len(r.RootCauses) > 0 {
		top = &r.RootCauses[0]
	}
	p.verdict(r)
	if top != nil {
		p.cause(r, top)
	}
	p.damage(r, top)
	if top != nil {
		p.argument(top)
		p.otherCauses(r)
	}
	p.nextSteps(r, top)
	p.data(r)
	p.details(r)
	p.exemplars(r, cfg)
	return p.flush(w)
}

// verdict prints the line that answers.
func (p *printer) verdict(r *rca.Report) {
	var wordings []string
	sure := ""
	if len(r.RootCauses) > 0 {
		wordings = titles(&r.RootCauses[0])
		confidence := r.RootCauses[0].Confidence
		if other := otherEnd(r); other != nil {
			confidence += other.Confidence // of what lies between the two
			wordings = []string{between(r.RootCauses[0].Edge)}
		}
		sure = percent(confidence) + " sure"
	}
	switch {
	case r.Verdict == rca.VerdictNoIncident:
		p.headline(calm, "NO INCIDENT", "", "nothing changed beyond chance")
	case r.Verdict == rca.VerdictIncident && sure != "":
		p.headline(alarm, "INCIDENT", sure, wordings...)
	case r.Verdict == rca.VerdictIncident:
		p.headline(alarm, "INCIDENT", "", "something broke, but no cause stands out")
	case r.Verdict == rca.VerdictNeedMore && sure != "":
		for i := range wordings {
			wordings[i] = "best guess: " + wordings[i]
		}
		p.headline(doubt, "NEED MORE", sure, wordings...)
	case r.Verdict == rca.VerdictNeedMore:
		p.headline(doubt, "NEED MORE", "", "the traces do not say what broke")
	default:
		p.headline(doubt, "UNKNOWN", "", "verdict "+string(r.Verdict))
	}
}

// minEnd is the confidence from which on the other end of an edge may be at fault.
const minEnd = 0.05

// otherEnd returns the cause that is the other end of the edge that the first cause is one of, if that may be at fault: of
// what lies between two services the traces often tell that it is there, and not at which end.
func otherEnd(r *rca.Report) *rca.RootCause {
	top := &r.RootCauses[0]
	if top.Edge == nil {
		return nil
	}
	other := top.Edge.From
	if other == top.Service {
		other = top.Edge.To
	}
	for i := range r.RootCauses[1:] {
		if c := &r.RootCauses[1+i]; c.Service == other && c.Confidence >= minEnd && c.Confidence <= 0.5 {
			return c
		}
	}
	return nil
}

func between(e *rca.Edge) string { return e.From + " → " + e.To }

// headline prints the first of some wordings that fits between the verdict and what stands on the right, or the
// beginning of the last.
func (p *printer) headline(s style, verdict, right string, wordings ...string) {
	room := p.width - len(verdict) - 2
	if right != "" {
		room -= len(right) + 2
	}
	what := ""
	for _, w := range wordings {
		if what = Clean(w); visible.Width(what) <= room {
			break
		}
	}
	if right != "" {
		what = visible.Pad(what, room) + "  " + right
	}
	p.line(piece{s, verdict}, piece{bold, "  " + what})
}

// title says in a few words what a cause is, the culprit first.
func title(c *rca.RootCause) string { return titles(c)[0] }

// titles says it in fewer and fewer words.
func titles(c *rca.RootCause) []string {
	culprit, short := phrase(" ", c.Service, c.Operation), c.Service
	if c.Edge != nil {
		culprit = between(c.Edge)
		short = culprit
	}
	mechanism := cmp.Or(c.Mechanism, c.Kind)
	return []string{phrase(": ", culprit, mechanism), phrase(": ", short, mechanism), phrase(": ", short, c.Kind), phrase(": ", c.Service, c.Kind)}
}

// field prints a labelled paragraph, or nothing where there is nothing to say.
func (p *printer) field(label string, texts ...string) {
	p.paragraph(label, labelColumn, normal, 3, texts...)
}

// list prints the first n entries of a list, each as one paragraph of at most three lines, and how many
// more there are. The label stands before the first.
func list[T any](p *printer, label string, s style, all []T, n int, write func(T) []string) {
	first, more := capped(all, n)
	for _, x := range first {
		p.paragraph(visible.Pad(label, labelColumn)+"-", labelColumn+2, s, 3, write(x)...)
		label = ""
	}
	p.more(more)
}

// more says how many entries of a list are left out, if any are.
func (p *printer) more(n int) {
	if n > 0 {
		p.paragraph("", labelColumn+2, faint, 1, count(n)+" more")
	}
}

func (p *printer) cause(r *rca.Report, c *rca.RootCause) {
	p.blank()
	what := c.Service
	if c.Operation != "" {
		what = c.Operation + " in " + c.Service
	}
	if c.Edge != nil {
		what = "the call from " + c.Edge.From + " to " + c.Edge.To + prefixed(", operation ", c.Operation)
	}
	if !slices.ContainsFunc(c.Conditions, func(x rca.Condition) bool { return x.Value == c.Instance }) {
		what += prefixed(", instance ", c.Instance)
	}
	other := otherEnd(r)
	if other != nil {
		p.field("What", what)
		list(p, "Which end", normal, []*rca.RootCause{c, other}, 2, func(x *rca.RootCause) []string {
			return []string{phrase(": ", x.Service, cmp.Or(x.Mechanism, x.Kind)), "(" + percent(x.Confidence) + ")"}
		})
	} else {
		p.paragraph("What", labelColumn, normal, 4, phrase(": ", what, cmp.Or(c.Mechanism, c.Kind)))
	}
	p.paragraph("Where", labelColumn, normal, 7, route(c.Path)...)
	p.field("For whom", whom(c)...)
	owner := c.Owner
	if owner == c.Vendor {
		owner = ""
	}
	p.field("Whose", phrase(", ", c.FaultDomain, prefixed("vendor ", c.Vendor), prefixed("owner ", owner)))
	p.field("Since", since(&r.Timeline))
	if ch := c.Change; ch != nil {
		p.paragraph("Trigger", labelColumn, normal, 5, trigger(ch, r.Timeline.Symptom != nil)...)
	}
}

// whom says whom a cause hits, as far as that is known.
func whom(c *rca.RootCause) []string {
	switch {
	case len(c.Conditions) > 0:
		return conditions(c.Conditions)
	case c.Scope == rca.ScopeEveryone:
		return []string{"nearly all transactions that pass it"}
	case c.Scope == rca.ScopeUndetermined:
		return []string{"too few transactions to tell"}
	}
	return []string{"no recorded attribute singles out the affected"}
}

// trigger says which change set a cause off, and how long it took to show; until transactions suffered only if it is not
// told since when they do.
func trigger(c *rca.ChangeRef, isTold bool) []string {
	after := func(what string, ms rca.Number) string {
		if !ms.IsKnown() || ms < 1000 {
			return ""
		}
		return what + " " + millis(float64(ms)) + " later"
	}
	sure := ""
	if c.Support.IsKnown() {
		sure = percent(c.Support) + " sure"
	}
	seen, suffered := c.Dormancy, c.Delay
	if seen > c.Delay { // they are measured in steps of their own: nobody suffers from what has not begun
		seen = rca.Unknown()
	}
	if isTold {
		suffered = rca.Unknown()
	}
	return commas(phrase(" ", strings.ReplaceAll(c.Kind, "_", " "), c.ID)+" of "+c.Service, moment(c.Time), c.Description, sure,
		after("first seen", seen), after("transactions suffered", suffered))
}

func prefixed(prefix, s string) string {
	if s == "" {
		return ""
	}
	return prefix + s
}

// route writes a path, one text a step; of a long one it keeps the beginning and the end.
func route(path []rca.Step) []string {
	const keep = 3
	var steps []string
	for i, s := range path {
		if len(path) > 2*keep && i >= keep && i < len(path)-keep {
			if i == keep {
				steps = append(steps, "("+plural(len(path)-2*keep, "call")+" more) >")
			}
			continue
		}
		text := phrase(" ", s.Service, s.Operation)
		if i < len(path)-1 {
			text += " >"
		}
		steps = append(steps, text)
	}
	return steps
}

func conditions(all []rca.Condition) []string {
	first, more := capped(all, 4)
	var texts []string
	for i, c := range first {
		text := condition(c)
		if i < len(all)-1 {
			text += " and"
		}
		texts = append(texts, text)
	}
	if more > 0 {
		texts = append(texts, count(more)+" more")
	}
	return texts
}

func condition(c rca.Condition) string {
	text := phrase(" ", c.Key+prefixed(" of ", c.Service), string(c.Op))
	switch v := c.Value.(type) {
	case nil:
		return c.Key + prefixed(" of ", c.Service) + " is " + string(c.Op)
	case string:
		if strings.Contains(v, " ") || v == "" {
			v = `"` + v + `"` // else one could not tell where it ends
		}
		return text + " " + v
	case rca.Number:
		return text + " " + amount(v, "")
	case float64:
		return text + " " + strconv.FormatFloat(v, 'g', -1, 64)
	default:
		return text + " " + fmt.Sprint(v)
	}
}

func moment(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

func since(t *rca.Timeline) string {
	switch {
	case t.Onset == nil && t.Symptom == nil:
		return "not known"
	case t.Onset == nil:
		return "not known; transactions suffer since " + moment(*t.Symptom)
	case t.Symptom == nil, t.Symptom.Sub(*t.Onset) < time.Second:
		return moment(*t.Onset)
	}
	return moment(*t.Onset) + "; transactions suffer since " + later(*t.Onset, *t.Symptom) +
		", " + millis(float64(t.Symptom.Sub(*t.Onset))/1e6) + " later"
}

// later writes a moment after another, without the day if it is the same.
func later(first, t time.Time) string {
	if first, t := first.UTC(), t.UTC(); first.Year() == t.Year() && first.YearDay() == t.YearDay() {
		return t.Format(time.TimeOnly)
	}
	return moment(t)
}

// damage prints what changed, and by how much.
func (p *printer) damage(r *rca.Report, top *rca.RootCause) {
	p.blank()
	pop := &r.Population
	label := "How bad"
	if r.Verdict == rca.VerdictNoIncident {
		label = "Examined"
	}
	if pop.IncidentTraces > 0 {
		p.field(label, fmt.Sprintf("%s of %s failed, %s slow", count(pop.Failing), plural(pop.IncidentTraces, "transaction"), count(pop.Slow)))
		label = ""
	}
	list(p, label, normal, r.Symptoms, maxSymptoms, func(s rca.Symptom) []string {
		return []string{cmp.Or(s.What, s.Kind) + ":", amount(s.Baseline, s.Unit) + " → " + amount(s.Incident, s.Unit) + ",",
			phrase(", ", change(s.Excess, s.Unit), quality(s.Q))}
	})
	if top != nil && top.Attributable.Of != "" && top.Attributable.Value.IsKnown() {
		p.field("", "this cause explains "+estimate(top.Attributable.Interval, rca.UnitShare)+" of "+added(top.Attributable.Of))
	}
}

// added says what there is more of than before, by the kind of the symptom.
func added(kind string) string {
	switch kind {
	case "error":
		return "the added failures"
	case "latency":
		return "the added duration"
	case "structure":
		return "the transactions that changed"
	}
	return "the excess " + kind
}

// argument prints why a cause is believed, and what it is not.
func (p *printer) argument(c *rca.RootCause) {
	p.blank()
	label := "Evidence"
	first, more := capped(c.Evidence, maxEvidence)
	for _, e := range first {
		claim := e.Claim
		numbers := ""
		if e.Low.IsKnown() || e.High.IsKnown() { // else the claim has said it
			numbers = phrase(", ", estimate(e.Interval, e.Unit), quality(e.Q))
		}
		if numbers != "" {
			claim += ":"
		}
		p.paragraph(visible.Pad(label, labelColumn)+"-", labelColumn+2, normal, 6, claim, numbers)
		p.paragraph("", labelColumn+2, faint, 1, traces(e.TraceIDs))
		label = ""
	}
	p.more(more)
	list(p, "Ruled out", normal, c.RuledOut, maxRuledOut, func(x rca.RuledOut) []string {
		return []string{phrase(": ", x.Hypothesis, x.Because)}
	})
}

// traces names the first of some traces.
func traces(ids []string) string {
	switch len(ids) {
	case 0:
		return ""
	case 1:
		return "trace " + ids[0]
	}
	return "trace " + ids[0] + " and " + count(len(ids)-1) + " more"
}

// otherCauses prints what is at fault as well, what else it may be, and how probable it is that it is none of
// these. Of two rivals only one can be more probable than not: a second such cause is of an incident of its own.
func (p *printer) otherCauses(r *rca.Report) {
	p.blank()
	var also, rivals []rca.RootCause
	improbable := 0
	end := otherEnd(r)
	for i, c := range r.RootCauses[1:] {
		switch {
		case c.Confidence > 0.5:
			also = append(also, c)
		case c.Confidence < 0.01:
			improbable++
		case end != &r.RootCauses[1+i]: // else it was told at once
			rivals = append(rivals, c)
		}
	}
	list(p, "Also", normal, also, maxOthers, func(c rca.RootCause) []string {
		texts := []string{title(&c)}
		if len(c.Conditions) > 0 {
			texts = append(append(texts, "for"), conditions(c.Conditions)...)
		}
		return append(texts, "("+percent(c.Confidence)+")")
	})
	list(p, "Or else", normal, rivals, maxOthers, func(c rca.RootCause) []string {
		return []string{title(&c), "(" + percent(c.Confidence) + ")"}
	})
	label := ""
	if len(rivals) == 0 {
		label = "Or else"
	}
	few := ""
	switch {
	case improbable == 1:
		few = "1 other, < 1 %; "
	case improbable > 1:
		few = count(improbable) + " others, each < 1 %; "
	}
	p.field(label, few+percent(r.NoneOfThese)+" that it is none of these")
}

// nextSteps prints what to do about the first cause, and what to look at.
func (p *printer) nextSteps(r *rca.Report, top *rca.RootCause) {
	p.blank()
	if top != nil {
		list(p, "Do now", normal, top.Remediation, maxNext, func(x rca.Remediation) []string {
			return []string{phrase(": ", x.Action, x.Why)}
		})
	}
	list(p, "Next", normal, r.Next, maxNext, func(x rca.NextStep) []string {
		return []string{phrase(": ", x.Query, x.Why)}
	})
}

// data prints what was examined and what is to be known about it.
func (p *printer) data(r *rca.Report) {
	pop := &r.Population
	p.blank()
	p.field("Data", fmt.Sprintf("%s (%s baseline, %s incident), %s",
		plural(pop.Traces, "trace"), count(pop.BaselineTraces), count(pop.IncidentTraces), plural(pop.Spans, "span")))
	if len(r.RootCauses) > 0 {
		p.field("", "in brackets behind numbers: 95 % confidence intervals")
	}
	if len(pop.Problems) > 0 {
		first, more := capped(pop.Problems, maxProblems)
		text := ""
		for _, x := range first {
			text = phrase(", ", text, count(x.Count)+" "+x.Code)
		}
		if more > 0 {
			text += " and " + plural(more, "kind") + " more"
		}
		p.field("", "odd: "+text)
	}
	list(p, "Warnings", doubt, r.Warnings, maxWarnings, func(x tracewhy.Warning) []string {
		text := phrase(": ", x.Code, x.Message)
		if x.Count > 1 && !strings.ContainsAny(x.Message, "0123456789") {
			text += " (" + count(x.Count) + " times)"
		}
		return []string{text}
	})
}
