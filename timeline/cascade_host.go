package timeline

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/quantity"
)

const (
	shortestStall   = int64(100 * time.Millisecond)
	beside          = 10  // stretches of time, on each side, that a stall is compared with
	longestBeside   = 4   // times as long as any pause in them a stall is
	fewestElsewhere = 5   // spans that begin or end on other hosts meanwhile
	fewestStalled   = 2   // services with spans that were under way all the time
	shareElsewhere  = 0.5 // of what is usual, on other hosts during the stall
)

// edge is when a span of a host began or ended.
type edge struct {
	at   int64
	host int32
}

// hosts finds times in which all that a host did stood still, and hosts on which several services became worse that
// did not elsewhere.
func (r *ChangePointsResult) hosts(ctx context.Context, traces tracewhy.Cohort) ([]Cascade, error) {
	var names []string
	number := map[string]int32{}          // only looked up
	byResource := map[int]int32{}         // likewise
	hostOfInstance := map[string]string{} // likewise, by service and instance
	var edges []edge
	read := 0
	for t := range traces.Traces() {
		if read++; read%cancelEvery == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		for s := range t.Spans() {
			host, ok := byResource[s.ResourceIndex()]
			if !ok {
				host = -1
				if name, isHost := recordedHost(s); isHost {
					n, ok := number[name]
					if !ok {
						n = int32(len(names))
						number[name] = n
						names = append(names, name)
					}
					host = n
					hostOfInstance[s.Service()+" "+s.Instance()] = name
				}
				byResource[s.ResourceIndex()] = host
			}
			if start, end, ok := s.Interval(); ok && host >= 0 {
				edges = append(edges, edge{start, host}, edge{end, host})
			}
		}
	}
	out := r.worseHosts(hostOfInstance)
	if len(names) < 2 {
		return out, nil
	}
	slices.SortFunc(edges, func(x, y edge) int { return cmp.Or(cmp.Compare(x.at, y.at), cmp.Compare(x.host, y.host)) })
	byHost := make([][]int64, len(names))
	for _, e := range edges {
		byHost[e.host] = append(byHost[e.host], e.at)
	}
	var stalls []stall
	for h, own := range byHost {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		for i := 1; i < len(own); i++ {
			if s := (stall{own[i-1], own[i], int32(h)}); s.end-s.start >= shortestStall && s.isAlone(own, edges) {
				stalls = append(stalls, s)
			}
		}
	}
	if len(stalls) == 0 {
		return out, nil
	}
	services := stalledServices(traces, stalls, byResource)
	for i, s := range stalls {
		if n := len(services[i]); n >= fewestStalled {
			out = append(out, Cascade{
				Kind: CascadeHost, Start: s.start,
				Reason: fmt.Sprintf("nothing began or ended on host %s for %v, while %s had something under way there and other hosts went on",
					names[s.host], quantity.Round(time.Duration(s.end-s.start)), strings.Join(services[i], " and ")),
			})
		}
	}
	return out, nil
}

// recordedHost returns the host of a span, if that is recorded.
func recordedHost(s tracewhy.Span) (string, bool) {
	for _, key := range [...]string{"host.name", "host.id", "k8s.node.name"} {
		if v, ok := s.ResourceAttr(key); ok && v.Str() != "" {
			return v.Str(), true
		}
	}
	return "", false
}

// stall is a time in which nothing began or ended on a host.
type stall struct {
	start, end int64
	host       int32
}

// isAlone reports whether no pause of the host is nearly as long, for ten times as long before and after, and other
// hosts went on. Of a host, own are the edges.
func (s stall) isAlone(own []int64, all []edge) bool {
	length := s.end - s.start
	count := func(from, to int64) int {
		i, _ := slices.BinarySearch(own, from)
		j, _ := slices.BinarySearch(own, to)
		return j - i
	}
	elsewhere := func(from, to int64) int {
		at := func(t int64) int {
			i, _ := slices.BinarySearchFunc(all, t, func(e edge, t int64) int { return cmp.Compare(e.at, t) })
			return i
		}
		return at(to) - at(from) - count(from, to)
	}
	if s.start-beside*length < own[0] || s.end+beside*length > own[len(own)-1] {
		return false
	}
	from, _ := slices.BinarySearch(own, s.start-beside*length)
	for i := from + 1; i < len(own) && own[i-1] < s.end+beside*length; i++ {
		if own[i-1] != s.start && longestBeside*(own[i]-own[i-1]) > length {
			return false
		}
	}
	others := elsewhere(s.start-beside*length, s.start) + elsewhere(s.end+1, s.end+beside*length)
	during := elsewhere(s.start+1, s.end)
	return during >= fewestElsewhere && float64(during) >= float64(shareElsewhere*float64(others)/(2*beside))
}

// stalledServices returns the services of a stall's host with spans that were under way all the time: without any,
// nothing may have been recorded.
func stalledServices(traces tracewhy.Cohort, stalls []stall, hostOfResource map[int]int32) [][]string {
	out := make([][]string, len(stalls))
	for t := range traces.Traces() {
		from, to, ok := t.Interval()
		if !ok || !slices.ContainsFunc(stalls, func(s stall) bool { return from <= s.start && to >= s.end }) {
			continue
		}
		for s := range t.Spans() {
			start, end, ok := s.Interval()
			if !ok {
				continue
			}
			for i, x := range stalls {
				if start <= x.start && end >= x.end && hostOfResource[s.ResourceIndex()] == x.host && !slices.Contains(out[i], s.Service()) {
					out[i] = append(out[i], s.Service())
				}
			}
		}
	}
	for _, services := range out {
		slices.Sort(services)
	}
	return out
}

// worseHosts finds hosts on which instances of several services became worse at once, each of which has another
// instance elsewhere that did not.
func (r *ChangePointsResult) worseHosts(hostOfInstance map[string]string) []Cascade {
	host := func(s Subject) string { return hostOfInstance[s.Service+" "+s.Instance] }
	worse := map[string][]int{} // by host: the first event of each instance; only looked up
	var hosts []string
	isWorse := map[string]bool{} // by instance; only looked up
	for i, e := range r.Events {
		if e.Subject.Kind != SubjectInstance || !e.IsWorse() || host(e.Subject) == "" {
			continue
		}
		if name := e.Subject.String(); !isWorse[name] {
			isWorse[name] = true
			h := host(e.Subject)
			if worse[h] == nil {
				hosts = append(hosts, h)
			}
			worse[h] = append(worse[h], i)
		}
	}
	hasOther := func(i int) bool {
		_, well := r.others(i)
		return slices.ContainsFunc(well, func(c *Counts) bool {
			x := c.Subject
			return host(x) != "" && host(x) != host(r.Events[i].Subject) && !isWorse[x.String()]
		})
	}
	var out []Cascade
	for _, h := range hosts {
		var events []int
		var services []string
		for _, i := range worse[h] {
			e := r.Events[i]
			atOnce := len(events) == 0 || e.First <= r.Events[events[0]].Last
			if atOnce && hasOther(i) && !slices.Contains(services, e.Subject.Service) {
				events, services = append(events, i), append(services, e.Subject.Service)
			}
		}
		if len(events) >= fewestStalled {
			out = append(out, Cascade{
				Kind: CascadeHost, Start: r.Events[events[0]].Time, Events: events,
				Reason: fmt.Sprintf("%s became worse on host %s at once, and did not on others", strings.Join(services, " and "), h),
			})
		}
	}
	return out
}
