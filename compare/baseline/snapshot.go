package baseline

import (
	"time"

	"github.com/tracewhy/tracewhy"
)

// Schema names the format that this package reads and writes.
const Schema = "tracewhy.baseline/v1"

// Config adjusts what is kept, and what counts as a change. Its zero value is the documented default.
type Config struct {
	// Outcome says which requests failed.
	Outcome tracewhy.OutcomeRule

	// MaxOperations is how many operations, and how many services, a snapshot has; 0 means 20,000. The deepest
	// operations are left out first, and counted. MaxNames is how many peers and structures an operation has, and how
	// many versions and instances a service; 0 means 64. Which are kept beyond that is a matter of their hash.
	MaxOperations, MaxNames int

	// Alpha is the probability of calling anything a drift where nothing changed; 0 means 0.05.
	Alpha float64
	// MinRatio is by what factor a duration, or how often something is called, has to rise or fall to be a drift;
	// MinFailures by how much the share of traces that fail has to, and MinDifference any other share. 0 means 1.25,
	// 0.005 and 0.02. What changes less is reported, and tolerated.
	MinRatio, MinFailures, MinDifference float64
	// MaxAge is how old a baseline may be at the time Now before a warning says so; 0 means 28 days. With a zero
	// Now there is no such warning.
	MaxAge time.Duration
	Now    time.Time
}

// Snapshot is what is normal in the traces of a window: counts, histograms, and the names of services, operations,
// peers, versions and instances. It holds no trace, no id, and no attribute's value beside those names. A
// Snapshot that Take, Merge or Read made must not be changed.
//
// All numbers are whole, and small enough for programs that read numbers of JSON as floating point.
type Snapshot struct {
	Schema  string `json:"schema"`
	Outcome string `json:"outcome"` // the rule for failed requests, in words

	// First and Last are the starts of the first and the last trace, in UTC; zero if no trace has a known start.
	First time.Time `json:"first"`
	Last  time.Time `json:"last"`
	// Hours is how many traces start in each hour of the day, in UTC.
	Hours [24]int64 `json:"hours"`

	Traces     int64 `json:"traces"`
	Spans      int64 `json:"spans"`
	Weight     int64 `json:"weight_milli"` // how many traces they stand for, in thousandths
	Fragments  int64 `json:"fragments"`    // traces without their root: they count for nothing else
	Incomplete int64 `json:"incomplete"`   // other traces that lack something: they do not count for structure
	Detached   int64 `json:"detached"`     // spans below a missing parent: they do not count for operations

	MaxOperations int         `json:"max_operations"`
	MaxNames      int         `json:"max_names"`
	Operations    []Operation `json:"operations"` // by depth, then caller, service, name and kind
	LeftOut       int64       `json:"left_out"`   // executions of operations beyond MaxOperations
	Services      []Service   `json:"services"`   // by name
	LeftOutSpans  int64       `json:"left_out_spans"`
}

// Operation is one place in the tree of calls: an operation, as called by what calls it.
type Operation struct {
	Caller  int    `json:"caller"` // its number among the operations; -1 for what traces begin with
	Service string `json:"service"`
	Name    string `json:"name"` // a template, where names vary
	Kind    string `json:"kind"`

	Executions   int64 `json:"executions"`
	Failed       int64 `json:"failed"` // of the executions
	Traces       int64 `json:"traces"` // in which it is executed
	FailedTraces int64 `json:"failed_traces"`
	Whole        int64 `json:"whole_traces"` // of the traces, those that lack nothing

	// Requests is how many traces have it as their primary root, and FailedRequests and Abandoned how those ended. The
	// weights are of the requests and of the failed ones, in thousandths.
	Requests       int64 `json:"requests"`
	FailedRequests int64 `json:"failed_requests"`
	Abandoned      int64 `json:"abandoned"`
	Weight         int64 `json:"weight_milli"`
	FailedWeight   int64 `json:"failed_weight_milli"`

	// Durations are those of executions, in nanoseconds. TraceDurations has one value for each trace, the mean of
	// its executions; null means that there is one in each, so that the two are the same. PerCaller is how often it
	// is executed for each execution of its caller, in thousandths, on average over a trace: of whole traces in
	// which it is.
	Durations      Histogram  `json:"durations"`
	TraceDurations *Histogram `json:"trace_durations"`
	PerCaller      Histogram  `json:"per_caller_milli"`

	// Callees are what it calls in any of Shapes: services, operations and kinds. Shapes are the sets of
	// calls that executions make, of whole traces, by their callees.
	Callees     [][3]string `json:"callees"`
	Shapes      []Shape     `json:"shapes"`
	OtherShapes int64       `json:"other_shapes"` // executions of those that are left out
	// Peers are what it calls that has no spans, in whole traces, by name.
	Peers      []Tally `json:"peers"`
	OtherPeers int64   `json:"other_peers"` // executions of calls to those that are left out
}

