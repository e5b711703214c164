package pprof_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/pprof/profile"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/export/pprof"
	"github.com/tracewhy/tracewhy/internal/tracetext"
)

var update = flag.Bool("update", false, "rewrite the golden files")

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

// golden compares text with a file in testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("differs from %s (-want +got):\n%s", file, d)
	}
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
		golden(t, name, read.String())
	}
}
