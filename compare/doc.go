// Package compare finds how traces of an incident differ from traces of better times.
//
// [Operations] compares, per call path, how long operations take, how they fail, and what they call
// and log. It says first whether anything became worse for whoever uses the system ([Symptom]), and then
// partitions the excess by the place that it comes from:
//
//   - time, by critical path: a service's own work, or the edge between a caller and its callee
//     ([Timing]). A slow caller of something slow has no excess of its own.
//   - failures, by the operation in which each failing trace's error began ([FailureOrigin]).
//   - structure, by the deepest execution that does something else than before ([StructureOrigin]): calls
//     that vanish, appear or repeat, answers that do not come, log messages never or always seen until now.
//
// A worked example: each transaction of a shop calls its store, which became slower by 50 ms, behind
// a gateway that is called by the shop.
//
//	r, err := compare.Operations(ctx, set.Source("baseline"), set.Source("incident"), compare.OperationsConfig{})
//	for _, t := range r.Timings {
//		fmt.Println(t.Service, t.Callee, t.Excess) // store  50 (48 to 52), shop gateway 0.1 (-0.2 to 0.3) …
//	}
//
// [Attributes] says which attributes of spans, resources and events tell the affected traces from others: values,
// ranges and trends of numbers, parts of lists, keys that are there or missing. What it calls a finding
// holds against all that was asked together; what only comes with a failure is listed apart.
//
// [Conjunctions] says which combinations of up to three such conditions explain the affected traces: the fewest
// that do, each of which adds to the others; or that none of the recorded attributes does.
//
//	c, err := compare.Conjunctions(ctx, healthy, failing, compare.ConjunctionsConfig{})
//	for _, f := range c.Findings {
//		fmt.Println(f.Conditions, f.Coverage) // document.formats has tiff, volume.period = high  0.96
//	}
//
// [Structure] says how traces are built otherwise: which calls are made, how often, in which order, how many at
// once, how deep.
//
// [Exemplars] chooses the traces to look at, and [Traces] lays two beside each other, such as a failing one and
// its [Twin], the most similar healthy one, and says call by call where the difference of their durations
// comes from. [Adequacy] says what could have been seen at all among so many traces.
//
// # What can be relied on
//
// The unit of every test is the trace: spans of one trace depend on each other. Comparisons are within
// root operations and call paths, so that a changed mix of traffic is no difference. Effects are
// standardised to the incident's mix, weighted where traces were sampled, and come with 95 % intervals.
// With nothing changed, the probability of any significant symptom is at most alpha. Which places or
// shifts are called changed is controlled by false discovery rate.
//
// Traces that lack a part of themselves ([tracewhy.Trace.Missing]) are not asked for what they cannot
// tell, and warnings count them: fragments without a root count for nothing, roots that have not ended not
// for durations, and traces with missing spans not for structure, nor for time unless most of the
// baseline's are so.
//
// Sampling that keeps failing or slow traces only, in one of the two windows, looks like an incident. The
// same traces in any order, and any number of workers, give the same result.
//
// Time is O(n log n) and memory O(n) for n spans of both cohorts.
package compare
