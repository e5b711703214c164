package depgraph_test

import (
	"testing"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/stats"
)

// window says what is wrong in one window of the test world: a bank whose loans service asks its ledger,
// and a credit bureau that has no spans. Times are in milliseconds.
type window struct {
	traces     int
	every      float64 // between two requests; 0 means 1000
	peak       float64 // how many times as many requests come in the middle fifth; 0 means 1
	untagged   bool    // calls to the bureau have an address alone
	nameless   bool    // calls to the bureau have not even that, but a peer.service
	bureauSlow float64 // added to the bureau's answers
	bureauFail float64 // the share of its answers that are 500
	limit      float64 // requests a second beyond which the bureau answers 429; 0 means none
	retries    int     // after a refusal, by the client within one call
	pool       float64 // the wait for a connection before the bureau
	poolSpan   bool    // that wait has a span
	poolFail   float64 // the share of requests that wait for one in vain
	ledgerSlow float64
	connect    float64 // time to connect, in a span of its own
	refuse     float64 // the share of connections that are refused
	reject     float64 // the share of requests that the bureau calls wrong
	onlyPod    bool    // bureauSlow is seen by one of three pods only
	weight     float64
	synthetic  bool
	vendors    int // others, which are slow like the bureau
	rename     func(string) string
}

// world makes the spans of one window, in the order of requests.
func world(seed uint64, source string, w window) []tracewhy.SpanData {
	if w.every == 0 {
		w.every = 1000
	}
	name := func(s string) string { return s }
	if w.rename != nil {
		name = w.rename
	}
	pods := map[string]*tracewhy.Resource{}
	var out []tracewhy.SpanData
	clock, second, asked := 0.0, -1, 0
	for n := range w.traces {
		r := stats.NewRand(seed, stats.Key(source), uint64(n))
		between := w.every
		if w.peak > 0 && 5*n/w.traces == 2 {
			between /= w.peak
		}
		clock += between * (0.5 + r.Float64())
		if int(clock/1000) != second {
			second, asked = int(clock/1000), 0
		}
		pod := string(rune('a' + r.IntN(3)))
		id, spans := tracewhy.TraceID{0: source[0], 1: byte(seed), 13: byte(n >> 16), 14: byte(n >> 8), 15: byte(n)}, byte(0)
		span := func(parent byte, service, op string, kind tracewhy.Kind, start, length float64, attrs ...tracewhy.KeyValue) *tracewhy.SpanData {
			key := service + pod
			if pods[key] == nil {
				pods[key] = &tracewhy.Resource{Attributes: []tracewhy.KeyValue{
					tracewhy.String("service.name", name(service)), tracewhy.String("service.instance.id", pod), tracewhy.String("team", "team of "+name(service)),
				}}
			}
			spans++
			at := func(ms float64) uint64 { return 1_700_000_000_000_000_000 + uint64((clock+ms)*1e6) }
			s := tracewhy.SpanData{
				TraceID: id, SpanID: tracewhy.SpanID{7: spans}, Name: name(op), Kind: kind, Start: at(start), End: at(start + length),
				Attributes: attrs, Resource: pods[key], Source: source, Weight: w.weight,
			}
			if parent > 0 {
				s.ParentSpanID = tracewhy.SpanID{7: parent}
			}
			out = append(out, s)
			return &out[len(out)-1]
		}
		work := func(ms float64) float64 { return ms * (0.5 + r.Float64()) }
		first := len(out)
		span(0, "loans", "apply", tracewhy.KindServer, 0, 0)
		if w.synthetic {
			out[first].Attributes = []tracewhy.KeyValue{tracewhy.Bool("synthetic", true)}
		}
		t := work(2)
		call := work(4) + 1 + w.ledgerSlow
		client := span(1, "loans", "POST ledger", tracewhy.KindClient, t, call, tracewhy.String("server.address", "ledger.svc.local"))
		span(client.SpanID[7], "ledger", "book", tracewhy.KindServer, t+0.3, call-0.6)
		t += call + work(1)
		fail := func(i int, message string) {
			out[i].Status, out[i].StatusMessage = tracewhy.StatusError, message
			out[first].Status = tracewhy.StatusError
		}
		wait := work(w.pool + 0.1)
		inVain := r.Float64() < w.poolFail
		if w.poolSpan {
			span(1, "loans", "pool.acquire", tracewhy.KindInternal, t, wait)
			if inVain {
				fail(len(out)-1, "timeout waiting for a connection from the pool")
			}
		}
		t += wait
		if !inVain {
			slow := w.bureauSlow
			if w.onlyPod && pod != "a" {
				slow = 0
			}
			attrs := []tracewhy.KeyValue{tracewhy.String("server.address", name("api.creditbureau.com"))}
			if w.nameless {
				attrs = []tracewhy.KeyValue{tracewhy.String("peer.service", name("bureau"))}
			} else if !w.untagged {
				attrs = append(attrs, tracewhy.String("dependency.type", "external"), tracewhy.String("dependency.vendor", name("CreditBureau")))
			}
			begin := len(out)
			outer := span(1, "loans", "credit check", tracewhy.KindClient, t, 0, attrs...).SpanID[7]
			started := t
			if w.connect > 0 {
				c := work(w.connect)
				span(outer, "loans", "http.connect", tracewhy.KindInternal, t, c)
				t += c
			}
			answer, refused, isRejected := work(40)+slow, r.Float64() < w.refuse, r.Float64() < w.reject
			for try := 0; ; try++ {
				asked++
				isOver := w.limit > 0 && float64(asked) > w.limit
				length := answer
				if isOver {
					length = 2
				}
				if w.retries > 0 {
					a := span(outer, "loans", "POST", tracewhy.KindClient, t, length, attrs[0])
					if isOver {
						a.Status, a.Attributes = tracewhy.StatusError, append(a.Attributes, tracewhy.Int("http.response.status_code", 429))
					}
				}
				t += length
				if !isOver {
					break
				}
				if try >= w.retries {
					out[begin].Attributes = append(out[begin].Attributes, tracewhy.Int("http.response.status_code", 429))
					fail(begin, "")
					break
				}
				t += 200 * float64(int(1)<<try)
				asked -= 1 // by then others ask
			}
			out[begin].End = out[begin].Start + uint64((t-started)*1e6)
			switch {
			case refused:
				fail(begin, "dial tcp: connection refused")
			case isRejected:
				out[begin].Attributes = append(out[begin].Attributes, tracewhy.Int("http.response.status_code", 422))
				fail(begin, "")
			case r.Float64() < w.bureauFail:
				out[begin].Attributes = append(out[begin].Attributes, tracewhy.Int("http.response.status_code", 500))
				fail(begin, "")
			}
			for k := range w.vendors {
				length := work(10) + slow
				span(1, "loans", "ask "+string(rune('A'+k)), tracewhy.KindClient, t, length, tracewhy.String("server.address", "api.vendor-"+string(rune('a'+k))+".com"))
				t += length
			}
		} else if !w.poolSpan {
			fail(first, "timeout waiting for a connection from the pool")
		}
		t += work(1)
		out[first].End = out[first].Start + uint64(t*1e6)
	}
	return out
}

// worlds returns the Set of a baseline and an incident.
func worlds(t testing.TB, seed uint64, baseline, incident window) *tracewhy.Set {
	t.Helper()
	if baseline.traces == 0 {
		baseline.traces = 300
	}
	if incident.traces == 0 {
		incident.traces = 300
	}
	return tracewhy.SetOf(append(world(seed, "baseline", baseline), world(seed, "incident", incident)...)...)
}
