package rca

import (
	"cmp"
	"strings"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/compare"
	"github.com/tracewhy/tracewhy/depgraph"
)

// growsBeforeFirstCall says whether an operation's own time grew mostly before its first call. Without a
// span for it, a wait for a connection or a worker shows there; so does work that is done there.
func (c *cause) growsBeforeFirstCall(path tracewhy.Path) bool {
	before, own := c.gapsOf(path, c.baseline)
	after, ownAfter := c.gapsOf(path, c.incident)
	growth := ownAfter - own
	return growth > 0 && after-before >= growth/2
}

// gapsOf returns the mean time before the first child, and the mean of all gaps, of a path's executions
// that have children, in milliseconds.
func (c *cause) gapsOf(path tracewhy.Path, cohort tracewhy.Cohort) (first, all float64) {
	n := 0
	for t := range cohort.Traces() {
		for s := range t.Spans() {
			if s.Path() != path || !s.HasChildren() {
				continue
			}
			n++
			for g := range s.Gaps() {
				d := float64(g.End-g.Start) / 1e6
				all += d
				if g.Class == tracewhy.GapBeforeFirst {
					first += d
				}
			}
		}
	}
	if n == 0 {
		return 0, 0
	}
	return first / float64(n), all / float64(n)
}

// poolWords name a wait for a pooled resource, in the names and messages that libraries use: HikariCP,
// SQLAlchemy, pgx, database/sql, PostgreSQL and MySQL among them.
var poolWords = []string{
	"pool", "acquire", "acquiring", "get connection", "getconnection", "checkout connection",
	"connection is not available", "too many connections", "remaining connection slots",
}

// Mechanisms that more than one kind of evidence shows.
const (
	poolExhaustion = "connection pool exhaustion"
	lockContention = "lock contention"
)

// saysThatItWaits says whether names, errors or events of the suspect say what it waits for: the name of
// the operation, most errors of failures that begin in it, or words that it did not log before.
func (c *cause) saysThatItWaits(path tracewhy.Path) (string, bool) {
	if containsAny(path.Operation(), poolWords) {
		return poolExhaustion, true
	}
	for _, f := range c.failures {
		if f.Q <= maxQ && waitsForPool(f) {
			return poolExhaustion, true
		}
	}
	if c.structure == nil {
		return "", false
	}
	for _, h := range c.structure.Shifts {
		if h.Service != c.service {
			continue
		}
		for _, w := range h.Words {
			switch strings.ToLower(w) {
			case "lock", "locked", "mutex", "deadlock", "blocked", "blockers":
				return lockContention, true
			case "waiting", "waiters", "queued", "queueing":
				return "wait in a queue", true
			}
		}
	}
	return "", false
}

// waitsForPool says whether most failures of an origin say that they waited for a pool in vain.
func waitsForPool(f *compare.FailureOrigin) bool {
	says, n := 0, 0
	for t := range f.Affected.Traces() {
		hop, ok := t.ErrorOrigin()
		if !ok {
			continue
		}
		n++
		if containsAny(hop.Span.Name(), poolWords) || containsAny(hop.Span.StatusMessage(), poolWords) {
			says++
		}
	}
	return 2*says > n
}

func containsAny(s string, words []string) bool {
	s = strings.ToLower(s)
	for _, w := range words {
		if strings.Contains(s, w) {
			return true
		}
	}
	return false
}

// affected returns the incident's traces that the suspect's leading evidence is from.
func (c *cause) affected() tracewhy.Cohort {
	all := c.incident.Minus(c.incident)
	switch c.leading() {
	case compare.SymptomError:
		for _, f := range c.failures {
			all = all.Or(f.Affected)
		}
	case compare.SymptomLatency:
		for _, t := range c.slower.places {
			if t.Moved {
				all = all.Or(t.Affected)
			}
		}
	default:
		all = c.structure.Affected
	}
	return all
}

// remediation says what to look at first, by mechanism.
func remediation(r *RootCause) []Remediation {
	var out []Remediation
	add := func(action, why string) { out = append(out, Remediation{Action: action, Why: why}) }
	if r.Instance != "" {
		add("take "+r.Instance+" out of service", "it alone is affected")
	}
	isVersion := false
	for _, c := range r.Conditions {
		if c.Key == "service.version" && c.Service == "" {
			isVersion = true
			add("roll back "+r.Service+" from its version "+toText(c.Value), "only that version is affected")
		}
	}
	if len(r.Conditions) > 0 && r.Instance == "" && !isVersion {
		add("reproduce it with "+conditionTexts(r.Conditions), "only such transactions are affected")
	}
	switch isExternal := r.FaultDomain == string(depgraph.DomainExternal); {
	case isExternal && r.Kind == "throttling":
		add("call "+r.Service+" less: fewer attempts, spread over time, the most urgent first; or ask it for a higher limit", "it refuses what exceeds its limit")
	case isExternal:
		add("ask "+cmp.Or(r.Vendor, r.Service)+" what is wrong, with the traces named as evidence; meanwhile give up on it sooner, or do without its answers", "the fault is on its side")
	case r.Mechanism == lockContention:
		add("look at what holds the lock that "+r.Service+" waits for, and for how long", "the time is spent waiting, not working")
	case r.Kind == "wait" && r.Edge != nil:
		add("look at what keeps "+r.Service+" busy, and at how often it is asked: its workers, its own calls, attempts that repeat", "calls to it wait before it begins")
	case r.Kind == "wait" && r.Mechanism != poolExhaustion:
		add("look at what "+r.Service+" waits for: a lock, a queue, a pool that is too small", "the time is spent waiting, not working")
	case r.Kind == "wait":
		add("look at the connection pool of "+r.Service+": its size, its wait time, connections that are not given back", "the time is spent waiting, not working")
	case r.Kind == "network":
		add("check the network path and connections of "+r.Service, "the time is spent outside the work of both sides")
	case r.Kind == "resource" && r.Edge != nil:
		add("look at why "+r.Edge.From+" calls "+r.Edge.To+" so much more often: a cache that lost its entries, or a change that asks for things one by one", "what it calls only follows")
	case r.Kind == "resource":
		add("check CPU throttling, memory and neighbours of "+r.Service, "all that it does became slower")
	case r.Kind == "absence":
		add("check whether "+r.Service+" runs and can be reached", r.Mechanism)
	default:
		add("look at "+strings.TrimSpace(r.Service+" "+r.Operation)+" in the traces named as evidence, and at what changed in it", "the change begins there")
	}
	return out
}

func toText(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	return ""
}
