package baseline_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/compare/baseline"
	"github.com/tracewhy/tracewhy/internal/stats"
)

// knobs say how a day of the test's shop is. Its traces begin with POST /pay, or else GET /cart. A payment asks
// cards, which asks a vendor, and books in the ledger once or more often. Spans of one trace depend on each other: a
// trace is slow, or fails, as a whole.
type knobs struct {
	traces  int
	day     int     // after the first
	slow    float64 // factor of the ledger's durations; 0 means 1
	fails   float64 // share of payments that the vendor fails
	checks  float64 // share of payments that are checked for fraud: a new operation
	skips   float64 // share of payments that are not booked
	twice   float64 // share of payments of which each booking is made twice
	version string  // of cards; "" means 1.0
	vendor  string  // "" means visa
	carts   float64 // share of traces that are carts; 0 means 0.3
	lost    float64 // share of traces that lose a span
	weight  float64
	memory  float64 // how much of the pace of a trace is that of the trace before
	daily   float64 // how much the pace of a day differs from others, at most
}

var epoch = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

func (k knobs) spans(seed uint64) []tracewhy.SpanData {
	or := func(x, otherwise float64) float64 {
		if x == 0 {
			return otherwise
		}
		return x
	}
	text := func(s, otherwise string) string {
		if s == "" {
			return otherwise
		}
		return s
	}
	k.slow, k.carts, k.version, k.vendor = or(k.slow, 1), or(k.carts, 0.3), text(k.version, "1.0"), text(k.vendor, "visa")
	resources := map[string]*tracewhy.Resource{}
	resource := func(service string, instance int) *tracewhy.Resource {
		key := fmt.Sprint(service, instance)
		if resources[key] == nil {
			attrs := []tracewhy.KeyValue{tracewhy.String("service.name", service), tracewhy.String("service.instance.id", fmt.Sprintf("%s-%c", service, 'a'+instance))}
			if service == "cards" {
				attrs = append(attrs, tracewhy.String("service.version", k.version))
			}
			resources[key] = &tracewhy.Resource{Attributes: attrs}
		}
		return resources[key]
	}
	var out []tracewhy.SpanData
	mood, today := 0.0, 1+k.daily*(2*stats.NewRand(seed, uint64(k.day)).Float64()-1)
	for n := range k.traces {
		r := stats.NewRand(seed, uint64(k.day), uint64(n))
		id := tracewhy.TraceID{0: 1, 10: byte(k.day), 11: byte(seed >> 8), 12: byte(seed), 13: byte(n >> 16), 14: byte(n >> 8), 15: byte(n)}
		start := uint64(epoch.AddDate(0, 0, k.day).UnixNano()) + uint64(n)*1_000_000_000
		pace := 0.5 + r.Float64() + r.Float64()*r.Float64() // of the whole trace
		if k.memory > 0 {
			news := 1.7 * (r.Float64() + r.Float64() + r.Float64() + r.Float64() - 2) // nearly normal
			mood = k.memory*mood + math.Sqrt(1-k.memory*k.memory)*news
			pace = math.Exp(0.4 * mood)
		}
		pace *= today
		number := byte(0)
		span := func(parent byte, service, name string, kind tracewhy.Kind, from, took float64, failed bool, attrs ...tracewhy.KeyValue) byte {
			number++
			s := tracewhy.SpanData{
				TraceID: id, SpanID: tracewhy.SpanID{7: number}, Name: name, Kind: kind, Weight: k.weight, Attributes: attrs,
				Start: start + uint64(from*1e6), End: start + uint64((from+took)*1e6), Resource: resource(service, n%2),
			}
			if parent > 0 {
				s.ParentSpanID = tracewhy.SpanID{7: parent}
			}
			if failed {
				s.Status = tracewhy.StatusError
			}
			out = append(out, s)
			return number
		}
		if r.Float64() < k.carts {
			root := span(0, "shop", "GET /cart", tracewhy.KindServer, 0, 8*pace, false)
			span(root, "shop", "SELECT cart", tracewhy.KindClient, 1, 5*pace, false, tracewhy.String("server.address", "db"))
			continue
		}
		fails, checks, skips, twice, lost := r.Float64() < k.fails, r.Float64() < k.checks, r.Float64() < k.skips, r.Float64() < k.twice, r.Float64() < k.lost
		bookings := 1 + r.IntN(3)
		if twice {
			bookings *= 2
		}
		book := 4 * pace * k.slow
		total := 30*pace + float64(bookings)*book
		root := span(0, "shop", "POST /pay", tracewhy.KindServer, 0, total, fails)
		if !lost {
			cards := span(root, "cards", "charge", tracewhy.KindServer, 1, 20*pace, fails)
			span(cards, "cards", "POST", tracewhy.KindClient, 2, 15*pace, fails, tracewhy.String("server.address", k.vendor))
		} else {
			number++
			span(number, "cards", "POST", tracewhy.KindClient, 2, 15*pace, fails, tracewhy.String("server.address", k.vendor))
		}
		if checks {
			span(root, "fraud", "check", tracewhy.KindServer, 21*pace, 3, false)
		}
		if skips || fails {
			continue
		}
		for i := range bookings {
			span(root, "ledger", "book", tracewhy.KindServer, 25*pace+float64(i)*book, book*0.9, false)
		}
	}
	return out
}

func (k knobs) cohort(seed uint64) tracewhy.Cohort { return tracewhy.SetOf(k.spans(seed)...).All() }

func (k knobs) take(t testing.TB, seed uint64, cfg baseline.Config) *baseline.Snapshot {
	t.Helper()
	return take(t, k.cohort(seed), cfg)
}

func take(t testing.TB, c tracewhy.Cohort, cfg baseline.Config) *baseline.Snapshot {
	t.Helper()
	s, err := baseline.Take(context.Background(), c, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func compare(t testing.TB, a, b *baseline.Snapshot, cfg baseline.Config) *baseline.Comparison {
	t.Helper()
	c, err := baseline.Diff(context.Background(), a, b, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func encode(t testing.TB, x any) []byte {
	t.Helper()
	data, err := json.Marshal(x)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func decode(t testing.TB, data []byte) *baseline.Snapshot {
	t.Helper()
	s, err := baseline.Read(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return s
}
