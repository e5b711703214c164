package main

import (
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/tracewhy/tracewhy/rca/report"
	"github.com/tracewhy/tracewhy/timeline/capacity"
)

// readSignals reads the gauges of a file, or none if it has no name.
func readSignals(name string) ([]capacity.Signal, error) {
	if name == "" {
		return nil, nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	signals, err := capacity.ReadSignals(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return signals, nil
}

// writeResources writes the resources that were full, or at which a queue grew, those that were so the longest first.
func (x *course) writeResources(w io.Writer) {
	var busy []*capacity.Resource
	for i := range x.resources.Resources {
		r := &x.resources.Resources[i]
		// An instance that is the only one of its service, and calls that are all those of it, are told once.
		isTold := slices.ContainsFunc(busy, func(y *capacity.Resource) bool {
			return y.Service == r.Service && y.Limit == r.Limit && slices.Equal(y.Most, r.Most)
		})
		if (r.Saturated() > 0 || len(r.Queues) > 0) && !isTold {
			busy = append(busy, r)
		}
	}
	slices.SortStableFunc(busy, func(x, y *capacity.Resource) int { return y.Saturated() - x.Saturated() })
	if len(busy) > 0 {
		fmt.Fprint(w, "\nRESOURCES: full, or with a queue that grew\n")
	}
	for _, r := range busy[:min(len(busy), x.rows)] {
		fmt.Fprintf(w, "  %s %s\n", r.Kind, report.Clean(r.String()))
		drawn, _, top := x.floats(r.InFlight)
		fmt.Fprintf(w, "    under way  %s  up to %.3g\n", drawn, top)
		if r.Waiting != nil {
			drawn, _, top = x.floats(known(r.Waiting))
			fmt.Fprintf(w, "    waiting    %s  up to %.3g\n", drawn, top)
		}
		switch {
		case r.Limit.N == 0:
			fmt.Fprintf(w, "    limit      %s\n", report.Clean(r.Limit.Reason))
		default:
			when := ""
			if slices.Contains(r.Utilisation, -1) {
				when = fmt.Sprintf(", from %s to %s", clock(r.Limit.Start), clock(r.Limit.End))
			}
			fmt.Fprintf(w, "    limit      %d (%d to %d)%s, full in %d of %d bins: %s\n",
				r.Limit.N, r.Limit.Low, r.Limit.High, when, r.Saturated(), len(r.InFlight), report.Clean(r.Limit.Reason))
		}
		for _, q := range r.Queues {
			fmt.Fprintf(w, "    queue      from %d to %d under way, %s to %s, %s\n", q.Usual, q.Most, clock(q.Start), clock(q.Peak), drained(q))
		}
	}
	if n := len(busy) - x.rows; n > 0 {
		fmt.Fprintf(w, "  and %d more\n", n)
	}
}

// known returns what is, and NaN for what is not.
func known(ys []float64) []float64 {
	out := slices.Clone(ys)
	for i, y := range out {
		if y < 0 {
			out[i] = math.NaN()
		}
	}
	return out
}

func drained(q capacity.Queue) string {
	if q.Drained == 0 {
		return "and not over in the end"
	}
	return "over at " + clock(q.Drained)
}

// writeSignals writes the gauges that were measured beside the traces, and what changed in them.
func (x *course) writeSignals(w io.Writer) {
	if len(x.resources.Signals) == 0 {
		return
	}
	fmt.Fprint(w, "\nSIGNALS\n")
	for _, s := range x.resources.Signals[:min(len(x.resources.Signals), x.rows)] {
		drawn, low, high := x.floats(s.Mean)
		unit := ""
		if s.Signal.Unit != "" {
			unit = " " + s.Signal.Unit
		}
		fmt.Fprintf(w, "  %s\n    %s  %.3g to %.3g%s\n", report.Clean(s.Signal.String()), drawn, low, high, report.Clean(unit))
		for _, c := range s.Changes {
			fmt.Fprintf(w, "    %s%s\n", c, x.lead(c.Time))
		}
	}
	if n := len(x.resources.Signals) - x.rows; n > 0 {
		fmt.Fprintf(w, "  and %d more\n", n)
	}
}

// lead says how long before the symptom a moment was, if there is one.
func (x *course) lead(at int64) string {
	if x.changes.Symptom < 0 {
		return ""
	}
	switch d := time.Duration(x.changes.Events[x.changes.Symptom].Time - at); {
	case d > 0:
		return fmt.Sprintf(", %s before the symptom", d)
	case d < 0:
		return fmt.Sprintf(", %s after the symptom", -d)
	}
	return ", with the symptom"
}

// floats draws means over the bins of each column, and returns the least and the largest of them. Where none is known
// the drawing is empty.
func (x *course) floats(ys []float64) (drawn string, low, high float64) {
	var means []float64
	low, high = math.NaN(), math.NaN()
	x.columns(len(ys), func(from, to int) {
		sum, n := 0.0, 0.0
		for _, y := range ys[from:to] {
			if !math.IsNaN(y) {
				sum, n = sum+y, n+1
			}
		}
		mean := sum / n // NaN of none
		means = append(means, mean)
		if n > 0 && !(low <= mean) {
			low = mean
		}
		if n > 0 && !(high >= mean) {
			high = mean
		}
	})
	var b strings.Builder
	bottom := min(low, 0)
	for _, y := range means {
		switch {
		case math.IsNaN(y):
			b.WriteByte(' ')
		case high == bottom:
			b.WriteRune('▁')
		default:
			b.WriteRune([]rune("▁▂▃▄▅▆▇█")[min(7, int(8*(y-bottom)/(high-bottom)))])
		}
	}
	return b.String(), low, high
}
