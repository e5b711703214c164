// Package cluster groups traces that failed, or were slow, into failure modes: one incident may be several,
// and the remedy for one of them does nothing for the others.
//
// [Modes] divides traces by which service failed and what its error says, and further by what it called and
// where time went. How many modes there are is a finding, not a parameter: what chance does not bring about,
// different errors, divides by itself; groups by calls and times must be clearer than chance makes them, and
// be found again among two thirds of the traces. One mode is an answer, and so is noise.
//
// A worked example: 8 % of settlements fail. What kinds of failure are they, and which would a longer time
// limit for batches cure?
//
//	failed := incident.Select(func(t tracewhy.Trace) bool { return t.Root().Failed() })
//	r, err := cluster.Modes(ctx, failed, cluster.ModesConfig{})
//	for _, m := range r.Modes {
//		fmt.Println(m.Share, m.Service, m.Operation, m.Message, m.Medoid)
//	}
//	batches := tracewhy.Predicate{Has: []tracewhy.Matcher{{Operation: "submit batch", Failed: true}}}
//	for i, c := range r.Coverage(batches) {
//		fmt.Println(r.Modes[i].Operation, c.Share) // submit batch 1 (0.95 to 1), convert 0 (0 to 0.04), …
//	}
//	changes, err := r.Changes(ctx, beforeTheFix, afterIt, tracewhy.OutcomeRule{})
//
// What the traces of a mode have in common, and its failing siblings do not, is for package compare: each
// mode is a [tracewhy.Cohort].
//
// [Features] makes a table of numbers of traces, for the methods of package learn and for other tools.
//
// # What can be relied on
//
// The unit is the trace. Shares have 95 % intervals, by effective size where traces were sampled. The
// same traces in any order, and any number of workers, give the same result. Traces that lack spans make no
// modes, where most are whole, but join them, since failing ones often do; a warning counts them.
//
// Known failures: where the error of one cause begins in several services, so that nothing in the traces
// says that it is one, those are several modes. Two causes that look the same in all traces are one. A mode
// of less than 2 % of the traces is noise unless MinTraces says otherwise.
//
// For n spans Modes takes time in O(n log n) and a constant for each division of its sample of 400 traces;
// Features takes O(n log n) and memory for each cell of its table.
package cluster
