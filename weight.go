package tracewhy

import (
	"math"
	"slices"
	"strings"

	"github.com/tracewhy/tracewhy/internal/stats"
)

// MaxWeight is the largest weight that a trace can have: a sampling threshold comes from outside, and
// one hostile value could otherwise outweigh everything else.
const MaxWeight = 1e6

// The attributes in which Jaeger's clients record, on a trace's root, how it was sampled.
const (
	samplerType  = "sampler.type"
	samplerParam = "sampler.param"
)

// mayWeigh reports whether any span may have a weight: most sets have none, and need not be gone through.
func (b *Builder) mayWeigh() bool {
	_, sampled := b.dict.keys.Find(samplerType)
	return sampled || b.WeightKey != "" || slices.ContainsFunc(b.metaList, func(m spanMeta) bool { return m.weight != 0 || m.traceState != 0 })
}

// traceWeight returns how many traces one trace stands for, and whether that was recorded; if not, the
// weight is 1. Where spans disagree the largest weight holds: the whole trace was kept only if the span
// that was the least likely to be kept was.
func (b *Builder) traceWeight(id TraceID, rows []uint32) (weight float64, recorded bool) {
	weight = 1
	for _, r := range rows {
		w, found, ok := b.spanWeight(r)
		if found && !ok {
			b.problems.note(ProblemWeightInvalid, "", id)
		}
		if !ok {
			continue
		}
		if w > MaxWeight {
			w = MaxWeight
			b.problems.note(ProblemWeightCapped, "", id)
		}
		if recorded && w != weight {
			b.problems.note(ProblemMixedSampling, "", id)
		}
		weight, recorded = max(w, weight), true
	}
	return weight, recorded
}

// spanWeight returns the weight that one span came with, or reads the one recorded on it: in the
// caller's attribute, in tracestate as "ot=th:…", or in Jaeger's attributes. It is found if there is
// one, and ok if it makes sense.
func (b *Builder) spanWeight(row uint32) (w float64, found, ok bool) {
	r := b.row(row)
	if w := math.Float64frombits(b.metaList[r.meta].weight); w != 0 {
		return w, true, w >= 1
	}
	if b.WeightKey != "" {
		if v, has := b.attr(row, b.WeightKey); has {
			w, isNumber := v.Number()
			return w, true, isNumber && w >= 1
		}
	}
	if state := b.metaList[r.meta].traceState; state != 0 {
		if th, has := thresholdOf(b.dict.texts.String(state)); has {
			w, _, ok := stats.AdjustedCount(th, math.Inf(1)) // capped where all weights are
			return w, true, ok
		}
	}
	if !r.parentID.IsZero() {
		return 0, false, false
	}
	switch v, _ := b.attr(row, samplerType); v.Str() {
	case "probabilistic":
		param, _ := b.attr(row, samplerParam)
		p, isNumber := param.Number()
		return 1 / p, true, isNumber && p > 0 && p <= 1
	case "const":
		return 1, true, true
	}
	return 0, false, false // rate limits and adaptive samplers record no probability
}

// attr returns the value of a text or number among a row's attributes.
func (b *Builder) attr(row uint32, key string) (Value, bool) {
	num, ok := b.dict.keys.Find(key)
	if !ok {
		return Value{}, false
	}
	for _, p := range b.attrsOf(row) {
		pr := b.dict.pairs[p]
		if pr.key != num {
			continue
		}
		if pr.isText() {
			return StringOf(b.dict.payload(pr)), true
		}
		return Value{kind: pr.kind, num: pr.num}, !pr.isBlob()
	}
	return Value{}, false
}

// thresholdOf returns the th value of tracestate's ot member.
func thresholdOf(state string) (string, bool) {
	for member := range strings.SplitSeq(state, ",") {
		value, ok := strings.CutPrefix(strings.TrimSpace(member), "ot=")
		if !ok {
			continue
		}
		for field := range strings.SplitSeq(value, ";") {
			if th, ok := strings.CutPrefix(field, "th:"); ok {
				return th, true
			}
		}
	}
	return "", false
}
