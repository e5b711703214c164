package depgraph_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/depgraph"
	"github.com/tracewhy/tracewhy/internal/tracetext"
)

// everything returns the results of all analyses as one text.
func everything(t testing.TB, set *tracewhy.Set, cfg depgraph.Config) string {
	t.Helper()
	ctx, b, i := context.Background(), set.Source("baseline"), set.Source("incident")
	g, err := depgraph.Build(ctx, set.All(), cfg)
	results := []any{g}
	for _, f := range []func() (any, error){
		func() (any, error) { return depgraph.Influence(ctx, set.All(), cfg) },
		func() (any, error) { return depgraph.Audit(ctx, set.All(), cfg) },
		func() (any, error) { return depgraph.Scorecards(ctx, b, i, cfg) },
		func() (any, error) { return depgraph.FaultDomain(ctx, b, i, cfg) },
	} {
		if err != nil {
			t.Fatal(err)
		}
		var r any
		r, err = f()
		results = append(results, r)
	}
	if err != nil {
		t.Fatal(err)
	}
	out, err := json.MarshalIndent(results, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(out) + g.Mermaid(depgraph.DrawConfig{}) + g.DOT(depgraph.DrawConfig{Operations: true})
}

// mixed is a world with something of all that the analyses look at.
func mixed(weight float64, rename func(string) string) []tracewhy.SpanData {
	b := world(1, "baseline", window{traces: 120, poolSpan: true, weight: weight, rename: rename})
	i := world(1, "incident", window{traces: 120, poolSpan: true, bureauSlow: 50, bureauFail: 0.2, poolFail: 0.05, weight: weight, rename: rename})
	return slices.Concat(b, i)
}

func TestOrderAndWorkersDoNotMatter(t *testing.T) {
	spans := mixed(0, nil)
	want := everything(t, tracewhy.SetOf(spans...), depgraph.Config{Workers: 1})
	for n := range spans {
		k := (n*7919 + 13) % len(spans)
		spans[n], spans[k] = spans[k], spans[n]
	}
	if got := everything(t, tracewhy.SetOf(spans...), depgraph.Config{Workers: 3}); got != want {
		t.Error("the order of spans, or the number of workers, shows in the result")
	}
}

// What things are called does not matter, but for the order of lists and what names say by themselves.
func TestNamesDoNotMatter(t *testing.T) {
	plain := judge(t, tracewhy.SetOf(mixed(0, nil)...), depgraph.Config{})
	other := judge(t, tracewhy.SetOf(mixed(0, func(s string) string { return "x" + s + "y.com" })...), depgraph.Config{})
	if plain.Domain != depgraph.DomainExternal || other.Domain != plain.Domain || other.Name != "x"+plain.Name+"y.com" || other.Excess != plain.Excess {
		t.Errorf("got %+v for other names of %+v", other, plain)
	}
}

// Equal weights change totals, and nothing else.
func TestEqualWeights(t *testing.T) {
	one, ten := tracewhy.SetOf(mixed(0, nil)...), tracewhy.SetOf(mixed(10, nil)...)
	g1, g10 := build(t, one, depgraph.Config{}), build(t, ten, depgraph.Config{})
	for i, n := range g1.Nodes {
		m := g10.Nodes[i]
		if m.Calls.Weight != 10*n.Calls.Weight {
			t.Errorf("%s: weight %v, want 10 times %v", n.ID, m.Calls.Weight, n.Calls.Weight)
		}
		if a, b := m.Calls.Errors.String(), n.Calls.Errors.String(); a != b {
			t.Errorf("%s: errors %s, want %s", n.ID, a, b)
		}
		if a, b := m.Calls.P50.String(), n.Calls.P50.String(); a != b {
			t.Errorf("%s: p50 %s, want %s", n.ID, a, b)
		}
	}
	if a, b := judge(t, one, depgraph.Config{}), judge(t, ten, depgraph.Config{}); a.Domain != b.Domain || a.Excess.String() != b.Excess.String() {
		t.Errorf("got %+v, want %+v", b, a)
	}
}

// A trace that stands for others counts as many times, and is still one.
func TestUnequalWeights(t *testing.T) {
	b := slices.Concat(world(1, "a", window{traces: 100}), world(2, "b", window{traces: 100, bureauFail: 1, weight: 9}))
	e := node(t, build(t, tracewhy.SetOf(b...), depgraph.Config{}), "dependency:CreditBureau").Calls.Errors
	if e.Value < 0.899 || e.Value > 0.901 {
		t.Errorf("errors %v, want 0.9", e)
	}
	if width := e.High - e.Low; width < 0.02 || width > 0.2 {
		t.Errorf("errors %v: too sure, or not sure enough, for 100 traces that say so", e)
	}
}

// Names are anybody's. They show in pictures as what they are, and as nothing else.
func TestHostileNames(t *testing.T) {
	names := []string{
		"\"];\n  click n0 \"javascript:alert(1)\"", "<script>alert(1)</script>", "end", "`md`", "a\x1b[31mred", "\u202egnp.exe", "%%{init: {}}%%",
		`\N\G\"`, strings.Repeat("long", 1000), "n1 --> n2", "# heading", "|x|", "", " ", "\x00", "日本", "&quot;",
	}
	var spans []tracewhy.SpanData
	for i, n := range names {
		r := &tracewhy.Resource{Attributes: []tracewhy.KeyValue{tracewhy.String("service.name", n)}}
		id := tracewhy.TraceID{1, 15: byte(i)}
		spans = append(spans,
			tracewhy.SpanData{TraceID: id, SpanID: tracewhy.SpanID{7: 1}, Name: n, Kind: tracewhy.KindServer, Start: 10e9, End: 11e9, Resource: r, Source: "baseline"},
			tracewhy.SpanData{
				TraceID: id, SpanID: tracewhy.SpanID{7: 2}, ParentSpanID: tracewhy.SpanID{7: 1}, Name: n, Kind: tracewhy.KindClient, Start: 10e9, End: 11e9, Resource: r,
				Source: "incident", Attributes: []tracewhy.KeyValue{tracewhy.String("dependency.vendor", n+"!"), tracewhy.String("server.address", n)},
			})
	}
	set := tracewhy.SetOf(spans...)
	g := build(t, set, depgraph.Config{})
	for _, drawing := range []string{g.Mermaid(depgraph.DrawConfig{Numbers: true}), g.DOT(depgraph.DrawConfig{Numbers: true}), g.DOT(depgraph.DrawConfig{Operations: true})} {
		for line := range strings.Lines(drawing) {
			line = strings.TrimSuffix(line, "\n")
			if strings.ContainsAny(line, "\x00\x1b\r\u202e") || len(line) > 1000 {
				t.Errorf("a name gets out: %q", line)
			}
			if strings.HasPrefix(strings.TrimSpace(line), "click") {
				t.Errorf("a name became a statement: %q", line)
			}
		}
	}
	for line := range strings.Lines(g.Mermaid(depgraph.DrawConfig{})) {
		if inside, ok := strings.CutPrefix(strings.TrimSpace(line), "n"); ok && strings.Contains(line, "[\"") {
			_, label, _ := strings.Cut(inside, "[\"")
			if label = strings.TrimSuffix(label, "\"]"); strings.ContainsAny(label, "\"<>`|[]{}%\\") {
				t.Errorf("a label has marks of Mermaid: %q", label)
			}
		}
	}
}

// Services that call each other in a ring, thirty thousand calls of one span, and calls 3,000 deep.
func TestShapes(t *testing.T) {
	var ring strings.Builder
	for i := range 3000 {
		fmt.Fprintf(&ring, "%ss%d/x %d+%d server\n", strings.Repeat(" ", i), i%3, i, 10_000-2*i)
	}
	g := build(t, tracetext.Set(ring.String()), depgraph.Config{})
	for _, e := range [][2]string{{"service:s0", "service:s1"}, {"service:s1", "service:s2"}, {"service:s2", "service:s0"}} {
		if !slices.ContainsFunc(g.Edges, func(x depgraph.Edge) bool { return x.From == e[0] && x.To == e[1] }) {
			t.Errorf("no edge %s", e)
		}
	}
	if n := node(t, g, "service:s0"); n.Calls.Calls != 999 || n.Calls.Traces != 1 {
		t.Errorf("got %+v, want 999 calls of one trace", n.Calls)
	}

	root := tracewhy.SpanData{TraceID: tracewhy.TraceID{1}, SpanID: tracewhy.SpanID{1}, Name: "r", Start: 1e9, End: 2e9}
	spans := []tracewhy.SpanData{root}
	for i := range 30_000 {
		s := tracewhy.SpanData{TraceID: root.TraceID, SpanID: tracewhy.SpanID{2, 4: byte(i >> 16), 5: byte(i >> 8), 6: byte(i)}, ParentSpanID: root.SpanID, Name: "q", Kind: tracewhy.KindClient}
		s.Start, s.End = 1e9+uint64(i)*1000, 1e9+uint64(i)*1000+900
		s.Attributes = []tracewhy.KeyValue{tracewhy.String("db.system.name", "mysql")}
		spans = append(spans, s)
	}
	n := node(t, build(t, tracewhy.SetOf(spans...), depgraph.Config{}), "dependency:mysql")
	if n.Calls.Calls != 30_000 || n.Calls.P50.IsKnown() {
		t.Errorf("got %+v: thirty thousand calls of one trace say what one trace says", n.Calls)
	}
}

func TestBadTimes(t *testing.T) {
	g := build(t, tracetext.Set(`a/r ?+? server
  a/c 5+-3 client peer.service=x error
    b/s 1+500 server
  a/d ?+? client peer.service=y
trace two
a/r 0+0 server
  a/c 0+0 client peer.service=x
trace three
a/c 3+4 client peer.service=z orphan`), depgraph.Config{})
	if len(g.Warnings) == 0 || g.Warnings[len(g.Warnings)-1].Code != depgraph.WarningNoTime {
		t.Errorf("warnings %+v", g.Warnings)
	}
	if n := node(t, g, "dependency:y"); n.Calls.Calls != 1 {
		t.Errorf("got %+v", n.Calls)
	}
}

func TestErrors(t *testing.T) {
	set := tracewhy.SetOf(mixed(0, nil)...)
	none := set.Select(func(tracewhy.Trace) bool { return false })
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, c := range []struct {
		name    string
		ctx     context.Context
		b, i    tracewhy.Cohort
		want    error
		forPair bool
	}{
		{"an empty incident", context.Background(), set.All(), none, depgraph.ErrCohorts, false},
		{"an empty baseline", context.Background(), none, set.All(), depgraph.ErrCohorts, true},
		{"no baseline", context.Background(), tracewhy.Cohort{}, set.All(), depgraph.ErrCohorts, true},
		{"another set", context.Background(), tracewhy.SetOf(mixed(0, nil)...).All(), set.All(), depgraph.ErrCohorts, true},
		{"cancelled", ctx, set.Source("baseline"), set.Source("incident"), context.Canceled, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err1 := depgraph.FaultDomain(c.ctx, c.b, c.i, depgraph.Config{})
			_, err2 := depgraph.Scorecards(c.ctx, c.b, c.i, depgraph.Config{})
			all := []error{err1, err2}
			if !c.forPair {
				_, err1 = depgraph.Build(c.ctx, c.i, depgraph.Config{})
				_, err2 = depgraph.Influence(c.ctx, c.i, depgraph.Config{})
				_, err3 := depgraph.Audit(c.ctx, c.i, depgraph.Config{})
				all = append(all, err1, err2, err3)
			}
			for k, err := range all {
				if !errors.Is(err, c.want) {
					t.Errorf("function %d: %v, want %v", k, err, c.want)
				}
			}
		})
	}
}
