package tracewhy_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/tracetext"
)

var ruleNames = map[tracewhy.ErrorRule]string{
	tracewhy.RuleDeepest: "deepest", tracewhy.RuleNoRemoteSide: "no remote side", tracewhy.RuleRemoteHealthy: "remote healthy",
	tracewhy.RuleSlow: "slow", tracewhy.RuleOwnWait: "own wait", tracewhy.RuleChild: "child", tracewhy.RuleTolerated: "tolerated",
	tracewhy.RuleRetried: "retried", tracewhy.RuleHedged: "hedged", tracewhy.RuleAsync: "async", tracewhy.RuleLate: "late",
	tracewhy.RuleEarlier: "earlier", tracewhy.RuleMaskedAbove: "masked above", tracewhy.RuleGaveUp: "gave up",
	tracewhy.RuleCutShort: "cut short", tracewhy.RuleCancelled: "cancelled", tracewhy.RuleCollateralAbove: "collateral above",
}

func hopText(h tracewhy.ErrorHop) string {
	text := fmt.Sprintf("%s: %v, %s", h.Span.Name(), h.Role, ruleNames[h.Rule])
	if h.Origin != h.Span {
		text += ", from " + h.Origin.Name()
	}
	return text
}

func TestErrorHops(t *testing.T) {
	for _, test := range []struct{ why, text, want string }{
		{"nothing failed", "a/r 0+100\n  a/x 10+20", ""},
		{"a span alone", "a/r 0+100 error", "r: origin, deepest"},
		{"the same error at every hop", `
			a/r 0+100 server error
			  a/x 10+80 client error
			    b/y 20+60 server error
			      b/z 30+10 internal error`, `
			r: propagated, child, from z
			x: propagated, child, from z
			y: propagated, child, from z
			z: origin, deepest`},
		{"the caller did not fail", `
			a/r 0+100 server
			  a/x 10+80 client error
			    b/y 20+60 server error`, `
			x: masked, tolerated, from y
			y: masked, masked above`},
		{"a call whose other side has no span", `
			a/r 0+100 server error
			  a/x 10+80 client error server.address=cards.example`, `
			r: propagated, child, from x
			x: origin, no remote side`},
		{"kinds were not recorded, but a peer was", `
			a/r 0+100 error
			  a/x 10+80 error peer.service=cards`, `
			r: propagated, child, from x
			x: origin, no remote side`},
		{"the call failed, but not its other side", `
			a/r 0+100 server error
			  a/x 10+80 client http.response.status_code=429
			    b/y 20+60 server http.response.status_code=429`, `
			r: propagated, child, from x
			x: origin, remote healthy`},
		{"a retry that succeeded: the failure has another reason", `
			a/r 0+100 server error
			  a/get 10+10 client error
			  a/get 30+10 client
			  a/put 50+10 client error`, `
			r: propagated, child, from put
			get: masked, retried
			put: origin, no remote side`},
		{"a retry that succeeded, and the failure is the caller's own", `
			a/r 0+100 server error
			  a/get 10+10 client error
			  a/get 30+10 client`, `
			r: origin, deepest
			get: masked, retried`},
		{"a retry of another request is none", `
			a/r 0+100 server error
			  a/get 10+10 client error url.full=http://b/1
			  a/get 30+10 client url.full=http://b/2`, `
			r: propagated, child, from get
			get: origin, no remote side`},
		{"a retry at another address is one", `
			a/r 0+100 server
			  a/get 10+10 client error server.address=b1
			  a/get 30+10 client server.address=b2`, `
			get: masked, retried`},
		{"all attempts failed: the last", `
			a/r 0+100 server error
			  a/get 10+10 client error @1
			  a/get 30+10 client error @2
			  a/get 50+10 client error @3
			    b/get 52+5 server error`, `
			r: propagated, child, from get
			get: masked, retried
			get: masked, retried
			get: propagated, child, from get
			get: origin, deepest`},
		{"several failed: the one that ended last", `
			a/r 0+100 server error
			  a/x 10+20 client error
			  a/y 40+50 client error
			  a/z 50+30 client error`, `
			r: propagated, child, from y
			x: masked, earlier
			y: origin, no remote side
			z: masked, earlier`},
		{"and of those that ended together the one that started last", `
			a/r 0+100 server error
			  a/x 10+80 client error
			  a/y 40+50 client error`, `
			r: propagated, child, from y
			x: masked, earlier
			y: origin, no remote side`},
		{"siblings that were cancelled after the first failure", `
			a/r 0+100 server error
			  a/x 10+80 client error="context canceled"
			    b/x2 20+69 server error
			  a/y 10+40 client error="no route to host"
			  a/w 10+40 client error=cancelled
			  a/z 10+81 client error rpc.grpc.status_code=1`, `
			r: propagated, child, from y
			x: collateral, cancelled, from y
			x2: collateral, collateral above
			y: origin, no remote side
			w: collateral, cancelled, from y
			z: collateral, cancelled, from y`},
		{"a hedge: the slower one is cancelled", `
			a/r 0+100 server error
			  a/get 10+40 client error=canceled
			  a/get 20+29 client
			  a/put 60+10 client error`, `
			r: propagated, child, from put
			get: masked, hedged
			put: origin, no remote side`},
		{"nor where the other one answered only later", `
			a/r 0+100 server error
			  a/get 10+40 client error=canceled
			  a/get 20+60 client`, `
			r: propagated, child, from get
			get: origin, no remote side`},
		{"equal calls in parallel are no hedge where none was cancelled", `
			a/r 0+100 server error
			  a/get 10+40 client error="no such row"
			  a/get 20+29 client`, `
			r: propagated, child, from get
			get: origin, no remote side`},
		{"errors pass through internal spans that do not record them", `
			a/r 0+100 server error
			  a/handler 5+90 internal
			    a/x 10+80 client error`, `
			r: propagated, child, from x
			x: origin, no remote side`},
		{"but not through those that say how they ended", `
			a/r 0+100 server error
			  a/fallback 5+50 internal ok
			    a/x 10+40 client error
			  a/call 60+30 client
			    b/call 65+20
			      b/y 70+10 client error
			  c/other 91+4
			    c/v 92+1 client error
			  a/seen 95+1 internal http.response.status_code=200
			    a/z 95+1 client error`, `
			r: origin, deepest
			x: masked, tolerated
			y: masked, tolerated
			v: masked, tolerated
			z: masked, tolerated`},
		{"a failed consumer that nobody waited for", `
			a/r 0+100 server error
			  a/x 10+20 producer
			  b/y 50+200 consumer error`, `
			r: origin, deepest
			y: masked, async`},
		{"an orphan is the head of a chain of its own", `
			a/r 0+100 server error
			b/x 10+80 orphan error
			  b/y 20+10 internal error`, `
			r: origin, deepest
			x: propagated, child, from y
			y: origin, deepest`},
		{"times that are not known", `
			a/r 0+? server error
			  a/x ?+? client error
			  a/y 5+? client error`, `
			r: propagated, child, from y
			y: origin, no remote side
			x: masked, earlier`},
	} {
		t.Run(test.why, func(t *testing.T) { requireHops(t, test.text, test.want) })
	}
}

