package rca_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tracewhy/tracewhy/internal/scenario"
	"github.com/tracewhy/tracewhy/internal/tracetext"
	"github.com/tracewhy/tracewhy/rca"
	"github.com/tracewhy/tracewhy/timeline"
)

// checkWhose counts whether the first cause, where it is right, is said to be whose it is.
type checkWhose struct {
	domain, vendor tally
	change, none   tally           // the change of those that have one, and that none is named for the others
	late           []time.Duration // of the symptom, behind the label's
}

func (x *checkWhose) add(t *testing.T, c scenario.Case, r *rca.Report) {
	t.Helper()
	if len(r.RootCauses) == 0 {
		return
	}
	got := r.RootCauses[0]
	i := slices.IndexFunc(c.Label.Causes, func(l scenario.Cause) bool { return slices.Contains(l.Services, got.Service) })
	if i < 0 {
		return
	}
	if want := c.Label.Causes[i]; want.FaultDomain != "" {
		if !x.domain.add(got.FaultDomain == want.FaultDomain) {
			t.Logf("%s: the fault of %s is %s, want %s", c.Name, got.Service, got.FaultDomain, want.FaultDomain)
		}
		if want.Vendor != "" && !x.vendor.add(got.Vendor == want.Vendor || slices.Contains(want.Services, got.Vendor)) {
			t.Logf("%s: vendor %q, want %q", c.Name, got.Vendor, want.Vendor)
		}
	}
	id := ""
	if got.Change != nil {
		id = got.Change.ID
	}
	kind := &x.change
	if c.Label.Causes[i].ChangeID == "" {
		kind = &x.none
	}
	if !kind.add(id == c.Label.Causes[i].ChangeID) {
		t.Logf("%s: change %+v, want %q", c.Name, got.Change, c.Label.Causes[i].ChangeID)
	}
	if r.Timeline.Symptom != nil && c.Label.SymptomNS != 0 {
		x.late = append(x.late, r.Timeline.Symptom.Sub(time.Unix(0, c.Label.SymptomNS)))
	}
}

// finish prints what was counted, and fails where it is worse than it should be.
func (x *checkWhose) finish(t *testing.T, f scenario.Family) {
	t.Helper()
	t.Logf("%s: fault domain right in %s, vendor in %s", f.Name, x.domain, x.vendor)
	if slices.Sort(x.late); len(x.late) > 0 {
		t.Logf("%s: symptom seen in %d, %v after the first request that suffers (median; %v to %v)", f.Name, len(x.late),
			x.late[len(x.late)/2].Round(time.Second), x.late[0].Round(time.Second), x.late[len(x.late)-1].Round(time.Second))
	}
	t.Logf("%s: change right in %s, rightly none in %s", f.Name, x.change, x.none)
	for _, k := range []tally{x.domain, x.vendor} {
		if e := k.share(); e.Hi < 0.95 {
			t.Errorf("right in %s", k)
		}
	}
}

// changesOf returns the recorded changes of a case as they are read from its folder.
func changesOf(t *testing.T, c scenario.Case) []timeline.Change {
	t.Helper()
	data, err := json.Marshal(c.Changes)
	if err != nil {
		t.Fatal(err)
	}
	changes, err := timeline.ParseChanges(data)
	if err != nil {
		t.Fatal(err)
	}
	return changes
}

// loans writes traces of a service that works, asks its own store, and a bureau: how long each takes, and whether the
// bureau fails.
func loans(source string, work, store, bureau int, status string) string {
	var b strings.Builder
	for i := range 200 {
		w, s, c := work+i%3, store+i%3, bureau+i%5
		fmt.Fprintf(&b, `trace source=%s at=%ds
portal/apply 0+%d server
  loans/decide 1+%d server
    loans/SELECT 2+%d client db.system.name=postgresql server.address=loans-db
    loans/GET %d+%d client server.address=api.bureau.example http.request.method=GET%s
`, source, i, w+s+c+6, w+s+c+4, s, s+3, c, status)
	}
	return b.String()
}

func TestWhose(t *testing.T) {
	before := loans("baseline", 10, 10, 50, "")
	for _, c := range []struct {
		name, after                       string
		service, domain, mechanism, first string // first is how the first remedy begins
	}{
		{"own work", loans("incident", 300, 10, 50, ""), "loans", "internal", "own work", "look at loans"},
		{"own store", loans("incident", 10, 300, 50, ""), "loans-db", "internal", "slow answers, or the way to it", ""},
		{"a vendor is slow", loans("incident", 10, 10, 500, ""), "api.bureau.example", "external", "slow answers", "ask api.bureau.example"},
		{"a vendor fails", loans("incident", 10, 10, 50, ` error="503 Service Unavailable"`), "api.bureau.example", "external", "", "ask api.bureau.example"},
	} {
		t.Run(c.name, func(t *testing.T) {
			set := tracetext.Set(before + c.after)
			r := investigate(t, set, rca.Config{})
			if len(r.RootCauses) == 0 {
				t.Fatalf("%+v", r)
			}
			got := r.RootCauses[0]
			if got.Service != c.service || got.FaultDomain != c.domain || (got.Vendor != "") != (c.domain == "external") {
				t.Errorf("%s, %s, vendor %q; want %s, %s", got.Service, got.FaultDomain, got.Vendor, c.service, c.domain)
			}
			if !strings.Contains(got.Mechanism, c.mechanism) {
				t.Errorf("mechanism %q, want %q", got.Mechanism, c.mechanism)
			}
			for _, e := range got.Evidence {
				if strings.Contains(e.Claim, "not answered") { // of what has no spans that is not known
					t.Errorf("evidence %q", e.Claim)
				}
			}
			if len(got.Remediation) == 0 || !strings.HasPrefix(got.Remediation[0].Action, c.first) {
				t.Errorf("remedies %+v, want %s… first", got.Remediation, c.first)
			}
			isExternal := func(d rca.Dependency) bool { return d.Name == "api.bureau.example" && d.External && d.Calls == 200 }
			if !slices.ContainsFunc(r.Dependencies, isExternal) {
				t.Errorf("dependencies %+v, want the bureau's 200 calls", r.Dependencies)
			}
		})
	}
}
