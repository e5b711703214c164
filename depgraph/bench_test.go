package depgraph_test

import (
	"context"
	"testing"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/depgraph"
)

func BenchmarkBuild(b *testing.B) {
	set := tracewhy.SetOf(world(1, "incident", window{traces: 10_000, poolSpan: true})...)
	for b.Loop() {
		if _, err := depgraph.Build(context.Background(), set.All(), depgraph.Config{}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(set.NumSpans())*float64(b.N)/b.Elapsed().Seconds(), "spans/s")
}

func BenchmarkFaultDomain(b *testing.B) {
	set := worlds(b, 1, window{traces: 5000}, window{traces: 5000, bureauSlow: 50})
	for b.Loop() {
		judge(b, set, depgraph.Config{})
	}
	b.ReportMetric(float64(set.NumSpans())*float64(b.N)/b.Elapsed().Seconds(), "spans/s")
}
