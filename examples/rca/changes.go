package main

import (
	"fmt"
	"io"
	"time"

	"github.com/tracewhy/tracewhy/rca/evaluate"
	"github.com/tracewhy/tracewhy/rca/report"
	"github.com/tracewhy/tracewhy/timeline"
)

// writeRanking writes which of the changes set the incident off, and what speaks for and against each.
func (x *course) writeRanking(w io.Writer) {
	r := x.ranking
	if r == nil {
		return
	}
	fmt.Fprintf(w, "\nCHANGES: which of them set it off\n  %s.\n", report.Clean(r.Reason))
	for _, c := range r.Changes[:min(len(r.Changes), x.rows)] {
		id := c.Change.ID
		if id == "" {
			id = "not recorded"
		}
		fmt.Fprintf(w, "  %5s  %s  %s of %s, %s: %s\n", percents(c.Support), clock(c.Change.Time.UnixNano()),
			report.Clean(c.Change.Kind), report.Clean(c.Change.Service), report.Clean(id), report.Clean(c.Change.Description))
		if c.Dormancy >= 0 && c.Support > 0.1 {
			fmt.Fprintf(w, "         dormant for %s, and %s before the symptom\n", c.Dormancy.Round(time.Second), c.Delay.Round(time.Second))
		}
		for _, text := range c.For {
			fmt.Fprintf(w, "         + %s\n", report.Clean(text))
		}
		for _, text := range c.Against {
			fmt.Fprintf(w, "         - %s\n", report.Clean(text))
		}
	}
	if n := len(r.Changes) - x.rows; n > 0 {
		fmt.Fprintf(w, "  and %d more\n", n)
	}
	for _, y := range r.Warnings {
		fmt.Fprintf(w, "  %s (%d): %s\n", y.Code, y.Count, report.Clean(y.Message))
	}
}

// readRecorded reads the changes of a file, or none if it has no name.
func readRecorded(name string) ([]timeline.Change, error) {
	if name == "" {
		return nil, nil
	}
	return evaluate.ReadChanges(name)
}
