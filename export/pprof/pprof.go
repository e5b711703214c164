// Package pprof makes profiles of traces, for the tools that read those of programs: what a flame graph
// says of functions, it then says of the calls between services.
//
//	p := pprof.New(set.Source("incident"), pprof.Config{})
//	err := p.Write(file) // then: go tool pprof -http=: FILE
//
//	p = pprof.Diff(set.Source("baseline"), set.Source("incident"), pprof.Config{})
//
// A sample stands for the spans of one call path ([tracewhy.Path]) that failed, or for those that did
// not, and its stack is the chain of calls from the root. A function is "service operation", its file is
// the service, so that "pprof -files" adds up by service. The labels of a sample are service, kind, and
// failed=true where it did. A sample has four values, which count a trace as often as its weight says:
//
//   - critical_path, in nanoseconds, for how long the end of the trace was waiting for those spans
//     themselves ([tracewhy.Trace.CriticalPath]); it adds up to the durations of the primary roots;
//   - self_time, in nanoseconds, what the spans did on their own ([tracewhy.Span.SelfTime]), whether
//     something waited for it or not;
//   - spans, how many there are;
//   - errors, how many of them failed ([tracewhy.Span.Failed]).
//
// The first is what pprof shows unless -sample_index names another. Where a chain begins at spans whose
// parent is missing, its root is the function [MissingParent].
//
// The same traces give the same bytes. It takes time in O(n log n) for n spans, and memory for the
// samples.
package pprof

import (
	"github.com/google/pprof/profile"

	"github.com/tracewhy/tracewhy"
)

// MissingParent is the function that stands for callers which have no span in the data.
const MissingParent = "(parent missing)"

// Config says what a profile counts. The zero Config counts the traces as they are.
type Config struct {
	// Traces, if positive, is how many traces to scale the values to. Profiles of cohorts of different
	// sizes can be compared, with -diff_base for example, if they are scaled to the same number.
	Traces float64
}

// New returns the profile of a cohort.
func New(c tracewhy.Cohort, cfg Config) *profile.Profile {
	b := newBuilder()
	b.add(c, scale(c, cfg.Traces), false)
	return b.profile(c)
}

// Diff returns the profile of incident minus that of baseline, which is first scaled to as many traces
// as the incident has, or both to those of the Config. So a value says how much more time the traces of
// the incident spent there than as many traces of better times; it is below zero where they spent less.
// A baseline without traces counts as nothing. The cohorts may be of different Sets.
//
// pprof takes it for what its -diff_base makes of two profiles: percentages are those of the baseline.
func Diff(baseline, incident tracewhy.Cohort, cfg Config) *profile.Profile {
	traces := cfg.Traces
	if traces <= 0 {
		traces = incident.Weight()
	}
	b := newBuilder()
	b.add(incident, scale(incident, traces), false)
	b.add(baseline, -scale(baseline, traces), true)
	return b.profile(incident)
}

// scale returns what to multiply the values of a cohort with, for as many traces.
func scale(c tracewhy.Cohort, traces float64) float64 {
	if traces <= 0 || c.Len() == 0 {
		return 1
	}
	return traces / c.Weight()
}
