package depgraph

import "github.com/tracewhy/tracewhy"

// The codes of the warnings that the analyses of this package give.
const (
	WarningUnclassified = "dependency_unclassified" // calls to something of which nothing says whose it is
	WarningSynthetic    = "synthetic_traffic"       // traces of tests: kept apart
	WarningNoTime       = "unknown_duration"        // traces whose root has no known duration: they say nothing of time
)

func (v *view) warnings() []tracewhy.Warning {
	ws := []tracewhy.Warning{}
	add := func(code, message string, count int, first tracewhy.Trace) {
		if count > 0 {
			ws = append(ws, tracewhy.Warning{Code: code, Message: message, Count: count, TraceID: first.ID().String()})
		}
	}
	var first [3]tracewhy.Trace
	var count [3]int
	note := func(k int, t tracewhy.Trace) {
		if count[k]++; count[k] == 1 {
			first[k] = t
		}
	}
	for i := range v.calls {
		if c := &v.calls[i]; v.entities[c.to].class.Domain == DomainUnclassified {
			note(0, v.traces[c.trace])
		}
	}
	for i, t := range v.traces {
		if v.isTest[i] {
			note(1, t)
		}
		if t.Root().Duration() < 0 {
			note(2, t)
		}
	}
	add(WarningUnclassified, "calls go to something of which nothing says whose it is: tag them with dependency.type, or give a rule", count[0], first[0])
	add(WarningSynthetic, "traces are of tests rather than of customers: they are kept apart", count[1], first[1])
	add(WarningNoTime, "traces have a root without a known duration: they say nothing of where time goes", count[2], first[2])
	return ws
}
