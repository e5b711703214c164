package tracewhy_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/tracetext"
)

// gapText writes gaps as "before first x 0-10, between y 20-30" in milliseconds since the texts' epoch.
func gapText(s tracewhy.Span) string {
	var parts []string
	for g := range s.Gaps() {
		parts = append(parts, fmt.Sprintf("%v %s %d-%d", g.Class, g.Child.Name(), (g.Start-tracetext.Epoch)/tick, (g.End-tracetext.Epoch)/tick))
		if g.From != s {
			parts = append(parts, "from "+g.From.Name())
		}
	}
	return strings.Join(parts, ", ")
}

func TestGaps(t *testing.T) {
	for _, test := range []struct{ why, text, want string }{
		{"no children, no gaps", "a/r 0+10", ""},
		{"around two calls", "a/r 0+100 server\n  a/x 10+20\n  a/y 40+50", "before first x 0-10, between y 30-40, after last y 90-100"},
		{"no gap where children touch the edges and each other", "a/r 0+100\n  a/x 0+50\n  a/y 50+50", ""},
		{"overlapping children are one", "a/r 0+100\n  a/x 10+70\n  a/y 20+10\n  a/z 60+30", "before first x 0-10, after last z 90-100"},
		{"children that end together: the gap comes from the one that started last", "a/r 0+100\n  a/x 10+70\n  a/y 20+60", "before first x 0-10, after last y 80-100"},
		{"a child that outlives its parent", "a/r 0+100 server\n  b/x 10+200 server", "before first x 0-10"},
		{"a child that takes no time still parts the gap", "a/r 0+100\n  a/x 50+0", "before first x 0-50, after last x 50-100"},
		{"a call and its remote side", "a/r 0+100 client\n  b/x 10+80 server", "request x 0-10, response x 90-100"},
		{"the remote side is told by its kind where the service is one", "a/r 0+100 client\n  a/x 10+80 server", "request x 0-10, response x 90-100"},
		{"kinds that were not recorded: the service tells", "a/r 0+100\n  b/x 10+80", "request x 0-10, response x 90-100"},
		{"a server that calls another without a client span has work of its own before", "a/r 0+100 server\n  b/x 10+80 server", "before first x 0-10, after last x 90-100"},
		{"no kinds and several remote children: own work is among the gaps", "a/r 0+100\n  b/x 10+20\n  c/y 40+50", "before first x 0-10, between y 30-40, after last y 90-100"},
		{"a client of another service is no remote side", "a/r 0+100 internal\n  b/x 10+80 client", "before first x 0-10, after last x 90-100"},
		{"the remote clock is ahead: nothing is cut off", "a/r 0+100 client\n  b/x 30+80 server", "request x 0-30, response x 110-100"},
		{"the remote clock is behind", "a/r 0+100 client\n  b/x -30+80 server", "request x 0--30, response x 50-100"},
		{"the remote clock is so wrong that the two do not meet", "a/r 0+100 client\n  b/x 500+80 server", "request x 0-500, response x 580-100"},
		{"a response that was not waited for", "a/r 0+100 client\n  b/x 10+400 server", "request x 0-10, response x 410-100"},
		{"edges that take no time are measured too", "a/r 0+100 client\n  b/x 0+100 server", "request x 0-0, response x 100-100"},
		{"attempts within a client", "a/r 0+100 client\n  b/x 10+20 server\n  b/x 50+40 server", "request x 0-10, between x 30-50, response x 90-100"},
		{"a client with a local child first", "a/r 0+100 client\n  a/connect 5+10\n  b/x 20+70 server", "before first connect 0-5, between x 15-20, response x 90-100"},
		{"a message: the time in the queue", "a/r 0+10 producer\n  b/x 70+30 consumer\n  c/y 90+30 consumer", "queue x 10-70, queue y 10-90"},
		{"request and reply over a queue", "a/r 0+100 producer\n  b/x 30+50 consumer", "request x 0-30, response x 80-100"},
		{"a child without an end: its children count", "a/r 0+100\n  a/u 20+?\n    a/x 50+20\n  a/y 30+10", "before first y 0-30, between x 40-50, after last x 70-100"},
		{"not known", "a/r 0+?\n  a/x 10+10", ""},
	} {
		t.Run(test.why, func(t *testing.T) {
			if got := gapText(tracetext.Trace(test.text).Root()); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

func TestGapsStop(t *testing.T) {
	for _, text := range []string{
		"a/r 0+100\n  a/x 10+20\n  a/y 40+50",
		"a/r 0+100 client\n  b/x 10+20 server",
		"a/r 0+10 producer\n  b/x 70+30 consumer\n  c/y 90+30 consumer",
		"a/r 0+100\n  a/u 20+?\n    a/x 50+20\n  a/y 30+10",
	} {
		n := 0
		for range tracetext.Trace(text).Root().Gaps() {
			n++
			break
		}
		if n != 1 {
			t.Errorf("%d gaps of %q", n, text)
		}
	}
}

// The clocks of two hosts change what is request and what is response, and not their sum.
func TestRoundTripDoesNotDependOnTheClock(t *testing.T) {
	for skew := -300; skew <= 300; skew += 25 {
		tr := tracetext.Trace(fmt.Sprintf("a/r 0+100 client\n  b/x %d+80 server", 10+skew))
		sum := time.Duration(0)
		for g := range tr.Root().Gaps() {
			sum += g.Duration()
		}
		if sum != 20*time.Millisecond {
			t.Errorf("with a skew of %d ms the network took %v, want 20ms", skew, sum)
		}
	}
}

// Without edges between hosts, gaps add up to the self time.
func TestGapsAddUpToSelfTime(t *testing.T) {
	eachRandomTrace(t, 25, func(t *testing.T, tr tracewhy.Trace) {
		for s := range tr.Spans() {
			sum, at, isLocal := time.Duration(0), int64(0), true
			for g := range s.Gaps() {
				switch g.Class {
				case tracewhy.GapRequest, tracewhy.GapResponse, tracewhy.GapQueue:
					isLocal = false
					continue
				}
				if g.Start < at || g.End <= g.Start {
					t.Errorf("gaps of %s out of order, or empty: %s", s.Name(), gapText(s))
				}
				at, sum = g.End, sum+g.Duration()
			}
			n := nodeOf(s)
			if isLocal && n.timed && len(n.waits(n.start, n.end)) > 0 && sum != s.SelfTime() {
				t.Errorf("gaps of %s sum to %v, its self time is %v: %s", s.Name(), sum, s.SelfTime(), gapText(s))
			}
		}
	})
}
