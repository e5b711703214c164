package tracewhy

import (
	"strconv"
	"strings"
)

// MaxWeight is the largest weight that a trace can have: a sampling threshold comes from outside, and
// one hostile value could otherwise outweigh everything else.
const MaxWeight = 1e6

// traceWeight returns how many traces one trace stands for, by the sampling probability recorded on its
// spans: W3C tracestate "ot=th:…", or Jaeger's sampler.type probabilistic with sampler.param.
// A trace without either has weight 1. Where spans disagree the largest weight holds, which is the
// probability that the whole trace was kept with.
func (b *Builder) traceWeight(id TraceID, rows []uint32) float64 {
	weight, found := 1.0, false
	for _, r := range rows {
		w, ok, err := b.spanWeight(&b.rows[r])
		if err {
			b.problems.note(ProblemWeightInvalid, "", id)
		}
		if !ok {
			continue
		}
		if w > MaxWeight {
			w = MaxWeight
			b.problems.note(ProblemWeightCapped, "", id)
		}
		if found && w != weight {
			b.problems.note(ProblemMixedSampling, "", id)
		}
		weight, found = max(w, weight), true
	}
	return weight
}

// spanWeight reads one span's sampling probability: ok if there is one, invalid if it is none.
func (b *Builder) spanWeight(r *rawSpan) (w float64, ok, invalid bool) {
	if state := b.metaList[r.meta].traceState; state != 0 {
		if th, has := thresholdOf(b.texts.String(state)); has {
			w, ok := adjustedCount(th)
			return w, ok, !ok
		}
	}
	if !r.parentID.IsZero() {
		return 0, false, false // Jaeger records its sampler on the root
	}
	var isProbabilistic bool
	param := -1.0
	for _, p := range b.attrs[r.attr:r.attrEnd] {
		pr := b.pairs.list[p]
		switch b.texts.String(pr.key) {
		case "sampler.type":
			isProbabilistic = pr.kind == StringValue && b.texts.String(uint32(pr.num)) == "probabilistic"
		case "sampler.param":
			switch v := (Value{kind: pr.kind, num: pr.num}); pr.kind {
			case FloatValue:
				param = v.Float()
			case IntValue:
				param = float64(v.Int())
			case StringValue:
				if f, err := strconv.ParseFloat(b.texts.String(uint32(pr.num)), 64); err == nil {
					param = f
				}
			}
		}
	}
	if !isProbabilistic {
		return 0, false, false
	}
	if !(param > 0 && param <= 1) {
		return 0, false, true
	}
	return 1 / param, true, false
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

// adjustedCount turns a rejection threshold T, 1 to 14 lower-case hexadecimal digits padded with zeros
// on the right, into 2^56/(2^56-T), as OpenTelemetry's "TraceState: Probability Sampling" defines it.
func adjustedCount(th string) (float64, bool) {
	if len(th) < 1 || len(th) > 14 || strings.ToLower(th) != th {
		return 0, false
	}
	t, err := strconv.ParseUint(th, 16, 64)
	if err != nil {
		return 0, false
	}
	const all = 1 << 56
	return float64(all) / float64(all-t<<(4*(14-len(th)))), true
}
