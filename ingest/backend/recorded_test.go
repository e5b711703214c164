package backend

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tracewhy/tracewhy"
)

// recorded returns a file of what real backends answered.
func recorded(t *testing.T, name string) []byte {
	t.Helper()
	dir := os.Getenv("TRACEWHY_DATA")
	if dir == "" {
		t.Skip("set TRACEWHY_DATA to the folder with recorded traces")
	}
	data, err := os.ReadFile(filepath.Join(dir, "formats", "backends", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// files serves recorded answers by path.
func files(t *testing.T, byPath map[string]string) Client {
	mux := http.NewServeMux()
	for path, name := range byPath {
		data := recorded(t, name)
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(name, ".pb") && strings.Contains(path, "/v2/") {
				data = wrapped(recorded(t, name), 0)
			}
			w.Write(data)
		})
	}
	return Client{Transport: handlerTransport{mux}, Retries: -1}
}

// The day on which the answers were recorded.
var recordedDay = Query{Start: time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC), End: time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)}

func TestRecordedJaeger(t *testing.T) {
	third := files(t, map[string]string{
		"/api/v3/services": "jaeger/api_v3_services.json", "/api/v3/traces": "jaeger/api_v3_traces_10.json",
	})
	first := files(t, map[string]string{
		"/api/services": "jaeger/api_services.json", "/api/traces": "jaeger/api_traces_frontend_dispatch_20.json",
	})
	victoria := files(t, map[string]string{
		"/select/jaeger/api/services": "victoriatraces/jaeger_api_services.json",
		"/select/jaeger/api/traces":   "victoriatraces/jaeger_api_traces_10.json",
	})
	// What each of them answered with: whole traces, of which all are asked for, or those that failed.
	for _, tt := range []struct {
		why            string
		jaeger         Jaeger
		traces, failed int
	}{
		{"version 3", Jaeger{URL: "http://jaeger.test", Client: third}, 10, 10},
		{"version 1", Jaeger{URL: "http://jaeger.test", Client: first}, 20, 20},
		{"VictoriaTraces", Jaeger{URL: "http://victoria.test/select/jaeger", Client: victoria}, 10, 10},
	} {
		q := recordedDay
		q.Services = []string{"frontend"}
		r, err := tt.jaeger.Fetch(t.Context(), q, drop)
		if err != nil || r.Traces != tt.traces || len(r.Warnings) > 0 {
			t.Errorf("%s: %v, %+v", tt.why, err, r)
		}
		q.Errors = true
		r, err = tt.jaeger.Fetch(t.Context(), q, drop)
		if err != nil || r.Traces != tt.failed || r.Traces+r.Skipped != tt.traces {
			t.Errorf("%s, failed: %v, %+v", tt.why, err, r)
		}
		q.Services = []string{"nobody"}
		r, err = tt.jaeger.Fetch(t.Context(), q, drop)
		if err != nil || r.Traces != 0 || r.Skipped != tt.traces {
			t.Errorf("%s, of another service: %v, %+v", tt.why, err, r)
		}
	}

	// The versions agree on a trace that both have, apart from what the first cannot say.
	id, err := tracewhy.ParseTraceID("eab6257f945660422f52377a4dd6fafb")
	if err != nil {
		t.Fatal(err)
	}
	var shapes [2][]string
	for i, c := range []Client{third, first} {
		q := recordedDay
		q.Services = []string{"frontend"}
		_, err := Jaeger{URL: "http://jaeger.test", Client: c}.Fetch(t.Context(), q, func(trace tracewhy.Trace) error {
			if trace.ID() != id {
				return nil
			}
			for s := range trace.Spans() {
				shapes[i] = append(shapes[i], strings.Join([]string{s.ID().String(), s.Service(), s.Name(), s.Kind().String(), s.Status().String()}, " "))
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if d := cmp.Diff(shapes[0], shapes[1]); d != "" || len(shapes[0]) == 0 {
		t.Errorf("spans (-version 3 +version 1):\n%s", d)
	}
}

// What Jaeger says where it has no answer becomes a clear error.
func TestRecordedJaegerErrors(t *testing.T) {
	for name, message := range map[string]string{
		"jaeger/api_traces_badquery.json":     "parameter 'service' is required",
		"jaeger/api_trace_notfound.json":      "trace not found",
		"tempo/api_search_plain.json":         "not trace data",
		"jaeger/api_services.json":            "not trace data",
		"tempo/api_traces_id.pb":              "",
		"zipkin/zipkin_v2_spans.json":         "",
		"jaeger/api_dependencies.json":        "not trace data",
		"victoriatraces/logsql_query_5.jsonl": "",
	} {
		c := files(t, map[string]string{"/api/services": "jaeger/api_services.json", "/api/traces": name})
		r, err := Jaeger{URL: "http://jaeger.test", V1: true, Client: c}.Fetch(t.Context(), recordedDay, drop)
		if err == nil || !strings.Contains(err.Error(), message) || r.Traces > 0 {
			t.Errorf("%s: %v, want %q", name, err, message)
		}
	}
}

func TestRecordedTempo(t *testing.T) {
	const id = "0b76f6902efba4fa1284b6003030d917" // of which the search leaves out the zero
	var dumps []string
	for _, byID := range []map[string]string{
		{"/api/v2/traces/" + id: "tempo/api_traces_id.pb"},
		{"/api/v2/traces/" + id: "tempo/api_v2_traces_id.json"},
		{"/api/traces/" + id: "tempo/api_traces_id.pb"},
		{"/api/traces/" + id: "tempo/api_traces_id.json"},
	} {
		byID["/api/search"] = "tempo/api_search_plain.json"
		var b tracewhy.Builder
		r, err := Tempo{URL: "http://tempo.test", Client: files(t, byID)}.Fetch(t.Context(), recordedDay, Into(&b, ""))
		if err != nil || r.Traces != 1 || !slices.Equal(codes(r.Warnings), []string{WarningMissing}) {
			t.Errorf("%v: %v, %+v", byID, err, r)
		}
		set, err := b.Build(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		dumps = append(dumps, dump(set))
	}
	for _, d := range dumps[1:] {
		if d != dumps[0] || d == "" {
			t.Errorf("one trace in two formats:\n%s", cmp.Diff(dumps[0], d))
		}
	}
	for name, want := range map[string]int{"api_search_plain.json": 20, "api_search_traceql_error.json": 10, "api_search_traceql_slow.json": 20} {
		r, err := Tempo{URL: "http://tempo.test", Client: files(t, map[string]string{"/api/search": "tempo/" + name})}.Fetch(t.Context(), recordedDay, drop)
		if err != nil || len(r.Warnings) != 1 || r.Warnings[0].Count != want {
			t.Errorf("%s: %v, %+v, want %d traces named", name, err, r.Warnings, want)
		}
	}
}
