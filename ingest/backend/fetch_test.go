package backend

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tracewhy/tracewhy"
)

// burst returns n traces that begin at random times of an hour, most of them within few seconds of it.
func burst(seed uint64, n int) [][]tracewhy.SpanData {
	rng := rand.New(rand.NewPCG(seed, 0))
	var traces [][]tracewhy.SpanData
	for i := range n {
		within := time.Hour
		if i%4 > 0 {
			within = 5 * time.Second
		}
		traces = append(traces, trace(i+1, noon.Add(time.Duration(rng.Int64N(int64(within)))), "GET /cart", time.Millisecond, false))
	}
	return traces
}

// However small the answers are, each trace of the time comes once, and no other.
func TestAllTracesComeOnce(t *testing.T) {
	for seed := range uint64(3) {
		s := &store{traces: burst(seed, 150)}
		q := Query{Services: []string{"shop", "store"}, Start: noon.Add(2 * time.Second), End: noon.Add(30 * time.Minute)}
		var want []int
		for i, spans := range s.traces {
			if at := time.Unix(0, int64(spans[0].Start)); !at.Before(q.Start) && at.Before(q.End) {
				want = append(want, i+1)
			}
		}
		for name, f := range map[string]fetcher{
			"Jaeger, pages of 3":   fromJaeger(s, Jaeger{Page: 3}),
			"Jaeger, pages of 7":   fromJaeger(s, Jaeger{Page: 7}),
			"Jaeger, one page":     fromJaeger(s, Jaeger{Page: 10000}),
			"Jaeger, small answer": fromJaeger(s, Jaeger{Client: Client{MaxAnswer: 5000}}),
			"Jaeger 1, pages of 7": fromFirstJaeger(s, Jaeger{Page: 7}),
			"Tempo, pages of 30":   fromTempo(s, Tempo{Page: 30}),
			"Tempo, one page":      fromTempo(s, Tempo{Parallel: 2}),
		} {
			r, got, err := f(t, q)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			slices.Sort(got)
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("%s, seed %d: traces (-want +got):\n%s", name, seed, d)
			}
			if r.Traces != len(want) || r.Spans != 2*len(want) || len(r.Warnings) > 0 {
				t.Errorf("%s, seed %d: %+v", name, seed, r)
			}
		}
	}
}

// A sample has its share of each part of the time, and says that it is one.
func TestSample(t *testing.T) {
	s := &store{}
	for i := range 1600 {
		s.traces = append(s.traces, trace(i+1, noon.Add(time.Duration(i)*time.Second), "GET /cart", time.Millisecond, i%20 == 0))
	}
	q := Query{Services: []string{"shop"}, Start: noon, End: noon.Add(1600 * time.Second)}
	for name, f := range map[string]fetcher{
		"Jaeger": fromJaeger(s, Jaeger{Page: 10}),
		"Tempo":  fromTempo(s, Tempo{Page: 10}),
	} {
		for _, errors := range []bool{false, true} {
			q.Limit, q.Errors = 32, errors
			r, got, err := f(t, q)
			if err != nil {
				t.Fatal(err)
			}
			if len(got) != q.Limit || !slices.Equal(codes(r.Warnings), []string{WarningLimit}) {
				t.Fatalf("%s: %d traces, warnings %v", name, len(got), r.Warnings)
			}
			var parts [16]int
			for _, number := range got {
				parts[(number-1)/100]++
			}
			if slices.Min(parts[:]) < 1 || slices.Max(parts[:]) > 3 { // a trace may begin between two of the backend's seconds
				t.Errorf("%s: traces by part of the time: %v", name, parts)
			}
		}
		q.Limit, q.Errors = 5000, false
		r, got, err := f(t, q)
		if err != nil || len(got) != 1600 || len(r.Warnings) > 0 {
			t.Errorf("%s: a limit above what there is: %d traces, %v, %v", name, len(got), r.Warnings, err)
		}
		if r.Requests > 2500 {
			t.Errorf("%s: %d requests", name, r.Requests)
		}
	}
}

// Traces that begin at one moment cannot be told apart by time: more are asked for at once, as many as
// the backend can be asked for.
func TestOneMoment(t *testing.T) {
	s := &store{}
	for i := range 30 {
		s.traces = append(s.traces, trace(i+1, noon, "GET /cart", time.Millisecond, false))
	}
	q := Query{Services: []string{"shop"}, Start: noon, End: noon.Add(time.Minute)}
	for name, fetch := range map[string]func(page int) fetcher{
		"Jaeger": func(page int) fetcher { return fromJaeger(s, Jaeger{Page: page}) },
		"Tempo":  func(page int) fetcher { return fromTempo(s, Tempo{Page: page}) },
	} {
		r, got, err := fetch(4)(t, q)
		if err != nil || len(got) != 30 || len(r.Warnings) > 0 {
			t.Errorf("%s: %d traces, %v, %v", name, len(got), r.Warnings, err)
		}
		r, got, err = fetch(2)(t, q)
		if err != nil || len(got) != 20 || !slices.Equal(codes(r.Warnings), []string{WarningTruncated}) {
			t.Errorf("%s, too many: %d traces, %v, %v", name, len(got), r.Warnings, err)
		}
	}
}

