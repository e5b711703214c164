package backend

import (
	"context"
	"errors"
	"math"
	"net/http"
	"time"

	"github.com/tracewhy/tracewhy"
)

// A search asks a backend for at most n traces of the time from start to end.
type search func(ctx context.Context, start, end time.Time, n int) (answer, error)

// An answer is what a search found: how many traces, and a function that hands over at most want of them
// that are what was asked for and did not come before, and says how many.
type answer struct {
	n    int
	take func(ctx context.Context, want int) (int, error)
}

// pace says how a backend can be walked over.
type pace struct {
	page    int           // how many traces to ask for at a time
	maxPage int           // how many to ask for where the time cannot be divided
	finest  time.Duration // the shortest time that can be asked for
}

// sampleParts is into how many parts the time is divided for a sample.
const sampleParts = 16

// walk goes over the time of a query.
type walk struct {
	*tally
	session  *session
	pace     pace
	isSample bool // not all traces were taken
}

// all makes all searches for the whole time: one part after the other, so that a sample has its share of
// each.
func (w *walk) all(ctx context.Context, searches []search) error {
	parts := 1
	if w.query.Limit > 0 {
		parts = min(sampleParts, w.query.Limit)
	}
	start, whole := w.query.Start, w.query.End.Sub(w.query.Start)
	widths := make([]time.Duration, len(searches)) // what proved right for each
	left := parts * len(searches)
	for i := range parts {
		from, to := start.Add(share(whole, i, parts)), start.Add(share(whole, i+1, parts))
		for j, search := range searches {
			want := math.MaxInt
			if w.query.Limit > 0 {
				want = (w.query.Limit - w.result.Traces + left - 1) / left
			}
			if want > 0 && from.Before(to) {
				leg := leg{walk: w, search: search, from: from, to: to, want: want, width: &widths[j]}
				if err := leg.run(ctx); err != nil {
					return err
				}
			}
			left--
			done := 1 - float64(left)/float64(parts*len(searches))
			w.session.count(func(p *Progress) { p.Share = done })
			w.session.tell()
		}
	}
	if w.isSample {
		w.warn(WarningLimit, "there may be more traces than the limit allows: those that came are a sample", tracewhy.TraceID{})
	}
	return nil
}

// share returns i of n parts of d.
func share(d time.Duration, i, n int) time.Duration {
	return d/time.Duration(n)*time.Duration(i) + d%time.Duration(n)*time.Duration(i)/time.Duration(n)
}

// A leg is one search for one part of the time.
type leg struct {
	*walk
	search   search
	from, to time.Time
	want     int            // how many traces to take
	width    *time.Duration // for how long to ask at a time
	stale    int            // how many full answers in a row had no trace that did not come before
}

// maxStale is how many of these there can be where the time is divided as far as it can be.
const maxStale = 100

var errSame = errors.New("backend: the answers are the same whatever time they are to be of")

// run walks from the beginning to the end, in steps that are as long as answers are not full.
func (l *leg) run(ctx context.Context) error {
	page := min(l.pace.page, l.want)
	for at := l.from; at.Before(l.to) && l.want > 0; {
		if *l.width <= 0 {
			*l.width = l.to.Sub(at)
		}
		step := min(*l.width, l.to.Sub(at))
		canDivide := step > l.pace.finest
		a, err := l.search(ctx, at, at.Add(step), page)
		l.session.tell()
		if page > l.pace.page && isRefusal(err) {
			l.pace.maxPage, page = l.pace.page, l.pace.page
			continue
		}
		isTooLong := errors.Is(err, errTooLong)
		if err != nil && !(isTooLong && canDivide) {
			return err
		}
		isCut := page > l.pace.page && a.n == l.pace.page // more was asked for, and as many came as before
		isFull := isTooLong || isCut || a.n >= page
		switch {
		case isFull && canDivide && (isTooLong || l.isWhole()):
			*l.width = l.half(step)
			continue
		case isFull && !canDivide && page < l.pace.maxPage:
			page = min(10*page, l.pace.maxPage)
			continue
		}
		if err := l.take(ctx, a, isFull); err != nil {
			return err
		}
		if isFull && canDivide && l.want > 0 { // a sample that is not enough yet
			if page == l.pace.page {
				*l.width = l.half(step)
			}
			page = l.pace.page
			continue
		}
		if isFull && l.isWhole() {
			l.warn(WarningTruncated, "more traces began at one moment than the backend gives at a time", tracewhy.TraceID{})
		}
		at = at.Add(step)
		page = l.pace.page
		if a.n*4 < page {
			*l.width = 2 * step
		}
	}
	if l.want <= 0 {
		l.isSample = true
	}
	return nil
}

// isRefusal reports whether the backend answered that it does not do what it was asked for.
func isRefusal(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Status >= http.StatusBadRequest
}

// isWhole reports whether all traces are wanted.
func (l *leg) isWhole() bool { return l.query.Limit == 0 }

// half divides the time of a step, into whole units of what can be asked for.
func (l *leg) half(step time.Duration) time.Duration {
	return max(l.pace.finest, (step / 2).Truncate(l.pace.finest))
}

// take takes the traces of an answer that are wanted.
func (l *leg) take(ctx context.Context, a answer, isFull bool) error {
	before := len(l.seen)
	n, err := a.take(ctx, l.want)
	if !l.isWhole() {
		l.want -= n
	}
	l.stale++
	if !isFull || len(l.seen) > before {
		l.stale = 0
	}
	if err == nil && l.stale > maxStale {
		return errSame
	}
	return err
}
