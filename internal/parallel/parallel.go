// Package parallel runs independent pieces of work on a bounded number of goroutines.
//
// Each piece writes its result to a place of its own, so that the number of goroutines never shows in
// what comes out.
package parallel

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
)

// For calls f(0), …, f(n-1) on at most workers goroutines (0: as many as GOMAXPROCS), in any order, and
// returns when all are done. Once ctx is cancelled no further call is begun, and its error is returned.
func For(ctx context.Context, workers, n int, f func(i int)) error {
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	workers = min(workers, n)
	if workers <= 1 {
		for i := range n {
			if err := ctx.Err(); err != nil {
				return err
			}
			f(i)
		}
		return ctx.Err()
	}
	var next atomic.Int64
	var wait sync.WaitGroup
	for range workers {
		wait.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				f(i)
			}
		})
	}
	wait.Wait()
	return ctx.Err()
}
