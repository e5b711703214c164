package scenario

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/stats"
)

// A fleet is what runs during one window: the instances of each service.
type fleet struct {
	estate    *estate
	instances [][]*instance // by service
	later     []arrival     // those that start while the window goes on
}

// An instance is a running copy of a service. It is not changed: what replaces it is another instance.
type instance struct {
	service  *service
	host     *host
	name     string
	version  string
	peer     tracewhy.KeyValue // how callers' spans name it
	speed    float64           // its work takes this many times as long as the service's
	resource *tracewhy.Resource
	scope    *tracewhy.Scope
	phase    int64 // when within the interval of its exporter it sends its spans
}

// newFleet places the instances of all services on hosts, spread over the regions.
func newFleet(e *estate, r *stats.Rand) *fleet {
	f := &fleet{estate: e, instances: make([][]*instance, len(e.services))}
	for _, s := range e.services {
		if s.silent() {
			continue
		}
		first := r.IntN(len(e.regions))
		for i := range s.instances {
			f.add(r, s, (first+i)%len(e.regions))
		}
	}
	return f
}

// clone returns a fleet of the same instances that can be changed.
func (f *fleet) clone() *fleet {
	c := &fleet{estate: f.estate, instances: make([][]*instance, len(f.instances)), later: slices.Clone(f.later)}
	for i, list := range f.instances {
		c.instances[i] = slices.Clone(list)
	}
	return c
}

// add starts another instance of a service in a region.
func (f *fleet) add(r *stats.Rand, s *service, region int) {
	var hosts []*host
	for _, h := range f.estate.hosts {
		if h.region == region && !f.occupied(s, h) {
			hosts = append(hosts, h)
		}
	}
	if len(hosts) == 0 {
		hosts = f.estate.hosts
	}
	f.instances[s.index] = append(f.instances[s.index], f.newInstance(r, s, hosts[r.IntN(len(hosts))], s.versionName(0)))
}

// occupied reports whether a host already runs the service: schedulers spread instances.
func (f *fleet) occupied(s *service, h *host) bool {
	return slices.ContainsFunc(f.instances[s.index], func(in *instance) bool { return in.host == h })
}

// replace stops the i-th instance of a service and starts one of the given version in its place.
func (f *fleet) replace(r *stats.Rand, s *service, i int, version string) {
	old := f.instances[s.index][i]
	next := f.newInstance(r, s, old.host, version)
	next.speed = old.speed // the host's
	f.instances[s.index][i] = next
}

func (f *fleet) newInstance(r *stats.Rand, s *service, h *host, version string) *instance {
	set := stats.NewRand(stats.Key(s.name), stats.Key(version)) // a replica set's hash names all of one version
	in := &instance{
		service: s, host: h, version: version,
		name: s.name + "-" + letters(set, 10) + "-" + letters(r, 5),
		peer: tracewhy.String("network.peer.address",
			"10."+strconv.Itoa(40+h.region)+"."+strconv.Itoa(r.IntN(250))+"."+strconv.Itoa(2+r.IntN(250))),
		speed: factor(r, 0.04),
	}
	e := f.estate
	in.phase = int64(stats.Key(in.name) % uint64(flushEvery)) // instances did not start at the same moment
	in.resource = &tracewhy.Resource{Attributes: []tracewhy.KeyValue{
		tracewhy.String("service.name", s.name),
		tracewhy.String("service.namespace", e.style.namespace),
		tracewhy.String("service.version", version),
		tracewhy.String("service.instance.id", in.name),
		tracewhy.String("k8s.pod.name", in.name),
		tracewhy.String("k8s.namespace.name", e.style.namespace),
		tracewhy.String("host.name", h.name),
		tracewhy.String("cloud.region", e.regions[h.region].name),
		tracewhy.String("cloud.availability_zone", h.zone),
		tracewhy.String("deployment.environment.name", "production"),
		tracewhy.String("telemetry.sdk.language", s.language),
	}}
	in.scope = &tracewhy.Scope{Name: "io.opentelemetry." + s.language, Version: "2.11.0"}
	if set.IntN(3) == 0 { // a new version of the service often comes with new libraries
		in.scope.Version = "2.12.1"
	}
	return in
}

// candidates returns the instances that a call from a region may reach: those of the region, if there are any.
func (f *fleet) candidates(s *service, region int) []*instance {
	all := f.instances[s.index]
	var near []*instance
	for _, in := range all {
		if in.host.region == region {
			near = append(near, in)
		}
	}
	if len(near) == 0 {
		return all
	}
	return near
}

// versionName returns the service's version, or one that many releases later.
func (s *service) versionName(later int) string {
	major, minor, patch := s.version[0], s.version[1]+later, s.version[2]
	if later > 0 {
		patch = 0
	}
	return fmt.Sprintf("%d.%d.%d", major, minor, patch)
}

// letters draws text as Kubernetes does for names: without vowels, so that no words come out.
func letters(r *stats.Rand, n int) string {
	const alphabet = "bcdfghjklmnpqrstvwxz2456789"
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[r.IntN(len(alphabet))]
	}
	return string(b)
}
