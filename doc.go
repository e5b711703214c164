// Package tracewhy is the model of distributed traces that the analyses of this module share, and what
// can be said of one trace alone.
//
// It owns the [Set] of traces and how it is built, the language in which traces are selected, and the
// facts of a trace: its critical path, self time, gaps, and where its error began. It does not own how
// traces are read (package ingest and those below it), what sets of traces have in common or how they
// differ (compare, timeline and the other analyses), nor the verdict (package rca).
//
// # Usual sequence
//
//  1. Collect spans in a [Builder], from files through package ingest, or as [SpanData]. Baseline and
//     incident go into the same Builder, told apart by [SpanData.Source].
//  2. [Builder.Build] makes the Set. [Set.Problems] and [Set.Accounting] say what was odd about the
//     spans, and what became of each.
//  3. Select traces as a [Cohort]: [Set.Source], [Cohort.Where] with a [Predicate], [Cohort.Select] with
//     a function; combine cohorts with And, Or and Minus.
//  4. Give cohorts to an analysis, or look at their traces: [Trace.Root], [Span.Children],
//     [Trace.CriticalPath], [Trace.ErrorOrigin], [Cohort.Transactions].
//
// For tests and for spans made by hand [SetOf] does the first two steps in one.
//
// # The model
//
// A Set holds its spans in columns and every distinct text, attribute and resource once. [Trace],
// [Span] and [Path] are handles to it: small comparable values that need no memory of their own, and
// that are good as long as they are kept. Handles of different Sets are never equal.
//
// Spans of a trace are in pre-order, parents before children, siblings by start. A trace may have
// several roots, and orphans, whose parents are missing: [Trace.Roots] yields all of them. An id that
// was used for many requests, one root after the other, makes as many traces ([Trace.RecordedID]).
//
// [Trace.Missing] says what a trace lacks, beside others of the Set, and [Trace.Completeness] how much.
//
// A [Path] is the chain of service, operation and kind that leads from a root to a span. All traces of
// a Set share one tree of paths, so that the same call is compared with itself, in baseline and
// incident, and not with a call of the same name made from elsewhere. An operation is a span's name,
// or a template of names that differ in identifiers only, such as GET /users/{id}.
//
// Attributes are numbered: [AttrID] stands for a key with a value, those of one key are a range
// ([Set.AttrRange]), and a table with one entry for each AttrID is how an analysis counts them.
//
// # Guarantees
//
// The same spans in any order give the same Set, down to the numbers of its spans, paths and
// attributes, on every processor.
//
// A Set never changes, and all of its methods may be called by several goroutines at once. A Builder
// is for one goroutine at a time.
//
// Bad data is never repaired silently, and never an error: ids that collide, rings of parents, times
// that are none are marked on the span ([Span.Marks]), counted under a stable code ([Set.Problems]),
// and kept where that can be. Clocks are not adjusted. Each span that was given to a Builder is kept,
// merged with another report of itself, or quarantined.
//
// A span with 12 attributes of few values takes about 120 bytes, and a full garbage collection over a
// million of them a few milliseconds, since columns have no pointers. An attribute value that no other
// span has costs about 30 bytes more, and its text; [Builder.KeepAttribute] and [Builder.MaxValueLen]
// are for those. A Set has at most 2^31-1 spans.
//
// Building takes time in O(n log n), whatever the shape of the traces, and does not recurse. Methods of
// handles take constant time, or time in what they yield, unless their comment says more.
//
// # Vocabulary
//
// The words are those of OpenTelemetry (trace, span, resource, scope, attribute, event, link, kind,
// status), and these:
//
//	attribute      key and value; what a Condition is about
//	baseline       the cohort that things were well in
//	cohort         a selection of the traces of one Set
//	duration       end minus start; -1 where it is not known
//	instance       one running copy of a service: a pod, a container, a host
//	operation      a span's name, or its template
//	orphan         a span whose parent is missing
//	outcome        how a transaction ended: ok, slow, abandoned, failed
//	path           a chain of calls from a root: the unit of statistics
//	primary root   the root span that speaks for the trace
//	problem        an oddity of the data, counted under a code
//	service        service.name of the resource
//	source         where a trace was read from, in the caller's terms
//	transaction    what a user asked for: one trace, or several that belong together
//	weight         how many traces a sampled one stands for
package tracewhy
