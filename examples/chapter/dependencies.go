package main

import (
	"context"
	"time"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/depgraph"
)

// creditedPayment is the spans of a customer's payment through services of the bank and a credit scoring outside.
// Nothing says whose the customer's device is, nor who takes the notification.
func creditedPayment() []tracewhy.SpanData {
	const (
		gateway   = "Internal Service: Payment Gateway"
		fraud     = "Internal Service: Fraud Check"
		scoring   = "External Service: Credit Scoring"
		processor = "Internal Service: Payment Processor"
		ms        = time.Millisecond
	)
	var r recorder
	r.begin()
	s := r.span(0, "Customer Payment Initiation", "pay", tracewhy.KindClient, 0, 100*ms)
	s = r.span(s, gateway, "pay", tracewhy.KindServer, 1*ms, 98*ms)
	s = r.span(s, fraud, "check", tracewhy.KindServer, 2*ms, 90*ms)
	s = r.span(s, fraud, "credit_scoring_request", tracewhy.KindClient, 3*ms, 80*ms,
		tracewhy.String("dependency.type", "external"), tracewhy.String("dependency.vendor", scoring))
	s = r.span(s, scoring, "score", tracewhy.KindServer, 4*ms, 70*ms)
	s = r.span(s, processor, "process", tracewhy.KindServer, 10*ms, 60*ms)
	r.span(s, processor, "notify", tracewhy.KindProducer, 20*ms, 5*ms, tracewhy.String("messaging.destination.name", "Customer Notification"))
	return r.spans
}

// drawDependencies draws who calls whom, and whose they are.
func drawDependencies(ctx context.Context) (drawing, error) {
	g, err := depgraph.Build(ctx, tracewhy.SetOf(creditedPayment()...).All(), depgraph.Config{})
	if err != nil {
		return nil, err
	}
	return graph{g}, nil
}

// graph is a drawing of a dependency graph, whose text is the language of Graphviz.
type graph struct{ *depgraph.Graph }

func (g graph) Mermaid() string { return g.Graph.Mermaid(depgraph.DrawConfig{}) }
func (g graph) Text(int) string { return g.Graph.DOT(depgraph.DrawConfig{}) }
