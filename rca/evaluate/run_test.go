package evaluate

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/golden"
	"github.com/tracewhy/tracewhy/internal/stats"
	"github.com/tracewhy/tracewhy/rca"
)

// scripted is a ranker that gives a prepared answer to each case, which it knows by the number of its
// incident's traces.
func scripted(name string, answers []*Answer) Ranker {
	return Ranker{name, func(_ context.Context, q Question) (*Answer, error) {
		return answers[q.Incident.Len()-1], nil
	}}
}

// numbered returns a loader of a case whose incident has n traces.
func numbered(t testing.TB, n int, label Label) Loader {
	baseline, incident := cohorts(t, []span{shop(30, 20, 10)}, slices.Repeat([]span{shop(30, 20, 10)}, n))
	name := label.Case
	if name == "" {
		name = fmt.Sprintf("case-%d", n)
	}
	return func(context.Context) (*Case, error) {
		return &Case{Name: name, Set: incident.Set(), Baseline: baseline, Incident: incident, Label: label}, nil
	}
}

// claim is an answer that names causes in order, the first with a confidence.
func claim(verdict rca.Verdict, confidence float64, causes ...rca.RootCause) *Answer {
	r := &rca.Report{Verdict: verdict, RootCauses: causes}
	for i := range r.RootCauses {
		r.RootCauses[i].Confidence = rca.Number(confidence)
	}
	return answerOf(r)
}

func TestAnswerOf(t *testing.T) {
	a := answerOf(&rca.Report{Verdict: rca.VerdictNeedMore, RootCauses: []rca.RootCause{
		{Service: "db", Operation: "select"}, {Service: "web", Operation: "buy"}, {Service: "db", Operation: "insert"},
		{Service: "db", Operation: "select", Instance: "db-2"},
	}})
	if a.Verdict != rca.VerdictNeedMore {
		t.Errorf("verdict %q", a.Verdict)
	}
	if diff := cmp.Diff([]string{"db 1", "web 0.5"}, listed(a.Services)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"db select 1", "web buy 0.5", "db insert 0.3333"}, listed(a.Operations)); diff != "" {
		t.Error(diff)
	}
	if a.Services[0].Cause.Instance != "" {
		t.Error("a later cause replaced the first of its service")
	}
}

func TestOutcomeDetails(t *testing.T) {
	label := &Label{Incident: true, Causes: []Cause{{
		Services: []string{"db", "orm"}, Operations: []string{"select"},
		Conditions:  map[string]any{"region": "apac", "size": json.Number("5")},
		FaultDomain: "external", Vendor: "acme", ChangeID: "c1",
	}}}
	right := rca.RootCause{
		Service: "db", Operation: "select", FaultDomain: "external", Vendor: "acme", Change: &rca.ChangeRef{ID: "c1"},
		Conditions: []rca.Condition{{Key: "size", Op: tracewhy.OpEqual, Value: 5.0}, {Key: "region", Op: tracewhy.OpHas, Value: "apac"}},
	}
	yes, no := true, false
	for _, test := range []struct {
		name                        string
		change                      func(*rca.RootCause)
		conditions, domain, changed *bool
	}{
		{"all", func(*rca.RootCause) {}, &yes, &yes, &yes},
		{"one condition more", func(c *rca.RootCause) {
			c.Conditions = append(slices.Clone(c.Conditions), rca.Condition{Key: "x", Op: tracewhy.OpEqual, Value: true})
		}, &yes, &yes, &yes},
		{"two conditions more", func(c *rca.RootCause) {
			more := rca.Condition{Key: "x", Op: tracewhy.OpEqual, Value: true}
			c.Conditions = append(slices.Clone(c.Conditions), more, more)
		}, &no, &yes, &yes},
		{"one condition less", func(c *rca.RootCause) { c.Conditions = c.Conditions[:1] }, &no, &yes, &yes},
		{"another operator", func(c *rca.RootCause) {
			c.Conditions = slices.Clone(c.Conditions)
			c.Conditions[0].Op = tracewhy.OpNotEqual
		}, &no, &yes, &yes},
		{"another vendor", func(c *rca.RootCause) { c.Vendor = "other" }, &yes, &no, &yes},
		{"another domain", func(c *rca.RootCause) { c.FaultDomain = "internal" }, &yes, &no, &yes},
		{"no change", func(c *rca.RootCause) { c.Change = nil }, &yes, &yes, &no},
		{"another service", func(c *rca.RootCause) { c.Service = "web" }, &no, &no, &no},
	} {
		t.Run(test.name, func(t *testing.T) {
			cause := right
			test.change(&cause)
			o := outcome("r", claim(rca.VerdictIncident, 0.9, cause), label)
			if diff := cmp.Diff([]*bool{test.conditions, test.domain, test.changed}, []*bool{o.Conditions, o.FaultDomain, o.Change}); diff != "" {
				t.Error(diff)
			}
		})
	}
	o := outcome("r", claim(rca.VerdictIncident, 0.9, right), &Label{Incident: true, Causes: []Cause{{Services: []string{"db"}}}})
	if o.Conditions != nil || o.ConditionsAlone != nil || o.FaultDomain != nil || o.Change != nil {
		t.Errorf("%+v: the label does not say", o)
	}
	if o.Unfounded == nil || !*o.Unfounded {
		t.Error("conditions of a label without any are founded")
	}
	right.Service = "web"
	o = outcome("r", claim(rca.VerdictIncident, 0.9, right), label)
	if *o.Conditions || !*o.ConditionsAlone || o.Unfounded != nil {
		t.Errorf("%+v: the conditions are right of another service", o)
	}
}

