package report

import (
	"fmt"
	"time"

	"github.com/tracewhy/tracewhy/rca"
)

// details prints what lies below the first screen: modes, dependencies, the course of events, and what
// it cost. What is empty takes no room.
func (p *printer) details(r *rca.Report) {
	section(p, "Failure modes", r.FailureModes, func(m rca.FailureMode) []string {
		texts := commas(m.ID+": "+phrase(" ", m.Service, m.Operation), plural(m.Traces, "trace")+" ("+amount(m.Share, rca.UnitShare)+")", rank(m.RootCauseRank))
		switch {
		case len(m.Conditions) > 0 && m.Coverage.IsKnown() && m.Prevalence.IsKnown():
			texts[len(texts)-1] += ","
			texts = append(append(texts, amount(m.Coverage, rca.UnitShare)+" of them with"), conditions(m.Conditions)...)
			texts = append(texts, "("+amount(m.Prevalence, rca.UnitShare)+" of others)")
		case len(m.Conditions) > 0:
			texts = append(append(texts, "with"), conditions(m.Conditions)...)
		case m.Scope == rca.ScopeUnexplained:
			texts[len(texts)-1] += ","
			texts = append(texts, "no attribute tells them from others")
		}
		return append(texts, traces(m.ExemplarTraceIDs))
	})
	p.dependencies(r.Dependencies)
	p.events(r.Timeline.Events)
	p.impact(&r.Impact)
}

// dependencies prints those that are not as they should be, and counts the others.
func (p *printer) dependencies(all []rca.Dependency) {
	var told []rca.Dependency
	var healthy, unknown int
	for _, d := range all {
		switch d.Grade {
		case "healthy":
			healthy++
		case "unknown":
			unknown++
		default:
			told = append(told, d)
		}
	}
	section(p, "Dependencies", told, func(d rca.Dependency) []string {
		kind := "internal"
		if d.External {
			kind = "external"
		}
		if d.Vendor != d.Name {
			kind = phrase(" ", kind, d.Vendor)
		}
		return commas(d.Name, kind, prefixed("grade ", d.Grade), plural(d.Calls, "call"),
			rate("errors ", d.ErrorRate, rca.UnitShare), some("throttled ", d.ThrottleRate, 0), some("timeouts ", d.TimeoutRate, 0),
			rate("p95 ", d.P95, rca.UnitMillis), some("on the critical path ", d.Influence, 0.001))
	})
	if healthy+unknown == 0 {
		return
	}
	if len(told) == 0 {
		p.blank()
		p.line(piece{bold, "Dependencies"})
	}
	text := ""
	if healthy > 0 {
		text = count(healthy) + " healthy"
	}
	if unknown > 0 {
		text = phrase(", ", text, count(unknown)+" with too few calls to tell")
	}
	p.paragraph("  -", 4, normal, 2, text)
}

// events prints what happened when: by the clock, under the day if it is one.
func (p *printer) events(all []rca.TimelineEvent) {
	if len(all) == 0 {
		return
	}
	day := func(e rca.TimelineEvent) string { return e.Time.UTC().Format(time.DateOnly) }
	heading, layout := "Events", time.DateTime
	if day(all[0]) == day(all[len(all)-1]) {
		heading, layout = "Events of "+day(all[0]), time.TimeOnly
	}
	section(p, heading+", UTC", all, func(e rca.TimelineEvent) []string {
		return []string{e.Time.UTC().Format(layout), e.Kind + prefixed(" ", e.Service) + prefixed(": ", e.What), traces(e.Evidence)}
	})
}

func rank(n int) string {
	if n == 0 {
		return ""
	}
	return "cause " + count(n)
}

func rate(what string, n rca.Number, unit string) string {
	if !n.IsKnown() {
		return ""
	}
	return what + amount(n, unit)
}

// some is rate of a share that is worth its room where it is more than what goes without saying.
func some(what string, n, least rca.Number) string {
	if !(n > least) {
		return ""
	}
	return rate(what, n, rca.UnitShare)
}

func (p *printer) impact(m *rca.Impact) {
	section(p, "Journeys", m.Journeys, func(j rca.JourneyImpact) []string {
		return commas(j.Journey, plural(j.Attempts, "attempt"), count(j.Completed)+" completed", count(j.Abandoned)+" abandoned",
			count(j.Failed)+" failed", prefixed("excess lost ", estimate(j.ExcessLost, "")))
	})
	section(p, "Segments", m.Segments, func(s rca.SegmentImpact) []string {
		return commas(s.Key+" = "+s.Value, "rate "+amount(s.Rate, rca.UnitShare), "excess "+change(s.Excess, rca.UnitShare))
	})
	section(p, "Thresholds", m.Thresholds, func(t rca.Threshold) []string {
		return commas(phrase(" ", t.Journey, t.Operation), "customers give up beyond "+estimate(rca.Interval{Value: t.Threshold, Low: t.Low, High: t.High}, rca.UnitMillis))
	})
	section(p, "Money", m.Money, func(x rca.Money) []string {
		return commas(x.What, x.Horizon, estimate(x.Interval, x.Unit), prefixed("driven by ", x.Driver))
	})
	section(p, "Technical and business rank", m.Ranking, func(x rca.RankChange) []string {
		return commas(phrase(" ", x.Service, x.Operation), fmt.Sprintf("technical %d", x.TechnicalRank), fmt.Sprintf("business %d", x.BusinessRank))
	})
}

// section prints a list under a heading, capped, each entry on at most six lines.
func section[T any](p *printer, heading string, list []T, write func(T) []string) {
	if len(list) == 0 {
		return
	}
	p.blank()
	p.line(piece{bold, heading})
	first, more := capped(list, maxDetails)
	for _, x := range first {
		p.paragraph("  -", 4, normal, 6, write(x)...)
	}
	if more > 0 {
		p.paragraph("", 4, faint, 1, count(more)+" more")
	}
}
