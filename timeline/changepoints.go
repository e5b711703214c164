package timeline

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/quantity"
)

// ChangePointsConfig adjusts [ChangePoints] and [Split]. Its zero value is the documented default.
type ChangePointsConfig struct {
	Series SeriesConfig
	// Alpha is the probability of a symptom where nothing changed, and the share of events that chance made;
	// 0 means 0.05.
	Alpha float64
	// MinSegment is how many bins a level lasts at least; 0 means 5.
	MinSegment int
	Seed       uint64 // for what is drawn at random: the null distributions
	// Workers bounds how many goroutines are used; 0 means GOMAXPROCS. It never changes the result.
	Workers int
}

// Measure is what of a subject changed.
type Measure uint8

// The measures.
const (
	MeasureFailures Measure = iota // the share of calls that failed
	MeasureLong                    // the share of calls, of those that did not fail, that took longer than half of their path
	MeasureSlow                    // and that took longer than nine in ten of their path
	MeasureCalls                   // how many calls there were in a bin
	MeasureFanout                  // how many calls of a path there were for each execution of its caller
)

// String returns the measure in lower-case words.
func (m Measure) String() string {
	return [...]string{"failures", "calls longer than the median", "slow calls", "calls", "calls for each of its caller"}[min(m, MeasureFanout)]
}

// EventKind says where an event stands among the others.
type EventKind uint8

// The kinds of events. What is earlier or later is so with certainty: the intervals do not overlap.
const (
	EventChange      EventKind = iota // a change, where there is no symptom to relate it to
	EventSymptom                      // transactions became worse
	EventPrecursor                    // something became worse, or busier, before the symptom
	EventConcurrent                   // within what is not known of when the symptom began
	EventPropagation                  // something became worse after the symptom
	EventRecovery                     // something became better
)

// String returns the kind in lower-case words.
func (k EventKind) String() string {
	return [...]string{"change", "symptom", "precursor", "concurrent", "propagation", "recovery"}[min(k, EventRecovery)]
}

// Event is a moment at which something changed.
type Event struct {
	Kind    EventKind
	Subject Subject
	Measure Measure

	// Time is when the bin of the new level begins, in nanoseconds since the Unix epoch. The change lies
	// between First and Last with a probability of 95 %.
	Time, First, Last int64
	// Before and After are the levels: shares of calls, calls in a bin, or calls for each of the caller.
	Before, After float64
	// DurationBefore and DurationAfter are, of long and of slow calls, the median and the 95th percentile of
	// durations: those of half of the bins were shorter.
	DurationBefore, DurationAfter time.Duration
	// P is the probability of as clear a change by chance anywhere in the series of the subject, and Q the
	// share of chance among all events up to this one ([stats.BenjaminiHochberg]).
	P, Q float64
	// Lead is how long before the symptom it was; negative after it, and 0 without a symptom.
	Lead time.Duration
}

// IsWorse reports whether more calls failed or were slow than before.
func (e Event) IsWorse() bool { return e.Measure.isBad() && e.After > e.Before }

// IsBetter reports whether fewer calls failed or were slow than before.
func (e Event) IsBetter() bool { return e.Measure.isBad() && e.After < e.Before }

// isBad reports whether more of the measure is worse.
func (m Measure) isBad() bool { return m <= MeasureSlow }

// String returns the event as "checkout: failures from 0.2 % to 31 % at 2026-11-24T08:45:00Z".
func (e Event) String() string {
	return fmt.Sprintf("%s: %s at %s", e.Subject, e.Levels(), time.Unix(0, e.Time).UTC().Format(time.RFC3339))
}

// Levels returns what changed of the subject, and how much: "failures from 0.2 % to 31 %".
func (e Event) Levels() string {
	switch e.Measure {
	case MeasureCalls:
		return fmt.Sprintf("calls from %.3g to %.3g a bin", e.Before, e.After)
	case MeasureFanout:
		return fmt.Sprintf("calls from %.3g to %.3g for each of its caller", e.Before, e.After)
	}
	text := fmt.Sprintf("%s from %s to %s", e.Measure, quantity.Percent(e.Before), quantity.Percent(e.After))
	switch e.Measure {
	case MeasureLong:
		text += fmt.Sprintf(", median from %v to %v", quantity.Round(e.DurationBefore), quantity.Round(e.DurationAfter))
	case MeasureSlow:
		text += fmt.Sprintf(", p95 from %v to %v", quantity.Round(e.DurationBefore), quantity.Round(e.DurationAfter))
	}
	return text
}

