package rca

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/timeline"
)

// told are the kinds of things that a report tells the history of: instances and paths are many, and say little more.
var told = []timeline.SubjectKind{timeline.SubjectTransactions, timeline.SubjectService, timeline.SubjectDependency}

// maxEvents is how many events a report lists.
const maxEvents = 20

// history is what changed when, of the recording that the incident is part of.
type history struct {
	traces tracewhy.Cohort
	points *timeline.ChangePointsResult
}

// newHistory finds what changed when: in the recording, if one is given, else in the traces of the incident, after those
// of the baseline if these come first.
func newHistory(ctx context.Context, baseline, incident tracewhy.Cohort, cfg Config) (*history, error) {
	h := &history{traces: incident}
	if cfg.Recording.Set() != nil {
		h.traces = cfg.Recording
		return h, h.read(ctx, cfg)
	}
	_, end, known := window(baseline)
	start, _, ok := window(incident)
	if known = known && ok && end <= start; known {
		h.traces = baseline.Or(incident)
	}
	if err := h.read(ctx, cfg); err != nil || !known {
		return h, err
	}
	h.notBefore(start)
	return h, nil
}

func (h *history) read(ctx context.Context, cfg Config) error {
	points, err := timeline.ChangePoints(ctx, h.traces, timeline.ChangePointsConfig{
		Series: timeline.SeriesConfig{Outcome: cfg.Outcome, Kinds: told}, Alpha: cfg.Alpha, Workers: cfg.Workers,
	})
	if errors.Is(err, timeline.ErrNoTraces) { // none with a time
		points, err = &timeline.ChangePointsResult{Symptom: -1}, nil
	}
	h.points = points
	return err
}

// notBefore holds against what was found in the baseline as well that these are said to be better times. What became
// worse in them is not what the incident is about; and of a change that may have come with the first trace of the
// incident, that is the moment to name.
func (h *history) notBefore(start int64) {
	for i := range h.points.Events {
		e := &h.points.Events[i]
		if e.IsWorse() && e.Time < start && e.Last >= start {
			e.Time = start
		}
	}
	if h.hasSymptom() && h.points.Events[h.points.Symptom].Time < start {
		h.points.Symptom = -1
	}
}

func (h *history) hasSymptom() bool { return h.points.Symptom >= 0 }

// window returns when the traces of a cohort began, the first and the last; a hundredth of them on either side may
// have clocks that are wrong.
func window(cohort tracewhy.Cohort) (first, last int64, ok bool) {
	starts := make([]int64, 0, cohort.Len())
	for t := range cohort.Traces() {
		if start, _, ok := t.Interval(); ok {
			starts = append(starts, start)
		}
	}
	if len(starts) == 0 {
		return 0, 0, false
	}
	slices.Sort(starts)
	stray := len(starts) / 100
	return starts[stray], starts[len(starts)-1-stray], true
}

func moment(ns int64) time.Time { return time.Unix(0, ns).UTC() }

// timeline fills the report's, and says since when its first cause is at work.
func (h *history) timeline(r *Report) {
	if !h.hasSymptom() {
		return
	}
	symptom := h.points.Events[h.points.Symptom]
	at := moment(symptom.Time)
	r.Timeline.Symptom = &at
	onset := symptom
	events := h.events(r)
	shown := h.shown(events)
	for i, e := range events {
		isCause := len(r.RootCauses) > 0 && e.Subject.Service == r.RootCauses[0].Service
		kind := "propagation"
		switch {
		case e.Kind == timeline.EventPrecursor:
			kind = "precursor"
		case e.Kind == timeline.EventRecovery:
			kind = "recovery"
		case e.Subject.Kind == timeline.SubjectTransactions && e.IsWorse():
			kind = "impact"
		}
		if isCause && e.IsWorse() && (e.Kind == timeline.EventPrecursor || e.Kind == timeline.EventConcurrent) {
			kind = "onset"
			if e.Time < onset.Time {
				onset = e
			}
		}
		r.Timeline.Events = append(r.Timeline.Events, TimelineEvent{
			Time: moment(e.Time), Kind: kind, Service: e.Subject.Service, What: what(e), Evidence: shown[i],
		})
	}
	began := moment(onset.Time)
	r.Timeline.Onset = &began
}

// maxShown is how many traces an event names.
const maxShown = 3

