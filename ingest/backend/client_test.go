package backend

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tracewhy/tracewhy"
)

// hour is a query for all traces of an hour.
var hour = Query{Services: []string{"shop"}, Start: noon, End: noon.Add(time.Hour)}

func drop(tracewhy.Trace) error { return nil }

// flaky answers as script says, one request after the other, and then as it should.
type flaky struct {
	next   http.Handler
	script []func(http.ResponseWriter)
	times  []time.Time
}

func (f *flaky) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.times = append(f.times, time.Now())
	if n := len(f.times) - 1; n < len(f.script) {
		f.script[n](w)
		return
	}
	f.next.ServeHTTP(w, r)
}

func status(code int, header ...string) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(code)
		io.WriteString(w, "out of order\nat 3 o'clock")
	}
}

func TestRetries(t *testing.T) {
	busy := status(http.StatusServiceUnavailable)
	between := func(low, high time.Duration) [2]time.Duration { return [2]time.Duration{low, high} }
	for _, tt := range []struct {
		why     string
		client  Client
		script  []func(http.ResponseWriter)
		waits   [][2]time.Duration
		message string // of the error, or ""
	}{
		{why: "no trouble"},
		{
			why:    "waits become twice as long",
			script: []func(http.ResponseWriter){busy, status(http.StatusTooManyRequests), status(http.StatusBadGateway), status(http.StatusGatewayTimeout), busy},
			waits: [][2]time.Duration{
				between(250*time.Millisecond, 500*time.Millisecond), between(500*time.Millisecond, time.Second), between(time.Second, 2*time.Second),
				between(2*time.Second, 4*time.Second), between(4*time.Second, 8*time.Second),
			},
		},
		{
			why: "no longer than half a minute", client: Client{Backoff: time.Minute, Retries: 2},
			script: []func(http.ResponseWriter){busy, busy},
			waits:  [][2]time.Duration{between(15*time.Second, 30*time.Second), between(15*time.Second, 30*time.Second)},
		},
		{
			why:    "as long as the server asks for",
			script: []func(http.ResponseWriter){status(http.StatusTooManyRequests, "Retry-After", "20")},
			waits:  [][2]time.Duration{between(20*time.Second, 20*time.Second)},
		},
		{
			why: "until the time that the server names, by its clock",
			script: []func(http.ResponseWriter){status(http.StatusServiceUnavailable,
				"Date", noon.Format(http.TimeFormat), "Retry-After", noon.Add(40*time.Second).Format(http.TimeFormat))},
			waits: [][2]time.Duration{between(40*time.Second, 40*time.Second)},
		},
		{
			why: "a time that is over", client: Client{Backoff: time.Second},
			script: []func(http.ResponseWriter){status(http.StatusServiceUnavailable,
				"Date", noon.Format(http.TimeFormat), "Retry-After", noon.Add(-time.Hour).Format(http.TimeFormat))},
			waits: [][2]time.Duration{between(500*time.Millisecond, time.Second)},
		},
		{
			why:     "not for an hour",
			script:  []func(http.ResponseWriter){status(http.StatusTooManyRequests, "Retry-After", "3600")},
			message: "http://jaeger.test/api/v3/services: status 429 Too Many Requests: it asks to be left alone for 1h0m0s: out of order",
		},
		{
			why: "no longer than was said", client: Client{Retries: 1},
			script:  []func(http.ResponseWriter){busy, busy},
			waits:   [][2]time.Duration{between(0, time.Second)},
			message: "backend: http://jaeger.test/api/v3/services: status 503 Service Unavailable: out of order (2 attempts)",
		},
		{why: "never", client: Client{Retries: -1}, script: []func(http.ResponseWriter){busy}, message: "status 503 Service Unavailable: out of order"},
		{why: "an error of the server", script: []func(http.ResponseWriter){status(http.StatusInternalServerError)}, message: "status 500 Internal Server Error: out of order"},
		{why: "no permission", script: []func(http.ResponseWriter){status(http.StatusForbidden)}, message: "status 403 Forbidden: out of order"},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := &store{traces: burst(1, 3)}
			f := &flaky{next: s.jaeger(t), script: tt.script}
			tt.client.Transport = handlerTransport{f}
			r, err := Jaeger{URL: "http://jaeger.test", Client: tt.client}.Fetch(t.Context(), hour, drop)
			if (err == nil) != (tt.message == "") || err != nil && !strings.Contains(err.Error(), tt.message) {
				t.Errorf("%s: error %v, want %q", tt.why, err, tt.message)
			}
			if r.Retries != len(tt.waits) || err == nil && r.Traces != 3 {
				t.Errorf("%s: %+v", tt.why, r)
			}
			for i, want := range tt.waits {
				if wait := f.times[i+1].Sub(f.times[i]); wait < want[0] || wait > want[1] {
					t.Errorf("%s: wait %d took %v, want %v", tt.why, i, wait, want)
				}
			}
		})
	}
}

