package backend

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/ingest/input"
	"github.com/tracewhy/tracewhy/ingest/otlp"
)

func TestTraceQL(t *testing.T) {
	equal := func(key string, v tracewhy.Value) tracewhy.Condition {
		return tracewhy.Condition{Key: key, Op: tracewhy.OpEqual, Value: v}
	}
	for _, tt := range []struct {
		query Query
		want  string
	}{
		{Query{}, `{ true }`},
		{Query{Services: []string{"shop"}}, `{ resource.service.name = "shop" }`},
		{Query{Services: []string{"shop", `a"b\`}, Operation: "GET /cart"},
			`{ (resource.service.name = "shop" || resource.service.name = "a\"b\\") && name = "GET /cart" }`},
		{Query{MinDuration: 1500 * time.Microsecond}, `{ duration >= 1500000ns }`},
		{Query{Errors: true}, `{ true } && { status = error || .http.response.status_code >= 400 || .http.status_code >= 400 }`},
		{Query{Services: []string{"shop"}, Errors: true},
			`{ resource.service.name = "shop" } && { status = error || .http.response.status_code >= 400 || .http.status_code >= 400 }`},
		{Query{Where: []tracewhy.Condition{equal("region", tracewhy.StringOf("eu"))}}, `{ .region = "eu" }`},
		{Query{Where: []tracewhy.Condition{equal("code", tracewhy.StringOf("7")), equal("on", tracewhy.BoolOf(true))}},
			`{ (.code = "7" || .code = 7) && (.on = "true" || .on = true) }`},
		{Query{Where: []tracewhy.Condition{equal("share", tracewhy.FloatOf(2.5))}}, `{ (.share = "2.5" || .share = 2.5) }`},
		{Query{Where: []tracewhy.Condition{equal(`strange "kéy" \ }`, tracewhy.StringOf("é\n"))}}, `{ ."strange \"kéy\" \\ }" = "é\n" }`},
		// What has no counterpart that means the same is left to this side.
		{Query{Where: []tracewhy.Condition{{Key: "code", Op: tracewhy.OpAtLeast, Value: tracewhy.IntOf(7)}, {Key: "x", Op: tracewhy.OpMissing},
			equal("list", tracewhy.ArrayOf(tracewhy.IntOf(1)))}}, `{ true }`},
	} {
		if got := traceQL(&tt.query); got != tt.want {
			t.Errorf("%+v:\n%s, want\n%s", tt.query, got, tt.want)
		}
	}
}

// tempoWith serves one trace by a search, and what it is asked for by id as byID says.
func tempoWith(ids string, byID http.HandlerFunc) Tempo {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/search", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `{"traces":[%s],"metrics":{"inspectedBytes":"1"}}`, ids)
	})
	mux.Handle("/", byID)
	return Tempo{URL: "http://tempo.test", Client: Client{Transport: handlerTransport{mux}, Retries: -1, MaxAnswer: 4000}}
}

func TestTempoAnswers(t *testing.T) {
	spans := trace(1, noon, "GET /cart", time.Millisecond, false)
	id := spans[0].TraceID.String()
	proto := asProto(t, spans)
	for _, tt := range []struct {
		why      string
		search   string
		byID     func(w http.ResponseWriter, path string)
		traces   int
		warnings []string
		message  string
	}{
		{"the second version", `{"traceID":"1"}`, func(w http.ResponseWriter, path string) {
			if path != "/api/v2/traces/"+id {
				t.Errorf("asked for %s", path)
			}
			w.Write(wrapped(proto, 0))
		}, 1, nil, ""},
		{"a part of a trace", `{"traceID":"1"}`, func(w http.ResponseWriter, _ string) { w.Write(wrapped(proto, 1)) }, 1, []string{WarningPartial}, ""},
		{"the first version alone", `{"traceID":"1"}`, func(w http.ResponseWriter, path string) {
			if strings.HasPrefix(path, "/api/v2") {
				w.WriteHeader(http.StatusNotFound)
				return
			}
			w.Write(proto)
		}, 1, nil, ""},
		{"JSON all the same", `{"traceID":"1"}`, func(w http.ResponseWriter, _ string) {
			fmt.Fprintf(w, `{"trace":%s,"metrics":{}}`, asJSON(t, spans))
		}, 1, nil, ""},
		{"a trace that went away", `{"traceID":"1"}`, func(w http.ResponseWriter, _ string) { w.WriteHeader(http.StatusNotFound) }, 0, []string{WarningMissing}, ""},
		{"an empty trace", `{"traceID":"1"}`, func(w http.ResponseWriter, _ string) {}, 0, []string{WarningMissing}, ""},
		{"one trace twice", `{"traceID":"1"},{"traceID":"0000000000000001"}`, func(w http.ResponseWriter, _ string) { w.Write(wrapped(proto, 0)) }, 1, nil, ""},
		{"an id that is none", `{"traceID":"xyz"}`, nil, 0, nil, `the trace id "xyz"`},
		{"an id that is too long", `{"traceID":"` + strings.Repeat("1", 33) + `"}`, nil, 0, nil, "the trace id"},
		{"no list", `1`, nil, 0, nil, "no list of traces"},
		{"half a trace", `{"traceID":"1"}`, func(w http.ResponseWriter, _ string) { b := wrapped(proto, 0); w.Write(b[:len(b)/2]) }, 0, nil, "stops in the middle"},
		{"no trace", `{"traceID":"1"}`, func(w http.ResponseWriter, _ string) { io.WriteString(w, "none") }, 0, nil, "no trace in protobuf: none"},
		{"a trace that is too long", `{"traceID":"1"}`, func(w http.ResponseWriter, _ string) { w.Write(make([]byte, 5000)) }, 0, []string{WarningTooLong}, ""},
		{"trouble", `{"traceID":"1"}`, func(w http.ResponseWriter, _ string) { status(500)(w) }, 0, nil, "/api/v2/traces/" + id + ": status 500"},
	} {
		var got []int
		r, err := tempoWith(tt.search, func(w http.ResponseWriter, r *http.Request) {
			if a := r.Header.Get("Accept"); a != mediaProto {
				t.Errorf("accepts %q", a)
			}
			tt.byID(w, r.URL.Path)
		}).Fetch(t.Context(), Query{Start: noon, End: noon.Add(time.Second)}, numbers(&got))
		if (err == nil) != (tt.message == "") || err != nil && !strings.Contains(err.Error(), tt.message) {
			t.Errorf("%s: %v, want %q", tt.why, err, tt.message)
		}
		if len(got) != tt.traces || !slices.Equal(codes(r.Warnings), tt.warnings) {
			t.Errorf("%s: traces %v, warnings %v", tt.why, got, r.Warnings)
		}
	}
}

func TestUnwrap(t *testing.T) {
	proto := asProto(t, trace(1, noon, "GET /cart", time.Millisecond, false))
	for _, tt := range []struct {
		why       string
		answer    []byte
		want      []byte
		isPartial bool
		isBroken  bool
	}{
		{"a whole trace", wrapped(proto, 0), proto, false, false},
		{"a part", wrapped(proto, 1), proto, true, false},
		{"in two pieces", append(wrapped(proto, 0), wrapped(proto, 0)...), append(bytes.Clone(proto), proto...), false, false},
		{"the status first", append([]byte{3 << 3, 1}, wrapped(proto, 1)...), proto, true, false},
		{"nothing", nil, nil, false, false},
		{"metrics alone", []byte{2<<3 | 2, 1, 0}, nil, false, false},
		{"JSON", []byte(`{"trace":{}}`), []byte(`{"trace":{}}`), false, false},
		{"a length without what it is of", []byte{1<<3 | 2, 5}, nil, false, true},
		{"a tag without a value", []byte{3 << 3}, nil, false, true},
		{"a message that passes the end", []byte{2<<3 | 2, 5, 0}, nil, false, true},
		{"a length that is none", append([]byte{2<<3 | 2}, bytes.Repeat([]byte{0xff}, 12)...), nil, false, true},
		{"a length beyond all", []byte{1<<3 | 2, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1}, nil, false, true},
		{"another type", []byte{1<<3 | 5, 0, 0, 0, 0}, nil, false, true},
	} {
		var got []byte
		isPartial, err := unwrap(iotest.OneByteReader(bytes.NewReader(tt.answer)), func(r io.Reader) error {
			part, err := io.ReadAll(r)
			got = append(got, part...)
			return err
		})
		if (err != nil) != tt.isBroken || isPartial != tt.isPartial || !tt.isBroken && !bytes.Equal(got, tt.want) {
			t.Errorf("%s: %x, partial: %v, %v", tt.why, got, isPartial, err)
		}
	}
}

// Whatever a server sends, reading it ends, with an error or with traces that add up.
func FuzzAnswers(f *testing.F) {
	t := &testing.T{}
	spans := trace(1, noon, "GET /cart", time.Millisecond, false)
	f.Add(wrapped(asProto(t, spans), 1))
	f.Add(asProto(t, spans))
	f.Add([]byte(`{"result":` + asJSON(t, spans) + `}`))
	f.Add([]byte(`{"traces":[{"traceID":"1"}]}`))
	f.Add([]byte(`{"services":["shop"]}`))
	f.Add([]byte(`{"error":{"httpCode":404}}`))
	f.Fuzz(func(t *testing.T, answer []byte) {
		var b tracewhy.Builder
		_, err := unwrap(bytes.NewReader(answer), func(r io.Reader) error {
			return otlp.Read(t.Context(), r, &b, input.Config{})
		})
		if set, err := built(t.Context(), &b, err); err == nil {
			if a := set.Accounting(); a.In != a.Kept+a.Merged+a.Quarantined {
				t.Errorf("%+v", a)
			}
		}
		h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Write(answer) })
		c := Client{Transport: handlerTransport{h}, Retries: -1}
		q := Query{Start: noon, End: noon.Add(time.Second)}
		for _, fetch := range []func() (*Result, error){
			func() (*Result, error) {
				return Jaeger{URL: "http://jaeger.test", Client: c}.Fetch(t.Context(), q, drop)
			},
			func() (*Result, error) { return Tempo{URL: "http://tempo.test", Client: c}.Fetch(t.Context(), q, drop) },
		} {
			r, err := fetch()
			var e *Error
			if err != nil && !errors.As(err, &e) && !strings.Contains(err.Error(), "trace id") {
				t.Errorf("%v", err)
			}
			if r == nil || r.Traces > r.Spans {
				t.Errorf("%+v", r)
			}
		}
	})
}
