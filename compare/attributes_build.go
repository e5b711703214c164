package compare

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/bitset"
	"github.com/tracewhy/tracewhy/internal/stats"
)

// attributeHypothesis is one question: conditions that hold for one set of traces, or a trend.
type attributeHypothesis struct {
	conditions  []AttributeCondition // the first stands for the others, which are aliases
	field       int32
	set         bitset.Compact
	isCut       bool
	consequence string
	observed    int
	tail        *stats.ConditionalTail

	numbers *attributeNumbers // of a cut or a trend: what to count by
	cut     int               // the first range above it
	trend   string

	p, q, adjusted float64
}

const minFailures = 5 // failed spans with a key that no other has, before it is a consequence

// build lists the questions: missing and present keys, values, parts of lists, cuts and trends of numbers.
func (a *attributeTable) build() {
	order := make([]int32, 0, len(a.fields))
	for f := range a.fields {
		if a.fields[f].traces > 0 {
			order = append(order, int32(f))
		}
	}
	slices.SortFunc(order, func(x, y int32) int {
		p, q := &a.fields[x], &a.fields[y]
		return cmp.Or(cmp.Compare(p.key, q.key), cmp.Compare(p.place, q.place), cmp.Compare(p.service, q.service))
	})
	for _, f := range order {
		a.buildField(f)
	}
	a.collapse()
}

func (a *attributeTable) buildField(f int32) {
	d := &a.fields[f]
	out := func(reason string, values int) {
		a.leftOut = append(a.leftOut, LeftOutAttribute{Key: d.key, Place: d.place, Service: d.service, Reason: reason, Values: values})
	}
	if d.key == a.cfg.Cluster && a.cfg.Cluster != "" {
		out("the clusters are made of it", d.values)
		return
	}
	consequence := a.consequenceOf(f)
	add := func(op tracewhy.Op, v tracewhy.Value, set bitset.Compact) *attributeHypothesis {
		h := &attributeHypothesis{field: f, set: set, consequence: consequence, conditions: []AttributeCondition{{
			Condition: tracewhy.Condition{Key: d.key, Op: op, Value: v}, Place: d.place, Service: d.service,
		}}}
		a.hypotheses = append(a.hypotheses, h)
		return h
	}
	if absent, ok := a.absent[f]; ok {
		h := add(tracewhy.OpMissing, tracewhy.Value{}, absent)
		if h.consequence == "" && d.failedWithout {
			h.consequence = "missing only where something failed: it comes with the failure, as its cause or because of it"
		}
	}
	switch {
	case d.isIDs:
		out(idReason(d), d.values)
	case d.once > 0 && len(d.ranges) == 0:
		out("values of a single trace", d.once)
	}
	byValue := slices.SortedFunc(slices.Values(d.levels), func(x, y int32) int {
		p, q := &a.levels[x].value, &a.levels[y].value
		return cmp.Or(cmp.Compare(p.Kind(), q.Kind()), cmp.Compare(p.String(), q.String()))
	})
	for _, l := range byValue {
		add(tracewhy.OpEqual, a.levels[l].value, a.levels[l].traces.Compact())
	}
	for _, l := range d.parts {
		add(tracewhy.OpHas, a.levels[l].value, a.levels[l].traces.Compact())
	}
	if len(d.ranges) > 1 {
		a.buildCuts(f, add)
	}
	add(tracewhy.OpPresent, tracewhy.Value{}, d.has)
}

// idReason says why the values of a field are taken for identifiers.
func idReason(d *attributeField) string {
	if isPortName(d.key) {
		return "identifiers: ports of many connections"
	}
	return "identifiers: nearly one value a trace"
}

// consequenceOf says why a field is a consequence of a failure, or "".
func (a *attributeTable) consequenceOf(f int32) string {
	d := &a.fields[f]
	if why := consequenceByName(d.key, a.cfg.Consequences); why != "" {
		return why
	}
	if d.place != PlaceResource && d.failedSpans == d.spans && d.spans >= minFailures && a.absent[f].Len() > 0 {
		return "recorded only where something failed: it comes with the failure, as its cause or because of it"
	}
	return ""
}

// collapse joins questions about the same traces, and drops those that no outcome could answer.
func (a *attributeTable) collapse() {
	same := map[string][]*attributeHypothesis{}
	var kept []*attributeHypothesis
	for _, h := range a.hypotheses {
		if h.set.Len() == 0 || h.set.Len() == len(a.traces) {
			continue
		}
		key := fmt.Sprint(h.set.Hash(), h.trend, h.consequence != "")
		if h.trend != "" {
			key += fmt.Sprint(" ", h.field)
		}
		if at := slices.IndexFunc(same[key], func(x *attributeHypothesis) bool { return x.set.Equal(h.set) }); at >= 0 {
			if x := same[key][at]; !x.isCut || x.field != h.field { // cuts of one number are one question
				x.conditions = append(x.conditions, h.conditions[0])
			}
			continue
		}
		same[key] = append(same[key], h)
		h.observed = h.set.LenAndSet(a.label)
		h.tail = a.tail(h.set)
		if h.trend == "" && h.tail.Smallest() > a.cfg.Alpha || h.trend != "" && h.trendOf().sd == 0 {
			continue
		}
		kept = append(kept, h)
	}
	a.hypotheses = kept
}
