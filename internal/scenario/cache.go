package scenario

import "github.com/tracewhy/tracewhy/internal/stats"

// A keyedCache holds an answer for each customer. An answer that is not there, or is older than it may be, costs
// a call, whose answer is kept from then on.
type keyedCache struct {
	ttl int64
	// first is when the oldest of the answers was written that are there when a window begins, relative to that, and
	// over is how long it took until the last was: a job in one go, or customers as they came.
	first, over int64
	absent      float64 // the share of customers without an answer then
}

// written returns when the answer was written that a customer has as the window begins.
func (c *keyedCache) written(seed uint64, customer int) (at int64, ok bool) {
	r := stats.NewRand(seed, stats.Key("cache"), uint64(customer))
	absent := chance(r, c.absent)
	return c.first + int64(float64(float64(c.over)*r.Float64())), !absent
}

// expires returns when the first answer that is there when the window begins is too old.
func (c *keyedCache) expires() int64 { return c.first + c.ttl }

// finds reports whether the step's cache has an answer for the request's customer.
func (w *run) finds(f frame, s *step) bool {
	at, ok := w.answers[s.keyed][f.req.customer]
	if !ok {
		at, ok = s.keyed.written(w.seed, f.req.customer)
	}
	return ok && w.now-at < s.keyed.ttl && !w.fault.forgets(s.cache, f.req.customer, at, w.now)
}

// keep writes the answer to a call to the step's cache.
func (w *run) keep(f frame, s *step) {
	if w.answers[s.keyed] == nil {
		w.answers[s.keyed] = map[int]int64{}
	}
	w.answers[s.keyed][f.req.customer] = w.now
}

// keyedBy returns the step behind a lookup of what is known about the request's customer.
func (s step) keyedBy(lookup *operation, c *keyedCache) step {
	s.cache, s.keyed = lookup, c
	return s
}