// shown returns, by event, the ids of the first traces of the new level that show it: in which something of its
// subject failed, or took longer than it mostly did before.
func (h *history) shown(events []timeline.Event) [][]string {
	type trace struct {
		start int64
		id    tracewhy.TraceID
	}
	first := make([][]trace, len(events))
	byService := map[string][]int{} // only looked up
	for i, e := range events {
		if e.IsWorse() {
			byService[e.Subject.Service] = append(byService[e.Subject.Service], i)
		}
	}
	order := func(x, y trace) int { return cmp.Or(cmp.Compare(x.start, y.start), bytes.Compare(x.id[:], y.id[:])) }
	for t := range h.traces.Traces() {
		start, _, ok := t.Interval()
		if !ok {
			continue
		}
		found := map[int]bool{}
		look := func(s tracewhy.Span, name string, isTransaction, isPeer bool) {
			for _, i := range byService[name] {
				e := &events[i]
				if found[i] || start < e.Time || isTransaction != (e.Subject.Kind == timeline.SubjectTransactions) ||
					isPeer != (e.Subject.Kind == timeline.SubjectDependency) || e.Subject.HasPath && e.Subject.Path != s.Path().ID() {
					continue
				}
				if e.Measure == timeline.MeasureFailures && s.Failed() || e.Measure != timeline.MeasureFailures && s.Duration() > e.DurationBefore {
					found[i] = true
					at, _ := slices.BinarySearchFunc(first[i], trace{start, t.ID()}, order)
					if first[i] = slices.Insert(first[i], at, trace{start, t.ID()}); len(first[i]) > maxShown {
						first[i] = first[i][:maxShown]
					}
				}
			}
		}
		root := t.Root()
		look(root, "", true, false)
		look(root, root.Service(), true, false)
		for s := range t.Spans() {
			look(s, s.Service(), false, false)
			if peer, _ := s.Peer(); peer != "" && !s.HasChildren() {
				look(s, peer, false, true)
			}
		}
	}
	out := make([][]string, len(events))
	for i, list := range first {
		for _, x := range list {
			out[i] = append(out[i], x.id.String())
		}
	}
	return out
}

// what says what happened, and how exactly its time is known.
func what(e timeline.Event) string {
	text := e.Subject.String() + ": " + e.Levels()
	if e.Subject.String() == e.Subject.Service {
		text = e.Levels()
	}
	if e.Last > e.First {
		layout := time.TimeOnly
		if first, last := moment(e.First), moment(e.Last); first.YearDay() != last.YearDay() || first.Year() != last.Year() {
			layout = time.DateTime
		}
		text += fmt.Sprintf(" (between %s and %s)", moment(e.First).Format(layout), moment(e.Last).Format(layout))
	}
	return text
}

// events chooses what a report tells: of transactions, services and what they call the first time
// that each became worse, and the last that it became better. That something was asked more or less often says much
// of all transactions, and of the first cause; of others it mostly is a consequence of the mix.
func (h *history) events(r *Report) []timeline.Event {
	cause := ""
	if len(r.RootCauses) > 0 {
		cause = r.RootCauses[0].Service
	}
	type key struct {
		subject    string
		isRecovery bool
	}
	known := map[key]int{} // the index in out; only looked up
	var out []timeline.Event
	for i, e := range h.points.Events {
		isCount := e.Measure == timeline.MeasureCalls || e.Measure == timeline.MeasureFanout
		isAll := e.Subject.Kind == timeline.SubjectTransactions && !e.Subject.HasPath
		if isCount && !isAll && (cause == "" || e.Subject.Service != cause) {
			continue
		}
		k := key{fmt.Sprint(e.Subject.Kind, e.Subject), e.Kind == timeline.EventRecovery}
		if at, ok := known[k]; ok {
			if k.isRecovery {
				out[at] = e
			}
			if i != h.points.Symptom {
				continue
			}
		}
		known[k] = len(out)
		out = append(out, e)
	}
	// The nearest to the symptom say most.
	if len(out) > maxEvents {
		symptom := h.points.Events[h.points.Symptom].Time
		rank := func(e timeline.Event) int {
			switch {
			case e.Kind == timeline.EventSymptom || e.Subject.Service == cause && cause != "":
				return 0
			case e.Subject.Kind == timeline.SubjectTransactions, e.Subject.Kind == timeline.SubjectService, e.Subject.Kind == timeline.SubjectDependency:
				return 1
			}
			return 2
		}
		slices.SortStableFunc(out, func(x, y timeline.Event) int {
			return cmp.Or(cmp.Compare(rank(x), rank(y)), cmp.Compare(max(x.Time-symptom, symptom-x.Time), max(y.Time-symptom, symptom-y.Time)))
		})
		out = out[:maxEvents]
	}
	slices.SortStableFunc(out, func(x, y timeline.Event) int { return cmp.Compare(x.Time, y.Time) })
	return out
}
