package capacity

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/parallel"
	"github.com/tracewhy/tracewhy/timeline/internal/bins"
)

// ResourcesConfig adjusts [Resources]. Its zero value is the documented default.
type ResourcesConfig struct {
	// Bin is the length of a bin. 0 means a round one of which the traces fill about 240, or fewer where
	// they are few: ten traces a bin, and at least 30 bins.
	Bin time.Duration
	// Start and End bound the time that is looked at, in nanoseconds since the Unix epoch. 0 means that of
	// the traces, without those that lie far outside.
	Start, End int64
	// Kinds are the kinds of resources to look at; nil means all.
	Kinds []Kind
	// MinCalls is how many executions, or waits, a resource has at least; 0 means 30.
	MinCalls int
	// MaxResources is how many resources of a kind there are at most, those with the most executions; 0 means 500.
	MaxResources int
	// Signals are gauges that were measured beside the traces, to be laid over the same bins.
	Signals []Signal
	// Alpha is the share of signals that did not change, among those that are said to; 0 means 0.05.
	Alpha float64
	Seed  uint64 // for what is drawn at random: the null distributions of changes of signals
	// Workers bounds how many goroutines are used; 0 means GOMAXPROCS. It never changes the result.
	Workers int
}

// Kind is a kind of thing that executions occupy.
type Kind uint8

// The kinds of resources.
const (
	Service    Kind = iota // what others asked of a service
	Instance               // what others asked of one of its instances
	Dependency             // calls of one instance to a peer
	Pool                   // what spans named as a wait for a pool or lock wait for, in one instance
)

// String returns the kind in lower-case words.
func (k Kind) String() string {
	return [...]string{"service", "instance", "dependency", "pool"}[min(k, Pool)]
}

// withDefaults returns the configuration with what zero values stand for.
func (cfg ResourcesConfig) withDefaults() ResourcesConfig {
	if cfg.MinCalls <= 0 {
		cfg.MinCalls = 30
	}
	if cfg.MaxResources <= 0 {
		cfg.MaxResources = 500
	}
	all := []Kind{Service, Instance, Dependency, Pool}
	if cfg.Kinds != nil {
		all = slices.DeleteFunc(all, func(k Kind) bool { return !slices.Contains(cfg.Kinds, k) })
	}
	cfg.Kinds = all
	if cfg.Alpha <= 0 || cfg.Alpha >= 1 {
		cfg.Alpha = 0.05
	}
	return cfg
}

func (cfg ResourcesConfig) bins() bins.Config {
	return bins.Config{Length: cfg.Bin, Start: cfg.Start, End: cfg.End}
}

// Resource is what executions occupy, and how that went over time. Slices are by bin.
type Resource struct {
	Kind     Kind
	Service  string // of a dependency and a pool the caller's
	Instance string
	Name     string // of a dependency the peer, of a pool the operation of the waits

	// InFlight is how many were under way on average, and Most at once. Where traces are weighted both are
	// estimates of all that happened, and Most is the most of the sample.
	InFlight []float64
	Most     []int
	// Waiting is how many waited on average, beside or among those in flight: nil where waits cannot be told
	// from work, and -1 outside of the time of the limit that tells them.
	Waiting []float64
	// Arrivals and Completions are how many began and ended.
	Arrivals, Completions []float64
	// Time is how long those that began in the bin took on average; -1 where none did.
	Time []time.Duration
	// Little is how many would be under way by J. Little's law (1961, doi:10.1287/opre.9.3.383): the arrivals
	// of each second by their time. It is that of InFlight where as many arrive as leave.
	Little []float64
	// Unsteady is the time by which Little and InFlight differ over all bins, as a share of all time under
	// way: above a quarter the bins are too short, or what happens in them is not steady.
	Unsteady float64

	Limit Limit
	// Utilisation is InFlight, without those that wait among them, by the limit: nil where that is not known,
	// and -1 when it is not.
	Utilisation []float64
	Queues      []Queue // in the order of time
}

// String returns the resource's name.
func (r *Resource) String() string {
	switch r.Kind {
	case Service:
		return r.Service
	case Instance:
		return r.Service + " " + r.Instance
	}
	if r.Instance == "" {
		return fmt.Sprintf("%s of %s", r.Name, r.Service)
	}
	return fmt.Sprintf("%s of %s %s", r.Name, r.Service, r.Instance)
}

// saturated is the utilisation from which on a bin counts as one with no room left.
const saturated = 0.8

// Saturated returns in how many bins the resource was used up to its limit, or nearly, while something waited.
func (r *Resource) Saturated() int {
	n := 0
	for i, u := range r.Utilisation {
		if u >= saturated && r.Waiting[i] > 0 {
			n++
		}
	}
	return n
}

