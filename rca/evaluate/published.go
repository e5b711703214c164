package evaluate

// Published returns published methods that locate faults from traces, re-implemented from their
// formulas. Each comment says where the implementation departs from the publication.
//
//   - MicroRank: G. Yu et al., "MicroRank: End-to-End Latency Issue Localization with Extended Spectrum
//     Analysis in Microservice Environments", WWW 2021, doi:10.1145/3442381.3449905.
//   - TraceRCA: Z. Li et al., "Practical Root Cause Localization for Microservice Systems via Trace
//     Analysis", IWQoS 2021, doi:10.1109/IWQOS52092.2021.9521340.
func Published() []Ranker {
	return []Ranker{
		byTraces("TraceRCA", rankByTraceRCA),
		byTraces("MicroRank", rankByMicroRank),
	}
}
