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

// payments writes traces of a shop whose card service declines some payments, and whose bank does not answer
// others, and returns the paths of three files of a hundred. Nothing fails on a calm day.
func payments(t *testing.T) (calm, baseline, incident string) {
	t.Helper()
	dir := t.TempDir()
	failures := map[string]int{"calm": 0, "baseline": 1, "incident": 10} // of either kind
	var text strings.Builder
	for _, side := range []string{"calm", "baseline", "incident"} {
		for i := range 100 {
			fails := i/10 < failures[side]
			fmt.Fprintf(&text, "trace %s%d source=%s at=%ds\n", side, i, side, i)
			switch {
			case fails && i%10 == 0:
				fmt.Fprintf(&text, "shop/POST /pay  0+%d server http.response.status_code=502\n", 40+i%7)
				fmt.Fprintf(&text, "  cards/charge  5+%d server error=\"limit of %d.%02d exceeded\" error.type=LimitError\n", 20+i%5, 100+i, i)
			case fails && i%10 == 5:
				fmt.Fprintf(&text, "shop/POST /pay  0+%d server http.response.status_code=504\n", 3005+i%7)
				fmt.Fprintf(&text, "  shop/transfer  5+3000 client peer.service=bank error=\"deadline exceeded\"\n")
			default:
				fmt.Fprintf(&text, "shop/POST /pay  0+%d server http.response.status_code=200\n  cards/charge  5+%d server\n", 40+i%7, 20+i%5)
			}
		}
	}
	set := tracetext.Set(text.String())
	for side := range failures {
		var b bytes.Buffer
		for tr := range set.Source(side).Traces() {
			if err := otlp.WriteJSON(&b, tr.Spans()); err != nil {
				t.Fatal(err)
			}
		}
		write(t, dir, side+".jsonl", b.String())
	}
	return filepath.Join(dir, "calm.jsonl"), filepath.Join(dir, "baseline.jsonl"), filepath.Join(dir, "incident.jsonl")
}

func TestModesGolden(t *testing.T) {
	calm, baseline, incident := payments(t)
	goldens(t, "modes", map[string][]string{
		"modes.txt":         {"-baseline", baseline, incident},
		"modes.json":        {"-baseline", baseline, "-format", "json", incident},
		"modes.alone.txt":   {incident},
		"modes.slow.txt":    {"-slow", "3s", incident},
		"modes.nothing.txt": {calm},
		"modes.demo.txt":    {demoFolder},
		"modes.help.txt":    {"-h"},
	})
}

func TestModesUsage(t *testing.T) {
	_, incident := shopFiles(t)
	rejects(t, "modes", []rejected{
		{nil, statusUsage, "name the traces"},
		{[]string{"-format", "xml", incident}, statusUsage, "xml"},
		{[]string{"-slow", "much", incident}, statusUsage, "much"},
		{[]string{"missing.jsonl"}, statusInput, "missing.jsonl"},
		{[]string{write(t, t.TempDir(), "empty.jsonl", "")}, statusInput, "empty.jsonl"},
	})
}

// Whatever there is, the JSON has its lists.
func TestModesOfNothingAsJSON(t *testing.T) {
	calm, _, _ := payments(t)
	got := execute(t, "", "modes", "-format", "json", calm)
	var m map[string]any
	if err := json.Unmarshal([]byte(got.stdout), &m); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"modes", "warnings"} {
		if list, ok := m[key].([]any); !ok || len(list) != 0 {
			t.Errorf("%s is %v", key, m[key])
		}
	}
}
