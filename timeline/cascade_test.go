package timeline_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/tracetext"
	"github.com/tracewhy/tracewhy/timeline"
)

// A call is a span of a generated trace, in milliseconds.
type call struct {
	at, took float64
	name     string
	instance string
	failed   bool
	calls    []call
}

// traceOf returns the spans of a request.
func traceOf(i int, root call) []tracewhy.SpanData {
	var out []tracewhy.SpanData
	id := tracewhy.TraceID{0: 1, 14: byte(i >> 8), 15: byte(i)}
	var add func(c call, parent byte)
	add = func(c call, parent byte) {
		service, name, _ := strings.Cut(c.name, "/")
		s := tracewhy.SpanData{
			TraceID: id, SpanID: tracewhy.SpanID{byte(len(out) + 1)}, Name: name, Kind: tracewhy.KindServer,
			Start: uint64(tracetext.Epoch + int64(c.at*1e6)), End: uint64(tracetext.Epoch + int64((c.at+c.took)*1e6)),
			Resource: &tracewhy.Resource{Attributes: []tracewhy.KeyValue{tracewhy.String("service.name", service), tracewhy.String("service.instance.id", c.instance)}},
		}
		if parent > 0 {
			s.ParentSpanID, s.Kind = tracewhy.SpanID{parent}, tracewhy.KindInternal
		}
		if c.failed {
			s.Status = tracewhy.StatusError
		}
		out = append(out, s)
		number := byte(len(out))
		for _, x := range c.calls {
			add(x, number)
		}
	}
	add(root, 0)
	return out
}

// Twenty minutes of requests, of which something is different from the twelfth on.
func TestCascades(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long: run without -short")
	}
	const length, change = 20 * 60_000, 12 * 60_000
	free := make([]float64, 4) // when each connection of a pool is
	for _, test := range []struct {
		kind    timeline.CascadeKind
		subject string // in the reason
		every   float64
		request func(r *rand.Rand, at float64) call
	}{
		{timeline.CascadeRetries, "pay charge", 600, func(r *rand.Rand, at float64) call {
			c := call{at: at, took: 200, name: "pay/POST"}
			for try := range 3 {
				failed := at >= change && r.Float64() < 0.7
				c.calls = append(c.calls, call{at: at + 10 + 50*float64(try), took: 20 + 10*r.Float64(), name: "pay/charge", failed: failed})
				if c.failed = failed; !failed {
					break
				}
			}
			return c
		}},
		{timeline.CascadeCache, "shop SELECT", 600, func(r *rand.Rand, at float64) call {
			c := call{at: at, took: 50 + 20*r.Float64(), name: "shop/GET"}
			if miss := 0.1; r.Float64() < miss || at >= change && r.Float64() < 0.6 {
				c.calls = []call{{at: at + 5, took: 10 + 10*r.Float64(), name: "shop/SELECT"}}
			}
			return c
		}},
		{timeline.CascadePool, "bank query", 100, func(r *rand.Rand, at float64) call {
			hold := 150 + 100*r.Float64()
			if at >= change {
				hold *= 2.2
			}
			first := slices.Index(free, slices.Min(free))
			begin := max(at+2, free[first])
			free[first] = begin + hold
			return call{at: at, took: begin + hold + 2 - at, name: "bank/GET", calls: []call{{at: begin, took: hold, name: "bank/query"}}}
		}},
		{timeline.CascadeInstance, "b b-2", 600, func(r *rand.Rand, at float64) call {
			instance, took := "b-1", 40+20*r.Float64()
			if r.Float64() < 0.5 {
				if instance = "b-2"; at >= change {
					took += 60
				}
			}
			return call{at: at, took: took + 10, name: "a/GET", instance: "a-1", calls: []call{{at: at + 5, took: took, name: "b/GET", instance: instance}}}
		}},
	} {
		r := rand.New(rand.NewPCG(7, uint64(test.kind)))
		var spans []tracewhy.SpanData
		at := 0.0
		for i := 0; at < length; i++ {
			spans = append(spans, traceOf(i, test.request(r, at))...)
			at += test.every * r.ExpFloat64()
		}
		result, err := timeline.ChangePoints(context.Background(), tracewhy.SetOf(spans...).All(), timeline.ChangePointsConfig{})
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for _, c := range result.Cascades {
			t.Logf("%v: %v: %s", test.kind, c.Kind, c.Reason)
			found = found || c.Kind == test.kind && strings.Contains(c.Reason, test.subject) && !slices.Contains(c.Events, -1)
			if c.Kind == timeline.CascadePool && (c.Size < 3.6 || c.Size > 4.1) {
				t.Errorf("a pool of %v, of 4 connections", c.Size)
			}
			if c.Kind != test.kind {
				t.Errorf("%v: %v is another kind", test.kind, c)
			}
		}
		if !found {
			t.Errorf("%v of %s was not seen in %v", test.kind, test.subject, result.Events)
		}
	}
}
