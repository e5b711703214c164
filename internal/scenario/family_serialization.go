package scenario

import (
	"slices"

	"github.com/tracewhy/tracewhy/internal/stats"
)

// Quotes for options fail because market data are encoded wrongly for some types of contracts. The answer's work is
// done and its span ends well; what then goes over the wire makes the caller's library drop the connection, after
// some time, so that it looks like the network between the two. Other attempts end the same way.
var serialization = Family{
	Name:    "serialization",
	Doc:     "market data are encoded wrongly for some option contracts, and connections break as if the network failed",
	least:   800,
	spares:  []role{rolePricing, roleMarketData, roleTrading},
	prepare: func(e *estate, r *stats.Rand) { e.quotes(r) },
	inject: func(d *draft) {
		e, r := d.estate, d.rng
		surface := e.places["surface"]
		when := []pair{{"contract.family", "path-dependent"}}
		is := e.all(when)
		share := min(1, float64(between(r, 0.7, 1)*d.strength))
		late := latency{int64(magnitude(r, 30, 900)) * millisecond, 0.5}
		message := pick(r, "read: connection reset by peer", "unexpected EOF", "stream terminated by RST_STREAM")
		d.fault.garble = func(f frame, op *operation) (h harm) {
			if op == surface && is(f.req) && (f.req.harmed == 1 || chance(f.req.fault, share)) {
				f.req.harmed = 1
				h.delay = late.draw(f.req.fault)
				h.fail = &failure{status: 503, kind: "connection_reset", message: message, passing: true, unanswered: true}
			}
			return h
		}
		d.begin()
		cause := Cause{
			// No trace tells who is at fault, the writer of a message or its reader.
			Services:   []string{surface.service.name, e.places["price"].service.name},
			Operations: slices.Compact([]string{surface.name, surface.clientName}), Conditions: e.conditions(when),
			FaultDomain: "internal",
		}
		if chance(r, 0.7) {
			cause.ChangeID = d.trigger("deployment", surface.service, "codec of volatility surfaces updated")
		}
		// What people will blame.
		d.record(d.label.OnsetNS-int64(between(r, 1, 90))*minute, "maintenance", surface.service.name,
			"switches between market data and pricing updated")
		d.label.FaultType = "serialization"
		d.label.Notes = "Looks like the network, but follows the contract and no host, zone or instance."
		d.label.Causes = []Cause{cause}
		d.label.Modes = []Mode{{Service: cause.Services[0], Operation: surface.name, Conditions: cause.Conditions}}
	},
}

// quotes gives the bank a desk that prices options.
func (e *estate) quotes(r *stats.Rand) {
	b := e.extend(r)
	contracts := []string{"call", "put", "spread", "binary", "barrier", "asian", "lookback"}
	kind := shared(spelled("contract.type", "contract.type", "contractType"), contracts, 36, 30, 12, 7, 7, 5, 3)
	dims := e.record(kind)
	of := dims[0]
	family := shared(spelled("contract.family", "contract.family", "contractFamily"),
		[]string{"vanilla", "structured", "path-dependent"}, 1, 1, 1)
	family.draw = func(_ *run, q *request, _ *stats.Rand) int {
		switch q.dims[of] {
		case 0, 1:
			return 0
		case 2, 3:
			return 1
		}
		return 2
	}
	tenor := shared(spelled("contract.tenor_days", "contract.tenor", "tenorDays"), []string{"7", "30", "90", "180", "365"}, 20, 35, 25, 12, 8)
	tenor.attribute = asNumber
	dims = append(dims, e.record(
		family, tenor,
		shared(spelled("underlying", "underlying", "underlying"), []string{"ALFA", "BRVO", "CHRL", "DLTA", "ECHO", "FXTR"}, 30, 22, 18, 14, 10, 6),
		shared(spelled("contract.exercise", "contract.exercise", "exercise"), []string{"european", "american"}, 60, 40),
		uniform(spelled("desk", "desk", "desk"), "desk-1", "desk-2", "desk-3", "desk-4", "desk-5"),
		shared(spelled("quote.mode", "quote.mode", "quoteMode"), []string{"stream", "request"}, 70, 30).leftOut(0.2),
	)...)

	gateway := b.service(roleTrading, techHTTP)
	pricing, data := b.service(rolePricing, b.protocol()), b.service(roleMarketData, b.protocol())
	surface := e.mark("surface", b.op(data, "GET", "/surfaces/{underlying}", "GetSurface", 6))
	surface.shows = []int{e.of("underlying")}
	surface.steps = inOrder(b.call(b.sql(data, "SELECT", "ticks", 5)).cached(b.redis(data, "GET"), between(r, 0.5, 0.9)))
	price := e.mark("price", b.op(pricing, "POST", "/prices", "Price", 3))
	price.shows = []int{of, e.of("contract.tenor_days")}
	price.steps = inOrder(
		b.call(surface).retried(b.attempts()),
		b.call(b.part(pricing, "model.solve", 18)),
	)
	en := b.enter(gateway, between(r, 0.5, 0.7), "POST", "/option-quotes", "", b.call(price).within(b.patience()))
	en.dims = append([]int{dimRegion}, dims...)
	en.ids = []idKey{
		{spelled("quote.id", "quote.id", "quoteId"), "q-", 1 << 30, 1 << 28},
		{spelled("trader.id", "trader", "traderId"), "tr-", 100, 80},
	}
}
