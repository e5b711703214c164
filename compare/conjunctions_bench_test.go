package compare

import (
	"context"
	"fmt"
	"testing"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/stats"
)

// The whole search, reading included, where two conditions together are a cause, and a tenth is affected:
//
//	go test ./compare -run '^$' -bench Conjunctions -benchtime 1x -benchmem
func BenchmarkConjunctions(b *testing.B) {
	for _, size := range []struct{ traces, keys int }{{660, 30}, {10_000, 100}, {100_000, 300}} {
		b.Run(fmt.Sprintf("traces=%d/keys=%d", size.traces, size.keys), func(b *testing.B) {
			var builder tracewhy.Builder
			for n := range size.traces {
				r := stats.NewRand(1, uint64(n))
				isNew, isBulk := r.Float64() < 0.15, r.Float64() < 0.15
				affected := n%11 == 0
				if affected && n%3 > 0 {
					isNew, isBulk = true, true
				}
				s := oneSpan(n, "GET /", affected, append(noise(r, size.keys-2), tracewhy.Bool("new", isNew), tracewhy.Bool("bulk", isBulk))...)
				builder.Add(&s)
			}
			set, err := builder.Build(context.Background())
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				r, err := Conjunctions(context.Background(), set.Source("baseline"), set.Source("incident"), ConjunctionsConfig{})
				if err != nil || inWords(r) != "bulk = true and new = true" {
					b.Fatal(err, inWords(r))
				}
				b.ReportMetric(float64(r.Depths[2].Tested), "triples")
				b.ReportMetric(float64(r.Items), "items")
			}
		})
	}
}
