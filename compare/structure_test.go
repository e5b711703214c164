package compare

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/stats"
	"github.com/tracewhy/tracewhy/internal/tracetext"
)

// site says how the traces of a shop are built: its page asks for user and prices, one beside the other, and
// then for one item after the other.
type site struct {
	traces   int
	items    func(r *stats.Rand) int
	serial   float64 // the share of traces in which prices wait for user
	swapped  float64 // the share in which prices are asked for first
	noUser   float64 // the share in which user is not asked for
	fails    float64 // the share in which page fails before items
	retries  int     // levels of a recursion
	price    string  // the name of the call for prices
	loses    float64 // the share of traces in which the shop's answer span is lost
	entry    func(r *stats.Rand) string
	tenants  int // traces of one tenant behave alike
	isFailed func(r *stats.Rand, items int) bool
}

// window makes the traces of one window.
func (w site) window(seed uint64, source string) []tracewhy.SpanData {
	if w.items == nil {
		w.items = func(r *stats.Rand) int { return 1 + r.IntN(3) }
	}
	if w.price == "" {
		w.price = "prices"
	}
	shop := &tracewhy.Resource{Attributes: []tracewhy.KeyValue{tracewhy.String("service.name", "shop")}}
	store := &tracewhy.Resource{Attributes: []tracewhy.KeyValue{tracewhy.String("service.name", "store")}}
	var out []tracewhy.SpanData
	for n := range w.traces {
		r := stats.NewRand(seed, stats.Key(source), uint64(n))
		tenant := r
		if w.tenants > 0 {
			tenant = stats.NewRand(seed, stats.Key(source), 1<<40|uint64(n%w.tenants))
		}
		at := uint64(1_700_000_000_000_000_000) + uint64(n)*1000*millisecond
		next := byte(0)
		span := func(parent byte, resource *tracewhy.Resource, name string, kind tracewhy.Kind, start, end int, failed bool) byte {
			next++
			s := tracewhy.SpanData{
				TraceID: tracewhy.TraceID{0: source[0], 12: byte(seed), 13: byte(n >> 16), 14: byte(n >> 8), 15: byte(n)},
				SpanID:  tracewhy.SpanID{7: next}, Name: name, Kind: kind, Resource: resource, Source: source,
				Start: at + uint64(start)*millisecond, End: at + uint64(end)*millisecond,
			}
			if parent > 0 {
				s.ParentSpanID = tracewhy.SpanID{7: parent}
			}
			if failed {
				s.Status = tracewhy.StatusError
			}
			out = append(out, s)
			return next
		}
		entry := "GET /"
		if w.entry != nil {
			entry = w.entry(r)
		}
		items, fails := w.items(tenant), r.Float64() < w.fails
		isFailed := fails || w.isFailed != nil && w.isFailed(r, items)
		end := 60 + 10*items
		root := span(0, shop, entry, tracewhy.KindServer, 0, end, isFailed)
		if w.tenants > 0 {
			out[len(out)-1].Attributes = []tracewhy.KeyValue{tracewhy.String("tenant", fmt.Sprint(source, n%w.tenants))}
		}
		page := span(root, shop, "page", tracewhy.KindInternal, 5, end-5, fails)
		user, prices := 10, 12
		if r.Float64() < w.swapped {
			user, prices = 12, 10
		}
		if r.Float64() < w.serial {
			prices = 26
		}
		if r.Float64() >= w.noUser {
			span(page, shop, "user", tracewhy.KindInternal, user, user+10, false)
		}
		span(page, shop, w.price, tracewhy.KindInternal, prices, prices+10, false)
		for i := range items {
			if fails {
				break
			}
			start := 40 + 10*i
			call := span(page, shop, "item", tracewhy.KindClient, start, start+8, false)
			if r.Float64() >= w.loses {
				query := span(call, store, "SELECT", tracewhy.KindServer, start+1, start+7, false)
				for level := range w.retries {
					if r.Float64() < 0.9 {
						query = span(query, store, "SELECT", tracewhy.KindServer, start+2+level, start+6-level, false)
					}
				}
			}
		}
	}
	return out
}

