package baseline

import (
	"cmp"
	"fmt"
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

// String returns the change in a line. Its names come from the traces: what shows them has to escape them.
func (c *Change) String() string {
	place := c.place()
	if what := c.what(); what != "" {
		place += ": " + what
	}
	if c.isFactor() {
		unit := " ms"
		if c.Kind == KindRepetition {
			unit = " for each of its caller's"
		}
		return fmt.Sprintf("%s %.3g%s, before %.3g: times %s", place, c.After, unit, c.Before, round(c.Effect, 1))
	}
	is := ":"
	if c.Kind != KindFailures && c.Kind != KindAbandoned {
		switch {
		case c.appeared():
			is = " is new,"
		case c.vanished():
			is = " is gone,"
		}
	}
	return fmt.Sprintf("%s%s in %s of %d traces, before %s of %d: %s points", place, is,
		percent(c.After), c.Traces[1], percent(c.Before), c.Traces[0], round(c.Effect, 100))
}

// place is the path, of a long one the top and the last two calls.
func (c *Change) place() string {
	path := c.Path
	if len(path) > 4 {
		path = []string{path[0], "…", path[len(path)-2], path[len(path)-1]}
	}
	return strings.Join(path, " > ")
}

// what says what of the place has changed; "" for the operation itself.
func (c *Change) what() string {
	switch c.Kind {
	case KindDuration:
		return "takes"
	case KindRepetition:
		return "executions"
	case KindFailures:
		if c.Name != "" {
			return "failures of " + c.Name
		}
		return "failures"
	case KindAbandoned:
		return "abandoned"
	case KindStructure:
		if c.Name == "" {
			return "making no call"
		}
		return "calling " + c.Name + ", and nothing else"
	case KindTraffic:
		return "share of requests"
	case KindOperation:
		return ""
	}
	return string(c.Kind) + " " + c.Name
}

func percent(share float64) string { return fmt.Sprintf("%.3g %%", 100*share) }

// round writes an estimate, multiplied, with three digits; a difference with its sign.
func round(e tracewhy.Estimate, by float64) string {
	if by != 1 {
		return fmt.Sprintf("%+.3g (%+.3g to %+.3g)", by*e.Value, by*e.Low, by*e.High)
	}
	return fmt.Sprintf("%.3g (%.3g to %.3g)", e.Value, e.Low, e.High)
}

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
