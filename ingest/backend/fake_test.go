package backend

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/ingest/jaeger"
	"github.com/tracewhy/tracewhy/ingest/otlp"
)

// noon is when the traces of tests begin.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// handlerTransport answers requests by a handler, without a network.
type handlerTransport struct{ http.Handler }

func (h handlerTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	resp := w.Result()
	resp.Request = r
	return resp, nil
}

// trace is one span and its child, a call of store by shop, with the given number as its id.
func trace(number int, start time.Time, name string, took time.Duration, isFailed bool, attrs ...tracewhy.KeyValue) []tracewhy.SpanData {
	var id tracewhy.TraceID
	binary.BigEndian.PutUint64(id[8:], uint64(number))
	status := tracewhy.StatusUnset
	if isFailed {
		status = tracewhy.StatusError
	}
	service := func(name string) *tracewhy.Resource {
		return &tracewhy.Resource{Attributes: []tracewhy.KeyValue{tracewhy.String("service.name", name)}}
	}
	at := uint64(start.UnixNano())
	return []tracewhy.SpanData{
		{TraceID: id, SpanID: tracewhy.SpanID{1}, Name: name, Kind: tracewhy.KindServer, Start: at, End: at + uint64(took), Resource: service("shop")},
		{TraceID: id, SpanID: tracewhy.SpanID{2}, ParentSpanID: tracewhy.SpanID{1}, Name: "SELECT", Kind: tracewhy.KindClient,
			Start: at, End: at + uint64(took), Status: status, Attributes: attrs, Resource: service("store")},
	}
}

// store is a backend in memory, as honest as real ones: answers are cut at the limit without a word.
type store struct {
	mu       sync.Mutex
	traces   [][]tracewhy.SpanData
	requests []*http.Request
	ignores  bool // all but service and time
}

func (s *store) log(r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, r)
}

// find returns the latest traces with a span of the service that began in the time, both ends included.
func (s *store) find(service, operation string, from, to uint64, took time.Duration, limit int) [][]tracewhy.SpanData {
	var found [][]tracewhy.SpanData
	for _, t := range s.traces {
		if slices.ContainsFunc(t, func(d tracewhy.SpanData) bool {
			return (service == "" || d.Resource.Attributes[0].Value.Str() == service) && from <= d.Start && d.Start <= to &&
				(s.ignores || (operation == "" || d.Name == operation) && d.End-d.Start >= uint64(took))
		}) {
			found = append(found, t)
		}
	}
	slices.SortStableFunc(found, func(a, b []tracewhy.SpanData) int { return cmp.Compare(b[0].Start, a[0].Start) })
	return found[:min(len(found), limit)]
}

// jaeger serves the third version of Jaeger's API.
func (s *store) jaeger(t *testing.T) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/v3/services", func(w http.ResponseWriter, r *http.Request) {
		s.log(r)
		io.WriteString(w, `{"services":["store","shop"]}`)
	})
	mux.HandleFunc("GET /api/v3/traces", func(w http.ResponseWriter, r *http.Request) {
		s.log(r)
		q := r.URL.Query()
		nanos := func(key string) uint64 {
			at, err := time.Parse(time.RFC3339Nano, q.Get(key))
			if err != nil {
				t.Errorf("%s: %v", key, err)
			}
			return uint64(at.UnixNano())
		}
		limit, err := strconv.Atoi(q.Get("query.num_traces"))
		if err != nil || limit <= 0 {
			t.Errorf("limit %q", q.Get("query.num_traces"))
		}
		took, _ := time.ParseDuration(q.Get("query.duration_min"))
		found := s.find(q.Get("query.service_name"), q.Get("query.operation_name"), nanos("query.start_time_min"), nanos("query.start_time_max"), took, limit)
		if len(found) == 0 {
			http.Error(w, `{"error":{"httpCode":404,"message":"No traces found"}}`, http.StatusNotFound)
			return
		}
		for _, spans := range found {
			fmt.Fprintf(w, `{"result":%s}`, asJSON(t, spans))
		}
	})
	return mux
}

