package scenario

import (
	"strings"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/stats"
)

// A builder makes an estate, drawing what a bank could as well have decided otherwise.
type builder struct {
	*estate
	r       *stats.Rand
	groups  int
	trouble float64 // how many errors the bank lives with
}

// service returns the service of a role, which it makes if there is none yet.
func (b *builder) service(r role, t tech) *service {
	if s := b.find(r); s != nil {
		return s
	}
	name := pick(b.r, names[r]...)
	if t != techVendor && t != techVendorRPC {
		name += b.style.suffix
	}
	return b.add(r, name, t)
}

func (b *builder) add(r role, name string, t tech) *service {
	s := &service{
		index: len(b.services), role: r, name: name, tech: t,
		language:     pick(b.r, languages...),
		version:      [3]int{1 + b.r.IntN(4), b.r.IntN(40), b.r.IntN(9)},
		instances:    2 + b.r.IntN(3),
		patience:     int64(pick(b.r, 1000, 1500, 2000, 3000)) * millisecond,
		recordsWaits: chance(b.r, 0.3),
	}
	s.coarse = s.language == "nodejs" || s.language == "java"
	switch t {
	case techHTTP:
		s.address, s.port = name+"."+b.style.namespace+"."+b.style.domain, 8080
	case techGRPC:
		s.address, s.port = name+"."+b.style.namespace+"."+b.style.domain, 9090
	case techQueue:
		s.address, s.port = "kafka."+b.style.domain, 9092
	case techSQL:
		s.address, s.port = name+"."+b.style.domain, 5432
	case techRedis:
		s.address, s.port = name+"."+b.style.domain, 6379
	case techVendor, techVendorRPC:
		s.address, s.port = "api."+name+".example", 443
	}
	b.services = append(b.services, s)
	return s
}

// store returns the database or cache of a service, and gives the service connections to it.
func (b *builder) store(owner *service, t tech) *service {
	name := strings.TrimSuffix(owner.name, b.style.suffix) + map[tech]string{techSQL: "-db", techRedis: "-cache"}[t]
	r := owner.role + role(name[strings.LastIndexByte(name, '-'):])
	if s := b.find(r); s != nil {
		return s
	}
	s := b.add(r, name, t)
	if t == techSQL {
		owner.connections = 4 + b.r.IntN(9)
		owner.waitAttrs = []tracewhy.KeyValue{
			tracewhy.String("db.client.connection.pool.name", name),
			tracewhy.Int("db.client.connection.max", int64(owner.connections)),
		}
	}
	return s
}

// ms returns a latency whose median is near that many milliseconds.
func (b *builder) ms(median float64) latency {
	m := float64(float64(median*factor(b.r, 0.25)) * float64(millisecond))
	return latency{int64(m), between(b.r, 0.2, 0.45)}
}

// op adds an operation that answers calls.
func (b *builder) op(s *service, method, path, rpc string, own float64, steps ...step) *operation {
	op := b.newOperation(s, steps)
	op.own, op.after = b.ms(own), b.ms(own/3)
	op.errors = float64(b.trouble * magnitude(b.r, 0.00004, 0.0006))
	base := strings.TrimSuffix(s.name, b.style.suffix)
	address := []tracewhy.KeyValue{tracewhy.String("server.address", s.address), tracewhy.Int("server.port", s.port)}
	switch s.tech {
	case techHTTP:
		route := b.style.prefix + path
		op.name, op.clientName = method+" "+route, method
		http := []tracewhy.KeyValue{tracewhy.String("http.request.method", method), tracewhy.String("url.scheme", "http")}
		op.server = append(http, tracewhy.String("http.route", route), tracewhy.String("network.protocol.version", "1.1"))
		op.client = append(append(http[:2:2], tracewhy.String("url.template", route)), address...)
	case techGRPC:
		full := "bank." + strings.ReplaceAll(base, "-", "") + ".v1." + camel(base)
		op.name = full + "/" + rpc
		op.clientName = op.name
		op.server = []tracewhy.KeyValue{
			tracewhy.String("rpc.system", "grpc"), tracewhy.String("rpc.service", full), tracewhy.String("rpc.method", rpc),
		}
		op.client = append(op.server[:3:3], address...)
	case techQueue:
		topic := base + "." + strings.ToLower(rpc)
		op.name, op.clientName = "process "+topic, "send "+topic
		messaging := []tracewhy.KeyValue{
			tracewhy.String("messaging.system", "kafka"), tracewhy.String("messaging.destination.name", topic),
		}
		op.server = append(messaging[:2:2], tracewhy.String("messaging.operation.type", "process"))
		op.client = append(messaging[:2:2], tracewhy.String("messaging.operation.type", "send"))
	}
	return op
}

