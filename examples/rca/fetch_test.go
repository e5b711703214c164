package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tracewhy/tracewhy/ingest/otlp"
	"github.com/tracewhy/tracewhy/internal/golden"
	"github.com/tracewhy/tracewhy/internal/tracetext"
)

// backendServer has the incident of shop, by the APIs of Jaeger and of Tempo. It logs what it is asked
// for.
func backendServer(t *testing.T, authorization string) (url string, requests *[]string) {
	t.Helper()
	set := tracetext.Set(shop)
	incident := set.Source("incident")
	mux := http.NewServeMux()
	mux.HandleFunc("/api/v3/services", func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, `{"services":["shop","cards"]}`)
	})
	mux.HandleFunc("/api/v3/traces", func(w http.ResponseWriter, r *http.Request) {
		// One answer with all, whatever the time is: the command asks for one hour, in pieces.
		for trace := range incident.Traces() {
			io.WriteString(w, `{"result":`)
			if err := otlp.WriteJSON(w, trace.Spans()); err != nil {
				t.Error(err)
			}
			io.WriteString(w, `}`)
		}
	})
	mux.HandleFunc("/api/search", func(w http.ResponseWriter, r *http.Request) {
		var ids []string
		for trace := range incident.Traces() {
			ids = append(ids, `{"traceID":"`+strings.TrimLeft(trace.ID().String(), "0")+`"}`)
		}
		io.WriteString(w, `{"traces":[`+strings.Join(ids, ",")+`]}`)
	})
	mux.HandleFunc("/api/v2/traces/{id}", func(w http.ResponseWriter, r *http.Request) {
		for trace := range incident.Traces() {
			if trace.ID().String() == r.PathValue("id") {
				var b bytes.Buffer
				if err := otlp.WriteProto(&b, trace.Spans()); err != nil {
					t.Error(err)
				}
				w.Write(append(binary.AppendUvarint([]byte{1<<3 | 2}, uint64(b.Len())), b.Bytes()...))
			}
		}
	})
	requests = new([]string)
	var lock sync.Mutex // traces are fetched side by side
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		lock.Lock()
		*requests = append(*requests, r.URL.RequestURI())
		lock.Unlock()
		if got := r.Header.Get("Authorization"); got != authorization {
			http.Error(w, "who is that? "+got, http.StatusUnauthorized)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL, requests
}

// shopTime are flags for the time of shop.
func shopTime(t *testing.T) []string {
	t.Helper()
	start, _, ok := tracetext.Set(shop).Trace(0).Interval()
	if !ok {
		t.Fatal("no time")
	}
	at := time.Unix(0, start).UTC()
	return []string{"-start", at.Format(time.RFC3339Nano), "-end", at.Add(time.Hour).Format(time.RFC3339Nano)}
}

func TestFetchGolden(t *testing.T) {
	url, _ := backendServer(t, "")
	for name, args := range map[string][]string{
		"convert.jsonl":     append(shopTime(t), "-jaeger", url), // what convert makes of the same traces
		"fetch.failed.json": append(shopTime(t), "-jaeger", url, "-errors", "-service", "shop", "-tag", "http.response.status_code=503"),
		"fetch.help.txt":    {"-h"},
		"fetch.tempo.json":  append(shopTime(t), "-tempo", url, "-min-duration", "200ms"),
	} {
		got := execute(t, "", append([]string{"fetch"}, args...)...)
		if got.status != statusOK {
			t.Fatalf("%v: %+v", args, got)
		}
		golden.Check(t, name, got.stdout)
	}
}

