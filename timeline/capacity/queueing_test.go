package capacity_test

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/tracetext"
	"github.com/tracewhy/tracewhy/timeline/capacity"
)

// A recordedAs says what of a wait the spans of a generated shop show.
type recordedAs int

const (
	waitWithin   recordedAs = iota // a query's span begins when it has to wait
	waitBefore                     // and when it is its turn
	waitSpan                       // likewise, after a span of the wait
	waitForHold                    // likewise, and its caller goes on with the connection
	nothingWaits                   // all queries run at once
	shared                         // all queries run at once, and share a processor
)

// queue is a generated shop, whose queries wait for one of some connections.
type queue struct {
	servers int
	load    float64 // of each server
	as      recordedAs
	service func(*rand.Rand) float64 // how long a query takes, in units of its mean
	weight  float64                  // of traces
}

func exponential(r *rand.Rand) float64 { return r.ExpFloat64() }
func constant(*rand.Rand) float64      { return 1 }
func lognormal(r *rand.Rand) float64   { return math.Exp(0.5*r.NormFloat64() - 0.125) }

const meanQuery = 50.0 // milliseconds

// spans returns n requests.
func (q queue) spans(seed uint64, n int) []tracewhy.SpanData {
	r := rand.New(rand.NewPCG(seed, 2))
	var out []tracewhy.SpanData
	free := make([]float64, q.servers)
	at := 0.0
	arrivals, begins, ends := make([]float64, n), make([]float64, n), make([]float64, n)
	for i := range n {
		at += meanQuery / (q.load * float64(q.servers)) * r.ExpFloat64()
		arrivals[i] = at
		first := slices.Index(free, slices.Min(free))
		begins[i] = at
		if q.as < nothingWaits {
			begins[i] = max(at, free[first])
		}
		ends[i] = begins[i] + meanQuery*q.service(r)
		free[first] = ends[i]
	}
	if q.as == shared {
		ends = shareProcessor(arrivals, ends)
	}
	resource := &tracewhy.Resource{Attributes: []tracewhy.KeyValue{tracewhy.String("service.name", "bank"), tracewhy.String("service.instance.id", "bank-1")}}
	for i := range n {
		id := tracewhy.TraceID{0: 1, 12: byte(i >> 24), 13: byte(i >> 16), 14: byte(i >> 8), 15: byte(i)}
		add := func(number, parent byte, name string, kind tracewhy.Kind, from, to float64) {
			s := tracewhy.SpanData{
				TraceID: id, SpanID: tracewhy.SpanID{number}, Name: name, Kind: kind, Resource: resource, Weight: q.weight,
				Start: uint64(tracetext.Epoch + int64(from*1e6)), End: uint64(tracetext.Epoch + int64(to*1e6)),
			}
			if parent > 0 {
				s.ParentSpanID = tracewhy.SpanID{parent}
			}
			if kind == tracewhy.KindClient {
				s.Attributes = []tracewhy.KeyValue{tracewhy.String("server.address", "accounts-db")}
			}
			out = append(out, s)
		}
		begin, work := begins[i], 0.2+0.1*r.Float64()
		switch q.as {
		case waitSpan:
			add(1, 0, "GET /accounts", tracewhy.KindServer, arrivals[i]-work, ends[i]+work)
			add(2, 1, "pool.acquire", tracewhy.KindInternal, arrivals[i], begin)
		case waitForHold:
			add(1, 0, "GET /accounts", tracewhy.KindServer, arrivals[i]-work, ends[i])
			add(2, 1, "pool.acquire", tracewhy.KindInternal, arrivals[i], begin)
			ends[i] = begin + (ends[i]-begin)*r.Float64()
		case waitBefore:
			add(1, 0, "GET /accounts", tracewhy.KindServer, arrivals[i]-work, ends[i]+work)
		default:
			add(1, 0, "GET /accounts", tracewhy.KindServer, arrivals[i]-work, ends[i]+work)
			begin = arrivals[i]
		}
		add(3, 1, "SELECT accounts", tracewhy.KindClient, begin, ends[i])
	}
	return out
}

// shareProcessor returns when requests end that share one processor, given when each would if it were alone.
func shareProcessor(arrivals, alone []float64) []float64 {
	ends := make([]float64, len(arrivals))
	left := map[int]float64{}
	now, next := arrivals[0], 0
	for next < len(arrivals) || len(left) > 0 {
		until := math.Inf(1)
		if next < len(arrivals) {
			until = arrivals[next]
		}
		first, least := -1, math.Inf(1)
		for i, x := range left {
			if x < least || x == least && i < first {
				first, least = i, x
			}
		}
		step := (until - now) / max(float64(len(left)), 1)
		if first >= 0 && least <= step {
			step = least
		}
		for i := range left {
			left[i] -= step
		}
		if first >= 0 && step == least {
			now += step * float64(len(left))
			ends[first] = now
			delete(left, first)
			continue
		}
		now = until
		left[next] = alone[next] - arrivals[next]
		next++
	}
	return ends
}

func (q queue) resources(t testing.TB, seed uint64, n int) *capacity.ResourcesResult {
	t.Helper()
	r, err := capacity.Resources(context.Background(), tracewhy.SetOf(q.spans(seed, n)...).All(), capacity.ResourcesConfig{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// find returns the resource of a kind.
func find(t testing.TB, r *capacity.ResourcesResult, kind capacity.Kind) *capacity.Resource {
	t.Helper()
	for i := range r.Resources {
		if r.Resources[i].Kind == kind {
			return &r.Resources[i]
		}
	}
	t.Fatalf("no %v in %v", kind, r.Resources)
	return nil
}
