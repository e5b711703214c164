// Package timeline says when things happened: in one trace, and over minutes to days of many.
//
//   - [Waterfall] is the rows of the picture that shows where a transaction spent its time.
//   - [Series] counts calls, failures and durations of everything in bins of time.
//   - [ChangePoints] finds when what changed, and relates it to when transactions became worse: precursors, what came
//     after, recovery, what became worse in a service after it had in one that it calls, and signatures such
//     as that of retries or of a pool that is exhausted.
//   - [Split] divides one recording into better times and the incident, for analyses that compare the two.
//   - [RankChanges] says which recorded change, or deployment that spans show ([Deployments]), set it off, or that
//     none did.
//   - [Align] says how far the clocks of hosts are apart, and so of which moments the order is known.
//
// Packages below it draw incidents and traces (gantt, sequence), and say what was full, and what waited (capacity).
//
// A worked example: at 08:45 logins begin to fail. What changed before that?
//
//	r, err := timeline.ChangePoints(ctx, set.All(), timeline.ChangePointsConfig{})
//	for _, e := range r.Precursors() {
//		fmt.Println(e.Lead, e) // 1h30m0s users-db: slow calls from 2 % to 31 % at 2026-11-24T07:15:00Z …
//	}
//	if r.Symptom >= 0 {
//		fmt.Println(r.Events[r.Symptom]) // gateway POST /login: failures from 0.2 % to 40 % at 2026-11-24T08:45:00Z
//	}
//
// and, of a file that holds both, how does the incident differ from better times?
//
//	s, err := timeline.Split(ctx, set.All(), timeline.ChangePointsConfig{})
//	if s.Incident.Len() > 0 {
//		d, err := compare.Operations(ctx, s.Baseline, s.Incident, compare.OperationsConfig{})
//	}
//
// and who did it? Of the changes that were recorded one is to be named only for what happened when it was made to
// what it could act on: the users' database has been slow since its index was changed at 02:30, in the few executions
// that a cache let through, and a deployment at 08:20 came after that.
//
//	changes, err := timeline.ParseChanges(file)
//	k, err := timeline.RankChanges(ctx, set.All(), changes, timeline.RankConfig{Points: r})
//	if k.Best >= 0 {
//		fmt.Println(k.Changes[k.Best].Change.ID, k.Changes[k.Best].Dormancy)
//	}
//
// # What can be relied on
//
// No recorded time is changed. Where nothing changed, a symptom is seen with a probability of at most alpha, also
// in series that come in bursts, depend on the bins before, or repeat with the time of day; of what is called an
// event, the share that chance made is at most alpha. When something changed is an interval of 95 %, and one
// event is called earlier than another only where their intervals do not overlap. That is an order, not a cause.
//
// Time of which nothing was recorded is not taken for time in which nothing happened. The same traces in any
// order, and any number of workers, give the same result.
//
// Signatures are consistent with what they are named after, and do not prove it.
//
// Known failures: what changed slowly is one or several steps, and its onset is that of the first of them. With
// fewer than about 30 bins, bins that strongly depend on each other look like changes. Of what repeats every day
// only what lasts an hour or more is allowed for, and nothing in recordings of less than three days. A fault that
// was there from the first trace to the last is not seen: it needs a baseline.
//
// For n spans everything takes time in O(n log n), or O(n log² n) for [Align], and for each series of b bins
// some 100 times O(b log b).
package timeline
