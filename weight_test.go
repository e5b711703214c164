package tracewhy

import (
	"math"
	"testing"
)

func TestWeights(t *testing.T) {
	state := func(s string) func(*SpanData) { return func(d *SpanData) { d.TraceState = s } }
	attrs := func(kvs ...KeyValue) func(*SpanData) { return func(d *SpanData) { d.Attributes = kvs } }
	kind, param := String("sampler.type", "probabilistic"), "sampler.param"
	tests := []struct {
		name        string
		root, child func(*SpanData)
		want        float64
		code        string
	}{
		{"not sampled", nil, nil, 1, ""},
		{"half", state("ot=th:8"), nil, 2, ""},
		{"one in a hundred, among other members", state("a=1, ot=rv:12;th:fd70a4,b=2"), nil, 100.0001, ""},
		{"all", state("ot=th:0"), nil, 1, ""},
		{"a child's", nil, state("ot=th:c"), 4, ""},
		{"the child's is larger", state("ot=th:8"), state("ot=th:c"), 4, ProblemMixedSampling},
		{"the child's is smaller", state("ot=th:c"), state("ot=th:8"), 4, ProblemMixedSampling},
		{"both agree", state("ot=th:8"), state("ot=th:8"), 2, ""},
		{"hostile", state("ot=th:ffffffffffffff"), nil, MaxWeight, ProblemWeightCapped},
		{"upper case", state("ot=th:FF"), nil, 1, ProblemWeightInvalid},
		{"too long", state("ot=th:000000000000000"), nil, 1, ProblemWeightInvalid},
		{"empty", state("ot=th:"), nil, 1, ProblemWeightInvalid},
		{"another vendor's th", state("xx=th:8"), nil, 1, ""},
		{"Jaeger", attrs(kind, Float(param, 0.25)), nil, 4, ""},
		{"Jaeger, as text", attrs(kind, String(param, "0.25")), nil, 4, ""},
		{"Jaeger, all", attrs(kind, Int(param, 1)), nil, 1, ""},
		{"Jaeger, on a child", nil, attrs(kind, Float(param, 0.25)), 1, ""},
		{"Jaeger's rate limit is no probability", attrs(String("sampler.type", "ratelimiting"), Float(param, 2)), nil, 1, ""},
		{"Jaeger's lower bound is none either", attrs(String("sampler.type", "lowerbound"), Float(param, 0.001)), nil, 1, ""},
		{"Jaeger, a probability of 2", attrs(kind, Float(param, 2)), nil, 1, ProblemWeightInvalid},
		{"Jaeger, a probability of 0", attrs(kind, Float(param, 0)), nil, 1, ProblemWeightInvalid},
		{"Jaeger, NaN", attrs(kind, Float(param, math.NaN())), nil, 1, ProblemWeightInvalid},
		{"Jaeger, no probability", attrs(kind), nil, 1, ProblemWeightInvalid},
		{"Jaeger, one in a thousand million", attrs(kind, Float(param, 1e-9)), nil, MaxWeight, ProblemWeightCapped},
		{"the caller's attribute", attrs(Int("SampleRate", 20)), nil, 20, ""},
		{"the caller's attribute, on a child", nil, attrs(Int("SampleRate", 20)), 20, ""},
		{"the caller's attribute goes first", func(d *SpanData) { d.TraceState = "ot=th:8"; d.Attributes = []KeyValue{Int("SampleRate", 20)} }, nil, 20, ""},
		{"the caller's attribute is no number", attrs(String("SampleRate", "high")), nil, 1, ProblemWeightInvalid},
		{"the caller's attribute is a list", attrs(KeyValue{"SampleRate", ArrayOf(IntOf(3))}), nil, 1, ""},
		{"the caller's attribute is below 1", attrs(Float("SampleRate", 0.5)), nil, 1, ProblemWeightInvalid},
		{"the span's own", func(d *SpanData) { d.Weight = 2.5 }, nil, 2.5, ""},
		{"the span's own, on a child", nil, func(d *SpanData) { d.Weight = 3 }, 3, ""},
		{"the span's own goes first", func(d *SpanData) { d.TraceState, d.Weight = "ot=th:8", 1 }, nil, 1, ""},
		{"the spans' own disagree", func(d *SpanData) { d.Weight = 2 }, func(d *SpanData) { d.Weight = 3 }, 3, ProblemMixedSampling},
		{"the span's own is below 1", func(d *SpanData) { d.Weight = 0.5 }, nil, 1, ProblemWeightInvalid},
		{"the span's own is NaN", func(d *SpanData) { d.Weight = math.NaN() }, nil, 1, ProblemWeightInvalid},
		{"the span's own is infinite", func(d *SpanData) { d.Weight = math.Inf(1) }, nil, MaxWeight, ProblemWeightCapped},
		{"the caller's attribute is infinite", attrs(Float("SampleRate", math.Inf(1))), nil, MaxWeight, ProblemWeightCapped},
	}
	for _, tt := range tests {
		root, child := span(1, 0, "root", 0, 9), span(2, 1, "child", 1, 2)
		if tt.root != nil {
			tt.root(&root)
		}
		if tt.child != nil {
			tt.child(&child)
		}
		b := Builder{WeightKey: "SampleRate"}
		b.Add(&root)
		b.Add(&child)
		set, err := b.Build(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if got := set.Trace(0).Weight(); math.Abs(got-tt.want) > 1e-4 {
			t.Errorf("%s: weight %v, want %v", tt.name, got, tt.want)
		}
		if set.Weighted() != (tt.want != 1) {
			t.Errorf("%s: Weighted %v", tt.name, set.Weighted())
		}
		if got := counts(set); len(got) != min(1, len(tt.code)) || tt.code != "" && got[tt.code] != 1 {
			t.Errorf("%s: problems %v, want %q", tt.name, got, tt.code)
		}
	}
}

// A weight that is not recorded is only taken as 1 where none is.
func TestMissingWeightsAreCounted(t *testing.T) {
	var spans []SpanData
	for i := range byte(5) {
		s := span(1, 0, "s", 0, 1)
		s.TraceID = tid(i + 1)
		if i < 2 {
			s.TraceState = "ot=th:c"
		}
		spans = append(spans, s)
	}
	set := SetOf(spans...)
	if got := counts(set)[ProblemWeightMissing]; got != 3 {
		t.Errorf("%d weights missing, want 3", got)
	}
	if got := set.All().Weight(); got != 2*4+3 {
		t.Errorf("the Set stands for %v traces, want 11", got)
	}
	if n := len(counts(SetOf(spans[2:]...))); n != 0 {
		t.Error("a Set without any weight has a problem")
	}
}
