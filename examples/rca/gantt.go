package main

import (
	"io"

	"github.com/tracewhy/tracewhy/timeline"
	"github.com/tracewhy/tracewhy/timeline/gantt"
)

// The formats in which the timeline command draws one picture of all.
const (
	formatGantt   = "gantt"
	formatMermaid = "mermaid"
)

// ganttNames is how many columns a gantt takes for names and times.
const ganttNames = 40

// writeGantt draws the incident, and what people had changed.
func writeGantt(w io.Writer, format string, points *timeline.ChangePointsResult, changes []timeline.Change, rows, width int) error {
	g := gantt.OfIncident(points, changes, rows)
	text := g.Text(width + ganttNames)
	if format == formatMermaid {
		text = g.Mermaid()
	}
	_, err := io.WriteString(w, text)
	return err
}
