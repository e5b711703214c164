package cluster

import (
	"fmt"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/stats"
)

// The settlement of a bank: a gateway, or a scheduler, asks settlement, which validates with a cache in
// front of a store, converts currencies where the payment is international, submits a batch to the ledger
// where the customer is an institution, and sends a message to the counterparty, who has no spans.

const millisecond = 1_000_000

// The ways in which a settlement fails.
const (
	failsNot      = -1
	failsFX       = 0 // a currency conversion loses precision
	failsBatch    = 1 // the ledger takes too long for a batch of high volume
	failsProtocol = 2 // one counterparty refuses the message
	failsOddly    = 3 // in a way that no other trace has
)

type payment struct {
	n      int
	source string
	fails  int
	// international, institutional and counterparty are the payment's own.
	international, institutional bool
	volume, counterparty         int
	slow                         float64 // factor on the ledger's work
}

// resources of the world's services, shared by its spans.
type world struct {
	seed      uint64
	resources map[string]*tracewhy.Resource
	spans     []tracewhy.SpanData
	truth     map[tracewhy.TraceID]int // how each trace fails
}

func newWorld(seed uint64) *world {
	return &world{seed: seed, resources: map[string]*tracewhy.Resource{}, truth: map[tracewhy.TraceID]int{}}
}

// settlements makes traces of which a share fails, in the given ways, on average equally often.
func settlements(seed uint64, source string, n int, share float64, ways ...int) *world {
	w := newWorld(seed)
	w.settle(source, n, share, ways...)
	return w
}

func (w *world) settle(source string, n int, share float64, ways ...int) {
	for i := range n {
		r := stats.NewRand(w.seed, stats.Key(source), uint64(i))
		p := payment{n: i, source: source, fails: failsNot, slow: 1, international: r.IntN(3) == 0, institutional: r.IntN(4) == 0, volume: r.IntN(1000), counterparty: r.IntN(12)}
		if len(ways) > 0 && r.Float64() < share {
			switch p.fails = ways[r.IntN(len(ways))]; p.fails {
			case failsFX:
				p.international = true
			case failsBatch:
				p.institutional, p.volume = true, 900+r.IntN(100)
			case failsProtocol:
				p.counterparty = 7
			}
		}
		w.trace(r, p)
	}
}