// part adds an internal operation of a service.
func (b *builder) part(s *service, name string, own float64, steps ...step) *operation {
	op := b.newOperation(s, steps)
	op.name, op.internal, op.own = name, true, b.ms(own)
	return op
}

// sql adds a statement to the service's database.
func (b *builder) sql(owner *service, verb, table string, median float64) *operation {
	s := b.store(owner, techSQL)
	op := b.newOperation(s, nil)
	op.own, op.errors = b.ms(median), magnitude(b.r, 0.00002, 0.0002)
	op.name = verb + " " + table
	op.clientName = op.name
	op.client = []tracewhy.KeyValue{
		tracewhy.String("db.system.name", "postgresql"), tracewhy.String("db.namespace", s.name),
		tracewhy.String("db.operation.name", verb), tracewhy.String("db.collection.name", table),
		tracewhy.String("server.address", s.address), tracewhy.String("peer.service", s.name),
	}
	return op
}

// redis adds a command to the service's cache.
func (b *builder) redis(owner *service, verb string) *operation {
	s := b.store(owner, techRedis)
	op := b.newOperation(s, nil)
	op.own, op.name, op.clientName = b.ms(0.5), verb, verb
	op.client = []tracewhy.KeyValue{
		tracewhy.String("db.system.name", "redis"), tracewhy.String("db.operation.name", verb),
		tracewhy.String("server.address", s.address), tracewhy.String("peer.service", s.name),
	}
	return op
}

// vendor adds an operation of somebody else's API.
func (b *builder) vendor(r role, path string, median float64) *operation {
	s := b.service(r, techVendor)
	op := b.newOperation(s, nil)
	op.own, op.errors = b.ms(median), magnitude(b.r, 0.0005, 0.004)
	op.name, op.clientName = "POST "+path, "POST"
	op.client = []tracewhy.KeyValue{
		tracewhy.String("http.request.method", "POST"), tracewhy.String("url.template", path),
		tracewhy.String("server.address", s.address), tracewhy.Int("server.port", s.port),
		tracewhy.String("peer.service", s.name),
	}
	return op
}

func (b *builder) newOperation(s *service, steps []step) *operation {
	op := &operation{index: b.numOperations, service: s, steps: steps}
	b.numOperations++
	return op
}

// together makes steps run side by side, or in a row as other banks do it.
func (b *builder) together(steps ...step) []step {
	if chance(b.r, 0.6) {
		b.groups++
		for i := range steps {
			steps[i].group = b.groups
		}
	}
	return steps
}

// maybe keeps a step with the given probability.
func (b *builder) maybe(p float64, s step) []step {
	if chance(b.r, p) {
		return []step{s}
	}
	return nil
}

// call returns a step that calls an operation, with the pause before it that code takes.
func (b *builder) call(op *operation) step {
	return step{to: op, pause: latency{int64(b.r.IntN(600)+100) * microsecond, 0.3}}
}

// retried returns the step with a few attempts, as callers do where repeating is safe.
func (s step) retried(n int) step { s.attempts = n; return s }

// within returns the step with a limit on its time.
func (s step) within(limit int64) step { s.timeout = limit; return s }

// ifAble returns the step as one that its caller can do without.
func (s step) ifAble() step { s.optional = true; return s }

// onlyFor returns the step for some requests only.
func (s step) onlyFor(when func(*request) bool) step { s.when = when; return s }

// sometimes returns the step for a random share of the requests.
func (s step) sometimes(share float64) step { s.share = share; return s }

// times returns the step done n times.
func (s step) times(n int) step { s.repeat = n; return s }

// cached returns the step behind a lookup that spares it for a share of the requests.
func (s step) cached(lookup *operation, hits float64) step {
	s.cache, s.hits = lookup, hits
	return s
}

// inOrder makes a list of steps, to be joined with others.
func inOrder(steps ...step) []step { return steps }

// camel turns a name with hyphens into one with capitals.
func camel(name string) string {
	var b strings.Builder
	for part := range strings.SplitSeq(name, "-") {
		b.WriteString(strings.ToUpper(part[:1]) + part[1:])
	}
	return b.String()
}
