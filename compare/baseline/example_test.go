package baseline_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/tracewhy/tracewhy/compare/baseline"
)

// Two days are kept, merged, and read again a week later, when the ledger has become slow, and payments are checked for
// fraud.
func Example() {
	ctx := context.Background()
	cfg := baseline.Config{}
	monday, err := baseline.Take(ctx, knobs{traces: 300, day: 0}.cohort(1), cfg)
	if err != nil {
		panic(err)
	}
	tuesday, err := baseline.Take(ctx, knobs{traces: 300, day: 1}.cohort(1), cfg)
	if err != nil {
		panic(err)
	}
	both, err := baseline.Merge(monday, tuesday)
	if err != nil {
		panic(err)
	}
	file, err := json.Marshal(both)
	if err != nil {
		panic(err)
	}

	normal, err := baseline.Read(bytes.NewReader(file))
	if err != nil {
		panic(err)
	}
	today := knobs{traces: 200, day: 7, slow: 2, checks: 0.5, version: "1.1"}.cohort(1)
	fmt.Printf("%d traces, %.0f days old\n", normal.Traces, normal.Age(epoch.AddDate(0, 0, 7)).Hours()/24)
	c, err := baseline.Drift(ctx, normal, today, cfg)
	if err != nil {
		panic(err)
	}
	fmt.Printf("%s: %s\n", c.Verdict, c.Reason)
	for _, x := range c.Changes {
		fmt.Println(strings.Join(x.Path, " > "), x.String())
	}
	// Output:
	// 600 traces, 6 days old
	// drifted: 2 of 10 things that could be compared changed, in duration, operation
	// shop POST /pay > ledger book takes 9.25 ms, before 4.43: factor 2.04 (1.92 to 2.23)
	// shop POST /pay > fraud check new: is executed in 54 % of 150 traces, before 0 % of 430: +54 (+46 to +61.8) points
	// shop POST /pay takes 58.3 ms, before 45.9: factor 1.24 (1.14 to 1.35)
	// cards gone: version 1.0 in 0 % of 150 traces, before 100 % of 430: -100 (-100 to -97.4) points
	// cards new: version 1.1 in 100 % of 150 traces, before 0 % of 430: +100 (+97.4 to +100) points
}
