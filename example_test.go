package tracewhy_test

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/tracewhy/tracewhy"
)

// payment makes the two spans of a payment by card, which the card scheme's gateway answers with the
// given HTTP status.
func payment(n byte, source, country string, status int64) []tracewhy.SpanData {
	start := uint64(time.Date(2026, 11, 24, 9, 0, int(n), 0, time.UTC).UnixNano())
	root := tracewhy.SpanData{
		TraceID: tracewhy.TraceID{15: n}, SpanID: tracewhy.SpanID{7: 1}, Name: fmt.Sprintf("POST /payments/%d", 4000+int(n)),
		Kind: tracewhy.KindServer, Start: start, End: start + 80e6, Source: source,
		Resource:   &tracewhy.Resource{Attributes: []tracewhy.KeyValue{tracewhy.String("service.name", "payments")}},
		Attributes: []tracewhy.KeyValue{tracewhy.String("card.country", country)},
	}
	if status >= 500 {
		root.Status = tracewhy.StatusError
	}
	call := tracewhy.SpanData{
		TraceID: root.TraceID, SpanID: tracewhy.SpanID{7: 2}, ParentSpanID: root.SpanID, Name: "authorize",
		Kind: tracewhy.KindClient, Start: start + 10e6, End: start + 70e6, Source: source, Resource: root.Resource,
		Attributes: []tracewhy.KeyValue{tracewhy.Int("http.response.status_code", status)},
	}
	return []tracewhy.SpanData{call, root} // in whatever order
}

func Example() {
	var b tracewhy.Builder
	for n := range byte(8) {
		spans := payment(n+1, "baseline", "DE", 200)
		if n >= 4 {
			spans = payment(n+1, "incident", []string{"DE", "FR"}[n%2], 200+300*int64(n%2))
		}
		for i := range spans {
			b.Add(&spans[i])
		}
	}
	set, err := b.Build(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(set.NumTraces(), "traces,", set.NumSpans(), "spans,", set.NumPaths(), "paths")

	failed := set.Source("incident").Where(tracewhy.Predicate{Root: tracewhy.Matcher{Failed: true}})
	for t := range failed.Traces() {
		root := t.Root()
		country, _ := root.Attr("card.country")
		fmt.Printf("%s %s took %v, card from %v\n", root.Service(), root.Operation(), root.Duration(), country)
		for s := range root.Children() {
			fmt.Println("  ", s.Path(), s.Failed())
		}
	}
	// Output:
	// 8 traces, 16 spans, 2 paths
	// payments POST /payments/{id} took 80ms, card from FR
	//    payments POST /payments/{id} > payments authorize true
	// payments POST /payments/{id} took 80ms, card from FR
	//    payments POST /payments/{id} > payments authorize true
}

// Cohorts are combined like sets. They select from one Set, so that what they have in common is known.
func ExampleCohort() {
	var spans []tracewhy.SpanData
	for n := range byte(10) {
		spans = append(spans, payment(n+1, "incident", []string{"DE", "FR"}[n%2], []int64{200, 200, 503}[n%3])...)
	}
	set := tracewhy.SetOf(spans...)
	french := set.All().Where(tracewhy.Predicate{Root: tracewhy.Matcher{
		Where: []tracewhy.Condition{{Key: "card.country", Op: tracewhy.OpEqual, Value: tracewhy.StringOf("FR")}},
	}})
	rule := tracewhy.OutcomeRule{}
	failed := set.Select(func(t tracewhy.Trace) bool { return rule.Of(t) == tracewhy.OutcomeFailed })
	fmt.Println("failed", failed.Len(), "of", set.All().Len())
	fmt.Println("French and failed", french.LenAnd(failed))
	fmt.Println("neither", set.All().Minus(french.Or(failed)).Len())
	// Output:
	// failed 3 of 10
	// French and failed 1
	// neither 3
}

// What is odd about spans is counted, and marked on those that are kept.
func ExampleSet_Problems() {
	spans := payment(1, "file", "DE", 200)
	call := spans[0]
	call.SpanID, call.ParentSpanID = tracewhy.SpanID{7: 3}, tracewhy.SpanID{7: 9} // its parent was lost
	call.Start, call.End = call.End, call.Start
	noID := tracewhy.SpanData{Name: "nobody's"}
	set := tracewhy.SetOf(append(spans, spans[0], call, noID)...)
	for _, w := range set.Problems() {
		fmt.Printf("%s %d: %s\n", w.Code, w.Count, w.Message)
	}
	fmt.Printf("%+v\n", set.Accounting())
	s, _ := set.Trace(0).Find(call.SpanID)
	fmt.Println(s.Marks().Has(tracewhy.MarkOrphan), s.Marks().Has(tracewhy.MarkNegativeDuration), s.Duration())
	// Output:
	// duplicate_span 1: spans reported more than once were counted once
	// id_zero 1: spans with an all-zero id were left out
	// name_templated 1: span names with identifiers in them were replaced by templates
	// negative_duration 1: spans end before they start: their duration is unknown
	// orphan 1: spans whose parent is missing
	// {In:5 Kept:3 Merged:1 Quarantined:1}
	// true true -1ns
}

// A table with one entry for each attribute counts them all in one pass.
func ExampleSet_AttrRange() {
	var spans []tracewhy.SpanData
	for n := range byte(9) {
		spans = append(spans, payment(n+1, "incident", []string{"DE", "FR", "DE"}[n%3], 200)...)
	}
	set := tracewhy.SetOf(spans...)
	counts := make([]int, set.NumAttrs())
	for t := range set.Traces() {
		for id := range t.Root().AttrIDs() {
			counts[id]++
		}
	}
	first, end := set.AttrRange("card.country")
	for id := first; id < end; id++ {
		fmt.Println(set.AttrValue(id), counts[id])
	}
	// Output:
	// DE 6
	// FR 3
}

// An order that is paid in one trace and shipped in another, which links to the first.
func ExampleCohort_Transactions() {
	paid, shipped := payment(1, "shop", "DE", 200), payment(2, "shop", "DE", 200)
	shipped[1].Name = "ship"
	shipped[1].Links = []tracewhy.Link{{TraceID: paid[0].TraceID, SpanID: paid[0].SpanID}}
	other := payment(3, "shop", "DE", 200)
	set := tracewhy.SetOf(append(append(paid, shipped...), other...)...)
	transactions, _ := set.All().Transactions(tracewhy.TransactionConfig{})
	for _, tx := range transactions {
		var roots []string
		for _, t := range tx.Traces {
			roots = append(roots, t.Root().Operation())
		}
		fmt.Println(strings.Join(roots, ", "))
	}
	// Output:
	// POST /payments/{id}, ship
	// POST /payments/{id}
}

func ExampleValue_Canonical() {
	for _, v := range []tracewhy.Value{tracewhy.IntOf(500), tracewhy.FloatOf(500), tracewhy.StringOf("500"), tracewhy.StringOf("1.10")} {
		c := v.Canonical()
		fmt.Println(c, c.Equal(tracewhy.IntOf(500)))
	}
	// Output:
	// 500 true
	// 500 true
	// 500 true
	// 1.10 false
}
