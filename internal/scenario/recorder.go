package scenario

import (
	"cmp"
	"encoding/binary"
	"strconv"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/stats"
)

// A recorder makes the spans of a run, in true time: what the clocks of the hosts make of it, and what becomes
// of spans on their way, is for the exporter.
type recorder struct {
	window *run
	chunks [][]record
	attrs  []tracewhy.KeyValue // the rest of a slab
	void   record              // what is opened when nothing is recorded
}

// A record is a span and where it was made.
type record struct {
	tracewhy.SpanData
	at *instance
}

const chunkSize = 512

// open starts a span at the frame's instance, as a child of the frame's span, with room for more attributes
// than the given ones.
func (c *recorder) open(
	f frame, name string, kind tracewhy.Kind, static []tracewhy.KeyValue, room int,
) *tracewhy.SpanData {
	if c.window.silent {
		return &c.void.SpanData
	}
	if n := len(c.chunks); n == 0 || len(c.chunks[n-1]) == chunkSize {
		c.chunks = append(c.chunks, make([]record, 0, chunkSize))
	}
	chunk := &c.chunks[len(c.chunks)-1]
	*chunk = append(*chunk, record{at: f.at})
	s := &(*chunk)[len(*chunk)-1].SpanData
	s.TraceID, s.SpanID = f.req.trace, newSpanID(f.req.ids)
	s.Flags = 0x101
	if f.span != nil {
		s.ParentSpanID = f.span.SpanID
	}
	s.Name, s.Kind, s.Start = name, kind, uint64(c.window.now)
	s.Resource, s.Scope = f.at.resource, f.at.scope
	s.Attributes = append(c.slab(len(static)+room), static...)
	return s
}

// slab returns an empty slice with room for n attributes.
func (c *recorder) slab(n int) []tracewhy.KeyValue {
	if len(c.attrs) < n {
		c.attrs = make([]tracewhy.KeyValue, 4096)
	}
	s := c.attrs[:0:n]
	c.attrs = c.attrs[n:]
	return s
}

// root opens the span of a request at its entry, with all that is known about the customer.
func (c *recorder) root(f frame, op *operation) *tracewhy.SpanData {
	r, t := f.req, c.window.traffic
	s := c.open(f, op.name, tracewhy.KindServer, op.server, 4+len(r.entry.dims)+len(r.entry.ids)+4)
	if c.window.silent {
		return s
	}
	s.Attributes = r.tell(s.Attributes, t, r.entry.dims)
	keys := &customerKeys[c.window.estate.style.keys]
	if len(r.entry.dims) == 0 {
		return s // nobody's request
	}
	customer := r.ids.IntN(40_000)
	if c.window.estate.customers > 0 {
		customer = r.customer
	}
	s.Attributes = append(s.Attributes,
		tracewhy.String(keys[0], "c-"+strconv.Itoa(100_000+customer)),
		tracewhy.Int(keys[1], amountOf(r)),
	)
	if r.entry.asks { // a few merchants have most of the customers
		n := r.ids.IntN(300)
		s.Attributes = append(s.Attributes, tracewhy.String(keys[2], "m-"+strconv.Itoa(7000+n*r.ids.IntN(300)/300)))
	}
	for _, id := range r.entry.ids {
		s.Attributes = append(s.Attributes, tracewhy.String(id.keys[c.window.estate.style.keys], id.prefix+strconv.Itoa(id.from+r.ids.IntN(id.of))))
	}
	return s
}

var customerKeys = [3][3]string{
	{"customer.id", "amount.minor", "merchant.id"},
	{"bank.customer.id", "bank.amount", "bank.merchant.id"},
	{"enduser.id", "txn.amountMinor", "txn.merchantId"},
}

// declines is the share of the requests for a decision that are declined for good reasons.
const declines = 0.06

// decide notes the decision that a request ends with, unless it ends without one.
func (c *recorder) decide(f frame, fail *failure) {
	if c.window.silent || !f.req.entry.asks {
		return
	}
	decision := "approved"
	switch {
	case chance(f.req.ids, declines) || fail != nil && fail.rejection:
		decision = "declined"
	case fail != nil:
		return
	}
	f.span.Attributes = append(f.span.Attributes, tracewhy.String(decisionKeys[c.window.estate.style.keys], decision))
}

var decisionKeys = [3]string{"card.decision", "bank.card.decision", "txn.decision"}

// amountOf draws an amount within the request's band.
func amountOf(r *request) int64 {
	limits := [...]int64{100, 2_500, 10_000, 50_000, 200_000, 1_500_000}
	lo, hi := limits[r.dims[dimBand]], limits[r.dims[dimBand]+1]
	return lo + int64(r.ids.IntN(int(hi-lo)))
}

// server opens the span of a call at the callee.
func (c *recorder) server(f frame, op *operation) *tracewhy.SpanData {
	s := c.open(f, op.name, tracewhy.KindServer, op.server, 3+len(op.shows))
	if !c.window.silent {
		s.Flags = 0x301 // the parent is known to be remote
		c.show(s, f, op)
	}
	return s
}

// show copies to a span what the operation's code records about the request.
func (c *recorder) show(s *tracewhy.SpanData, f frame, op *operation) {
	s.Attributes = f.req.tell(s.Attributes, c.window.traffic, op.shows)
}

