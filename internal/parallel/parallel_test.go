package parallel

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
)

func TestForCallsEachOnce(t *testing.T) {
	for _, workers := range []int{0, 1, 2, 8, 1000} {
		calls := make([]atomic.Int32, 137)
		if err := For(context.Background(), workers, len(calls), func(i int) { calls[i].Add(1) }); err != nil {
			t.Fatalf("%d workers: %v", workers, err)
		}
		for i := range calls {
			if n := calls[i].Load(); n != 1 {
				t.Errorf("%d workers: f(%d) was called %d times", workers, i, n)
			}
		}
	}
}

func TestForStopsWhenCancelled(t *testing.T) {
	for _, workers := range []int{1, 2} {
		ctx, cancel := context.WithCancel(context.Background())
		var calls, late atomic.Int32
		err := For(ctx, workers, 1000, func(i int) {
			if ctx.Err() != nil {
				late.Add(1)
			}
			if calls.Add(1) == 10 {
				cancel()
			}
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%d workers: error %v, want context.Canceled", workers, err)
		}
		if n := late.Load(); n > int32(workers) {
			t.Errorf("%d workers: %d calls began after cancelling", workers, n)
		}
	}
}
