package compare

import (
	"cmp"
	"context"
	"math"
	"slices"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/stats"
)

// tag says that an execution is changed, by which shift, and who is to blame.
type tag struct {
	weight     float64 // the shift's attributable share; 0: not changed
	shift      *hypothesis
	blame      [2]operation
	part       [2]float64 // of the blame; sums to 1
	unanswered bool
}

// tag finds the executions that show a shift, by span of the comparison.
//
// The blame for a changed execution is its own service's, with three exceptions. A call to something that has no
// spans is all that is seen of it, and its own. A call that was not
// answered is the callee's. And where the execution stops sooner, the callee of the last call may have
// caused it by what it returned: it takes a part of the blame that grows with the number of its callers
// that stop after calling it, and falls with those that do not.
func (c *comparison) tag(ctx context.Context, f *features, who *callees, hyps []*hypothesis) ([]tag, error) {
	byOp := map[int32][]*hypothesis{}
	for _, h := range hyps {
		byOp[h.op] = append(byOp[h.op], h)
	}
	stops := newStops(f, hyps)
	tags := make([]tag, len(f.spans))
	for i, s := range f.spans {
		if i&0xffff == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		op := f.opOf[s.Path().ID()]
		list := byOp[op]
		if len(list) == 0 {
			continue
		}
		own := f.at(i)
		t := &tags[i]
		isShorter := false // makes fewer calls than it did
		for _, h := range list {
			if _, has := slices.BinarySearch(own, h.number); has != h.gained {
				continue
			}
			if h.Attributable > t.weight {
				t.weight, t.shift = h.Attributable, h
			}
			isShorter = isShorter || h.shortens()
		}
		if t.shift == nil {
			continue
		}
		t.blame[0], t.part[0] = f.ops[op], 1
		if isCaller(s) && !s.HasChildren() {
			if peer, isPeer := who.of(s); isPeer {
				t.blame[0].service = peer
				continue
			}
		}
		for _, n := range own {
			switch x := f.known[n]; {
			case x.kind == featureUnanswered && stops.has(op, n):
				t.blame[0], t.unanswered = operation{x.callee, f.ops[op].name}, true
			case x.kind == featureStop && isShorter && x.callee != "" && stops.has(op, n) && !t.unanswered:
				part := stops.part(operation{x.callee, x.op})
				t.blame[1], t.part[1], t.part[0] = operation{x.callee, x.op}, part, 1-part
			}
		}
		if t.unanswered {
			t.part = [2]float64{1, 0}
		}
	}
	return tags, nil
}

// shortens reports whether executions that show the shift stop sooner.
func (h *hypothesis) shortens() bool {
	return slices.ContainsFunc(h.names, func(x *StructureShift) bool {
		return x.feature.kind == featureCall && !x.gained || x.feature.kind == featureStop && x.gained
	})
}

// stops knows which operations now stop after a call, or get no answer to one, and how many callers
// each called operation has.
type stops struct {
	gained  map[cellKey]bool             // operation and feature
	stop    map[operation]map[int32]bool // by what is called: the operations that stop after it
	callers map[operation]map[int32]bool
}

func newStops(f *features, hyps []*hypothesis) *stops {
	s := &stops{map[cellKey]bool{}, map[operation]map[int32]bool{}, map[operation]map[int32]bool{}}
	for _, h := range hyps {
		for _, x := range h.names {
			if !x.gained {
				continue
			}
			switch x.feature.kind {
			case featureStop:
				s.gained[cellKey{op: x.op, feature: x.number}] = true
				addTo(s.stop, operation{x.feature.callee, x.feature.op}, x.op)
			case featureUnanswered:
				s.gained[cellKey{op: x.op, feature: x.number}] = true
			}
		}
	}
	if len(s.stop) == 0 {
		return s
	}
	for i, span := range f.spans {
		for _, n := range f.at(i) {
			if x := f.known[n]; x.kind == featureCall && x.callee != "" {
				target := operation{x.callee, x.op}
				if s.stop[target] != nil {
					addTo(s.callers, target, f.opOf[span.Path().ID()])
				}
			}
		}
	}
	return s
}

func (s *stops) has(op int32, n uint32) bool { return s.gained[cellKey{op: op, feature: n}] }

