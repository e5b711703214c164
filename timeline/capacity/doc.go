// Package capacity says from spans alone what services, instances, dependencies and pools had to do, how much of it
// they could do at once, and what waited.
//
//   - [Resources] reconstructs what was under way and what waited, how many there could be at once, and where a queue
//     grew, and lays gauges beside that ([ReadSignals]). [Queues] looks for those queues alone.
//   - [Slowdown] says whether an operation takes longer because it waits or because it works.
//
// A worked example: payments wait, and somebody asks what for, and whether more of it would help.
//
//	r, err := capacity.Resources(ctx, set.All(), capacity.ResourcesConfig{})
//	for _, x := range r.Resources {
//		if x.Saturated() > 0 {
//			fmt.Println(&x, x.Limit.N, x.Limit.Reason) // accounts-db of payments payments-1 4 4 were under way in 98 % of the time …
//		}
//	}
//
// and, of an operation that became slower, is it the wait, or the work?
//
//	s, err := capacity.Slowdown(ctx, baseline, incident, path)
//	fmt.Println(s.Growth, s.Reason) // wait: 31ms of the 40ms by which executions became longer are waits, for one of 4 …
//
// # What can be relied on
//
// A limit of a resource is what executions show that wait for it; where it is not estimable, or rests on what spans
// name, that is said with the reason. Of 100 simulated pools of 1 to 12 connections, at loads of 0.8 to 1.05, the
// limit is found of all where waits are seen apart from the calls, always right, and of half where they are part of
// them, of 51 within a fifth in 49. It is not found where connections are held that no span shows, as those that are
// not given back.
//
// Time of which nothing was recorded is not taken for time in which nothing happened. The same traces in any order,
// and any number of workers, give the same result.
//
// For n spans everything takes time in O(n log n), and memory for those of one kind of resource, and for each resource
// in each bin.
package capacity