// A label's list is met as a whole or part by part, and text with commas is one, as it is for conditions.
func TestConditionsOfLists(t *testing.T) {
	has := func(v string) rca.Condition { return rca.Condition{Key: "formats", Op: tracewhy.OpHas, Value: v} }
	high := rca.Condition{Key: "volume", Op: tracewhy.OpEqual, Value: "high"}
	more := rca.Condition{Key: "x", Op: tracewhy.OpEqual, Value: true}
	whole := rca.Condition{Key: "formats", Op: tracewhy.OpEqual, Value: "pdf,tiff"}
	for _, test := range []struct {
		name string
		said []rca.Condition
		want bool
	}{
		{"part by part", []rca.Condition{high, has("tiff"), has("pdf")}, true},
		{"and one more", []rca.Condition{high, has("tiff"), has("pdf"), more}, true},
		{"and two more", []rca.Condition{high, has("tiff"), has("pdf"), more, more}, false},
		{"one part", []rca.Condition{high, has("pdf")}, false},
		{"without the volume", []rca.Condition{has("tiff"), has("pdf")}, false},
	} {
		for _, truth := range []any{"pdf,tiff", "tiff, pdf", []any{"pdf", "tiff"}} {
			if got := conditionsMatch(test.said, map[string]any{"formats": truth, "volume": "high"}); got != test.want {
				t.Errorf("%s of %v: %v", test.name, truth, got)
			}
		}
	}
	truth := map[string]any{"formats": "pdf,tiff"}
	if !conditionsMatch([]rca.Condition{whole, more}, truth) || conditionsMatch([]rca.Condition{whole, more, more}, truth) {
		t.Error("the whole text counts as one condition")
	}
}

// exampleCases are six labelled cases with what a ranker says of them.
func exampleCases(t testing.TB) ([]Loader, []*Answer) {
	db := rca.RootCause{Service: "db", Operation: "select", FaultDomain: "internal"}
	web := rca.RootCause{Service: "web", Operation: "buy", FaultDomain: "internal"}
	dbLabel := []Cause{{Services: []string{"db"}, Operations: []string{"select"}, FaultDomain: "internal"}}
	var loaders []Loader
	var answers []*Answer
	add := func(label Label, a *Answer) {
		answers = append(answers, a)
		loaders = append(loaders, numbered(t, len(answers), label))
	}
	add(Label{Incident: true, Dataset: "shop", Scenario: "checkout", FaultType: "delay", Causes: dbLabel}, claim(rca.VerdictIncident, 0.9, db, web))
	add(Label{Incident: true, Dataset: "shop", Scenario: "checkout", FaultType: "delay", Causes: dbLabel}, claim(rca.VerdictIncident, 0.85, web, db))
	add(Label{Incident: true, Dataset: "shop", FaultType: "errors", Causes: dbLabel}, claim(rca.VerdictNeedMore, 0.4, db, web))
	add(Label{Dataset: "shop", Scenario: "calm"}, claim(rca.VerdictNoIncident, 0))
	add(Label{Dataset: "shop", Scenario: "calm"}, claim(rca.VerdictNeedMore, 0.2, web))
	add(Label{Incident: true, Scenario: "bank", Causes: []Cause{{Services: []string{"ledger", "db"}}}},
		claim(rca.VerdictIncident, 0.6, db))
	return loaders, answers
}

