package otelsdk

import (
	"cmp"
	"maps"
	"math/bits"
	"slices"
	"time"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/stats"
)

// A watch counts, for each transaction and dependency and each time bin, how traces went, and says when
// the latest ones went worse than those before. It counts all traces, not only those that are kept.
type watch struct {
	cfg    AlertConfig
	rule   tracewhy.OutcomeRule
	bin    time.Duration
	n      int64 // bins of the window
	recent int64 // bins that are compared with those before
	series map[subject]*series
}

// maxSubjects bounds how many transactions and dependencies are watched: names can be as many as requests.
const maxSubjects = 512

// A subject is what is watched.
type subject struct {
	kind    SubjectKind
	service string // "" for a dependency
	name    string
}

func (s subject) compare(o subject) int {
	return cmp.Or(cmp.Compare(s.kind, o.kind), cmp.Compare(s.service, o.service), cmp.Compare(s.name, o.name))
}

// series are the tallies of a subject by time bin, and which of its signals are on.
type series struct {
	bins    map[int64]*tally
	signals [numSignals]signal
}

// A signal is on from when a subject is seen to go worse in one way until it is seen to go well again.
type signal struct {
	on    bool
	onset int64 // the bin in which it began
	// bad are the bins of earlier times when it was on: they belong to no baseline.
	bad map[int64]bool
}

func (s *signal) inBaseline(bin int64) bool { return !s.bad[bin] && !(s.on && bin >= s.onset) }

// A tally counts the traces of one subject in one time bin.
type tally struct {
	traces, failed int
	durations      map[uint8]int // by logarithmic bucket
}

// bucketOf returns the bucket of a duration, four for each power of two: up to a fifth wide.
func bucketOf(d time.Duration) uint8 {
	if d < 8 {
		return uint8(max(d, 0))
	}
	n := bits.Len64(uint64(d)) // from 4
	return uint8(4*(n-2) + int(uint64(d)>>(n-3)&3))
}

// limitOf returns the least duration that is in no bucket up to the given one.
func limitOf(bucket uint8) time.Duration {
	if bucket < 8 {
		return time.Duration(bucket) + 1
	}
	next := uint64(bucket) + 1
	return time.Duration((4 + next%4) << (next/4 - 1))
}

func newWatch(cfg Config) watch {
	return watch{
		cfg: cfg.Alert, rule: cfg.Outcome, bin: cfg.Bin, n: int64((cfg.Window + cfg.Bin - 1) / cfg.Bin),
		recent: max(1, int64((cfg.Alert.Recent+cfg.Bin-1)/cfg.Bin)), series: map[subject]*series{},
	}
}

// add counts a trace for its transaction and for each of the dependencies that it calls, once: calls of
// one trace depend on each other.
func (w *watch) add(t tracewhy.Trace, bin int64) {
	root := t.Root()
	w.count(subject{Transaction, root.Service(), root.Operation()}, bin, w.rule.Of(t) == tracewhy.OutcomeFailed, root.Duration())
	type call struct {
		failed  bool
		longest time.Duration
	}
	calls := map[string]call{}
	for s := range t.Spans() {
		if k := s.Kind(); k != tracewhy.KindClient && k != tracewhy.KindProducer || isAnswered(s) {
			continue
		}
		if peer, _ := s.Peer(); peer != "" {
			c := calls[peer]
			calls[peer] = call{c.failed || s.Failed(), max(c.longest, s.Duration())}
		}
	}
	for peer, c := range calls {
		w.count(subject{Dependency, "", peer}, bin, c.failed, c.longest)
	}
}

// isAnswered reports whether the other side of a call has a span: then it is no external dependency.
func isAnswered(s tracewhy.Span) bool {
	for c := range s.Children() {
		if k := c.Kind(); k == tracewhy.KindServer || k == tracewhy.KindConsumer {
			return true
		}
	}
	return false
}

func (w *watch) count(sub subject, bin int64, failed bool, d time.Duration) {
	se := w.series[sub]
	if se == nil {
		if len(w.series) >= maxSubjects {
			return
		}
		se = &series{bins: map[int64]*tally{}}
		w.series[sub.clone()] = se
	}
	ta := se.bins[bin]
	if ta == nil {
		ta = &tally{durations: map[uint8]int{}}
		se.bins[bin] = ta
	}
	ta.traces++
	if failed {
		ta.failed++
	}
	if d >= 0 {
		ta.durations[bucketOf(d)]++
	}
}