func TestErrorHopsOfDeadlines(t *testing.T) {
	for _, test := range []struct{ why, text, want string }{
		{"the callee succeeds later", `
			a/r 0+110 server error
			  a/x 5+100 client error="context deadline exceeded"
			    b/y 7+400 server`, `
			r: propagated, child, from y
			x: deadline-cancelled, gave up, from y
			y: origin, slow`},
		{"the slow span is below the callee", `
			a/r 0+110 server error
			  a/x 5+100 client error="context deadline exceeded"
			    b/y 7+400 server
			      b/quick 8+2 client
			      b/query 12+380 client`, `
			r: propagated, child, from query
			x: deadline-cancelled, gave up, from query
			query: origin, slow`},
		{"it was slow, and what came after it was cut short", `
			a/r 0+110 server error
			  a/x 5+100 client rpc.grpc.status_code=4
			    b/y 7+99 server error="context canceled"
			      b/query 8+85 client
			      b/put 95+10 client error="context canceled"`, `
			r: propagated, child, from query
			x: deadline-cancelled, gave up, from query
			y: deadline-cancelled, cut short, from query
			query: origin, slow
			put: deadline-cancelled, cut short, from query`},
		{"the slow one was cut short itself", `
			a/r 0+110 server error
			  a/x 5+100 client error="Request canceled (Client.Timeout exceeded while awaiting headers)"
			    b/y 7+99 server error="context canceled"
			      b/query 8+97 client error="canceling statement: context canceled"`, `
			r: propagated, child, from query
			x: deadline-cancelled, gave up, from query
			y: deadline-cancelled, cut short, from query
			query: origin, slow`},
		{"the callee failed long after its caller had given up", `
			a/r 0+110 server error
			  a/x 5+100 client error="deadline exceeded"
			    b/y 7+400 server error="connection reset"`, `
			r: propagated, child, from y
			x: deadline-cancelled, gave up, from y
			y: origin, slow`},
		{"the callee failed before: that is the reason", `
			a/r 0+110 server error="upstream timeout"
			  a/x 5+100 client error
			    b/y 7+90 server error="disk full"`, `
			r: propagated, child, from y
			x: propagated, child, from y
			y: origin, deepest`},
		{"a call without a remote side", `
			a/r 0+110 server error
			  a/x 5+100 client error=timeout peer.service=cards`, `
			r: propagated, child, from x
			x: origin, no remote side`},
		{"a wait for something that has no span", `
			a/r 0+110 server error
			  a/x 5+100 internal error
			    ! 105 exception exception.type=PoolTimeoutException
			    a/warmup 6+10 internal`, `
			r: propagated, child, from x
			x: origin, deepest`},
		{"the wait was for the network", `
			a/r 0+110 server error
			  a/x 5+100 client error.type=timeout error
			    b/y 100+50 server`, `
			r: propagated, child, from x
			x: origin, own wait`},
		{"the clock of the callee's host is behind", `
			a/r 0+110 server error
			  a/x 5+100 client error="deadline exceeded"
			    b/y -20+99 server`, `
			r: propagated, child, from y
			x: deadline-cancelled, gave up, from y
			y: origin, slow`},
		{"a late call that reports the deadline of its caller", `
			a/r 0+110 server error="deadline exceeded"
			  a/slow 2+90 client
			  a/x 93+16 client error="deadline exceeded"
			    b/y 94+15 server error="context canceled"`, `
			r: deadline-cancelled, gave up, from slow
			slow: origin, slow
			x: deadline-cancelled, cut short, from slow
			y: deadline-cancelled, cut short, from slow`},
		{"a late call with a limit of its own, of which its callers tell", `
			a/r 0+110 server error="redis timeout"
			  a/slow 2+90 client
			  a/x 93+16 client error="redis timeout"`, `
			r: propagated, child, from x
			x: origin, no remote side`},
		{"a call with a deadline of its own", `
			a/r 0+110 server error="deadline exceeded"
			  a/first 2+60 client
			  a/x 63+46 client error="deadline exceeded"
			    b/y 64+300 server`, `
			r: propagated, child, from y
			x: deadline-cancelled, gave up, from y
			y: origin, slow`},
		{"the client of the root went away", `
			a/r 0+110 server http.response.status_code=499 error
			  a/x 5+104 client error="context canceled"`, `
			r: deadline-cancelled, gave up, from x
			x: origin, slow`},
		{"a cancelled order is no cancelled call", `
			a/r 0+110 server error="order cancelled by customer"
			  a/x 5+104 client`, `
			r: origin, deepest`},
		{"retried: the roles stay masked", `
			a/r 0+300 server
			  a/x 5+100 client error="deadline exceeded"
			    b/y 7+400 server
			  a/x 110+100 client`, `
			x: masked, retried`},
		{"a deadline without times", `
			a/r 0+110 server error
			  a/x 5+? client error="deadline exceeded"
			    b/y 7+400 server`, `
			r: propagated, child, from x
			x: origin, remote healthy`},
	} {
		t.Run(test.why, func(t *testing.T) { requireHops(t, test.text, test.want) })
	}
}

