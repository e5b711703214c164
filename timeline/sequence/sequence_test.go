package sequence_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/golden"
	"github.com/tracewhy/tracewhy/internal/hostile"
	"github.com/tracewhy/tracewhy/internal/tracetext"
	"github.com/tracewhy/tracewhy/timeline/sequence"
)

// checkoutTrace has what a sequence diagram tells apart: calls at once, retries, and what nobody waits for.
const checkoutTrace = `
shop/POST /checkout 0+900 server
  shop/GET /cart 5+95 client
    cart/GET /cart 10+80 server
  shop/reserve 110+300 client
    stock/reserve 115+290 server
      stock/UPDATE items 120+200 client db.system.name=postgresql server.address=stock-db
  shop/quote 120+250 client
    shipping/quote 130+230 server
  shop/charge 420+100 client error="connection reset"
  shop/charge 530+100 client error="connection reset"
  shop/charge 640+150 client
    bank/charge 650+130 server
  shop/send 800+20 producer messaging.destination.name=receipts
    mail/receive 850+400 consumer
  shop/render 830+60 internal
`

func TestOfTrace(t *testing.T) {
	text, err := os.ReadFile("../testdata/payment.trace")
	if err != nil {
		t.Fatal(err)
	}
	checkout, payment := tracetext.Trace(checkoutTrace), tracetext.Trace(string(text))
	golden.Check(t, "checkout.mmd", sequence.OfTrace(checkout, 0).Mermaid())
	golden.Check(t, "checkout.txt", sequence.OfTrace(checkout, 0).Text(80))
	golden.Check(t, "payment.mmd", sequence.OfTrace(payment, 0).Mermaid())
	golden.Check(t, "payment.txt", sequence.OfTrace(payment, 0).Text(80))
	golden.Check(t, "payment_cut.mmd", sequence.OfTrace(payment, 3).Mermaid())
	golden.Check(t, "payment_cut.txt", sequence.OfTrace(payment, 3).Text(40))
}

// However a trace is shaped, blocks are closed, no more is drawn than asked for, and what is not drawn is counted.
func TestOfTraceOfAnyShape(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 300 {
		var text strings.Builder
		depth := 0
		for i := range 1 + r.IntN(100) {
			word := [...]string{"", " client", " server", " producer", " client server.address=db", " error", " orphan", " client error=timeout"}[r.IntN(8)]
			if word == " orphan" {
				depth = 0
			}
			duration := fmt.Sprint(r.IntN(60))
			if r.IntN(20) == 0 {
				duration = "?"
			}
			fmt.Fprintf(&text, "%ss%d/op%d %d+%s%s\n", strings.Repeat(" ", depth), r.IntN(20), r.IntN(4), r.IntN(100), duration, word)
			depth = min(1+r.IntN(depth+1), 1+i)
		}
		tr := tracetext.Trace(text.String())
		limit := 1 + r.IntN(60)
		s := sequence.OfTrace(tr, limit)
		messages, depth := 0, 0
		for _, x := range s.Steps {
			switch x.Kind {
			case sequence.Call, sequence.Message, sequence.Note:
				messages++
			case sequence.Loop, sequence.Parallel:
				depth++
			case sequence.End:
				depth--
			}
			if depth < 0 {
				t.Fatalf("a block ends that did not begin in\n%s", s.Mermaid())
			}
		}
		if depth != 0 || messages > limit || messages == 0 || len(s.Participants) > 12 {
			t.Fatalf("%d blocks left open, %d of at most %d messages, %d participants, for\n%s", depth, messages, limit, len(s.Participants), text.String())
		}
		hostile.CheckLines(t, s.Text(80), 80)
		hostile.CheckLines(t, s.Text(40), 40)
	}
}

// The order in which spans were read does not matter, nor when the trace began.
func TestOfTraceLaws(t *testing.T) {
	spans, err := tracetext.Parse(checkoutTrace)
	if err != nil {
		t.Fatal(err)
	}
	draw := func() string {
		for tr := range tracewhy.SetOf(spans...).Traces() {
			return sequence.OfTrace(tr, 0).Mermaid()
		}
		return ""
	}
	want := draw()
	r := rand.New(rand.NewPCG(7, 8))
	for range 20 {
		r.Shuffle(len(spans), func(i, j int) { spans[i], spans[j] = spans[j], spans[i] })
		for i := range spans {
			spans[i].Start, spans[i].End = spans[i].Start+3600e9, spans[i].End+3600e9
		}
		if got := draw(); got != want {
			t.Fatalf("in another order, and later:\n%s\nwant\n%s", got, want)
		}
	}
}

