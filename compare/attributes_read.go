package compare

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/bitset"
)

// attributeField is a key at a place, and what is known of it.
type attributeField struct {
	place        AttributePlace
	service, key string
	levels       []int32
	rows         int // with any value
	spans        int
	failedSpans  int
	numeric      bool
	last         float64 // to see whether numbers only grow
	ascending    int
}

// attributeLevel is a value of a field, canonical.
type attributeLevel struct {
	field  int32
	value  tracewhy.Value
	number float64 // NaN if it is none
	rows   []int32
}

type levelKey struct {
	field int32
	kind  tracewhy.ValueKind
	text  string
}

// attributeTable is the traces of both cohorts by what their attributes are.
type attributeTable struct {
	cfg     AttributesConfig
	set     *tracewhy.Set
	traces  []tracewhy.Trace
	label   bitset.Set
	stratum []int32
	strata  int
	cluster []string
	count   [2]int

	fields  []attributeField
	fieldOf map[[3]string]int32
	level   []attributeLevel
	levelOf map[levelKey]int32
	unknown []bitset.Set // by field: rows in which it may have been dropped
	absent  []bitset.Set // by field: rows that lack it where others have it

	hypotheses []*attributeHypothesis
	leftOut    []LeftOutAttribute
	warnings   []tracewhy.Warning
}

// newAttributeTable chooses the traces to compare: those of strata that both cohorts have.
func newAttributeTable(baseline, incident tracewhy.Cohort, cfg AttributesConfig) *attributeTable {
	a := &attributeTable{
		cfg: cfg, set: incident.Set(), fieldOf: map[[3]string]int32{}, levelOf: map[levelKey]int32{},
		leftOut: []LeftOutAttribute{}, warnings: []tracewhy.Warning{},
	}
	type row struct {
		t       tracewhy.Trace
		side    int
		stratum int32
	}
	var rows []row
	var sides [][2]int
	strata := map[string]int32{}
	for t := range baseline.Or(incident).Traces() {
		if !a.hasSpan(t) {
			continue
		}
		side := base
		if incident.Has(t) {
			side = inc
		}
		key := fmt.Sprint(t.Root().Path().ID())
		for _, k := range cfg.Strata {
			key += "\x00" + firstValue(t, k)
		}
		if start, _, ok := t.Root().Interval(); ok && cfg.Period > 0 {
			key += fmt.Sprint("\x00", start/int64(cfg.Period))
		}
		s, ok := strata[key]
		if !ok {
			s = int32(len(sides))
			strata[key] = s
			sides = append(sides, [2]int{})
		}
		sides[s][side]++
		rows = append(rows, row{t, side, s})
	}
	number := make([]int32, len(sides))
	for s, n := range sides {
		number[s] = -1
		if n[base] > 0 && n[inc] > 0 {
			number[s] = int32(a.strata)
			a.strata++
		}
	}
	if a.set.Weighted() {
		a.warnings = append(a.warnings, tracewhy.Warning{
			Code: WarningWeighted, Count: 1,
			Message: "traces were sampled: attributes are compared by counts of traces as they are, without weights; odds ratios hold where sampling depended on the outcome only",
		})
	}
	unmatched := tracewhy.Warning{Code: WarningUnmatchedRoot, Message: "traces of the incident are of a root operation, or another stratum, that the baseline lacks: they have nothing to be compared with"}
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
		if cfg.Cluster != "" {
			a.cluster = append(a.cluster, firstValue(r.t, cfg.Cluster))
		}
	}
	if unmatched.Count > 0 {
		a.warnings = append(a.warnings, unmatched)
	}
	return a
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

func (a *attributeTable) field(place AttributePlace, service, key string) int32 {
	k := [3]string{string(place), service, key}
	f, ok := a.fieldOf[k]
	if !ok {
		f = int32(len(a.fields))
		a.fieldOf[k] = f
		a.fields = append(a.fields, attributeField{place: place, service: service, key: key, numeric: true, last: math.Inf(-1)})
	}
	return f
}

func (a *attributeTable) levelFor(f int32, v tracewhy.Value) int32 {
	v = v.Canonical()
	k := levelKey{f, v.Kind(), v.String()}
	l, ok := a.levelOf[k]
	if !ok {
		l = int32(len(a.level))
		a.levelOf[k] = l
		number := math.NaN()
		if v.Kind() == tracewhy.IntValue || v.Kind() == tracewhy.FloatValue {
			if x, ok := v.Number(); ok {
				number = x
			}
		}
		if math.IsNaN(number) {
			a.fields[f].numeric = false
		}
		a.level = append(a.level, attributeLevel{field: f, value: v, number: number})
		a.fields[f].levels = append(a.fields[f].levels, l)
	}
	return l
}

