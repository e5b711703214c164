package timeline_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/tracetext"
	"github.com/tracewhy/tracewhy/timeline"
)

func ExampleAlign() {
	// The clock of web is 20 ms ahead of that of db: a call seems to begin before it is made.
	set := tracetext.Set(`
		trace one
		web/GET 20+50 client resource.host.name=web
		  db/get 2+45 server resource.host.name=db
		trace two at=1000
		web/GET 20+9 client resource.host.name=web
		  db/get 1.5+7 server resource.host.name=db
	`)
	a, err := timeline.Align(context.Background(), set.All(), timeline.AlignConfig{})
	if err != nil {
		fmt.Println(err)
		return
	}
	low, high, _ := a.Offset("db", "web", tracetext.Epoch)
	fmt.Printf("web is ahead of db by %v to %v\n", low.Round(100*time.Microsecond), high.Round(100*time.Microsecond))
	web := set.Trace(0).Root()
	for db := range web.Children() {
		begin, _, _ := web.Interval()
		began, ended, _ := db.Interval()
		fmt.Println("the call began", a.Order(web, begin, db, began), "the query began, and", a.Order(web, begin, db, ended), "it ended")
	}
	// Output:
	// web is ahead of db by 18.4ms to 21.5ms
	// the call began unknown the query began, and before it ended
}

// calls returns a Set of calls from host a to host b, whose clock is ahead by what offset says at a time. Requests
// take a lognormal time of the given asymmetry times that of responses.
func calls(r *rand.Rand, n int, asymmetry float64, offset func(at float64) float64) (*tracewhy.Set, float64) {
	var spans []tracewhy.SpanData
	a := &tracewhy.Resource{Attributes: []tracewhy.KeyValue{tracewhy.String("service.name", "a"), tracewhy.String("host.name", "a")}}
	b := &tracewhy.Resource{Attributes: []tracewhy.KeyValue{tracewhy.String("service.name", "b"), tracewhy.String("host.name", "b")}}
	squares := 0.0
	leg := func(median float64) float64 { return median * math.Exp(r.NormFloat64()) }
	for i := range n {
		at := float64(i)*50 + 10*r.Float64() // in milliseconds
		request, work, response := leg(0.5*asymmetry), 5*r.Float64(), leg(0.5)
		ns := func(ms float64) uint64 { return uint64(tracetext.Epoch + int64(ms*1e6)) }
		id := tracewhy.TraceID{0: 1, 14: byte(i >> 8), 15: byte(i)}
		skew := offset(at)
		spans = append(spans,
			tracewhy.SpanData{TraceID: id, SpanID: tracewhy.SpanID{1}, Name: "call", Kind: tracewhy.KindClient, Resource: a,
				Start: ns(at), End: ns(at + request + work + response)},
			tracewhy.SpanData{TraceID: id, SpanID: tracewhy.SpanID{2}, ParentSpanID: tracewhy.SpanID{1}, Name: "serve", Kind: tracewhy.KindServer, Resource: b,
				Start: ns(at + request + skew), End: ns(at + request + work + skew)})
		// Jaeger's adjuster centres each callee in its call: its error is half of what the legs differ by.
		squares += (request - response) / 2 * (request - response) / 2
	}
	return tracewhy.SetOf(spans...), math.Sqrt(squares / float64(n))
}

func TestAlignHoldsTheTruth(t *testing.T) {
	for _, test := range []struct {
		asymmetry float64
		pairs     int
	}{{1, 20}, {1, 200}, {3, 20}, {3, 200}, {10, 20}, {10, 200}} {
		const reps = 40
		errors2, jaeger2, width := 0.0, 0.0, 0.0
		for rep := range uint64(reps) {
			r := rand.New(rand.NewPCG(rep, 3))
			truth := 200*r.Float64() - 100
			set, perSpan := calls(r, test.pairs, test.asymmetry, func(float64) float64 { return truth })
			a, err := timeline.Align(context.Background(), set.All(), timeline.AlignConfig{})
			if err != nil {
				t.Fatal(err)
			}
			low, high, ok := a.Offset("a", "b", tracetext.Epoch)
			l, h := low.Seconds()*1e3, high.Seconds()*1e3
			if !ok || truth < l || truth > h {
				t.Fatalf("%+v: the offset of %v ms is not in %v to %v", test, truth, l, h)
			}
			back, forth, _ := a.Offset("b", "a", tracetext.Epoch)
			if back != -high || forth != -low {
				t.Fatalf("the other way round it is %v to %v, not %v to %v", back, forth, -high, -low)
			}
			errors2 += ((l+h)/2 - truth) * ((l+h)/2 - truth)
			jaeger2 += perSpan * perSpan
			width += h - l
		}
		rmse, jaeger := math.Sqrt(errors2/reps), math.Sqrt(jaeger2/reps)
		t.Logf("requests %v times responses, %d pairs: error %.3f ms, interval %.2f ms wide, per span %.2f ms", test.asymmetry, test.pairs, rmse, width/reps, jaeger)
		if rmse > jaeger/10 {
			t.Errorf("%+v: the error is %.3f ms, and that of the per-span adjuster %.2f", test, rmse, jaeger)
		}
	}
}