// A cancelled fetch ends at once, also while it waits.
func TestCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		start := time.Now()
		busy := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { status(503, "Retry-After", "60")(w) })
		_, err := Jaeger{URL: "http://jaeger.test", Client: Client{Transport: handlerTransport{busy}}}.Fetch(ctx, hour, drop)
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 3*time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}

// An answer of which a part came is asked for again, and nothing of the part is used.
func TestBrokenAnswers(t *testing.T) {
	s := &store{traces: burst(1, 5)}
	good := s.jaeger(t)
	whole := httptest.NewRecorder()
	good.ServeHTTP(whole, httptest.NewRequest("GET", "/api/v3/traces?query.start_time_min=2026-03-01T12:00:00Z&query.start_time_max=2026-03-01T13:00:00Z&query.num_traces=9", nil))
	text := whole.Body.String()
	for _, tt := range []struct {
		why     string
		answer  func(w http.ResponseWriter, r *http.Request)
		again   bool
		message string
	}{
		{"the connection breaks", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", fmt.Sprint(len(text)))
			io.WriteString(w, text[:len(text)/2])
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}, true, "the answer stops in the middle"},
		{"the connection breaks at once", func(w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) }, true, "EOF"},
		{"a proxy cuts the answer", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, text[:len(text)/2]) }, true, "the answer stops in the middle"},
		{"the server hangs", func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, text[:len(text)/2])
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		}, true, "no whole answer within Client.Timeout"},
		{"the server is mute", func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, true, "no whole answer within Client.Timeout"},
		{"a page to log in", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			io.WriteString(w, "<!DOCTYPE html>\n<title>Log in</title>")
		}, false, "web page, as for people who are to log in or took the wrong path: <!DOCTYPE html>"},
		{"bad JSON", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, `{"result":{"resourceSpans":[}}`) }, false, `{"result":{"resourceSpans":[}}`},
		{"other JSON", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, `{"message":"hello"}`) }, false, `not trace data: {"message":"hello"}`},
		{"an error", func(w http.ResponseWriter, r *http.Request) {
			http.Error(w, `{"error":{"httpCode":500,"message":"no storage"}}`, 500)
		}, false, `status 500 Internal Server Error: {"error":{"httpCode":500,"message":"no storage"}}`},
		{"control characters", func(w http.ResponseWriter, r *http.Request) { http.Error(w, "\x1b[2J\x00gone", 400) }, false, "status 400 Bad Request: .[2J.gone"},
		{"a long line", func(w http.ResponseWriter, r *http.Request) { http.Error(w, strings.Repeat("x", 5000), 400) }, false, strings.Repeat("x", 200) + "…"},
	} {
		t.Run(tt.why, func(t *testing.T) {
			for _, isLasting := range []bool{false, true} {
				var n atomic.Int64
				server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if r.URL.Path == "/api/v3/traces" && (n.Add(1) == 1 || isLasting) {
						tt.answer(w, r)
						return
					}
					good.ServeHTTP(w, r)
				}))
				defer server.Close()
				var got []int
				r, err := Jaeger{URL: server.URL, Client: Client{Timeout: 300 * time.Millisecond, Retries: 1, Backoff: time.Millisecond}}.Fetch(t.Context(), hour, numbers(&got))
				if !isLasting && tt.again {
					if err != nil || len(got) != 5 || r.Retries > 1 { // net/http may try again on its own
						t.Errorf("%v, traces %v, %+v", err, got, r)
					}
					continue
				}
				if err == nil || !strings.Contains(err.Error(), tt.message) || !strings.Contains(err.Error(), server.URL+"/api/v3/traces: ") {
					t.Errorf("error %v, want %q", err, tt.message)
				}
				if (r.Retries > 0) != tt.again || len(got) > 0 {
					t.Errorf("%+v", r)
				}
			}
		})
	}
}

