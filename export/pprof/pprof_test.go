package pprof_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/pprof/profile"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/export/pprof"
	"github.com/tracewhy/tracewhy/ingest"
	"github.com/tracewhy/tracewhy/internal/golden"
	"github.com/tracewhy/tracewhy/internal/scenario"
	"github.com/tracewhy/tracewhy/internal/tracetext"
)

// shop has a call that got slower and failed in the incident: the baseline has three traces, the
// incident two.
const shop = `
	trace ok1 source=baseline
	shop/GET /cart     0+100 server
	  shop/sql query  10+40  client
	trace ok2 source=baseline at=1s
	shop/GET /cart     0+100 server
	  shop/sql query  10+40  client
	trace ok3 source=baseline at=2s
	shop/GET /cart     0+100 server
	  shop/sql query  10+40  client
	trace slow1 source=incident at=60s
	shop/GET /cart     0+500 server
	  shop/sql query  10+440 client
	trace slow2 source=incident at=61s
	shop/GET /cart     0+500 server error
	  shop/sql query  10+440 client error="lock wait timeout"
	trace lost source=incident at=62s
	stock/reserve     0+30  server orphan
`

func shopCohorts() (baseline, incident tracewhy.Cohort) {
	set := tracetext.Set(shop)
	return set.Source("baseline"), set.Source("incident")
}

func encode(t *testing.T, p *profile.Profile) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := p.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestGolden(t *testing.T) {
	baseline, incident := shopCohorts()
	for name, p := range map[string]*profile.Profile{
		"incident.txt": pprof.New(incident, pprof.Config{}),
		"scaled.txt":   pprof.New(baseline, pprof.Config{Traces: 1000}),
		"diff.txt":     pprof.Diff(baseline, incident, pprof.Config{}),
	} {
		read, err := profile.ParseData(encode(t, p))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		golden.Check(t, name, read.String())
	}
}

// The same spans in any order give the same bytes.
func TestShuffled(t *testing.T) {
	c := scenario.Demo()
	spans := slices.Concat(c.Baseline, c.Incident)
	for i := range spans {
		if spans[i].Source = "baseline"; i >= len(c.Baseline) {
			spans[i].Source = "incident"
		}
	}
	profiles := func() [2][]byte {
		set := tracewhy.SetOf(spans...)
		return [2][]byte{
			encode(t, pprof.New(set.All(), pprof.Config{})),
			encode(t, pprof.Diff(set.Source("baseline"), set.Source("incident"), pprof.Config{Traces: 1000})),
		}
	}
	want := profiles()
	rng := rand.New(rand.NewPCG(1, 2))
	for range 3 {
		rng.Shuffle(len(spans), func(i, j int) { spans[i], spans[j] = spans[j], spans[i] })
		if got := profiles(); !bytes.Equal(got[0], want[0]) || !bytes.Equal(got[1], want[1]) {
			t.Fatal("another order of the spans gave other bytes")
		}
	}
}

// totals adds up the values of a profile.
func totals(p *profile.Profile) [4]int64 {
	var sum [4]int64
	for _, s := range p.Sample {
		for i, v := range s.Value {
			sum[i] += v
		}
	}
	return sum
}

func TestTotals(t *testing.T) {
	c := tracewhy.SetOf(scenario.Demo().Incident...).All()
	var want [4]int64
	for tr := range c.Traces() {
		want[0] += max(0, int64(tr.Root().Duration()))
		for s := range tr.Spans() {
			want[1] += max(0, int64(s.SelfTime()))
			want[2]++
			if s.Failed() {
				want[3]++
			}
		}
	}
	if got := totals(pprof.New(c, pprof.Config{})); got != want {
		t.Errorf("totals %v, want %v", got, want)
	}
	if got := totals(pprof.Diff(c, c, pprof.Config{})); got != [4]int64{} {
		t.Errorf("less itself, %v are left", got)
	}
}

// A sampled trace counts as often as it stands for.
func TestWeights(t *testing.T) {
	set := tracetext.Set(`
		trace sampled
		a/x 0+10 tracestate=ot=th:c
		trace also sampled
		a/x 0+10 tracestate=ot=th:8
		trace all
		a/x 0+7
	`)
	if got, want := totals(pprof.New(set.All(), pprof.Config{})), [4]int64{67e6, 67e6, 7, 0}; got != want {
		t.Errorf("%v, want %v", got, want)
	}
	if got, want := totals(pprof.New(set.All(), pprof.Config{Traces: 14})), [4]int64{134e6, 134e6, 14, 0}; got != want {
		t.Errorf("scaled to 14 traces: %v, want %v", got, want)
	}
}

func TestNothing(t *testing.T) {
	_, incident := shopCohorts()
	for why, p := range map[string]*profile.Profile{
		"no traces":          pprof.New(tracewhy.Cohort{}, pprof.Config{}),
		"no traces, scaled":  pprof.New(tracewhy.Cohort{}, pprof.Config{Traces: 100}),
		"nothing of nothing": pprof.Diff(tracewhy.Cohort{}, tracewhy.Cohort{}, pprof.Config{}),
	} {
		read, err := profile.ParseData(encode(t, p))
		if err != nil || len(read.Sample) != 0 || read.TimeNanos != 0 {
			t.Errorf("%s: %v, %v", why, read, err)
		}
	}
	less := pprof.Diff(tracewhy.Cohort{}, incident, pprof.Config{})
	if d := cmp.Diff(pprof.New(incident, pprof.Config{}).String(), less.String()); d != "" {
		t.Errorf("less nothing (-want +got):\n%s", d)
	}
}

