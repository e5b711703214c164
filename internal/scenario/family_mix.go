package scenario

import "github.com/tracewhy/tracewhy/internal/stats"

// Corporate customers send more payment files than usual, and of these many always fail, slowly. Whoever compares the
// failing traces with others, or the incident with the baseline, sees corporate customers and their batches. The
// fault is elsewhere: a few of the transfers from one kind of device begin to fail. It shows only among requests of
// the same operation.
var trafficMix = Family{
	Name:    "traffic-mix",
	Doc:     "more payment files come, which always failed often; beside that, transfers from one kind of device fail",
	least:   2400,
	apart:   true,
	spares:  []role{rolePayments, roleFiles, roleCorporate},
	prepare: func(e *estate, r *stats.Rand) { e.files(r) },
	shift: func(d *draft) {
		for i, en := range d.estate.entries {
			if en.op == d.estate.places["files"] {
				d.traffic.entries[i] = float64(d.traffic.entries[i] * between(d.rng, 4, 6))
			}
		}
	},
	inject: func(d *draft) {
		e, r := d.estate, d.rng
		pay := e.places["pay"]
		when := []pair{{"device.os", pick(r, "ios", "android")}}
		is := e.all(when)
		share := min(1, float64(magnitude(r, 0.18, 0.4)*d.strength))
		what := r.Uint64()
		d.fault.work = func(f frame, op *operation) (h harm) {
			if op == pay && is(f.req) && chance(f.req.fault, share) {
				f.req.harmed = 1
				h.fail = defect(stats.NewRand(what), op.service, op)
			}
			return h
		}
		d.begin()
		cause := Cause{
			Services: []string{pay.service.name}, Operations: []string{pay.name}, Conditions: e.conditions(when),
			FaultDomain: "internal",
		}
		if chance(r, 0.5) {
			cause.ChangeID = d.trigger("feature_flag", pay.service, "flag new-payee-form on for one platform")
		}
		d.label.FaultType = "errors"
		d.label.Causes = []Cause{cause}
		load := e.places["load"]
		d.label.Modes = []Mode{
			{Service: cause.Services[0], Operation: pay.name, Conditions: cause.Conditions},
			{Service: load.service.name, Operation: load.name, Conditions: map[string]string{}}, // as ever
		}
		for _, en := range e.entries {
			if en.op == e.places["files"] {
				d.lasting = map[*entry]int{en: 2}
			}
		}
	},
}

// files gives the bank customers who send payments in files, and more transfers.
func (e *estate) files(r *stats.Rand) {
	b := e.extend(r)
	var transfers []*entry
	for _, en := range e.entries {
		for _, s := range en.op.steps {
			if s.to.service.role == rolePayments && en.op.service.role != rolePartner {
				e.mark("pay", s.to)
				en.share *= 4
				transfers = append(transfers, en)
			}
		}
	}
	gateway := b.service(roleCorporate, techHTTP)
	intake := b.service(roleFiles, b.protocol())
	load := e.mark("load", b.op(intake, "POST", "/files", "Load", 40))
	load.errors = between(r, 0.3, 0.4) // files of customers are what they are
	load.steps = inOrder(
		b.call(b.sql(intake, "INSERT", "payment_files", 12)),
		b.call(b.part(intake, "file.split", 120)),
	)
	many := b.enter(gateway, between(r, 0.06, 0.08), "POST", "/payment-files", "", b.call(load).within(b.patience()))
	e.mark("files", many.op)
	batch := shared(spelled("payment.batch", "payment.batch", "batch"), []string{"false", "true"}, 1, 1)
	batch.attribute = asBool
	batch.draw = mostly(many, 1, 0.9, 0.03)
	client := shared(spelled("client.kind", "client.kind", "clientKind"), []string{"consumer", "corporate"}, 1, 1)
	client.draw = mostly(many, 1, 0.85, 0.05)
	dims := e.record(batch, client,
		uniform(spelled("payment.scheme", "payment.scheme", "scheme"), "sct", "inst", "book"),
		shared(spelled("payment.purpose", "payment.purpose", "purpose"), []string{"supp", "sala", "rent", "othr"}, 20, 15, 10, 55).leftOut(0.2),
	)
	many.dims = append([]int{dimRegion, dimDevice, dimApp}, dims...)
	many.ids = []idKey{{spelled("file.id", "file.id", "fileId"), "pf-", 1 << 30, 1 << 28}}
	for _, en := range transfers {
		en.dims = append(en.dims[:len(en.dims):len(en.dims)], dims...)
	}
}

// mostly draws a value for a share of the requests of an entry, and for another share of the rest; the others have
// the first value.
func mostly(en *entry, value int, here, elsewhere float64) func(*run, *request, *stats.Rand) int {
	return func(_ *run, q *request, random *stats.Rand) int {
		share := elsewhere
		if q.entry == en {
			share = here
		}
		if chance(random, share) {
			return value
		}
		return 0
	}
}
