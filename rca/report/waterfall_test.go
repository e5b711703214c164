package report_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/golden"
	"github.com/tracewhy/tracewhy/internal/tracetext"
	"github.com/tracewhy/tracewhy/rca"
	"github.com/tracewhy/tracewhy/rca/report"
)

// poolTraces are two payments: one that waited for a database connection in vain, and a healthy one.
const poolTraces = `
trace failing source=incident
gateway/POST /payments 0+2310 server error="deadline exceeded"
  gateway/authorize 4+2300 client error="deadline exceeded"
    card-auth/authorize 6+2290 server
      card-auth/limits 8+20 client
        limits/check 9+18 server
      card-auth/check 30+2250 client
        fraud-guard/check 31+2248 server error="no connection"
          fraud-guard/pool.acquire 433+1600 internal error=timeout
          fraud-guard/SELECT rules 2040+12 client
          fraud-guard/SELECT rules 2052+12 client
          fraud-guard/SELECT rules 2065+12 client
          fraud-guard/SELECT rules 2080+12 client
          fraud-guard/SELECT rules 2095+12 client
      card-auth/notify 31+100 producer
  gateway/audit 2305+? client
trace healthy source=baseline
gateway/POST /payments 0+112 server
  gateway/authorize 4+100 client
    card-auth/authorize 6+90 server
      card-auth/limits 8+20 client
        limits/check 9+18 server
      card-auth/check 30+50 client
        fraud-guard/check 31+48 server
          fraud-guard/pool.acquire 33+1 internal
          fraud-guard/SELECT rules 40+12 client
trace slower source=baseline
gateway/POST /payments 0+250 server
  gateway/authorize 4+240 client
trace other source=baseline
gateway/GET /balance 0+20 server
`

func traces(set *tracewhy.Set) []tracewhy.Trace {
	var list []tracewhy.Trace
	for t := range set.Traces() {
		list = append(list, t)
	}
	return list
}

func draw(t *testing.T, cfg report.Config, list ...tracewhy.Trace) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := report.Waterfall(&b, cfg, list...); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestWaterfall(t *testing.T) {
	set := tracetext.Set(poolTraces)
	list := traces(set)
	golden.Check(t, "waterfall.txt", draw(t, report.Config{}, list[0], list[1]))
	golden.Check(t, "waterfall-color.txt", draw(t, report.Config{Color: true}, list[0]))
	golden.Check(t, "waterfall-folded.txt", draw(t, report.Config{Rows: 9}, list[0]))
	golden.Check(t, "waterfall-wide.txt", draw(t, report.Config{Width: 120}, list[0]))

	var deep strings.Builder
	for i := range 60 {
		fmt.Fprintf(&deep, "%*ssvc%d/call 0+100\n", i, "", i/10)
	}
	fmt.Fprintf(&deep, "%*ssvc6/leaf 20+60\n", 60, "")
	golden.Check(t, "waterfall-deep.txt", draw(t, report.Config{Rows: 10}, tracetext.Trace(deep.String())))

	var wide strings.Builder
	wide.WriteString("shop/GET /cart 0+1000 server\n")
	for i := range 100 {
		fmt.Fprintf(&wide, "  shop/SELECT item %d+8\n", 10*i)
	}
	golden.Check(t, "waterfall-repeats.txt", draw(t, report.Config{}, tracetext.Trace(wide.String())))
}

// A report with its cohorts ends with the trace that shows the first cause, and the healthy trace that
// is most like it.
func TestTextWithExemplar(t *testing.T) {
	set := tracetext.Set(poolTraces)
	r := poolExhaustion()
	r.RootCauses[0].Evidence[0].TraceIDs = []string{"no id", "4bf92f3577b34da6a3ce929d0e0e4736", traces(set)[0].ID().String()}
	golden.Check(t, "exemplar.txt", render(t, r, report.Config{Baseline: set.Source("baseline"), Incident: set.Source("incident")}))
}