// Shape is a set of calls that an execution makes, each of them once or more often.
type Shape struct {
	Callees    []int `json:"callees"` // numbers among the Callees of the operation
	Executions int64 `json:"executions"`
	Traces     int64 `json:"traces"` // with any such execution
}

// Tally counts what bears a name: the calls of a peer, the spans of a version or of an instance.
type Tally struct {
	Name         string `json:"name"`
	Executions   int64  `json:"executions"`
	Failed       int64  `json:"failed"`
	Traces       int64  `json:"traces"`
	FailedTraces int64  `json:"failed_traces"`
}

// Service is a service, and what of it was seen.
type Service struct {
	Name           string  `json:"name"`
	Spans          int64   `json:"spans"`
	Traces         int64   `json:"traces"`
	Versions       []Tally `json:"versions"` // by name, of spans whose resource has service.version
	OtherVersions  int64   `json:"other_versions"`
	Instances      []Tally `json:"instances"` // by name, as tracewhy.Span.Instance has it
	OtherInstances int64   `json:"other_instances"`
}

// The limits of what is kept, unless a Config says otherwise, and what they can be.
const (
	defaultOperations, mostOperations = 20_000, 1_000_000
	defaultNames, mostNames           = 64, 10_000
)

// maxCount is the largest number of a snapshot: 2^53, up to which floating point has all whole numbers.
const maxCount = 1 << 53

func (cfg Config) withDefaults() Config {
	limit := func(n, otherwise, most int) int {
		if n <= 0 {
			return otherwise
		}
		return min(n, most)
	}
	cfg.MaxOperations = limit(cfg.MaxOperations, defaultOperations, mostOperations)
	cfg.MaxNames = limit(cfg.MaxNames, defaultNames, mostNames)
	if !(cfg.Alpha > 0 && cfg.Alpha < 1) {
		cfg.Alpha = 0.05
	}
	if !(cfg.MinRatio > 1) {
		cfg.MinRatio = 1.25
	}
	if !(cfg.MinFailures > 0) {
		cfg.MinFailures = 0.005
	}
	if !(cfg.MinDifference > 0) {
		cfg.MinDifference = 0.02
	}
	if cfg.MaxAge <= 0 {
		cfg.MaxAge = 28 * 24 * time.Hour
	}
	return cfg
}

// Age returns how long before now the snapshot's last trace began: negative if that is still to come, and
// [tracewhy.Unbounded] if it is not known.
func (s *Snapshot) Age(now time.Time) time.Duration {
	if s.Last.IsZero() {
		return tracewhy.Unbounded
	}
	return now.Sub(s.Last)
}

// rooted is how many traces have their root.
func (s *Snapshot) rooted() int64 { return s.Traces - s.Fragments }

// traceDurations has one duration for each trace.
func (o *Operation) traceDurations() Histogram {
	if o.TraceDurations == nil {
		return o.Durations
	}
	return *o.TraceDurations
}
