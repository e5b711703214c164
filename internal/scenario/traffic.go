package scenario

import (
	"slices"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/stats"
)

// The dimensions of a request: what is recorded about the customer and what they want.
const (
	dimRegion = iota // where it enters, which also decides which instances serve it
	dimChannel
	dimNetwork
	dimCategory
	dimBand
	dimCurrency
	dimEntryMode
	dimCountry
	dimSegment
	dimDevice
	dimApp
	numDims
)

// inert are the dimensions that no step depends on: traffic may change in them, and nothing else does.
var inert = []int{dimChannel, dimCategory, dimEntryMode, dimCountry, dimSegment, dimDevice, dimApp}

// A dimension has a key, spelled in each bank's own way, and values with their shares.
type dimension struct {
	keys   [3]string
	values []string
	shares []float64
}

var dimensions = [numDims]dimension{
	dimRegion: {keys: [3]string{"region", "bank.region", "txn.region"}},
	dimChannel: {
		[3]string{"channel", "bank.channel", "txn.channel"},
		[]string{"pos", "ecommerce", "atm", "recurring"}, []float64{50, 32, 8, 10},
	},
	dimNetwork: {
		[3]string{"card.network", "bank.card.scheme", "txn.scheme"},
		[]string{"northcard", "unionpass", "debitone"}, []float64{48, 34, 18},
	},
	dimCategory: { // codes of ISO 18245
		[3]string{"merchant.category", "bank.merchant.mcc", "txn.mcc"},
		[]string{"5411", "5812", "5541", "4111", "5999", "7011", "4511", "5732"},
		[]float64{30, 20, 14, 12, 10, 5, 4, 5},
	},
	dimBand: {
		[3]string{"amount.band", "bank.amount_band", "txn.amountBand"},
		[]string{"0-25", "25-100", "100-500", "500-2000", "2000+"}, []float64{34, 36, 20, 8, 2},
	},
	dimCurrency: {
		[3]string{"currency", "bank.currency", "txn.currency"},
		[]string{"EUR", "USD", "GBP", "CHF"}, []float64{86, 7, 5, 2},
	},
	dimEntryMode: {
		[3]string{"card.entry_mode", "bank.card.entry", "txn.entryMode"},
		[]string{"contactless", "chip", "keyed", "token"}, []float64{46, 22, 14, 18},
	},
	dimCountry: {
		[3]string{"merchant.country", "bank.merchant.country", "txn.country"},
		[]string{"DE", "FR", "NL", "ES", "US", "GB"}, []float64{52, 14, 11, 9, 7, 7},
	},
	dimSegment: {
		[3]string{"customer.segment", "bank.customer.tier", "customer.tier"},
		[]string{"retail", "premium", "private", "business"}, []float64{66, 19, 3, 12},
	},
	dimDevice: {
		[3]string{"device.os", "device.platform", "client.os"},
		[]string{"ios", "android", "windows", "macos"}, []float64{38, 41, 13, 8},
	},
	dimApp: {
		[3]string{"app.version", "client.version", "app.release"},
		[]string{"8.14.0", "8.15.1", "8.15.2", "8.16.0"}, []float64{9, 24, 61, 6},
	},
}

// foreign and large say which requests take the steps that depend on the request.
func foreign(r *request) bool { return r.dims[dimCurrency] != 0 }
func large(r *request) bool   { return r.dims[dimBand] >= 3 }

// A traffic says how many requests come, of which kinds.
type traffic struct {
	requests int
	gap      int64 // mean time between two of them
	entries  []float64
	dims     []mix // by dimension, and after these by detail of the estate
	rush     rush
	profile  profile // nil: the same at all times
	surge    surge
}

// A surge is when more requests come to an entry than usual: from some time on, always or in waves.
type surge struct {
	entry int
	times float64 // as many as usual; 0 for no surge
	from  int64
	waves int64 // how long one lasts, and then the calm after it; 0 for one that goes on
}

// on reports whether more requests come at that time of the window.
func (x surge) on(at int64) bool {
	return x.times > 0 && at >= x.from && (x.waves == 0 || (at-x.from)/x.waves%2 == 0)
}

// weights returns the shares of the entries at a time of the window.
func (t *traffic) weights(now int64) []float64 {
	if !t.surge.on(now) {
		return t.entries
	}
	all := slices.Clone(t.entries)
	all[t.surge.entry] = float64(all[t.surge.entry] * t.surge.times)
	return all
}

// A mix is a discrete distribution over attributes.
type mix struct {
	attrs  []tracewhy.KeyValue
	shares []float64
}

// newTraffic returns the traffic of good times.
func newTraffic(e *estate, r *stats.Rand, requests int, gap int64) *traffic {
	t := &traffic{requests: requests, gap: gap}
	for _, en := range e.entries {
		t.entries = append(t.entries, en.share)
	}
	for d := range numDims {
		dim := dimensions[d]
		if d == dimRegion {
			for _, region := range e.regions {
				dim.values, dim.shares = append(dim.values, region.name), append(dim.shares, region.share)
			}
		}
		m := mix{shares: slices.Clone(dim.shares)}
		for _, v := range dim.values {
			m.attrs = append(m.attrs, tracewhy.String(dim.keys[e.style.keys], v))
		}
		if d != dimRegion {
			vary(r, m.shares, 0.3)
		}
		t.dims = append(t.dims, m)
	}
	for i := range e.details {
		t.dims = append(t.dims, e.details[i].mix(e.style.keys, r))
	}
	t.rush, t.profile = e.rush, e.profile
	return t
}

// clone returns a copy whose shares can be changed.
func (t *traffic) clone() *traffic {
	c := *t
	c.entries = slices.Clone(t.entries)
	c.dims = slices.Clone(t.dims)
	for d := range c.dims {
		c.dims[d].shares = slices.Clone(t.dims[d].shares)
	}
	return &c
}

// vary multiplies shares by lognormal factors.
func vary(r *stats.Rand, shares []float64, sigma float64) {
	for i := range shares {
		shares[i] = float64(shares[i] * factor(r, sigma))
	}
}

// A request is one transaction of a customer.
type request struct {
	number   int
	entry    *entry
	customer int         // of the estate's
	dims     []int       // the number of its value, by dimension and detail
	hidden   uint64      // the details that its spans leave out
	harmed   int         // the mode of failure that it met, counted from 1; 0 for none
	rng      *stats.Rand // what happens to it
	fault    *stats.Rand // what a fault does to it, so that the rest happens as it would without
	ids      *stats.Rand
	trace    tracewhy.TraceID
	seen     []uint64 // pairs of services that it was counted for
}

// newRequest draws what the customer wants.
func (w *run) newRequest(number int) *request {
	n := uint64(number)
	r := &request{
		number: number,
		rng:    stats.NewRand(w.seed, stats.Key("request"), n),
		fault:  stats.NewRand(w.seed, stats.Key("fault"), n),
		ids:    stats.NewRand(w.seed, stats.Key("ids"), n),
	}
	r.entry = w.estate.entries[weighted(r.rng, w.traffic.weights(w.now))]
	r.dims = make([]int, len(w.traffic.dims))
	for d := range numDims {
		r.dims[d] = weighted(r.rng, w.traffic.dims[d].shares)
	}
	w.detail(r)
	if n := w.estate.customers; n > 0 {
		r.customer = stats.NewRand(w.seed, stats.Key("customer"), uint64(number)).IntN(n)
	}
	r.trace = newTraceID(r.ids)
	return r
}
