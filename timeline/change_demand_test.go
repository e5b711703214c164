package timeline_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/tracetext"
	"github.com/tracewhy/tracewhy/timeline"
)

// A bureau refuses what exceeds its limit. What set that off is what made people ask for more, far from the bureau.
func TestRankChangesOfDemand(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long: run without -short")
	}
	var b strings.Builder
	for i := range 2000 {
		isLoan := i%10 == 0 || i >= 1000 && i%10 < 6
		status := ""
		if i >= 1000 && i%3 == 0 {
			status = " error"
		}
		fmt.Fprintf(&b, "trace at=%ds\n", i)
		if isLoan {
			fmt.Fprintf(&b, "campaigns/apply 0+50 server%[1]s\n  loans/check 5+40 server%[1]s\n    loans/POST 10+20 client server.address=bureau.example%[1]s\n", status)
		} else {
			b.WriteString("mobile/pay 0+30 server\n  loans/limit 5+10 server\n")
		}
	}
	set := tracetext.Set(b.String())
	affected := set.Select(func(x tracewhy.Trace) bool { return x.Root().Failed() })
	at := func(s int) time.Time { return time.Unix(0, tracetext.Epoch).Add(time.Duration(s) * time.Second) }
	changes := []timeline.Change{
		{Time: at(400), Kind: "deployment", Service: "loans", ID: "decoy-1"},
		{Time: at(990), Kind: "feature_flag", Service: "campaigns", ID: "campaign"},
		{Time: at(995), Kind: "deployment", Service: "mobile", ID: "decoy-2"},
		{Time: at(1400), Kind: "config", Service: "campaigns", ID: "later"},
	}
	for _, c := range []struct {
		changes []timeline.Change
		want    string
	}{
		{changes, "campaign"},
		{append(changes[:1:1], changes[2:]...), ""},
	} {
		r, err := timeline.RankChanges(context.Background(), set.All(), c.changes, timeline.RankConfig{Culprit: "bureau.example", Affected: affected, Demand: true})
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if r.Best >= 0 {
			got = r.Changes[r.Best].Change.ID
		}
		if got != c.want {
			t.Errorf("%q set it off, want %q: %s", got, c.want, r.Reason)
		}
	}
}
