// Package gantt draws what lasted from when until when, for terminals and for Mermaid.
//
//   - [OfIncident] draws what changed in an incident, beside what people had changed.
//   - [OfTrace] draws where a transaction spent its time.
//   - A [Chart] made by hand draws anything else that has a beginning and an end.
//
// A worked example: logins fail, and somebody asks in the chat since when, and what else had gone wrong.
//
//	points, err := timeline.ChangePoints(ctx, set.All(), timeline.ChangePointsConfig{})
//	chart := gantt.OfIncident(points, changes, 0)
//	fmt.Print(chart.Text(100))    // for a terminal of 100 columns
//	fmt.Print(chart.Mermaid())    // for a post-mortem
//
// # What can be relied on
//
// Every task is one line, whatever its name is: names from traces are written so that all of them shows and none of
// it acts, on a terminal or in a diagram. What is left out is counted in [Chart.Cut], and said in the picture. When
// something began is drawn as the interval in which it is known to have begun. Moments are in UTC, and written in
// the shortest way that tells all of them apart.
//
// Known limits: Mermaid takes times of milliseconds at best, so that what takes less than ten seconds in all is
// numbered in a unit that the title names. In a terminal every task takes one column at least.
//
// A picture of n tasks takes time in O(n log n).
package gantt