// read visits every attribute of every span that counts.
func (a *attributeTable) read(ctx context.Context) error {
	spanLevel := make([]int32, a.set.NumAttrs()) // by attribute, plus one
	resources := map[int][]int32{}
	ofPath := map[tracewhy.PathID]map[int32]bool{} // the fields that spans of a path have
	ofService := map[string]map[int32]bool{}
	fieldRow := []int32{}
	present := make([][]int32, len(a.traces))
	for i, t := range a.traces {
		if i%cancelEvery == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		row := int32(i)
		add := func(l int32) int32 {
			x := &a.level[l]
			if n := len(x.rows); n == 0 || x.rows[n-1] != row {
				x.rows = append(x.rows, row)
			}
			f := x.field
			for len(fieldRow) < len(a.fields) {
				fieldRow = append(fieldRow, -1)
			}
			if fieldRow[f] != row {
				fieldRow[f] = row
				d := &a.fields[f]
				d.rows++
				if x.number > d.last {
					d.ascending++
				}
				d.last = x.number
				present[i] = append(present[i], f)
			}
			return f
		}
		for s := range t.Spans() {
			if !a.cfg.Spans.Matches(s) {
				continue
			}
			failed := s.Failed()
			own := ofPath[s.Path().ID()]
			if own == nil {
				own = map[int32]bool{}
				ofPath[s.Path().ID()] = own
			}
			seen := func(f int32) {
				a.fields[f].spans++
				if failed {
					a.fields[f].failedSpans++
				}
				own[f] = true
			}
			for id := range s.AttrIDs() {
				l := spanLevel[id] - 1
				if l < 0 {
					l = a.levelFor(a.field(PlaceSpan, "", a.set.AttrKey(id)), a.set.AttrValue(id))
					spanLevel[id] = l + 1
				}
				seen(add(l))
			}
			if s.NumEvents() > 0 {
				for e := range s.Events() {
					for _, kv := range e.Attributes {
						seen(add(a.levelFor(a.field(PlaceEvent, "", kv.Key), kv.Value)))
					}
				}
			}
			levels, ok := resources[s.ResourceIndex()]
			if !ok {
				for id := range s.ResourceAttrIDs() {
					levels = append(levels, a.levelFor(a.field(PlaceResource, s.Service(), a.set.AttrKey(id)), a.set.AttrValue(id)))
				}
				resources[s.ResourceIndex()] = levels
			}
			if ofService[s.Service()] == nil {
				ofService[s.Service()] = map[int32]bool{}
			}
			for _, l := range levels {
				ofService[s.Service()][add(l)] = true
			}
		}
	}
	return a.readMissing(ctx, present, ofPath, ofService)
}

// readMissing finds where a field lacks that other spans of the path, or other copies of the service,
// have, and where it may have been dropped.
func (a *attributeTable) readMissing(ctx context.Context, present [][]int32, ofPath map[tracewhy.PathID]map[int32]bool, ofService map[string]map[int32]bool) error {
	n := len(a.traces)
	a.unknown, a.absent = make([]bitset.Set, len(a.fields)), make([]bitset.Set, len(a.fields))
	for f := range a.fields {
		a.unknown[f], a.absent[f] = bitset.New(n), bitset.New(n)
	}
	has := make([]int32, len(a.fields))
	for i, t := range a.traces {
		if i%cancelEvery == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		row := int32(i + 1)
		for _, f := range present[i] {
			has[f] = row
		}
		m := t.Missing()
		dropped := m.Details > 0 || m.Root || m.Completeness() < 1
		if dropped {
			for f := range a.fields {
				if has[f] != row {
					a.unknown[f].Add(i)
				}
			}
			continue
		}
		var last tracewhy.PathID = math.MaxUint32
		for s := range t.Spans() {
			if s.Path().ID() == last || !a.cfg.Spans.Matches(s) {
				continue
			}
			last = s.Path().ID()
			for _, fields := range []map[int32]bool{ofPath[last], ofService[s.Service()]} {
				for f := range fields {
					if has[f] != row {
						a.absent[f].Add(i)
					}
				}
			}
		}
	}
	return nil
}

// valuesOf returns the most frequent values of a field.
func (a *attributeTable) valuesOf(f int32) []AttributeValue {
	levels := slices.Clone(a.fields[f].levels)
	slices.SortFunc(levels, func(x, y int32) int {
		return cmp.Or(cmp.Compare(len(a.level[y].rows), len(a.level[x].rows)), cmp.Compare(a.level[x].value.String(), a.level[y].value.String()))
	})
	values := []AttributeValue{}
	for _, l := range levels[:min(len(levels), maxContext)] {
		v := AttributeValue{Value: a.level[l].value}
		for _, row := range a.level[l].rows {
			if a.label.Has(int(row)) {
				v.Traces[inc]++
			} else {
				v.Traces[base]++
			}
		}
		values = append(values, v)
	}
	return values
}

// maxContext is how many values of a key are shown.
const maxContext = 10
