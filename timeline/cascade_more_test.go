package timeline_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/scenario"
	"github.com/tracewhy/tracewhy/internal/tracetext"
	"github.com/tracewhy/tracewhy/timeline"
)

// estate is services on hosts, as "service" or "service@host".
func estate(id int, root call, hosts map[string]string) []tracewhy.SpanData {
	spans := traceOf(id, root)
	for i := range spans {
		s := &spans[i]
		service := s.Resource.Attributes[0].Value.Str()
		instance := s.Resource.Attributes[1].Value.Str()
		host := hosts[service]
		if h, ok := hosts[instance]; ok {
			host = h
		}
		s.Resource = &tracewhy.Resource{Attributes: append(slices.Clone(s.Resource.Attributes), tracewhy.String("host.name", host))}
	}
	return spans
}

// cascadesOf returns the signatures of spans, with series of some kinds of subjects, or all.
func cascadesOf(t *testing.T, spans []tracewhy.SpanData, kinds ...timeline.SubjectKind) []timeline.Cascade {
	t.Helper()
	cfg := timeline.ChangePointsConfig{Series: timeline.SeriesConfig{Kinds: kinds}}
	if kinds != nil {
		cfg.Series.Bin = time.Duration(spans[len(spans)-1].Start-spans[0].Start) / 60
	}
	r, err := timeline.ChangePoints(context.Background(), tracewhy.SetOf(spans...).All(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range r.Cascades {
		for _, i := range c.Events {
			if i < 0 || i >= len(r.Events) {
				t.Errorf("%v is of an event %d of %d", c, i, len(r.Events))
			}
		}
	}
	return r.Cascades
}

func kindsOf(cs []timeline.Cascade) map[timeline.CascadeKind]int {
	kinds := map[timeline.CascadeKind]int{}
	for _, c := range cs {
		kinds[c.Kind]++
	}
	return kinds
}

// Calls give up after two seconds once their callee is slow; their caller had waited three.
func TestTimeoutChain(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long: run without -short")
	}
	for _, happens := range []bool{true, false} {
		r := rand.New(rand.NewPCG(3, 3))
		var spans []tracewhy.SpanData
		for i := range 2000 {
			at := float64(i) * 600
			took := 80 + 60*r.Float64()
			if happens && i >= 1200 {
				took = 1500 + 1500*r.Float64()
			}
			const limit = 2000
			isOver := took > limit
			c := call{at: at, took: min(took, limit) + 20, name: "web/GET", failed: isOver, calls: []call{{
				at: at + 5, took: min(took, limit) + 2*r.Float64(), name: "web/score", failed: isOver, calls: []call{{at: at + 6, took: took - 2, name: "scores/score"}}}}}
			part := traceOf(i, c)
			for j := range part {
				if part[j].Name == "score" && part[j].Status == tracewhy.StatusError {
					part[j].Kind, part[j].Attributes = tracewhy.KindClient, []tracewhy.KeyValue{tracewhy.String("error.type", "timeout")}
				} else if part[j].Name == "score" && j == 1 {
					part[j].Kind = tracewhy.KindClient
				} else if j == 2 {
					part[j].Kind = tracewhy.KindServer
				}
			}
			spans = append(spans, part...)
		}
		found := cascadesOf(t, spans)
		i := slices.IndexFunc(found, func(c timeline.Cascade) bool { return c.Kind == timeline.CascadeTimeouts })
		if !happens {
			if len(found) > 0 {
				t.Errorf("nothing happened, and it is %v", found)
			}
			continue
		}
		if i < 0 || !strings.Contains(found[i].Reason, "web score gave up after 2s") || !strings.Contains(found[i].Reason, "scores score had") {
			t.Errorf("%v", found)
		}
	}
}

// More comes than one server does, for a while: it waits longer and longer, until that is over. That calls take
// longer is no queue.
func TestQueueGrows(t *testing.T) {
	for _, test := range []struct {
		name         string
		rush, slower float64
		queues       int
	}{{"rush", 2.6, 1, 1}, {"nothing", 1, 1, 0}, {"slower", 1, 20, 0}} {
		r := rand.New(rand.NewPCG(5, 5))
		var spans []tracewhy.SpanData
		at, free := 0.0, 0.0
		for i := 0; at < 3600_000; i++ {
			every := 500.0
			isRush := at > 1500_000 && at < 2100_000
			if isRush {
				every /= test.rush
			}
			at += every * r.ExpFloat64()
			work := 150 + 150*r.Float64()
			end := max(at, free) + work
			if free = end; test.slower > 1 {
				if end = at + work; isRush {
					end = at + test.slower*work
				}
			}
			spans = append(spans, traceOf(i, call{at: at - 5, took: end - at + 10, name: "web/GET", calls: []call{{at: at, took: end - at, name: "ledger/post"}}})...)
		}
		var got []timeline.Cascade
		for _, c := range cascadesOf(t, spans, timeline.SubjectService) {
			if c.Kind == timeline.CascadeQueue {
				got = append(got, c)
			}
		}
		if len(got) != test.queues {
			t.Errorf("%s: %v", test.name, got)
			continue
		}
		for _, c := range got {
			if from := time.Duration(c.Start - tracetext.Epoch); !strings.Contains(c.Reason, " ledger ") || from < 24*time.Minute || from > 28*time.Minute || !strings.Contains(c.Reason, "it was over") {
				t.Errorf("from %v: %s", from, c.Reason)
			}
		}
	}
}

// All that runs on one host stands still for a while, or one of two hosts is slow.
func TestHost(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long: run without -short")
	}
	hosts := map[string]string{"web": "h0", "a-1": "h1", "b-1": "h1", "a-2": "h2", "b-2": "h2"}
	const length, from, to = 240_000.0, 120_000.0, 122_000.0
	for _, test := range []struct {
		name        string
		stall, slow bool
		want        string
	}{{"stall", true, false, "nothing began or ended on host h1 for"}, {"slow", false, true, "a and b became worse on host h1"}, {"nothing", false, false, ""}} {
		r := rand.New(rand.NewPCG(8, 8))
		var spans []tracewhy.SpanData
		at := 0.0
		for i := 0; at < length; i++ {
			at += 25 * r.ExpFloat64()
			var calls []call
			now := at + 2
			for _, service := range []string{"a", "b"} {
				instance := service + "-" + fmt.Sprint(1+r.IntN(2))
				start, end := now, now+50+40*r.Float64()
				if hosts[instance] == "h1" {
					if test.slow && at > from {
						end += 120
					}
					moved := func(t float64) float64 {
						if test.stall && t > from && t < to {
							return to + 10*r.Float64()
						}
						if test.stall && t >= to && t < to+20 {
							return t + 20
						}
						return t
					}
					if start, end = moved(start), moved(end); end < start {
						end = start + 30
					}
				}
				calls = append(calls, call{at: start, took: end - start, name: service + "/do", instance: instance})
				now = end + 1
			}
			spans = append(spans, estate(i, call{at: at, took: now - at, name: "web/GET", instance: "web-1", calls: calls}, hosts)...)
		}
		got := cascadesOf(t, spans, timeline.SubjectInstance)
		i := slices.IndexFunc(got, func(c timeline.Cascade) bool { return c.Kind == timeline.CascadeHost })
		switch {
		case test.want == "" && len(got) > 0:
			t.Errorf("%s: %v", test.name, got)
		case test.want != "" && (i < 0 || !strings.Contains(got[i].Reason, test.want)):
			t.Errorf("%s: %v", test.name, got)
		case kindsOf(got)[timeline.CascadeHost] > 1:
			t.Errorf("%s: more than one: %v", test.name, got)
		}
	}
}