// Clocks that drift, or are set, or hosts of which a few calls contradict the rest.
func TestAlignClocksThatMove(t *testing.T) {
	for _, test := range []struct {
		name    string
		offset  func(at float64) float64
		windows bool // more than one
	}{
		{"drift", func(at float64) float64 { return 30 + at*100e-6 }, true}, // 5 ms in all
		{"a step", func(at float64) float64 { return 30 - 80*math.Round(min(at/40_000, 1)) }, true},
		{"a few that contradict", func(at float64) float64 {
			if int(at/50)%100 == 7 {
				return 500
			}
			return 30
		}, false},
	} {
		set, _ := calls(rand.New(rand.NewPCG(1, 2)), 1000, 1, test.offset)
		a, err := timeline.Align(context.Background(), set.All(), timeline.AlignConfig{})
		if err != nil {
			t.Fatal(err)
		}
		if len(a.Clocks) != 1 || len(a.Clocks[0].Windows) > 1 != test.windows || len(a.Clocks[0].Windows) == 0 {
			t.Errorf("%s: %+v", test.name, a.Clocks)
			continue
		}
		for at := 25.0; at < 50_000; at += 500 {
			truth := test.offset(at)
			low, high, ok := a.Offset("a", "b", tracetext.Epoch+int64(at*1e6))
			if l, h := low.Seconds()*1e3, high.Seconds()*1e3; !ok || truth < l || truth > h {
				t.Errorf("%s: at %v ms the offset of %v is not in %v to %v", test.name, at, truth, l, h)
			}
		}
	}
}

func TestAlignBounds(t *testing.T) {
	for _, test := range []struct {
		why, text string
		from, to  string
		low, high time.Duration // to within a tick
		ok        bool
	}{
		{"a chain adds up", `
			a/x 0+100 client
			  b/x 210+80 server
			    b/y 220+60 client
			      c/y 520+50 server`, "a", "c", 480 * time.Millisecond, 510 * time.Millisecond, true},
		{"messages say nothing", `
			a/send 0+1 producer
			  b/receive 500+10 consumer`, "a", "b", 0, 0, false},
		{"a call that failed bounds one side only", `
			a/x 0+10 client error
			  b/x 5+80 server`, "a", "b", 0, 0, false},
		{"one that was not waited for too", `
			a/x 0+10 client
			  b/x 5+80 server`, "a", "b", 0, 0, false},
		{"no call", `
			a/x 0+10
			trace two
			b/x 5+80 server`, "a", "b", 0, 0, false},
		{"itself", "a/x 0+10", "a", "a", 0, 0, true},
		{"unknown", "a/x 0+10", "a", "z", 0, 0, false},
		{"no times", `
			a/x ?+? client
			  b/x 5+80 server`, "a", "b", 0, 0, false},
	} {
		a, err := timeline.Align(context.Background(), tracetext.Set(test.text).All(), timeline.AlignConfig{})
		if err != nil {
			t.Fatal(err)
		}
		low, high, ok := a.Offset(test.from, test.to, tracetext.Epoch)
		if ok != test.ok || ok && ((low-test.low).Abs() > 4*time.Millisecond || (high-test.high).Abs() > 4*time.Millisecond) {
			t.Errorf("%s: %v to %v, %v; want about %v to %v, %v", test.why, low, high, ok, test.low, test.high, test.ok)
		}
	}
	if _, err := timeline.Align(context.Background(), tracewhy.Cohort{}, timeline.AlignConfig{}); !errors.Is(err, timeline.ErrNoTraces) {
		t.Errorf("without traces: %v", err)
	}
}

func TestAlignLeavesTimes(t *testing.T) {
	set, _ := calls(rand.New(rand.NewPCG(4, 4)), 50, 2, func(float64) float64 { return -40 })
	a, err := timeline.Align(context.Background(), set.All(), timeline.AlignConfig{})
	if err != nil {
		t.Fatal(err)
	}
	for tr := range set.Traces() {
		for s := range tr.Spans() {
			start, end, _ := s.Interval()
			x, ok := a.Shift(s, "a")
			if !ok || x.End-x.Start != end-start {
				t.Fatalf("%v became %+v", s.Name(), x)
			}
			if s.Service() == "a" && (x != timeline.Shifted{Start: start, End: end}) {
				t.Fatalf("by its own clock it is %+v, recorded as %d", x, start)
			}
			if p, ok := s.Parent(); ok {
				began, ended, _ := p.Interval()
				if x.Start+int64(x.Slop) < began || x.End > ended {
					t.Fatalf("the callee ran from %d to %d, slop %v; its call from %d to %d", x.Start, x.End, x.Slop, began, ended)
				}
				if a.Order(p, began, s, end) != timeline.OrderBefore || a.Order(s, end, p, began) != timeline.OrderAfter {
					t.Fatal("a call began after it was answered")
				}
			}
		}
	}
	again, err := timeline.Align(context.Background(), set.All(), timeline.AlignConfig{})
	if err != nil || !reflect.DeepEqual(a, again) {
		t.Error("aligned twice, it differs")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	set, _ = calls(rand.New(rand.NewPCG(4, 4)), 600, 2, func(float64) float64 { return -40 })
	if _, err := timeline.Align(ctx, set.All(), timeline.AlignConfig{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
