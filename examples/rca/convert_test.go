package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/pprof/profile"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/ingest"
	"github.com/tracewhy/tracewhy/ingest/jaeger"
	"github.com/tracewhy/tracewhy/ingest/otlp"
	"github.com/tracewhy/tracewhy/internal/golden"
	"github.com/tracewhy/tracewhy/internal/tracetext"
)

// shop is what convert is tried on.
const shop = `
	trace fine source=baseline
	shop/GET /cart     0+100 server http.response.status_code=200
	  shop/sql query  10+40  client
	trace slow source=incident at=60s
	shop/GET /cart     0+500 server http.response.status_code=200 region=eu
	  shop/sql query  10+440 client
	trace failed source=incident at=61s
	shop/POST /pay     0+50  server http.response.status_code=503
	  cards/charge    10+30  server error="declined" resource.service.version=1.2
	  shop/audit      45+?   internal
`

// shopFiles writes both sides of shop and returns their paths.
func shopFiles(t *testing.T) (baseline, incident string) {
	t.Helper()
	dir := t.TempDir()
	set := tracetext.Set(shop)
	for _, side := range set.Sources() {
		var b bytes.Buffer
		for tr := range set.Source(side).Traces() {
			if err := otlp.WriteJSON(&b, tr.Spans()); err != nil {
				t.Fatal(err)
			}
		}
		write(t, dir, side+".jsonl", b.String())
	}
	return filepath.Join(dir, "baseline.jsonl"), filepath.Join(dir, "incident.jsonl")
}

func TestConvertGolden(t *testing.T) {
	baseline, incident := shopFiles(t)
	for name, args := range map[string][]string{
		"convert.jsonl":         {incident},
		"convert.perfetto.json": {"-to", "perfetto", incident},
		"convert.diff.txt":      {"-to", "pprof", "-baseline", baseline, incident},
		"convert.help.txt":      {"-h"},
	} {
		got := execute(t, "", append([]string{"convert"}, args...)...)
		if got.status != statusOK {
			t.Fatalf("%v: %+v", args, got)
		}
		text := got.stdout
		if strings.Contains(name, "diff") {
			p, err := profile.ParseData([]byte(text))
			if err != nil {
				t.Fatal(err)
			}
			text = p.String()
		}
		golden.Check(t, name, text)
	}
}

// What was converted to a format that is read gives the same traces again, compressed or not.
func TestConvertAndReadBack(t *testing.T) {
	_, incident := shopFiles(t)
	want := execute(t, "", "convert", incident)
	for _, tc := range []struct{ to, file string }{
		{"otlp", "a.jsonl"}, {"otlp", "a.jsonl.gz"}, {"otlp", "a.jsonl.zst"},
		{"otlp-proto", "a.pb"}, {"otlp-proto", "a.pb.gz"}, {"otlp-proto", "a.pb.zst"},
	} {
		path := filepath.Join(t.TempDir(), tc.file)
		got := execute(t, "", "convert", incident, "-to", tc.to, "-o", path)
		if want := "2 traces of 5 spans, saved to " + path + "\n"; got != (result{stdout: want}) {
			t.Fatalf("%+v: %+v", tc, got)
		}
		if back := execute(t, "", "convert", path); back.stdout != want.stdout {
			t.Errorf("%+v: read back\n%s\nwant\n%s", tc, back.stdout, want.stdout)
		}
	}
}