// ChangePointsResult says what changed over the time of the traces, in order.
type ChangePointsResult struct {
	Series *SeriesResult
	Events []Event // by time
	// Symptom is the index of the event at which transactions became worse, or -1. Of several it is the first
	// of the subject with the most transactions that failed, or were slow, beyond what was normal.
	Symptom int
	// Propagation are the pairs of events, of services and dependencies, of which the order is certain and the
	// later one calls the earlier.
	Propagation []Propagation
	Cascades    []Cascade // what events together look like, by when that began
	Tested      int       // how many series were looked at
	// Detectable is the smallest share of failing transactions, in a tenth of the time, that would have been a
	// symptom: 1 where none would.
	Detectable float64
	Warnings   []tracewhy.Warning
}

// Precursors returns the events before the symptom, the one with the longest lead first.
func (r *ChangePointsResult) Precursors() []Event {
	var out []Event
	for _, e := range r.Events {
		if e.Kind == EventPrecursor {
			out = append(out, e)
		}
	}
	slices.SortStableFunc(out, func(x, y Event) int { return cmp.Compare(y.Lead, x.Lead) })
	return out
}

// WarningFewBins says that the traces fill too few bins of time for a change to be seen in.
const WarningFewBins = "timeline_few_bins"

// ChangePoints finds when what changed between the first trace and the last, and relates it to when transactions
// became worse.
//
// The series are those of [Series]. The changes of each are those of an exact partition, tested against a null
// distribution that allows for bursts and for bins that depend on each other. A series of three days or more is
// first compared with itself at the same time of day. Of transactions the probability of any false symptom is
// at most alpha; of all events the expected share of false ones. Changes that are too small to matter are left
// out: less than a doubling, and 5 in a hundred, of failures, 10 in a hundred of slow calls (20 of long ones),
// a hundredth of the median transaction, and a quarter of calls.
//
// That one thing changed before another does not say that it is its cause.
//
// It takes the time of [Series], and for each series of n bins some 100 times O(n log n). Its error is
// [ErrNoTraces] or that of ctx.
func ChangePoints(ctx context.Context, traces tracewhy.Cohort, cfg ChangePointsConfig) (*ChangePointsResult, error) {
	series, err := Series(ctx, traces, cfg.Series)
	if err != nil {
		return nil, err
	}
	d := newDetector(series, cfg)
	if err := d.detect(ctx); err != nil {
		return nil, err
	}
	r := &ChangePointsResult{Series: series, Symptom: -1, Tested: len(d.tests), Detectable: d.detectable(), Warnings: d.warnings()}
	symptom, ok := d.symptom()
	r.Events = d.events(symptom, ok)
	for i, e := range r.Events {
		if e.Kind == EventSymptom && r.Symptom < 0 {
			r.Symptom = i
		}
	}
	r.Propagation = propagation(traces.Set(), r.Events)
	if err := cascades(ctx, traces, r, cfg.Series); err != nil {
		return nil, err
	}
	return r, nil
}

// events returns the events of all series, by time. The symptom is one of them, if there is one.
func (d *detector) events(symptom stage, ok bool) []Event {
	var out []Event
	onset := Event{}
	if ok {
		onset = symptom.onset
	}
	for k := range d.tests {
		t := &d.tests[k]
		isSymptom := ok && t == symptom.test
		if t.q > d.cfg.Alpha && !isSymptom {
			continue
		}
		for i := range t.result.Changes {
			e := d.event(t, i)
			if !d.matters(e) {
				continue
			}
			isOnset := isSymptom && symptom.hasOnset && e.Time == onset.Time
			if ok && symptom.hasOnset {
				e.Lead = time.Duration(onset.Time - e.Time)
				switch {
				case isOnset:
					e.Kind = EventSymptom
				case e.IsBetter():
					e.Kind = EventRecovery
				case e.Last < onset.First:
					e.Kind = EventPrecursor
				case e.First <= onset.Last:
					e.Kind = EventConcurrent
				default:
					e.Kind = EventPropagation
				}
			} else if e.IsBetter() {
				e.Kind = EventRecovery
			}
			out = append(out, e)
		}
	}
	slices.SortStableFunc(out, func(x, y Event) int {
		return cmp.Or(cmp.Compare(x.Time, y.Time), compareSubjects(x.Subject, y.Subject), cmp.Compare(x.Measure, y.Measure))
	})
	return out
}
