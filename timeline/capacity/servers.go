package capacity

import (
	"fmt"
	"slices"
	"time"

	"github.com/tracewhy/tracewhy/internal/quantity"
	"github.com/tracewhy/tracewhy/internal/stats"
)

const (
	mostServers  = 16   // that are tried
	outOfOrder   = 0.02 // the share of waits that may contradict first come, first served, in each half of the time
	leastLonger  = 1.1  // times as long as others, executions that waited took
	tailLike     = 2    // likewise, of what one in ten exceeds
	likeAlone    = 1.25 // times as long, or short, as that of others, the work of those that waited is
	shareWaiting = 0.05 // of all executions waited at least
	// A wait that is a second longer makes its execution a second longer, give or take a quarter, and that
	// explains a quarter of how executions differ.
	slopeTolerance = 0.25
	leastExplained = 0.25
	// sharedLevel is the probability at which executions without a wait are said to be slowed down by those that
	// come after them, as where all share a processor.
	sharedLevel = 0.01
)

// serversOf estimates how many servers do the work of executions that wait within their own time, first come first
// served, and returns those waits. How long executions take that do not wait is known of some of them, or of others.
//
// With c servers, execution i of those sorted by arrival begins to be worked on when it arrived, or when all but
// c-1 of those before it had ended. That needs the ends only, of whichever they are. If more servers work, some end
// before they could have begun; if fewer, there are waits in what is taken for work.
func serversOf(uses []use, others []int64) (Limit, []use) {
	if len(uses) < fewestWaits {
		return Limit{Reason: fmt.Sprintf("not estimable: %d executions, and %d are needed", len(uses), fewestWaits)}, nil
	}
	sorted := byStart(uses)
	_, ends := edges(uses)
	var best serverFit
	var l Limit
	low, crowd := 0, crowdOf(sorted, ends)
	for c := 1; c <= min(mostServers, crowd/2, crowd-2) && (l.N == 0 || c <= l.Low+l.Low/2+1); c++ {
		try, why := tryServers(sorted, ends, c, others)
		if why == tooFew {
			break
		}
		if why == neverAlone && l.N == 0 {
			return Limit{Waits: len(try.waits), Reason: "not estimable: nearly all executions waited, so that it is not known how long they take without"}, nil
		}
		if why == fits || why == notLonger || why == slowedDown { // it does not contradict what is seen
			if low == 0 {
				low = c
			}
			l.High = c
		}
		if why != fits {
			continue
		}
		l.Low = low
		if l.N == 0 || try.unlike() < best.unlike() {
			best, l.N = try, c
		}
	}
	if l.N == 0 {
		return Limit{Reason: "not estimable: nothing shows that executions waited for each other"}, nil
	}
	l.Within, l.Waits = true, len(best.waits)
	l.Reason = fmt.Sprintf("executions ended in such an order, and as far apart, as those do that wait for one of %d: %d of %d waited, took %v instead of %v, and %v without the wait",
		l.N, l.Waits, len(uses), quantity.Round(best.waited), quantity.Round(best.alone), quantity.Round(best.work))
	return l, best.waits
}

// serverFit is what executions look like if so many servers do their work.
type serverFit struct {
	waits               []use
	waited, alone, work time.Duration // medians: of those that waited, of the others, and of the work of those that waited
}

// unlike returns how many times as long, or short, the work of those that waited was as that of the others.
func (t serverFit) unlike() float64 {
	low, high := min(t.alone, t.work), max(t.alone, t.work)
	return float64(high) / float64(max(low, 1))
}

// Why a number of servers explains nothing.
type misfit uint8

const (
	fits       misfit = iota
	tooFew            // executions would have waited
	neverAlone        // too few would not have
	notLonger         // those that waited did not take longer for it
	unequal           // their work is not like that of the others
	overtaken
	slowedDown // by executions that began later
)

// crowdOf returns how many were under way at once, at most: at least twice as many as servers, or nothing is a queue.
func crowdOf(sorted []use, ends []int64) int {
	most, ended := 0, 0
	for i, u := range sorted {
		for ended < len(ends) && ends[ended] <= u.start {
			ended++
		}
		most = max(most, i+1-ended)
	}
	return most
}

// begins returns when the execution i began to be worked on, if c servers do that.
func begins(sorted []use, ends []int64, c, i int) int64 {
	if i < c {
		return sorted[i].start
	}
	return max(sorted[i].start, ends[i-c])
}