// A backend that does not give so many at once is asked for what it gave before.
func TestPageRefused(t *testing.T) {
	s := &store{}
	for i := range 30 {
		s.traces = append(s.traces, trace(i+1, noon, "GET /cart", time.Millisecond, false))
	}
	for _, says := range []bool{true, false} { // or gives as many as before
		h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			q := r.URL.Query()
			if n, _ := strconv.Atoi(q.Get("query.num_traces")); n > 10 {
				if says {
					http.Error(w, `{"error":{"httpCode":500,"message":"search depth must be less than 11"}}`, http.StatusInternalServerError)
					return
				}
				q.Set("query.num_traces", "10")
				r.URL.RawQuery = q.Encode()
			}
			s.jaeger(t).ServeHTTP(w, r)
		})
		r, err := Jaeger{URL: "http://jaeger.test", Page: 10, Client: Client{Transport: handlerTransport{h}}}.
			Fetch(t.Context(), Query{Services: []string{"shop"}, Start: noon, End: noon.Add(time.Minute)}, drop)
		if err != nil || r.Traces != 10 || !slices.Equal(codes(r.Warnings), []string{WarningTruncated}) {
			t.Errorf("%v, %+v", err, r)
		}
	}
}

// What a query asks for is looked at here, whatever the backend makes of it.
func TestFilters(t *testing.T) {
	s := &store{ignores: true, traces: [][]tracewhy.SpanData{
		trace(1, noon, "GET /cart", 5*time.Millisecond, false),
		trace(2, noon.Add(time.Second), "GET /cart", 500*time.Millisecond, true),
		trace(3, noon.Add(2*time.Second), "POST /pay", 500*time.Millisecond, false, tracewhy.Int("db.code", 7), tracewhy.Bool("cold", true)),
		trace(4, noon.Add(3*time.Second), "POST /pay", 5*time.Millisecond, true, tracewhy.String("db.code", "7")),
		trace(5, noon.Add(-time.Nanosecond), "GET /cart", time.Second, true),
		trace(6, noon.Add(time.Minute), "GET /cart", time.Second, true),
	}}
	for _, tt := range []struct {
		why   string
		query Query
		want  []int
	}{
		{"the time alone", Query{}, []int{1, 2, 3, 4}},
		{"a service", Query{Services: []string{"store"}}, []int{1, 2, 3, 4}},
		{"either service", Query{Services: []string{"nobody", "store"}}, []int{1, 2, 3, 4}},
		{"nobody's service", Query{Services: []string{"nobody"}}, nil},
		{"an operation", Query{Operation: "POST /pay"}, []int{3, 4}},
		{"an operation of another service", Query{Services: []string{"store"}, Operation: "POST /pay"}, nil},
		{"a duration", Query{MinDuration: 100 * time.Millisecond}, []int{2, 3}},
		{"errors", Query{Errors: true}, []int{2, 4}},
		{"errors of a trace, in another service", Query{Services: []string{"shop"}, Errors: true}, []int{2, 4}},
		{"a number or text that spells it", Query{Where: []tracewhy.Condition{{Key: "db.code", Op: tracewhy.OpEqual, Value: tracewhy.StringOf("7")}}}, []int{3, 4}},
		{"two conditions", Query{Where: []tracewhy.Condition{
			{Key: "db.code", Op: tracewhy.OpAtLeast, Value: tracewhy.IntOf(7)}, {Key: "cold", Op: tracewhy.OpPresent},
		}}, []int{3}},
		{"everything", Query{Services: []string{"shop"}, Operation: "GET /cart", MinDuration: 100 * time.Millisecond, Errors: true}, []int{2}},
	} {
		tt.query.Start, tt.query.End = noon, noon.Add(time.Minute)
		for name, f := range map[string]fetcher{"Jaeger": fromJaeger(s, Jaeger{}), "Jaeger 1": fromFirstJaeger(s, Jaeger{}), "Tempo": fromTempo(s, Tempo{})} {
			r, got, err := f(t, tt.query)
			slices.Sort(got)
			if err != nil || !slices.Equal(got, tt.want) {
				t.Errorf("%s from %s: traces %v, want %v; %v", tt.why, name, got, tt.want, err)
			}
			if r.Traces != len(tt.want) {
				t.Errorf("%s from %s: %+v", tt.why, name, r)
			}
		}
	}
}

func TestQueriesThatAreNone(t *testing.T) {
	for why, q := range map[string]Query{
		"no time":          {},
		"no end":           {Start: noon},
		"ends as it began": {Start: noon, End: noon},
		"ends before":      {Start: noon, End: noon.Add(-1)},
		"a negative limit": {Start: noon, End: noon.Add(1), Limit: -1},
	} {
		s := &store{}
		for _, f := range []fetcher{fromJaeger(s, Jaeger{}), fromTempo(s, Tempo{})} {
			if r, _, err := f(t, q); err == nil || r == nil || len(s.requests) > 0 {
				t.Errorf("%s: %v, %d requests", why, err, len(s.requests))
			}
		}
	}
}

