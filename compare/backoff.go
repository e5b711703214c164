package compare

import (
	"sort"

	"github.com/tracewhy/tracewhy"
)

// backoff is a time in which a span waits after a call of it has failed, until it makes the same call again.
type backoff struct {
	caller, failed tracewhy.Span
	from, to       int64
	onPath         int64 // how much of it is on the critical path
}

// backoffs appends the waits between attempts of a trace: times between a failed call and the next one of the same
// path in which nothing else that the caller asked for runs. They are spent because of whoever failed the attempt,
// although they are the caller's own time.
func backoffs(dst []backoff, t tracewhy.Trace) []backoff {
	for s := range t.Spans() {
		if !s.HasChildren() {
			continue
		}
		var failed map[tracewhy.PathID]tracewhy.Span // the latest of each path
		var covered int64                            // until when calls run
		for child := range s.Children() {
			start, end, ok := child.Interval()
			if !ok {
				continue
			}
			id := child.Path().ID()
			if last, ok := failed[id]; ok && start > covered {
				if _, at, _ := last.Interval(); at == covered {
					dst = append(dst, backoff{caller: s, failed: last, from: at, to: start})
				}
			}
			covered = max(covered, end)
			switch _, known := failed[id]; {
			case child.Failed():
				if failed == nil {
					failed = map[tracewhy.PathID]tracewhy.Span{}
				}
				failed[id] = child
			case known:
				delete(failed, id)
			}
		}
	}
	return dst
}

// place says how much of the waits is on the critical path, whose sections are in the order of time.
func place(waits []backoff, sections []tracewhy.Section) {
	for i := range waits {
		w := &waits[i]
		first := sort.Search(len(sections), func(i int) bool { return sections[i].End > w.from })
		for _, s := range sections[first:] {
			if s.Start >= w.to {
				break
			}
			if s.Span == w.caller {
				w.onPath += max(0, min(s.End, w.to)-max(s.Start, w.from))
			}
		}
	}
}
