package backendtest

import (
	"cmp"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/ingest/backend"
	"github.com/tracewhy/tracewhy/ingest/input"
	"github.com/tracewhy/tracewhy/ingest/jaeger"
	"github.com/tracewhy/tracewhy/rca"
	"github.com/tracewhy/tracewhy/rca/report"
)

// The load: so many taxis, ordered by so many customers at once. The database of HotROD takes dbDelay for a
// query, so that one connection does not suffice.
const (
	orders    = 150
	customers = 12
	dbDelay   = 200 * time.Millisecond
)

// order orders taxis, and returns the time that it took.
func order(t *testing.T, hotrod string) (from, to time.Time) {
	t.Helper()
	from = time.Now()
	next := make(chan int)
	var wait sync.WaitGroup
	for range customers {
		wait.Go(func() {
			for i := range next {
				ids := [...]int{123, 392, 731, 567}
				resp, err := http.Get(fmt.Sprintf("%s/dispatch?customer=%d&nonse=0.%d", hotrod, ids[i%len(ids)], i))
				if err != nil {
					t.Error(err)
					continue
				}
				resp.Body.Close() // some orders fail: HotROD's driver database times out now and then
			}
		})
	}
	for i := range orders {
		next <- i
	}
	close(next)
	wait.Wait()
	return from, time.Now()
}

