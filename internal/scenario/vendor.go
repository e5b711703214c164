package scenario

import (
	"slices"
	"strings"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/stats"
)

// A lendingDesk is where a bank decides about loans to companies, with the help of vendors.
type lendingDesk struct {
	service *service
	bureau  *operation // of the vendor that the family is about
	entry   *entry
	spelled []string // what spans call the vendor, the name that a report would use first
}

// lending gives the bank a desk for loans to companies. Its service asks a bureau about each company, and one to three
// other vendors. tagged says whether calls of the bank say that they leave it, and to whom.
func (e *estate) lending(r *stats.Rand, tagged bool) *lendingDesk {
	b := e.extend(r)
	desk := &lendingDesk{service: b.service(roleCommercial, b.protocol())}
	s := desk.service
	s.instances = 2 + r.IntN(2)
	desk.bureau = b.api(roleCompanies, pick(r, "/companies/report", "/v3/scores", "/credit-files"), "Reports", magnitude(r, 250, 600))
	others := []struct {
		role   role
		path   string
		rpc    string
		median float64
	}{
		{roleScreening, "/screenings", "Screen", 120},
		{roleCollateral, "/valuations", "Value", 210},
		{roleSignature, "/envelopes", "Prepare", 140},
	}
	shuffle(r, others)
	ask := b.call(desk.bureau).retried(pick(r, 1, 1, 2, 3)).within(int64(pick(r, 0, 5, 8, 12)) * second)
	checks := []step{ask}
	for _, o := range others[:1+r.IntN(3)] {
		other := b.call(b.api(o.role, o.path, o.rpc, o.median)).retried(pick(r, 1, 2)).within(int64(pick(r, 3, 5, 8)) * second)
		if chance(r, 0.4) {
			other = other.ifAble()
		}
		if chance(r, 0.3) {
			other = other.sometimes(between(r, 0.3, 0.8))
		}
		checks = append(checks, other)
	}
	shuffle(r, checks)
	assess := b.op(s, "POST", "/applications", "Assess", 4)
	assess.steps = slices.Concat(
		inOrder(b.call(b.sql(s, "INSERT", "applications", 5))),
		b.together(checks...),
		inOrder(b.call(b.part(s, "affordability.calculate", 14)), b.call(b.sql(s, "UPDATE", "applications", 5))),
	)
	gateway := b.service(roleCorporate, techHTTP)
	desk.entry = b.enter(gateway, between(r, 0.18, 0.3), "POST", "/loan-applications", "", b.call(assess))
	dims := e.record(
		shared(spelled("loan.product", "loan.product", "loanProduct"), []string{"term", "overdraft", "equipment", "property"}, 40, 30, 18, 12),
		shared(spelled("company.sector", "company.sector", "sector"),
			[]string{"trade", "crafts", "transport", "hospitality", "services"}, 30, 24, 14, 12, 20).leftOut(0.1),
		shared(spelled("company.size", "company.size", "companySize"), []string{"micro", "small", "medium"}, 55, 33, 12),
	)
	desk.entry.dims = append([]int{dimRegion, dimSegment, dimApp}, dims...)
	desk.entry.ids = []idKey{{spelled("application.id", "application.id", "applicationId"), "la-", 1 << 30, 1 << 28}}
	desk.spelled = e.boundary(r, tagged)[desk.bureau.service]
	e.desk = desk
	return desk
}

// api adds an operation of a vendor's API, over HTTP or gRPC.
func (b *builder) api(r role, path, rpc string, median float64) *operation {
	t := techVendor
	if chance(b.r, 0.35) {
		t = techVendorRPC
	}
	if s := b.find(r); s != nil {
		t = s.tech
	}
	s := b.service(r, t)
	s.address = pick(b.r, "api."+s.name+".example", s.name+".example", "eu."+s.name+".example", "gateway."+s.name+".example")
	if t == techVendor {
		return b.vendor(r, path, median)
	}
	op := b.newOperation(s, nil)
	op.own, op.errors = b.ms(median), magnitude(b.r, 0.0005, 0.004)
	full := strings.ReplaceAll(s.name, "-", "") + ".v2." + camel(s.name)
	op.name = full + "/" + rpc
	op.clientName = op.name
	op.client = []tracewhy.KeyValue{
		tracewhy.String("rpc.system", "grpc"), tracewhy.String("rpc.service", full), tracewhy.String("rpc.method", rpc),
		tracewhy.String("server.address", s.address), tracewhy.Int("server.port", s.port),
	}
	return op
}

