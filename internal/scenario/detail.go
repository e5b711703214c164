package scenario

import (
	"slices"
	"strconv"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/stats"
)

// A detail is a dimension that only the bank of one family has: what its journey records about a request, beside
// what all do.
type detail struct {
	dimension
	// draw says which value a request has, and may look at the dimensions before. Without it, values have their
	// shares.
	draw func(w *run, r *request, random *stats.Rand) int
	// attribute says how a value is recorded. Without it, it is text.
	attribute func(key, value string) tracewhy.KeyValue
	missing   float64 // the share of requests that don't record it
}

// An idKey is an attribute that tells requests apart, or a few of them from the rest.
type idKey struct {
	keys     [3]string
	prefix   string
	from, of int // the numbers
}

// A rush says when more requests come than usual: for some time in each period.
type rush struct {
	period, lasts int64
	times         float64 // as many as usual
}

// on reports whether more requests come at that time of the window.
func (x rush) on(at int64) bool { return x.period > 0 && at%x.period >= x.period-x.lasts }

// gapAt returns the mean time to the next request.
func (t *traffic) gapAt(now int64) int64 {
	gap := t.gap
	if t.profile != nil {
		gap = int64(float64(gap) / t.profile.rate(now))
	}
	if t.rush.on(now) {
		gap = int64(float64(gap) / t.rush.times)
	}
	if t.surge.on(now) {
		gap = int64(float64(gap) * (stats.Sum(t.entries) / stats.Sum(t.weights(now))))
	}
	return gap
}

// mix returns the attributes of a detail in one of the spellings of keys, and its shares at one bank.
func (d *detail) mix(keys int, r *stats.Rand) mix {
	m := mix{shares: slices.Clone(d.shares)}
	if d.draw == nil {
		vary(r, m.shares, 0.05)
	}
	for _, v := range d.values {
		if d.attribute != nil {
			m.attrs = append(m.attrs, d.attribute(d.keys[keys], v))
			continue
		}
		m.attrs = append(m.attrs, tracewhy.String(d.keys[keys], v))
	}
	return m
}

// detail draws what the family's journey asks of a request.
func (w *run) detail(r *request) {
	if len(w.estate.details) == 0 {
		return
	}
	random := stats.NewRand(w.seed, stats.Key("details"), uint64(r.number))
	for i := range w.estate.details {
		d := &w.estate.details[i]
		if d.draw != nil {
			r.dims[numDims+i] = d.draw(w, r, random)
		} else {
			r.dims[numDims+i] = weighted(random, w.traffic.dims[numDims+i].shares)
		}
		if chance(random, d.missing) {
			r.hidden |= 1 << i
		}
	}
}

// tell appends the request's attributes of some dimensions, less those that its spans leave out.
func (r *request) tell(to []tracewhy.KeyValue, t *traffic, dims []int) []tracewhy.KeyValue {
	for _, d := range dims {
		if d < numDims || r.hidden>>(d-numDims)&1 == 0 {
			to = append(to, t.dims[d].attrs[r.dims[d]])
		}
	}
	return to
}

// record adds details and returns their dimensions.
func (e *estate) record(details ...detail) []int {
	var dims []int
	for _, d := range details {
		dims = append(dims, numDims+len(e.details))
		e.details = append(e.details, d)
	}
	return dims
}

// of returns the dimension with the given key, in the first of its spellings.
func (e *estate) of(key string) int {
	for d := range dimensions {
		if dimensions[d].keys[0] == key {
			return d
		}
	}
	for i := range e.details {
		if e.details[i].keys[0] == key {
			return numDims + i
		}
	}
	panic("scenario: no dimension " + key)
}

// key returns the bank's spelling of a key.
func (e *estate) key(key string) string {
	d := e.of(key)
	if d < numDims {
		return dimensions[d].keys[e.style.keys]
	}
	return e.details[d-numDims].keys[e.style.keys]
}

// values returns what a dimension's attribute can be.
func (e *estate) values(key string) []string {
	d := e.of(key)
	if d < numDims {
		return dimensions[d].values
	}
	return e.details[d-numDims].values
}

// is returns which requests have a value of a dimension.
func (e *estate) is(key, value string) func(*request) bool {
	d, v := e.of(key), slices.Index(e.values(key), value)
	if v < 0 {
		panic("scenario: no value " + value + " of " + key)
	}
	return func(r *request) bool { return r.dims[d] == v }
}

// mark remembers an operation by a word.
func (e *estate) mark(word string, op *operation) *operation {
	if e.places == nil {
		e.places = map[string]*operation{}
	}
	e.places[word] = op
	return op
}

// extend returns a builder that adds to a bank.
func (e *estate) extend(r *stats.Rand) *builder {
	return &builder{estate: e, r: r, trouble: magnitude(r, 0.5, 3)}
}

// enter adds an entry that gets a share of all requests.
func (b *builder) enter(s *service, share float64, method, path, rpc string, steps ...step) *entry {
	all := 0.0
	for _, en := range b.entries {
		all += en.share
	}
	en := &entry{op: b.op(s, method, path, rpc, 1.2, steps...), share: float64(all*share) / (1 - share)}
	b.entries = append(b.entries, en)
	return en
}

// spelled returns a key as the three kinds of banks write it.
func spelled(key, inner, suffix string) [3]string {
	return [3]string{key, "bank." + inner, "txn." + suffix}
}

// shared returns a detail whose values have shares.
func shared(keys [3]string, values []string, shares ...float64) detail {
	return detail{dimension: dimension{keys: keys, values: values, shares: shares}}
}

// uniform returns a detail whose values are equally frequent.
func uniform(keys [3]string, values ...string) detail {
	return shared(keys, values, slices.Repeat([]float64{1}, len(values))...)
}

// leftOut returns the detail as one that a share of the requests does not record.
func (d detail) leftOut(share float64) detail { d.missing = share; return d }

// asBool records true and false as such.
func asBool(key, value string) tracewhy.KeyValue { return tracewhy.Bool(key, value == "true") }

// asNumber records a whole number as such.
func asNumber(key, value string) tracewhy.KeyValue {
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil {
		panic("scenario: " + value + " is no number")
	}
	return tracewhy.Int(key, n)
}

// follows returns a detail that is true for the requests with a value of another, and otherwise false.
func follows(keys [3]string, is func(*request) bool) detail {
	d := shared(keys, []string{"false", "true"}, 1, 1)
	d.attribute = asBool
	d.draw = func(_ *run, r *request, _ *stats.Rand) int {
		if is(r) {
			return 1
		}
		return 0
	}
	return d
}

// volume returns what a gateway records of how much is going on: exactly when more requests come, and the size
// to which a service is scaled, which follows some seconds late.
func volume(late int64) []detail {
	at := func(lag int64) func(*run, *request, *stats.Rand) int {
		return func(w *run, _ *request, _ *stats.Rand) int {
			if w.now >= lag && w.traffic.rush.on(w.now-lag) {
				return 1
			}
			return 0
		}
	}
	period := shared(spelled("volume.period", "volume.period", "volumePeriod"), []string{"normal", "high"}, 1, 1)
	period.draw = at(0)
	scaling := shared(spelled("scaling.profile", "scaling.profile", "scalingProfile"), []string{"base", "burst"}, 1, 1)
	scaling.draw = at(late)
	return []detail{period, scaling}
}