func TestRun(t *testing.T) {
	cases, answers := exampleCases(t)
	r, err := Run(context.Background(), cases, []Ranker{scripted("oracle", answers)}, Config{})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, g := range r.Groups {
		names = append(names, fmt.Sprintf("%s %d+%d", g.Name, g.Incidents, g.Quiet))
	}
	if want := []string{"bank 1+0", "shop 3+2", "all 4+2"}; !slices.Equal(names, want) {
		t.Fatalf("groups %v, want %v", names, want)
	}
	shop := r.Groups[1].Scores[0]
	var kinds []string
	for _, k := range r.Groups[1].Kinds {
		kinds = append(kinds, fmt.Sprintf("%s %d+%d", k.Name, k.Incidents, k.Quiet))
	}
	hits := func(p Proportion) string { return fmt.Sprintf("%g of %d", p.Hits, p.Of) }
	for _, x := range []struct {
		what, got, want string
	}{
		{"coverage", hits(shop.Coverage), "2 of 3"},
		{"AC@1, an abstention being a miss", hits(shop.Services.AC[0]), "1 of 3"},
		{"AC@3", hits(shop.Services.AC[2]), "2 of 3"},
		{"MRR", fmt.Sprint(float64(shop.Services.MRR)), "0.5"},
		{"AC@1 as listed", hits(shop.Listed.AC[0]), "2 of 3"},
		{"AC@1 of operations", hits(shop.Operations.AC[0]), "1 of 3"},
		{"fault domain", hits(shop.FaultDomain), "2 of 3"},
		{"conditions", hits(shop.Conditions), "0 of 0"},
		{"false alarms", hits(shop.FalseAlarms), "1 of 2"},
		{"detection", fmt.Sprint(shop.Detection), "{2 0 1 2}"},
		{"forecasts", fmt.Sprint(shop.Calibration.Forecasts, shop.Calibration.Right), "4 2"},
		{"false confidence", hits(shop.Calibration.FalselyConfident), "1 of 2"},
		{"kinds", strings.Join(kinds, ", "), "calm 0+2, checkout delay 2+0, errors 1+0"},
	} {
		if x.got != x.want {
			t.Errorf("%s: %s, want %s", x.what, x.got, x.want)
		}
	}
}

func encode(t testing.TB, r *Result) string {
	t.Helper()
	var text bytes.Buffer
	if err := r.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return text.String() + string(b)
}

