// Package depgraph says what depends on what, whose each thing is, and whose fault it was: of a service
// inside, of a vendor outside, or of the boundary between them.
//
// [Build] makes the graph of a cohort: services, their operations and instances, and what they call that
// has no spans, each with its calls and its part in what customers wait for. Whose a thing is follows from
// tags (dependency.type, [Tags]), from rules of the caller's ([Config]), and from what calls look like
// ([Basis]); where nothing says so it is unclassified. Graphs are drawn as Mermaid and as DOT.
//
// [FaultDomain] compares an incident with better times. It takes apart what a call is made of: the wait for
// a pool of ours, connecting, the network, the other side, and waits between attempts. A vendor that
// refuses what exceeds a limit is an external mechanism, and has an internal trigger where that follows from
// how much we asked of it. [Scorecards] grade each dependency, [Influence] says which of them customers wait
// for, and [Audit] finds boundaries that are not recorded as they should be.
//
// A worked example: a credit bureau refuses calls while many loans are applied for.
//
//	g, err := depgraph.Build(ctx, set.All(), depgraph.Config{})
//	fmt.Println(g.Mermaid(depgraph.DrawConfig{}))
//	r, err := depgraph.FaultDomain(ctx, set.Source("baseline"), set.Source("incident"), depgraph.Config{})
//	fmt.Println(r.Domain, r.Vendor, r.Mechanism, r.Trigger) // external CreditBureau throttling internal
//	fmt.Println(r.Throttling.Limit)                         // about 20 calls a second
//
// # What can be relied on
//
// The unit is the trace: intervals allow for traces of many calls, and for sampling weights. What too few
// traces show is unknown, not zero. A call is the outermost calling span, and those below it for the same
// target are its attempts, so that a client that wraps another is not counted twice.
//
// Where the evidence is thin, or nothing says whose a thing is, a verdict is undetermined. Where the other
// side of a call has no span, its time includes the network's. Known failures: a process that gets no CPU
// makes all that it calls look slow, a wait for a pool that is a part of the call's span and of no other
// looks like the vendor until it ends in vain, and a circuit breaker that is open looks like an error of
// its own service.
//
// The same traces in any order, and any number of workers, give the same result. Time is O(n log n) and
// memory O(n) for n spans.
package depgraph