func structureOf(t testing.TB, baseline, incident site, cfg StructureConfig) *StructureResult {
	t.Helper()
	for _, w := range []*site{&baseline, &incident} {
		if w.traces == 0 {
			w.traces = 200
		}
	}
	b, i := cohorts(t, baseline.window(1, "baseline"), incident.window(1, "incident"))
	r, err := Structure(context.Background(), b, i, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestStructurePlanted(t *testing.T) {
	tests := []struct {
		name               string
		baseline, incident site
		want               []string // kind, service, operation and what of the findings
	}{
		{"the same", site{}, site{}, nil},
		{"an N+1", site{}, site{items: func(r *stats.Rand) int { return 10 + r.IntN(5) }},
			[]string{"calls shop page: now calls item 4 times or more"}},
		{"more of the same", site{}, site{items: func(r *stats.Rand) int { return 2 + r.IntN(3) }},
			[]string{"calls shop page: more often calls item twice or more"}},
		{"a lost call", site{}, site{noUser: 1}, []string{"lost_path shop page: no longer calls user"}},
		{"a call that is lost at times", site{}, site{noUser: 0.1}, []string{"calls shop page: less often calls user"}},
		{"a new call", site{noUser: 1}, site{}, []string{"new_path shop page: now calls user"}},
		{"another order", site{swapped: 0.1}, site{swapped: 0.9}, []string{"order shop page: more often calls prices before user"}},
		{"no longer at once", site{}, site{serial: 1}, []string{"at_once shop page: no longer has 2 or more calls running at once"}},
		{"a failing caller", site{fails: 0.02}, site{fails: 0.5}, []string{"calls shop page: less often calls item"}},
		{"a recursion", site{}, site{retries: 3}, []string{"depth store SELECT: now goes 2 or more levels deep"}},
		{"a deeper recursion", site{retries: 1}, site{retries: 4}, []string{"depth store SELECT: now goes 3 or more levels deep"}},
		{"renamed", site{}, site{price: "quotes"}, []string{"lost_path shop page: no longer calls prices"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := structureOf(t, tt.baseline, tt.incident, StructureConfig{})
			var got []string
			for _, f := range r.Findings {
				got = append(got, fmt.Sprintf("%s %s %s: %s", f.Kind, f.Service, f.Operation, f.What))
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got  %q\nwant %q", got, tt.want)
				for _, f := range r.Findings {
					b, _ := json.Marshal(f)
					t.Logf("%s", b)
				}
			}
			if verdict := map[bool]StructureVerdict{true: StructureFound, false: StructureNone}[len(tt.want) > 0]; r.Verdict != verdict {
				t.Errorf("verdict %s, want %s", r.Verdict, verdict)
			}
		})
	}
}

// The probability of any finding where there is nothing to find. The long run is
//
//	go test ./compare -run TestStructureNullWorlds -v -worlds 1000
func TestStructureNullWorlds(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long: run without -short")
	}
	kinds := []struct {
		name     string
		from, to site
		cfg      StructureConfig
	}{
		{"independent", site{traces: 100, noUser: 0.1, swapped: 0.3, serial: 0.2}, site{traces: 100, noUser: 0.1, swapped: 0.3, serial: 0.2}, StructureConfig{}},
		{"imbalanced", site{traces: 400, noUser: 0.02, swapped: 0.3, retries: 2}, site{traces: 12, noUser: 0.02, swapped: 0.3, retries: 2}, StructureConfig{}},
		{"failing callers", site{traces: 100, fails: 0.02, noUser: 0.1}, site{traces: 100, fails: 0.02, noUser: 0.1}, StructureConfig{}},
		{"tenants", site{traces: 120, tenants: 12, noUser: 0.1}, site{traces: 120, tenants: 12, noUser: 0.1}, StructureConfig{Cluster: "tenant"}},
	}
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			found := 0
			for w := range *worlds {
				b, i := cohorts(t, k.from.window(uint64(w), "baseline"), k.to.window(uint64(w), "incident"))
				cfg := k.cfg
				cfg.Seed = uint64(w)
				r, err := Structure(context.Background(), b, i, cfg)
				if err != nil {
					t.Fatal(err)
				}
				if len(r.Findings) > 0 {
					found++
				}
			}
			t.Logf("any finding in %d of %d", found, *worlds)
			// 0.05, and four standard errors for a test that must not fail by chance.
			if limit := 0.05 + 4*math.Sqrt(0.05*0.95/float64(*worlds)); float64(found) > limit*float64(*worlds) {
				t.Errorf("any finding in %d of %d, limit %.3f", found, *worlds, limit)
			}
		})
	}
}

