// Package evaluate measures how often an analysis of incidents is right, beside chance, simple rules and
// published methods.
//
// A case is the traces of a baseline and of an incident with a [Label] that says what was wrong; a quiet
// case has none, and nothing may be claimed there. A [Ranker] answers with suspects in order. [Run] gives
// every case to every ranker and says for each how far up the truth stands (AC@k, Avg@5, MRR over distinct
// services, and over operations where they are known), how often something was claimed of a quiet case,
// and whether confidence means what it says (Brier, log loss, calibration error against its null band).
// [Dirs] does so for case folders:
//
//	r, err := evaluate.Dirs(ctx, dirs, evaluate.All(rca.Config{}), evaluate.Config{})
//	if err != nil {
//		return err
//	}
//	return r.WriteText(os.Stdout)
//
// Worked example: of two incidents a ranker names the true service first in one and second in the other.
// Its AC@1 is 1/2, AC@2 is 2/2, MRR is (1 + 1/2)/2 = 0.75, and Avg@5 is (0.5+1+1+1+1)/5 = 0.9. Had it
// given both services of the second incident the same score, either would be first half of the time: the
// expected AC@1 is then 3/4.
//
// # What is counted
//
//   - An abstention (verdict no_incident or need_more) is a miss; coverage says how often a ranker did
//     not abstain. What it lists all the same is counted apart, "as listed".
//   - Suspects with equal scores are in random order, and every figure is its expectation over these
//     orders. Chance is the ranker for which all are equal, and its accuracy is exact, not simulated.
//   - Every share has its exact (Clopper–Pearson) interval. With expected hits, which may be fractions,
//     the interval is the one that the same formula gives.
//   - Conditions are right if all of the label's are stated and at most one more: with the service, and alone.
//     Where a label has none, or does not say, stating any is counted as unfounded.
//   - Calibration is that of the first cause of each answer that has one, quiet cases included, where it
//     is always wrong.
//
// Results are the same for any number of workers. A case takes the time of its rankers: those of this
// package are linear in its spans, but for TraceRCA, which enumerates sets of services, up to a limit.
// As many cases are in memory as there are workers.
package evaluate
