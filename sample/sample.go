package sample

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"math"
	"math/bits"
	"slices"
	"time"

	"github.com/tracewhy/tracewhy"
)

// Config says what a Sample keeps. Its zero value is the documented default.
type Config struct {
	// PerStratum is how many traces each stratum keeps; 0 means 32. Samples over MaxBytes keep fewer.
	PerStratum int
	// Bin is the width of the time bins, by the start of a trace's primary root; 0 means a minute.
	Bin time.Duration
	// Outcome says which traces failed or were abandoned.
	Outcome tracewhy.OutcomeRule
	// MaxBytes bounds the memory of the sample; 0 means 64 MiB, and less than 256 KiB means that. A trace
	// that takes more than a 16th of it is counted, and never kept.
	MaxBytes int
}

const (
	defaultPerStratum = 32
	maxPerStratum     = 1 << 20
	defaultBin        = time.Minute
	defaultMaxBytes   = 64 << 20
	minMaxBytes       = 256 << 10
	traceShare        = 16 // of MaxBytes: what one trace may take
)

func (c Config) withDefaults() Config {
	if c.PerStratum <= 0 {
		c.PerStratum = defaultPerStratum
	}
	if c.Bin <= 0 {
		c.Bin = defaultBin
	}
	if c.MaxBytes == 0 {
		c.MaxBytes = defaultMaxBytes
	}
	c.PerStratum, c.MaxBytes = min(c.PerStratum, maxPerStratum), max(c.MaxBytes, minMaxBytes)
	return c
}

// ErrConfig is returned where samples do not belong together, because their Configs differ.
var ErrConfig = errors.New("sample: the samples have different configurations")

// Sample is a weighted stratified sample of traces. The zero Sample is an empty one of the zero Config.
// It is not safe for concurrent use.
type Sample struct {
	cfg    Config // with defaults; the zero Config is that of a Sample that was not used yet
	rule   string // cfg.Outcome as JSON, to compare rules by
	level  int    // how far the sample was made coarser to stay within MaxBytes
	strata map[stratumKey]*stratum
	charge uint64 // what the strata may take together
}

// New returns an empty sample.
func New(cfg Config) *Sample {
	s := &Sample{cfg: cfg.withDefaults(), strata: map[stratumKey]*stratum{}}
	s.rule = ruleText(cfg.Outcome)
	return s
}

func ruleText(r tracewhy.OutcomeRule) string {
	text, err := json.Marshal(r)
	if err != nil {
		return r.String() // an operator or value that JSON cannot say: equal rules still have equal texts
	}
	return string(text)
}

// begin makes a zero Sample ready.
func (s *Sample) begin() {
	if s.strata == nil {
		*s = *New(Config{})
	}
}

// Config returns what the sample was made with, with defaults filled in.
func (s *Sample) Config() Config {
	s.begin()
	return s.cfg
}

// PerStratum returns how many traces each stratum keeps at present: Config.PerStratum, or less where
// that would have taken more than MaxBytes.
func (s *Sample) PerStratum() int {
	s.begin()
	return s.perStratum()
}

// The levels of coarseness: PerStratum is halved until it is 1, and then the strata lose one thing after
// another that they are told apart by.
func (s *Sample) perStratum() int { return max(1, s.cfg.PerStratum>>s.level) }

func (s *Sample) coarse() int { return max(0, s.level-s.halvings()) }

func (s *Sample) halvings() int { return bits.Len(uint(s.cfg.PerStratum)) - 1 }

func (s *Sample) maxLevel() int { return s.halvings() + coarsest }

// maxTrace is the size of the largest trace that is kept.
func (s *Sample) maxTrace() int { return min(s.cfg.MaxBytes/traceShare, math.MaxInt32) }

