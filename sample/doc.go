// Package sample keeps a weighted sample of traces in bounded memory: what the statistics of more traces
// than a Set can hold are made of, on all cores, on many machines, or in a service that watches itself.
//
//	s := sample.New(sample.Config{})
//	for t := range set.Traces() { // of as many Sets as there are
//		s.Add(t)
//	}
//	whole, err := s.Set(ctx) // traces with weights, for every analysis
//
// It owns the choice of traces, their weights, and an encoding of both. It does not own what is made of
// them: the analyses take weights into account wherever they come from.
//
// # Method
//
// A trace belongs to a stratum: its source, the service and operation of its primary root, its outcome,
// the logarithm of its root's duration, and the time bin that this began in. All of these are known of a
// trace alone. Each stratum counts its traces and their recorded weights exactly, and keeps the k traces
// whose ids have the smallest hashes (a bottom-k sample: E. Cohen and H. Kaplan, 2007,
// doi:10.1145/1281100.1281133). Which ones does not depend on what the traces are, so that within a
// stratum every trace is equally likely to be kept. A kept trace gets the weight total/kept, in
// proportion to its own where weights were recorded. Rare strata, the failing and the slow, are kept
// whole, with a weight of 1; see W. G. Cochran, Sampling Techniques, 1977, chapter 5, for what
// stratifying gains.
//
// For example, 9,000 fast calls of checkout, 900 slow ones and 20 that failed, all within a minute, are
// kept as 32 of weight 281.25, 32 of weight 28.125, and 20 of weight 1.
//
// # What to mind
//
// Slow and failing traces are kept more often than others: that is what the weights say, and a share
// among the traces of a sample means nothing without them. A test that counts each trace once is valid on
// two cohorts only as far as traces of a kind were kept at the same rate in both, as they are where both
// have bins of the same width and much the same traffic. Where they have not, let PerStratum be large
// enough that little of the smaller cohort is left out, or test the totals of [Sample.Strata], which are
// exact.
//
// # Laws
//
// A Sample is a function of the traces that were added to it, or to any sample that was merged into it:
// there is no randomness, and neither the order nor the split into samples nor the tree in which these
// were merged shows in a single byte of [Sample.MarshalBinary]. Merge is commutative and associative, and
// the empty sample is its identity. Each trace must be added once, and whole; a trace that is added twice
// counts twice in the totals and is kept once.
//
// The memory limit keeps these laws. A sample that could exceed it becomes coarser for good: all strata
// keep half as many traces, down to one, and after that strata are merged, over durations, operations,
// services and times, in this order. "Could" means that each stratum is charged for the largest traces
// that it ever saw, as many as it may keep, and not for those that it happens to keep. That charge never
// falls when traces are added, so that the level reached depends on which traces were added alone; what
// is held is mostly a good part less. Samples of equal Configs can be merged whatever their levels.
//
// Adding takes time linear in the size of a trace, merging linear in the size of both samples, and Set
// O(n log n) for n kept spans. Memory is bounded by Config.MaxBytes, and by O(n) for Set. A trace takes
// about as much as its distinct texts, and 20 bytes and one for each attribute per span.
package sample
