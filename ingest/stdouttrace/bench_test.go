package stdouttrace_test

import (
	"context"
	"strings"
	"testing"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/ingest/input"
	"github.com/tracewhy/tracewhy/ingest/stdouttrace"
)

// BenchmarkRead reads spans on lines, and spans on many lines.
func BenchmarkRead(b *testing.B) {
	const n = 1000
	for seed, name := range []string{"lines", "pretty"} {
		b.Run(name, func(b *testing.B) {
			doc := printed(b, uint64(seed), n)
			b.SetBytes(int64(len(doc)))
			b.ReportAllocs()
			for b.Loop() {
				var to tracewhy.Builder
				if err := stdouttrace.Read(context.Background(), strings.NewReader(doc), &to, input.Config{}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/span")
		})
	}
}
