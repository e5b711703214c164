package rca_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/tracetext"
	"github.com/tracewhy/tracewhy/rca"
)

// said writes the conditions of the first cause as text.
func said(all []rca.Condition) string {
	var texts []string
	for _, c := range all {
		text := fmt.Sprint(c.Key, " ", c.Op)
		if c.Value != nil {
			text += fmt.Sprint(" ", c.Value)
		}
		if c.Service != "" {
			text = c.Service + ": " + text
		}
		texts = append(texts, text)
	}
	return strings.Join(texts, ", ")
}

// applications makes 400 applications for a loan in either window, each of which a service verifies. What an
// application is like, and whether it fails, is for the caller to say by its number in the window; attributes
// of it are those of the root.
func applications(attributes func(n int, failed bool) string, fails func(n int) bool, then string) *tracewhy.Set {
	var text strings.Builder
	for w, source := range []string{"baseline", "incident"} {
		for n := range 400 {
			status, after, failed := "", "", source == "incident" && fails(n)
			if failed {
				status, after = ` error="out of memory"`, then
			}
			fmt.Fprintf(&text, "trace t source=%s at=%ds\nbank/POST /loans 0+%d server%s %s\n  bank/verify 1+%d client%s\n    docs/verify 2+%d server%s\n%s",
				source, w*1000+n, 60+n%7, status, attributes(n, failed), 30+n%7, status, 20+n%7, status, after)
		}
	}
	return tracetext.Set(text.String())
}

func TestConditions(t *testing.T) {
	all := func(int) bool { return true }
	for _, c := range []struct {
		why        string
		attributes func(n int, failed bool) string
		fails      func(n int) bool
		then       string
		scope      rca.Scope
		conditions string
	}{
		{
			"three together",
			func(n int, _ bool) string {
				return fmt.Sprintf("has.pdf=%t has.tiff=%t volume=%s branch=b-%d", n%2 == 0, n/2%3 == 0, []string{"low", "high"}[n/6%2], n%7)
			},
			func(n int) bool { return n%2 == 0 && n/2%3 == 0 && n/6%2 == 1 }, "",
			rca.ScopeConditions, "has.tiff = true, has.pdf = true, volume = high", // what tells most first
		},
		{
			"either of two: no one condition has nearly all of them",
			func(n int, _ bool) string {
				return fmt.Sprintf("color=%s", []string{"red", "green", "blue", "white"}[n%4])
			},
			func(n int) bool { return n%4 < 2 && n%3 == 0 }, "",
			rca.ScopeUnexplained, "",
		},
		{
			"all of it",
			func(n int, _ bool) string { return fmt.Sprintf("color=%s", []string{"red", "green"}[n%2]) },
			all, "", rca.ScopeEveryone, "",
		},
		{
			"all of it from some time on, when something else changed as well",
			func(n int, _ bool) string { return fmt.Sprintf("app.version=%d", min(2, 1+n/250)) },
			func(n int) bool { return n >= 240 }, "",
			rca.ScopeEveryone, "",
		},
		{
			"a part of it from some time on, when something else changed as well",
			func(n int, _ bool) string { return fmt.Sprintf("app.version=%d branch=b-%d", min(2, 1+n/205), n%7) },
			func(n int) bool { return n >= 200 && n%3 == 0 }, "",
			rca.ScopeUnexplained, "",
		},
		{
			"what a failure brings about",
			func(n int, _ bool) string { return fmt.Sprintf("branch=b-%d", n%7) },
			func(n int) bool { return n%5 == 0 }, "  bank/compensate 40+5 internal saga.step=undo\n",
			rca.ScopeUnexplained, "",
		},
		{
			"what a failure leaves out",
			func(n int, failed bool) string {
				if failed {
					return fmt.Sprintf("branch=b-%d", n%7)
				}
				return fmt.Sprintf("branch=b-%d decision=approved", n%7)
			},
			func(n int) bool { return n%5 == 0 }, "",
			rca.ScopeUnexplained, "",
		},
		{
			"what they lack, and as many lacked when all was well",
			func(n int, _ bool) string {
				if n%5 == 0 {
					return ""
				}
				return "decision=approved"
			},
			func(n int) bool { return n%5 == 0 }, "",
			rca.ScopeConditions, "decision missing",
		},
	} {
		set := applications(c.attributes, c.fails, c.then)
		r := investigate(t, set, rca.Config{})
		if len(r.RootCauses) == 0 {
			t.Errorf("%s: no cause", c.why)
			continue
		}
		got := r.RootCauses[0]
		if text := said(got.Conditions); got.Service != "docs" || got.Scope != c.scope || text != c.conditions {
			t.Errorf("%s: cause %s, scope %q, conditions %q, want %q and %q", c.why, got.Service, got.Scope, text, c.scope, c.conditions)
		}
	}
}

