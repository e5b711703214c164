package rca

import (
	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/timeline"
)

// maxExemplars is how many traces a claim names.
const maxExemplars = 5

// exemplars returns ids of traces spread evenly over the cohort.
func exemplars(cohort tracewhy.Cohort) []string {
	n := min(cohort.Len(), maxExemplars)
	var ids []string
	i := 0
	for t := range cohort.Traces() {
		if len(ids) < n && i == len(ids)*cohort.Len()/n {
			ids = append(ids, t.ID().String())
		}
		i++
	}
	return ids
}

// sinceOnset leaves out traces that began before the suspect became worse, where it is known when. Some are slow at all
// times, and show nothing of the incident.
func (c *cause) sinceOnset(cohort tracewhy.Cohort) tracewhy.Cohort {
	onset, known := c.history.onsetOf(c.service)
	if !known {
		return cohort
	}
	since := cohort.Select(func(t tracewhy.Trace) bool {
		start, _, ok := t.Interval()
		return ok && start >= onset
	})
	if since.Len() == 0 {
		return cohort
	}
	return since
}

// onsetOf returns when a service became worse for the first time, of what may have to do with the symptom, or else when
// the symptom began.
func (h *history) onsetOf(service string) (int64, bool) {
	if !h.hasSymptom() {
		return 0, false
	}
	onset := h.points.Events[h.points.Symptom].Time
	for _, e := range h.points.Events {
		if e.Subject.Service == service && e.IsWorse() && (e.Kind == timeline.EventPrecursor || e.Kind == timeline.EventConcurrent) {
			onset = min(onset, e.Time)
		}
	}
	return onset, true
}