// client opens the span of a call at the caller.
func (c *recorder) client(f frame, op *operation, attempt int) *tracewhy.SpanData {
	s := c.open(f, op.clientName, tracewhy.KindClient, op.client, 5)
	if attempt > 0 && !c.window.silent && op.service.tech == techHTTP {
		s.Attributes = append(s.Attributes, tracewhy.Int("http.request.resend_count", int64(attempt)))
	}
	return s
}

// peer notes which instance a call goes to.
func (c *recorder) peer(f frame, to *instance) {
	if !c.window.silent {
		f.span.Attributes = append(f.span.Attributes, to.peer)
	}
}

// internal opens the span of a part of a service's work.
func (c *recorder) internal(f frame, op *operation) *tracewhy.SpanData {
	s := c.open(f, op.name, tracewhy.KindInternal, op.server, 2+len(op.shows))
	if !c.window.silent {
		c.show(s, f, op)
	}
	return s
}

// wait opens the span of a wait for a connection.
func (c *recorder) wait(f frame, attrs []tracewhy.KeyValue) *tracewhy.SpanData {
	return c.open(f, waitName, tracewhy.KindInternal, attrs, 2)
}

// waitName is the name of the span of a wait for a connection.
const waitName = "pool.acquire"

// producer opens the span of publishing a message.
func (c *recorder) producer(f frame, op *operation) *tracewhy.SpanData {
	return c.open(f, op.clientName, tracewhy.KindProducer, op.client, 1)
}

// sent ends a producer's span.
func (c *recorder) sent(f frame) { c.close(f.span, nil, tracewhy.KeyValue{}) }

// consumer opens the span of working on a message.
func (c *recorder) consumer(f frame, op *operation) *tracewhy.SpanData {
	s := c.open(f, op.name, tracewhy.KindConsumer, op.server, 2+len(op.shows))
	if !c.window.silent {
		s.Flags = 0x301
		c.show(s, f, op)
	}
	return s
}

// answer ends the span of who did the work. op is nil for a wait.
func (c *recorder) answer(f frame, op *operation, fail *failure) {
	if c.window.silent {
		return
	}
	s := f.span
	var status tracewhy.KeyValue
	failed := fail != nil && !fail.rejection
	if op != nil && s.Kind == tracewhy.KindServer {
		status = c.status(op, fail)
	}
	c.close(s, onlyIf(fail, failed), status)
	if failed && fail.thrown == f.at.service && !fail.reported {
		fail.reported = true
		s.Events = []tracewhy.Event{{
			Time: uint64(c.window.now),
			Name: "exception",
			Attributes: []tracewhy.KeyValue{
				tracewhy.String("exception.type", fail.kind),
				tracewhy.String("exception.message", fail.message),
			},
		}}
	}
}

// reply ends the span of who called. answered says whether there was an answer that has a status.
func (c *recorder) reply(f frame, op *operation, fail *failure, answered bool) {
	if c.window.silent {
		return
	}
	var status tracewhy.KeyValue
	if answered && (fail == nil || !fail.unanswered) || op.service.tech == techGRPC {
		status = c.status(op, fail)
	}
	if fail != nil && fail.retryAfter != "" {
		f.span.Attributes = append(f.span.Attributes, tracewhy.KeyValue{
			Key: "http.response.header.retry-after", Value: tracewhy.ArrayOf(tracewhy.StringOf(fail.retryAfter)),
		})
	}
	if fail != nil && status.Key != "" {
		seen := *fail
		seen.kind = status.Value.String() // all that the caller knows
		fail = &seen
	}
	c.close(f.span, fail, status)
}

// status returns the attribute of a protocol's status, or the zero KeyValue.
func (c *recorder) status(op *operation, fail *failure) tracewhy.KeyValue {
	switch op.service.tech {
	case techHTTP, techVendor:
		code := int64(200)
		if fail != nil {
			if fail.timeout {
				return tracewhy.KeyValue{}
			}
			code = fail.status
		}
		return tracewhy.Int(cmp.Or(op.statusKey, "http.response.status_code"), code)
	case techGRPC, techVendorRPC:
		return tracewhy.Int(cmp.Or(op.statusKey, "rpc.grpc.status_code"), fail.grpc())
	}
	return tracewhy.KeyValue{}
}

// close ends a span, now.
func (c *recorder) close(s *tracewhy.SpanData, fail *failure, status tracewhy.KeyValue) {
	if c.window.silent {
		return
	}
	s.End = uint64(c.window.now)
	if status.Key != "" {
		s.Attributes = append(s.Attributes, status)
	}
	if fail != nil {
		s.Status, s.StatusMessage = tracewhy.StatusError, fail.message
		s.Attributes = append(s.Attributes, tracewhy.String("error.type", fail.kind))
	}
}

// onlyIf returns the failure if the condition holds, else nil.
func onlyIf(fail *failure, condition bool) *failure {
	if condition {
		return fail
	}
	return nil
}

func newTraceID(r *stats.Rand) (id tracewhy.TraceID) {
	binary.BigEndian.PutUint64(id[:8], r.Uint64())
	binary.BigEndian.PutUint64(id[8:], r.Uint64()|1)
	return id
}

func newSpanID(r *stats.Rand) (id tracewhy.SpanID) {
	binary.BigEndian.PutUint64(id[:], r.Uint64()|1)
	return id
}
