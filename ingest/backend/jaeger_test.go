package backend

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tracewhy/tracewhy"
)

// What is asked of each version, as far as the version can be asked for it.
func TestJaegerRequests(t *testing.T) {
	q := Query{
		Services: []string{"shop"}, Operation: "GET /cart", MinDuration: 1500 * time.Nanosecond, Errors: true,
		Where: []tracewhy.Condition{
			{Key: "region", Op: tracewhy.OpEqual, Value: tracewhy.StringOf("eu")},
			{Key: "error", Op: tracewhy.OpEqual, Value: tracewhy.StringOf("true")},
			{Key: "n", Op: tracewhy.OpAtLeast, Value: tracewhy.IntOf(1)},
		},
		Start: noon.Add(1234567), End: noon.Add(time.Second + 1),
	}
	var got []string
	s := &store{}
	for _, first := range []bool{false, true} {
		h := http.NewServeMux()
		h.Handle("/tracing/", http.StripPrefix("/tracing", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			query := r.URL.Query().Encode()
			got = append(got, r.Method+" "+r.URL.Path+"?"+query)
			if next := s.jaeger(t); strings.HasPrefix(r.URL.Path, "/api/v3") {
				next.ServeHTTP(w, r)
			} else {
				s.firstJaeger(t).ServeHTTP(w, r)
			}
		})))
		j := Jaeger{URL: "http://jaeger.test/tracing/", V1: first, Page: 20, Client: Client{Transport: handlerTransport{h}}}
		if _, err := j.Fetch(t.Context(), q, drop); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{
		"GET /api/v3/services?",
		"GET /api/v3/traces?query.attributes=%7B%22region%22%3A%22eu%22%7D&query.durationMin=1.5%C2%B5s&query.duration_min=1.5%C2%B5s&query.num_traces=20" +
			"&query.operationName=GET+%2Fcart&query.operation_name=GET+%2Fcart&query.rawTraces=true&query.raw_traces=true&query.searchDepth=20&query.search_depth=20" +
			"&query.serviceName=shop&query.service_name=shop&query.startTimeMax=2026-03-01T12%3A00%3A01Z&query.startTimeMin=2026-03-01T12%3A00%3A00.001234567Z" +
			"&query.start_time_max=2026-03-01T12%3A00%3A01Z&query.start_time_min=2026-03-01T12%3A00%3A00.001234567Z",
		"GET /api/services?",
		"GET /api/traces?end=1772366401000000&limit=20&minDuration=1%C2%B5s&operation=GET+%2Fcart&raw=true&service=shop&start=1772366400001234&tags=%7B%22region%22%3A%22eu%22%7D",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("requests (-want +got):\n%s", d)
	}
}

// A server that cannot read attributes is asked without them, and what it answers is looked at here.
func TestJaegerWithoutAttributes(t *testing.T) {
	s := &store{traces: [][]tracewhy.SpanData{
		trace(1, noon, "GET /cart", 1, false, tracewhy.String("region", "eu")), trace(2, noon, "GET /cart", 1, false),
	}}
	refused := 0
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Has("query.attributes") {
			refused++
			http.Error(w, `{"error":{"httpCode":400,"message":"no map"}}`, http.StatusBadRequest)
			return
		}
		s.jaeger(t).ServeHTTP(w, r)
	})
	q := hour
	q.Services = []string{"store"}
	q.Where = []tracewhy.Condition{{Key: "region", Op: tracewhy.OpEqual, Value: tracewhy.StringOf("eu")}}
	r, err := Jaeger{URL: "http://jaeger.test", Page: 1, Client: Client{Transport: handlerTransport{h}}}.Fetch(t.Context(), q, drop)
	if err != nil || r.Traces != 1 || r.Skipped != 1 || refused != 1 {
		t.Errorf("%v, %+v, refused %d times", err, r, refused)
	}
}

// The third version is used where there is one, whatever a server does about paths that it does not have.
func TestJaegerVersions(t *testing.T) {
	s := &store{traces: burst(1, 5)}
	for _, tt := range []struct {
		why     string
		third   func(w http.ResponseWriter)
		works   bool
		message string
	}{
		{"not found", func(w http.ResponseWriter) { http.NotFound(w, &http.Request{}) }, true, ""},
		{"a page", func(w http.ResponseWriter) { io.WriteString(w, "<!DOCTYPE html>") }, true, ""},
		{"a page that says so", func(w http.ResponseWriter) { w.Header().Set("Content-Type", "text/html"); io.WriteString(w, "<html>") }, true, ""},
		{"an unsupported path", status(http.StatusBadRequest), true, ""},
		{"another answer", func(w http.ResponseWriter) { io.WriteString(w, `{"data":null}`) }, true, ""},
		{"no permission", status(http.StatusUnauthorized), false, "status 401"},
		{"trouble", status(http.StatusInternalServerError), false, "status 500"},
	} {
		h := http.NewServeMux()
		h.Handle("/", s.firstJaeger(t))
		h.HandleFunc("/api/v3/", func(w http.ResponseWriter, r *http.Request) { tt.third(w) })
		r, err := Jaeger{URL: "http://jaeger.test", Client: Client{Transport: handlerTransport{h}}}.Fetch(t.Context(), hour, drop)
		if (err == nil) != tt.works || tt.works && r.Traces != 5 || err != nil && !strings.Contains(err.Error(), tt.message) {
			t.Errorf("%s: %v, %+v", tt.why, err, r)
		}
	}
}