func TestConvertToJaeger(t *testing.T) {
	_, incident := shopFiles(t)
	var b tracewhy.Builder
	if err := ingest.Files(t.Context(), &b, "", ingest.Config{}, incident); err != nil {
		t.Fatal(err)
	}
	set, err := b.Build(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	failed := set.All().Where(tracewhy.Predicate{Has: []tracewhy.Matcher{{Service: "cards"}}})
	var want bytes.Buffer
	for tr := range failed.Traces() {
		if err := jaeger.WriteJSON(&want, tr.Spans()); err != nil {
			t.Fatal(err)
		}
	}
	if got := execute(t, "", "convert", "-to", "jaeger", "-service", "cards", incident); got.stdout != want.String() || failed.Len() != 1 {
		t.Errorf("%s, want %s", got.stdout, &want)
	}
}

func TestConvertSelects(t *testing.T) {
	baseline, incident := shopFiles(t)
	const slow, failed = "00000000000000010000000000000002", "00000000000000010000000000000003"
	for _, tc := range []struct {
		args []string
		want []string
	}{
		{nil, []string{slow, failed}},
		{[]string{"-service", "cards"}, []string{failed}},
		{[]string{"-service", "shop"}, []string{slow, failed}},
		{[]string{"-operation", "sql query"}, []string{slow}},
		{[]string{"-failed"}, []string{failed}},
		{[]string{"-failed", "-service", "shop"}, []string{failed}},
		{[]string{"-failed", "-operation", "charge"}, []string{failed}},
		{[]string{"-min-duration", "440ms"}, []string{slow}},
		{[]string{"-where", "region"}, []string{slow}},
		{[]string{"-where", "region=eu"}, []string{slow}},
		{[]string{"-where", "http.response.status_code!=200"}, []string{failed}},
		{[]string{"-where", "http.response.status_code>=500"}, []string{failed}},
		{[]string{"-where", "http.response.status_code < 500", "-where", "region"}, []string{slow}},
		{[]string{"-where", "service.version=1.2"}, []string{failed}},
		{[]string{"-where", "region has eu"}, []string{slow}},
		{[]string{"-where", "region missing", "-failed"}, []string{failed}},
		{[]string{"-trace", slow}, []string{slow}},
		{[]string{"-trace", slow, "-trace", failed}, []string{slow, failed}},
		{[]string{"-trace", slow, "-trace", failed, "-failed"}, []string{failed}},
	} {
		got := execute(t, "", append([]string{"convert", incident}, tc.args...)...)
		var b tracewhy.Builder
		if err := ingest.Read(t.Context(), "converted", strings.NewReader(got.stdout), "", &b, ingest.Config{}); err != nil {
			t.Fatalf("%v: %v: %+v", tc.args, err, got)
		}
		set, err := b.Build(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for tr := range set.Traces() {
			ids = append(ids, tr.ID().String())
		}
		if d := cmp.Diff(tc.want, ids); d != "" {
			t.Errorf("%v (-want +got):\n%s", tc.args, d)
		}
	}
	for _, tc := range []struct {
		why    string
		args   []string
		status int
		says   string
	}{
		{"no files", nil, statusUsage, "name the traces to convert"},
		{"no such format", []string{"-to", "xml", incident}, statusUsage, `otlp, otlp-proto, jaeger, perfetto, pprof, not "xml"`},
		{"a condition without a key", []string{"-where", "=x", incident}, statusUsage, `not "=x"`},
		{"a condition with another comparison", []string{"-where", "a>1", incident}, statusUsage, `"a>1"`},
		{"a comparison with no number", []string{"-where", "a<b", incident}, statusUsage, `"b" is none`},
		{"a baseline of what is no profile", []string{"-baseline", baseline, incident}, statusUsage, "-to pprof"},
		{"a scale of what is no profile", []string{"-scale", "5", incident}, statusUsage, "-to pprof"},
		{"a scale below zero", []string{"-to", "pprof", "-scale", "-1", incident}, statusUsage, "not -1"},
		{"zstd for pprof", []string{"-to", "pprof", "-o", "x.zst", incident}, statusUsage, ".gz"},
		{"no such file", []string{"missing.json"}, statusInput, "missing.json"},
		{"no such trace", []string{"-trace", "ffff", incident}, statusInput, `no trace "ffff"`},
		{"an ambiguous trace", []string{"-trace", "0", incident}, statusInput, "give more digits"},
		{"nothing selected", []string{"-service", "mail", incident}, statusInput, "none of 2 traces"},
		{"nothing to subtract", []string{"-to", "pprof", "-failed", "-baseline", baseline, incident}, statusInput, "nothing to subtract"},
		{"a folder that is not there", []string{"-o", filepath.Join("missing", "x"), incident}, statusInput, "missing"},
	} {
		t.Run(tc.why, func(t *testing.T) {
			got := execute(t, "", append([]string{"convert"}, tc.args...)...)
			if got.status != tc.status || got.stdout != "" || !strings.Contains(got.stderr, tc.says) {
				t.Errorf("%+v; want status %d and %q", got, tc.status, tc.says)
			}
		})
	}
}

// Without -o, what is written goes to standard output and what is said of it does not.
func TestConvertSays(t *testing.T) {
	baseline, incident := shopFiles(t)
	got := execute(t, "", "convert", "-to", "perfetto", incident)
	const drawn = "2 traces of 5 spans\nspans drawn as moments, since their duration is not known: 1\n"
	if got.stderr != drawn || !json.Valid([]byte(got.stdout)) {
		t.Errorf("%+v", got)
	}
	got = execute(t, "", "convert", "-to", "pprof", "-baseline", baseline, incident)
	if want := "2 traces of 5 spans, less 1 of better times\n"; got.stderr != want {
		t.Errorf("it says %q, want %q", got.stderr, want)
	}
}

// A case folder brings its own baseline, which a profile is compared with; else both sides are converted.
func TestConvertCase(t *testing.T) {
	dir := smallCase(t)
	if got := execute(t, "", "convert", "-to", "pprof", dir); got.stderr != "1 traces of 1 spans, less 1 of better times\n" {
		t.Errorf("a profile: %+v", got)
	}
	if got := execute(t, "", "convert", dir); got.stderr != "2 traces of 2 spans\n" || strings.Count(got.stdout, "\n") != 2 {
		t.Errorf("spans: %+v", got)
	}
}

// Writing stops when it is interrupted, and a file that is not whole is not there.
func TestConvertInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	_, incident := shopFiles(t)
	path := filepath.Join(t.TempDir(), "out.json")
	cancel()
	var stdout, stderr bytes.Buffer
	status := run(ctx, []string{"convert", "-o", path, incident}, &environment{stdout: &stdout, stderr: &stderr})
	if status != statusInterrupted || stdout.Len() > 0 {
		t.Errorf("status %d, %q", status, &stdout)
	}
	if files, err := os.ReadDir(filepath.Dir(path)); err != nil || len(files) > 0 {
		t.Errorf("left behind: %v, %v", files, err)
	}
	if n, err := (whileWanted{ctx, &stdout}).Write([]byte("more")); n != 0 || !errors.Is(err, context.Canceled) || stdout.Len() > 0 {
		t.Errorf("writing goes on: %d, %v", n, err)
	}
}
