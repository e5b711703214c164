package stats

import (
	"context"
	"fmt"
	"slices"
	"testing"
)

func TestLabelTableCounts(t *testing.T) {
	r := NewRand(1, 1)
	for _, c := range []struct{ units, count int }{{1, 1}, {5, 64}, {70, 65}, {300, 999}, {4000, 130}} {
		labels, strata := make([]bool, c.units), make([]int, c.units)
		for i := range labels {
			labels[i], strata[i] = r.Float64() < 0.3, r.IntN(3)
		}
		all := NewRelabellings(labels, strata, c.count, 7)
		count := min(c.count, all.Len())
		var tables []*LabelTable
		for workers := range 3 {
			table, err := NewLabelTable(context.Background(), workers+1, c.units, count, all.At)
			if err != nil {
				t.Fatal(err)
			}
			tables = append(tables, table)
		}
		row, dst := make([]bool, c.units), make([]int32, count)
		for _, size := range []int{0, 1, 2, 15, 16, 17, 31, 32, 33, 64, 250, 1000, c.units} {
			var units []int32
			for i := range c.units {
				if r.IntN(c.units) < size {
					units = append(units, int32(i))
				}
			}
			want := make([]int32, count)
			for i := range count {
				all.At(i, row)
				for _, unit := range units {
					if row[unit] {
						want[i]++
					}
				}
			}
			for workers, table := range tables {
				if table.Counts(units, dst); !slices.Equal(dst, want) {
					t.Fatalf("%d of %d units, %d relabellings, %d workers: %v, want %v", len(units), c.units, count, workers+1, dst, want)
				}
			}
		}
	}
}

func TestLabelTableIsCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := NewLabelTable(ctx, 1, 10, 100, NewRelabellings(make([]bool, 10), nil, 100, 1).At); err != context.Canceled {
		t.Errorf("error %v", err)
	}
}

// What 999 relabellings of one group of 100,000 units take, by the size of the group.
func BenchmarkLabelTableCounts(b *testing.B) {
	labels := make([]bool, 100_000)
	for i := range labels {
		labels[i] = i%10 == 0
	}
	table, err := NewLabelTable(context.Background(), 0, len(labels), 999, NewRelabellings(labels, nil, 999, 1).At)
	if err != nil {
		b.Fatal(err)
	}
	dst := make([]int32, table.Len())
	for _, size := range []int{2, 100, 50_000} {
		var units []int32
		for i := range size {
			units = append(units, int32(i*(len(labels)/size)))
		}
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				table.Counts(units, dst)
			}
		})
	}
}