// Add adds a trace, and keeps a copy if it is one of those to keep. Each trace is to be added once: one
// that is added again, here or to a sample that is merged, is counted again in the totals and weights of
// its stratum, but not kept twice.
//
// It takes time linear in the size of the trace.
func (s *Sample) Add(t tracewhy.Trace) {
	s.begin()
	key := s.keyOf(t).atLevel(s.coarse())
	st := s.stratum(key)
	weight := unitsOf(t.Weight())
	st.traces = addSaturated(st.traces, 1)
	st.weight = addSaturated(st.weight, weight)
	enc := encoders.Get().(*encoder)
	defer encoders.Put(enc)
	data := enc.trace(t)
	if len(data) > s.maxTrace() {
		st.tooLarge = addSaturated(st.tooLarge, 1)
	} else {
		s.charge -= st.charge
		st.add(kept{rank: rankOf(t.ID()), id: t.ID(), weight: weight}, data, s.perStratum())
		s.charge += st.charge
	}
	s.shrink()
}

// Merge adds all that another sample holds, which stays as it is. Merging is commutative and associative,
// and the result has the bytes ([Sample.MarshalBinary]) of one sample to which all traces were added, in
// any order. It gives [ErrConfig] if the two were made with different Configs.
func (s *Sample) Merge(other *Sample) error {
	s.begin()
	if other.strata == nil {
		other = New(Config{})
	}
	if !s.agrees(other) {
		return ErrConfig
	}
	if s == other {
		c := *other
		c.strata = maps.Clone(other.strata)
		for key, st := range c.strata {
			c.strata[key] = st.clone()
		}
		other = &c
	}
	for s.level < other.level {
		s.coarsen()
	}
	s.take(other.strata)
	s.shrink()
	return nil
}

func (s *Sample) agrees(other *Sample) bool {
	x, y := s.cfg, other.cfg
	return x.PerStratum == y.PerStratum && x.Bin == y.Bin && x.MaxBytes == y.MaxBytes && s.rule == other.rule
}

// take merges strata of the same level or a finer one.
func (s *Sample) take(strata map[stratumKey]*stratum) {
	for key, from := range strata {
		st := s.stratum(key.atLevel(s.coarse()))
		s.charge -= st.charge
		st.merge(from, s.perStratum())
		s.charge += st.charge
	}
}

// stratum returns the stratum of a key, a new one if need be.
func (s *Sample) stratum(key stratumKey) *stratum {
	st := s.strata[key]
	if st == nil {
		st = &stratum{}
		s.strata[key.clone()] = st
		s.charge += key.charge()
	}
	return st
}

// shrink makes the sample coarser while it may take more than MaxBytes. What it may take never falls when
// traces are added, so that the level that it ends at depends on which traces were added, and on nothing
// else.
func (s *Sample) shrink() {
	for s.charge > uint64(s.cfg.MaxBytes) && s.level < s.maxLevel() {
		s.coarsen()
	}
}

// coarsen goes to the next level.
func (s *Sample) coarsen() {
	s.level++
	finer := s.strata
	s.strata, s.charge = make(map[stratumKey]*stratum, len(finer)), 0
	s.take(finer)
}

// Stratum is the part of the traces that a stratum stands for.
type Stratum struct {
	Source             string
	Service, Operation string           // of the primary root; numbers in the operation are written #
	Outcome            tracewhy.Outcome // never OutcomeSlow
	// MinDuration is the least duration of the root that belongs to the stratum; it goes up to the next
	// power of two, or the middle of both. It is -1 where durations are not known, or told apart.
	MinDuration time.Duration
	// Bin is when the time bin begins; the zero Time where times are not known, or told apart.
	Bin time.Time

	Traces uint64  // how many were added
	Weight float64 // how many these stand for: the sum of their weights, to 2^-20
	Kept   int     // how many are kept
	// TooLarge is how many were too large to be kept. The others stand for them, unless nothing was kept.
	TooLarge uint64
}

