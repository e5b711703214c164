package compare

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/bitset"
)

const (
	minIDs       = 20  // traces with a key before its values can count as identifiers
	idShare      = 0.8 // values per trace that make them identifiers
	maxPorts     = 20  // values of a port, above which they are those of connections
	minNumbers   = 3   // distinct numbers that make a range
	maxPartBytes = 40  // of a part of a list; what is longer is prose
	maxParts     = 64  // parts of lists to ask about, of one key, and parts of one list
)

// cutShares are where ranges of numbers are cut: quantiles of all traces, whichever cohort they are of.
var cutShares = []float64{0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98}

// orderValues finds attributes that are written differently and mean the same, and the order of numbers.
func (r *attributeReader) orderValues() {
	r.canonical, r.rank = make([]int32, len(r.field)), make([]int32, len(r.field))
	type number struct {
		item  int32
		value tracewhy.Value
		x     float64
	}
	for f := range r.fields {
		d := &r.fields[f]
		var numbers []number
		d.isNumeric = true
		var kinds [tracewhy.MapValue + 1]bool
		r.itemsOf(d, func(item int32) {
			r.canonical[item] = item
			v := r.value(item)
			kinds[v.Kind()] = true
			x, ok := v.Number()
			if d.isNumeric = d.isNumeric && ok && v.Kind() != tracewhy.StringValue; d.isNumeric {
				numbers = append(numbers, number{item, v, x})
			}
		})
		switch {
		case d.isNumeric:
			slices.SortFunc(numbers, func(p, q number) int { return cmp.Or(cmp.Compare(p.x, q.x), cmp.Compare(p.item, q.item)) })
			for i, p := range numbers {
				r.rank[p.item] = int32(i)
				if i > 0 && p.value.Equal(numbers[i-1].value) {
					r.canonical[p.item] = r.canonical[numbers[i-1].item]
				}
			}
		case kinds[tracewhy.BoolValue] || kinds[tracewhy.IntValue] || kinds[tracewhy.FloatValue]: // such as true and "true"
			same := map[otherKey]int32{}
			r.itemsOf(d, func(item int32) {
				v := r.value(item)
				k := otherKey{kind: v.Kind(), text: v.String()}
				if first, ok := same[k]; ok {
					r.canonical[item] = first
				} else {
					same[k] = item
				}
			})
		}
	}
}

// chooseLevels decides which values, parts of lists and ranges of numbers to ask about.
func (r *attributeReader) chooseLevels(ctx context.Context) error {
	n := len(r.traces)
	r.level, r.inRange = make([]int32, len(r.field)), make([]int32, len(r.field))
	for item := range r.field {
		r.level[item], r.inRange[item] = -1, -1
	}
	for f := range r.fields {
		if f%cancelEvery == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		d := &r.fields[f]
		if d.traces == 0 {
			continue
		}
		var values []int32
		r.itemsOf(d, func(item int32) {
			if r.canonical[item] == item && r.count[item] > 0 {
				values = append(values, item)
			}
		})
		d.values = len(values)
		if d.isNumeric {
			slices.SortFunc(values, func(x, y int32) int { return cmp.Compare(r.rank[x], r.rank[y]) })
		}
		manyValues := d.traces >= minIDs && float64(d.values) >= idShare*float64(d.traces)
		inOrder := float64(d.ascending) >= 0.95*float64(d.traces)
		d.isIDs = manyValues && (!d.isNumeric || isIDName(d.key) || inOrder) || isPortName(d.key) && d.values > maxPorts
		if !d.isNumeric {
			r.chooseParts(d, values)
		}
		if len(d.parts) > 0 {
			d.isIDs = false
		}
		for _, item := range values {
			switch {
			case r.count[item] < 2:
				d.once++
			case !d.isIDs:
				r.level[item] = r.newLevel(n, r.value(item))
				d.levels = append(d.levels, r.level[item])
			}
		}
		if d.isNumeric && !d.isIDs && !isIDName(d.key) && !isPortName(d.key) && len(values) >= minNumbers {
			r.chooseRanges(d, values)
			continue
		}
		for _, item := range values {
			if r.level[item] < 0 {
				if d.rest < 0 {
					d.rest = r.newLevel(n, tracewhy.Value{})
				}
				r.inRange[item] = d.rest
			}
		}
	}
	return nil
}

