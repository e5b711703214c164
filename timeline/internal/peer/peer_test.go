package peer_test

import (
	"testing"

	"github.com/tracewhy/tracewhy/internal/tracetext"
	"github.com/tracewhy/tracewhy/timeline/internal/peer"
)

func TestOf(t *testing.T) {
	for _, tc := range []struct{ why, text, want string }{
		{"a call with its remote side", "a/x 0+10 client\n  b/x 1+8 server", "b"},
		{"one without", "a/x 0+10 client server.address=db", "db"},
		{"one that says nothing", "a/x 0+10 client", ""},
		{"work within", "a/x 0+10\n  a/y 1+8 client server.address=db", ""},
		{"a request", "a/x 0+10 server server.address=db", ""},
		{"a message", "a/x 0+10 producer\n  b/x 1+8 consumer", ""},
	} {
		got, ok := peer.Of(tracetext.Trace(tc.text).Root())
		if got != tc.want || ok != (tc.want != "") {
			t.Errorf("%s: %q, %v; want %q", tc.why, got, ok, tc.want)
		}
	}
}
