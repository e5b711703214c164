// Package backend reads traces from the query APIs of trace backends: Jaeger, what speaks its API, and
// Grafana Tempo.
//
//	src := backend.Jaeger{URL: "https://jaeger.example", Client: backend.Client{Bearer: token}}
//	query := backend.Query{Services: []string{"frontend"}, Start: noon, End: noon.Add(time.Hour)}
//	var b tracewhy.Builder
//	result, err := src.Fetch(ctx, query, backend.Into(&b, "incident"))
//
// Fetch hands over whole traces as they come, so that they can also be written to a file at once:
//
//	result, err := src.Fetch(ctx, query, func(t tracewhy.Trace) error { return otlp.WriteJSON(w, t.Spans()) })
//
// # All of it
//
// A backend cuts an answer at a limit without saying so. Where an answer has as many traces as were asked
// for, Fetch asks for half of the time, and so on, until all of it was seen; what cannot be divided any
// further is said in Result.Warnings. With Query.Limit it takes a sample instead, spread over the time.
//
// What a backend is asked to filter by differs from one to the next, and some do it wrong. So a trace that
// comes is looked at again, and what the query means is the same everywhere: see [Query].
//
// # Safety
//
// Requests that fail because of the network or of a server under load are made again, later and later. An
// answer of which only a part came counts as failed. Fetch keeps the traces of one answer in memory, or of
// Tempo, where a trace is an answer, those of four for each that is read at once. An answer may not be
// longer than Client.MaxAnswer. Of each trace the id is kept.
//
// Credentials are sent to the host of the URL and to no other, not even where it redirects to one. They
// are in no error, and [Secret] keeps them out of what is printed or logged. Fetch waits and gives up by
// the clock, which decides whether traces come, and never what they are.
//
// Fetch takes time in the length of the answers. Of a busy time each trace may come twice.
package backend

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/tracewhy/tracewhy"
)

// Query says which traces to fetch. A trace is one of them if it began in the time from Start to End, has
// a span that meets all of Services, Operation, MinDuration and Where, and, with Errors, a span that
// failed, which may be another one.
type Query struct {
	// Services are the services of which one must be that of the span; none means any. Jaeger is asked
	// once for each, and for each that it knows if there is none.
	Services []string

	Operation   string               // the span's name; "" means any
	MinDuration time.Duration        // how long the span took at least
	Where       []tracewhy.Condition // what the span's attributes, or its resource's, must meet

	// Errors asks for traces in which a span failed ([tracewhy.Span.Failed]). Traces chosen by how they
	// ended are for looking at. Comparing them with a baseline would take the choice for the incident.
	Errors bool

	// Start and End bound when the trace began: Start belongs to the time, End does not. Both must be
	// given. A backend goes by the spans that it finds, so that a trace may be missed if those that meet
	// the query began after End. Traces that began just before now may not be whole yet.
	Start, End time.Time

	// Limit is how many traces to fetch at most; 0 means all. If there are more, those that are fetched
	// are a sample, with about as many from each sixteenth of the time.
	Limit int
}

// predicates returns what a trace must meet one of.
func (q *Query) predicates() []tracewhy.Predicate {
	services := q.Services
	if len(services) == 0 {
		services = []string{""}
	}
	var ps []tracewhy.Predicate
	for _, s := range services {
		p := tracewhy.Predicate{Has: []tracewhy.Matcher{{Service: s, Operation: q.Operation, MinDuration: q.MinDuration, Where: q.Where}}}
		if q.Errors {
			p.Has = append(p.Has, tracewhy.Matcher{Failed: true})
		}
		ps = append(ps, p)
	}
	return ps
}

func (q *Query) check() error {
	switch {
	case q.Start.IsZero() || q.End.IsZero():
		return errors.New("backend: a query needs a start and an end")
	case !q.Start.Before(q.End):
		return errors.New("backend: a query must start before it ends")
	case q.Limit < 0:
		return errors.New("backend: the limit of a query is negative")
	}
	return nil
}

// Into returns a function for Fetch that adds traces to b, as coming from the named source
// ([tracewhy.SpanData.Source]).
func Into(b *tracewhy.Builder, source string) func(tracewhy.Trace) error {
	return func(t tracewhy.Trace) error {
		for s := range t.Spans() {
			d := s.Data()
			d.Source = source
			b.Add(&d)
		}
		return nil
	}
}

