package scenario

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/stats"
)

// Applications for mortgages stall while their documents are processed. Nothing is wrong with any document: a worker
// that has to hold both the pages of a PDF and the images of a TIFF needs more memory than it gets while more workers
// than usual share it. The fault only takes memory away.
var mortgageStall = Family{
	Name:    "mortgage-stall",
	Doc:     "12 % of mortgage applications stall: those with a PDF and a TIFF, at high volume, exceed a worker's memory",
	least:   1200,
	spares:  []role{roleMortgage, roleDocuments},
	prepare: func(e *estate, r *stats.Rand) { e.mortgages(r) },
	inject: func(d *draft) {
		e, r := d.estate, d.rng
		render := e.places["render"]
		formats, values := e.of("document.formats"), e.values("document.formats")
		// In MiB. Before the change there was enough even for both, at any volume.
		pdf, tiff := between(r, 80, 100), between(r, 110, 122)
		memory := between(r, 1450, 1550)
		workers := map[bool]float64{false: 4, true: 9} // at high volume or not
		isHigh := e.is("volume.period", "high")
		stalls := chance(r, 0.6)
		swapping := latency{int64(between(r, 20, 40)) * second, 0.4}
		d.fault.work = func(f frame, op *operation) (h harm) {
			if op != render {
				return h
			}
			needs := 15.0
			for format := range strings.SplitSeq(values[f.req.dims[formats]], ",") {
				switch format {
				case "pdf":
					needs += float64(pdf * factor(f.req.fault, 0.07))
				case "tiff":
					needs += float64(tiff * factor(f.req.fault, 0.07))
				}
			}
			gets := memory / workers[isHigh(f.req)]
			switch {
			case needs <= gets:
				return h
			case stalls: // it collects garbage until its caller has given up, and long after
				h.delay = swapping.draw(f.req.fault)
			default:
				h.delay = latency{900 * millisecond, 0.3}.draw(f.req.fault)
				h.fail = &failure{
					status: 500, kind: "OutOfMemoryError", thrown: op.service,
					message: fmt.Sprintf("allocation of %d bytes exceeds the memory limit", int64(needs)<<20),
				}
			}
			f.req.harmed = 1
			return h
		}
		d.begin()
		when := []pair{{"document.formats", "pdf,tiff"}, {"volume.period", "high"}}
		cause := Cause{
			Services: []string{render.service.name}, Operations: []string{render.name}, Conditions: e.conditions(when),
			FaultDomain: "internal",
		}
		if chance(r, 0.7) {
			cause.ChangeID = d.trigger("config", render.service, "memory limit of containers lowered to 1.5 GiB")
		}
		d.label.FaultType = map[bool]string{true: "stall", false: "out of memory"}[stalls]
		d.label.Notes = "The formats of the label are elements of a list, which may have others."
		d.label.Causes = []Cause{cause}
		d.label.Modes = []Mode{{Service: cause.Services[0], Operation: render.name, Conditions: cause.Conditions}}
	},
}

// mortgages gives the bank a journey of applications with documents.
func (e *estate) mortgages(r *stats.Rand) {
	b := e.extend(r)
	e.rush = rush{period: int64(between(r, 20, 40)) * second, times: 2}
	e.rush.lasts = e.rush.period / 4 // 40 % of the applications
	formats := shared(spelled("document.formats", "documents.formats", "docFormats"), []string{
		"pdf", "jpeg", "jpeg,pdf", "tiff", "jpeg,tiff", "docx,pdf", "pdf,tiff", "jpeg,pdf,tiff",
	}, 32, 8, 12, 9, 6, 3, 22, 8)
	if chance(r, 0.5) {
		formats.attribute = asList
	}
	dims := e.record(volume(int64(between(r, 1, 3)) * second)...)
	dims = append(dims, e.record(
		formats,
		shared(spelled("loan.kind", "loan.kind", "loanKind"), []string{"standard", "jumbo", "refinance"}, 62, 14, 24),
		shared(spelled("applicant.employment", "applicant.employment", "employment"),
			[]string{"employed", "self-employed", "retired"}, 70, 22, 8).leftOut(0.1),
		uniform(spelled("branch.id", "branch", "branch"), "b-01", "b-02", "b-03", "b-04", "b-05", "b-06", "b-07", "b-08", "b-09"),
		shared(spelled("property.type", "property.type", "propertyType"), []string{"flat", "house", "land"}, 50, 44, 6),
		shared(spelled("broker", "broker", "broker"), []string{"direct", "homefirst", "lendwise"}, 55, 30, 15).leftOut(0.3),
	)...)
	all, of := formats.values, e.of("document.formats")
	documents := shared(spelled("document.count", "documents.count", "docCount"),
		[]string{"1", "2", "3", "4", "5", "6", "7", "8"}, 1, 1, 1, 1, 1, 1, 1, 1)
	documents.attribute = asNumber
	documents.draw = func(_ *run, q *request, random *stats.Rand) int { // one of each format, and more
		return strings.Count(all[q.dims[of]], ",") + random.IntN(5)
	}
	dims = append(dims, e.record(documents)...)

	gateway := e.find(roleMobile)
	mortgage, documentation := b.service(roleMortgage, b.protocol()), b.service(roleDocuments, b.protocol())
	render := e.mark("render", b.part(documentation, "documents.render", 45))
	render.shows = []int{of, e.of("document.count")}
	verify := b.op(documentation, "POST", "/verifications", "Verify", 4)
	verify.shows = []int{of, e.of("volume.period")}
	verify.steps = slices.Concat(
		inOrder(b.call(b.sql(documentation, "SELECT", "documents", 4)), b.call(render)),
		b.maybe(0.6, b.call(b.part(documentation, "text.recognise", 60))),
		inOrder(b.call(b.sql(documentation, "UPDATE", "documents", 4))),
	)
	apply := b.op(mortgage, "POST", "/applications", "Apply", 4)
	apply.shows = []int{e.of("loan.kind")}
	apply.steps = slices.Concat(
		inOrder(b.call(b.sql(mortgage, "INSERT", "applications", 5))),
		b.maybe(0.5, b.call(b.vendor(roleBureau, "/reports", 170)).within(4*second).retried(2)),
		inOrder(
			b.call(verify).within(int64(pick(r, 5, 8, 10))*second),
			b.call(b.part(mortgage, "affordability.check", 12)),
			b.call(b.sql(mortgage, "UPDATE", "applications", 5)),
		),
	)
	en := b.enter(gateway, between(r, 0.55, 0.7), "POST", "/mortgage-applications", "", b.call(apply))
	en.dims = append([]int{dimRegion, dimSegment, dimDevice, dimApp}, dims...)
	en.ids = []idKey{
		{spelled("application.id", "application.id", "applicationId"), "ma-", 1 << 30, 1 << 28},
		{spelled("adviser.id", "adviser", "adviserId"), "ad-", 100, 120},
	}
}

// asList records a value with commas as an array.
func asList(key, value string) tracewhy.KeyValue {
	var list []tracewhy.Value
	for part := range strings.SplitSeq(value, ",") {
		list = append(list, tracewhy.StringOf(part))
	}
	return tracewhy.KeyValue{Key: key, Value: tracewhy.ArrayOf(list...)}
}
