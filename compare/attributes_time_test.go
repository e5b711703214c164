package compare

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/stats"
)

// Worlds without a cause in which outcomes and attributes depend on time. Traces that are taken for
// exchangeable then find something; Autocorrelated and Period are the answers. The long run is
//
//	go test ./compare -run TestAttributesInTime -v -worlds 1000
func TestAttributesInTime(t *testing.T) {
	const n = 600
	remembering := func(r *stats.Rand) func() float64 { // a series of variance 1 and autocorrelation 0.8
		x := normal(r)
		return func() float64 {
			x = 0.8*x + 0.6*normal(r)
			return x
		}
	}
	worlds := min(*worlds, 1000)
	for _, c := range []struct {
		name     string
		answer   AttributesConfig
		seasonal bool
	}{
		{"memory", AttributesConfig{Autocorrelated: true}, false},
		{"season", AttributesConfig{Period: 100 * time.Millisecond}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			naive, answered := 0, 0
			for w := range worlds {
				r := stats.NewRand(uint64(w), stats.Key(c.name))
				outcome := remembering(r)
				var series []func() float64
				for range 5 {
					series = append(series, remembering(r))
				}
				var spans []tracewhy.SpanData
				for i := range n {
					late := i/100%2 == 1 // one trace a millisecond: half the days of 200 ms
					share := 0.05
					if late && c.seasonal {
						share = 0.3
					}
					fails := r.Float64() < share
					if !c.seasonal {
						fails = outcome() > 1.2
					}
					var attrs []tracewhy.KeyValue
					for k, next := range series {
						on := next() > 0.5
						if c.seasonal {
							on = r.Float64() < map[bool]float64{false: 0.2, true: 0.6}[late]
						}
						attrs = append(attrs, tracewhy.Bool(fmt.Sprint("on.", k), on))
					}
					spans = append(spans, oneSpan(i, "GET /", fails, attrs...))
				}
				if len(attributesOf(t, spans, AttributesConfig{Seed: uint64(w)}).Findings) > 0 {
					naive++
				}
				cfg := c.answer
				cfg.Seed = uint64(w)
				if len(attributesOf(t, spans, cfg).Findings) > 0 {
					answered++
				}
			}
			t.Logf("any finding in %d of %d, with the answer in %d", naive, worlds, answered)
			if limit := 0.05 + 4*math.Sqrt(0.05*0.95/float64(worlds)); float64(answered) > limit*float64(worlds) {
				t.Errorf("with the answer: any finding in %d of %d, limit %.3f", answered, worlds, limit)
			}
			if naive <= 2*answered {
				t.Errorf("any finding in %d of %d, with the answer in %d: the world is no trap", naive, worlds, answered)
			}
		})
	}
}

// normal returns a number of nearly a normal distribution: the sum of twelve of a uniform one.
func normal(r *stats.Rand) float64 {
	x := -6.0
	for range 12 {
		x += r.Float64()
	}
	return x
}