// A job of every night begins two hours later on one of eight days, or takes longer, among transactions of all day.
func TestLateJob(t *testing.T) {
	const minute, hour = 60_000.0, 3600_000.0
	for _, test := range []struct {
		name         string
		late, longer float64
		want         string
		day          int
	}{{"late", 2 * hour, 0, "bank end of day began at 2024-01-06", 5}, {"longer", 0, 90 * minute, "bank end of day ended at 2024-01-08", 7}, {"never", 0, 0, "", 0}} {
		r := rand.New(rand.NewPCG(2, 2))
		var spans []tracewhy.SpanData
		id := 0
		for day := range 8 {
			for k := range 200 {
				spans = append(spans, traceOf(id, call{at: 24*hour*float64(day) + float64(k)*7.1*minute, took: 20 + 10*r.Float64(), name: "bank/GET"})...)
				id++
			}
			at := 24*hour*float64(day) + 20*hour + 8*minute*r.Float64()
			took := 20*minute + 5*minute*r.Float64()
			if day == test.day {
				at, took = at+test.late, took+test.longer
			}
			for k := range 5 {
				spans = append(spans, traceOf(id, call{at: at + took*float64(k)/5, took: took / 5, name: "bank/end of day"})...)
				id++
			}
		}
		var got []string
		for _, c := range cascadesOf(t, spans) {
			got = append(got, fmt.Sprintf("%v: %s", c.Kind, c.Reason))
		}
		if test.want == "" && len(got) > 0 || test.want != "" && (len(got) != 1 || !strings.HasPrefix(got[0], "late: "+test.want)) {
			t.Errorf("%s: %q", test.name, got)
		}
	}
}

// Where nothing is wrong there is no signature.
func TestQuietCascades(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long: run without -short")
	}
	families := []string{"quiet-mix", "quiet"}
	if *worlds == 1 {
		families = families[:1]
	}
	for _, family := range families {
		f, ok := scenario.Lookup(family)
		if !ok {
			t.Fatalf("no family %s", family)
		}
		all := map[timeline.CascadeKind]int{}
		for seed := range uint64(*worlds) {
			c := scenario.Generate(f, seed)
			var kinds []timeline.SubjectKind
			if *worlds < 20 { // those of paths take long
				kinds = []timeline.SubjectKind{timeline.SubjectInstance}
			}
			for _, found := range cascadesOf(t, c.Incident, kinds...) {
				t.Logf("%s: %v: %s", c.Name, found.Kind, found.Reason)
				all[found.Kind]++
			}
		}
		t.Logf("%s: %v in %d cases", family, all, *worlds)
		if n := len(all); n > 0 && *worlds < 20 {
			t.Errorf("%s: %v", family, all)
		}
	}
}
