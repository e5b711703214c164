package timeline

import (
	"context"
	"slices"
	"time"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/parallel"
	"github.com/tracewhy/tracewhy/internal/stats"
)

// A test is the series of one measure of a subject, and what changed in it.
type test struct {
	counts  *Counts
	caller  *Counts // of [MeasureFanout]
	measure Measure
	result  stats.ChangeResult
	q       float64
}

type detector struct {
	cfg    ChangePointsConfig
	series *SeriesResult
	tests  []test
}

const (
	fewestFailures = 3    // in a series that is looked at
	leastExposure  = 0.25 // of a bin that counts
	replicates     = 199
)

func newDetector(series *SeriesResult, cfg ChangePointsConfig) *detector {
	if !(cfg.Alpha > 0 && cfg.Alpha < 1) {
		cfg.Alpha = 0.05
	}
	if cfg.MinSegment <= 0 {
		cfg.MinSegment = 5
	}
	d := &detector{cfg: cfg, series: series}
	paths := map[tracewhy.PathID]*Counts{} // only looked up
	for i := range series.Counts {
		if c := &series.Counts[i]; c.Subject.Kind == SubjectPath {
			paths[c.Subject.Path] = c
		}
	}
	for i := range series.Counts {
		c := &series.Counts[i]
		if total(c.Failures) >= fewestFailures {
			d.tests = append(d.tests, test{counts: c, measure: MeasureFailures})
		}
		if total(c.Long) > 0 {
			d.tests = append(d.tests, test{counts: c, measure: MeasureLong}, test{counts: c, measure: MeasureSlow})
		}
		switch caller := paths[c.Subject.caller]; {
		case c.Subject.Kind == SubjectGap:
		case c.Subject.hasCaller && caller != nil:
			d.tests = append(d.tests, test{counts: c, caller: caller, measure: MeasureFanout})
		default:
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
		if !t.measure.isBad() || len(groups) < coarsest {
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
	case MeasureCalls, MeasureFanout:
		return t.counts.Calls
	}
	return t.counts.Failures
}

// of returns how many calls of a bin the test is a share of. A call that failed at once was not quick.
func (t *test) of(bin int) int {
	switch t.measure {
	case MeasureLong, MeasureSlow:
		return t.counts.Calls[bin] - t.counts.Failures[bin]
	case MeasureFanout:
		return t.caller.Calls[bin]
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
	if !t.measure.isBad() {
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
	if n := d.series.grid().Recorded(); n < 2*d.cfg.MinSegment {
		ws = append(ws, tracewhy.Warning{Code: WarningFewBins, Count: n, Message: "the traces fill too few bins of time for a change to be seen"})
	}
	return ws
}

// usualPenalty is what two changes, there and back, have to gain in the failures of all transactions.
const usualPenalty = 32

// detectable returns the smallest share of failing transactions, of those of a tenth of the bins, that would have
// been seen beside the share of all.
func (d *detector) detectable() float64 {
	for i := range d.series.Counts {
		c := &d.series.Counts[i]
		if c.Subject.Kind != SubjectTransactions || c.Subject.HasPath {
			continue
		}
		bins := d.series.grid().Recorded()
		if bins < 2*d.cfg.MinSegment {
			return 1
		}
		gain := float64(usualPenalty)
		for _, t := range d.tests {
			if r := t.result; t.counts == c && t.measure == MeasureFailures && r.Inflation > 0 {
				gain = float64(usualPenalty*r.Spread*r.Spread) * r.Inflation
			}
		}
		calls, failures := float64(total(c.Calls)), float64(total(c.Failures))
		part := float64(max(float64(d.cfg.MinSegment)/float64(bins), 0.1) * calls)
		return min(max(stats.DetectableShare((failures+0.5)/(calls+1), part, gain), fewestFailures/part), 1)
	}
	return 1
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
