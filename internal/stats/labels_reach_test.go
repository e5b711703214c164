package stats

import (
	"context"
	"testing"
)

func TestReachingAgreesWithCounts(t *testing.T) {
	for _, count := range []int{1, 63, 64, 65, 200} {
		table, err := NewLabelTable(context.Background(), 1, 90, count, func(i int, dst []bool) {
			r := NewRand(1, uint64(i))
			for k := range dst {
				dst[k] = r.IntN(3) == 0
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		var planes []uint64
		dst, counts := make([]uint64, (count+63)/64), make([]int32, count)
		for size := range 90 {
			var units []int32
			for k := range size {
				units = append(units, int32(k))
			}
			table.Counts(units, counts)
			for least := 1; least < 100; least += 1 + least/8 {
				planes = table.Reaching(units, least, dst, planes)
				for i, n := range counts {
					if got := dst[i>>6]>>(i&63)&1 == 1; got != (int(n) >= least) {
						t.Fatalf("%d of %d units in relabelling %d of %d: at least %d is %v", n, size, i, count, least, got)
					}
				}
			}
		}
	}
}
