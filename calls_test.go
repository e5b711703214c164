package tracewhy_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/tracetext"
)

// groupText writes groups as "retry get 10 30 recovered; repeat row 1 2 3 4 5", with starts in milliseconds.
func groupText(groups []tracewhy.CallGroup) string {
	var parts []string
	for _, g := range groups {
		text := g.Pattern.String() + " " + g.Calls[0].Name()
		for _, c := range g.Calls {
			text += fmt.Sprintf(" %d", (c.Start().UnixNano()-tracetext.Epoch)/tick)
		}
		if g.Recovered && g.Pattern == tracewhy.PatternRetry {
			text += " recovered"
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, "; ")
}

func TestCallGroups(t *testing.T) {
	for _, test := range []struct{ why, text, want string }{
		{"no children", "a/r 0+100", ""},
		{"different calls", "a/r 0+100\n  a/x 10+10 error\n  a/y 30+10", ""},
		{"a retry that recovered", "a/r 0+100\n  a/get 10+10 error\n  a/get 20+10", "retry get 10 20 recovered"},
		{"a retry that did not", "a/r 0+100\n  a/get 10+10 error\n  a/get 25+10 error\n  a/get 50+10 error", "retry get 10 25 50"},
		{"calls of another kind between the attempts", "a/r 0+100\n  a/get 10+10 error\n  a/log 21+1\n  a/get 25+10", "retry get 10 25 recovered"},
		{"two purposes, one after the other", "a/r 0+100\n  a/get 0+5 error\n  a/get 10+5\n  a/get 20+5 error\n  a/get 30+5 error", "retry get 0 10 recovered; retry get 20 30"},
		{"at once is no retry", "a/r 0+100\n  a/get 10+10 error\n  a/get 15+10", ""},
		{"another request is no retry", "a/r 0+100\n  a/q 10+10 error db.query.text=a\n  a/q 20+10 db.query.text=b", ""},
		{"another request that says it is", "a/r 0+100\n  a/get 10+10 error url.full=http://b1/\n  a/get 20+10 url.full=http://b2/ http.request.resend_count=1", "retry get 10 20 recovered"},
		{"a redirect is no retry", "a/r 0+100\n  a/get 10+10 url.full=http://b/1\n  a/get 20+10 url.full=http://b/2 http.request.resend_count=1", ""},
		{"another address is no other request", "a/r 0+100\n  a/get 10+10 error server.address=b1\n  a/get 20+10 server.address=b2", "retry get 10 20 recovered"},
		{"a hedge whose slower call was cancelled", "a/r 0+100\n  a/get 10+40 error=canceled\n  a/get 30+15", "hedge get 10 30"},
		{"a hedge whose second call was cancelled", "a/r 0+100\n  a/get 10+40\n  a/get 30+20 error=canceled", "hedge get 10 30"},
		{"a hedge whose slower call was left behind", "a/r 0+50\n  a/get 10+80\n  a/get 30+15", "hedge get 10 30"},
		{"two at once that were both left behind", "a/r 0+40\n  a/get 10+80\n  a/get 30+15", ""},
		{"two at once that were both waited for", "a/r 0+100\n  a/get 10+80\n  a/get 30+15", ""},
		{"two at once, one of which failed of itself", "a/r 0+100\n  a/get 10+40 error=boom\n  a/get 30+15", ""},
		{"four in a row are few", "a/r 0+100\n  a/q 10+5\n  a/q 15+5\n  a/q 20+5\n  a/q 25+5", ""},
		{"five are a repetition, whatever they ask", "a/r 0+100\n  a/q 10+5 db.query.text=1\n  a/q 15+5 db.query.text=2\n  a/q 20+5 db.query.text=3\n  a/q 25+5 db.query.text=4\n  a/q 40+5 db.query.text=5", "repeat q 10 15 20 25 40"},
		{"with others between them", "a/r 0+100\n  a/q 10+2\n  a/p 12+2\n  a/q 14+2\n  a/p 16+2\n  a/q 18+2\n  a/p 20+2\n  a/q 22+2\n  a/p 24+2\n  a/q 26+2\n  a/p 28+2", "repeat q 10 14 18 22 26; repeat p 12 16 20 24 28"},
		{"a failure parts a repetition", "a/r 0+100\n  a/q 10+2\n  a/q 12+2\n  a/q 14+2\n  a/q 16+2 error db.statement=x\n  a/q 18+2\n  a/q 20+2", ""},
		{"a fan-out is no repetition", "a/r 0+100\n  a/q 10+20\n  a/q 10+20\n  a/q 10+20\n  a/q 10+20\n  a/q 10+20", ""},
		{"spans that take no time follow each other", "a/r 0+100\n  a/q 10+0\n  a/q 10+0\n  a/q 10+0\n  a/q 10+0\n  a/q 10+0", "repeat q 10 10 10 10 10"},
		{"many children, all different", "a/r 0+100\n  a/1 0+1\n  a/2 1+1\n  a/3 2+1\n  a/4 3+1\n  a/5 4+1\n  a/6 5+1\n  a/7 6+1\n  a/8 7+1\n  a/9 8+1", ""},
		{"many children, and a retry", "a/r 0+100\n  a/1 0+1\n  a/2 1+1\n  a/3 2+1\n  a/4 3+1\n  a/5 4+1\n  a/6 5+1\n  a/7 6+1\n  a/8 7+1\n  a/9 8+1 error\n  a/9 9+1", "retry 9 8 9 recovered"},
		{"intervals that are not known", "a/r 0+100\n  a/q 10+? error\n  a/q 20+10\n  a/q ?+?", ""},
	} {
		t.Run(test.why, func(t *testing.T) {
			if diff := cmp.Diff(test.want, groupText(tracetext.Trace(test.text).Root().CallGroups())); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestTimeout(t *testing.T) {
	for _, test := range []struct {
		why, text string
		ok        bool
		stated    bool
		limit     time.Duration
		callee    string
	}{
		{why: "healthy", text: "a/r 0+5000 client"},
		{why: "failed of something else", text: "a/r 0+1234 client error=boom"},
		{why: "it says so", text: "a/r 0+1234 client error=\"read timed out\"", ok: true, stated: true},
		{why: "a code says so, and the length is usual", text: "a/r 0+5003 client http.response.status_code=504", ok: true, stated: true, limit: 5 * time.Second},
		{why: "a usual length, and the callee outlived it", text: "a/r 0+1010 client error\n  b/y 5+3000 server\n  b/z 5+9000 server", ok: true, limit: time.Second, callee: "z"},
		{why: "a usual length, and no remote side", text: "a/r 0+30000 client error", ok: true, limit: 30 * time.Second},
		{why: "a usual length, but it was answered", text: "a/r 0+1010 client error\n  b/y 5+1000 server error"},
		{why: "a usual length, but no call", text: "a/r 0+1010 server error"},
		{why: "just below a limit", text: "a/r 0+999 client error"},
		{why: "well over a limit", text: "a/r 0+1021 client error"},
		{why: "a message that outlived it is no callee", text: "a/r 0+10 producer error=timeout\n  b/y 5+1000 consumer", ok: true, stated: true},
		{why: "not known", text: "a/r 0+? client error"},
	} {
		t.Run(test.why, func(t *testing.T) {
			tr := tracetext.Trace(test.text)
			want := tracewhy.Timeout{}
			if test.ok {
				want = tracewhy.Timeout{Span: tr.Root(), Stated: test.stated, Limit: test.limit}
			}
			if test.callee != "" {
				want.Callee = tracetext.Span(tr, test.callee)
			}
			if got, ok := tr.Root().Timeout(); ok != test.ok || got != want {
				t.Errorf("got %v, %+v; want %+v", ok, got, want)
			}
		})
	}
}

func TestEndings(t *testing.T) {
	for _, test := range []struct {
		words string // of a failed span
		want  string // the role that it has as the caller of a span that runs longer
	}{
		{`error="context deadline exceeded"`, "deadline-cancelled"},
		{`error="Timeout expired"`, "deadline-cancelled"},
		{`error="upstream request timed out"`, "deadline-cancelled"},
		{`error error.type=java.net.SocketTimeoutException`, "deadline-cancelled"},
		{`error rpc.grpc.status_code=4`, "deadline-cancelled"},
		{`error rpc.response.status_code=DEADLINE_EXCEEDED`, "deadline-cancelled"},
		{`http.response.status_code=504`, "deadline-cancelled"},
		{`error http.response.status_code=408`, "deadline-cancelled"},
		{`error http.response.status_code=499`, "deadline-cancelled"},
		{`error rpc.grpc.status_code=1`, "deadline-cancelled"},
		{`error="context canceled"`, "deadline-cancelled"},
		{`error=Cancelled`, "deadline-cancelled"},
		{`error error.type=System.Threading.Tasks.TaskCanceledException`, "deadline-cancelled"},
		{`error="request canceled" error.type=timeout`, "deadline-cancelled"},
		{`error="deadline exceeded" error.type=canceled`, "deadline-cancelled"},
		{`error="payment cancelled by the customer"`, "origin"},
		{`error=boom`, "origin"},
		{`error rpc.grpc.status_code=14`, "origin"},
		{`http.response.status_code=503`, "origin"},
		{`error`, "origin"},
	} {
		hops := tracetext.Trace("a/r 0+100 client " + test.words + "\n  b/y 5+400 server").ErrorHops()
		if got := hops[0].Role.String(); got != test.want {
			t.Errorf("with %s: %s, want %s", test.words, got, test.want)
		}
	}
}
