package rca_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/scenario"
	"github.com/tracewhy/tracewhy/internal/stats"
	"github.com/tracewhy/tracewhy/rca"
)

// checkConditions counts whether the conditions of a cause are those of the label, where the cause itself is right,
// and of failure modes, where the label has any: all of them, and at most one more.
type checkConditions struct {
	causes  tally // with conditions in the label
	without tally // without any
	modes   tally
}

func (x *checkConditions) add(t *testing.T, c scenario.Case, r *rca.Report) {
	t.Helper()
	for _, l := range c.Label.Modes {
		i := slices.IndexFunc(r.FailureModes, func(m rca.FailureMode) bool { return m.Service == l.Service && m.Operation == l.Operation })
		if i >= 0 && !x.modes.add(matches(r.FailureModes[i].Conditions, l.Conditions)) {
			t.Logf("%s: conditions of mode %s %v (%s), want %v", c.Name, l.Operation, r.FailureModes[i].Conditions, r.FailureModes[i].Scope, l.Conditions)
		}
	}
	i := slices.IndexFunc(c.Label.Causes, func(l scenario.Cause) bool {
		return len(r.RootCauses) > 0 && slices.Contains(l.Services, r.RootCauses[0].Service)
	})
	if i < 0 {
		return
	}
	got, want := r.RootCauses[0], c.Label.Causes[i].Conditions
	kind, isRight := &x.without, len(got.Conditions) == 0
	if len(want) > 0 {
		kind, isRight = &x.causes, matches(got.Conditions, want)
	}
	if !kind.add(isRight) {
		t.Logf("%s (%s): %s %v, want %v, of cause %s (%s)", c.Name, c.Label.FaultType, got.Scope, got.Conditions, want, got.Service, got.Mechanism)
	}
}

// notRight are families whose conditions are mostly not those of the label, and why.
var notRight = map[string]string{
	"mortgage-stall":     "its formats are elements of lists, which no condition is asked of",
	"pool-exhaustion":    "each instance has its own pool, and that of one may run out alone: what is said of copies is true, but not in the label",
	"pool-before-vendor": "each instance has its own pool, as above",
}

// finish prints what was counted, and fails where it is worse than it should be.
func (x *checkConditions) finish(t *testing.T, f scenario.Family) {
	t.Helper()
	t.Logf("%s: conditions of causes right in %s, rightly none in %s; those of modes right in %s", f.Name, x.causes, x.without, x.modes)
	if why := notRight[f.Name]; why != "" {
		t.Logf("%s: %s", f.Name, why)
		return
	}
	for _, k := range []tally{x.causes, x.without, x.modes} {
		if e := k.share(); e.Hi < 0.9 {
			t.Errorf("conditions right in %s", k)
		}
	}
}

// A tally counts answers.
type tally struct{ right, of int }

func (x *tally) add(isRight bool) bool {
	if x.of++; isRight {
		x.right++
	}
	return isRight
}

func (x tally) share() stats.Estimate {
	return stats.ClopperPearson(float64(x.right), float64(x.of), 0.95)
}

func (x tally) String() string {
	if x.of == 0 {
		return "0 of 0"
	}
	e := x.share()
	return fmt.Sprintf("%d of %d (%.3f to %.3f)", x.right, x.of, e.Lo, e.Hi)
}

// matches reports whether all the true conditions are stated, and at most one more. A list stands for its elements.
func matches(said []rca.Condition, truth map[string]string) bool {
	n := 0
	for key, value := range truth {
		states := func(v string) bool {
			return slices.ContainsFunc(said, func(c rca.Condition) bool {
				return c.Key == key && (c.Op == tracewhy.OpEqual || c.Op == tracewhy.OpHas) && fmt.Sprint(c.Value) == v
			})
		}
		n++
		if states(value) {
			continue
		}
		elements := strings.Split(value, ",")
		for _, v := range elements {
			if !states(v) {
				return false
			}
		}
		n += len(elements) - 1
	}
	return len(said) <= n+1
}

// fleet makes traces of one service with four instances on two hosts, of two versions.
func fleet(failing func(n int) bool) *tracewhy.Set {
	var spans []tracewhy.SpanData
	for n := range 400 {
		i, source := n%4, "incident"
		if n < 200 {
			source = "baseline"
		}
		s := tracewhy.SpanData{
			TraceID: tracewhy.TraceID{13: 1, 14: byte(n >> 8), 15: byte(n)}, SpanID: tracewhy.SpanID{7: 1}, Name: "GET", Source: source,
			Start: uint64(1_700_000_000_000_000_000 + 1_000_000*n), End: uint64(1_700_000_000_000_000_100 + 1_000_000*n),
			Resource: &tracewhy.Resource{Attributes: []tracewhy.KeyValue{
				tracewhy.String("service.name", "pay"), tracewhy.String("service.instance.id", fmt.Sprint("pay-", i)),
				tracewhy.String("host.name", fmt.Sprint("node-", i/2)), tracewhy.String("service.version", []string{"1", "2", "1", "1"}[i]),
			}},
		}
		if source == "incident" && failing(n) {
			s.Status = tracewhy.StatusError
		}
		spans = append(spans, s)
	}
	return tracewhy.SetOf(spans...)
}

func TestConditionsOfCopies(t *testing.T) {
	for _, c := range []struct {
		why        string
		failing    func(n int) bool // by the number of the trace
		scope      rca.Scope
		instance   string
		conditions string
	}{
		{"one instance", func(n int) bool { return n%4 == 3 }, rca.ScopeConditions, "pay-3", "service.instance.id = pay-3"},
		{"one instance, which is all of its version", func(n int) bool { return n%4 == 1 }, rca.ScopeConditions, "pay-1", "service.version = 2, service.instance.id = pay-1"},
		{"both instances of a host", func(n int) bool { return n%4 >= 2 }, rca.ScopeConditions, "", "host.name = node-1"},
		{"all alike", func(n int) bool { return n%5 == 0 }, rca.ScopeUnexplained, "", ""},
		{"all", func(n int) bool { return true }, rca.ScopeEveryone, "", ""},
	} {
		set := fleet(c.failing)
		r := investigate(t, set, rca.Config{})
		if len(r.RootCauses) == 0 {
			t.Errorf("%s: no cause", c.why)
			continue
		}
		got := r.RootCauses[0]
		var texts []string
		for _, k := range got.Conditions {
			texts = append(texts, fmt.Sprint(k.Key, " ", k.Op, " ", k.Value))
		}
		if text := strings.Join(texts, ", "); got.Scope != c.scope || got.Instance != c.instance || text != c.conditions {
			t.Errorf("%s: scope %q, instance %q, conditions %q, want %q, %q and %q", c.why, got.Scope, got.Instance, text, c.scope, c.instance, c.conditions)
		}
	}
}
