package scenario

import (
	"fmt"
	"slices"

	"github.com/tracewhy/tracewhy/internal/stats"
)

// Settlements of trades fail in three ways that have nothing to do with each other: converted amounts have more
// decimals than the currency, batches of large clients outgrow a limit while much is going on, and one protocol of
// counterparties lacks a field. Together about 8 % of the settlements fail.
var settlementModes = Family{
	Name:   "settlement-modes",
	Doc:    "8 % of settlements fail in three modes: currency conversion, batches of institutions at high volume, one counterparty protocol",
	least:  1600,
	spares: []role{rolePostTrade, roleRates, roleBatches, roleCounterparty},
	prepare: func(e *estate, r *stats.Rand) {
		e.settlements(r)
	},
	inject: func(d *draft) {
		e, r := d.estate, d.rng
		currency, protocol := e.unusual("settlement.currency"), e.unusual("counterparty.protocol")
		share := min(1, float64(between(r, 0.85, 1)*d.strength))
		d.beginBefore()
		ways := []struct {
			place string
			when  []pair
			fail  func(*request) *failure
			kind  string // of the change that did it
			what  string
		}{
			{
				"convert", []pair{{"settlement.type", "international"}, {"settlement.currency", currency}},
				func(q *request) *failure {
					return &failure{status: 500, kind: "PrecisionError", message: fmt.Sprintf(
						"amount %d.%02d has more decimals than %s allows", 1000+q.fault.IntN(900_000), 1+q.fault.IntN(99), currency)}
				},
				"deployment", "conversion rounds half to even, at the rate's scale",
			},
			{
				"batch", []pair{{"client.type", "institutional"}, {"volume.period", "high"}},
				func(q *request) *failure {
					return &failure{status: 500, kind: "BatchLimitExceeded", message: fmt.Sprintf(
						"batch of %d instructions exceeds the limit of 500", 501+q.fault.IntN(900))}
				},
				"config", "limit of instructions in a batch set to 500",
			},
			{
				"deliver", []pair{{"counterparty.protocol", protocol}},
				func(*request) *failure {
					return &failure{status: 500, kind: "MessageRejected", message: "required field SettlType is missing"}
				},
				"config", "message templates of " + protocol + " regenerated",
			},
		}
		tests := make([]func(*request) bool, len(ways))
		for i, way := range ways {
			tests[i] = e.all(way.when)
			op := e.places[way.place]
			c := Cause{
				Services: []string{op.service.name}, Operations: []string{op.name}, Conditions: e.conditions(way.when),
				FaultDomain: "internal",
			}
			if chance(r, 0.5) {
				c.ChangeID = d.trigger(way.kind, op.service, way.what)
			}
			d.label.Causes = append(d.label.Causes, c)
			d.label.Modes = append(d.label.Modes, Mode{Service: c.Services[0], Operation: op.name, Conditions: c.Conditions})
		}
		d.fault.work = func(f frame, op *operation) (h harm) {
			for i, way := range ways {
				if op == e.places[way.place] && tests[i](f.req) && chance(f.req.fault, share) {
					h.fail = way.fail(f.req)
					h.fail.thrown = op.service
					f.req.harmed = i + 1
				}
			}
			return h
		}
		d.label.FaultType = "modes"
	},
}

// A pair is a key, in the first of its spellings, and a value.
type pair struct{ key, value string }

// all returns which requests have all the values.
func (e *estate) all(pairs []pair) func(*request) bool {
	var tests []func(*request) bool
	for _, p := range pairs {
		tests = append(tests, e.is(p.key, p.value))
	}
	return func(r *request) bool {
		return !slices.ContainsFunc(tests, func(is func(*request) bool) bool { return !is(r) })
	}
}

// conditions returns the pairs as a label has them.
func (e *estate) conditions(pairs []pair) map[string]string {
	c := map[string]string{}
	for _, p := range pairs {
		c[e.key(p.key)] = p.value
	}
	return c
}

// unusual returns the last value of a detail.
func (e *estate) unusual(key string) string {
	values := e.values(key)
	return values[len(values)-1]
}