func requireHops(t *testing.T, text, want string) {
	t.Helper()
	var got []string
	for _, h := range tracetext.Trace(text).ErrorHops() {
		got = append(got, hopText(h))
	}
	want = strings.ReplaceAll(strings.TrimSpace(want), "\t", "")
	if diff := cmp.Diff(want, strings.Join(got, "\n")); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestErrorOrigin(t *testing.T) {
	tr := tracetext.Trace(`
		a/r 0+110 server error
		  a/x 5+100 client error="deadline exceeded"
		    b/y 7+400 server`)
	hop, ok := tr.ErrorOrigin()
	if want := (tracewhy.ErrorHop{Span: tracetext.Span(tr, "y"), Role: tracewhy.RoleOrigin, Rule: tracewhy.RuleSlow, Origin: tracetext.Span(tr, "y")}); !ok || hop != want {
		t.Errorf("got %v, %v", hopText(hop), ok)
	}
	if hop, ok := tracetext.Trace("a/r 0+110 server\n  a/x 5+100 client error").ErrorOrigin(); ok || hop != (tracewhy.ErrorHop{}) {
		t.Errorf("a root that did not fail has the origin %v", hop)
	}
}

// What holds of the hops of any trace.
func TestErrorHopsAreConsistent(t *testing.T) {
	messages := []string{"", "", "boom", "deadline exceeded", "context canceled"}
	eachRandomTrace(t, 25, func(t *testing.T, tr tracewhy.Trace) {
		// The same trace with errors that its times choose.
		var spans []tracewhy.SpanData
		for s := range tr.Spans() {
			d := s.Data()
			if h := d.Start/tick + 3*d.End/tick; h%3 > 0 {
				d.Status, d.StatusMessage = tracewhy.StatusError, messages[h%5]
			}
			if d.Start%2 == 0 {
				d.Name = "x"
			}
			spans = append(spans, d)
		}
		tr = tracewhy.SetOf(spans...).Trace(0)
		hops := tr.ErrorHops()
		byOrigin := map[tracewhy.Span]tracewhy.ErrorHop{}
		for i, h := range hops {
			if i > 0 && h.Span.Index() <= hops[i-1].Span.Index() {
				t.Error("hops out of order")
			}
			if !h.Span.Failed() && (h.Role != tracewhy.RoleOrigin || h.Rule != tracewhy.RuleSlow) {
				t.Errorf("%s did not fail: %s", h.Span.Name(), hopText(h))
			}
			if (h.Role == tracewhy.RoleOrigin) != (h.Origin == h.Span) && h.Role != tracewhy.RoleMasked && h.Role != tracewhy.RoleCollateral {
				t.Errorf("not its own origin: %s", hopText(h))
			}
			if (h.Role == tracewhy.RolePropagated || h.Role == tracewhy.RoleDeadline) && !h.Span.Trace().Root().IsZero() && h.Span == h.Origin {
				t.Errorf("its own origin: %s", hopText(h))
			}
			byOrigin[h.Span] = h
		}
		failed := 0
		for s := range tr.Spans() {
			if s.Failed() {
				failed++
				if _, ok := byOrigin[s]; !ok {
					t.Errorf("%s failed and has no hop", s.Name())
				}
			}
		}
		origin, ok := tr.ErrorOrigin()
		if ok != tr.Root().Failed() {
			t.Error("an origin without a failure, or the other way round")
		}
		if ok && (origin.Role != tracewhy.RoleOrigin || origin.Span != origin.Origin || origin.Span != tr.Root() && !tr.Root().IsAncestorOf(origin.Span)) {
			t.Errorf("the origin is %s", hopText(origin))
		}
	})
}