// However a trace is shaped, its picture stays within the limits, and every span is in a row of its own
// or counted.
func TestWaterfallFolds(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 150 {
		var text strings.Builder
		depth, n := 0, 1+r.IntN(120)
		narrow := r.IntN(8) // how deep it tends to go
		for range n {
			orphan := ""
			if depth > 0 && r.IntN(30) == 0 {
				orphan, depth = " orphan", 0
			}
			fmt.Fprintf(&text, "%ss%d/op%d %d+%d%s\n", strings.Repeat(" ", depth), r.IntN(3), r.IntN(3), r.IntN(100), r.IntN(60), orphan)
			if r.IntN(8) < narrow {
				depth++
			} else {
				depth = r.IntN(depth+1) + 1
			}
		}
		tr := tracetext.Trace(text.String())
		limit := 1 + r.IntN(40)
		out := draw(t, report.Config{Rows: limit}, tr)
		rows := strings.Split(string(out), "\n")
		rows = rows[2:] // the scale and the title
		rows = rows[:len(rows)-3]
		shown, counted, lines := 0, 0, 0
		for _, row := range rows {
			label := row[:min(len(row), 34)]
			if strings.HasPrefix(strings.TrimSpace(label), "^") {
				continue
			}
			lines++
			switch {
			case foldedRow.MatchString(label):
				m := foldedRow.FindStringSubmatch(label)
				spans := m[1]
				if m[3] != "" {
					spans = m[3]
				}
				counted += number(spans)
			case deeperRow.MatchString(label):
				m := deeperRow.FindStringSubmatch(label)
				spans := m[1]
				if m[2] != "" {
					spans = m[2]
				}
				counted += number("0" + spans)
			default:
				shown++
				if m := belowSpan.FindStringSubmatch(label); m != nil {
					counted += number(m[1])
				}
			}
		}
		if shown+counted != tr.NumSpans() || lines > max(limit, 2) {
			t.Fatalf("%d shown and %d counted of %d spans, %d lines of %d, in\n%s\nfor\n%s", shown, counted, tr.NumSpans(), lines, limit, out, text.String())
		}
	}
}

var (
	foldedRow = regexp.MustCompile(`^ *\+(\d+) more( like this| op\d)?(?:, (\d+) spans)?`)
	deeperRow = regexp.MustCompile(`… (?:(\d+) calls? )?deeper(?:, (\d+) spans?)?`)
	belowSpan = regexp.MustCompile(`op\d \+(\d+)`)
)

func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		panic(err)
	}
	return n
}

func TestWaterfallIsHarmless(t *testing.T) {
	for _, text := range hostile() {
		var b tracewhy.Builder
		for i := range 4 {
			s := tracewhy.SpanData{
				TraceID: tracetext.TraceID(1), SpanID: tracetext.SpanID(i + 1), Name: text, Start: uint64(1000 * (i + 1)), End: 1_000_000_000,
				Resource: &tracewhy.Resource{Attributes: []tracewhy.KeyValue{tracewhy.String("service.name", text)}},
			}
			if i > 0 {
				s.ParentSpanID = tracetext.SpanID(i)
			}
			b.Add(&s)
		}
		set, err := b.Build(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		out := draw(t, report.Config{}, traces(set)...)
		if bytes.ContainsFunc(out, forbidden) {
			t.Errorf("%q gets into the output", text)
		}
		if n := bytes.Count(out, []byte("\n")); n > 12 {
			t.Errorf("%.40q makes %d lines", text, n)
		}
	}
}

func TestHealthyTwinNeedsCohorts(t *testing.T) {
	set, other := tracetext.Set(poolTraces), tracetext.Set(poolTraces)
	r := poolExhaustion()
	plain := render(t, r, report.Config{})
	r.RootCauses[0].Evidence = []rca.Evidence{{Claim: "x", TraceIDs: []string{traces(set)[0].ID().String()}}}
	short := render(t, r, report.Config{})
	for name, tc := range map[string]struct {
		cfg  report.Config
		want bool
	}{
		"no cohorts":               {report.Config{}, false},
		"no baseline":              {report.Config{Incident: set.Source("incident")}, true},
		"baseline of another Set":  {report.Config{Incident: set.Source("incident"), Baseline: other.Source("baseline")}, true},
		"the trace is no incident": {report.Config{Incident: set.Source("baseline"), Baseline: set.Source("baseline")}, false},
	} {
		got := render(t, r, tc.cfg)
		if bytes.Equal(got, short) == tc.want || bytes.Contains(got, []byte("healthy")) {
			t.Errorf("%s: got\n%s", name, got)
		}
	}
	if len(plain) == 0 {
		t.Error("no text")
	}
}