// Names come from traces: whatever they are, functions stay apart, and a terminal stays whole.
func TestNames(t *testing.T) {
	set := tracewhy.SetOf(
		tracewhy.SpanData{TraceID: tracewhy.TraceID{1}, SpanID: tracewhy.SpanID{1}, Name: "b c", Start: 1, End: 5, Resource: service("a")},
		tracewhy.SpanData{TraceID: tracewhy.TraceID{2}, SpanID: tracewhy.SpanID{1}, Name: "c", Start: 1, End: 5, Resource: service("a b")},
		tracewhy.SpanData{TraceID: tracewhy.TraceID{3}, SpanID: tracewhy.SpanID{1}, Name: "std::vector<int>::f(int)\x1b[2J\n", Start: 1, End: 5, Resource: service("c")},
		tracewhy.SpanData{TraceID: tracewhy.TraceID{4}, SpanID: tracewhy.SpanID{1}, Start: 1, End: 5, Resource: service("d")},
	)
	read, err := profile.ParseData(encode(t, pprof.New(set.All(), pprof.Config{})))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range read.Function {
		got = append(got, f.Filename+": "+f.Name)
	}
	want := []string{"a: a b c", "a b: a b c", "c: c std::vector<int>::f(int)\uFFFD[2J\uFFFD", "d: d"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("functions (-want +got):\n%s", d)
	}
}

func service(name string) *tracewhy.Resource {
	return &tracewhy.Resource{Attributes: []tracewhy.KeyValue{tracewhy.String("service.name", name)}}
}

// goTool runs go tool pprof and returns what it prints.
func goTool(t *testing.T, args ...string) string {
	t.Helper()
	if testing.Short() {
		t.Skip("not with -short: it starts go tool pprof")
	}
	cmd := exec.CommandContext(t.Context(), "go", append([]string{"tool", "pprof"}, args...)...)
	cmd.Env = append(os.Environ(), "PPROF_TMPDIR="+t.TempDir(), "TZ=UTC")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) || strings.Contains(stderr.String(), "no such tool") {
			t.Skipf("go tool pprof does not run here: %v %s", err, &stderr)
		}
		t.Fatalf("go tool pprof %q: %v\n%s", args, err, &stderr)
	}
	if stderr.Len() > 0 {
		t.Errorf("go tool pprof %q says %s", args, &stderr)
	}
	return stdout.String()
}

func TestGoToolPprof(t *testing.T) {
	baseline, incident := shopCohorts()
	dir := t.TempDir()
	save := func(name string, p *profile.Profile) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, encode(t, p), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	in := save("incident.pb.gz", pprof.New(incident, pprof.Config{}))
	diff := save("diff.pb.gz", pprof.Diff(baseline, incident, pprof.Config{}))
	base := save("base.pb.gz", pprof.New(baseline, pprof.Config{Traces: incident.Weight()}))
	flags := []string{"-symbolize=none", "-nodefraction=0"}
	golden.Check(t, "top.txt", goTool(t, slices.Concat([]string{"-top"}, flags, []string{in})...))
	golden.Check(t, "files.txt", goTool(t, slices.Concat([]string{"-top", "-files"}, flags, []string{in})...))

	// What Diff subtracts is what -diff_base does.
	byUs := goTool(t, slices.Concat([]string{"-top"}, flags, []string{diff})...)
	golden.Check(t, "diff_top.txt", byUs)
	byPprof := goTool(t, slices.Concat([]string{"-top", "-diff_base=" + base}, flags, []string{in})...)
	if d := cmp.Diff(nodes(byPprof), nodes(byUs)); d != "" {
		t.Errorf("-diff_base and Diff disagree (-base +Diff):\n%s", d)
	}
}

// nodes returns the table of a report, without what is above it: the time of both profiles differs.
func nodes(top string) string {
	_, table, _ := strings.Cut(top, "flat%")
	return table
}

// In the recorded case the one connection to the database is locked, and waiting for it is what is new.
func TestRecordedCase(t *testing.T) {
	data := os.Getenv("TRACEWHY_DATA")
	if data == "" {
		t.Skip("set TRACEWHY_DATA to the folder with recorded traces")
	}
	var b tracewhy.Builder
	for _, side := range []string{"baseline", "incident"} {
		file := filepath.Join(data, "cases/hotrod/hotrod-db-mutex", side+".otlp.jsonl.gz")
		if err := ingest.Files(t.Context(), &b, side, ingest.Config{}, file); err != nil {
			t.Fatal(err)
		}
	}
	set, err := b.Build(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	p := pprof.Diff(set.Source("baseline"), set.Source("incident"), pprof.Config{})
	more := map[string]int64{} // critical path by function
	for _, s := range p.Sample {
		more[s.Location[0].Line[0].Function.Name] += s.Value[0]
	}
	const query = "mysql SQL SELECT"
	for name, v := range more {
		if name != query && v > more[query]/100 {
			t.Errorf("%s has %d ns more, the query %d", name, v, more[query])
		}
	}
	if more[query] <= 0 {
		t.Errorf("the query has %d ns more", more[query])
	}
}
