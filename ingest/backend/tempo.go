package backend

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/ingest/input"
	"github.com/tracewhy/tracewhy/ingest/otlp"
	"github.com/tracewhy/tracewhy/internal/parallel"
)

// Tempo is a Grafana Tempo, or something that has its HTTP API. Traces are found by TraceQL, whole seconds
// at a time, and then read one by one in protobuf.
//
// A server is asked for services, operations, durations, and attributes that equal a value. It is asked
// for errors by what says so in most traces: a status of error, or an HTTP status that does. What fails by
// other signs alone ([tracewhy.Span.Failed]) is not found.
type Tempo struct {
	URL    string // where the API is, up to the path before /api
	Client Client

	// Tenant, if set, says whose traces to read: the header X-Scope-OrgID.
	Tenant string

	// Parallel is how many traces to read at once. Default: 4.
	Parallel int

	// Page is how many traces to search for at a time. Default: 200.
	Page int
}

// Fetch hands the traces of a query to take, about in the order of the time at which they began. An error
// of take ends it. Beside an error of its own, mostly an [Error], is what was done before.
func (t Tempo) Fetch(ctx context.Context, q Query, take func(tracewhy.Trace) error) (*Result, error) {
	c := newTally(&q, take)
	if err := q.check(); err != nil {
		return c.result, err
	}
	s, err := t.Client.open(t.URL)
	if err != nil {
		return c.result, err
	}
	defer s.close()
	if t.Tenant != "" {
		s.header.Set("X-Scope-OrgID", t.Tenant)
	}
	source := &tempoSource{session: s, tally: c, query: traceQL(&q), parallel: t.Parallel}
	if source.parallel <= 0 {
		source.parallel = 4
	}
	page := t.Page
	if page <= 0 {
		page = 200
	}
	return fetch(ctx, s, c, []search{source.find}, pace{page: page, maxPage: 10 * page, finest: time.Second})
}

// tempoSource is a Tempo at work.
type tempoSource struct {
	*session
	tally    *tally
	query    string
	parallel int
	first    atomic.Bool // it has the first version of the API for single traces only
}

// traceQL says the query in Tempo's language, as far as that says the same.
// https://grafana.com/docs/tempo/latest/traceql/
func traceQL(q *Query) string {
	var parts []string
	var services []string
	for _, s := range q.Services {
		services = append(services, "resource.service.name = "+strconv.Quote(s))
	}
	if len(services) > 0 {
		parts = append(parts, either(services))
	}
	if q.Operation != "" {
		parts = append(parts, "name = "+strconv.Quote(q.Operation))
	}
	if q.MinDuration > 0 {
		parts = append(parts, fmt.Sprintf("duration >= %dns", q.MinDuration.Nanoseconds()))
	}
	for _, c := range q.Where {
		if c.Op == tracewhy.OpEqual {
			if values := literals(c.Value); len(values) > 0 {
				for i, v := range values {
					values[i] = attributeName(c.Key) + " = " + v
				}
				parts = append(parts, either(values))
			}
		}
	}
	query := "{ " + strings.Join(parts, " && ") + " }"
	if len(parts) == 0 {
		query = "{ true }" // which older versions know as well, other than { }
	}
	if q.Errors {
		query += " && { status = error || .http.response.status_code >= 400 || .http.status_code >= 400 }"
	}
	return query
}

func either(conditions []string) string {
	if len(conditions) == 1 {
		return conditions[0]
	}
	return "(" + strings.Join(conditions, " || ") + ")"
}

// attributeName writes the name of an attribute of a span or its resource. Between quotes no other
// escapes are known than these two.
func attributeName(key string) string {
	for _, r := range key {
		if !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '.' || r == '_' || r == '-' || r == '/') {
			return `."` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(key) + `"`
		}
	}
	return "." + key
}

// literals writes all that counts as equal to a value ([tracewhy.Value.Canonical]): TraceQL tells the
// number 500 from the text "500".
func literals(v tracewhy.Value) []string {
	c := v.Canonical()
	quoted := strconv.Quote(c.String())
	switch c.Kind() {
	case tracewhy.StringValue:
		return []string{quoted}
	case tracewhy.BoolValue, tracewhy.IntValue:
		return []string{quoted, c.String()}
	case tracewhy.FloatValue:
		if f := c.Float(); !math.IsNaN(f) && !math.IsInf(f, 0) {
			return []string{quoted, strconv.FormatFloat(f, 'f', -1, 64)}
		}
	}
	return nil
}

// find searches for traces.
func (t *tempoSource) find(ctx context.Context, start, end time.Time, n int) (answer, error) {
	var found struct {
		Traces []struct{ TraceID string }
	}
	last := end.Unix()
	if end.Nanosecond() > 0 {
		last++
	}
	v := url.Values{
		"q":     {t.query},
		"start": {strconv.FormatInt(start.Unix(), 10)},
		"end":   {strconv.FormatInt(last, 10)},
		"limit": {strconv.Itoa(n)},
		"spss":  {"1"}, // of each trace no more than one span
	}
	err := t.get(ctx, "api/search", v, mediaJSON, func(r io.Reader) error {
		found.Traces = nil
		if err := json.NewDecoder(r).Decode(&found); err != nil {
			return fmt.Errorf("the answer is no list of traces: %w", err)
		}
		return nil
	})
	if err != nil {
		return answer{}, err
	}
	var ids []tracewhy.TraceID
	for _, f := range found.Traces {
		id, err := parseID(f.TraceID)
		if err != nil {
			return answer{}, fmt.Errorf("backend: %s: a search answered with the trace id %q", t.base.Host, firstLine([]byte(f.TraceID)))
		}
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(a, b tracewhy.TraceID) int { return slices.Compare(a[:], b[:]) })
	return answer{len(ids), func(ctx context.Context, want int) (int, error) { return t.take(ctx, ids, want) }}, nil
}