// Answers without traces, of both versions, and what a server says in place of them.
func TestJaegerEmptyAnswers(t *testing.T) {
	for _, tt := range []struct {
		status  int
		answer  string
		message string
	}{
		{200, `{"data":[],"total":0,"limit":0,"offset":0,"errors":null}`, ""},
		{200, `{"data":null,"total":0,"limit":0,"offset":0,"errors":null}`, ""},
		{200, `{"data":[],"errors":[]}`, ""},
		{200, `{"data":null,"errors":[{"code":500,"msg":"no storage"}]}`, "no storage"},
		{400, `{"data":null,"errors":[{"code":400,"msg":"parameter 'service' is required"}]}`, "status 400 Bad Request: {\"data\":null,\"errors\":[{\"code\":400,\"msg\":\"parameter 'service' is required\"}]}"},
		{200, `{"result":{"resourceSpans":[]}}`, ""},
		{200, `{"result":{}}`, ""},
		{200, ``, "stops in the middle"},
		{404, `{"error":{"httpCode":404,"message":"No traces found"}}`, ""},
		{404, `404 page not found`, "status 404 Not Found: 404 page not found"},
		{200, `{"error":{"grpcCode":13,"httpCode":500,"message":"no storage"}}`, "no storage"},
	} {
		isFirst := strings.Contains(tt.answer, `"data"`)
		h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/services") {
				io.WriteString(w, `{"data":["shop"],"services":["shop"]}`)
				return
			}
			w.WriteHeader(tt.status)
			io.WriteString(w, tt.answer)
		})
		c := Client{Transport: handlerTransport{h}, Retries: -1}
		r, err := Jaeger{URL: "http://jaeger.test", V1: isFirst, Client: c}.Fetch(t.Context(), hour, drop)
		if (err == nil) != (tt.message == "") || err != nil && !strings.Contains(err.Error(), tt.message) || r.Traces > 0 {
			t.Errorf("%d %s: %v, want %q; %+v", tt.status, tt.answer, err, tt.message, r)
		}
	}
}

// An answer that ends in something else is not taken for a whole one, and its traces are not used.
func TestJaegerAnswersThatEndInTrouble(t *testing.T) {
	for tail, message := range map[string]string{
		`{"error":{"grpcCode":13,"httpCode":500,"message":"storage\nlost"}}`: "stops in the middle, with an error: storage",
		"\n" + `{"error": {}}` + "\n":                                        "stops in the middle, with an error: no message",
		"\n\npanic: out of memory":                                           "text around the documents",
		`{"result":`:                                                         "stops in the middle",
		`{"result":{}}`:                                                      "",
		"\n":                                                                 "",
	} {
		s := &store{traces: [][]tracewhy.SpanData{trace(1, noon, strings.Repeat("x", 20000), 1, false, tracewhy.String("log", `{"error":{"message":"of a span"}}`))}}
		h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			s.jaeger(t).ServeHTTP(w, r)
			if r.URL.Path == "/api/v3/traces" {
				io.WriteString(w, tail)
			}
		})
		c := Client{Transport: handlerTransport{h}, Retries: -1}
		r, err := Jaeger{URL: "http://jaeger.test", Client: c}.Fetch(t.Context(), hour, drop)
		if (err == nil) != (message == "") || err != nil && !strings.Contains(err.Error(), message) || (r.Traces > 0) != (message == "") {
			t.Errorf("%q: %v, want %q; %+v", tail, err, message, r)
		}
	}
}

func TestUnknownService(t *testing.T) {
	s := &store{traces: burst(1, 5)}
	q := hour
	q.Services = []string{"shop", "shopp"}
	r, got, err := fromJaeger(s, Jaeger{})(t, q)
	if err != nil || len(got) != 5 || !slices.Equal(codes(r.Warnings), []string{WarningService}) || !strings.Contains(r.Warnings[0].Message, `"shopp"`) {
		t.Errorf("%v, %v, %+v", err, got, r.Warnings)
	}
}
