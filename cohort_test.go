package tracewhy

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// hundred is a Set of a hundred traces of one or two spans, every fifth of which failed.
func hundred() *Set {
	var spans []SpanData
	for i := range byte(100) {
		s := span(1, 0, "s", 0, 1)
		s.TraceID = tid(i + 1)
		if i%5 == 0 {
			s.Status = StatusError
		}
		s.Attributes = []KeyValue{Int("n", int64(i))}
		spans = append(spans, s)
		if i%2 == 0 {
			c := span(2, 1, "c", 0, 1)
			c.TraceID = s.TraceID
			spans = append(spans, c)
		}
	}
	return SetOf(spans...)
}

func indexes(c Cohort) []int {
	var is []int
	for t := range c.Traces() {
		is = append(is, t.Index())
	}
	return is
}

func TestCohortAlgebra(t *testing.T) {
	set := hundred()
	rng := rand.New(rand.NewPCG(1, 1))
	some := func() Cohort { return set.Select(func(Trace) bool { return rng.IntN(3) == 0 }) }
	equal := func(law string, a, b Cohort) {
		t.Helper()
		if !slices.Equal(indexes(a), indexes(b)) {
			t.Errorf("%s: %v and %v", law, indexes(a), indexes(b))
		}
	}
	all, none := set.All(), set.All().Minus(set.All())
	if all.Len() != 100 || none.Len() != 0 {
		t.Fatalf("all %d, none %d", all.Len(), none.Len())
	}
	for range 50 {
		a, b, c := some(), some(), some()
		equal("and commutes", a.And(b), b.And(a))
		equal("or commutes", a.Or(b), b.Or(a))
		equal("and is associative", a.And(b).And(c), a.And(b.And(c)))
		equal("or is associative", a.Or(b).Or(c), a.Or(b.Or(c)))
		equal("and distributes", a.And(b.Or(c)), a.And(b).Or(a.And(c)))
		equal("absorption", a.Or(a.And(b)), a)
		equal("de Morgan", all.Minus(a.Or(b)), all.Minus(a).And(all.Minus(b)))
		equal("minus", a.Minus(b), a.And(all.Minus(b)))
		equal("complement", all.Minus(all.Minus(a)), a)
		equal("and all", a.And(all), a)
		equal("or none", a.Or(none), a)
		if a.LenAnd(b) != a.And(b).Len() || a.Len() != len(indexes(a)) {
			t.Errorf("LenAnd %d, And %d", a.LenAnd(b), a.And(b).Len())
		}
		spans := 0
		for tr := range a.Traces() {
			spans += tr.NumSpans()
			if !a.Has(tr) || b.Has(tr) != a.And(b).Has(tr) {
				t.Errorf("Has is wrong about %d", tr.Index())
			}
		}
		if a.NumSpans() != spans || a.Weight() != float64(a.Len()) {
			t.Errorf("NumSpans %d, want %d; weight %v", a.NumSpans(), spans, a.Weight())
		}
	}
}

func TestCohortsOfDifferentSets(t *testing.T) {
	a, b := hundred(), hundred()
	for name, c := range map[string]Cohort{
		"and": a.All().And(b.All()), "or": a.All().Or(b.All()), "minus": a.All().Minus(b.All()), "zero": {},
		"zero or": Cohort{}.Or(a.All()), "or zero": a.All().Or(Cohort{}), "select of zero": Cohort{}.Select(func(Trace) bool { return true }),
	} {
		if c.Set() != nil || c.Len() != 0 || len(indexes(c)) != 0 || c.Weight() != 0 || c.NumSpans() != 0 || c.Has(a.Trace(0)) {
			t.Errorf("%s is not the zero Cohort: %v", name, c)
		}
	}
	if a.All().LenAnd(b.All()) != 0 || a.All().Has(b.Trace(0)) {
		t.Error("a cohort has traces of another Set")
	}
}

func TestCohortSelection(t *testing.T) {
	set := hundred()
	failed := set.All().Where(Predicate{Root: Matcher{Failed: true}})
	if failed.Len() != 20 || failed.Set() != set {
		t.Errorf("%d failed, want 20", failed.Len())
	}
	small := Condition{Key: "n", Op: OpLess, Value: IntOf(10)}
	if got := indexes(failed.Where(Predicate{Root: Matcher{Where: []Condition{small}}})); !slices.Equal(got, []int{0, 5}) {
		t.Errorf("failed below 10: %v", got)
	}
	for tr := range failed.Traces() { // a loop that stops early
		if tr.Index() > 10 {
			break
		}
	}
}
