package compare

import (
	"encoding/binary"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/bitset"
	"github.com/tracewhy/tracewhy/internal/stats"
)

// attributeTable is the traces of both cohorts by what their attributes are. Traces are numbered from 0, in
// the order of the Set.
type attributeTable struct {
	cfg       AttributesConfig
	set       *tracewhy.Set
	traces    []tracewhy.Trace
	execution []tracewhy.Span // by number; nil where traces are compared
	label     bitset.Set      // traces of the incident
	stratum   []int32
	strata    int
	sizes     [][2]int // of each stratum, by cohort
	cluster   []int    // by trace, -1 for one of its own; nil without clusters
	count     [2]int   // traces, by cohort

	fields  []attributeField
	levels  []attributeLevel
	dropped bitset.Set               // traces that may have had attributes which are not there
	absent  map[int32]bitset.Compact // by field: traces that lack it where others have it

	hypotheses []*attributeHypothesis
	tails      map[string]*stats.ConditionalTail
	smallest   []float64 // p-values of all relabellings, sorted
	leftOut    []LeftOutAttribute
	warnings   []tracewhy.Warning
}

// newAttributeTable chooses the traces to compare: those of strata that both cohorts have.
func newAttributeTable(baseline, incident tracewhy.Cohort, cfg AttributesConfig) *attributeTable {
	a := &attributeTable{
		cfg: cfg, set: incident.Set(), absent: map[int32]bitset.Compact{}, tails: map[string]*stats.ConditionalTail{},
		leftOut: []LeftOutAttribute{}, warnings: []tracewhy.Warning{},
	}
	type key struct {
		path   tracewhy.PathID
		period int64
		values string
	}
	type row struct {
		t       tracewhy.Trace
		s       tracewhy.Span // the execution
		side    int
		stratum int32
	}
	var rows []row
	var sides [][2]int
	strata := map[key]int32{}
	add := func(t tracewhy.Trace, x tracewhy.Span, side int) {
		k := key{path: x.Path().ID()}
		for _, name := range cfg.Strata {
			k.values += firstValue(t, name) + "\x00"
		}
		if cfg.Period > 0 {
			if start, _, ok := t.Root().Interval(); ok {
				k.period = start / int64(cfg.Period)
			}
		}
		s, ok := strata[k]
		if !ok {
			s = int32(len(sides))
			strata[k] = s
			sides = append(sides, [2]int{})
		}
		sides[s][side]++
		rows = append(rows, row{t, x, side, s})
	}
	for t := range baseline.Or(incident).Traces() {
		side := base
		if incident.Has(t) {
			side = inc
		}
		if cfg.Executions == nil {
			if a.hasSpan(t) {
				add(t, t.Root(), side)
			}
			continue
		}
		for s := range t.Spans() {
			if !cfg.Spans.Matches(s) {
				continue
			}
			if side == inc && cfg.Executions.Matches(s) {
				add(t, s, inc)
			} else {
				add(t, s, base)
			}
		}
	}
	number := make([]int32, len(sides))
	for s, n := range sides {
		number[s] = -1
		if n[base] > 0 && n[inc] > 0 {
			number[s] = int32(a.strata)
			a.strata++
			a.sizes = append(a.sizes, n)
		}
	}
	unmatched := tracewhy.Warning{Code: WarningUnmatchedRoot, Message: "traces of the incident are of a root operation, or another stratum, that the baseline lacks: they have nothing to be compared with"}
	clusters := map[string]int{}
	a.label = bitset.New(len(rows))
	for _, r := range rows {
		s := number[r.stratum]
		if s < 0 {
			if r.side == inc {
				if unmatched.Count++; unmatched.TraceID == "" {
					unmatched.TraceID = r.t.ID().String()
				}
			}
			continue
		}
		if r.side == inc {
			a.label.Add(len(a.traces))
		}
		a.count[r.side]++
		a.traces = append(a.traces, r.t)
		a.stratum = append(a.stratum, s)
		if cfg.Executions != nil {
			a.execution = append(a.execution, r.s)
		}
		switch {
		case cfg.Cluster != "":
			a.cluster = append(a.cluster, clusterOf(clusters, firstValue(r.t, cfg.Cluster)))
		case cfg.Executions != nil:
			a.cluster = append(a.cluster, r.t.Index())
		}
	}
	if a.set.Weighted() {
		a.warnings = append(a.warnings, tracewhy.Warning{
			Code: WarningWeighted, Count: 1,
			Message: "traces were sampled: attributes are compared by counts of traces as they are, without weights; odds ratios hold where sampling depended on the outcome only",
		})
	}
	if unmatched.Count > 0 {
		a.warnings = append(a.warnings, unmatched)
	}
	return a
}