func (w *world) trace(r *stats.Rand, p payment) {
	var id tracewhy.TraceID
	hi, lo := stats.NewRand(w.seed, stats.Key("id"), stats.Key(p.source), uint64(p.n)).Uint64(), uint64(p.n)+1
	for k := range 8 {
		id[k], id[8+k] = byte(hi>>(8*k)), byte(lo>>(8*k))
	}
	w.truth[id] = p.fails
	work := func(ms float64) float64 { return ms * (0.5 + r.Float64()*r.Float64()*3) }
	base := uint64(1_700_000_000_000_000_000) + uint64(p.n)*50*millisecond
	number := byte(0)
	span := func(parent byte, service, name string, kind tracewhy.Kind, start, end float64, err string) byte {
		number++
		if w.resources[service] == nil {
			w.resources[service] = &tracewhy.Resource{Attributes: []tracewhy.KeyValue{tracewhy.String("service.name", service)}}
		}
		s := tracewhy.SpanData{
			TraceID: id, SpanID: tracewhy.SpanID{7: number}, Name: name, Kind: kind, Source: p.source,
			Start: base + uint64(start*millisecond), End: base + uint64(end*millisecond), Resource: w.resources[service],
		}
		if parent > 0 {
			s.ParentSpanID = tracewhy.SpanID{7: parent}
		}
		if err != "" {
			s.Status, s.StatusMessage = tracewhy.StatusError, err
		}
		w.spans = append(w.spans, s)
		return number
	}
	extend := func(n byte, end float64, err string) {
		s := &w.spans[len(w.spans)-int(number)+int(n)-1]
		s.End = base + uint64(end*millisecond)
		if err != "" {
			s.Status, s.StatusMessage = tracewhy.StatusError, err
		}
	}

	entry, name := "gateway", "POST /settlements"
	if r.IntN(4) == 0 {
		entry, name = "scheduler", "nightly run"
	}
	root := span(0, entry, name, tracewhy.KindServer, 0, 0, "")
	at := work(1)
	call := span(root, entry, "settle", tracewhy.KindClient, at, 0, "")
	at += work(0.5)
	settle := span(call, "settlement", "settle", tracewhy.KindServer, at, 0, "")
	at += work(1)
	finish := func(why string) {
		if why != "" {
			why = "settlement failed: " + why
		}
		at += work(1)
		extend(settle, at, why)
		at += work(0.5)
		extend(call, at, why)
		at += work(1)
		extend(root, at, why)
		s := &w.spans[len(w.spans)-int(number)]
		kind, customer := "domestic", "retail"
		if p.international {
			kind = "international"
		}
		if p.institutional {
			customer = "institution"
		}
		s.Attributes = []tracewhy.KeyValue{
			tracewhy.String("settlement.type", kind), tracewhy.String("customer.segment", customer),
			tracewhy.Int("settlement.volume", int64(p.volume)), tracewhy.String("counterparty", fmt.Sprint("cp-", p.counterparty)),
		}
	}
	// validation, with a cache
	validate := span(settle, "settlement", "validate", tracewhy.KindInternal, at, 0, "")
	at += work(2)
	if r.IntN(3) == 0 {
		query := at
		at += work(6)
		span(validate, "settlement", "SELECT accounts", tracewhy.KindClient, query, at, "")
	}
	at += work(0.5)
	extend(validate, at, "")
	if p.fails == failsOddly && r.IntN(2) == 0 {
		what := fmt.Sprintf("fault-%c%c", 'a'+p.n%26, 'a'+p.n/26%26)
		start := at
		at += work(float64(1 + p.n%60))
		span(settle, "settlement", "step "+string(rune('a'+p.n%26))+string(rune('a'+p.n/26%26)), tracewhy.KindInternal, start, at, what)
		finish(what)
		return
	}
	if p.international {
		convert := span(settle, "settlement", "convert", tracewhy.KindClient, at, 0, "")
		at += work(0.3)
		begin := at
		at += work(4)
		why := ""
		if p.fails == failsFX {
			why = fmt.Sprintf("rounding of %d.%03d JPY loses precision", p.volume, r.IntN(1000))
		}
		span(convert, "fx", "convert", tracewhy.KindServer, begin, at, why)
		at += work(0.3)
		extend(convert, at, why)
		if why != "" {
			finish(why)
			return
		}
	}
	if p.institutional {
		submit := span(settle, "settlement", "submit batch", tracewhy.KindClient, at, 0, "")
		at += work(0.3)
		begin := at
		at += work(10) * p.slow
		why := ""
		if p.fails == failsBatch {
			at = begin + 2000 + work(10)
			why = fmt.Sprintf("context deadline exceeded after 2s: batch of %d", p.volume)
		}
		span(submit, "ledger", "append", tracewhy.KindServer, begin, at+work(3), "")
		extend(submit, at, why)
		if why != "" {
			finish(why)
			return
		}
		at += work(3)
	}
	start := at
	at += work(15)
	why := ""
	switch p.fails {
	case failsProtocol:
		why = fmt.Sprintf("protocol violation: unexpected field 57A in message %d", r.IntN(1_000_000))
	case failsOddly:
		why = fmt.Sprintf("odd-%c%c", 'a'+p.n%26, 'a'+p.n/26%26)
	}
	sender := "settlement"
	if p.fails == failsOddly {
		sender = fmt.Sprintf("sender-%c", 'a'+p.n%26)
	}
	span(settle, sender, "send message", tracewhy.KindClient, start, at, why)
	finish(why)
}

// lose drops a share of the spans.
func (w *world) lose(share float64) {
	var kept []tracewhy.SpanData
	for i, s := range w.spans {
		if stats.NewRand(w.seed, stats.Key("lost"), uint64(i)).Float64() >= share {
			kept = append(kept, s)
		}
	}
	w.spans = kept
}

// set builds the world's Set.
func (w *world) set() *tracewhy.Set { return tracewhy.SetOf(w.spans...) }

// failing returns the traces whose root failed.
func failing(set *tracewhy.Set, source string) tracewhy.Cohort {
	return set.Source(source).Select(func(t tracewhy.Trace) bool { return t.Root().Failed() })
}

// labels returns the truth and what was found, for the traces of a cohort.
func (w *world) labels(c tracewhy.Cohort, r *ModesResult) (truth, found []int) {
	for t := range c.Traces() {
		truth = append(truth, w.truth[t.ID()])
		at := -1
		for g := range r.Modes {
			if r.Modes[g].Traces.Has(t) {
				at = g
			}
		}
		found = append(found, at)
	}
	return truth, found
}