func TestRunIsTheSameWithAnyNumberOfWorkers(t *testing.T) {
	var cases []Loader
	for seed := range uint64(6) {
		baseline, incident := cohorts(t, randomTraces(2*seed, 30, false), randomTraces(2*seed+1, 30, true))
		label := Label{Incident: true, Dataset: fmt.Sprint("set ", seed%2), Causes: []Cause{{Services: []string{"price"}}}}
		cases = append(cases, func(context.Context) (*Case, error) {
			time.Sleep(time.Duration(seed%3) * time.Millisecond) // so that cases end in another order
			return &Case{Name: fmt.Sprint(seed), Set: incident.Set(), Baseline: baseline, Incident: incident, Label: label}, nil
		})
	}
	var want string
	for _, workers := range []int{1, 2, 8} {
		calls := 0
		r, err := Run(context.Background(), cases, slices.Concat(Naive(), Published()), Config{
			Workers: workers,
			Done: func(done, total int) {
				calls++
				if done != calls || total != len(cases) {
					t.Errorf("call %d of Done says %d of %d", calls, done, total)
				}
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		got := encode(t, r)
		if want == "" {
			want = got
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%d workers: %s", workers, diff)
		}
	}
}

func TestRunFails(t *testing.T) {
	cases, answers := exampleCases(t)
	broken := errors.New("broken")
	fails := func(context.Context) (*Case, error) { return nil, broken }
	ranker := scripted("oracle", answers)
	if _, err := Run(context.Background(), append(slices.Clone(cases), fails), []Ranker{ranker}, Config{}); !errors.Is(err, broken) {
		t.Errorf("error %v, want that of the case", err)
	}
	bad := Ranker{"bad", func(context.Context, Question) (*Answer, error) { return nil, broken }}
	if _, err := Run(context.Background(), cases, []Ranker{ranker, bad}, Config{}); err == nil || err.Error() != "case-1: bad: broken" {
		t.Errorf("error %v, want that of the first case", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Run(ctx, cases, []Ranker{ranker}, Config{}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want that of the context", err)
	}
	r, err := Run(context.Background(), nil, nil, Config{})
	if err != nil {
		t.Fatal(err)
	}
	if text := encode(t, r); strings.Contains(text, "null") {
		t.Errorf("no cases give %s", text)
	}
}

func TestRankersStopWhenCancelled(t *testing.T) {
	baseline, incident := cohorts(t, randomTraces(1, 5, false), randomTraces(2, 5, true))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, r := range slices.Concat(Naive(), Published()) {
		if _, err := r.Rank(ctx, Question{Baseline: baseline, Incident: incident}); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: error %v", r.Name, err)
		}
	}
}

func TestRankersOnNothing(t *testing.T) {
	for _, r := range slices.Concat(Naive(), Published()) {
		a, err := r.Rank(context.Background(), Question{})
		if err != nil || len(a.Services) > 0 || a.Verdict != rca.VerdictNoIncident {
			t.Errorf("%s without traces: %+v, %v", r.Name, a, err)
		}
		baseline, incident := cohorts(t, nil, randomTraces(1, 5, true))
		if _, err := r.Rank(context.Background(), Question{Baseline: baseline, Incident: incident}); err != nil {
			t.Errorf("%s without a baseline: %v", r.Name, err)
		}
	}
}

// unknowns makes unknown numbers equal to each other.
var unknowns = cmp.Comparer(func(a, b rca.Number) bool { return a == b || !a.IsKnown() && !b.IsKnown() })

// The order of spans changes nothing, and neither do names: renaming services and operations renames
// the answers.
func TestRankersInvariance(t *testing.T) {
	rename := map[string]string{
		"web": "zeta", "cart": "alpha", "stock": "omega", "price": "beta", "bank": "yps", "mail": "aaa",
		"work": "rest", "rest": "work",
	}
	for seed := range uint64(3) {
		plain := append(spans("baseline", 1, randomTraces(2*seed, 40, false)), spans("incident", 1000, randomTraces(2*seed+1, 40, true))...)
		shuffled := slices.Clone(plain)
		rand := stats.NewRand(seed, stats.Key("shuffle"))
		for i := range shuffled {
			j := i + rand.IntN(len(shuffled)-i)
			shuffled[i], shuffled[j] = shuffled[j], shuffled[i]
		}
		renamed := slices.Clone(shuffled)
		for i := range renamed {
			renamed[i].Name = rename[renamed[i].Name]
			service := renamed[i].Resource.Attributes[0].Value.Str()
			renamed[i].Resource = &tracewhy.Resource{Attributes: []tracewhy.KeyValue{tracewhy.String("service.name", rename[service])}}
		}
		for _, r := range slices.Concat(Naive(), Published()) {
			answer := func(data []tracewhy.SpanData) [][]Suspect {
				baseline, incident := build(t, data)
				a, err := r.Rank(context.Background(), Question{Baseline: baseline, Incident: incident})
				if err != nil {
					t.Fatal(err)
				}
				return [][]Suspect{a.Services, a.Operations}
			}
			want := answer(plain)
			if len(want[0]) == 0 {
				t.Errorf("%s, seed %d: an empty answer proves nothing", r.Name, seed)
			}
			if diff := cmp.Diff(want, answer(shuffled), unknowns); diff != "" {
				t.Errorf("%s, seed %d: shuffled: %s", r.Name, seed, diff)
			}
			for _, suspects := range want {
				for i := range suspects {
					suspects[i].Service = rename[suspects[i].Service]
					suspects[i].Operation = rename[suspects[i].Operation]
				}
			}
			if diff := cmp.Diff(want, answer(renamed), unknowns); diff != "" {
				t.Errorf("%s, seed %d: renamed: %s", r.Name, seed, diff)
			}
		}
	}
}

func TestWriteTextGolden(t *testing.T) {
	cases, answers := exampleCases(t)
	long := Label{
		Incident: true, Dataset: "a-dataset-with-a-very-long-name-that-goes-on", FaultType: "a-fault-type-with-a-long-name-as-well",
		Case: "a-case-with-a-name-that-is-longer-than-a-column-of-this-table-could-be",
		Causes: []Cause{
			{Services: []string{"a-service-with-a-long-name", "another"}, Conditions: map[string]any{"region": "apac"}},
			{Services: []string{"third"}},
		},
	}
	cases = append(cases, numbered(t, len(answers)+1, long))
	answers = append(answers, claim(rca.VerdictIncident, 0.1, rca.RootCause{
		Service: "the-service-that-it-was-said-to-be", Operation: "an operation with a long name, which is cut",
		Conditions: []rca.Condition{{Key: "region", Op: tracewhy.OpEqual, Value: "apac"}},
	}))
	silent := slices.Repeat([]*Answer{nil}, len(answers))
	r, err := Run(context.Background(), cases, []Ranker{byTraces("chance", rankByChance), scripted("silent", silent), scripted("oracle", answers)}, Config{})
	if err != nil {
		t.Fatal(err)
	}
	var got bytes.Buffer
	if err := r.WriteText(&got); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(got.String()) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > textWidth {
			t.Errorf("%d columns: %s", n, line)
		}
	}
	golden.Check(t, "result.golden", got.Bytes())
}

// Labels and span names come from outside: none of it may reach a terminal as a control character.
func TestWriteTextEscapes(t *testing.T) {
	const evil = "x\x1b[31m\u202e\u0085\n\x00\xff"
	a := claim(rca.VerdictIncident, 0.5, rca.RootCause{Service: evil, Operation: evil})
	label := Label{Incident: true, Dataset: evil, FaultType: evil, Case: evil, Causes: []Cause{{Services: []string{evil + "2"}}}}
	r, err := Run(context.Background(), []Loader{numbered(t, 1, label), numbered(t, 1, Label{Dataset: "b"})}, []Ranker{scripted(evil, []*Answer{a})}, Config{})
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	if err := r.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	for _, c := range text.String() {
		if c < ' ' && c != '\n' || c >= 0x7f && c < 0xa0 || c == 0x202e || c == utf8.RuneError {
			t.Fatalf("%q is in %q", c, text.String())
		}
	}
	if strings.Count(text.String(), `\x1b`) < 6 {
		t.Errorf("names are missing from %s", text.String())
	}
}

func TestWriteTextCountsWhatItLeavesOut(t *testing.T) {
	a := claim(rca.VerdictIncident, 0.5, rca.RootCause{Service: "web"})
	one := numbered(t, 1, Label{Incident: true, Causes: []Cause{{Services: []string{"db"}}}})
	r, err := Run(context.Background(), slices.Repeat([]Loader{one}, maxMisses+7), []Ranker{scripted("wrong", []*Answer{a})}, Config{})
	if err != nil {
		t.Fatal(err)
	}
	text := encode(t, r)
	if n := strings.Count(text[:strings.Index(text, "{")], "\ncase-1 "); n != maxMisses || !strings.Contains(text, "and 7 more\n") {
		t.Errorf("%d lines of %d misses", n, maxMisses+7)
	}
}

func BenchmarkRankers(b *testing.B) {
	baseline, incident := cohorts(b, randomTraces(1, 500, false), randomTraces(2, 500, true))
	spans := baseline.NumSpans() + incident.NumSpans()
	for _, r := range slices.Concat(Naive(), Published()) {
		b.Run(strings.ReplaceAll(r.Name, " ", "-"), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := r.Rank(context.Background(), Question{Baseline: baseline, Incident: incident}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(spans), "ns/span")
		})
	}
}
