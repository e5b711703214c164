// Package logins generates the traces of a morning on which a database becomes slow, and logins fail later, for tests.
package logins

import (
	"math/rand/v2"
	"time"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/tracetext"
)

// World is what happens: a gateway calls auth, which asks a database that has no spans.
type World struct {
	Traces int
	Length time.Duration // from [tracetext.Epoch] on
	// When, as shares of the length: the database becomes slow, logins fail, and both are over.
	Slow, Failing, Over float64
}

// Calm is one in which nothing happens.
func Calm(traces int, length time.Duration) World { return World{traces, length, 2, 2, 2} }

// Spans returns the spans, with a database that takes 5 ms longer when it is slow.
func (w World) Spans(seed uint64) []tracewhy.SpanData { return w.Slowed(seed, 5*time.Millisecond) }

// Slowed returns the spans, with a database that takes so much longer when it is slow.
func (w World) Slowed(seed uint64, by time.Duration) []tracewhy.SpanData {
	r := rand.New(rand.NewPCG(seed, 1))
	resource := func(service string) *tracewhy.Resource {
		return &tracewhy.Resource{Attributes: []tracewhy.KeyValue{tracewhy.String("service.name", service), tracewhy.String("host.name", service+"-1")}}
	}
	gateway, auth := resource("gateway"), resource("auth")
	var out []tracewhy.SpanData
	for i := range w.Traces {
		at := r.Float64()
		begin := uint64(tracetext.Epoch + int64(at*float64(w.Length)))
		const us = 1000
		query := uint64(1000+1000*r.ExpFloat64()) * us
		if w.Slow <= at && at < w.Over {
			query += uint64(by)
		}
		work := uint64(40_000+20_000*r.ExpFloat64()) * us
		status := tracewhy.StatusUnset
		if p := r.Float64(); p < 0.005 || w.Failing <= at && at < w.Over && p < 0.4 {
			status = tracewhy.StatusError
		}
		id := tracewhy.TraceID{0: 1, 12: byte(i >> 24), 13: byte(i >> 16), 14: byte(i >> 8), 15: byte(i)}
		span := func(n, parent byte, name string, kind tracewhy.Kind, of *tracewhy.Resource, start, end uint64, attrs ...tracewhy.KeyValue) {
			s := tracewhy.SpanData{TraceID: id, SpanID: tracewhy.SpanID{n}, Name: name, Kind: kind, Resource: of, Start: start, End: end, Attributes: attrs, Status: status}
			if parent != 0 {
				s.ParentSpanID = tracewhy.SpanID{parent}
			}
			if n == 4 {
				s.Status = tracewhy.StatusUnset
			}
			out = append(out, s)
		}
		end := begin + 4000*us + query + work
		span(1, 0, "POST /login", tracewhy.KindServer, gateway, begin, end)
		span(2, 1, "login", tracewhy.KindClient, gateway, begin+1000*us, end-1000*us)
		span(3, 2, "login", tracewhy.KindServer, auth, begin+2000*us, end-2000*us)
		span(4, 3, "SELECT users", tracewhy.KindClient, auth, begin+2000*us, begin+2000*us+query, tracewhy.String("server.address", "users-db"))
	}
	return out
}
