// Command chapter draws the diagrams of a chapter on root cause analysis in banks, from traces: what its authors drew
// by hand comes out of the analyses of this module.
//
//	go run ./examples/chapter                 the names of the diagrams
//	go run ./examples/chapter waterfall       one of them, as Mermaid
//	go run ./examples/chapter -text incident  as text for a terminal
//
// The diagrams:
//
//   - waterfall: a payment of 35 seconds, of which the fraud verification takes 15. The trace has a layer more, and
//     it says why: of the 15 seconds 14 pass before the first query, as they do where a connection pool is exhausted.
//     "drilldown" draws that layer.
//   - investigation: three hours of an investigation without traces, from one team to the next. It is not a trace,
//     and shows that a sequence diagram can be made by hand.
//   - dependencies: who calls whom in a payment, whose the called are, and who nobody knows the owner of.
//   - incident: a deployment slows queries down, seven hours before customers notice. "reconstructed" draws the same
//     incident as an analysis of 1,920 traces finds it: what lasted until when is measured rather than told, and
//     when it began is an interval.
//
// The tests compare each with the chapter's own text, in testdata/original. Where they differ, the chapter's cannot be
// drawn as it is meant: its incident ends with a milestone of one field, which Mermaid rejects ("Invalid date:ci1"),
// and its waterfall has no format for the axis, which then shows the same date at every line.
package main
