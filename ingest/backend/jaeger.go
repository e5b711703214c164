package backend

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/ingest/input"
	"github.com/tracewhy/tracewhy/ingest/jaeger"
	"github.com/tracewhy/tracewhy/ingest/otlp"
)

// Jaeger is a Jaeger query service, or something that has its HTTP API. The third version of that, which
// answers in OTLP, is used if the server has it: the first loses what package jaeger says, all below a
// microsecond for example.
//
// A server is asked for services, operations, durations, and attributes that equal a value, though older
// servers do not look at these in the third version. It is not asked for errors, since Jaeger's memory
// store answers something else to that. A store that keeps one index for each of these, Cassandra for
// example, may leave out traces without a sign when it is asked for more than a service.
type Jaeger struct {
	URL    string // where the API is, up to the path before /api
	Client Client

	// V1 says to use the first version of the API, even where the server has the third.
	V1 bool

	// Page is how many traces to ask for at a time. It must not be more than the server gives, or traces
	// are left out without a sign. Default: 100, as in Jaeger.
	Page int
}

// Fetch hands the traces of a query to take, in the order of the time at which they began where one
// service was asked for. An error of take ends it. Beside an error of its own, mostly an [Error], is what
// was done before.
func (j Jaeger) Fetch(ctx context.Context, q Query, take func(tracewhy.Trace) error) (*Result, error) {
	c := newTally(&q, take)
	if err := q.check(); err != nil {
		return c.result, err
	}
	s, err := j.Client.open(j.URL)
	if err != nil {
		return c.result, err
	}
	defer s.close()
	source := &jaegerSource{session: s, tally: c}
	known, err := source.services(ctx, j.V1)
	if err != nil {
		return c.finish(s), err
	}
	services := slices.Compact(slices.Sorted(slices.Values(q.Services)))
	for _, service := range services {
		if !slices.Contains(known, service) {
			c.warn(WarningService, "the backend knows no service "+strconv.Quote(service), tracewhy.TraceID{})
		}
	}
	if len(services) == 0 {
		services = known
	}
	var searches []search
	for _, service := range services {
		searches = append(searches, func(ctx context.Context, start, end time.Time, n int) (answer, error) {
			return source.find(ctx, service, start, end, n)
		})
	}
	page := j.Page
	if page <= 0 {
		page = 100
	}
	return fetch(ctx, s, c, searches, pace{page: page, maxPage: 10 * page, finest: time.Microsecond})
}

// jaegerSource is a Jaeger at work.
type jaegerSource struct {
	*session
	tally *tally
	first bool // by the first version
	plain bool // without attributes, which the server cannot read as they are written now
}

// services returns the services that the server knows, sorted, and finds out which version it has.
func (j *jaegerSource) services(ctx context.Context, first bool) ([]string, error) {
	var list struct{ Services, Data []string }
	read := func(r io.Reader) error {
		if err := json.NewDecoder(r).Decode(&list); err != nil {
			return fmt.Errorf("the answer is no list of services: %w", err)
		}
		return nil
	}
	if !first {
		err := j.get(ctx, "api/v3/services", nil, mediaJSON, read)
		var e *Error
		switch {
		case err == nil && list.Services != nil:
			return slices.Sorted(slices.Values(list.Services)), nil
		case err == nil:
		case !errors.As(err, &e) || !lacks(e):
			return nil, err
		}
	}
	j.first = true
	if err := j.get(ctx, "api/services", nil, mediaJSON, read); err != nil {
		return nil, err
	}
	return slices.Sorted(slices.Values(list.Data)), nil
}

const (
	mediaJSON  = "application/json"
	mediaProto = "application/protobuf"
)

// lacks reports whether an error can mean that the server does not have what was asked for: a status that
// says so, or the page of a user interface that is shown for every path.
func lacks(e *Error) bool {
	switch e.Status {
	case http.StatusBadRequest, http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusNotImplemented, http.StatusOK:
		return true
	}
	return false
}

// find searches for traces.
func (j *jaegerSource) find(ctx context.Context, service string, start, end time.Time, n int) (answer, error) {
	var set *tracewhy.Set
	read := func(r io.Reader) (err error) {
		set, err = j.read(ctx, r)
		return err
	}
	var err error
	if j.first {
		err = j.get(ctx, "api/traces", j.firstQuery(service, start, end, n), mediaJSON, read)
	} else {
		err = j.get(ctx, "api/v3/traces", j.thirdQuery(service, start, end, n), mediaJSON, read)
		var e *Error
		if errors.As(err, &e) && e.Status == http.StatusBadRequest && !j.plain && j.tags() != "" {
			j.plain = true
			return j.find(ctx, service, start, end, n)
		}
		if errors.As(err, &e) && e.Status == http.StatusNotFound && strings.HasPrefix(e.Line, "{") { // which says that there is none
			return answer{take: func(context.Context, int) (int, error) { return 0, nil }}, nil
		}
	}
	if err != nil {
		return answer{}, err
	}
	return answer{set.NumTraces(), func(_ context.Context, want int) (int, error) {
		j.tally.report(set)
		return j.tally.offerAll(set, want)
	}}, nil
}

