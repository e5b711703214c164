package baseline

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/stats"
)

// Kind says what a [Change] is of.
type Kind string

// The kinds of changes. The last three are no drift: they are what a drift may come from.
const (
	KindOperation  Kind = "operation"   // in how many traces an operation is executed, of those in which its caller is
	KindFailures   Kind = "failures"    // how many requests, or traces with the operation or peer, fail
	KindAbandoned  Kind = "abandonment" // how many requests are abandoned
	KindDuration   Kind = "duration"    // how long it takes
	KindRepetition Kind = "repetition"  // how often it is executed for each execution of its caller
	KindStructure  Kind = "structure"   // in how many traces it makes just these calls
	KindPeer       Kind = "peer"        // in how many traces it calls something that has no spans
	KindTraffic    Kind = "traffic"     // what share of all requests it is
	KindVersion    Kind = "version"     // in how many traces of a service the version is
	KindInstance   Kind = "instance"    // in how many traces of a service the instance is
)

func (k Kind) isContext() bool { return k == KindTraffic || k == KindVersion || k == KindInstance }

// Change is one difference between two snapshots.
type Change struct {
	Kind      Kind     `json:"kind"`
	Path      []string `json:"path"` // services and operations from the top to this one; of a version or instance the service
	Service   string   `json:"service"`
	Operation string   `json:"operation"` // "" of a service as a whole
	Name      string   `json:"name"`      // of a peer, version or instance; of a structure its calls

	// Before and After are shares of traces; for a duration the medians of one value for each trace, in
	// milliseconds, and for a repetition those of executions for each of the caller's. NaN is never among them.
	Before float64 `json:"before"`
	After  float64 `json:"after"`
	// Effect is After less Before for shares; for durations and repetitions the factor from one to the other: the
	// median of all ratios of a trace after and a trace before.
	Effect tracewhy.Estimate `json:"effect"`
	Traces [2]int64          `json:"traces"` // that the two are of, before and after

	// P is the p-value; Q is adjusted for the false discovery rate of all questions that could be answered, and
	// Adjusted for the probability of any false one. Both are 1 for a question that so few traces cannot answer.
	P        float64 `json:"p"`
	Q        float64 `json:"q"`
	Adjusted float64 `json:"adjusted"`
	// Drift says that it is one: sure, large enough, and of behaviour.
	Drift bool `json:"drift"`
}

// appeared reports whether there was none before.
func (c *Change) appeared() bool { return !c.isFactor() && c.Before == 0 }

func (c *Change) vanished() bool { return !c.isFactor() && c.After == 0 }

func (c *Change) isFactor() bool { return c.Kind == KindDuration || c.Kind == KindRepetition }

// String says in a line what changed, and by how much; Path says where. Names come from the traces: what shows them has
// to escape them.
func (c *Change) String() string {
	what := c.what()
	if c.isFactor() {
		unit := " ms"
		if c.Kind == KindRepetition {
			unit = " times"
		}
		return fmt.Sprintf("%s %s%s, before %s: factor %s (%s to %s)", what, number(c.After), unit, number(c.Before),
			number(c.Effect.Value), number(c.Effect.Low), number(c.Effect.High))
	}
	is := what
	if c.Kind != KindFailures && c.Kind != KindAbandoned {
		switch {
		case c.appeared():
			is = strings.TrimSpace("new: " + what)
		case c.vanished():
			is = strings.TrimSpace("gone: " + what)
		}
	}
	return fmt.Sprintf("%s in %s of %d traces, before %s of %d: %+.3g (%+.3g to %+.3g) points", is,
		percent(c.After), c.Traces[1], percent(c.Before), c.Traces[0], 100*c.Effect.Value, 100*c.Effect.Low, 100*c.Effect.High)
}

// number writes three digits, or a whole number.
func number(x float64) string {
	if x >= 1000 && !math.IsInf(x, 0) {
		return fmt.Sprintf("%.0f", x)
	}
	return fmt.Sprintf("%.3g", x)
}

// what says what of the place has changed.
func (c *Change) what() string {
	switch c.Kind {
	case KindDuration:
		return "takes"
	case KindRepetition:
		return "is executed, for each time that its caller is,"
	case KindFailures:
		if c.Name != "" {
			return "calls to " + c.Name + " fail"
		}
		return "fails"
	case KindAbandoned:
		return "is abandoned"
	case KindStructure:
		if c.Name == "" {
			return "makes no call"
		}
		return "calls " + c.Name + " and nothing else"
	case KindPeer:
		return "calls " + c.Name
	case KindTraffic:
		return "is asked for"
	case KindOperation:
		return "is executed"
	}
	return string(c.Kind) + " " + c.Name
}

func percent(share float64) string { return fmt.Sprintf("%.3g %%", 100*share) }

// order sorts changes: drifts first, then by how sure they are.
func order(changes []Change) {
	rank := func(c *Change) int {
		switch {
		case c.Drift:
			return 0
		case !c.Kind.isContext():
			return 1
		}
		return 2
	}
	slices.SortFunc(changes, func(x, y Change) int {
		return cmp.Or(cmp.Compare(rank(&x), rank(&y)), stats.Compare(x.Adjusted, y.Adjusted), stats.Compare(x.P, y.P),
			slices.Compare(x.Path, y.Path), cmp.Compare(x.Kind, y.Kind), cmp.Compare(x.Name, y.Name))
	})
}
