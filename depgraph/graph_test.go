package depgraph_test

import (
	"context"
	"fmt"
	"strings"
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

// What suffers if a node does, who answers for it, and where a call's time goes besides the other side.
func TestReachOwnersAndGaps(t *testing.T) {
	var text strings.Builder
	for i := range 12 {
		fmt.Fprintf(&text, `trace pay%d
web/pay 0+100 server resource.service.owner=channels
  web/pool.acquire 5+%d
  web/charge 20+60 client server.address=cards
    cards/charge 30+40 server resource.service.owner=payments resource.k8s.pod.name=cards-%d
`, i, i+1, i%2)
		if i%3 == 0 {
			text.WriteString("trace look\nweb/look 0+10 server error resource.service.owner=channels\n")
		}
	}
	g := build(t, tracetext.Set(text.String()), depgraph.Config{})
	cards := node(t, g, "service:cards")
	if cards.Owner != "payments" || node(t, g, "service:web").Owner != "channels" {
		t.Errorf("owners %q and %q", cards.Owner, node(t, g, "service:web").Owner)
	}
	if cards.Reach.Value != 0.75 || len(cards.Roots) != 1 || cards.Roots[0].Operation != "pay" || cards.Roots[0].Traces != 12 || cards.Roots[0].Share.Value != 1 {
		t.Errorf("reach %v, %+v", cards.Reach, cards.Roots)
	}
	web := node(t, g, "service:web")
	if len(web.Roots) != 2 || web.Roots[1].Operation != "look" || web.Roots[1].Failed != 4 {
		t.Errorf("roots %+v", web.Roots)
	}
	if n := node(t, g, "instance:cards/cards-0"); n.Calls.Calls != 6 {
		t.Errorf("an instance with %d calls, want 6", n.Calls.Calls)
	}
	for _, e := range g.Edges {
		if e.From != "service:web" {
			continue
		}
		if e.To != "service:cards" || e.Request.Value != 10 || e.Response.Value != 10 || e.RoundTrip.Value != 20 || e.Wait.Value != 6.5 {
			t.Errorf("edge %+v", e)
		}
	}
}