// Limit is how many executions there can be at once.
type Limit struct {
	// N is the limit, and Low and High are the fewest and the most that are consistent with it; 0 where it is
	// not estimable.
	N, Low, High int
	// Stated says that spans named the limit, in db.client.connection.max: it need not be the one that held.
	Stated bool
	// Within says that the waits are part of the executions, as those for a lock in the span of a query are.
	Within bool
	Waits  int // how many executions waited
	// Start and End are the time in which it was seen to hold, in nanoseconds since the Unix epoch: all, or the
	// half, quarter or eighth of the executions in which most waited.
	Start, End int64
	Reason     string // one sentence: why the limit is that, or why it is not estimable
}

// Queue is a time in which more arrived than were done with, so that it took longer and longer. Times are in
// nanoseconds since the Unix epoch.
type Queue struct {
	Start, Peak int64
	Drained     int64 // 0 where the recording ends before
	Usual, Most int   // how many were under way as a rule, and at the peak
	// Before and After are how long executions took on average: at first, and before the peak.
	Before, After time.Duration
}

// ResourcesResult says in what state resources were over time.
type ResourcesResult struct {
	Bin time.Duration // the length of a bin
	// Starts is when each bin begins, in nanoseconds since the Unix epoch. They follow each other, but for
	// long times in which nothing was recorded, as between two recordings: those have no bins.
	Starts []int64
	// Exposure is how much of each bin was recorded, from 0 to 1. Where no trace began in a bin nothing is
	// known of it.
	Exposure  []float64
	Resources []Resource // by kind, then by name
	Signals   []SignalCourse
	Warnings  []tracewhy.Warning
}

// The warnings of [Resources].
const (
	WarningIncomplete    = "timeline_incomplete"     // traces lack spans: fewer are seen under way than were, and less waits
	WarningManyResources = "timeline_many_subject"   // more resources than MaxResources
	WarningWeighted      = "weighted"                // a sample with weights: what was under way is estimated, and limits are not
	WarningOutside       = bins.WarningOutside       // traces far outside the time of the others, which are left out
	WarningUnrecorded    = bins.WarningUnrecorded    // bins without any trace, of which nothing is known
	WarningSignalOutside = "timeline_signal_outside" // points of signals that were measured at no time of the traces
)

// ErrNoTraces says that a cohort is empty, or has no trace whose time is known.
var ErrNoTraces = errors.New("capacity: no traces")

// Resources reconstructs from spans in what state services, instances, dependencies and pools were: how many
// executions were under way and how many waited, how many began and ended, how long they took, and where that can
// be told how many there can be at once.
//
// A limit is estimated where executions wait. If they do so outside of the spans that they wait for, in a span
// named as a wait, before a call, or between a call and its remote side, then the limit is how many were under
// way whenever something waited, if that is one number for four fifths of the time. If they wait inside, the limit
// is the smallest number of servers that explains, first come first served, when each execution ended, if what
// remains of each without its wait does not depend on whether it waited (as inferred by R. C. Larson, 1990,
// doi:10.1287/mnsc.36.5.586). Otherwise it is not estimable, and the reason says why: of executions that did not
// wait, of traces of which a sample was taken, and where something holds what no span shows.
//
// It takes time in O(n log n) for n spans and memory for those of one kind of resource, and for each resource in
// each bin. Its error is [ErrNoTraces] or that of ctx.
func Resources(ctx context.Context, traces tracewhy.Cohort, cfg ResourcesConfig) (*ResourcesResult, error) {
	if traces.Len() == 0 {
		return nil, ErrNoTraces
	}
	cfg = cfg.withDefaults()
	grid, warnings, ok := bins.LayOut(traces, cfg.bins())
	if !ok {
		return nil, ErrNoTraces
	}
	r := &ResourcesResult{Bin: grid.Length, Starts: grid.Starts, Exposure: grid.Exposure, Warnings: warnings}
	tooMany, isWeighted := 0, false
	for _, kind := range cfg.Kinds {
		users := newUsers(kind)
		if err := users.read(ctx, traces); err != nil {
			return nil, err
		}
		isWeighted = users.isWeighted
		all, left := users.most(cfg)
		tooMany += left
		made := make([]Resource, len(all))
		err := parallel.For(ctx, cfg.Workers, len(all), func(i int) {
			made[i] = all[i].resource(grid, users.isWeighted)
		})
		if err != nil {
			return nil, err
		}
		r.Resources = append(r.Resources, made...)
	}
	warn := func(code string, n int, message string) {
		if n > 0 {
			r.Warnings = append(r.Warnings, tracewhy.Warning{Code: code, Count: n, Message: message})
		}
	}
	warn(WarningManyResources, tooMany, "resources with fewer calls than others were left out, since they are so many")
	if isWeighted {
		warn(WarningWeighted, 1, "traces were sampled: what was under way is estimated from their weights, and limits are not")
	}
	incomplete := 0
	for t := range traces.Traces() {
		if !t.IsComplete() || t.Completeness() < 1 {
			incomplete++
		}
	}
	warn(WarningIncomplete, incomplete, "traces lack spans: more was under way than is seen")
	signals, warnings, err := layOver(ctx, grid, cfg)
	if err != nil {
		return nil, err
	}
	r.Signals, r.Warnings = signals, append(r.Warnings, warnings...)
	return r, nil
}
