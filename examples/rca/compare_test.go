package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tracewhy/tracewhy/ingest/otlp"
	"github.com/tracewhy/tracewhy/internal/tracetext"
)

// mortgages writes traces of applications that fail where documents come as TIFF and at high volume, and
// returns the paths of a file of better times, in which the volume is low, and of the incident.
func mortgages(t *testing.T) (baseline, incident string) {
	t.Helper()
	dir := t.TempDir()
	var text strings.Builder
	for _, side := range []string{"baseline", "incident"} {
		for i := range 300 {
			format := []string{"pdf", "pdf", "tiff", "jpeg", "tiff"}[i%5]
			volume := []string{"low", "high"}[(i/5)%2]
			if side == "baseline" {
				volume = "low"
			}
			branch := 3 * (i % 7)
			fmt.Fprintf(&text, "trace %s%d source=%s at=%ds\n", side, i, side, i)
			status, rest := "200", "  documents/store  30+5 server\n"
			if format == "tiff" && volume == "high" {
				status, rest = "500", ""
			}
			fmt.Fprintf(&text, "loans/POST /applications  0+%d server http.response.status_code=%s volume.period=%s branch.id=b%d application=a%s%d\n", 40+i%7, status, volume, branch, side, i)
			if rest == "" {
				fmt.Fprintf(&text, "  documents/convert  5+20 server document.format=%s document.kind=%s error=\"out of memory\"\n", format, strings.ToUpper(format[:1]))
				continue
			}
			fmt.Fprintf(&text, "  documents/convert  5+20 server document.format=%s document.kind=%s\n%s", format, strings.ToUpper(format[:1]), rest)
		}
	}
	set := tracetext.Set(text.String())
	for _, side := range []string{"baseline", "incident"} {
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

func TestCompareGolden(t *testing.T) {
	baseline, incident := mortgages(t)
	goldens(t, "compare", map[string][]string{
		"compare.txt":            {incident},
		"compare.json":           {"-format", "json", "-rows", "3", incident},
		"compare.window.txt":     {"-by", "window", "-baseline", baseline, incident},
		"compare.selected.txt":   {"-where", "volume.period=high", "-rows", "4", incident},
		"compare.none.txt":       {baseline},
		"compare.executions.txt": {"-of", "convert", "-executions", incident},
		"compare.help.txt":       {"-h"},
	})
}

func TestCompareFindsTheCombination(t *testing.T) {
	_, incident := mortgages(t)
	got := execute(t, "", "compare", "-format", "json", incident)
	var d struct {
		Conjunctions struct {
			Findings []struct {
				Conditions []struct{ Key string }
				Coverage   float64
			}
		}
	}
	if err := json.Unmarshal([]byte(got.stdout), &d); err != nil {
		t.Fatal(err)
	}
	if f := d.Conjunctions.Findings; len(f) != 1 || len(f[0].Conditions) != 2 || f[0].Conditions[0].Key != "document.format" || f[0].Conditions[1].Key != "volume.period" || f[0].Coverage != 1 {
		t.Errorf("found %+v", f)
	}
}

func TestCompareUsage(t *testing.T) {
	baseline, incident := shopFiles(t)
	rejects(t, "compare", []rejected{
		{nil, statusUsage, "name the traces"},
		{[]string{"-format", "xml", incident}, statusUsage, "xml"},
		{[]string{"-by", "luck", incident}, statusUsage, "luck"},
		{[]string{"-by", "window", incident}, statusUsage, "-baseline"},
		{[]string{"-by", "window", "-failed", "-baseline", baseline, incident}, statusUsage, "all traces"},
		{[]string{"-baseline", baseline, incident}, statusUsage, "-by window"},
		{[]string{"-executions", incident}, statusUsage, "-of"},
		{[]string{"-executions", "-of", "x", "-failed", incident}, statusUsage, "-executions"},
		{[]string{"-slow", "2s", "-failed", incident}, statusUsage, "-slow"},
		{[]string{"-rows", "-1", incident}, statusUsage, "-1"},
		{[]string{"-where", "=", incident}, statusUsage, "KEY"},
		{[]string{"missing.jsonl"}, statusInput, "missing.jsonl"},
		{[]string{write(t, t.TempDir(), "empty.jsonl", "")}, statusInput, "empty.jsonl"},
	})
}