// categories are what vendors are for, and how much depends on them.
var categories = map[role][2]string{
	roleNetwork:    {"card-network", "high"},
	roleBureau:     {"credit-scoring", "medium"},
	rolePush:       {"messaging", "low"},
	roleClearing:   {"payments", "high"},
	roleCompanies:  {"credit-scoring", "high"},
	roleScreening:  {"compliance", "high"},
	roleCollateral: {"valuation", "medium"},
	roleSignature:  {"documents", "low"},
}

// boundary draws how the bank's spans record calls that leave it, and returns what they call each vendor. Untagged
// calls have what instrumentation of clients knows by itself: the address, in the spelling of today's conventions or
// of earlier ones, and at some banks a peer.service.
func (e *estate) boundary(r *stats.Rand, tagged bool) map[*service][]string {
	old, peers, urls := chance(r, 0.35), chance(r, 0.4), chance(r, 0.4)
	spelling := pick(r, func(s string) string { return s }, camel, strings.ToUpper)
	names := map[*service][]string{}
	for _, op := range e.operations() {
		s := op.service
		if !s.outside() {
			continue
		}
		var attrs []tracewhy.KeyValue
		host, port := tracewhy.String("server.address", s.address), tracewhy.Int("server.port", s.port)
		if old {
			host.Key, port.Key = "net.peer.name", "net.peer.port"
		}
		known := []string{s.address}
		if s.tech == techVendor {
			_, path, _ := strings.Cut(op.name, " ")
			method, url := tracewhy.String("http.request.method", "POST"), tracewhy.String("url.full", "https://"+s.address+path)
			if old {
				method.Key, url.Key, op.statusKey = "http.method", "http.url", "http.status_code"
			}
			attrs = append(attrs, method)
			if urls || old {
				attrs = append(attrs, url)
			} else {
				attrs = append(attrs, tracewhy.String("url.template", path))
			}
		} else {
			attrs = append(attrs, op.client[:3]...) // the method
		}
		attrs = append(attrs, host, port)
		if peers {
			attrs = append(attrs, tracewhy.String("peer.service", s.name))
			known = append([]string{s.name}, known...)
		}
		if tagged {
			about := categories[s.role]
			vendor := spelling(s.name)
			attrs = append(attrs,
				tracewhy.String("dependency.type", "external"), tracewhy.String("dependency.vendor", vendor),
				tracewhy.String("dependency.service_category", about[0]), tracewhy.String("dependency.criticality", about[1]))
			known = slices.Compact(append([]string{vendor}, known...))
		}
		op.client, names[s] = attrs, known
	}
	return names
}

// blame returns a cause that blames the bureau, by all that spans call it.
func (l *lendingDesk) blame() Cause {
	return Cause{Services: l.spelled, Operations: []string{l.bureau.clientName}, FaultDomain: "external", Vendor: l.spelled[0]}
}

// surge lets more loans be applied for than usual: from the start of the window, from some time on, or in waves.
func (d *draft) surge(times float64) {
	x := surge{times: times}
	switch d.rng.IntN(3) {
	case 0:
		x.from = int64(float64(float64(d.when.length) * between(d.rng, 0.1, 0.4)))
	case 1:
		x.waves = d.wave()
	}
	d.apply(x)
}

// wave draws how long each of a few waves lasts, and the calm between them.
func (d *draft) wave() int64 { return d.when.length / int64(3+2*d.rng.IntN(3)) }

// apply makes the window's traffic surge.
func (d *draft) apply(x surge) {
	t, length := d.traffic, d.when.length
	x.entry = slices.Index(d.estate.entries, d.estate.desk.entry)
	during := float64(length-x.from) / float64(length)
	if x.waves > 0 { // of which there is one more than calms
		n := length / x.waves
		during = float64((n+1)/2) / float64(n)
	}
	t.surge = x
	more := stats.Sum(t.weights(x.from))/stats.Sum(t.entries) - 1
	t.requests += int(float64(float64(float64(t.requests)*during) * more))
	if x.from > 0 {
		d.label.OnsetNS = d.when.incident + x.from
	} else {
		d.beginBefore()
	}
}

// applications returns how many loans are applied for each second, as usual and while they surge.
func (d *draft) applications() (usual, surging float64) {
	t, l := d.traffic, d.estate.desk
	share := t.entries[slices.Index(d.estate.entries, l.entry)] / stats.Sum(t.entries)
	usual = float64(share*float64(second)) / float64(t.gap)
	return usual, float64(usual * max(1, t.surge.times))
}
