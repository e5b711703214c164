package capacity

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/parallel"
	"github.com/tracewhy/tracewhy/internal/stats"
	"github.com/tracewhy/tracewhy/timeline/internal/bins"
)

// Signal is a gauge that was measured beside the traces, such as the size of a pool, or the memory of an instance.
type Signal struct {
	Name     string
	Unit     string // or ""
	Service  string // that it is about, or ""
	Instance string // likewise
	Points   []Point
}

// String returns the signal's name, after that of what it is about.
func (s Signal) String() string {
	return strings.Join(slices.DeleteFunc([]string{s.Service, s.Instance, s.Name}, func(x string) bool { return x == "" }), " ")
}

// Point is one measurement of a [Signal].
type Point struct {
	Time  int64 // in nanoseconds since the Unix epoch
	Value float64
}

// SignalCourse is a signal over the bins of a [ResourcesResult]. In a bin without points nothing is known of it: its
// values are NaN.
type SignalCourse struct {
	Signal               Signal // its points by time
	Points               []int  // how many there are
	Last, Mean, Min, Max []float64
	Changes              []SignalChange // in the order of time
}

// SignalChange is a moment at which the level of a signal changed.
type SignalChange struct {
	// Time is when the bin of the new level begins, in nanoseconds since the Unix epoch. The change lies
	// between First and Last with a probability of 95 %.
	Time, First, Last int64
	Before, After     float64 // means of bins
	// Q is the share of chance among all changes of signals up to this one ([stats.BenjaminiHochberg]).
	Q float64
}

// replicates is how many series without a change a change of a signal is held against.
const replicates = 199

// layOver lays the signals over bins, and looks for changes of their means.
func layOver(ctx context.Context, grid *bins.Bins, cfg ResourcesConfig) ([]SignalCourse, []tracewhy.Warning, error) {
	signals := slices.Clone(cfg.Signals)
	for i := range signals {
		signals[i].Points = slices.Clone(signals[i].Points)
		sortPoints(signals[i].Points)
	}
	slices.SortStableFunc(signals, func(x, y Signal) int {
		return cmp.Or(compareSignals(x, y), slices.CompareFunc(x.Points, y.Points, comparePoints))
	})
	courses := make([]SignalCourse, len(signals))
	changes := make([]stats.ChangeResult, len(signals))
	outside := make([]int, len(signals))
	err := parallel.For(ctx, cfg.Workers, len(signals), func(i int) {
		courses[i], outside[i] = courseOf(signals[i], grid)
		changes[i] = stats.ChangePoints(stats.ChangeSeries{Model: stats.MeanChange, Values: courses[i].Mean}, stats.ChangeConfig{
			Alpha: cfg.Alpha, Replicates: replicates, Seed: stats.NewRand(cfg.Seed, stats.Key(signals[i].String())).Uint64(),
		})
	})
	if err != nil {
		return nil, nil, err
	}
	ps := make([]float64, len(signals))
	for i, c := range changes {
		ps[i] = c.P
	}
	for i, q := range stats.BenjaminiHochberg(ps) {
		for _, c := range changes[i].Changes {
			if q <= cfg.Alpha {
				courses[i].Changes = append(courses[i].Changes, SignalChange{
					Time: grid.Starts[c.At], First: grid.Starts[max(c.First-1, 0)], Last: grid.Starts[c.Last] + int64(grid.Length),
					Before: c.Before, After: c.After, Q: q,
				})
			}
		}
	}
	n := 0
	for _, k := range outside {
		n += k
	}
	if n > 0 {
		return courses, []tracewhy.Warning{{
			Code: WarningSignalOutside, Count: n, Message: "points of signals were measured at no time of the traces: they were left out",
		}}, nil
	}
	return courses, nil, nil
}

func compareSignals(x, y Signal) int {
	return cmp.Or(strings.Compare(x.Service, y.Service), strings.Compare(x.Instance, y.Instance), strings.Compare(x.Name, y.Name), strings.Compare(x.Unit, y.Unit))
}

func comparePoints(x, y Point) int {
	return cmp.Or(cmp.Compare(x.Time, y.Time), cmp.Compare(x.Value, y.Value))
}

func sortPoints(points []Point) { slices.SortFunc(points, comparePoints) }

// courseOf lays a signal over bins, and returns how many of its points are in none.
func courseOf(s Signal, grid *bins.Bins) (c SignalCourse, outside int) {
	n := len(grid.Starts)
	unknown := func() []float64 { return slices.Repeat([]float64{math.NaN()}, n) }
	c = SignalCourse{Signal: s, Points: make([]int, n), Last: unknown(), Mean: unknown(), Min: unknown(), Max: unknown()}
	for _, p := range s.Points {
		b, exact := slices.BinarySearch(grid.Starts, p.Time)
		if !exact {
			b--
		}
		if b < 0 || p.Time-grid.Starts[b] >= int64(grid.Length) || math.IsNaN(p.Value) || math.IsInf(p.Value, 0) {
			outside++
			continue
		}
		if c.Points[b]++; c.Points[b] == 1 {
			c.Last[b], c.Mean[b], c.Min[b], c.Max[b] = p.Value, p.Value, p.Value, p.Value
			continue
		}
		c.Last[b], c.Min[b], c.Max[b] = p.Value, min(c.Min[b], p.Value), max(c.Max[b], p.Value)
		c.Mean[b] += (p.Value - c.Mean[b]) / float64(c.Points[b])
	}
	return c, outside
}

// String returns the change as "from 10 to 5 at 2026-11-24T08:45:00Z".
func (c SignalChange) String() string {
	return fmt.Sprintf("from %.3g to %.3g at %s", c.Before, c.After, time.Unix(0, c.Time).UTC().Format(time.RFC3339))
}