// settlements gives the bank a desk whose trades are settled.
func (e *estate) settlements(r *stats.Rand) {
	b := e.extend(r)
	e.rush = rush{period: int64(between(r, 25, 50)) * second, times: 2}
	e.rush.lasts = e.rush.period * 18 / 100
	protocols := []string{"fix-4.4", "swift-mt", "iso20022", "fix-4.2", "proprietary"}
	shuffle(r, protocols)
	currencies := []string{"USD", "EUR", "GBP", "CHF", pick(r, "JPY", "KRW", "CLP", "ISK")}
	counterparties := make([]string, 60) // each of which speaks one protocol
	for i := range counterparties {
		counterparties[i] = fmt.Sprint("cp-", 100+i)
	}
	dims := e.record(volume(int64(between(r, 1, 3)) * second)...)
	dims = append(dims, e.record(
		shared(spelled("settlement.type", "settlement.type", "settlementType"), []string{"domestic", "international"}, 70, 30),
		shared(spelled("settlement.currency", "settlement.currency", "settlementCurrency"), currencies, 44, 24, 13, 9, 10),
		shared(spelled("client.type", "client.type", "clientType"), []string{"retail", "wealth", "institutional"}, 52, 37, 11),
		shared(spelled("counterparty.protocol", "counterparty.protocol", "cpProtocol"), protocols, 41, 30, 17, 9.2, 2.8),
	)...)
	abroad := follows(spelled("settlement.cross_border", "settlement.cross_border", "crossBorder"),
		e.is("settlement.type", "international")).leftOut(0.2)
	of := e.of("counterparty.protocol")
	names := uniform(spelled("counterparty.id", "counterparty.id", "cpId"), counterparties...)
	names.draw = func(_ *run, q *request, random *stats.Rand) int {
		n := len(counterparties) / len(protocols)
		return q.dims[of] + len(protocols)*random.IntN(n)
	}
	dims = append(dims, e.record(
		abroad, names,
		shared(spelled("instrument.class", "instrument.class", "instrumentClass"), []string{"equity", "bond", "etf", "fund"}, 55, 20, 17, 8),
		uniform(spelled("trade.side", "trade.side", "side"), "buy", "sell"),
		uniform(spelled("trade.desk", "desk", "desk"), "desk-1", "desk-2", "desk-3", "desk-4", "desk-5", "desk-6", "desk-7"),
		shared(spelled("order.algorithm", "order.algo", "algo"), []string{"vwap", "twap", "pov"}, 50, 30, 20).leftOut(0.35),
		uniform(spelled("trade.venue", "venue", "venue"), "XETR", "XPAR", "XLON", "XNYS").leftOut(0.05),
	)...)

	gateway := b.service(roleTrading, techHTTP)
	core, rates := b.service(rolePostTrade, b.protocol()), e.find(roleRates)
	batches, counterparty := b.service(roleBatches, b.protocol()), b.service(roleCounterparty, b.protocol())
	convert := e.mark("convert", b.op(rates, "POST", "/conversions", "Convert", 1.5))
	convert.shows = []int{e.of("settlement.currency"), e.of("settlement.type")}
	convert.steps = inOrder(b.call(b.redis(rates, "GET")))
	batch := e.mark("batch", b.op(batches, "POST", "/batches", "Append", 3))
	batch.shows = []int{e.of("client.type"), e.of("volume.period")}
	batch.steps = inOrder(b.call(b.sql(batches, "INSERT", "batch_items", 3)))
	deliver := e.mark("deliver", b.op(counterparty, "POST", "/instructions", "Instruct", 4))
	deliver.shows = []int{e.of("counterparty.protocol"), e.of("counterparty.id")}
	deliver.steps = inOrder(b.call(b.vendor(roleClearing, "/deliveries", 70)).within(4 * second))
	// Neither place is reached by the requests alone that fail there: conversions are made for foreign currencies as
	// well, and batches for all but retail clients.
	isAbroad, atHome := e.is("settlement.type", "international"), e.is("settlement.currency", currencies[0])
	isRetail := e.is("client.type", "retail")
	settle := b.op(core, "POST", "/settlements", "Settle", 3)
	settle.shows = []int{e.of("settlement.type"), e.of("client.type"), e.of("instrument.class")}
	settle.steps = slices.Concat(
		inOrder(
			b.call(b.part(core, "trade.match", 4)),
			b.call(b.sql(core, "SELECT", "positions", 4)),
			b.call(convert).onlyFor(func(q *request) bool { return isAbroad(q) || !atHome(q) }).retried(b.attempts()),
			b.call(batch).onlyFor(func(q *request) bool { return !isRetail(q) }),
			b.call(deliver),
		),
		b.maybe(0.6, b.call(b.sql(core, "UPDATE", "trades", 4))),
	)
	en := b.enter(gateway, between(r, 0.6, 0.75), "POST", "/settlements", "", b.call(settle).within(b.patience()))
	en.dims = append([]int{dimRegion}, dims...)
	en.ids = []idKey{
		{spelled("settlement.id", "settlement.id", "settlementId"), "st-", 1 << 30, 1 << 28},
		{spelled("instrument.isin", "isin", "isin"), "XS", 10_000_000, 900},
		{spelled("trader.id", "trader", "traderId"), "tr-", 100, 80},
	}
}
