package compare

import (
	"context"

	"github.com/tracewhy/tracewhy"
)

// callee returns the span in another service that s is the calling side of: its remote child, where s
// is a client or producer, or does nothing but call.
func callee(s tracewhy.Span) (tracewhy.Span, bool) {
	var remote tracewhy.Span
	children := 0
	for c := range s.Children() {
		children++
		if remote.IsZero() && c.ResourceIndex() != s.ResourceIndex() && c.Service() != s.Service() {
			remote = c
		}
	}
	if remote.IsZero() {
		return remote, false
	}
	switch s.Kind() {
	case tracewhy.KindClient, tracewhy.KindProducer:
		return remote, true
	case tracewhy.KindUnspecified, tracewhy.KindInternal:
		return remote, children == 1
	}
	return remote, false
}

// isCaller reports whether the span is by its kind the calling side of something remote.
func isCaller(s tracewhy.Span) bool {
	return s.Kind() == tracewhy.KindClient || s.Kind() == tracewhy.KindProducer
}

// callees knows who answers a call, as the calls of the comparison that were answered show it.
type callees struct {
	usual []string          // by path: the service that mostly answers calls of the path, or ""
	named map[string]string // by the name that calls have for their peer: the service that mostly answers
}

func (c *comparison) callees(ctx context.Context) (*callees, error) {
	paths := make([]map[string]int, c.set.NumPaths())
	calls := make([]int, len(paths))
	names := map[string]map[string]int{}
	for i, t := range c.traces {
		if i%cancelEvery == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		for s := range t.Spans() {
			p := s.Path().ID()
			calls[p]++
			r, ok := callee(s)
			if !ok {
				continue
			}
			if paths[p] == nil {
				paths[p] = map[string]int{}
			}
			paths[p][r.Service()]++
			if name, _ := s.Peer(); name != "" {
				if names[name] == nil {
					names[name] = map[string]int{}
				}
				names[name][r.Service()]++
			}
		}
	}
	k := &callees{usual: make([]string, len(paths)), named: map[string]string{}}
	for p, services := range paths {
		k.usual[p] = majority(services, calls[p])
	}
	for name, services := range names {
		answered := 0
		for _, n := range services {
			answered += n
		}
		if service := majority(services, answered); service != "" {
			k.named[name] = service
		}
	}
	return k, nil
}

// majority returns the key that has more than half of all, or "".
func majority(counts map[string]int, all int) string {
	for key, n := range counts {
		if 2*n > all {
			return key
		}
	}
	return ""
}

// of returns who should have answered a call that has no remote child: a service, or a peer that has no
// spans of its own; "" if nothing says so.
func (k *callees) of(s tracewhy.Span) (name string, isPeer bool) {
	if u := k.usual[s.Path().ID()]; u != "" {
		return u, false
	}
	name, _ = s.Peer()
	if service := k.named[name]; service != "" {
		return service, false
	}
	if name == s.Service() {
		return "", false
	}
	return name, name != ""
}
