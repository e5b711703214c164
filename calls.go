package tracewhy

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// CallPattern is what a [CallGroup] of sibling spans shows.
type CallPattern uint8

// The patterns of calls.
const (
	PatternRetry  CallPattern = iota // equal calls one after the other, each after one that failed
	PatternHedge                     // equal calls at once, of which the first to answer was used
	PatternRepeat                    // the same operation over and over, such as a query for each row of another (N+1)
)

var patternNames = [...]string{"retry", "hedge", "repeat"}

// String returns the pattern's lower-case name.
func (p CallPattern) String() string {
	if int(p) < len(patternNames) {
		return patternNames[p]
	}
	return fmt.Sprintf("pattern(%d)", uint8(p))
}

// CallGroup is a number of calls that one span made for one purpose.
type CallGroup struct {
	Pattern CallPattern
	Calls   []Span // in the order of their start
	// Recovered reports that one of them succeeded. It is always true of a hedge or repetition.
	Recovered bool
}

// MinRepeat is how many calls in a row make a [PatternRepeat].
const MinRepeat = 5

// CallGroups returns what the span's children show of its way to call: in the order of their first call,
// and for one that begins two groups, of the pattern.
//
// Two children are equal calls if they have the same path and name, and differ in none of url.full,
// http.url, url.path, url.query, http.target, db.query.text and db.statement; or if
// http.request.resend_count says that the second is another attempt after the first failed. Then
//
//   - a retry begins after the attempt before it has ended and failed;
//   - a hedge is two that overlap, where one succeeded, and the other was cancelled after that or
//     outlived the span;
//   - a repetition is at least [MinRepeat] children of one path, equal calls or not, none of which
//     failed, and each of which began after the one before it had ended.
//
// Children whose interval is not known are left out. It takes time in O(n) for n children.
func (s Span) CallGroups() []CallGroup {
	if !s.repeatsPath() {
		return nil
	}
	var groups []CallGroup
	for _, calls := range newCallReader(s.set).equalCalls(s) {
		groups = s.appendHedges(groups, calls)
		groups = appendRetries(groups, calls)
	}
	groups = s.appendRepeats(groups)
	slices.SortFunc(groups, func(x, y CallGroup) int {
		return cmp.Or(cmp.Compare(x.Calls[0].num, y.Calls[0].num), cmp.Compare(x.Pattern, y.Pattern))
	})
	return groups
}

// repeatsPath reports whether two children have one path, without which there is no group.
func (s Span) repeatsPath() bool {
	c := &s.set.cols
	const few = 8
	var seen [few]PathID
	n := 0
	for i := s.num + 1; i < c.end[s.num]; i = c.end[i] {
		for _, p := range seen[:n] {
			if p == c.path[i] {
				return true
			}
		}
		if n == few {
			return true // likely, and not worth a longer look
		}
		seen[n] = c.path[i]
		n++
	}
	return false
}

func appendRetries(groups []CallGroup, calls []Span) []CallGroup {
	for from := 0; from < len(calls); {
		to := from + 1
		for to < len(calls) && calls[to-1].Failed() && follows(calls[to], calls[to-1]) {
			to++
		}
		if to-from > 1 {
			groups = append(groups, CallGroup{PatternRetry, calls[from:to:to], !calls[to-1].Failed()})
		}
		from = to
	}
	return groups
}

// follows reports whether one span began after the other had ended.
func follows(next, last Span) bool {
	_, end, _ := last.Interval()
	return next.set.cols.start[next.num] >= end
}

func (s Span) appendHedges(groups []CallGroup, calls []Span) []CallGroup {
	for from := 0; from < len(calls); {
		to := from + 1
		for to < len(calls) && (s.hedged(calls[to-1], calls[to]) || s.hedged(calls[to], calls[to-1])) {
			to++
		}
		if to-from > 1 {
			groups = append(groups, CallGroup{PatternHedge, calls[from:to:to], true})
		}
		from = to
	}
	return groups
}

// hedged reports whether one call was used and the other was not waited for.
func (s Span) hedged(winner, loser Span) bool {
	if winner.Failed() || !outrun(winner, loser) {
		return false
	}
	if loser.Failed() {
		return loser.ending() == endedByCancelling
	}
	return loser.Overrun() > 0 && winner.Overrun() == 0
}

func (s Span) appendRepeats(groups []CallGroup) []CallGroup {
	runs := map[PathID][]Span{} // the latest of each path
	flush := func(run []Span) {
		if len(run) >= MinRepeat {
			groups = append(groups, CallGroup{PatternRepeat, run, true})
		}
	}
	var paths []PathID // in the order of their first child
	for child := range s.Children() {
		if child.Duration() < 0 {
			continue
		}
		path := s.set.cols.path[child.num]
		run, ok := runs[path]
		if !ok {
			paths = append(paths, path)
		}
		failed := child.Failed()
		if len(run) > 0 && (failed || !follows(child, run[len(run)-1])) {
			flush(run)
			run = nil
		}
		if !failed {
			run = append(run, child)
		}
		runs[path] = run
	}
	for _, path := range paths {
		flush(runs[path])
	}
	return groups
}

// Timeout is a call that gave up waiting.
type Timeout struct {
	Span   Span
	Stated bool          // the span's status, code or exception says that it timed out
	Limit  time.Duration // the common timeout that the span took just over, or 0
	Callee Span          // the child that outlived the span the longest, or the zero Span
}

// Timeout reports whether the span failed because it gave up waiting: it says so, or it is a client
// that took just over a usual limit (by up to 2 %) and got no answer, since its remote side outlived it or
// has no span. It is false for a span that did not fail.
func (s Span) Timeout() (Timeout, bool) {
	if !s.Failed() {
		return Timeout{}, false
	}
	t := Timeout{Span: s, Stated: s.ending().gaveUp(), Limit: usualLimit(s.Duration())}
	overrun, answered := time.Duration(0), false
	for child := range s.Children() {
		if child.IsAsync() {
			continue
		}
		over := child.Overrun()
		if over > overrun {
			overrun, t.Callee = over, child
		}
		answered = answered || over == 0 && child.IsRemote()
	}
	if !t.Stated && (s.Kind() != KindClient || t.Limit == 0 || answered && t.Callee.IsZero()) {
		return Timeout{}, false
	}
	return t, true
}

// usualLimits are what people set timeouts to.
var usualLimits = [...]time.Duration{
	100 * time.Millisecond, 200 * time.Millisecond, 250 * time.Millisecond, 300 * time.Millisecond, 500 * time.Millisecond,
	750 * time.Millisecond, 1 * time.Second, 1500 * time.Millisecond, 2 * time.Second, 2500 * time.Millisecond,
	3 * time.Second, 4 * time.Second, 5 * time.Second, 8 * time.Second, 10 * time.Second, 15 * time.Second, 20 * time.Second,
	25 * time.Second, 30 * time.Second, 45 * time.Second, 1 * time.Minute, 90 * time.Second, 2 * time.Minute, 5 * time.Minute,
	10 * time.Minute, 15 * time.Minute, 30 * time.Minute, 1 * time.Hour,
}

func usualLimit(d time.Duration) time.Duration {
	for _, l := range usualLimits {
		if d >= l && d <= l+l/50 {
			return l
		}
	}
	return 0
}