// What is said of a fetch goes where the traces do not.
func TestFetchSays(t *testing.T) {
	url, _ := backendServer(t, "")
	path := filepath.Join(t.TempDir(), "incident.pb.gz")
	args := append([]string{"fetch", "-jaeger", url, "-service", "shop", "-service", "card", "-limit", "0", "-errors"}, shopTime(t)...)
	saved := execute(t, "", append(args, "-o", path)...)
	printed := execute(t, "", args...)
	for _, want := range []string{
		"1 traces of 3 spans that began from ", "; 1 traces came that were not asked for\n",
		"       1 service_unknown          the backend knows no service \"card\"\n",
	} {
		if !strings.Contains(saved.stdout, want) || !strings.Contains(printed.stderr, want) {
			t.Errorf("%q is not said: %+v, %+v", want, saved, printed)
		}
	}
	if saved.stderr != "" || !strings.Contains(saved.stdout, ", saved to "+path+"\n") {
		t.Errorf("%+v", saved)
	}
	if back := execute(t, "", "convert", path); back.stdout != printed.stdout || back.stdout == "" {
		t.Errorf("saved:\n%s\nprinted:\n%s", back.stdout, printed.stdout)
	}
	if left, err := filepath.Glob(path + "?*"); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// Credentials come from files, the environment, or flags, and are never said.
func TestFetchCredentials(t *testing.T) {
	const secret = "s3cr3t-4711"
	dir := t.TempDir()
	token := write(t, dir, "token", secret+"\n")
	basic := write(t, dir, "basic", "ann:"+secret+"\n")
	header := write(t, dir, "header", "\nAuthorization: Bearer "+secret+"\n\n")
	for _, tc := range []struct {
		why  string
		env  map[string]string
		args []string
		want string // the header that reaches the server
	}{
		{"a file with a token", nil, []string{"-bearer-file", token}, "Bearer " + secret},
		{"a file goes before the environment", map[string]string{envBearer: "other", envBasic: "x:y"}, []string{"-bearer-file", token}, "Bearer " + secret},
		{"a token in the environment", map[string]string{envBearer: secret}, nil, "Bearer " + secret},
		{"a file with user and password", nil, []string{"-basic-file", basic}, "Basic YW5uOnMzY3IzdC00NzEx"},
		{"user and password in the environment", map[string]string{envBasic: "ann:" + secret}, nil, "Basic YW5uOnMzY3IzdC00NzEx"},
		{"a file with headers", nil, []string{"-header-file", header}, "Bearer " + secret},
		{"a header", nil, []string{"-header", "authorization: Bearer " + secret}, "Bearer " + secret},
	} {
		for _, isRight := range []bool{true, false} {
			want := tc.want
			if !isRight {
				want = "something else"
			}
			for key, value := range tc.env {
				t.Setenv(key, value)
			}
			url, _ := backendServer(t, want)
			got := execute(t, "", append(append([]string{"fetch", "-jaeger", url}, shopTime(t)...), tc.args...)...)
			for key := range tc.env {
				os.Unsetenv(key)
			}
			if (got.status == statusOK) != isRight {
				t.Errorf("%s: %+v", tc.why, got)
			}
			if said := got.stdout + got.stderr; strings.Contains(said, secret) || strings.Contains(said, "YW5u") {
				t.Errorf("%s is said: %+v", tc.why, got)
			}
			if !isRight && !strings.Contains(got.stderr, "status 401 Unauthorized: who is that?") {
				t.Errorf("%s: %+v", tc.why, got)
			}
		}
	}
}

func TestFetchStatus(t *testing.T) {
	url, requests := backendServer(t, "")
	dir := t.TempDir()
	bad := write(t, dir, "bad", "no colon")
	for _, tc := range []struct {
		why    string
		args   []string
		status int
		says   string
	}{
		{"nowhere", nil, statusUsage, "-jaeger URL, or -tempo URL"},
		{"two places", []string{"-jaeger", url, "-tempo", url}, statusUsage, "-jaeger URL, or -tempo URL"},
		{"an argument", []string{"-jaeger", url, "shop"}, statusUsage, "no arguments"},
		{"two beginnings", []string{"-jaeger", url, "-since", "1h", "-start", "2026-03-01T14:30:00Z"}, statusUsage, "-since and -start"},
		{"no time", []string{"-jaeger", url, "-start", "noon"}, statusUsage, `not "noon"`},
		{"no end", []string{"-jaeger", url, "-end", "tonight"}, statusUsage, `not "tonight"`},
		{"no length", []string{"-jaeger", url, "-since", "0s"}, statusUsage, "has no length"},
		{"a negative limit", []string{"-jaeger", url, "-limit", "-1"}, statusUsage, "not -1"},
		{"a negative size", []string{"-jaeger", url, "-max-answer", "-1"}, statusUsage, "not -1"},
		{"no tag", []string{"-jaeger", url, "-tag", "=x"}, statusUsage, `not "=x"`},
		{"errors as a tag", []string{"-jaeger", url, "-tag", "error=true"}, statusUsage, "there is -errors"},
		{"no header", []string{"-jaeger", url, "-header", "s3cr3t"}, statusUsage, "KEY: VALUE"},
		{"no header in a file", []string{"-jaeger", url, "-header-file", bad}, statusUsage, "KEY: VALUE"},
		{"no password", []string{"-jaeger", url, "-basic-file", bad}, statusUsage, "user:password"},
		{"no such file", []string{"-jaeger", url, "-bearer-file", "missing"}, statusInput, "missing"},
		{"no such folder", []string{"-jaeger", url, "-o", filepath.Join(dir, "missing", "x.jsonl")}, statusInput, "missing"},
		{"no URL", []string{"-jaeger", "localhost:16686"}, statusInput, "must begin with http"},
		{"no such authorities", []string{"-jaeger", url, "-ca", "missing.pem"}, statusInput, "missing.pem"},
	} {
		got := execute(t, "", append([]string{"fetch"}, tc.args...)...)
		if got.status != tc.status || !strings.Contains(got.stderr, tc.says) || got.stdout != "" || strings.Contains(got.stderr, "s3cr3t") {
			t.Errorf("%s: %+v, want status %d and %q", tc.why, got, tc.status, tc.says)
		}
	}
	if len(*requests) > 0 {
		t.Errorf("requests %v", *requests)
	}
	if left, err := filepath.Glob(filepath.Join(dir, "*"+partSuffix)); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// A fetch that fails leaves what was there before.
func TestFetchKeepsTheOldFile(t *testing.T) {
	dir := t.TempDir()
	path := write(t, dir, "incident.jsonl", "old")
	url, _ := backendServer(t, "Bearer x")
	got := execute(t, "", "fetch", "-jaeger", url, "-o", path)
	data, err := os.ReadFile(path)
	if got.status != statusInput || err != nil || string(data) != "old" {
		t.Errorf("%+v; %q, %v", got, data, err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}

// The last hour is asked for, if no time is given.
func TestFetchSince(t *testing.T) {
	url, requests := backendServer(t, "")
	if got := execute(t, "", "fetch", "-tempo", url, "-limit", "0"); got.status != statusOK || got.stdout != "" {
		t.Fatalf("%+v", got)
	}
	r, err := http.NewRequest("GET", (*requests)[0], nil)
	if err != nil {
		t.Fatal(err)
	}
	number := func(key string) int64 {
		n, err := strconv.ParseInt(r.URL.Query().Get(key), 10, 64)
		if err != nil {
			t.Error(err)
		}
		return n
	}
	if length := number("end") - number("start"); length < 3600 || length > 3601 {
		t.Errorf("%d seconds", length)
	}
}

func TestFetchInterruptedAndProgress(t *testing.T) {
	url, _ := backendServer(t, "")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var stdout, stderr bytes.Buffer
	status := run(ctx, []string{"fetch", "-jaeger", url}, &environment{stdout: &stdout, stderr: &stderr})
	if status != statusInterrupted || stdout.Len() > 0 {
		t.Errorf("status %d, %q, %q", status, stdout.String(), stderr.String())
	}
	stderr.Reset()
	path := filepath.Join(t.TempDir(), "x.jsonl")
	status = run(t.Context(), []string{"fetch", "-jaeger", url, "-o", path}, &environment{stdout: &stdout, stderr: &stderr, progress: true})
	if status != statusOK || !strings.Contains(stderr.String(), "fetching") || !strings.HasSuffix(stderr.String(), "\r\x1b[K") {
		t.Errorf("status %d, %q", status, stderr.String())
	}
}
