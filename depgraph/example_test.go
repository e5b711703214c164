package depgraph_test

import (
	"context"
	"fmt"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/depgraph"
)

// loans makes the traces of loan applications. Each asks the bank's ledger, and a credit bureau, whose
// calls are tagged; in the incident the bureau takes longer.
func loans() *tracewhy.Set {
	service := func(name string) *tracewhy.Resource {
		return &tracewhy.Resource{Attributes: []tracewhy.KeyValue{tracewhy.String("service.name", name)}}
	}
	loans, ledger := service("loans"), service("ledger")
	bureau := depgraph.Tags{Vendor: "CreditScoringCorp", Category: "credit-scoring", Criticality: "high", Owner: "lending"}
	var spans []tracewhy.SpanData
	for n := range 200 {
		source, answer := "baseline", uint64(40+n%7)
		if n >= 100 {
			source, answer = "incident", uint64(130+n%7)
		}
		const ms = 1_000_000
		span := func(id, parent byte, r *tracewhy.Resource, name string, kind tracewhy.Kind, start, end uint64, attrs ...tracewhy.KeyValue) {
			at := 1_700_000_000_000*ms + uint64(n)*60_000*ms
			s := tracewhy.SpanData{
				TraceID: tracewhy.TraceID{15: byte(n + 1)}, SpanID: tracewhy.SpanID{7: id}, Name: name, Kind: kind,
				Start: at + start*ms, End: at + end*ms, Resource: r, Attributes: attrs, Source: source,
			}
			if parent > 0 {
				s.ParentSpanID = tracewhy.SpanID{7: parent}
			}
			spans = append(spans, s)
		}
		span(1, 0, loans, "apply", tracewhy.KindServer, 0, 20+answer)
		span(2, 1, loans, "book", tracewhy.KindClient, 2, 10)
		span(3, 2, ledger, "book", tracewhy.KindServer, 3, 9)
		span(4, 1, loans, "credit_scoring_request", tracewhy.KindClient, 15, 15+answer, bureau.Attributes()...)
	}
	return tracewhy.SetOf(spans...)
}

// What depends on what, and whose it is.
func ExampleBuild() {
	g, err := depgraph.Build(context.Background(), loans().All(), depgraph.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, n := range g.Nodes {
		if n.Kind == depgraph.NodeService || n.Kind == depgraph.NodeDependency {
			fmt.Printf("%s: %s, %s\n", n.Name, n.Class.Domain, n.Class.Reason)
		}
	}
	fmt.Print(g.Mermaid(depgraph.DrawConfig{}))
	// Output:
	// ledger: internal, it has 200 spans of its own
	// loans: internal, it has 600 spans of its own
	// CreditScoringCorp: external, dependency.type = external on 200 of 200 calls or resources
	// graph TD
	//     n0["ledger"]
	//     n1["loans"]
	//     n2["CreditScoringCorp"]
	//     n1 --> n0
	//     n1 --> n2
	//
	//     classDef internal fill:#4CAF50,stroke:#333,stroke-width:2px;
	//     classDef external fill:#FFC107,stroke:#333,stroke-width:2px;
	//     class n0,n1 internal;
	//     class n2 external;
}

// Whose fault it is, and how the vendor does beside before.
func ExampleFaultDomain() {
	set := loans()
	ctx, baseline, incident := context.Background(), set.Source("baseline"), set.Source("incident")
	r, err := depgraph.FaultDomain(ctx, baseline, incident, depgraph.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(r.Domain, r.Vendor, r.Owner)
	fmt.Println(r.Reason)
	cards, err := depgraph.Scorecards(ctx, baseline, incident, depgraph.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(cards.Cards[0].Name, cards.Cards[0].Grade)
	for _, reason := range cards.Cards[0].Reasons {
		fmt.Println("-", reason)
	}
	// Output:
	// external CreditScoringCorp lending
	// 100 % (100 to 100) of the excess is external, most of it at CreditScoringCorp (slow answers)
	// CreditScoringCorp degraded
	// - its p50 rose from 43ms to 133ms
	// - its p95 rose from 46ms to 136ms
	// - its p99 is not estimable: that takes 368 traces, and there are 100
}