// An answer that is too long is not read to its end.
func TestHugeAnswer(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for {
			if _, err := io.WriteString(w, strings.Repeat(" ", 1<<16)); err != nil {
				return
			}
		}
	}))
	defer server.Close()
	r, err := Tempo{URL: server.URL, Client: Client{MaxAnswer: 1 << 20}}.Fetch(t.Context(), Query{Start: noon, End: noon.Add(time.Second)}, drop)
	if err == nil || !strings.Contains(err.Error(), "longer than Client.MaxAnswer") || r.Bytes != 1<<20 {
		t.Errorf("%v, %+v", err, r)
	}
}

func TestUnreachable(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	r, err := Tempo{URL: server.URL + "/tempo", Client: Client{Retries: 2, Backoff: time.Millisecond}}.Fetch(t.Context(), hour, drop)
	var e *Error
	if !errors.As(err, &e) || e.URL != server.URL+"/tempo/api/search" || e.Attempts != 3 || r.Retries != 2 || !strings.Contains(err.Error(), "connect") {
		t.Errorf("%v, %+v", err, r)
	}
	r, err = Tempo{URL: "https://" + strings.TrimPrefix(server.URL, "http://"), Client: Client{Retries: -1}}.Fetch(t.Context(), hour, drop)
	if err == nil || r.Retries != 0 {
		t.Errorf("%v, %+v", err, r)
	}
}

// Credentials reach the server, and no error, not even where the server sends them back.
func TestCredentials(t *testing.T) {
	const secret = "s3cr3t-4711"
	for _, tt := range []struct {
		why    string
		url    string
		client Client
		sent   map[string]string
	}{
		{"bearer", "http://jaeger.test", Client{Bearer: secret}, map[string]string{"Authorization": "Bearer " + secret}},
		{"basic", "http://jaeger.test", Client{User: "ann", Password: secret}, map[string]string{"Authorization": "Basic YW5uOnMzY3IzdC00NzEx"}},
		{"in the URL", "http://ann:" + secret + "@jaeger.test", Client{}, map[string]string{"Authorization": "Basic YW5uOnMzY3IzdC00NzEx"}},
		{"a header", "http://jaeger.test", Client{Header: map[string]Secret{"x-api-key": secret}}, map[string]string{"X-Api-Key": secret}},
	} {
		var got http.Header
		tt.client.Transport = handlerTransport{http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			got = r.Header
			http.Error(w, fmt.Sprint("wrong credentials ", r.Header), http.StatusUnauthorized)
		})}
		r, err := Jaeger{URL: tt.url, Client: tt.client}.Fetch(t.Context(), hour, drop)
		for key, value := range tt.sent {
			if got.Get(key) != value {
				t.Errorf("%s: header %v", tt.why, got)
			}
		}
		if err == nil || !strings.Contains(err.Error(), "http://jaeger.test/api/v3/services: status 401 Unauthorized: wrong credentials") {
			t.Errorf("%s: %v", tt.why, err)
		}
		texts := fmt.Sprintf("%v %+v %#v %s %q %x", tt.client, tt.client, tt.client, tt.client.Bearer, tt.client.Password, tt.client.Header)
		asJSON, jsonErr := json.Marshal(map[string]any{"bearer": tt.client.Bearer, "password": tt.client.Password, "header": tt.client.Header})
		for _, text := range []string{err.Error(), fmt.Sprintf("%+v", err), texts, string(asJSON)} {
			if strings.Contains(text, secret) || strings.Contains(text, "YW5uOnMzY3IzdC00NzEx") || jsonErr != nil {
				t.Errorf("%s: %s", tt.why, text)
			}
		}
		if len(r.Warnings) != 1 || r.Warnings[0].Code != WarningUnencrypted {
			t.Errorf("%s: warnings %v", tt.why, r.Warnings)
		}
	}
}