// A converter fails for one currency. That it converts foreign transfers only is a condition as well, since there
// are domestic ones in that currency; which root operation asks for it is one, since others do without harm.
func TestConditionsOfWhatPasses(t *testing.T) {
	const (
		domestic = `bank/POST /transfers 0+%[1]d server http.route=/transfers kind=domestic currency=%[2]s
  bank/book  30+9 client
    ledger/book 31+7 server
`
		foreign = `bank/POST /transfers 0+%[1]d server%[3]s http.route=/transfers kind=foreign currency=%[2]s
  bank/convert 5+20 client%[3]s
    fx/convert 6+18 server%[3]s
  bank/book  30+9 client
    ledger/book 31+7 server
`
		quote = `bank/GET /quotes 0+%[1]d server http.route=/quotes currency=%[2]s
  bank/convert 5+20 client
    fx/convert 6+18 server
`
	)
	var text strings.Builder
	for w, source := range []string{"baseline", "incident"} {
		for n := range 900 {
			status, currency := "", []string{"EUR", "USD", "JPY", "GBP", "CHF"}[n/3%5]
			if source == "incident" && currency == "JPY" && n%2 == 0 {
				status = ` error="amount has decimals"`
			}
			fmt.Fprintf(&text, "trace t source=%s at=%ds\n", source, w*1000+n)
			fmt.Fprintf(&text, []string{domestic, foreign, quote}[n%3]+"# %[3]s\n", 60+n%7, currency, status)
		}
	}
	set := tracetext.Set(text.String())
	r := investigate(t, set, rca.Config{})
	if len(r.RootCauses) == 0 || len(r.FailureModes) != 1 {
		t.Fatalf("causes %+v, modes %+v", r.RootCauses, r.FailureModes)
	}
	got := r.RootCauses[0]
	if text := said(got.Conditions); got.Service != "fx" || text != "http.route = /transfers, currency = JPY, kind = foreign" {
		t.Errorf("cause %s, conditions %q", got.Service, text)
	}
	m := r.FailureModes[0]
	if text := said(m.Conditions); text != "currency = JPY, kind = foreign" || m.Coverage != 1 || !(m.Prevalence > 0 && m.Prevalence < 0.1) {
		t.Errorf("mode with conditions %q, coverage %v, prevalence %v", text, m.Coverage, m.Prevalence)
	}
	if !strings.Contains(got.Summary, "for http.route = /transfers and currency = JPY and kind = foreign") {
		t.Errorf("summary %q", got.Summary)
	}
}

// A service has two copies, and what it refuses is asked for two times more. Whoever asks again meets more copies, which
// says nothing of either; that the first attempt met one does.
func TestConditionsOfAttempts(t *testing.T) {
	for _, c := range []struct {
		why      string
		fails    func(n int) bool
		copyOf   func(n, attempt int) int
		scope    rca.Scope
		instance string
	}{
		{"further attempts go anywhere", func(n int) bool { return n%5 == 0 }, func(n, attempt int) int { return min(1, []int{n / 5, n / 15, n / 45}[attempt]%3) }, rca.ScopeUnexplained, ""},
		{"one copy refuses", func(n int) bool { return n%6 == 1 }, func(n, _ int) int { return n % 2 }, rca.ScopeConditions, "docs-1"},
	} {
		var text strings.Builder
		for w, source := range []string{"baseline", "incident"} {
			for n := range 400 {
				status, attempts := "", 1
				if source == "incident" && c.fails(n) {
					status, attempts = ` error="refused"`, 3
				}
				fmt.Fprintf(&text, "trace t source=%s at=%ds\nbank/POST /loans 0+%d server%s branch=b-%d\n", source, w*1000+n, 95+n%7, status, n%7)
				for a := range attempts {
					fmt.Fprintf(&text, "  bank/verify %d+20 client%s\n    docs/verify %d+18 server%s resource.service.instance.id=docs-%d\n", 2+30*a, status, 3+30*a, status, c.copyOf(n, a))
				}
			}
		}
		set := tracetext.Set(text.String())
		r := investigate(t, set, rca.Config{})
		if len(r.RootCauses) == 0 {
			t.Errorf("%s: no cause", c.why)
			continue
		}
		got := r.RootCauses[0]
		if got.Service != "docs" || got.Scope != c.scope || got.Instance != c.instance {
			t.Errorf("%s: cause %s, scope %q, conditions %q, instance %q, want %q and %q", c.why, got.Service, got.Scope, said(got.Conditions), got.Instance, c.scope, c.instance)
		}
	}
}

// What is called before a failure is recorded, is no condition if it has no other values: it says what was called.
func TestConditionsOfCode(t *testing.T) {
	var text strings.Builder
	for w, source := range []string{"baseline", "incident"} {
		for n := range 600 {
			status, table := "", "cached"
			if n%3 == 0 {
				table = "users"
			}
			if source == "incident" && n%3 == 0 && n%2 == 0 {
				status = ` error="no connection"`
			}
			fmt.Fprintf(&text, "trace t source=%s at=%ds\nbank/POST /login 0+%d server%s branch=b-%d\n  bank/sign-in 1+30 client%s\n    login/sign-in 2+28 server%s\n      login/SELECT_%s 3+5 client db.collection.name=%s\n",
				source, w*1000+n, 60+n%7, status, n%7, status, status, table, table)
		}
	}
	set := tracetext.Set(text.String())
	r := investigate(t, set, rca.Config{})
	if len(r.FailureModes) != 1 || len(r.FailureModes[0].Conditions) > 0 || len(r.RootCauses) == 0 || len(r.RootCauses[0].Conditions) > 0 {
		t.Errorf("modes %+v, causes %+v", r.FailureModes, r.RootCauses)
	}
}