// firstQuery asks the first version, which wants whole microseconds. In both versions the time includes
// both ends.
func (j *jaegerSource) firstQuery(service string, start, end time.Time, n int) url.Values {
	q := j.tally.query
	v := url.Values{
		"service": {service},
		"start":   {strconv.FormatInt(start.UnixMicro(), 10)},
		"end":     {strconv.FormatInt(end.Add(-1).UnixMicro(), 10)},
		"limit":   {strconv.Itoa(n)},
		"raw":     {"true"}, // not with the times of clocks that Jaeger takes for wrong
	}
	if q.Operation != "" {
		v.Set("operation", q.Operation)
	}
	if q.MinDuration > 0 {
		v.Set("minDuration", q.MinDuration.Truncate(time.Microsecond).String())
	}
	if tags := j.tags(); tags != "" {
		v.Set("tags", tags)
	}
	return v
}

// tags returns what attributes must be, as JSON, or "".
func (j *jaegerSource) tags() string {
	tags := map[string]string{}
	for _, c := range j.tally.query.Where {
		// What Jaeger's own tags say, OTLP has in other places.
		if c.Op == tracewhy.OpEqual && c.Key != "error" {
			tags[c.Key] = c.Value.String()
		}
	}
	if len(tags) == 0 {
		return ""
	}
	text, err := json.Marshal(tags)
	if err != nil { // which no map of texts has
		return ""
	}
	return string(text)
}

// thirdQuery asks the third version. It says everything twice, by the names that new servers want, and by
// those that all know, which new ones call deprecated. Old ones make nothing of attributes.
func (j *jaegerSource) thirdQuery(service string, start, end time.Time, n int) url.Values {
	q := j.tally.query
	v := url.Values{}
	set := func(value string, names ...string) {
		for _, name := range names {
			v.Set("query."+name, value)
		}
	}
	last := end.Add(-1)
	if !last.After(start) { // which new servers refuse
		last = end
	}
	set(service, "serviceName", "service_name")
	set(start.UTC().Format(time.RFC3339Nano), "startTimeMin", "start_time_min")
	set(last.UTC().Format(time.RFC3339Nano), "startTimeMax", "start_time_max")
	set(strconv.Itoa(n), "searchDepth", "search_depth", "num_traces")
	set("true", "rawTraces", "raw_traces")
	if q.Operation != "" {
		set(q.Operation, "operationName", "operation_name")
	}
	if q.MinDuration > 0 {
		set(q.MinDuration.String(), "durationMin", "duration_min")
	}
	if tags := j.tags(); tags != "" && !j.plain {
		set(tags, "attributes")
	}
	return v
}

// read reads an answer.
func (j *jaegerSource) read(ctx context.Context, r io.Reader) (*tracewhy.Set, error) {
	tail := &tail{r: r}
	br := bufio.NewReader(tail)
	if _, err := br.Peek(1); err != nil { // no version says by that that there is no trace
		return nil, errPartial
	}
	var b tracewhy.Builder
	var err error
	cfg := input.Config{Name: "answer"}
	if j.first {
		err = jaeger.Read(ctx, br, &b, cfg)
	} else {
		err = otlp.ReadJSON(ctx, br, &b, cfg)
	}
	if said := tail.trailingError(); said != "" {
		return nil, fmt.Errorf("%w, with an error: %s", errPartial, said)
	}
	return built(ctx, &b, err)
}

// tail keeps the last bytes of what is read.
type tail struct {
	r    io.Reader
	last []byte
}

func (t *tail) Read(p []byte) (int, error) {
	const enough = 4 << 10
	n, err := t.r.Read(p)
	t.last = append(t.last, p[max(0, n-enough):n]...)
	if len(t.last) > 2*enough {
		t.last = append(t.last[:0], t.last[len(t.last)-enough:]...)
	}
	return n, err
}

// trailingError returns the error that an answer in pieces ends with, or "". The gateway that Jaeger has for
// its third version writes it after the traces, when it is too late for a status.
func (t *tail) trailingError() string {
	i := bytes.LastIndex(t.last, []byte(`{"error":`)) // where it is text of a span, the quotes are escaped
	if i < 0 {
		return ""
	}
	var answer struct{ Error struct{ Message string } }
	if json.Unmarshal(t.last[i:], &answer) != nil {
		return ""
	}
	return firstLine([]byte(cmp.Or(answer.Error.Message, "no message")))
}

// built returns the traces of an answer, unless that was broken.
func built(ctx context.Context, b *tracewhy.Builder, err error) (*tracewhy.Set, error) {
	set, buildErr := b.Build(ctx)
	if buildErr != nil {
		return nil, buildErr
	}
	for _, p := range set.Problems() {
		switch p.Code {
		case tracewhy.ProblemTruncatedInput:
			return nil, fmt.Errorf("%w: %s", errPartial, p.Message)
		case tracewhy.ProblemSyntax, tracewhy.ProblemTextSkipped: // which files may have, and answers do not
			if err == nil {
				return nil, errors.New(p.Message)
			}
		}
	}
	if err != nil {
		return nil, err
	}
	return set, nil
}

// offerAll offers the traces of a set until as many were handed over as are wanted, and returns how many.
func (c *tally) offerAll(set *tracewhy.Set, want int) (int, error) {
	n := 0
	for t := range set.Traces() {
		if n >= want {
			break
		}
		taken, err := c.offer(t)
		if err != nil {
			return n, err
		}
		if taken {
			n++
		}
	}
	return n, nil
}
