package timeline

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/timeline/internal/epoch"
)

const (
	day          = int64(24 * time.Hour)
	fewestDays   = 4                      // on which a job ran
	leastLate    = int64(5 * time.Minute) // later than on all other days
	timesLate    = 2                      // as much as those differ from each other
	longestOfDay = 0.5                    // of a day, that a job takes
)

// run is when a job ran; on a day, since that began: both are counted from an hour at which it never runs.
type run struct{ start, end int64 }

func (x run) compare(y run) int {
	return cmp.Or(cmp.Compare(x.start, y.start), cmp.Compare(x.end, y.end))
}

// lateJobs finds root operations that run for a part of each day, and did so later on a day than on all others.
func (r *ChangePointsResult) lateJobs(ctx context.Context, traces tracewhy.Cohort) ([]Cascade, error) {
	starts := r.Series.Starts
	if starts[len(starts)-1]-starts[0] < (fewestDays-1)*day {
		return nil, nil
	}
	number := map[tracewhy.PathID]int{} // only looked up
	var paths []tracewhy.PathID
	var all [][]run
	read := 0
	for t := range traces.Traces() {
		if read++; read%cancelEvery == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		start, end, ok := t.Interval()
		if _, isIn := r.Series.grid().Of(start); !ok || !isIn {
			continue
		}
		path := t.Root().Path().ID()
		n, ok := number[path]
		if !ok {
			n = len(paths)
			number[path] = n
			paths, all = append(paths, path), append(all, nil)
		}
		all[n] = append(all[n], run{start, end})
	}
	order := make([]int, len(paths))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(x, y int) int { return int(paths[x]) - int(paths[y]) })
	var out []Cascade
	for _, n := range order {
		p := traces.Set().Path(paths[n])
		name := p.Service() + " " + p.Operation()
		first, runs := daysOf(all[n])
		if len(runs) < fewestDays {
			continue
		}
		for i, x := range runs {
			at := first + int64(i)*day
			if x.end == 0 || at < starts[0] { // the recording may begin within a run
				continue
			}
			for what, moment := range [...]func(run) int64{func(x run) int64 { return x.start }, func(x run) int64 { return x.end }} {
				low, high, others := spreadOf(runs, i, moment)
				late := moment(x) - high
				if others < fewestDays-1 || late < leastLate || late < timesLate*(high-low) {
					continue
				}
				out = append(out, Cascade{
					Kind: CascadeLate, Start: at + moment(x),
					Reason: fmt.Sprintf("%s %s at %s, and not later than %s on %d other days", name, [...]string{"began", "ended"}[what],
						time.Unix(0, at+moment(x)).UTC().Format("2006-01-02 15:04:05"), time.Unix(0, first+high).UTC().Format(time.TimeOnly), others),
				})
				break // a job that begins late ends late
			}
		}
	}
	return out, nil
}

// spreadOf returns the earliest and the latest moment of all runs but one, and how many there are.
func spreadOf(runs []run, but int, moment func(run) int64) (low, high int64, others int) {
	for i, x := range runs {
		if i == but || x.end == 0 {
			continue
		}
		if m := moment(x); others == 0 {
			low, high = m, m
		} else {
			low, high = min(low, m), max(high, m)
		}
		others++
	}
	return low, high, others
}

// daysOf cuts time into days at an hour at which a job never runs, and returns when the first of them begins, and the
// run of each: none, with an end of 0, where it did not run. It returns none if the job runs at any hour.
func daysOf(all []run) (first int64, runs []run) {
	if len(all) < fewestDays {
		return 0, nil
	}
	// The longest time of the day in which nothing ever runs.
	busy := make([]run, len(all))
	for i, x := range all {
		busy[i].start = epoch.Mod(x.start, day)
		busy[i].end = busy[i].start + min(x.end-x.start, day)
	}
	slices.SortFunc(busy, run.compare)
	cut, longest := int64(0), int64(0)
	latest := int64(0)
	for _, u := range busy {
		latest = max(latest, u.end-day) // what runs past midnight
	}
	for i := 0; i <= len(busy); i++ {
		next := busy[0].start + day
		if i < len(busy) {
			next = busy[i].start
		}
		if next-latest > longest {
			longest, cut = next-latest, latest+(next-latest)/2
		}
		if i < len(busy) {
			latest = max(latest, busy[i].end)
		}
	}
	if float64(longest) < float64((1-longestOfDay)*float64(day)) {
		return 0, nil
	}
	sorted := slices.SortedFunc(slices.Values(all), run.compare)
	first = sorted[0].start - epoch.Mod(sorted[0].start-cut, day)
	if (sorted[len(sorted)-1].start-first)/day > 10_000 {
		return 0, nil // years apart
	}
	for _, u := range sorted {
		n := int((u.start - first) / day)
		for len(runs) <= n {
			runs = append(runs, run{})
		}
		at := first + int64(n)*day
		if runs[n].end == 0 {
			runs[n] = run{u.start - at, u.end - at}
		}
		runs[n].end = max(runs[n].end, u.end-at)
	}
	return first, runs
}
