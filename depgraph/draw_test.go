package depgraph_test

import (
	"strings"
	"testing"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/depgraph"
	"github.com/tracewhy/tracewhy/internal/golden"
	"github.com/tracewhy/tracewhy/internal/tracetext"
)

// paymentText is a customer's payment, through services of the bank and a credit scoring outside. Nothing
// says whose the customer's device is, nor who takes the notification.
const paymentText = `initiation/pay 0+100 client
  gateway/pay 1+98 server
    fraud/check 2+90 server
      fraud/score 3+80 client dependency.type=external dependency.vendor=CreditScoringCorp
        scoring/score 4+70 server
          processor/process 10+60 server
            processor/notify 20+5 producer messaging.destination.name="Customer Notification"`

// payment returns the trace with the names that its parts have on a slide.
func payment(t *testing.T) *tracewhy.Set {
	t.Helper()
	spans, err := tracetext.Parse(paymentText)
	if err != nil {
		t.Fatal(err)
	}
	titles := map[string]string{
		"initiation": "Customer Payment Initiation", "gateway": "Internal Service: Payment Gateway", "fraud": "Internal Service: Fraud Check",
		"scoring": "External Service: Credit Scoring", "processor": "Internal Service: Payment Processor",
	}
	for i := range spans {
		for _, kv := range spans[i].Resource.Attributes {
			if title, ok := titles[kv.Value.Str()]; ok {
				spans[i].Resource = &tracewhy.Resource{Attributes: []tracewhy.KeyValue{tracewhy.String(kv.Key, title)}}
			}
		}
	}
	return tracewhy.SetOf(spans...)
}

func TestDrawings(t *testing.T) {
	g := build(t, payment(t), depgraph.Config{})
	golden.Check(t, "payment.mermaid", g.Mermaid(depgraph.DrawConfig{}))
	golden.Check(t, "payment.dot", g.DOT(depgraph.DrawConfig{}))
	golden.Check(t, "payment_operations.mermaid", g.Mermaid(depgraph.DrawConfig{Operations: true, Numbers: true}))
}

// What little traffic passes is left out, and the drawing says so.
func TestFraction(t *testing.T) {
	var text strings.Builder
	for i := range 100 {
		text.WriteString("trace t\nweb/x 0+10 server\n  web/call 1+5 client server.address=ledger\n")
		if i == 50 {
			text.WriteString("  web/call 7+1 client server.address=rare.vendor.com\n")
		}
	}
	g := build(t, tracetext.Set(text.String()), depgraph.Config{})
	golden.Check(t, "fraction.mermaid", g.Mermaid(depgraph.DrawConfig{Fraction: 0.05, Numbers: true}))
	golden.Check(t, "fraction.dot", g.DOT(depgraph.DrawConfig{Fraction: 0.05, Numbers: true}))
	if all := g.Mermaid(depgraph.DrawConfig{Fraction: -1}); !strings.Contains(all, "rare.vendor.com") || strings.Contains(all, "left out") {
		t.Errorf("with everything:\n%s", all)
	}
}
