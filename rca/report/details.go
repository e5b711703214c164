package report

import (
	"fmt"

	"github.com/tracewhy/tracewhy/rca"
)

// details prints what lies below the first screen: modes, dependencies, the course of events, and what
// it cost. What is empty takes no room.
func (p *printer) details(r *rca.Report) {
	section(p, "Failure modes", r.FailureModes, func(m rca.FailureMode) []string {
		unexplained := ""
		if m.Scope == rca.ScopeUnexplained {
			unexplained = "no attribute tells them from others"
		}
		texts := commas(m.ID, phrase(" ", m.Service, m.Operation), plural(m.Traces, "trace")+" ("+quantity(m.Share, "share")+")", rank(m.RootCauseRank), unexplained)
		if len(m.Conditions) > 0 {
			texts = append(append(texts, "where"), conditions(m.Conditions)...)
		}
		if m.Coverage.IsKnown() && m.Prevalence.IsKnown() {
			texts = append(texts, "("+quantity(m.Coverage, "share")+" of them, "+quantity(m.Prevalence, "share")+" of others)")
		}
		return append(texts, traces(m.ExemplarTraceIDs))
	})
	section(p, "Dependencies", r.Dependencies, func(d rca.Dependency) []string {
		kind := "internal"
		if d.External {
			kind = "external"
		}
		if d.Vendor != d.Name {
			kind = phrase(" ", kind, d.Vendor)
		}
		return commas(d.Name, kind, prefixed("grade ", d.Grade), plural(d.Calls, "call"),
			rate("errors ", d.ErrorRate, "share"), some("throttled ", d.ThrottleRate, 0), some("timeouts ", d.TimeoutRate, 0),
			rate("p95 ", d.P95, "ms"), some("influence ", d.Influence, 0.001))
	})
	section(p, "Events", r.Timeline.Events, func(e rca.TimelineEvent) []string {
		return []string{moment(e.Time), e.Kind + prefixed(" ", e.Service) + prefixed(": ", e.What), traces(e.Evidence)}
	})
	p.impact(&r.Impact)
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
	return what + quantity(n, unit)
}

// some is rate of a share that is worth its room where it is more than what goes without saying.
func some(what string, n, least rca.Number) string {
	if !(n > least) {
		return ""
	}
	return rate(what, n, "share")
}

func (p *printer) impact(m *rca.Impact) {
	section(p, "Journeys", m.Journeys, func(j rca.JourneyImpact) []string {
		return commas(j.Journey, plural(j.Attempts, "attempt"), count(j.Completed)+" completed", count(j.Abandoned)+" abandoned",
			count(j.Failed)+" failed", prefixed("excess lost ", estimate(j.ExcessLost, "")))
	})
	section(p, "Segments", m.Segments, func(s rca.SegmentImpact) []string {
		return commas(s.Key+" = "+s.Value, "rate "+quantity(s.Rate, "share"), "excess "+change(s.Excess, "share"))
	})
	section(p, "Thresholds", m.Thresholds, func(t rca.Threshold) []string {
		return commas(phrase(" ", t.Journey, t.Operation), "customers give up beyond "+estimate(rca.Interval{Value: t.Threshold, Low: t.Low, High: t.High}, "ms"))
	})
	section(p, "Money", m.Money, func(x rca.Money) []string {
		return commas(x.What, x.Horizon, estimate(x.Interval, x.Unit), prefixed("driven by ", x.Driver))
	})
	section(p, "Technical and business rank", m.Ranking, func(x rca.RankChange) []string {
		return commas(phrase(" ", x.Service, x.Operation), fmt.Sprintf("technical %d", x.TechnicalRank), fmt.Sprintf("business %d", x.BusinessRank))
	})
}

// section prints a list under a heading, capped, each entry on at most four lines.
func section[T any](p *printer, heading string, list []T, write func(T) []string) {
	if len(list) == 0 {
		return
	}
	p.blank()
	p.line(piece{bold, heading})
	first, more := capped(list, maxDetails)
	for _, x := range first {
		p.paragraph("  -", 4, normal, 4, write(x)...)
	}
	if more > 0 {
		p.paragraph("", 4, faint, 1, count(more)+" more")
	}
}
