package perfetto_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/scenario"
	"github.com/tracewhy/tracewhy/internal/tracetext"
)

// event has all members that events of a file may have.
type event struct {
	Phase   string          `json:"ph"`
	Time    json.Number     `json:"ts"`
	Length  json.Number     `json:"dur"`
	Scope   string          `json:"s"`
	PID     int             `json:"pid"`
	TID     int             `json:"tid"`
	Name    string          `json:"name"`
	Cat     string          `json:"cat"`
	Color   string          `json:"cname"`
	BindID  string          `json:"bind_id"`
	FlowIn  bool            `json:"flow_in"`
	FlowOut bool            `json:"flow_out"`
	ID      string          `json:"id"`
	Bind    string          `json:"bp"`
	Args    json.RawMessage `json:"args"`

	at, dur int64  // in nanoseconds
	span    string // what the slice is of, as "trace id/span id"
	parent  string
}

func (e *event) end() int64 { return e.at + e.dur }

// nanos reads microseconds, and sees that viewers that do it in floating point get the same.
func nanos(t *testing.T, n json.Number) int64 {
	t.Helper()
	whole, frac, _ := strings.Cut(string(n), ".")
	if len(frac) > 3 {
		t.Fatalf("%s has more than nanoseconds", n)
	}
	ns, err := strconv.ParseInt(whole+(frac + "000")[:3], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	if f, err := n.Float64(); err != nil || int64(math.Round(f*1000)) != ns {
		t.Fatalf("%s is another number in floating point: %v", n, err)
	}
	return ns
}

// viewer is what a file looks like to Perfetto: it reads as src/trace_processor/importers does.
type viewer struct {
	spans     map[string]*event // slices and moments, by span
	sections  map[string]int64  // time on critical paths, by span
	arrows    [][2][]string     // from and to, each the spans that could be meant
	processes map[int]string
	base      int64
}

func view(t *testing.T, file []byte) *viewer {
	t.Helper()
	var doc struct {
		Events []*event       `json:"traceEvents"`
		Other  map[string]any `json:"otherData"`
	}
	dec := json.NewDecoder(bytes.NewReader(file))
	dec.UseNumber()
	dec.DisallowUnknownFields()
	if err := dec.Decode(&doc); err != nil {
		t.Fatal(err)
	}
	v := &viewer{spans: map[string]*event{}, sections: map[string]int64{}, processes: map[int]string{}}
	base, err := strconv.ParseInt(doc.Other["start_unix_ns"].(string), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	v.base = base
	threads := map[int]int{} // the process of each
	for _, e := range doc.Events {
		e.at = nanos(t, e.Time)
		if e.Length != "" {
			e.dur = nanos(t, e.Length)
		}
		if e.at < 0 || e.dur < 0 || e.PID == 0 || e.Name == "" {
			t.Fatalf("a malformed event: %+v", e)
		}
		if e.Phase == "M" {
			var args struct{ Name string }
			if err := json.Unmarshal(e.Args, &args); err != nil {
				t.Fatal(err)
			}
			switch e.Name {
			case "process_name":
				v.processes[e.PID] = args.Name
			case "thread_name":
				if _, ok := threads[e.TID]; ok {
					t.Fatalf("two threads have number %d", e.TID)
				}
				threads[e.TID] = e.PID
			}
			continue
		}
		if pid, ok := threads[e.TID]; !ok || pid != e.PID || v.processes[pid] == "" {
			t.Fatalf("thread %d of process %d was not announced", e.TID, e.PID)
		}
	}
	key := func(e *event) int64 { // longer slices first, then all else
		if e.Phase == "X" {
			return -e.dur
		}
		return 1
	}
	slices.SortStableFunc(doc.Events, func(a, b *event) int {
		switch {
		case a.at != b.at && a.at < b.at, a.at == b.at && key(a) < key(b):
			return -1
		case a.at == b.at && key(a) == key(b):
			return 0
		}
		return 1
	})
	stacks := map[int][]*event{}
	begun := map[string][]string{} // the beginnings of arrows
	begin := func(id string, from []string) {
		if begun[id] != nil {
			t.Fatalf("two arrows begin as %s", id)
		}
		begun[id] = from
	}
	finish := func(id string, to []string) {
		if begun[id] == nil {
			t.Fatalf("the arrow %s ends before it begins", id)
		}
		v.arrows = append(v.arrows, [2][]string{begun[id], to})
	}
	for _, e := range doc.Events {
		switch e.Phase {
		case "M":
		case "X", "i":
			stack := stacks[e.TID]
			for len(stack) > 0 && stack[len(stack)-1].end() <= e.at {
				stack = stack[:len(stack)-1]
			}
			var above *event
			if len(stack) > 0 {
				above = stack[len(stack)-1]
				if above.end() < e.end() {
					t.Fatalf("%s overlaps %s on thread %d", e.Name, above.Name, e.TID)
				}
			}
			stacks[e.TID] = append(stack, e)
			v.add(t, e, above)
			if e.BindID != "" && e.FlowOut == e.FlowIn {
				t.Fatalf("%s has an arrow without a direction", e.Name)
			}
			if e.FlowOut {
				begin(e.BindID, []string{e.span})
			} else if e.FlowIn {
				finish(e.BindID, []string{e.span})
			}
		case "s", "f":
			var at []string
			for _, slice := range slices.Backward(stacks[e.TID]) {
				if slice.at == e.at {
					at = append(at, slice.span)
				}
			}
			if id := e.Cat + e.Name + e.ID; e.Phase == "s" {
				begin(id, at)
			} else if finish(id, at); e.Bind != "e" {
				t.Fatalf("an arrow leads to the next slice: %+v", e)
			}
		default:
			t.Fatalf("an event of phase %q", e.Phase)
		}
	}
	return v
}

// add takes note of a slice that lies in another one, or in none.
func (v *viewer) add(t *testing.T, e, above *event) {
	t.Helper()
	var args struct {
		TraceID  string `json:"trace_id"`
		SpanID   string `json:"span_id"`
		ParentID string `json:"parent_id"`
	}
	if err := json.Unmarshal(e.Args, &args); err != nil {
		t.Fatal(err)
	}
	switch e.Cat {
	case "trace":
		if above != nil {
			t.Fatalf("a trace lies in %s", above.Name)
		}
		e.span = args.TraceID
		return
	case "critical":
		if above == nil || above.Cat != "trace" {
			t.Fatalf("the section %s lies in %+v, which is no trace", e.Name, above)
		}
		v.sections[above.span+"/"+args.SpanID] += e.dur
		return
	}
	e.span, e.parent = args.TraceID+"/"+args.SpanID, args.TraceID+"/"+args.ParentID
	if e.Phase == "X" && above != nil && above.span != e.parent {
		t.Fatalf("%s (%s) lies in %s (%s), which is not its parent %s", e.Name, e.span, above.Name, above.span, e.parent)
	}
	if v.spans[e.span] != nil {
		t.Fatalf("%s is there twice", e.span)
	}
	v.spans[e.span] = e
}

func spanName(s tracewhy.Span) string {
	return s.Trace().RecordedID().String() + "/" + s.RecordedID().String()
}

// check draws a cohort and holds what Perfetto makes of it against the Set.
func check(t *testing.T, c tracewhy.Cohort) {
	t.Helper()
	file, stats := write(t, c)
	v := view(t, file)
	if len(v.spans) != stats.Slices+stats.Moments || c.NumSpans() != len(v.spans)+stats.Omitted {
		t.Fatalf("%d spans are drawn of %d: %+v", len(v.spans), c.NumSpans(), stats)
	}
	var wanted [][2]string
	for tr := range c.Traces() {
		critical := map[string]int64{}
		for _, section := range tr.CriticalPath() {
			critical[spanName(section.Span)] += int64(section.Duration())
		}
		for s := range tr.Spans() {
			e := v.spans[spanName(s)]
			if e == nil {
				if !s.Start().IsZero() {
					t.Fatalf("%s has a start and is not drawn", spanName(s))
				}
				continue
			}
			if start, end, ok := s.Interval(); ok != (e.Phase == "X") || ok && (start != v.base+e.at || end != v.base+e.end()) {
				t.Fatalf("%s is drawn as %+v", spanName(s), e)
			}
			if v.sections[spanName(s)] != critical[spanName(s)] || strings.Contains(e.Cat, "critical") != (critical[spanName(s)] > 0) {
				t.Fatalf("%s has %d ns of the critical path, want %d", spanName(s), v.sections[spanName(s)], critical[spanName(s)])
			}
			if strings.Contains(e.Cat, "failed") != s.Failed() {
				t.Fatalf("%s failed: %v, and has categories %s", spanName(s), s.Failed(), e.Cat)
			}
			if p, ok := s.Parent(); ok && (p.Service() != s.Service() || p.Instance() != s.Instance()) && v.spans[spanName(p)] != nil {
				wanted = append(wanted, [2]string{spanName(p), spanName(s)})
			}
			for l := range s.Links() {
				to := l.TraceID.String() + "/" + l.SpanID.String()
				if v.spans[to] != nil && to != spanName(s) {
					wanted = append(wanted, [2]string{to, spanName(s)})
				}
			}
		}
	}
	if len(v.arrows) != len(wanted) {
		t.Fatalf("%d arrows, want %d", len(v.arrows), len(wanted))
	}
	for _, w := range wanted {
		at := slices.IndexFunc(v.arrows, func(a [2][]string) bool {
			return slices.Contains(a[0], w[0]) && slices.Contains(a[1], w[1]) ||
				slices.Contains(a[0], w[1]) && slices.Contains(a[1], w[0]) && v.spans[w[1]].at <= v.spans[w[0]].at
		})
		if at < 0 {
			t.Fatalf("no arrow leads from %s to %s", w[0], w[1])
		}
	}
}

func TestWhatPerfettoSees(t *testing.T) {
	check(t, tracetext.Set(shop).All())
	demo := tracewhy.SetOf(scenario.Demo().Incident...)
	check(t, demo.All())
}

// Small traces with few different times, in which all that can go wrong does so often.
func TestWhatPerfettoSeesOfOddTraces(t *testing.T) {
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 1))
		set := tracewhy.SetOf(oddSpans(rng)...)
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			check(t, set.All())
			check(t, set.Select(func(tr tracewhy.Trace) bool { return tr.Index()%2 == 0 }))
		})
	}
}

