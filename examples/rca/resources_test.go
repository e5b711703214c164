package main

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/tracewhy/tracewhy/ingest/otlp"
	"github.com/tracewhy/tracewhy/internal/tracetext"
)

// rush writes five minutes of traces of a shop whose ledger does one thing at a time, and is asked for more than that
// in the third, and returns the path of the file.
func rush(t *testing.T) string {
	t.Helper()
	var text strings.Builder
	at, free := 0, 0
	for i := range 2200 {
		every := 150
		if at > 120_000 && at < 180_000 {
			every = 80
		}
		at += every/2 + i*i*7919%every // as irregular as customers are
		work := 70 + i*31%50
		begin := max(at, free)
		free = begin + work
		fmt.Fprintf(&text, "trace t%d at=%d\nshop/POST /pay  0+%d server\n  ledger/post  1+%d server\n", i, at, free-at+2, free-at)
	}
	var b bytes.Buffer
	for tr := range tracetext.Set(text.String()).Traces() {
		if err := otlp.WriteJSON(&b, tr.Spans()); err != nil {
			t.Fatal(err)
		}
	}
	return write(t, t.TempDir(), "rush.jsonl", b.String())
}

const poolSize = `name,time,value,service,unit
pool.size,2024-01-01T00:00:05Z,10,ledger,connections
pool.size,2024-01-01T00:00:30Z,10,ledger,connections
pool.size,2024-01-01T00:01:00Z,10,ledger,connections
pool.size,2024-01-01T00:01:30Z,10,ledger,connections
pool.size,2024-01-01T00:01:40Z,10,ledger,connections
pool.size,2024-01-01T00:01:50Z,10,ledger,connections
pool.size,2024-01-01T00:02:00Z,4,ledger,connections
pool.size,2024-01-01T00:02:30Z,4,ledger,connections
pool.size,2024-01-01T00:03:00Z,4,ledger,connections
pool.size,2024-01-01T00:03:20Z,4,ledger,connections
pool.size,2024-01-01T00:03:30Z,4,ledger,connections
pool.size,2024-01-01T00:04:00Z,4,ledger,connections
"heap` + "\u202e" + `",2024-01-01T00:04:00Z,7,,
`

func TestResourcesGolden(t *testing.T) {
	goldens(t, "timeline", map[string][]string{
		"timeline.rush.txt": {"-signals", write(t, t.TempDir(), "pool.csv", poolSize), rush(t)},
	})
}

func TestSignalsUsage(t *testing.T) {
	_, incident := shopFiles(t)
	rejects(t, "timeline", []rejected{
		{[]string{"-signals", "missing.csv", incident}, statusInput, "missing.csv"},
		{[]string{"-signals", write(t, t.TempDir(), "bad.csv", "name,time,value\nx,1,y\n"), incident}, statusInput, `line 2: the value "y" is not a number`},
	})
}