// A backend that makes nothing of the time would be asked for ever.
func TestTimeIgnored(t *testing.T) {
	s := &store{}
	for i := range 300 {
		s.traces = append(s.traces, trace(i+1, noon, "GET /cart", time.Millisecond, false))
	}
	always := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		q.Set("query.start_time_min", noon.Format(time.RFC3339))
		q.Set("start", strconv.FormatInt(noon.Unix(), 10))
		r.URL.RawQuery = q.Encode()
		if r.URL.Path == "/api/search" || strings.HasPrefix(r.URL.Path, "/api/v2") {
			s.tempo(t).ServeHTTP(w, r)
		} else {
			s.jaeger(t).ServeHTTP(w, r)
		}
	})
	c := Client{Transport: handlerTransport{always}}
	for _, limit := range []int{0, 32} {
		q := Query{Services: []string{"shop"}, Start: noon, End: noon.Add(time.Hour), Limit: limit}
		r, err := Jaeger{URL: "http://jaeger.test", Page: 3, Client: c}.Fetch(t.Context(), q, drop)
		if !errors.Is(err, errSame) || r.Requests > 1000 {
			t.Errorf("Jaeger: %v, %+v", err, r)
		}
		r, err = Tempo{URL: "http://tempo.test", Page: 3, Client: c}.Fetch(t.Context(), q, drop)
		if !errors.Is(err, errSame) || r.Requests > 1000 {
			t.Errorf("Tempo: %v, %+v", err, r)
		}
	}
}

// An error of the one who takes the traces ends the fetch, and comes back as it is.
func TestTakeFails(t *testing.T) {
	s := &store{traces: burst(1, 50)}
	full := errors.New("disk full")
	q := Query{Start: noon, End: noon.Add(time.Hour)}
	n := 0
	take := func(tracewhy.Trace) error {
		if n++; n == 3 {
			return full
		}
		return nil
	}
	r, err := Jaeger{URL: "http://jaeger.test", Client: Client{Transport: handlerTransport{s.jaeger(t)}}}.Fetch(t.Context(), q, take)
	if !errors.Is(err, full) || n != 3 || r.Traces != 3 {
		t.Errorf("Jaeger: %v after %d traces: %+v", err, n, r)
	}
	n = 0
	r, err = Tempo{URL: "http://tempo.test", Client: Client{Transport: handlerTransport{s.tempo(t)}}}.Fetch(t.Context(), q, take)
	if !errors.Is(err, full) || n != 3 || r.Traces != 3 {
		t.Errorf("Tempo: %v after %d traces: %+v", err, n, r)
	}
}

// Into gives a Builder what the backend has.
func TestInto(t *testing.T) {
	s := &store{traces: burst(2, 60)}
	var want []tracewhy.SpanData
	for _, spans := range s.traces {
		want = append(want, spans...)
	}
	var b tracewhy.Builder
	_, err := Jaeger{URL: "http://jaeger.test", Page: 5, Client: Client{Transport: handlerTransport{s.jaeger(t)}}}.
		Fetch(t.Context(), Query{Start: noon, End: noon.Add(time.Hour)}, Into(&b, "incident"))
	if err != nil {
		t.Fatal(err)
	}
	set, err := b.Build(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got, want := dump(set.Source("incident").Set()), dump(tracewhy.SetOf(want...)); got != want {
		t.Errorf("spans (-want +got):\n%s", cmp.Diff(want, got))
	}
}

// dump writes all spans of a Set.
func dump(set *tracewhy.Set) string {
	var b strings.Builder
	for t := range set.Traces() {
		for s := range t.Spans() {
			d := s.Data()
			d.Source = ""
			fmt.Fprintf(&b, "%v %v %v %q %v %d %d %v %v %v %v\n", d.TraceID, d.SpanID, d.ParentSpanID, d.Name, d.Kind, d.Start, d.End, d.Status, d.Attributes, d.Events, s.Service())
		}
	}
	return b.String()
}

func TestProgress(t *testing.T) {
	s := &store{traces: burst(3, 100)}
	for name, fetch := range map[string]func(Client) fetcher{
		"Jaeger": func(c Client) fetcher { return fromJaeger(s, Jaeger{Client: c, Page: 10}) },
		"Tempo":  func(c Client) fetcher { return fromTempo(s, Tempo{Client: c, Page: 10}) },
	} {
		var last Progress
		calls := 0
		f := fetch(Client{Progress: func(p Progress) {
			calls++
			if p.Traces < last.Traces || p.Bytes < last.Bytes || p.Share < last.Share || p.Requests < last.Requests {
				t.Errorf("%s: from %+v to %+v", name, last, p)
			}
			last = p
		}})
		r, _, err := f(t, Query{Start: noon, End: noon.Add(time.Hour)})
		want := Progress{Traces: r.Traces, Spans: r.Spans, Requests: r.Requests, Bytes: r.Bytes, Share: 1}
		if err != nil || last != want || calls < 5 {
			t.Errorf("%s: %d calls, at last %+v, want %+v; %v", name, calls, last, want, err)
		}
	}
}
