// Package baseline keeps what is normal, so that it can be compared with later, without keeping traces.
//
// [Take] makes a [Snapshot] of a cohort: how often each operation is executed, fails, and how long it takes, what it
// calls, what of services and dependencies was seen. [Merge] makes a week of days. [Diff] says what is different between
// two snapshots, and [Drift] whether a snapshot still describes the traces of today. Snapshots are plain data: they are
// written with json.Marshal, read with [Read], and reviewed as any other file.
//
//	week, err := baseline.Read(file)
//	c, err := baseline.Drift(ctx, week, today, baseline.Config{Now: now})
//	fmt.Println(c.Verdict, c.Reason) // drifted 2 of 10 things that could be compared changed, in duration, operation
//	for _, x := range c.Changes {
//		fmt.Println(x.Path, x.String()) // [shop POST /pay ledger book] takes 9.25 ms, before 4.43: factor 2.04 (1.92 to 2.23)
//	}
//
// # What can be relied on
//
// The unit of every test is the trace: executions of one trace depend on each other. So a snapshot counts, beside
// executions, the traces in which something was so, and has histograms of one value for each trace. Comparisons are
// within the call path, of traces in which the caller was executed, so that a changed mix of requests is no drift.
// Shares are compared by Fisher's exact test, durations by Mann and Whitney's rank test on bins of 2.2 %. What is
// called a drift holds against all questions together (Holm's method, after those that could not be answered are
// left out as Tarone does): where nothing changed, the probability of any drift is at most alpha. It also has to be
// large enough to matter ([Config]). That a baseline is representative is said only where a change would have been
// seen.
//
// # What cannot be told from snapshots
//
//   - Whether two things happened in the same trace, beyond what was counted together: no attribute can be asked
//     about that is not among the counts, and no cause is found. For that compare traces, with package compare.
//   - How much days differ from each other, and traces from those before them. Traces are taken to be independent. Where
//     one that follows a slow one is slow as well, or a day a tenth slower than another, much is sure that means
//     nothing, and the thresholds of Config are what tells it from a drift. Known failure: where the pace of a trace is
//     nine tenths that of the one before, 9 % of pairs of windows of 400 traces drift, instead of 5 %.
//   - Whether there is less traffic than usual: requests come in bursts, which counts of a window do not show. Rates
//     are given, and not tested.
//   - Whether an execution took long because its callees did: durations are whole, not of own time.
//   - Whether names that are a template in one Set and not in the other are one operation. They are not compared.
//
// # Privacy
//
// A snapshot has no attribute's value, with these exceptions: the names of services, of operations (as templates where
// they vary), of the peers that calls go to (tracewhy.Span.Peer), of versions and of instances. An operation's
// name that has a person's in it, and that is no identifier to a machine, ends up in it; so does the host name of
// whatever is called. Names of over 1 KiB are cut.
//
// # Cost
//
// Take needs O(n log n) time for n spans. A snapshot needs memory, and its file room, in the number of operations,
// structures and names, whatever the number of traces: some 2 KB for each operation, a tenth of it once
// compressed. Limits bound them ([Config]); which are kept is decided by hash, so that merging does not
// depend on the order.
package baseline
