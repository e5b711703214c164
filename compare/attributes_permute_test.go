package compare

import (
	"context"
	"fmt"
	"math"
	"testing"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/bitset"
	"github.com/tracewhy/tracewhy/internal/stats"
)

// Counting by ranges and by bits gives the p-values of counting traces one by one, also where traces have
// several numbers and there are strata.
func TestAttributesCountAsOneByOne(t *testing.T) {
	var spans []tracewhy.SpanData
	for n := range 300 {
		r := stats.NewRand(8, uint64(n))
		for k := range 1 + r.IntN(3) {
			s := oneSpan(n, fmt.Sprint("GET /", n%2), n%5 == 0, tracewhy.Int("size", int64(r.IntN(40))), tracewhy.Int("kind", int64(r.IntN(3))))
			if k > 0 {
				s.SpanID[7], s.ParentSpanID[7], s.Name = byte(k+1), 1, "step"
			}
			spans = append(spans, s)
		}
	}
	set := tracewhy.SetOf(spans...)
	a := newAttributeTable(set.Source("baseline"), set.Source("incident"), AttributesConfig{Alpha: 0.05, Replicates: 70})
	if err := a.read(context.Background()); err != nil {
		t.Fatal(err)
	}
	a.build()
	all := a.relabellings()
	table, err := stats.NewLabelTable(context.Background(), 1, len(a.traces), all.Len(), all.At)
	if err != nil {
		t.Fatal(err)
	}
	s := attributeScores{attributeTable: a, table: table, ps: map[*attributeHypothesis][]float64{}}
	cuts, trends := 0, 0
	for _, h := range a.hypotheses {
		s.ps[h] = make([]float64, all.Len())
	}
	for _, g := range groupsOf(a.hypotheses) {
		s.fill(g)
	}
	row := make([]bool, len(a.traces))
	for b := range all.Len() {
		all.At(b, row)
		label := bitset.New(len(row))
		for i, has := range row {
			if has {
				label.Add(i)
			}
		}
		a.label = label
		for _, h := range a.hypotheses {
			h.observed = h.set.LenAndSet(label)
			if a.score(h); h.p != s.ps[h][b] {
				t.Fatalf("%v %s, relabelling %d: %v, want %v", h.conditions[0], h.trend, b, s.ps[h][b], h.p)
			}
			if h.isCut {
				cuts++
			}
			if h.trend != "" {
				trends++
			}
		}
	}
	if cuts == 0 || trends == 0 {
		t.Errorf("%d cuts, %d trends", cuts, trends)
	}
}

func TestAttributesFindPartsOfLists(t *testing.T) {
	r := attributesOf(t, planted(11, func(r *stats.Rand, a bool) []tracewhy.KeyValue {
		formats := []string{"pdf", "docx", "png"}[r.IntN(3)]
		if with(r, a, 0.1, 0.8) {
			formats += ",tiff"
		}
		return []tracewhy.KeyValue{tracewhy.String("formats", formats)}
	}), strict)
	if len(r.Findings) != 1 || r.Findings[0].Condition.String() != "formats has tiff" {
		t.Errorf("findings %v, want formats has tiff", findingsOf(r))
	}
}

// Many values, each of a few traces, and none elsewhere: that there is one tells.
func TestAttributesFindPresence(t *testing.T) {
	r := attributesOf(t, planted(12, func(r *stats.Rand, a bool) []tracewhy.KeyValue {
		if with(r, a, 0.05, 0.6) {
			return []tracewhy.KeyValue{tracewhy.String("coupon", fmt.Sprintf("c%x", r.Uint64()))}
		}
		return nil
	}), strict)
	if len(r.Findings) != 1 || r.Findings[0].Condition.String() != "coupon present" {
		t.Errorf("findings %v, want coupon present", findingsOf(r))
	}
}

// Spans copied within their traces change nothing.
func TestAttributesCountTracesNotSpans(t *testing.T) {
	one := planted(13, func(r *stats.Rand, a bool) []tracewhy.KeyValue {
		return []tracewhy.KeyValue{tracewhy.Bool("beta", with(r, a, 0.05, 0.5))}
	})
	ten := append([]tracewhy.SpanData{}, one...)
	for _, s := range one {
		for k := range byte(9) {
			s.SpanID[7], s.ParentSpanID[7] = k+2, 1
			ten = append(ten, s)
		}
	}
	x, y := attributesOf(t, one, AttributesConfig{}), attributesOf(t, ten, AttributesConfig{})
	if got, want := fmt.Sprint(y.Findings[0].Traces, y.Findings[0].P, y.Findings[0].Adjusted, findingsOf(y)), fmt.Sprint(x.Findings[0].Traces, x.Findings[0].P, x.Findings[0].Adjusted, findingsOf(x)); got != want {
		t.Errorf("ten spans a trace: %s, want %s", got, want)
	}
}

// The other way round, the odds ratio inverts.
func TestAttributesSwapCohorts(t *testing.T) {
	set := tracewhy.SetOf(planted(14, func(r *stats.Rand, a bool) []tracewhy.KeyValue {
		return []tracewhy.KeyValue{tracewhy.Bool("beta", with(r, a, 0.2, 0.7))}
	})...)
	ratioOf := func(x, y tracewhy.Cohort) float64 {
		r, err := Attributes(context.Background(), x, y, AttributesConfig{MaxListed: 1000})
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range append(r.Findings, r.Candidates...) {
			if f.Condition.String() == "beta = true" {
				return f.Marginal
			}
		}
		t.Fatal("beta = true is not listed")
		return 0
	}
	x, y := ratioOf(set.Source("baseline"), set.Source("incident")), ratioOf(set.Source("incident"), set.Source("baseline"))
	if p := x * y; p < 0.999 || p > 1.001 {
		t.Errorf("odds ratios %v and %v", x, y)
	}
}

func TestAttributesExemplars(t *testing.T) {
	spans := planted(15, func(r *stats.Rand, a bool) []tracewhy.KeyValue {
		return []tracewhy.KeyValue{tracewhy.Bool("beta", with(r, a, 0.1, 0.7)), tracewhy.Int("user", int64(r.IntN(100)))}
	})
	set := tracewhy.SetOf(spans...)
	f := attributesOf(t, spans, AttributesConfig{}).Findings[0]
	for side, want := range []bool{false, true} {
		trace, ok := set.Lookup(f.Exemplars[side])
		if !ok || trace.Source() != []string{"baseline", "incident"}[side] || f.Condition.Holds(trace.Root()) != want {
			t.Errorf("exemplar %v of side %d does not fit %v", f.Exemplars[side], side, f.Condition)
		}
	}
	f = attributesOf(t, spans, AttributesConfig{Cluster: "user"}).Candidates[0]
	if f.OddsRatio.Low != 0 || !math.IsInf(f.OddsRatio.High, 1) {
		t.Errorf("an interval that takes clusters for traces: %v", f.OddsRatio)
	}
}