// countWaits returns how many executions would have waited for one of c servers, and whether that is contradicted.
func countWaits(sorted []use, ends []int64, c int) (all int, why misfit) {
	var early, late [2]int // by half: executions that ended before they could begin, and those that waited
	for i, u := range sorted {
		half := min(2*i/len(sorted), 1)
		switch begin := begins(sorted, ends, c, i); {
		case begin > u.end:
			early[half]++
		case begin > u.start:
			late[half]++
		}
	}
	all = early[0] + early[1] + late[0] + late[1]
	if all < fewestWaits || float64(all) < float64(shareWaiting*float64(len(sorted))) {
		return all, tooFew
	}
	for half := range early {
		if float64(early[half]) > float64(outOfOrder*float64(early[half]+late[half])) {
			return all, overtaken
		}
	}
	return all, fits
}

func tryServers(sorted []use, ends []int64, c int, others []int64) (serverFit, misfit) {
	all, why := countWaits(sorted, ends, c)
	if why != fits {
		return serverFit{}, why
	}
	t := serverFit{waits: make([]use, 0, all)}
	waited, work := make([]int64, 0, all), make([]int64, 0, all)
	alone, free := make([]int64, 0, len(sorted)-all), make([]int, 0, len(sorted)-all) // those that did not wait
	for i, u := range sorted {
		switch begin := begins(sorted, ends, c, i); {
		case begin <= u.start:
			alone, free = append(alone, u.end-u.start), append(free, i)
		case begin <= u.end:
			waited, work = append(waited, u.end-u.start), append(work, u.end-begin)
			t.waits = append(t.waits, use{u.start, begin, u.weight})
		}
	}
	if len(alone) < fewestWaits {
		alone = append(alone, others...)
	}
	if len(alone) < fewestWaits {
		return t, neverAlone
	}
	t.waited, t.alone, t.work = medianOf(slices.Clone(waited)), medianOf(slices.Clone(alone)), medianOf(work)
	// While a server is held by what is not seen, those that wait do so for longer than any work takes.
	if t.unlike() > likeAlone || float64(upperOf(work)) > float64(tailLike*float64(upperOf(alone))) {
		return t, unequal
	}
	slope, explained := lineOf(t.waits, waited)
	if float64(t.waited) < float64(leastLonger*float64(t.alone)) || max(slope-1, 1-slope) > slopeTolerance || explained < leastExplained {
		return t, notLonger
	}
	if isShared(sorted, free, int64(t.alone)/2) {
		return t, slowedDown
	}
	return t, fits
}

// isShared reports whether executions take longer if another one begins soon after them. Where each has a server of
// its own that does not matter, and does where they share one. Soon does not depend on how long they take.
func isShared(sorted []use, free []int, soon int64) bool {
	var joined, others []float64
	for _, i := range free {
		took := float64(sorted[i].end - sorted[i].start)
		if i+1 < len(sorted) && sorted[i+1].start-sorted[i].start < soon {
			joined = append(joined, took)
		} else {
			others = append(others, took)
		}
	}
	return stats.MannWhitney(stats.NewSample(joined), stats.NewSample(others), stats.Greater).P < sharedLevel
}

// lineOf returns by how much an execution is longer for each second of its wait, by least squares, and the share of
// the variance that this explains.
func lineOf(waits []use, took []int64) (slope, explained float64) {
	n := float64(len(waits))
	mx, my := 0.0, 0.0
	for i, w := range waits {
		mx, my = mx+float64(w.end-w.start)/n, my+float64(took[i])/n
	}
	xx, xy, yy := 0.0, 0.0, 0.0
	for i, w := range waits {
		dx, dy := float64(w.end-w.start)-mx, float64(took[i])-my
		xx, xy, yy = xx+float64(dx*dx), xy+float64(dx*dy), yy+float64(dy*dy)
	}
	if xx == 0 || yy == 0 {
		return 0, 0
	}
	return xy / xx, float64(xy*xy) / float64(xx*yy)
}

// upperOf returns what one in ten exceeds.
func upperOf(xs []int64) int64 {
	slices.Sort(xs)
	return xs[len(xs)*9/10]
}

func medianOf(xs []int64) time.Duration {
	if len(xs) == 0 {
		return 0
	}
	slices.Sort(xs)
	return time.Duration(xs[(len(xs)-1)/2])
}
