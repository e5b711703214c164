package learn

import (
	"context"
	"math"
	"testing"
)

func BenchmarkForest(b *testing.B) {
	m, _ := clouds(1, 10_000, 4, 50)
	for b.Loop() {
		if _, err := Outliers(context.Background(), m, m, ForestConfig{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkKMeans(b *testing.B) {
	m, _ := clouds(1, 10_000, 4, 50)
	for b.Loop() {
		if _, err := KMeans(context.Background(), m, 4, KMeansConfig{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDBSCAN(b *testing.B) {
	m, _ := clouds(1, 2_000, 4, 50)
	for b.Loop() {
		if _, err := DBSCAN(context.Background(), m, 3, 5); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAgglomerate(b *testing.B) {
	m, _ := clouds(1, 2_000, 4, 10)
	for b.Loop() {
		if _, err := Agglomerate(context.Background(), len(m.Rows), func(i, j int) float64 { return math.Sqrt(distance2(m.Row(i), m.Row(j))) }, Average); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkTree(b *testing.B) {
	m, class := clouds(1, 10_000, 4, 50)
	for b.Loop() {
		if _, err := GrowTree(context.Background(), m, class, TreeConfig{}); err != nil {
			b.Fatal(err)
		}
	}
}