// Result says what Fetch did. It is also there, as far as Fetch got, beside an error.
type Result struct {
	Traces   int   // that were handed over
	Spans    int   // of them
	Skipped  int   // traces that came and are not what the query asks for
	Requests int   // with those that were made again
	Retries  int   // requests that were made again
	Bytes    int64 // of answers, after decompression

	// Problems are the oddities of the spans that came, by code, as [tracewhy.Set.Problems] has them. They
	// include those of traces that were skipped.
	Problems []tracewhy.Warning

	// Warnings say, by code, how what came may differ from what was asked for.
	Warnings []tracewhy.Warning
}

// The warnings of a Result.
const (
	WarningLimit       = "limit_reached"           // there may be more traces than Query.Limit
	WarningTruncated   = "traces_left_out"         // more traces began at one moment than an answer may have
	WarningService     = "service_unknown"         // a service of the query that the backend does not know
	WarningMissing     = "trace_missing"           // a search named traces that are not there any more
	WarningTooLong     = "trace_too_long"          // a trace that is longer than Client.MaxAnswer was left out
	WarningPartial     = "trace_partial"           // the backend says that it does not have all of a trace
	WarningUnencrypted = "credentials_unencrypted" // credentials went over a network in clear text
)

// Progress says how far Fetch got.
type Progress struct {
	Traces, Spans     int
	Requests, Retries int
	Bytes             int64
	Share             float64 // of the time that was asked for, from 0 to 1
}

// tally collects the traces of one Fetch.
type tally struct {
	query    *Query
	wanted   []tracewhy.Predicate
	take     func(tracewhy.Trace) error
	seen     map[tracewhy.TraceID]struct{}
	result   *Result
	problems map[string]tracewhy.Warning
	warnings map[string]tracewhy.Warning
}

func newTally(q *Query, take func(tracewhy.Trace) error) *tally {
	return &tally{
		query: q, wanted: q.predicates(), take: take, seen: map[tracewhy.TraceID]struct{}{},
		result: &Result{}, problems: map[string]tracewhy.Warning{}, warnings: map[string]tracewhy.Warning{},
	}
}

// offer hands a trace over if it is one that was asked for and did not come before. It reports whether it
// did.
func (c *tally) offer(t tracewhy.Trace) (bool, error) {
	id := t.ID()
	if _, ok := c.seen[id]; ok {
		return false, nil
	}
	c.seen[id] = struct{}{}
	if !c.wants(t) {
		c.result.Skipped++
		return false, nil
	}
	c.result.Traces++
	c.result.Spans += t.NumSpans()
	return true, c.take(t)
}

func (c *tally) wants(t tracewhy.Trace) bool {
	if start, _, ok := t.Interval(); ok {
		began := time.Unix(0, start)
		if began.Before(c.query.Start) || !began.Before(c.query.End) {
			return false
		}
	}
	return slices.ContainsFunc(c.wanted, func(p tracewhy.Predicate) bool { return p.Holds(t) })
}

// report counts the problems of the spans of a Set.
func (c *tally) report(set *tracewhy.Set) {
	for _, p := range set.Problems() {
		add(c.problems, p)
	}
}

func (c *tally) warn(code, message string, id tracewhy.TraceID) {
	w := tracewhy.Warning{Code: code, Message: message, Count: 1}
	if !id.IsZero() {
		w.TraceID = id.String()
	}
	add(c.warnings, w)
}

func add(to map[string]tracewhy.Warning, w tracewhy.Warning) {
	if old, ok := to[w.Code]; ok {
		old.Count += w.Count
		w = old
	}
	to[w.Code] = w
}

func sorted(ws map[string]tracewhy.Warning) []tracewhy.Warning {
	var list []tracewhy.Warning
	for _, code := range slices.Sorted(maps.Keys(ws)) {
		list = append(list, ws[code])
	}
	return list
}

// finish returns the result.
func (c *tally) finish(s *session) *Result {
	r := c.result
	p := s.progress()
	r.Requests, r.Retries, r.Bytes = p.Requests, p.Retries, p.Bytes
	if s.isUnencrypted() {
		c.warn(WarningUnencrypted, "credentials were sent to "+s.base.Host+" without encryption: use https", tracewhy.TraceID{})
	}
	r.Problems, r.Warnings = sorted(c.problems), sorted(c.warnings)
	return r
}

// fetch walks over the time of a query and hands over what the searches find.
func fetch(ctx context.Context, s *session, c *tally, searches []search, pace pace) (*Result, error) {
	s.report = func(p Progress) Progress {
		p.Traces, p.Spans = c.result.Traces, c.result.Spans
		return p
	}
	err := (&walk{tally: c, session: s, pace: pace}).all(ctx, searches)
	return c.finish(s), err
}
