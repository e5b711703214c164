package tracewhy_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/tracetext"
)

func TestJourneyPath(t *testing.T) {
	for _, test := range []struct{ why, text, want string }{
		{"no links", "a/r 0+100\n  a/x 10+20", "r 0-10, x 10-30, r 30-100"},
		{"the root is not known", "a/r 0+?", ""},
		{"a link to a span that is not there", "trace\na/r 50+10 link=@r @r", "r 50-60"},
		{"a message: the sender's work, the queue, the receiver's", `
			trace
			b/receive 100+50 consumer link=@send
			  b/store 110+30
			trace
			a/pay 0+60
			  a/check 5+20
			  a/slow 6+50
			  a/send 30+10 producer @send
			    a/encode 32+5`,
			"pay 0-5, check 5-25, pay 25-30, send 30-32, encode 32-37, send 37-40, receive 40-100, receive 100-110, store 110-140, receive 140-150"},
		{"several messages: the last one sent", `
			trace
			b/receive 100+50 consumer link=@early link=@late
			trace
			a/early 0+60 @early
			trace
			a/late 30+40 @late`,
			"late 30-70, receive 70-100, receive 100-150"},
		{"a sender that is still running", `
			trace
			b/receive 100+50 consumer link=@send
			trace
			a/send 30+400 producer @send
			  a/quick 40+20
			  a/long 70+100`,
			"send 30-40, quick 40-60, send 60-100, receive 100-150"},
		{"a sender that started later is none", `
			trace
			b/receive 100+50 consumer link=@send
			trace
			a/send 101+10 producer @send`,
			"receive 100-150"},
		{"three traces, and one of them twice", `
			trace
			c/last 200+10 link=@b
			trace
			b/middle 100+20 link=@a
			  b/send 110+5 @b
			trace
			a/first 0+30 @a link=@b`,
			"first 0-30, middle 30-100, middle 100-110, send 110-115, last 115-200, last 200-210"},
		{"a child that its parent did not wait for", `
			trace
			b/receive 100+50 link=@send
			trace
			a/pay 0+10
			  a/later 20+30
			    a/send 25+5 @send`,
			"pay 0-10, later 10-20, later 20-25, send 25-30, receive 30-100, receive 100-150"},
		{"ancestors without an interval", `
			trace
			b/receive 100+50 link=@send
			trace
			a/pay 0+90
			  a/lost 20+?
			    a/send 25+5 @send`,
			"pay 0-25, send 25-30, receive 30-100, receive 100-150"},
	} {
		t.Run(test.why, func(t *testing.T) {
			if got := pathText(tracetext.Trace(test.text).JourneyPath()); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

// Whatever links there are, the path has no hole and comes to an end.
func TestJourneyPathIsWhole(t *testing.T) {
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 8))
		set := randomTraces(seed, 6)
		var spans []tracewhy.SpanData
		for i := range set.NumSpans() {
			d := set.Span(i).Data()
			for range rng.IntN(3) {
				to := set.Span(rng.IntN(set.NumSpans()))
				d.Links = append(d.Links, tracewhy.Link{TraceID: to.Trace().ID(), SpanID: to.ID()})
			}
			spans = append(spans, d)
		}
		followed := 0
		for tr := range tracewhy.SetOf(spans...).Traces() {
			path := tr.JourneyPath()
			for i, section := range path {
				if section.End <= section.Start || i > 0 && section.Start != path[i-1].End {
					t.Errorf("seed %d, trace %v: %s", seed, tr.ID(), pathText(path))
				}
			}
			_, end, ok := tr.Root().Interval()
			if ok && tr.Root().Duration() > 0 && (len(path) == 0 || path[len(path)-1].End != end) {
				t.Errorf("seed %d, trace %v does not end at its end: %s", seed, tr.ID(), pathText(path))
			}
			for _, section := range path {
				if section.Span.Trace() != tr {
					followed++
				}
			}
		}
		if seed == 0 && followed == 0 {
			t.Error("no link was followed")
		}
	}
}

func ExampleTrace_JourneyPath() {
	second := int64(1_000_000_000)
	at := func(s int64) uint64 { return uint64(1_700_000_000*second + s*second) }
	sent, received := tracewhy.TraceID{1}, tracewhy.TraceID{2}
	set := tracewhy.SetOf(
		tracewhy.SpanData{TraceID: sent, SpanID: tracewhy.SpanID{1}, Name: "submit payment", Start: at(0), End: at(2)},
		tracewhy.SpanData{TraceID: received, SpanID: tracewhy.SpanID{2}, Name: "settle payment", Start: at(30), End: at(33),
			Links: []tracewhy.Link{{TraceID: sent, SpanID: tracewhy.SpanID{1}}}},
	)
	settled, _ := set.Lookup(received)
	for _, section := range settled.JourneyPath() {
		waiting := ""
		if section.End == section.Span.Start().UnixNano() {
			waiting = " (in the queue)"
		}
		fmt.Printf("%v %s%s\n", section.Duration(), section.Span.Name(), waiting)
	}
	// Output:
	// 2s submit payment
	// 28s settle payment (in the queue)
	// 3s settle payment
}
