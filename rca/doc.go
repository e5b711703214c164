// Package rca investigates an incident: it composes the analyses of its traces into a [Report] that says
// what broke, where, by what mechanism, and how sure that is.
//
// Every suspect is scored by how much of the incident would vanish without it. Loudness is no cause: a
// service that passes on the errors of another, or waits for a slow one, has no share of its own.
//
//  1. Did anything become worse? [compare.Operations] tests failures, latency, abandonment and structure,
//     with the probability of any false alarm under control. If nothing did, the verdict is "no_incident"
//     and no cause is named.
//  2. Where? The excess of each symptom is partitioned by place. For each service the excess that a fault of
//     it would explain is weighed by its consistency: how many of the places that such a fault slows
//     down did become slower. A fault of a service's network slows down every call to it. Who asks something so
//     much more often that it becomes slow is at fault, and not what is asked; and a failed attempt, with the
//     wait after it, is of what was called.
//  3. For whom? Of the traces that passed the culprit in the incident, [compare.Attributes] tells the affected
//     from the others, within root operations and parts of the window: the conditions that single them out
//     and could have been why, or that none does. What changed since the baseline is no condition by itself.
//     Each failure mode is compared with all others of its root operations in the same way.
//  4. Whose is it, since when, set off by what? [depgraph.Assess] says whose the culprit is, and how a vendor failed:
//     that it throttles is an external mechanism, and has an internal trigger where we asked for more.
//     [timeline.ChangePoints] says when transactions, and what they pass, became worse, and [timeline.RankChanges]
//     which recorded change, or deployment that spans show, set it off, or that none did.
//  5. What else could it be? The explanations that a first look suggests are listed with the number that
//     speaks against each.
//  6. How sure? A confidence is the share of such answers that are right. Below a half the verdict is
//     "need_more", with what would decide.
//
// The usual sequence is to read the traces of both windows into one Set, and to investigate:
//
//	var b tracewhy.Builder
//	err := ingest.Files(ctx, &b, "baseline", cfg, "monday.jsonl.gz")
//	err = ingest.Files(ctx, &b, "incident", cfg, "now.jsonl.gz")
//	set, err := b.Build(ctx)
//	report, err := rca.Investigate(ctx, set.Source("baseline"), set.Source("incident"), rca.Config{})
//	err = report.Text(os.Stdout, r, report.Config{})
//
// A report is plain data. The same traces in any order, with any number of workers, give the same bytes
// of JSON. Package rca/report renders it; package rca/evaluate measures how often it is right.
//
// An investigation takes time in O(n log n) and memory in O(n) for n spans.
package rca
