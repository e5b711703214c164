package report_test

import (
	"os"

	"github.com/tracewhy/tracewhy/internal/tracetext"
	"github.com/tracewhy/tracewhy/rca"
	"github.com/tracewhy/tracewhy/rca/report"
)

func ExampleText() {
	r := &rca.Report{
		Verdict: rca.VerdictIncident,
		RootCauses: []rca.RootCause{{
			Rank: 1, Service: "fraud-guard", Operation: "pool.acquire", Kind: "wait", Mechanism: "connection pool exhaustion",
			Confidence: 0.93,
			Conditions: []rca.Condition{{Key: "volume.period", Op: "=", Value: "high"}},
			Evidence:   []rca.Evidence{{Claim: "median wait", Unit: rca.UnitMillis, Interval: rca.Interval{Value: 1804, Low: 1710, High: 1893}, Q: 1e-6}},
		}},
		NoneOfThese: 0.07,
	}
	if err := report.Text(os.Stdout, r, report.Config{Width: 72}); err != nil {
		panic(err)
	}
	// Output:
	// INCIDENT  fraud-guard: connection pool exhaustion              93 % sure
	//
	// What      pool.acquire in fraud-guard: connection pool exhaustion
	// For whom  volume.period = high
	// Since     not known
	//
	// Evidence  - median wait: 1.8s (1.71s to 1.89s)
	//
	// Or else   7 % that it is none of these
	//
	// Data      0 traces (0 baseline, 0 incident), 0 spans
	//           in brackets behind numbers: 95 % confidence intervals
}

func ExampleWaterfall() {
	t := tracetext.Trace(`
		gateway/POST /pay     0+100 server
		  gateway/authorize   5+90  client
		    cards/authorize   6+88  server
		      cards/acquire  10+60  internal
		      cards/SELECT   71+12  client
	`)
	if err := report.Waterfall(os.Stdout, report.Config{}, t); err != nil {
		panic(err)
	}
	// Output:
	//                                        0                          100ms
	// ok trace 00000000000000010000000000000001  2024-01-01 00:00:00Z  5 spans
	//   gateway POST /pay                    ██────────────────────────────██    100ms
	//    authorize                            █────────────────────────────█      90ms
	//     cards authorize                     ██────────────────────────████      88ms
	//      acquire                              ████████████████████              60ms
	//      SELECT                                                  █████          12ms
	//
	// █ the trace waits for this  ─ for a call that it made  ░ for something else
}
