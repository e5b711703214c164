package zipkin_test

import (
	"bytes"
	"context"
	"testing"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/ingest/input"
	"github.com/tracewhy/tracewhy/ingest/zipkin"
)

// BenchmarkRead reads what a collector exported, with events that have attributes, and a trace of Zipkin's own.
func BenchmarkRead(b *testing.B) {
	for _, name := range []string{"crossformat/zipkin_v2.json", "wild/openzipkin+zipkin/zipkin-lens/testdata/smartthings-mobile-web-install.json"} {
		doc := dataFile(b, "formats/"+name)
		b.Run(name, func(b *testing.B) {
			n := readZipkin(b, string(doc)).Accounting().In
			b.SetBytes(int64(len(doc)))
			b.ReportAllocs()
			for b.Loop() {
				var to tracewhy.Builder
				if err := zipkin.Read(context.Background(), bytes.NewReader(doc), &to, input.Config{}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/span")
		})
	}
}