// firstJaeger serves the first version of Jaeger's API, and for all other paths a page.
func (s *store) firstJaeger(t *testing.T) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "<!DOCTYPE html><title>Jaeger UI</title>")
	})
	mux.HandleFunc("GET /api/services", func(w http.ResponseWriter, r *http.Request) {
		s.log(r)
		io.WriteString(w, `{"data":["store","shop"],"total":2,"limit":0,"offset":0,"errors":null}`)
	})
	mux.HandleFunc("GET /api/traces", func(w http.ResponseWriter, r *http.Request) {
		s.log(r)
		q := r.URL.Query()
		number := func(key string) int {
			n, err := strconv.Atoi(q.Get(key))
			if err != nil {
				t.Errorf("%s: %v", key, err)
			}
			return n
		}
		took, _ := time.ParseDuration(q.Get("minDuration"))
		var data []json.RawMessage
		for _, spans := range s.find(q.Get("service"), q.Get("operation"), 1000*uint64(number("start")), 1000*uint64(number("end"))+999, took, number("limit")) {
			var b bytes.Buffer
			if err := jaeger.WriteJSON(&b, tracewhy.SetOf(spans...).Trace(0).Spans()); err != nil {
				t.Error(err)
			}
			var answer struct{ Data []json.RawMessage }
			if err := json.Unmarshal(b.Bytes(), &answer); err != nil {
				t.Error(err)
			}
			data = append(data, answer.Data...)
		}
		json.NewEncoder(w).Encode(map[string]any{"data": data, "total": 0, "limit": 0, "offset": 0, "errors": nil})
	})
	return mux
}

// tempo serves Tempo's API.
func (s *store) tempo(t *testing.T) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/search", func(w http.ResponseWriter, r *http.Request) {
		s.log(r)
		q := r.URL.Query()
		seconds := func(key string) uint64 {
			n, err := strconv.ParseUint(q.Get(key), 10, 32)
			if err != nil {
				t.Errorf("%s: %v", key, err)
			}
			return n * 1e9
		}
		limit, err := strconv.Atoi(q.Get("limit"))
		if err != nil {
			t.Errorf("limit: %v", err)
		}
		type found struct {
			TraceID string `json:"traceID"`
		}
		answer := struct {
			Traces []found `json:"traces"`
		}{[]found{}}
		for _, spans := range s.find("", "", seconds("start"), seconds("end"), 0, limit) {
			answer.Traces = append(answer.Traces, found{strings.TrimLeft(spans[0].TraceID.String(), "0")})
		}
		json.NewEncoder(w).Encode(answer)
	})
	mux.HandleFunc("GET /api/v2/traces/{id}", func(w http.ResponseWriter, r *http.Request) {
		s.log(r)
		for _, spans := range s.traces {
			if spans[0].TraceID.String() == r.PathValue("id") {
				w.Header().Set("Content-Type", mediaProto)
				w.Write(wrapped(asProto(t, spans), 0))
				return
			}
		}
		w.WriteHeader(http.StatusNotFound)
	})
	return mux
}

// wrapped returns a TraceByIDResponse.
func wrapped(trace []byte, status byte) []byte {
	b := binary.AppendUvarint([]byte{1<<3 | 2}, uint64(len(trace)))
	b = append(b, trace...)
	b = append(b, 2<<3|2, 2, 1<<3, 0) // metrics
	return append(b, 3<<3, status)
}

func asJSON(t *testing.T, spans []tracewhy.SpanData) string {
	t.Helper()
	var b bytes.Buffer
	if err := otlp.WriteJSON(&b, tracewhy.SetOf(spans...).Trace(0).Spans()); err != nil {
		t.Error(err)
	}
	return strings.TrimSpace(b.String())
}

func asProto(t *testing.T, spans []tracewhy.SpanData) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := otlp.WriteProto(&b, tracewhy.SetOf(spans...).Trace(0).Spans()); err != nil {
		t.Error(err)
	}
	return b.Bytes()
}

// fetcher is a Jaeger or a Tempo.
type fetcher func(*testing.T, Query) (*Result, []int, error)

// numbers returns the numbers of traces as they come.
func numbers(list *[]int) func(tracewhy.Trace) error {
	return func(t tracewhy.Trace) error {
		id := t.ID()
		*list = append(*list, int(binary.BigEndian.Uint64(id[8:])))
		return nil
	}
}

func fromJaeger(s *store, j Jaeger) fetcher {
	return func(t *testing.T, q Query) (*Result, []int, error) {
		var got []int
		j.URL, j.Client.Transport = "http://jaeger.test", handlerTransport{s.jaeger(t)}
		r, err := j.Fetch(t.Context(), q, numbers(&got))
		return r, got, err
	}
}

func fromFirstJaeger(s *store, j Jaeger) fetcher {
	return func(t *testing.T, q Query) (*Result, []int, error) {
		var got []int
		j.URL, j.Client.Transport = "http://jaeger.test", handlerTransport{s.firstJaeger(t)}
		r, err := j.Fetch(t.Context(), q, numbers(&got))
		return r, got, err
	}
}

func fromTempo(s *store, tempo Tempo) fetcher {
	return func(t *testing.T, q Query) (*Result, []int, error) {
		var got []int
		tempo.URL, tempo.Client.Transport = "http://tempo.test", handlerTransport{s.tempo(t)}
		r, err := tempo.Fetch(t.Context(), q, numbers(&got))
		return r, got, err
	}
}

func codes(ws []tracewhy.Warning) []string {
	var list []string
	for _, w := range ws {
		list = append(list, w.Code)
	}
	return list
}