// parseID reads a trace id, of which a search leaves out zeros in front.
func parseID(s string) (tracewhy.TraceID, error) {
	const digits = 32
	return tracewhy.ParseTraceID(strings.Repeat("0", max(0, digits-len(s))) + s)
}

// take reads traces and offers them, a few at a time.
func (t *tempoSource) take(ctx context.Context, ids []tracewhy.TraceID, want int) (int, error) {
	ids = slices.DeleteFunc(slices.Clone(ids), func(id tracewhy.TraceID) bool {
		_, ok := t.tally.seen[id]
		return ok
	})
	taken := 0
	for len(ids) > 0 && taken < want {
		n := min(len(ids), 4*t.parallel, max(t.parallel, want-taken))
		few := ids[:n]
		ids = ids[n:]
		traces := make([]tempoTrace, len(few))
		ctx, stop := context.WithCancel(ctx)
		err := parallel.For(ctx, t.parallel, len(few), func(i int) {
			if traces[i] = t.trace(ctx, few[i]); traces[i].err != nil {
				stop()
			}
		})
		stop()
		for _, trace := range traces {
			if trace.err != nil && !errors.Is(trace.err, context.Canceled) {
				return taken, trace.err
			}
		}
		if err != nil {
			return taken, err
		}
		for i, trace := range traces {
			switch {
			case trace.isTooLong:
				t.tally.seen[few[i]] = struct{}{}
				t.tally.warn(WarningTooLong, "traces that are longer than Client.MaxAnswer were left out", few[i])
				continue
			case trace.set == nil || trace.set.NumTraces() == 0:
				t.tally.seen[few[i]] = struct{}{}
				t.tally.warn(WarningMissing, "traces that a search found were not there any more", few[i])
				continue
			case trace.isPartial:
				t.tally.warn(WarningPartial, "the backend says that it does not have all of a trace", few[i])
			}
			t.tally.report(trace.set)
			n, err := t.tally.offerAll(trace.set, want-taken)
			taken += n
			if err != nil {
				return taken, err
			}
		}
		t.tell()
	}
	return taken, nil
}

// tempoTrace is what came of one trace: nothing, if the backend does not have it.
type tempoTrace struct {
	set       *tracewhy.Set
	isPartial bool
	isTooLong bool
	err       error
}

// trace reads a trace, by the second version of the API if the server has that.
func (t *tempoSource) trace(ctx context.Context, id tracewhy.TraceID) (found tempoTrace) {
	read := func(r io.Reader, parts func(io.Reader, func(io.Reader) error) (bool, error)) (err error) {
		var b tracewhy.Builder
		found.isPartial, err = parts(r, func(r io.Reader) error {
			return otlp.Read(ctx, r, &b, input.Config{Name: "answer"})
		})
		found.set, err = built(ctx, &b, err)
		return err
	}
	isMissing := func(err error) bool {
		var e *Error
		return errors.As(err, &e) && e.Status == http.StatusNotFound
	}
	if !t.first.Load() {
		err := t.get(ctx, "api/v2/traces/"+id.String(), nil, mediaProto, func(r io.Reader) error { return read(r, unwrap) })
		if !isMissing(err) {
			return found.end(err)
		}
	}
	err := t.get(ctx, "api/traces/"+id.String(), nil, mediaProto, func(r io.Reader) error {
		return read(r, func(r io.Reader, part func(io.Reader) error) (bool, error) { return false, part(r) })
	})
	if isMissing(err) {
		return tempoTrace{}
	}
	if err == nil {
		t.first.Store(true)
	}
	return found.end(err)
}

// end returns what came of a trace that was read with the given error.
func (t tempoTrace) end(err error) tempoTrace {
	switch {
	case errors.Is(err, errTooLong):
		return tempoTrace{isTooLong: true}
	case err != nil:
		return tempoTrace{err: err}
	}
	return t
}

// unwrap reads a TraceByIDResponse of Tempo's protobuf: the trace is its first field, and its third says
// whether it is partial. Something that is no protobuf, since what is between may not know of it, is read
// as it is.
func unwrap(r io.Reader, trace func(io.Reader) error) (isPartial bool, err error) {
	const (
		varint, bytes        = 0, 2
		traceField           = 1<<3 | bytes
		statusField, partial = 3<<3 | varint, 1
	)
	br := bufio.NewReader(r)
	if head, err := br.Peek(1); err == nil && (head[0] == '{' || head[0] == '[') {
		return false, trace(br)
	}
	for {
		tag, err := binary.ReadUvarint(br)
		if errors.Is(err, io.EOF) {
			return isPartial, nil
		}
		var n uint64
		if err == nil {
			n, err = binary.ReadUvarint(br)
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return isPartial, errPartial
		}
		if err != nil || tag&7 != varint && tag&7 != bytes || n > math.MaxInt64 {
			return isPartial, errors.New("the answer is no trace in protobuf")
		}
		switch {
		case tag == statusField:
			isPartial = n == partial
		case tag == traceField:
			part := &io.LimitedReader{R: br, N: int64(n)}
			if err := trace(part); err != nil {
				return isPartial, err
			}
			if part.N > 0 {
				return isPartial, errPartial
			}
		case tag&7 == bytes:
			if _, err := io.CopyN(io.Discard, br, int64(n)); err != nil {
				return isPartial, errPartial
			}
		}
	}
}
