package rca_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tracewhy/tracewhy/internal/tracetext"
	"github.com/tracewhy/tracewhy/rca"
)

// Two faults at once are two failure modes, each with the cause that it is of.
func TestFailureModes(t *testing.T) {
	const healthy = `shop/POST /pay 0+%d server
  shop/charge  5+20  client
    cards/charge   6+18 server
  shop/book    30+20 client
    ledger/book    31+18 server
`
	const cardsFail = `shop/POST /pay 0+%d server error
  shop/charge  5+20  client error="card declined by issuer"
    cards/charge   6+18 server error="card declined by issuer"
`
	const ledgerFails = `shop/POST /pay 0+%d server error
  shop/charge  5+20  client
    cards/charge   6+18 server
  shop/book    30+20 client error="no currency rate"
    ledger/book    31+18 server error="no currency rate"
`
	var text strings.Builder
	add := func(source, trace string, n int) {
		for i := range n {
			fmt.Fprintf(&text, "trace t source=%s at=%ds\n"+trace, source, text.Len(), 60+i%7)
		}
	}
	add("baseline", healthy, 200)
	add("incident", healthy, 120)
	add("incident", cardsFail, 50)
	add("incident", ledgerFails, 30)
	set := tracetext.Set(text.String())
	r := investigate(t, set, rca.Config{})
	if len(r.FailureModes) != 2 {
		t.Fatalf("%d modes: %+v", len(r.FailureModes), r.FailureModes)
	}
	for i, want := range []struct {
		service string
		traces  int
		share   rca.Number
	}{{"cards", 50, 0.625}, {"ledger", 30, 0.375}} {
		m := r.FailureModes[i]
		if m.Service != want.service || m.Traces != want.traces || m.Share != want.share || len(m.ExemplarTraceIDs) == 0 {
			t.Errorf("mode %d is %+v, want %+v", i+1, m, want)
		}
		if m.RootCauseRank == 0 || r.RootCauses[m.RootCauseRank-1].Service != want.service {
			t.Errorf("mode %d is of cause %d of %+v", i+1, m.RootCauseRank, r.RootCauses)
		}
	}
}
