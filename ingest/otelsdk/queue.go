package otelsdk

import (
	"runtime"
	"sync"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// A queue holds spans that ended. It is split into shards by trace, so that the goroutines of a service
// seldom meet at one lock, and is emptied a shard at a time, by swapping its list for an empty one.
type queue struct {
	shards []shard
	wake   chan struct{} // a shard is half full
}

type shard struct {
	mu              sync.Mutex
	spans           []sdktrace.ReadOnlySpan // its capacity never changes
	pushed, dropped uint64
	_               [64]byte // not to share a cache line with the next
}

func newQueue(size int) queue {
	n := 1
	for n < runtime.GOMAXPROCS(0) && n < 16 {
		n *= 2
	}
	q := queue{shards: make([]shard, 2*n), wake: make(chan struct{}, 1)}
	for i := range q.shards {
		q.shards[i].spans = make([]sdktrace.ReadOnlySpan, 0, max(1, size/len(q.shards)))
	}
	return q
}

// push adds a span, or drops it where its shard is full.
func (q *queue) push(s sdktrace.ReadOnlySpan) {
	id := s.SpanContext().TraceID()
	sh := &q.shards[int(id[15])&(len(q.shards)-1)]
	sh.mu.Lock()
	if len(sh.spans) == cap(sh.spans) {
		sh.dropped++
		sh.mu.Unlock()
		return
	}
	sh.spans = append(sh.spans, s)
	sh.pushed++
	half := len(sh.spans) == (cap(sh.spans)+1)/2
	sh.mu.Unlock()
	if half {
		select {
		case q.wake <- struct{}{}:
		default:
		}
	}
}

// drain calls visit for every span and empties the queue. spare is an empty list that it may use, and
// it returns another.
func (q *queue) drain(spare []sdktrace.ReadOnlySpan, visit func(sdktrace.ReadOnlySpan)) []sdktrace.ReadOnlySpan {
	for i := range q.shards {
		sh := &q.shards[i]
		sh.mu.Lock()
		if len(sh.spans) == 0 {
			sh.mu.Unlock()
			continue
		}
		if cap(spare) != cap(sh.spans) {
			spare = make([]sdktrace.ReadOnlySpan, 0, cap(sh.spans))
		}
		spans := sh.spans
		sh.spans = spare
		sh.mu.Unlock()
		for _, s := range spans {
			visit(s)
		}
		clear(spans)
		spare = spans[:0]
	}
	return spare
}

// counts returns how many spans were ever taken, and dropped.
func (q *queue) counts() (pushed, dropped uint64) {
	for i := range q.shards {
		sh := &q.shards[i]
		sh.mu.Lock()
		pushed += sh.pushed
		dropped += sh.dropped
		sh.mu.Unlock()
	}
	return pushed, dropped
}