// ids returns the ids of the traces that a Jaeger has for a query, sorted.
func ids(t *testing.T, j backend.Jaeger, q backend.Query) []tracewhy.TraceID {
	t.Helper()
	var list []tracewhy.TraceID
	if _, err := j.Fetch(t.Context(), q, func(trace tracewhy.Trace) error {
		list = append(list, trace.ID())
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(list, func(a, b tracewhy.TraceID) int { return cmp.Compare(a.String(), b.String()) })
	return list
}

// run orders taxis from a HotROD with the given flags, waits until Jaeger has all traces whole, and returns
// the query for them.
func run(t *testing.T, bin, query, receiver string, flags ...string) backend.Query {
	t.Helper()
	hotrod, stop := startHotROD(t, bin, receiver, append(flags, "--fix-db-query-delay", dbDelay.String())...)
	from, to := order(t, hotrod)
	q := backend.Query{Services: []string{"frontend"}, Operation: "/dispatch", Start: from, End: to}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Second) {
		spans, isWhole := 0, true
		r, err := backend.Jaeger{URL: query}.Fetch(t.Context(), q, func(trace tracewhy.Trace) error {
			spans += trace.NumSpans()
			isWhole = isWhole && trace.IsComplete()
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if r.Traces == orders && isWhole {
			t.Logf("%v: %d traces, %d spans, %d requests, %.1f MB", flags, r.Traces, spans, r.Requests, float64(r.Bytes)/1e6)
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("Jaeger has %d of %d traces, whole: %v", r.Traces, orders, isWhole)
		}
	}
	stop()
	return q
}

// Two sets of traces that a real Jaeger has of a real application, fetched, compared and diagnosed.
func TestDatabaseLock(t *testing.T) {
	bin := programs(t)
	query, receiver := startJaeger(t, bin)
	baseline := run(t, bin, query, receiver, "--fix-disable-db-conn-mutex")
	incident := run(t, bin, query, receiver)

	t.Run("small answers", func(t *testing.T) {
		want := ids(t, backend.Jaeger{URL: query}, incident)
		if got := ids(t, backend.Jaeger{URL: query, Page: 7}, incident); !slices.Equal(got, want) || len(want) != orders {
			t.Errorf("%d traces by sevens, %d by hundreds", len(got), len(want))
		}
		if got := ids(t, backend.Jaeger{URL: query, V1: true, Page: 7}, incident); !slices.Equal(got, want) {
			t.Errorf("%d traces from the first version, %d from the third", len(got), len(want))
		}
	})

	t.Run("filters", func(t *testing.T) {
		set := tracesOf(t, backend.Jaeger{URL: query}, baseline, incident)
		both := backend.Query{Services: []string{"frontend"}, Start: baseline.Start, End: incident.End}
		for why, f := range map[string]struct {
			change func(*backend.Query)
			has    tracewhy.Matcher
		}{
			"errors": {func(q *backend.Query) { q.Errors = true }, tracewhy.Matcher{Failed: true}},
			"a duration": {func(q *backend.Query) { q.Services, q.MinDuration = []string{"mysql"}, time.Second },
				tracewhy.Matcher{Service: "mysql", MinDuration: time.Second}},
			"an attribute": {func(q *backend.Query) {
				q.Services = []string{"mysql"}
				q.Where = []tracewhy.Condition{{Key: "sql.query", Op: tracewhy.OpEqual, Value: tracewhy.StringOf("SELECT * FROM customer WHERE customer_id=392")}}
			}, tracewhy.Matcher{Where: []tracewhy.Condition{{Key: "sql.query", Op: tracewhy.OpEqual, Value: tracewhy.StringOf("SELECT * FROM customer WHERE customer_id=392")}}}},
		} {
			q := both
			f.change(&q)
			want := set.All().Where(tracewhy.Predicate{Has: []tracewhy.Matcher{f.has}}).Len()
			for _, first := range []bool{false, true} {
				if got := ids(t, backend.Jaeger{URL: query, V1: first}, q); len(got) != want || want == 0 {
					t.Errorf("%s, first version %v: %d traces, want %d", why, first, len(got), want)
				}
			}
		}
	})

	// By both versions of the API, and as somebody would do it by hand.
	for name, set := range map[string]*tracewhy.Set{
		"version 3": tracesOf(t, backend.Jaeger{URL: query}, baseline, incident),
		"version 1": tracesOf(t, backend.Jaeger{URL: query, V1: true}, baseline, incident),
		"by hand":   tracesByHand(t, query, baseline, incident),
	} {
		t.Run(name, func(t *testing.T) {
			r, err := rca.Investigate(t.Context(), set.Source("baseline"), set.Source("incident"), rca.Config{})
			if err != nil {
				t.Fatal(err)
			}
			var text strings.Builder
			if err := report.Text(&text, r, report.Config{Baseline: set.Source("baseline"), Incident: set.Source("incident")}); err != nil {
				t.Fatal(err)
			}
			t.Log(text.String())
			if r.Verdict != rca.VerdictIncident || len(r.RootCauses) == 0 {
				t.Fatalf("verdict %s, %d causes", r.Verdict, len(r.RootCauses))
			}
			cause := r.RootCauses[0]
			if cause.Service != "mysql" && cause.Service != "customer" || cause.Kind != "wait" || !strings.Contains(cause.Mechanism, "lock") {
				t.Errorf("%s, %s, %s: not the lock of the database", cause.Service, cause.Kind, cause.Mechanism)
			}
		})
	}
}

// tracesOf fetches both sides.
func tracesOf(t *testing.T, j backend.Jaeger, baseline, incident backend.Query) *tracewhy.Set {
	t.Helper()
	var b tracewhy.Builder
	for source, q := range map[string]backend.Query{"baseline": baseline, "incident": incident} {
		if _, err := j.Fetch(t.Context(), q, backend.Into(&b, source)); err != nil {
			t.Fatal(err)
		}
	}
	set, err := b.Build(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// tracesByHand reads both sides from answers as curl would save them.
func tracesByHand(t *testing.T, jaegerURL string, baseline, incident backend.Query) *tracewhy.Set {
	t.Helper()
	var b tracewhy.Builder
	for source, q := range map[string]backend.Query{"baseline": baseline, "incident": incident} {
		v := url.Values{
			"service": q.Services, "operation": {q.Operation}, "limit": {fmt.Sprint(2 * orders)},
			"start": {fmt.Sprint(q.Start.UnixMicro())}, "end": {fmt.Sprint(q.End.UnixMicro())},
		}
		resp, err := http.Get(jaegerURL + "/api/traces?" + v.Encode())
		if err != nil {
			t.Fatal(err)
		}
		err = jaeger.Read(t.Context(), io.Reader(resp.Body), &b, input.Config{Name: "answer", Source: source})
		resp.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
	}
	set, err := b.Build(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if n := set.NumTraces(); n != 2*orders {
		t.Fatalf("%d traces", n)
	}
	return set
}