// Strata returns the strata with their exact totals, in a fixed order: by source, service, operation,
// outcome, time and duration.
func (s *Sample) Strata() []Stratum {
	s.begin()
	list := make([]Stratum, 0, len(s.strata))
	for _, key := range s.keys() {
		st := s.strata[key]
		out := Stratum{
			Source: key.source, Service: key.service, Operation: key.operation, Outcome: tracewhy.Outcome(key.outcome),
			MinDuration: key.minDuration(), Traces: st.traces, Weight: float64(st.weight) / weightUnit, Kept: len(st.kept), TooLarge: st.tooLarge,
		}
		if key.bin > 0 {
			out.Bin = time.Unix(0, (key.bin-1)*int64(s.cfg.Bin)).UTC()
		}
		list = append(list, out)
	}
	return list
}

// keys returns the keys of the strata in order.
func (s *Sample) keys() []stratumKey {
	return slices.SortedFunc(maps.Keys(s.strata), stratumKey.compare)
}

// Traces returns how many traces were added.
func (s *Sample) Traces() uint64 {
	n := uint64(0)
	for _, st := range s.strata {
		n = addSaturated(n, st.traces)
	}
	return n
}

// Kept returns how many traces are kept.
func (s *Sample) Kept() int {
	n := 0
	for _, st := range s.strata {
		n += len(st.kept)
	}
	return n
}

// Bytes returns how much memory the sample takes, about: the kept traces as they are encoded, and what
// belongs to each trace and stratum.
func (s *Sample) Bytes() int {
	n := uint64(0)
	for key, st := range s.strata {
		n += key.charge() + uint64(len(st.kept))*keptBytes
		for _, k := range st.kept {
			n += uint64(len(k.data))
		}
	}
	return int(n)
}

// Set builds the Set of the kept traces. Each has the weight that makes its stratum stand for all traces
// that were added to it: [tracewhy.Trace.Weight]. A weight over [tracewhy.MaxWeight] is cut to that, and
// counted in the Set's problems: narrower bins or more traces per stratum avoid it. Its error is that of [tracewhy.Builder.Build].
func (s *Sample) Set(ctx context.Context) (*tracewhy.Set, error) {
	var b tracewhy.Builder
	if err := s.AddTo(ctx, &b); err != nil {
		return nil, err
	}
	return b.Build(ctx)
}

// AddTo adds the spans of the kept traces, with their weights, to a Builder. Samples of different times
// or sources make one Set this way. Its error is the context's.
func (s *Sample) AddTo(ctx context.Context, b *tracewhy.Builder) error {
	for _, key := range s.keys() {
		if err := ctx.Err(); err != nil {
			return err
		}
		st := s.strata[key]
		represented := uint64(0)
		for _, k := range st.kept {
			represented = addSaturated(represented, k.weight)
		}
		scale := float64(st.weight) / float64(represented)
		for _, k := range st.kept {
			weight := float64(k.weight) / weightUnit * scale
			if err := addTrace(b, k.id, max(1, weight), k.data); err != nil {
				return err
			}
		}
	}
	return nil
}

// Weights are added up as integers, so that sums do not depend on the order.
const weightUnit = 1 << 20

func unitsOf(weight float64) uint64 {
	return uint64(math.Round(min(max(weight, 1), tracewhy.MaxWeight) * weightUnit))
}

// addSaturated adds without overflow: like the sum itself it is associative.
func addSaturated(x, y uint64) uint64 {
	sum, carry := bits.Add64(x, y, 0)
	if carry != 0 {
		return math.MaxUint64
	}
	return sum
}

func (s *Sample) keyOf(t tracewhy.Trace) stratumKey {
	root := t.Root()
	key := stratumKey{
		source: t.Source(), service: root.Service(), operation: fold(root.Name()),
		outcome: uint8(s.cfg.Outcome.Of(t)), bucket: bucketOf(root.Duration()),
	}
	if start := root.Start(); !start.IsZero() {
		key.bin = start.UnixNano()/int64(s.cfg.Bin) + 1
	}
	return key
}

func (k stratumKey) compare(o stratumKey) int {
	return cmp.Or(
		cmp.Compare(k.source, o.source), cmp.Compare(k.service, o.service), cmp.Compare(k.operation, o.operation),
		cmp.Compare(k.outcome, o.outcome), cmp.Compare(k.bin, o.bin), cmp.Compare(k.bucket, o.bucket),
	)
}