// The share of calls to one service grows where the calls to another stop: that is no change of those calls.
func TestStructureBelowWhatIsCalledLess(t *testing.T) {
	window := func(source string, items int, call, kind string) string {
		var b strings.Builder
		for n := range 40 {
			fmt.Fprintf(&b, "trace source=%s\n  a/page 0+500\n    %s 1+4 %s\n      user/GET 2+2 server\n", source, call, kind)
			for i := range n % 2 * items {
				fmt.Fprintf(&b, "    %s %d+4 %s\n      item/GET %d+2 server\n", call, 10+10*i, kind, 11+10*i)
			}
		}
		return b.String()
	}
	for _, tt := range []struct {
		name, call, kind string
		want             []string
	}{
		{"a client", "a/GET", "client", []string{"page less often calls item GET"}},
		{"a kind that is not recorded", "a/GET", "", []string{"page less often calls item GET"}},
		{"a proxy", "b/proxy", "server", []string{"page less often calls b proxy twice or more", "also b proxy more often calls user GET"}},
	} {
		set := tracetext.Set(window("baseline", 5, tt.call, tt.kind) + window("incident", 5, tt.call, tt.kind) + window("incident", 0, tt.call, tt.kind))
		r, err := Structure(context.Background(), set.Source("baseline"), set.Source("incident"), StructureConfig{})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, f := range r.Findings {
			got = append(got, f.Operation+" "+f.What)
			for _, also := range f.Also {
				got = append(got, "also "+also)
			}
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

// A trace that lacks spans says nothing of what is not called: otherwise losing them would be a finding.
func TestStructureIncomplete(t *testing.T) {
	r := structureOf(t, site{}, site{loses: 0.1}, StructureConfig{})
	if r.Verdict != StructureNone || r.Traces[inc] > 190 || r.Traces[base] != 200 {
		t.Errorf("verdict %s among %v traces, findings %v", r.Verdict, r.Traces, r.Findings)
	}
	if !slices.ContainsFunc(r.Warnings, func(w tracewhy.Warning) bool { return w.Code == WarningIncomplete && w.Count == 200-r.Traces[inc] }) {
		t.Errorf("warnings %v", r.Warnings)
	}
}

// Pages with many items come with other queries. Within their kind nothing is different.
func TestStructureStrata(t *testing.T) {
	of := func(source string, large int) (spans []tracewhy.SpanData) {
		small := site{traces: 100 - large}.window(1, source)
		big := site{traces: large, items: func(*stats.Rand) int { return 9 }, noUser: 1}.window(2, source)
		for i := range big {
			if big[i].ParentSpanID.IsZero() {
				big[i].Attributes = []tracewhy.KeyValue{tracewhy.String("page.size", "large")}
			}
		}
		return append(small, big...)
	}
	b, i := cohorts(t, of("baseline", 20), of("incident", 80))
	for _, strata := range [][]string{nil, {"page.size"}} {
		r, err := Structure(context.Background(), b, i, StructureConfig{Strata: strata})
		if err != nil {
			t.Fatal(err)
		}
		if want := (strata == nil); (r.Verdict == StructureFound) != want {
			t.Errorf("within %v: %s", strata, r.Verdict)
		}
	}
}

func TestStructureContribution(t *testing.T) {
	many := func(r *stats.Rand, items int) bool { return items > 6 }
	r := structureOf(t, site{}, site{noUser: 0.5, isFailed: many, items: func(r *stats.Rand) int {
		if r.Float64() < 0.4 {
			return 9
		}
		return 2
	}}, StructureConfig{})
	contribution := map[string]float64{}
	for _, f := range r.Findings {
		contribution[f.Call] = f.Contribution.Value
		if !(f.Contribution.Low <= f.Contribution.Value && f.Contribution.Value <= f.Contribution.High) {
			t.Errorf("%s: contribution %v", f.What, f.Contribution)
		}
		if f.Affected.Len() != f.Shown[inc] {
			t.Errorf("%s: %d affected, shown in %v", f.What, f.Affected.Len(), f.Shown)
		}
		for side, ids := range f.Exemplars {
			if len(ids) == 0 {
				t.Errorf("%s: no exemplar of side %d", f.What, side)
			}
		}
	}
	if len(contribution) != 2 || contribution["item"] < 0.95 || contribution["user"] > 0.5 {
		t.Errorf("contributions %v, want item 1 and user about a quarter", contribution)
	}
	if r.Explained != 1 {
		t.Errorf("explained %v", r.Explained)
	}
}

// The same spans in another order, and any number of workers, give the same bytes.
func TestStructureDeterminism(t *testing.T) {
	spans := append(site{traces: 60, swapped: 0.2}.window(3, "baseline"), site{traces: 60, retries: 2, noUser: 0.3}.window(3, "incident")...)
	var want string
	for round := range 4 {
		set := tracewhy.SetOf(spans...)
		r, err := Structure(context.Background(), set.Source("baseline"), set.Source("incident"), StructureConfig{Workers: 1 + round})
		if err != nil {
			t.Fatal(err)
		}
		b, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		if want == "" {
			want = string(b)
		}
		if string(b) != want {
			t.Fatalf("round %d differs", round)
		}
		random := stats.NewRand(1, uint64(round))
		for i := range spans {
			j := random.IntN(i + 1)
			spans[i], spans[j] = spans[j], spans[i]
		}
	}
}

// Other names change the names of findings, and nothing else; sides that change places turn them round.
func TestStructureLaws(t *testing.T) {
	baseline, incident := site{traces: 80}.window(4, "baseline"), site{traces: 80, noUser: 0.4, swapped: 0.9}.window(4, "incident")
	of := func(b, i tracewhy.Cohort) *StructureResult {
		r, err := Structure(context.Background(), b, i, StructureConfig{})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	b, i := cohorts(t, baseline, incident)
	want, swapped := of(b, i), of(i, b)
	if len(want.Findings) != 2 || len(swapped.Findings) != 2 {
		t.Fatalf("%d and %d findings, want 2", len(want.Findings), len(swapped.Findings))
	}
	for k, f := range want.Findings {
		s := swapped.Findings[k]
		if stats.Compare(f.P, s.P) != 0 || math.Abs(f.ShareDifference.Value)-math.Abs(s.ShareDifference.Value) > 1e-12 || f.Adjusted != s.Adjusted {
			t.Errorf("swapped: %v of p %v and adjusted %v, was %v of %v and %v", s.ShareDifference, s.P, s.Adjusted, f.ShareDifference, f.P, f.Adjusted)
		}
	}
	for _, spans := range [][]tracewhy.SpanData{baseline, incident} {
		for k := range spans {
			spans[k].Name = "x" + spans[k].Name
		}
	}
	b, i = cohorts(t, baseline, incident)
	for k, f := range of(b, i).Findings {
		if was := want.Findings[k]; f.Operation != "x"+was.Operation || f.ShareDifference != was.ShareDifference || f.P != was.P {
			t.Errorf("renamed: %s %v of p %v, was %s %v of p %v", f.Operation, f.ShareDifference, f.P, was.Operation, was.ShareDifference, was.P)
		}
	}
}

func TestStructureOfLittle(t *testing.T) {
	set := tracewhy.SetOf(append(site{traces: 30}.window(1, "baseline"), site{traces: 1, noUser: 1}.window(1, "incident")...)...)
	b, i := set.Source("baseline"), set.Source("incident")
	tests := []struct {
		name               string
		baseline, incident tracewhy.Cohort
		err                error
		verdict            StructureVerdict
	}{
		{"nothing", tracewhy.Cohort{}, tracewhy.Cohort{}, ErrCohorts, ""},
		{"no incident", b, set.Source("other"), ErrCohorts, ""},
		{"the same", b, b, ErrCohorts, ""},
		{"of another Set", b, tracewhy.SetOf(site{traces: 9}.window(1, "incident")...).All(), ErrCohorts, ""},
		{"all of both", set.All(), i, nil, StructureInsufficient},
		{"a baseline of one", i, b, nil, StructureInsufficient},
	}
	for _, tt := range tests {
		r, err := Structure(context.Background(), tt.baseline, tt.incident, StructureConfig{})
		if err != tt.err || err == nil && r.Verdict != tt.verdict {
			t.Errorf("%s: %v %+v, want %v %s", tt.name, err, r, tt.err, tt.verdict)
		}
		if r != nil {
			if _, err := json.Marshal(r); err != nil {
				t.Errorf("%s: %v", tt.name, err)
			}
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Structure(ctx, b, i, StructureConfig{}); err != context.Canceled {
		t.Errorf("cancelled: %v", err)
	}
}

// Effects are weighted: a sample of one window, which keeps fewer of its traces with many items, tells the same
// mean as all of it.
func TestStructureWeights(t *testing.T) {
	baseline := site{traces: 600}.window(1, "baseline")
	incident := site{traces: 3000, items: func(r *stats.Rand) int { return 2 + r.IntN(4) }}.window(1, "incident")
	spans := map[tracewhy.TraceID]int{}
	for _, s := range incident {
		spans[s.TraceID]++
	}
	sampled := slices.Clone(baseline)
	for _, s := range incident {
		s.Weight = 1
		if spans[s.TraceID] > 10 { // four items and more
			s.Weight = 5
		}
		if n := int(s.TraceID[14])<<8 | int(s.TraceID[15]); n%int(s.Weight) == 0 {
			sampled = append(sampled, s)
		}
	}
	var mean [2]float64
	for k, list := range [][]tracewhy.SpanData{slices.Concat(baseline, incident), sampled} {
		set := tracewhy.SetOf(list...)
		r, err := Structure(context.Background(), set.Source("baseline"), set.Source("incident"), StructureConfig{})
		if err != nil {
			t.Fatal(err)
		}
		found := slices.IndexFunc(r.Findings, func(f StructureFinding) bool { return f.Call == "item" })
		if found < 0 {
			t.Fatalf("no finding about items among %d", len(r.Findings))
		}
		mean[k] = r.Findings[found].Mean[inc]
		if weighted := slices.ContainsFunc(r.Warnings, func(w tracewhy.Warning) bool { return w.Code == WarningWeighted }); weighted != (k == 1) {
			t.Errorf("warnings %v", r.Warnings)
		}
	}
	if math.Abs(mean[0]-mean[1]) > 0.1 { // without weights it is 0.7 less
		t.Errorf("mean %.3f of all traces, %.3f of the sample", mean[0], mean[1])
	}
}

// Where all failing traces of the incident are kept, and a tenth of the others, more traces show what failing
// ones do. By their weights they are as many.
func TestStructureTailSampling(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long: run without -short")
	}
	for _, tt := range []struct {
		name   string
		noUser float64
		found  int // of 20 worlds
	}{
		{"nothing else", 0, 0},
		{"a lost call", 0.4, 20},
	} {
		found := 0
		for w := range uint64(20) {
			spans := site{traces: 400, fails: 0.1}.window(w, "baseline")
			incident := site{traces: 1500, fails: 0.1, noUser: tt.noUser}.window(w, "incident")
			set := tracewhy.SetOf(append(spans, keepTails(incident, 135)...)...)
			r, err := Structure(context.Background(), set.Source("baseline"), set.Source("incident"), StructureConfig{Replicates: 199})
			if err != nil {
				t.Fatal(err)
			}
			if len(r.Findings) > 0 {
				found++
				if f := r.Findings[0]; f.Call != "user" {
					t.Errorf("%s: %s", tt.name, f.What)
				}
			}
		}
		if found != tt.found {
			t.Errorf("%s: found in %d of 20, want %d", tt.name, found, tt.found)
		}
	}
}

// The interval of a difference covers the truth, which is what many more traces say.
func TestStructureIntervals(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long: run without -short")
	}
	covered, n := 0, 0
	for w := range 200 {
		b, i := cohorts(t, site{traces: 120, noUser: 0.1}.window(uint64(w), "baseline"), site{traces: 80, noUser: 0.4}.window(uint64(w), "incident"))
		r, err := Structure(context.Background(), b, i, StructureConfig{Replicates: 99})
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range append(r.Findings, r.Candidates...) {
			if f.Call == "user" {
				n++
				if d := f.ShareDifference; d.Low <= -0.3 && -0.3 <= d.High {
					covered++
				}
			}
		}
	}
	if n < 195 || covered*1000 < 910*n { // 0.95, less four standard errors of 0.015 would be 0.89
		t.Errorf("covered in %d of %d", covered, n)
	}
}

// The time of a comparison of 2 × 2,000 traces of about 8 spans, without building the Set.
func BenchmarkStructure(b *testing.B) {
	baseline, incident := cohorts(b, site{traces: 2000}.window(1, "baseline"), site{traces: 2000, noUser: 0.1}.window(1, "incident"))
	for b.Loop() {
		if _, err := Structure(context.Background(), baseline, incident, StructureConfig{}); err != nil {
			b.Fatal(err)
		}
	}
}

// What one execution does, by hand.
func TestStructureRuns(t *testing.T) {
	set := tracetext.Set(`
		trace source=incident
		a/page 0+100
		  a/x 10+20
		  a/y 20+5
		  a/y 25+5
		  a/z 30+0
		  b/get 50+10 client
		    c/one 51+2 server
		    a/log 54+1
		  b/get 70+10 client
		    d/two 71+2 server
		      b/put 71+1 client
		  b/get 90+5 client
		`)
	table := &structureTable{c: &comparison{set: set, traces: slices.Collect(set.Traces())}, rows: []int32{0}, stratum: []int{0}, label: []bool{true}}
	if err := table.read(context.Background()); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range table.callers {
		a := structureAnswer{structureQuestion: &structureQuestion{caller: c}, table: table}
		for i, x := range c.runs {
			line := fmt.Sprintf("%s: %d calls, %d at once, %d levels:", c.path.Operation(), x.calls, x.atOnce, x.levels)
			for _, m := range c.made(i) {
				line += fmt.Sprintf(" %s×%d", a.name(m.path), m.times)
			}
			got = append(got, line)
		}
	}
	slices.Sort(got)
	want := []string{
		"get: 0 calls, 0 at once, 1 levels:",
		"get: 1 calls, 1 at once, 1 levels:", // of the calls of one name that reach two operations one has only those
		"get: 2 calls, 1 at once, 1 levels: a log×1",
		"page: 7 calls, 2 at once, 1 levels: x×1 y×2 z×1 other b get×1 c one×1 d two×1",
		"two: 1 calls, 1 at once, 1 levels: b put×1",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestCutsOf(t *testing.T) {
	for _, tt := range []struct{ values, want []int32 }{
		{nil, nil},
		{[]int32{1, 1, 1}, nil},
		{[]int32{0, 1}, []int32{1}},
		{[]int32{1, 2, 3}, []int32{2, 3}},
		{[]int32{0, 0, 0, 0, 0, 0, 0, 0, 0, 40}, []int32{1, 2, 3, 4, 6, 8, 12, 16, 24, 32}},
		{[]int32{10, 10, 11, 11}, []int32{11}},
		{[]int32{0, math.MaxInt32}, nil},
	} {
		got := cutsOf(slices.Clone(tt.values))
		if tt.want == nil && len(tt.values) == 2 {
			if len(got) < 60 || got[0] != 1 || !slices.IsSorted(got) {
				t.Errorf("cuts of the largest: %v", got)
			}
			continue
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%v: %v, want %v", tt.values, got, tt.want)
		}
	}
}
