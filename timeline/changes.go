package timeline

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/parallel"
	"github.com/tracewhy/tracewhy/internal/stats"
)

// ChangesConfig adjusts [Changes] and [Split]. Its zero value is the documented default.
type ChangesConfig struct {
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
)

// String returns the measure in lower-case words.
func (m Measure) String() string {
	return [...]string{"failures", "calls longer than the median", "slow calls", "calls"}[min(m, MeasureCalls)]
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
	// Before and After are the levels: shares of calls, or calls in a bin.
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
func (e Event) IsWorse() bool { return e.Measure != MeasureCalls && e.After > e.Before }

// String returns the event as "checkout: failures from 0.2 % to 31 % at 2026-11-24T08:45:00Z".
func (e Event) String() string {
	text := fmt.Sprintf("%s: %s from %s to %s", e.Subject, e.Measure, percent(e.Before), percent(e.After))
	switch e.Measure {
	case MeasureCalls:
		text = fmt.Sprintf("%s: calls from %.3g to %.3g a bin", e.Subject, e.Before, e.After)
	case MeasureLong:
		text += fmt.Sprintf(", median from %v to %v", rounded(e.DurationBefore), rounded(e.DurationAfter))
	case MeasureSlow:
		text += fmt.Sprintf(", p95 from %v to %v", rounded(e.DurationBefore), rounded(e.DurationAfter))
	}
	return text + " at " + time.Unix(0, e.Time).UTC().Format(time.RFC3339)
}

func percent(share float64) string {
	if share > 0.0995 {
		return fmt.Sprintf("%.0f %%", 100*share)
	}
	return fmt.Sprintf("%.2g %%", 100*share)
}

// rounded returns a duration with three digits.
func rounded(d time.Duration) time.Duration {
	unit := time.Duration(1)
	for d/unit >= 1000 {
		unit *= 10
	}
	return d.Round(unit)
}

// Propagation says that something became worse in a service after it had in another that it calls.
type Propagation struct {
	From, To int           // indices of events: of the callee, and of the caller
	Delay    time.Duration // from the one to the other
}

// ChangesResult says what changed over the time of the traces, in order.
type ChangesResult struct {
	Series *SeriesResult
	Events []Event // by time
	// Symptom is the index of the event at which transactions became worse, or -1. Of several it is the first
	// of the subject with the most transactions that failed, or were slow, beyond what was normal.
	Symptom int
	// Propagation are the pairs of events, of services and dependencies, of which the order is certain and the
	// later one calls the earlier.
	Propagation []Propagation
	Tested      int // how many series were looked at
	Warnings    []tracewhy.Warning
}

// Precursors returns the events before the symptom, the one with the longest lead first.
func (r *ChangesResult) Precursors() []Event {
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

// Changes finds when what changed between the first trace and the last, and relates it to when transactions
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
func Changes(ctx context.Context, traces tracewhy.Cohort, cfg ChangesConfig) (*ChangesResult, error) {
	series, err := Series(ctx, traces, cfg.Series)
	if err != nil {
		return nil, err
	}
	d := newDetector(series, cfg)
	if err := d.detect(ctx); err != nil {
		return nil, err
	}
	r := &ChangesResult{Series: series, Symptom: -1, Tested: len(d.tests), Warnings: d.warnings()}
	symptom, ok := d.symptom()
	r.Events = d.events(symptom, ok)
	for i, e := range r.Events {
		if e.Kind == EventSymptom && r.Symptom < 0 {
			r.Symptom = i
		}
	}
	r.Propagation = propagation(traces.Set(), r.Events)
	return r, nil
}

// A test is the series of one measure of a subject, and what changed in it.
type test struct {
	counts  *Counts
	measure Measure
	result  stats.ChangeResult
	q       float64
}

type detector struct {
	cfg    ChangesConfig
	series *SeriesResult
	tests  []test
}

const (
	fewestFailures = 3    // in a series that is looked at
	leastExposure  = 0.25 // of a bin that counts
	replicates     = 199
)

func newDetector(series *SeriesResult, cfg ChangesConfig) *detector {
	if !(cfg.Alpha > 0 && cfg.Alpha < 1) {
		cfg.Alpha = 0.05
	}
	if cfg.MinSegment <= 0 {
		cfg.MinSegment = 5
	}
	d := &detector{cfg: cfg, series: series}
	for i := range series.Counts {
		c := &series.Counts[i]
		if total(c.Failures) >= fewestFailures {
			d.tests = append(d.tests, test{counts: c, measure: MeasureFailures})
		}
		if total(c.Long) > 0 {
			d.tests = append(d.tests, test{counts: c, measure: MeasureLong}, test{counts: c, measure: MeasureSlow})
		}
		if c.Subject.Kind != SubjectGap {
			d.tests = append(d.tests, test{counts: c, measure: MeasureCalls})
		}
	}
	return d
}

func total(xs []int) int {
	sum := 0
	for _, x := range xs {
		sum += x
	}
	return sum
}

// detect looks for the changes of all series.
func (d *detector) detect(ctx context.Context) error {
	groups := d.groups()
	err := parallel.For(ctx, d.cfg.Workers, len(d.tests), func(i int) {
		t := &d.tests[i]
		seed := stats.NewRand(d.cfg.Seed, stats.Key(t.counts.Subject.String()), uint64(t.counts.Subject.Kind), uint64(t.measure)).Uint64()
		cfg := stats.ChangeConfig{MinSegment: d.cfg.MinSegment, Alpha: d.cfg.Alpha, Replicates: replicates, Seed: seed, Season: d.season()}
		fine := d.observations(t)
		if t.measure == MeasureCalls || len(groups) < coarsest {
			t.result = stats.ChangePoints(fine, cfg)
			return
		}
		if cfg.Alpha /= 2; t.measure != MeasureFailures {
			cfg.Alpha /= 2 // two series for the durations of a subject
		}
		t.result = stats.ChangePoints(fine, cfg)
		if cfg.Season /= mergedBins; d.season()%mergedBins != 0 {
			return
		}
		t.result = either(t.result, stats.ChangePoints(merged(fine, groups), cfg), groups)
	})
	if err != nil {
		return err
	}
	d.chooseDurations()
	ps := make([]float64, len(d.tests))
	for i, t := range d.tests {
		ps[i] = t.result.P
	}
	for i, q := range stats.BenjaminiHochberg(ps) {
		d.tests[i].q = q
	}
	return nil
}

// chooseDurations keeps one test of the durations of each subject, the clearer: that of long calls where most
// became slower, or that of slow ones where few did, or did for a short time.
func (d *detector) chooseDurations() {
	kept := d.tests[:0]
	for _, t := range d.tests {
		if n := len(kept); t.measure == MeasureSlow {
			long := kept[n-1]
			if t.result.P >= long.result.P {
				t = long
			}
			t.result.P = min(2*t.result.P, 1)
			kept = kept[:n-1]
		}
		kept = append(kept, t)
	}
	d.tests = kept
}

// values returns what the test is about, by bin.
func (t *test) values() []int {
	switch t.measure {
	case MeasureLong:
		return t.counts.Long
	case MeasureSlow:
		return t.counts.Slow
	case MeasureCalls:
		return t.counts.Calls
	}
	return t.counts.Failures
}

// of returns how many calls of a bin the test is a share of. A call that failed at once was not quick.
func (t *test) of(bin int) int {
	if t.measure == MeasureLong || t.measure == MeasureSlow {
		return t.counts.Calls[bin] - t.counts.Failures[bin]
	}
	return t.counts.Calls[bin]
}

// Failures come in bursts, which are as long as some bins and shorter than others: where bins are many they are
// looked at twice, as they are and merged.
const (
	mergedBins = 4
	coarsest   = 20 // how many merged bins there are at least
)

// groups returns the first of each mergedBins bins that follow each other, and the number of bins.
func (d *detector) groups() []int {
	var out []int
	for i, start := range d.series.Starts {
		if len(out) == 0 || i-out[len(out)-1] == mergedBins || start-d.series.Starts[i-1] != int64(d.series.Bin) {
			out = append(out, i)
		}
	}
	return append(out, len(d.series.Starts))
}

func merged(s stats.ChangeSeries, groups []int) stats.ChangeSeries {
	out := stats.ChangeSeries{Model: s.Model}
	for g, first := range groups[:len(groups)-1] {
		values, sizes := 0.0, 0.0
		for i := first; i < groups[g+1]; i++ {
			values, sizes = values+s.Values[i], sizes+s.Sizes[i]
		}
		out.Values, out.Sizes = append(out.Values, values), append(out.Sizes, sizes)
	}
	return out
}

// either returns the clearer of two results, with the probability of either by chance.
func either(fine, coarse stats.ChangeResult, groups []int) stats.ChangeResult {
	out := fine
	if len(fine.Changes) == 0 && len(coarse.Changes) > 0 {
		out = coarse
		out.Changes = slices.Clone(coarse.Changes)
		for i, c := range coarse.Changes {
			out.Changes[i].At, out.Changes[i].First, out.Changes[i].Last = groups[c.At], groups[c.First], groups[c.Last+1]-1
		}
	}
	out.P = min(2*min(fine.P, coarse.P), 1)
	return out
}

func (d *detector) observations(t *test) stats.ChangeSeries {
	n := len(d.series.Exposure)
	s := stats.ChangeSeries{Model: stats.ShareChange, Values: make([]float64, n), Sizes: make([]float64, n)}
	values := t.values()
	if t.measure == MeasureCalls {
		s.Model = stats.RateChange
	}
	for i, e := range d.series.Exposure {
		if e < leastExposure {
			continue // a size of 0 is not known
		}
		s.Values[i], s.Sizes[i] = float64(values[i]), e
		if t.measure != MeasureCalls {
			s.Sizes[i] = float64(t.of(i))
		}
	}
	return s
}

// season returns how many bins a day has, where there are three days of whole bins.
func (d *detector) season() int {
	const day = 24 * time.Hour
	n, bin := len(d.series.Starts), d.series.Bin
	isWhole := d.series.Starts[n-1]-d.series.Starts[0] == int64(n-1)*int64(bin)
	if bin > day/4 || day%bin != 0 || time.Duration(n) < 3*day/bin || !isWhole {
		return 0
	}
	return int(day / bin)
}

func (d *detector) warnings() []tracewhy.Warning {
	ws := slices.Clone(d.series.Warnings)
	if n := len(d.series.Exposure) - countOf(d.series.Exposure, 0); n < 2*d.cfg.MinSegment {
		ws = append(ws, tracewhy.Warning{Code: WarningFewBins, Count: n, Message: "the traces fill too few bins of time for a change to be seen"})
	}
	return ws
}

// matters reports whether levels differ by enough.
func matters(m Measure, before, after float64) bool {
	low, high := min(before, after), max(before, after)
	switch m {
	case MeasureFailures:
		return high >= 2*low || high-low >= 0.05
	case MeasureLong:
		return high-low >= 0.2
	case MeasureSlow:
		return high-low >= 0.1
	}
	return high >= 1.25*low
}

// event returns the change i of a test.
func (d *detector) event(t *test, i int) Event {
	c := t.result.Changes[i]
	e := Event{
		Subject: t.counts.Subject, Measure: t.measure,
		Time: d.series.Starts[c.At], First: d.series.Starts[max(c.First-1, 0)], Last: d.series.Starts[c.Last] + int64(d.series.Bin),
		Before: c.Before, After: c.After, P: t.result.P, Q: t.q,
	}
	if t.measure == MeasureLong || t.measure == MeasureSlow {
		from, to := 0, len(d.series.Starts)
		if i > 0 {
			from = t.result.Changes[i-1].At
		}
		if i+1 < len(t.result.Changes) {
			to = t.result.Changes[i+1].At
		}
		e.DurationBefore, e.DurationAfter = t.duration(from, c.At), t.duration(c.At, to)
	}
	return e
}

// duration returns the median over bins of their median duration, or of their 95th percentile.
func (t *test) duration(from, to int) time.Duration {
	durations := t.counts.Median
	if t.measure == MeasureSlow {
		durations = t.counts.P95
	}
	var known []time.Duration
	for b := from; b < to; b++ {
		if t.counts.Calls[b] > 0 {
			known = append(known, durations[b])
		}
	}
	if len(known) == 0 {
		return 0
	}
	slices.Sort(known)
	return known[(len(known)-1)/2]
}

// leastDuration is which share of the median transaction a duration changes by at least, to matter.
const leastDuration = 0.01

// matters reports whether the event is large enough to be told.
func (d *detector) matters(e Event) bool {
	if e.Measure == MeasureLong || e.Measure == MeasureSlow {
		usual := time.Duration(0)
		if len(d.series.Counts) > 0 && d.series.Counts[0].Subject.Kind == SubjectTransactions {
			usual = (&test{counts: &d.series.Counts[0]}).duration(0, len(d.series.Starts))
		}
		if float64((e.DurationAfter - e.DurationBefore).Abs()) < leastDuration*float64(usual) {
			return false
		}
	}
	return matters(e.Measure, e.Before, e.After)
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
				case e.Measure != MeasureCalls && e.After < e.Before:
					e.Kind = EventRecovery
				case e.Last < onset.First:
					e.Kind = EventPrecursor
				case e.First <= onset.Last:
					e.Kind = EventConcurrent
				default:
					e.Kind = EventPropagation
				}
			} else if e.Measure != MeasureCalls && e.After < e.Before {
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

// propagation joins what became worse in a service, or a dependency, to what became worse in its callers
// later.
func propagation(set *tracewhy.Set, events []Event) []Propagation {
	first := map[string]int{} // the first event at which a service became worse; only looked up
	var services []string
	for i, e := range events {
		if e.Subject.Kind != SubjectService && e.Subject.Kind != SubjectDependency || !e.IsWorse() {
			continue
		}
		if _, ok := first[e.Subject.Service]; !ok {
			first[e.Subject.Service] = i
			services = append(services, e.Subject.Service)
		}
	}
	if len(services) < 2 {
		return nil
	}
	calls := map[[2]string]bool{} // caller and callee; only looked up
	for p := range set.Paths() {
		if parent, ok := p.Parent(); ok && parent.Service() != p.Service() {
			calls[[2]string{parent.Service(), p.Service()}] = true
		}
	}
	for i := range set.NumSpans() {
		s := set.Span(i)
		if _, ok := first[s.Service()]; ok && !s.HasChildren() {
			if peer, _ := s.Peer(); peer != "" {
				calls[[2]string{s.Service(), peer}] = true
			}
		}
	}
	var out []Propagation
	for _, callee := range services {
		for _, caller := range services {
			from, to := first[callee], first[caller]
			if calls[[2]string{caller, callee}] && events[from].Last < events[to].First {
				out = append(out, Propagation{from, to, time.Duration(events[to].Time - events[from].Time)})
			}
		}
	}
	slices.SortFunc(out, func(x, y Propagation) int { return cmp.Or(cmp.Compare(x.From, y.From), cmp.Compare(x.To, y.To)) })
	return out
}
