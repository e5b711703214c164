package scenario

import (
	"cmp"
	"slices"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/stats"
)

// Spans leave an instance in batches, and not all arrive: the shares of batches that are lost, come late, or
// are sent twice because the answer to the first was lost, and the share of single spans that are dropped.
const (
	flushEvery     = 2 * second
	batchesLost    = 0.0015
	batchesLate    = 0.01
	batchesDoubled = 0.003
	spansDropped   = 0.0008
)

// A batch is what one instance sends at once.
type batch struct {
	arrives int64
	serial  int
	spans   []*record
}

// export returns the run's spans as a collector writes them down: in the order in which batches arrive, timed by
// the clocks of their hosts, and with gaps.
func (w *run) export(source string) []tracewhy.SpanData {
	type place struct {
		instance *instance
		flush    int64
	}
	byPlace := map[place]int{}
	var batches []batch
	n := 0
	for _, chunk := range w.spans.chunks {
		for i := range chunk {
			r := &chunk[i]
			key := place{r.at, (int64(r.End) + r.at.phase) / flushEvery}
			k, ok := byPlace[key]
			if !ok {
				k = len(batches)
				byPlace[key] = k
				batches = append(batches, batch{arrives: (key.flush+1)*flushEvery - r.at.phase, serial: k})
			}
			batches[k].spans = append(batches[k].spans, r)
			n++
		}
	}
	batches = w.transport(batches)
	slices.SortFunc(batches, func(a, b batch) int {
		return cmp.Or(cmp.Compare(a.arrives, b.arrives), cmp.Compare(a.serial, b.serial))
	})
	spans := make([]tracewhy.SpanData, 0, n+n/64)
	for _, b := range batches {
		slices.SortStableFunc(b.spans, func(a, b *record) int { return cmp.Compare(a.End, b.End) })
		for _, r := range b.spans {
			if !dropped(w.seed, r) {
				spans = append(spans, w.stamp(r, source))
			}
		}
	}
	return spans
}

// transport draws what becomes of each batch on its way.
func (w *run) transport(batches []batch) []batch {
	r := stats.NewRand(w.seed, stats.Key("transport"))
	arrived := make([]batch, 0, len(batches))
	for _, b := range batches {
		lost, late, doubled := chance(r, batchesLost), chance(r, batchesLate), chance(r, batchesDoubled)
		b.arrives += exponential(r, 40*millisecond)
		if late {
			b.arrives += exponential(r, 15*second)
		}
		if lost {
			continue
		}
		arrived = append(arrived, b)
		if doubled {
			b.arrives += 5 * second
			b.serial += len(batches)
			arrived = append(arrived, b)
		}
	}
	return arrived
}

// dropped draws whether a span is lost for itself, the same way for both copies of a batch.
func dropped(seed uint64, r *record) bool {
	key := stats.Key(string(r.SpanID[:]))
	return chance(stats.NewRand(seed, key), spansDropped)
}

// stamp returns a span as its host's clock dates it.
func (w *run) stamp(r *record, source string) tracewhy.SpanData {
	s := r.SpanData
	s.Source = source
	date := func(t uint64) uint64 {
		shown := w.start + r.at.host.clock(int64(t))
		if r.at.service.coarse {
			shown -= shown % microsecond
		}
		return uint64(shown)
	}
	s.Start, s.End = date(s.Start), date(s.End)
	for i := range s.Events { // an event list belongs to one span, but a span may be sent twice
		if i == 0 {
			s.Events = slices.Clone(s.Events)
		}
		s.Events[i].Time = date(s.Events[i].Time)
	}
	return s
}
