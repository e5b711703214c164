package depgraph

import (
	"context"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/parallel"
)

const (
	base = 0 // index of the baseline
	inc  = 1 // index of the incident
)

// view is the calls of the traces of one cohort, or two, and what they are made to.
type view struct {
	cfg      *Config
	set      *tracewhy.Set
	traces   []tracewhy.Trace // in the order of the Set
	side     []int8           // by trace: base or inc
	isTest   []bool           // by trace: synthetic
	calls    []call           // by trace, in the order of their spans
	times    []stretch        // by trace, in the order of places
	failures []failure        // by trace: of those that failed
	peers    []peer
	entities []entity // services by name, then dependencies by name
	byKey    map[entityKey]int32
}

// stretch is how much of a trace's critical path went into one part of one entity.
type stretch struct {
	trace  int32
	entity int32
	part   part
	time   int64 // nanoseconds
	drag   int64 // of the calls to the entity, under partRemote alone
}

// tracesPerChunk is how many traces are read between two looks at the context.
const tracesPerChunk = 128

// chunk is what one goroutine reads.
type chunk struct {
	calls    []call
	peers    []peer
	times    []stretch
	failures []failure
}

// newView reads the traces of both cohorts; the baseline's may be the zero Cohort. A trace that is in
// both counts as one of the incident.
func newView(ctx context.Context, cfg *Config, baseline, incident tracewhy.Cohort) (*view, error) {
	if incident.Set() == nil || incident.Len() == 0 || baseline.Set() != nil && (baseline.Set() != incident.Set() || baseline.Minus(incident).Len() == 0) {
		return nil, ErrCohorts
	}
	v := &view{cfg: cfg, set: incident.Set()}
	all := incident
	if baseline.Set() != nil {
		all = baseline.Or(incident)
	}
	for t := range all.Traces() {
		side := int8(base)
		if incident.Has(t) {
			side = inc
		}
		v.traces, v.side, v.isTest = append(v.traces, t), append(v.side, side), append(v.isTest, cfg.isSynthetic(t))
	}
	chunks := make([]chunk, (len(v.traces)+tracesPerChunk-1)/tracesPerChunk)
	err := parallel.For(ctx, cfg.Workers, len(chunks), func(k int) {
		r := newReader(cfg)
		for i := k * tracesPerChunk; i < min((k+1)*tracesPerChunk, len(v.traces)); i++ {
			r.read(v.traces[i])
			for j := range r.calls {
				r.calls[j].trace = int32(i)
			}
			chunks[k].calls = append(chunks[k].calls, r.calls...)
		}
		chunks[k].peers = r.peers
	})
	if err != nil {
		return nil, err
	}
	known := map[peer]int32{}
	for _, c := range chunks {
		number := make([]int32, len(c.peers))
		for i, p := range c.peers {
			id, ok := known[p]
			if !ok {
				id = int32(len(v.peers))
				v.peers, known[p] = append(v.peers, p), id
			}
			number[i] = id
		}
		for i := range c.calls {
			c.calls[i].peer = number[c.calls[i].peer]
		}
		v.calls = append(v.calls, c.calls...)
	}
	v.identify()
	return v, v.readTimes(ctx, chunks)
}

// newComparison is newView of two cohorts.
func newComparison(ctx context.Context, cfg *Config, baseline, incident tracewhy.Cohort) (*view, error) {
	if baseline.Set() == nil {
		return nil, ErrCohorts
	}
	return newView(ctx, cfg, baseline, incident)
}

// callsOf returns where the calls of each trace begin; the last is the number of calls.
func (v *view) callsOf() []int {
	first := make([]int, len(v.traces)+1)
	k := 0
	for i := range v.traces {
		for k < len(v.calls) && int(v.calls[k].trace) < i {
			k++
		}
		first[i] = k
	}
	first[len(v.traces)] = len(v.calls)
	return first
}

// readTimes reads the critical paths, once it is known what is whose.
func (v *view) readTimes(ctx context.Context, chunks []chunk) error {
	first := v.callsOf()
	err := parallel.For(ctx, v.cfg.Workers, len(chunks), func(k int) {
		r := newReader(v.cfg)
		c := newClock(v)
		for i := k * tracesPerChunk; i < min((k+1)*tracesPerChunk, len(v.traces)); i++ {
			r.read(v.traces[i])
			calls := v.calls[first[i]:first[i+1]]
			chunks[k].times = append(chunks[k].times, c.read(int32(i), r.seats, calls)...)
			if v.cfg.Outcome.Of(v.traces[i]) == tracewhy.OutcomeFailed {
				chunks[k].failures = append(chunks[k].failures, c.origin(int32(i), r.seats, calls))
			}
		}
	})
	for _, c := range chunks {
		v.times = append(v.times, c.times...)
		v.failures = append(v.failures, c.failures...)
	}
	return err
}
