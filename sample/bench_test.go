package sample_test

import (
	"slices"
	"testing"
	"time"

	"github.com/tracewhy/tracewhy/sample"
)

func BenchmarkAdd(b *testing.B) {
	set := badVersion()
	traces := slices.Collect(set.Traces())
	for _, per := range []int{1, 32} {
		b.Run(map[int]string{1: "full", 32: "filling"}[per], func(b *testing.B) {
			b.ReportAllocs()
			var s *sample.Sample
			n := 0
			for b.Loop() {
				if s == nil || per > 1 && n%len(traces) == 0 {
					s = sample.New(sample.Config{PerStratum: per, Bin: time.Hour})
				}
				s.Add(traces[n%len(traces)])
				n++
			}
			spans := float64(set.NumSpans()) / float64(len(traces))
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/(float64(b.N)*spans), "ns/span")
		})
	}
}

func BenchmarkMerge(b *testing.B) {
	set := badVersion()
	traces := slices.Collect(set.Traces())
	cfg := sample.Config{Bin: time.Hour}
	x, y := of(cfg, traces[:len(traces)/2]...), of(cfg, traces[len(traces)/2:]...)
	b.ReportAllocs()
	for b.Loop() {
		s := sample.New(cfg)
		merge(b, s, x, y)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*(x.Kept()+y.Kept())), "ns/trace")
}

func BenchmarkBinary(b *testing.B) {
	set := badVersion()
	s := of(sample.Config{Bin: time.Hour}, slices.Collect(set.Traces())...)
	data := encoded(b, s)
	b.Run("marshal", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		for b.Loop() {
			encoded(b, s)
		}
	})
	b.Run("unmarshal", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		b.ReportAllocs()
		for b.Loop() {
			if err := s.UnmarshalBinary(data); err != nil {
				b.Fatal(err)
			}
		}
	})
	kept, err := s.Set(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(s.Bytes())/float64(kept.NumSpans()), "B/span")
}

func BenchmarkSet(b *testing.B) {
	set := badVersion()
	s := of(sample.Config{Bin: time.Hour}, slices.Collect(set.Traces())...)
	b.ReportAllocs()
	spans := 0
	for b.Loop() {
		kept, err := s.Set(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		spans += kept.NumSpans()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(spans), "ns/span")
}