func (r *attributeReader) newLevel(traces int, v tracewhy.Value) int32 {
	r.levels = append(r.levels, attributeLevel{value: v, traces: bitset.NewBuilder(traces)})
	return int32(len(r.levels) - 1)
}

// chooseRanges cuts ascending numbers. A range of one number is the level of that number.
func (r *attributeReader) chooseRanges(d *attributeField, values []int32) {
	total := 0
	for _, item := range values {
		total += int(r.count[item])
	}
	starts := []int{0} // of ranges, as places in values
	sum, next := 0, 0
	for i, item := range values {
		before := sum
		sum += int(r.count[item])
		for next < len(cutShares) && float64(sum) > cutShares[next]*float64(total) {
			switch cut := cutShares[next] * float64(total); {
			case float64(before) >= cut:
				starts = append(starts, i)
			case float64(r.count[item]) >= cutShares[0]*float64(total): // a frequent number is cut off on both sides
				starts = append(starts, i, i+1)
			default:
				starts = append(starts, i+1)
			}
			next++
		}
	}
	slices.Sort(starts)
	starts = slices.Compact(starts)
	if starts[len(starts)-1] == len(values) {
		starts = starts[:len(starts)-1]
	}
	for k, from := range starts {
		to := len(values)
		if k+1 < len(starts) {
			to = starts[k+1]
		}
		if to == from+1 && r.level[values[from]] >= 0 {
			d.ranges = append(d.ranges, r.level[values[from]])
			continue
		}
		l := r.newLevel(len(r.traces), r.value(values[from]))
		d.ranges = append(d.ranges, l)
		for _, item := range values[from:to] {
			r.inRange[item] = l
		}
	}
}

// chooseParts finds the parts that lists have in common: those of more than one value, where some value has
// several parts. The most frequent are kept.
func (r *attributeReader) chooseParts(d *attributeField, values []int32) {
	type part struct {
		value  tracewhy.Value
		items  []int32
		traces int
	}
	partOf := map[otherKey]*part{}
	isList := false
	for _, item := range values {
		elements := listElements(r.value(item))
		isList = isList || len(elements) > 1
		for _, v := range elements {
			k := otherKey{kind: v.Kind(), text: v.String()}
			p := partOf[k]
			if p == nil {
				p = &part{value: v}
				partOf[k] = p
			}
			if n := len(p.items); n == 0 || p.items[n-1] != item {
				p.items = append(p.items, item)
				p.traces += int(r.count[item])
			}
		}
	}
	if !isList {
		return
	}
	var parts []*part
	for _, p := range partOf {
		if len(p.items) > 1 {
			parts = append(parts, p)
		}
	}
	slices.SortFunc(parts, func(p, q *part) int {
		return cmp.Or(cmp.Compare(q.traces, p.traces), cmp.Compare(p.value.Kind(), q.value.Kind()), cmp.Compare(p.value.String(), q.value.String()))
	})
	for _, p := range parts[:min(len(parts), maxParts)] {
		l := r.newLevel(len(r.traces), p.value)
		d.parts = append(d.parts, l)
		for _, item := range p.items {
			r.inLists[item] = append(r.inLists[item], l)
		}
	}
}

// listElements returns the elements of a list: an array, or a text with separators, as [tracewhy.OpHas] has them.
// Text without is a list of one. It is nil for anything else, and for prose.
func listElements(v tracewhy.Value) []tracewhy.Value {
	var parts []tracewhy.Value
	switch v.Kind() {
	case tracewhy.ArrayValue:
		for _, e := range v.Elems() {
			parts = append(parts, e.Value.Canonical())
		}
	case tracewhy.StringValue:
		for e := range strings.SplitSeq(v.Str(), ",") {
			parts = append(parts, tracewhy.StringOf(strings.TrimSpace(e)).Canonical())
		}
	}
	if len(parts) > maxParts {
		return nil
	}
	for _, p := range parts {
		if text := p.String(); text == "" || len(text) > maxPartBytes {
			return nil
		}
	}
	return parts
}
