package compare

import (
	"context"
	"fmt"
	"testing"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/stats"
)

// The whole comparison of traces with 300 attributes, a tenth of them affected:
//
//	go test ./compare -run '^$' -bench Attributes -benchtime 1x -benchmem
func BenchmarkAttributes(b *testing.B) {
	for _, traces := range []int{1_000, 10_000, 100_000} {
		b.Run(fmt.Sprint(traces), func(b *testing.B) {
			var builder tracewhy.Builder
			for n := range traces {
				r := stats.NewRand(1, uint64(n))
				affected := n%10 == 0
				s := oneSpan(n, "GET /", affected, append(noise(r, 299), tracewhy.Bool("beta", with(r, affected, 0.02, 0.5)))...)
				builder.Add(&s)
			}
			set, err := builder.Build(context.Background())
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				r, err := Attributes(context.Background(), set.Source("baseline"), set.Source("incident"), AttributesConfig{})
				if err != nil || len(r.Findings) == 0 {
					b.Fatal(err, r)
				}
			}
		})
	}
}
