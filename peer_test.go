package tracewhy_test

import (
	"testing"

	"github.com/tracewhy/tracewhy/internal/tracetext"
)

func TestPeer(t *testing.T) {
	for _, test := range []struct{ attributes, name, key string }{
		{"", "", ""},
		{"dependency.vendor=CreditScoringCorp service.peer.name=scoring", "CreditScoringCorp", "dependency.vendor"},
		{"service.peer.name=scoring peer.service=old", "scoring", "service.peer.name"},
		{"peer.service=scoring server.address=10.0.0.1", "scoring", "peer.service"},
		{"server.address=db.example net.peer.name=old db.system.name=postgresql", "db.example", "server.address"},
		{"net.peer.name=db.example db.system=mysql", "db.example", "net.peer.name"},
		{"db.system.name=postgresql db.namespace=orders", "postgresql/orders", "db.system.name"},
		{"db.system=mysql db.name=orders", "mysql/orders", "db.system"},
		{"db.system=redis", "redis", "db.system"},
		{"messaging.destination.name=payments rpc.service=x", "payments", "messaging.destination.name"},
		{"rpc.service=cards.Cards url.full=http://a/", "cards.Cards", "rpc.service"},
		{"url.full=https://user@api.example:8443/v1?x=1", "api.example", "url.full"},
		{"http.url=http://[::1]:80/", "::1", "http.url"},
		{"url.full=/v1 http.url=http://api.example/v1", "api.example", "http.url"},
		{"url.full=http://%zz/", "", ""},
		{`peer.service="" server.address=cards`, "cards", "server.address"},
		{"peer.service=5 rpc.service=cards.Cards", "cards.Cards", "rpc.service"},
	} {
		s := tracetext.Trace("a/x 0+1 client " + test.attributes).Root()
		if name, key := s.Peer(); name != test.name || key != test.key {
			t.Errorf("with %s: got %q of %q, want %q of %q", test.attributes, name, key, test.name, test.key)
		}
	}
}