func addTo(m map[operation]map[int32]bool, key operation, op int32) {
	if m[key] == nil {
		m[key] = map[int32]bool{}
	}
	m[key][op] = true
}

// part is the callee's part of the blame for its callers' stopping: a half where it has one caller, so
// that nothing tells the two apart, and all of it where each of several callers stops.
func (s *stops) part(callee operation) float64 {
	stop := len(s.stop[callee])
	callers := max(len(s.callers[callee]), stop)
	share := float64(stop) / float64(callers)
	if stop < 2 {
		return share / 2
	}
	return share
}

// structureOrigins partitions the changed traces by who is to blame: in each trace the deepest changed
// executions are the origins, and what lies above them is consequence.
func (c *comparison) structureOrigins(f *features, tags []tag) ([]StructureOrigin, []float64) {
	type blamed struct {
		weight     [2]float64 // standardised sums, by side
		ops        map[string]float64
		shifts     map[*hypothesis]int
		traces     []int32
		unanswered float64
	}
	services := map[string]*blamed{}
	changed := make([]float64, len(c.traces))
	var deeper []bool
	at := 0
	for i, t := range c.traces {
		first := at
		at += t.NumSpans()
		if c.share[i] == 0 {
			continue
		}
		deeper = append(deeper[:0], make([]bool, at-first)...)
		root := f.spans[first].Index()
		got := map[string]float64{}
		for k := at - 1; k >= first; k-- {
			g := &tags[k]
			if p, ok := f.spans[k].Parent(); ok && (g.weight > 0 || deeper[k-first]) {
				deeper[p.Index()-root] = true
			}
			if g.weight == 0 || deeper[k-first] {
				continue
			}
			for b, op := range g.blame {
				w := g.weight * g.part[b]
				if w == 0 {
					continue
				}
				x := services[op.service]
				if x == nil {
					x = &blamed{ops: map[string]float64{}, shifts: map[*hypothesis]int{}}
					services[op.service] = x
				}
				got[op.service] = max(got[op.service], w)
				if c.side[i] == inc {
					x.ops[op.name] += w
					x.shifts[g.shift]++
					if g.unanswered {
						x.unanswered += w
					}
				}
			}
			changed[i] = max(changed[i], g.weight)
		}
		for service, w := range got {
			x := services[service]
			x.weight[c.side[i]] += float64(w * c.share[i])
			if c.side[i] == inc {
				x.traces = append(x.traces, int32(i))
			}
		}
	}
	var origins []StructureOrigin
	for service, x := range services {
		if len(x.traces) == 0 {
			continue
		}
		o := StructureOrigin{Service: service, Share: c.shareDifference(x.weight), Affected: c.cohort(x.traces)}
		total := 0.0
		best := 0.0
		for _, name := range sortedKeys(x.ops) {
			if w := x.ops[name]; compareRounded(w, best) > 0 {
				best, o.Operation = w, name
			}
			total += x.ops[name]
		}
		o.Unanswered = x.unanswered > total/2
		for h := range x.shifts {
			o.Shifts = append(o.Shifts, h.StructureShift)
		}
		slices.SortFunc(o.Shifts, func(p, q StructureShift) int {
			return cmp.Or(cmp.Compare(q.Traces, p.Traces), cmp.Compare(p.Service, q.Service), cmp.Compare(p.Operation, q.Operation), compareFeatures(p.feature, q.feature))
		})
		origins = append(origins, o)
	}
	byEffect(origins, func(o *StructureOrigin) float64 { return o.Share.Value }, func(o *StructureOrigin) string { return o.Service })
	return origins, changed
}

// shareDifference turns standardised shares of the two sides into their difference, with Newcombe's
// interval at the cohorts' effective sizes.
func (c *comparison) shareDifference(share [2]float64) tracewhy.Estimate {
	var n [2]float64
	for side := range n {
		n[side] = 1 / c.squares[side]
	}
	if math.IsInf(n[base], 0) || math.IsInf(n[inc], 0) {
		return tracewhy.Unknown()
	}
	k := [2]float64{min(share[base], 1) * n[base], min(share[inc], 1) * n[inc]}
	e := stats.ProportionDifference(k[inc], n[inc], k[base], n[base], 0.95)
	return tracewhy.Estimate{Value: e.Value, Low: e.Lo, High: e.Hi}
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
