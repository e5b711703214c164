package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/tracewhy/tracewhy/ingest/otlp"
	"github.com/tracewhy/tracewhy/internal/tracetext"
)

// outage writes half an hour of traces of a shop whose store fails from minute 20 to 26, or never, and returns
// the path of the file.
func outage(t *testing.T, happens bool) string {
	t.Helper()
	var text strings.Builder
	for i := range 600 { // one in three seconds
		second := 3*i + i*i%3
		fails := happens && second >= 20*60 && second < 26*60 && i%3 != 0
		fmt.Fprintf(&text, "trace t%d at=%ds\n", i, second)
		if fails {
			fmt.Fprintf(&text, "shop/POST /pay  0+%d server http.response.status_code=500\n  store/SELECT  5+%d server error=\"disk full\"\n", 40+i%7, 10+i%5)
		} else {
			fmt.Fprintf(&text, "shop/POST /pay  0+%d server http.response.status_code=200\n  store/SELECT  5+%d server\n", 40+i%7, 20+i%5)
		}
	}
	var b bytes.Buffer
	for tr := range tracetext.Set(text.String()).Traces() {
		if err := otlp.WriteJSON(&b, tr.Spans()); err != nil {
			t.Fatal(err)
		}
	}
	return write(t, t.TempDir(), "recording.jsonl", b.String())
}

func TestTimelineGolden(t *testing.T) {
	goldens(t, "timeline", map[string][]string{
		"timeline.txt":       {outage(t, true)},
		"timeline.bin.txt":   {"-bin", "1m", "-width", "10", "-rows", "2", outage(t, true)},
		"timeline.quiet.txt": {outage(t, false)},
		"timeline.demo.txt":  {demoFolder},
		"timeline.help.txt":  {"-h"},
	})
}

func TestTimelineUsage(t *testing.T) {
	_, incident := shopFiles(t)
	rejects(t, "timeline", []rejected{
		{nil, statusUsage, "name the traces"},
		{[]string{"-bin", "-1s", incident}, statusUsage, "-1s"},
		{[]string{"-width", "0", incident}, statusUsage, "-width"},
		{[]string{"-rows", "-1", incident}, statusUsage, "-1"},
		{[]string{"missing.jsonl"}, statusInput, "missing.jsonl"},
		{[]string{write(t, t.TempDir(), "empty.jsonl", "")}, statusInput, "empty.jsonl"},
	})
}

// One recording holds the incident and better times.
func TestAnalyzeWithoutBaseline(t *testing.T) {
	for _, c := range []struct {
		happens          bool
		verdict, service string
	}{{true, "incident", "store"}, {false, "no_incident", ""}} {
		got := execute(t, "", "analyze", "-format", "json", outage(t, c.happens))
		var r struct {
			Verdict  string
			Causes   []struct{ Service string } `json:"root_causes"`
			Warnings []struct{ Code, Message string }
		}
		if err := json.Unmarshal([]byte(got.stdout), &r); err != nil {
			t.Fatal(err)
		}
		if r.Verdict != c.verdict || len(r.Causes) == 0 != (c.service == "") || c.service != "" && r.Causes[0].Service != c.service {
			t.Errorf("an outage: %t: %+v", c.happens, r)
		}
		said := false
		for _, w := range r.Warnings {
			said = said || w.Code == warningSplit && w.Message != ""
		}
		if !said {
			t.Errorf("it does not say what it took for better times: %+v", r.Warnings)
		}
	}
}