// A deep trace keeps what matters at its bottom, and so does one of many calls.
func TestOfTraceOfHugeTraces(t *testing.T) {
	var deep, wide strings.Builder
	for i := range 500 {
		fmt.Fprintf(&deep, "%*sapi/step%d 0+1000\n", i, "", i)
	}
	fmt.Fprintf(&deep, "%*sapi/lock 10+980 error=\"lock timeout\"\n", 500, "")
	wide.WriteString("api/GET 0+20000 server\n")
	for i := range 10_000 {
		fmt.Fprintf(&wide, "  api/SELECT %d+1 client server.address=db\n", 2*i)
		if i == 777 {
			fmt.Fprintf(&wide, "  api/COMMIT %d+1 client error server.address=db\n", 2*i+1)
		}
	}
	for name, tc := range map[string]struct{ text, want string }{
		"deep": {deep.String(), "lock (481 calls deeper) 980ms ✗ lock timeout"},
		"wide": {wide.String(), "COMMIT 1ms ✗ failed"},
		"loop": {wide.String(), "9222 times"},
	} {
		if got := sequence.OfTrace(tracetext.Trace(tc.text), 20).Text(120); !strings.Contains(got, tc.want) || strings.Count(got, "\n") > 50 {
			t.Errorf("%s: no %q in\n%s", name, tc.want, got)
		}
	}
}

func TestDiagramIsHarmless(t *testing.T) {
	for _, name := range hostile.Names() {
		for kind := range sequence.End + 2 {
			s := sequence.Diagram{Title: name, Cut: name, Participants: []string{name, "b"}, Steps: []sequence.Step{
				{Kind: sequence.Call, To: 1, Text: name}, {Kind: kind, From: 1, Text: name, Failed: true}, {Kind: kind, From: -1, To: 7, Text: name},
				{Kind: sequence.Answer, From: 1, Text: name}, {Kind: kind, Text: name},
			}}
			hostile.CheckLines(t, s.Text(60), 60)
			got := s.Mermaid()
			if n := strings.Count(got, "\n"); n > 15 {
				t.Errorf("%q makes %d lines:\n%s", name, n, got)
			}
			blocks := 0
			for line := range strings.Lines(got) {
				switch word, _, _ := strings.Cut(strings.TrimSpace(line), " "); word {
				case "loop", "par":
					blocks++
				case "end":
					blocks--
				}
			}
			if blocks != 0 {
				t.Errorf("%q and kind %d: blocks that are not closed:\n%s", name, kind, got)
			}
		}
	}
}

func BenchmarkOfTrace(b *testing.B) {
	text := "a/root 0+100000\n" + strings.Repeat(" b/call 1+2\n", 10_000)
	tr := tracetext.Trace(text)
	for b.Loop() {
		sequence.OfTrace(tr, 0)
	}
}

func Example() {
	s := sequence.OfTrace(tracetext.Trace(`
		gateway/POST /pay   0+120 server
		  gateway/authorize 5+100 client
		    cards/authorize 8+90  server error="no connection"
		      cards/SELECT  9+80  client server.address=cards-db error=timeout
	`), 0)
	fmt.Print(s.Text(60))
	fmt.Print(s.Mermaid())
	// Output:
	// Trace 00000000000000010000000000000001
	// gateway
	// │       cards
	// │       │       cards-db
	// *       │       │   POST /pay 120ms
	// ├──────>│       │   authorize
	// │       ├──────x│   SELECT 80ms ✗ timeout
	// │x┄┄┄┄┄┄┤       │   100ms ✗ no connection
	// sequenceDiagram
	//     participant p0 as gateway
	//     participant p1 as cards
	//     participant p2 as cards-db
	//     Note over p0,p2: Trace 00000000000000010000000000000001
	//     Note over p0: POST /pay 120ms
	//     p0->>+p1: authorize
	//     p1-xp2: SELECT 80ms ✗ timeout
	//     p1--x-p0: 100ms ✗ no connection
}
