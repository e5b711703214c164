package otelsdk

import (
	"maps"
	"slices"
	"time"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/sample"
)

// A window holds a sample for each of the last time bins. Time is that of the spans: a window of a
// service that idles stays as it is.
type window struct {
	cfg    sample.Config
	n      int64 // how many bins
	newest int64
	bins   map[int64]*sample.Sample
}

func newWindow(cfg Config) window {
	n := int((cfg.Window + cfg.Bin - 1) / cfg.Bin)
	return window{
		cfg: sample.Config{PerStratum: cfg.PerStratum, Bin: cfg.Bin, Outcome: cfg.Outcome, MaxBytes: max(cfg.MaxBytes/4*3/n, 1)},
		n:   int64(n), bins: map[int64]*sample.Sample{},
	}
}

// binOf returns the number of the time bin that a trace belongs to, by the start of its primary root.
func binOf(t tracewhy.Trace, bin time.Duration) (int64, bool) {
	start := t.Root().Start()
	if start.IsZero() {
		return 0, false
	}
	return start.UnixNano() / int64(bin), true
}

// add adds a trace, and returns its bin. It is false for one that began before the window, or after limit:
// a clock that was wrong once must not push everything else out.
func (w *window) add(t tracewhy.Trace, limit time.Time) (int64, bool) {
	bin, ok := binOf(t, w.cfg.Bin)
	if !ok || bin <= w.newest-w.n || t.Root().Start().After(limit) {
		return 0, false
	}
	if bin > w.newest {
		w.newest = bin
		maps.DeleteFunc(w.bins, func(b int64, _ *sample.Sample) bool { return b <= bin-w.n })
	}
	s := w.bins[bin]
	if s == nil {
		s = sample.New(w.cfg)
		w.bins[bin] = s
	}
	s.Add(t)
	return bin, true
}

// snapshot returns copies of the samples, in order. They share the encoded traces, so this is cheap.
func (w *window) snapshot() []*sample.Sample {
	var list []*sample.Sample
	for _, bin := range slices.Sorted(maps.Keys(w.bins)) {
		s := sample.New(w.cfg)
		if err := s.Merge(w.bins[bin]); err != nil {
			panic(err) // they have one Config
		}
		list = append(list, s)
	}
	return list
}

// size returns how many traces are kept, and the memory they take.
func (w *window) size() (traces, bytes int) {
	for _, s := range w.bins {
		traces += s.Kept()
		bytes += s.Bytes()
	}
	return traces, bytes
}
