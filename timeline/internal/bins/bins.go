// Package bins divides the time of traces into bins.
package bins

import (
	"slices"
	"time"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/timeline/internal/epoch"
)

// Bins are stretches of time that follow each other, but for long times in which nothing was recorded, as between
// two recordings: those have none.
type Bins struct {
	Length   time.Duration
	Starts   []int64   // when each begins, in nanoseconds since the Unix epoch
	Exposure []float64 // how much of each was recorded, from 0 to 1
}

// Config says which bins there are to be. The zero value means about 240 of a round length, or fewer where traces
// are few: ten traces a bin, and at least 30 bins.
type Config struct {
	Length     time.Duration
	Start, End int64 // bound the time; 0 means that of the traces, without those that lie far outside
}

// The codes of warnings.
const (
	WarningOutside    = "timeline_outside"
	WarningUnrecorded = "timeline_unrecorded"
)

const (
	target       = 240
	fewest       = 30
	tracesPerBin = 10
	most         = 4096
)

// LayOut decides the bins, and makes them longer than asked for where they would be more than 4096. It is false if no
// trace has a time within them.
func LayOut(traces tracewhy.Cohort, cfg Config) (*Bins, []tracewhy.Warning, bool) {
	var starts []int64
	for t := range traces.Traces() {
		if start, _, ok := t.Interval(); ok && (cfg.Start == 0 || start >= cfg.Start) && (cfg.End == 0 || start < cfg.End) {
			starts = append(starts, start)
		}
	}
	if len(starts) == 0 {
		return nil, nil, false
	}
	slices.Sort(starts)
	var warnings []tracewhy.Warning
	warn := func(code string, n int, message string) {
		if n > 0 {
			warnings = append(warnings, tracewhy.Warning{Code: code, Count: n, Message: message})
		}
	}
	near := WithoutStray(starts)
	warn(WarningOutside, len(starts)-len(near), "traces began long before or after the others: they were left out of the timeline")
	starts = near
	if cfg.Start != 0 && cfg.Start <= starts[0] {
		starts = slices.Insert(starts, 0, cfg.Start)
	}
	if cfg.End != 0 && cfg.End > starts[len(starts)-1] {
		starts = append(starts, cfg.End-1)
	}
	b := &Bins{Length: cfg.Length}
	if b.Length <= 0 {
		n := min(max(len(starts)/tracesPerBin, fewest), target)
		b.Length = epoch.RoundUp(time.Duration(covered(starts) / int64(n)))
	}
	for !b.divide(starts) {
		b.Length = epoch.RoundUp(2 * b.Length)
	}
	warn(WarningUnrecorded, len(b.Exposure)-b.Recorded(), "in some bins of time no trace began: nothing is taken to be known of them")
	return b, warnings, true
}

// divide makes the bins for sorted starts of traces. It is false if they would be too many.
func (b *Bins) divide(starts []int64) bool {
	b.Starts, b.Exposure = nil, nil
	length := int64(b.Length)
	hole := max(epoch.Distance(starts[0], starts[len(starts)-1])/20, 10*length)
	for from := 0; from < len(starts); {
		to := from + 1
		for to < len(starts) && epoch.Distance(starts[to-1], starts[to]) <= hole {
			to++
		}
		first, last := starts[from], starts[to-1]
		begin := first - epoch.Mod(first, length)
		if begin > first { // before the first moment that has a number
			begin = first
		}
		n := (last-begin)/length + 1
		if int64(len(b.Starts))+n > most {
			return false
		}
		at := len(b.Starts)
		for i := range n {
			b.Starts, b.Exposure = append(b.Starts, begin+i*length), append(b.Exposure, 0)
		}
		for _, s := range starts[from:to] {
			b.Exposure[at+int((s-begin)/length)] = 1
		}
		// Of the first and the last bin only a part was recorded.
		b.Exposure[at] -= float64(first-begin) / float64(length)
		end := len(b.Starts) - 1
		b.Exposure[end] = max(b.Exposure[end]-1+float64(last-b.Starts[end]+1)/float64(length), 0)
		from = to
	}
	return true
}

// Of returns the bin of a moment; it is false outside of all, and where nothing is known.
func (b *Bins) Of(at int64) (int, bool) {
	i, exact := slices.BinarySearch(b.Starts, at)
	if !exact {
		i--
	}
	if i < 0 || at-b.Starts[i] >= int64(b.Length) || b.Exposure[i] == 0 {
		return 0, false
	}
	return i, true
}

// Recorded returns in how many bins something was recorded.
func (b *Bins) Recorded() int {
	n := 0
	for _, x := range b.Exposure {
		if x != 0 {
			n++
		}
	}
	return n
}

// WithoutStray returns sorted starts without those that lie further from most others than these are apart: a clock
// that was never set must not make a thousand years of bins.
func WithoutStray(starts []int64) []int64 {
	n := len(starts)
	low, high := starts[n/200], starts[n-1-n/200]
	reach := max(epoch.Distance(low, high), int64(time.Minute))
	from, _ := slices.BinarySearch(starts, epoch.Add(low, -reach))
	to, _ := slices.BinarySearch(starts, epoch.Add(high, reach))
	return starts[from:to]
}

// covered returns the time in which traces began, without long holes between them, as between two files.
func covered(starts []int64) int64 {
	n := len(starts)
	total := epoch.Distance(starts[0], starts[n-1])
	hole := max(total/20, 1)
	out := int64(1)
	for i := 1; i < n; i++ {
		if d := epoch.Distance(starts[i-1], starts[i]); d < hole {
			out += d
		}
	}
	return out
}