// look compares the bins before now with those before them. It returns the signals that are on, in order,
// and whether one of them begins what was not going on before.
func (w *watch) look(now int64) (on []Signal, begins bool) {
	for _, se := range w.series {
		maps.DeleteFunc(se.bins, func(bin int64, _ *tally) bool { return bin <= now-w.n })
		for i := range se.signals {
			maps.DeleteFunc(se.signals[i].bad, func(bin int64, _ bool) bool { return bin <= now-w.n })
		}
	}
	maps.DeleteFunc(w.series, func(_ subject, se *series) bool { return len(se.bins) == 0 })
	going := false
	for _, se := range w.series {
		for i := range se.signals {
			going = going || se.signals[i].on
		}
	}
	alpha := w.cfg.Alpha / float64(numSignals*max(1, len(w.series)))
	for _, sub := range slices.SortedFunc(maps.Keys(w.series), subject.compare) {
		se := w.series[sub]
		for i := range se.signals {
			s, changed := w.update(se, SignalKind(i), now, alpha)
			begins = begins || changed && se.signals[i].on && !going
			if se.signals[i].on {
				s.Subject, s.Service, s.Name, s.Kind = sub.kind, sub.service, sub.name, SignalKind(i)
				s.Since = time.Unix(0, se.signals[i].onset*int64(w.bin)).UTC()
				on = append(on, s)
			}
		}
	}
	return on, begins
}

// update looks at one signal of a subject: it goes on where its traces are significantly and noticeably
// worse, and off where the rise has fallen to less than half of what is noticeable.
func (w *watch) update(se *series, kind SignalKind, now int64, alpha float64) (s Signal, changed bool) {
	sig := &se.signals[kind]
	from := now - w.recent
	isBaseline := func(bin int64) bool { return bin < from && sig.inBaseline(bin) }
	isRecent := func(bin int64) bool { return bin >= from && bin < now }
	bad := func(t *tally) int { return t.failed }
	noticeable := w.cfg.MinFailed
	if kind == Slow {
		limit := se.quantile(0.95, isBaseline)
		s.Limit = limitOf(limit)
		bad = func(t *tally) int { return t.above(limit) }
		noticeable = w.cfg.MinSlow
	}
	s.Baseline, s.Recent = se.sum(isBaseline, bad), se.sum(isRecent, bad)
	if s.Recent.Traces < w.cfg.MinTraces {
		return s, false
	}
	rise := s.Recent.Share() - s.Baseline.Share()
	if sig.on {
		if rise < noticeable/2 || s.Baseline.Traces == 0 {
			sig.end(now)
			return s, true
		}
		return s, false
	}
	if s.Baseline.Traces < w.cfg.MinTraces || rise < noticeable {
		return s, false
	}
	// With the 95th percentile of the baseline as the limit this is the exact test of exceedances: that
	// the recent traces have so many above it has the hypergeometric distribution.
	s.P = stats.Table{A: s.Recent.Bad, B: s.Recent.Traces - s.Recent.Bad, C: s.Baseline.Bad, D: s.Baseline.Traces - s.Baseline.Bad}.Fisher(stats.Greater)
	if s.P > alpha {
		return s, false
	}
	sig.on, sig.onset = true, from
	for middle := (s.Recent.Share() + s.Baseline.Share()) / 2; sig.onset < now-1; sig.onset++ {
		if t := se.bins[sig.onset]; t != nil && float64(bad(t)) > middle*float64(t.traces) {
			break
		}
	}
	return s, true
}

// end turns the signal off.
func (s *signal) end(now int64) {
	if s.bad == nil {
		s.bad = map[int64]bool{}
	}
	for bin := s.onset; bin < now; bin++ {
		s.bad[bin] = true
	}
	s.on = false
}

// sum adds up the bins that are in.
func (se *series) sum(in func(bin int64) bool, bad func(*tally) int) (c Count) {
	for bin, t := range se.bins {
		if in(bin) {
			c.Traces += t.traces
			c.Bad += bad(t)
		}
	}
	return c
}

// quantile returns the bucket of the p-quantile of the durations in the bins that are in.
func (se *series) quantile(p float64, in func(bin int64) bool) uint8 {
	var counts [256]int
	total := 0
	for bin, t := range se.bins {
		if in(bin) {
			for bucket, n := range t.durations {
				counts[bucket] += n
				total += n
			}
		}
	}
	seen := 0
	for bucket, n := range counts {
		if seen += n; float64(seen) >= p*float64(total) {
			return uint8(bucket)
		}
	}
	return 255
}

// above returns how many traces lie above a bucket.
func (t *tally) above(limit uint8) int {
	n := 0
	for bucket, k := range t.durations {
		if bucket > limit {
			n += k
		}
	}
	return n
}