func TestTenantAndHost(t *testing.T) {
	tenant, host := "", ""
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		tenant, host = r.Header.Get("X-Scope-OrgID"), r.Host
		io.WriteString(w, `{"traces":[]}`)
	})
	c := Client{Transport: handlerTransport{h}, Header: map[string]Secret{"Host": "tempo.example"}}
	r, err := Tempo{URL: "http://127.0.0.1", Tenant: "team-7", Client: c}.Fetch(t.Context(), hour, drop)
	if err != nil || tenant != "team-7" || host != "tempo.example" || len(r.Warnings) > 0 {
		t.Errorf("tenant %q, host %q, %v, %v", tenant, host, err, r.Warnings)
	}
}

func TestSettingsThatAreNone(t *testing.T) {
	for _, tt := range []struct {
		url     string
		client  Client
		message string
	}{
		{"jaeger.test:16686", Client{}, "must begin with http"},
		{"ftp://jaeger.test", Client{}, "must begin with http"},
		{"http://", Client{}, "and a host"},
		{"http://ann:s3cr3t%zz@jaeger.test", Client{}, "cannot be parsed"},
		{"http://jaeger.test/search?service=shop", Client{}, "without a query"},
		{"http://jaeger.test", Client{Bearer: "x", User: "ann"}, "more than one way"},
		{"http://ann:x@jaeger.test", Client{Header: map[string]Secret{"authorization": "x"}}, "more than one way"},
		{"http://jaeger.test", Client{CAFile: "missing.pem"}, "missing.pem"},
		{"http://jaeger.test", Client{CAFile: "client_test.go"}, "no certificate"},
		{"http://jaeger.test", Client{CertFile: "client.pem"}, "belong together"},
		{"http://jaeger.test", Client{CertFile: "missing.pem", KeyFile: "missing.key"}, "client certificate"},
		{"http://jaeger.test", Client{Transport: http.DefaultTransport, InsecureSkipVerify: true}, "own certificates"},
		{"http://jaeger.test", Client{Bearer: "a\nb", Retries: -1}, "invalid header"},
	} {
		_, err := Jaeger{URL: tt.url, Client: tt.client}.Fetch(t.Context(), hour, drop)
		if err == nil || !strings.Contains(err.Error(), tt.message) || strings.Contains(err.Error(), "s3cr3t") {
			t.Errorf("%s: %v, want %q", tt.url, err, tt.message)
		}
	}
}

// A redirect is followed on the same host, and not to another, whether that is asked for credentials or not.
func TestRedirects(t *testing.T) {
	s := &store{traces: burst(1, 5)}
	var strangers atomic.Int64
	stranger := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { strangers.Add(1) }))
	defer stranger.Close()
	for _, to := range []string{"", stranger.URL, "https://other.test", "/loop"} {
		mux := http.NewServeMux()
		mux.Handle("/api/", s.jaeger(t))
		mux.HandleFunc("/old/", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, to+strings.TrimPrefix(r.URL.RequestURI(), "/old"), http.StatusTemporaryRedirect)
		})
		mux.HandleFunc("/loop/", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path, http.StatusFound) })
		server := httptest.NewServer(mux)
		defer server.Close()
		r, err := Jaeger{URL: server.URL + "/old/", Client: Client{Bearer: "x"}}.Fetch(t.Context(), hour, drop)
		switch {
		case to == "" && (err != nil || r.Traces != 5):
			t.Errorf("on the same host: %v, %+v", err, r)
		case to != "" && (err == nil || !strings.Contains(err.Error(), "it redirects to ") || r.Retries > 0):
			t.Errorf("to %s: %v, %+v", to, err, r)
		}
	}
	if strangers.Load() > 0 {
		t.Errorf("%d requests reached another host", strangers.Load())
	}
}
