package depgraph_test

import (
	"context"
	"testing"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/depgraph"
	"github.com/tracewhy/tracewhy/internal/tracetext"
)

func build(t *testing.T, set *tracewhy.Set, cfg depgraph.Config) *depgraph.Graph {
	t.Helper()
	g, err := depgraph.Build(context.Background(), set.All(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func node(t *testing.T, g *depgraph.Graph, id string) depgraph.Node {
	t.Helper()
	for _, n := range g.Nodes {
		if n.ID == id {
			return n
		}
	}
	var ids []string
	for _, n := range g.Nodes {
		ids = append(ids, n.ID)
	}
	t.Fatalf("no node %q in %q", id, ids)
	return depgraph.Node{}
}

// Each line is a call of a service pay, and what it is made to.
func TestClass(t *testing.T) {
	external := []depgraph.Rule{{Name: "api.bureau.example", Domain: depgraph.DomainExternal, Vendor: "Bureau", Owner: "lending"}}
	for _, c := range []struct {
		name, spans, id string
		rules           []depgraph.Rule
		domain          depgraph.Domain
		basis           depgraph.Basis
	}{
		{"tag", "  pay/x 1+5 client dependency.type=external dependency.vendor=Bureau server.address=10.0.0.1", "dependency:Bureau", nil, depgraph.DomainExternal, depgraph.BasisTag},
		{"vendor alone", "  pay/x 1+5 client dependency.vendor=Bureau", "dependency:Bureau", nil, depgraph.DomainExternal, depgraph.BasisTag},
		{"internal tag goes before a public address", "  pay/x 1+5 client dependency.type=internal server.address=api.bureau.com", "dependency:api.bureau.com", nil, depgraph.DomainInternal, depgraph.BasisTag},
		{"tag goes before a rule", "  pay/x 1+5 client dependency.type=internal server.address=api.bureau.example", "dependency:Bureau", external, depgraph.DomainInternal, depgraph.BasisTag},
		{"rule", "  pay/x 1+5 client server.address=api.bureau.example", "dependency:Bureau", external, depgraph.DomainExternal, depgraph.BasisRule},
		{"peer with spans", "  pay/x 1+5 client peer.service=ledger\n    ledger/y 2+3 server", "service:ledger", nil, depgraph.DomainInternal, depgraph.BasisPeer},
		{"store", "  pay/x 1+5 client peer.service=accounts db.system.name=postgresql server.address=db.cloud.com", "dependency:accounts", nil, depgraph.DomainInternal, depgraph.BasisStore},
		{"public name", "  pay/x 1+5 client server.address=api.bureau.com", "dependency:api.bureau.com", nil, depgraph.DomainExternal, depgraph.BasisAddress},
		{"public address", "  pay/x 1+5 client server.address=93.184.216.34", "dependency:93.184.216.34", nil, depgraph.DomainExternal, depgraph.BasisAddress},
		{"private address", "  pay/x 1+5 client server.address=10.1.2.3", "dependency:10.1.2.3", nil, depgraph.DomainInternal, depgraph.BasisAddress},
		{"short name", "  pay/x 1+5 client server.address=legacy", "dependency:legacy", nil, depgraph.DomainInternal, depgraph.BasisAddress},
		{"inside label", "  pay/x 1+5 client server.address=legacy.corp.example", "dependency:legacy.corp.example", nil, depgraph.DomainInternal, depgraph.BasisAddress},
		{"a domain that services answer in", "  pay/w 1+2 client server.address=ledger.bank.com\n    ledger/y 2+1 server\n  pay/x 4+1 client server.address=legacy.bank.com", "dependency:legacy.bank.com", nil, depgraph.DomainInternal, depgraph.BasisAddress},
		{"queue", "  pay/x 1+5 producer messaging.destination.name=mails", "dependency:mails", nil, depgraph.DomainUnclassified, depgraph.BasisMessaging},
		{"rpc", "  pay/x 1+5 client rpc.service=acme.Scoring", "dependency:acme.Scoring", nil, depgraph.DomainUnclassified, depgraph.BasisRPC},
		{"no server", "  pay/x 1+5 client peer.service=scoring", "dependency:scoring", nil, depgraph.DomainUnclassified, depgraph.BasisNoServer},
		{"no name", "  pay/x 1+5 client", "dependency:unnamed, called by pay", nil, depgraph.DomainUnclassified, depgraph.BasisNoServer},
		{"kinds change", "  pay/x 1+5 client\n    ledger/y 2+3 server", "service:ledger", nil, depgraph.DomainInternal, depgraph.BasisSpans},
		{"a service with tagged calls", "  pay/x 1+5 client dependency.type=external\n    sandbox/y 2+3 server", "service:sandbox", nil, depgraph.DomainExternal, depgraph.BasisTag},
		{"a device", "", "service:app", nil, depgraph.DomainUnclassified, depgraph.BasisNone},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := "pay/pay 0+10 server\n" + c.spans
			if c.spans == "" {
				text = "app/tap 0+10 client\n  pay/pay 1+8 server"
			}
			n := node(t, build(t, tracetext.Set(text), depgraph.Config{Rules: c.rules}), c.id)
			if n.Class.Domain != c.domain || n.Class.Basis != c.basis || n.Class.Reason == "" {
				t.Errorf("got %+v, want %s by %s", n.Class, c.domain, c.basis)
			}
		})
	}
}

// A client that wraps another makes one call, and what the wrapped one does again are attempts.
func TestCallsWithinCalls(t *testing.T) {
	g := build(t, tracetext.Set(`pay/pay 0+100 server
  pay/score 10+80 client dependency.type=external dependency.vendor=Bureau
    pay/POST 20+10 client error server.address=api.bureau.com http.response.status_code=429
    pay/POST 50+30 client server.address=api.bureau.com
  pay/POST 91+5 client server.address=api.bureau.com
  pay/GET 97+1 client server.address=other.com`), depgraph.Config{})
	n := node(t, g, "dependency:Bureau")
	if n.Calls.Calls != 2 || n.Calls.Attempts != 3 || n.Calls.Throttled.Value != 0.5 || n.Calls.Errors.Value != 0 {
		t.Errorf("got %+v, want two calls of three attempts, and one of the calls throttled: the untagged call goes to the same host", n.Calls)
	}
	if other := node(t, g, "dependency:other.com"); other.Calls.Calls != 1 {
		t.Errorf("got %+v", other.Calls)
	}
}