func oddSpans(rng *rand.Rand) []tracewhy.SpanData {
	resources := []*tracewhy.Resource{
		{Attributes: []tracewhy.KeyValue{tracewhy.String("service.name", "a")}},
		{Attributes: []tracewhy.KeyValue{tracewhy.String("service.name", "a"), tracewhy.String("host.name", "h")}},
		{Attributes: []tracewhy.KeyValue{tracewhy.String("service.name", "b"), tracewhy.Float("load", math.Inf(1))}},
	}
	const epoch = 1_700_000_000_000_000_123
	var spans []tracewhy.SpanData
	for trace := range 1 + rng.IntN(4) {
		for i := range 1 + rng.IntN(9) {
			s := tracewhy.SpanData{
				TraceID: tracewhy.TraceID{0: 1, 15: byte(trace + 1)}, SpanID: tracewhy.SpanID{7: byte(i + 1)},
				Name: string(rune('a' + i)), Kind: tracewhy.Kind(rng.IntN(6)), Status: tracewhy.StatusCode(rng.IntN(3)),
				Resource: resources[rng.IntN(len(resources))],
				Start:    epoch + uint64(rng.IntN(8)),
			}
			s.End = s.Start + uint64(rng.IntN(6))
			if i > 0 {
				s.ParentSpanID = tracewhy.SpanID{7: byte(1 + rng.IntN(i))}
			}
			switch rng.IntN(12) {
			case 0:
				s.Start = 0
			case 1:
				s.End = 0
			case 2:
				s.Start, s.End = 0, 0
			case 3:
				s.End = s.Start - 1
			case 4:
				s.ParentSpanID = tracewhy.SpanID{7: 99}
			}
			if rng.IntN(4) == 0 {
				s.Links = []tracewhy.Link{{TraceID: tracewhy.TraceID{0: 1, 15: byte(1 + rng.IntN(4))}, SpanID: tracewhy.SpanID{7: byte(1 + rng.IntN(9))}}}
			}
			spans = append(spans, s)
		}
	}
	return spans
}
