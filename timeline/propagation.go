package timeline

import (
	"cmp"
	"slices"
	"time"

	"github.com/tracewhy/tracewhy"
)

// Propagation says that something became worse in a service after it had in another that it calls.
type Propagation struct {
	From, To int           // indices of events: of the callee, and of the caller
	Delay    time.Duration // from the one to the other
}

// propagation joins what became worse in a service, or a dependency, to what became worse in its callers
// later.
func propagation(set *tracewhy.Set, events []Event) []Propagation {
	first := map[string]int{} // the first event at which a service became worse; only looked up
	var services []string
	for i, e := range events {
		if e.Subject.Kind != SubjectService && e.Subject.Kind != SubjectDependency || !e.IsWorse() {
			continue
		}
		if _, ok := first[e.Subject.Service]; !ok {
			first[e.Subject.Service] = i
			services = append(services, e.Subject.Service)
		}
	}
	if len(services) < 2 {
		return nil
	}
	calls := map[[2]string]bool{} // caller and callee; only looked up
	for p := range set.Paths() {
		if parent, ok := p.Parent(); ok && parent.Service() != p.Service() {
			calls[[2]string{parent.Service(), p.Service()}] = true
		}
	}
	for i := range set.NumSpans() {
		s := set.Span(i)
		if _, ok := first[s.Service()]; ok && !s.HasChildren() {
			if peer, _ := s.Peer(); peer != "" {
				calls[[2]string{s.Service(), peer}] = true
			}
		}
	}
	var out []Propagation
	for _, callee := range services {
		for _, caller := range services {
			from, to := first[callee], first[caller]
			if calls[[2]string{caller, callee}] && events[from].Last < events[to].First {
				out = append(out, Propagation{from, to, time.Duration(events[to].Time - events[from].Time)})
			}
		}
	}
	slices.SortFunc(out, func(x, y Propagation) int { return cmp.Or(cmp.Compare(x.From, y.From), cmp.Compare(x.To, y.To)) })
	return out
}