// clusterOf numbers the clusters. A trace without a name is one of its own.
func clusterOf(clusters map[string]int, name string) int {
	if name == "" {
		return -1
	}
	c, ok := clusters[name]
	if !ok {
		c = len(clusters)
		clusters[name] = c
	}
	return c
}

func (a *attributeTable) hasSpan(t tracewhy.Trace) bool {
	for s := range t.Spans() {
		if a.cfg.Spans.Matches(s) {
			return true
		}
	}
	return false
}

// firstValue returns the first value of an attribute in a trace, from the root on; "" if there is none.
func firstValue(t tracewhy.Trace, key string) string {
	for s := range t.Spans() {
		if v, ok := s.Attr(key); ok {
			return v.Canonical().String()
		}
		if v, ok := s.ResourceAttr(key); ok {
			return v.Canonical().String()
		}
	}
	return ""
}

// isUnknown reports whether the trace may have had the attribute and lost it.
func (a *attributeTable) isUnknown(field int32, trace int) bool {
	return a.dropped.Has(trace) && !a.fields[field].has.Has(trace)
}

// tail returns the p-values of a set of traces, by how many of them are affected.
func (a *attributeTable) tail(set bitset.Compact) *stats.ConditionalTail {
	holders := make([]int, a.strata)
	if a.strata == 1 {
		holders[0] = set.Len()
	} else {
		for i := range set.All() {
			holders[a.stratum[i]]++
		}
	}
	return a.tailOf(holders)
}

// tailOf is [attributeTable.tail] for a set with so many traces of each stratum.
func (a *attributeTable) tailOf(holders []int) *stats.ConditionalTail {
	var key []byte
	for _, n := range holders {
		key = binary.AppendUvarint(key, uint64(n))
	}
	if t := a.tails[string(key)]; t != nil {
		return t
	}
	tables := make([]stats.Table, a.strata)
	for s, n := range a.sizes {
		hit := min(holders[s], n[inc])
		tables[s] = stats.Table{A: hit, B: n[inc] - hit, C: holders[s] - hit, D: n[base] - holders[s] + hit}
	}
	t := stats.NewConditionalTail(tables)
	a.tails[string(key)] = t
	return t
}

// relabellings returns the ways to relabel the traces that keep what depends on what.
func (a *attributeTable) relabellings() *stats.Relabellings {
	labels, strata := make([]bool, len(a.traces)), make([]int, len(a.traces))
	for i, s := range a.stratum {
		labels[i], strata[i] = a.label.Has(i), int(s)
	}
	if a.cluster == nil && a.cfg.Autocorrelated {
		return stats.NewRotations(labels, strata, a.cfg.Replicates)
	}
	if a.cluster == nil {
		return stats.NewRelabellings(labels, strata, a.cfg.Replicates, a.cfg.Seed)
	}
	r, alone := stats.NewClusterRelabellings(labels, strata, a.cluster, a.cfg.Replicates, a.cfg.Seed)
	if alone > 0 {
		a.warnings = append(a.warnings, tracewhy.Warning{
			Code: WarningClusterAlone, Count: alone,
			Message: "clusters have no other of as many traces of the same strata: their outcomes stay as they are in every relabelling",
		})
	}
	return r
}

// dependent says whether traces count for less than as many independent ones, so that p-values have to come
// from relabelling.
func (a *attributeTable) dependent() bool { return a.cluster != nil || a.cfg.Autocorrelated }
