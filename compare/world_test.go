package compare

import (
	"context"
	"fmt"
	"testing"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/stats"
)

// knobs say what is wrong in a window of the test world: a web shop whose frontend calls api, which asks
// auth and then store. Times are in milliseconds.
type knobs struct {
	traces     int
	storeWork  float64 // added to the store's own work
	toStore    float64 // added to the way from api to the store
	authFails  float64 // the share of traces in which auth fails
	storeDown  float64 // the share of traces in which the store does not answer
	apiStops   float64 // the share of traces in which api returns after asking auth
	jobStops   float64 // the same of job, the other caller of auth
	adminShare float64 // the share of traces that begin at admin, which are five times as slow
	goldShare  float64 // the share of requests for which the store scores the customer
	hidePlan   bool    // does not record which those are
	name       func(string) string
	scale      float64
}

const millisecond = 1_000_000

// window makes the traces of one window.
func window(seed uint64, source string, k knobs) []tracewhy.SpanData {
	if k.name == nil {
		k.name = func(s string) string { return s }
	}
	if k.scale == 0 {
		k.scale = 1
	}
	resources := map[string]*tracewhy.Resource{}
	resource := func(service string) *tracewhy.Resource {
		if resources[service] == nil {
			resources[service] = &tracewhy.Resource{Attributes: []tracewhy.KeyValue{tracewhy.String("service.name", k.name(service))}}
		}
		return resources[service]
	}
	var out []tracewhy.SpanData
	for n := range k.traces {
		r := stats.NewRand(seed, stats.Key(source), uint64(n))
		work := func(ms float64) float64 { return ms * (0.5 + r.Float64()) }
		id := tracewhy.TraceID{0: source[0], 12: byte(seed), 13: byte(n >> 16), 14: byte(n >> 8), 15: byte(n)}
		at := func(ms float64) uint64 {
			return uint64(1_700_000_000_000_000_000) + uint64(n)*1000*millisecond + uint64(float64(ms*k.scale)*millisecond)
		}
		span := func(number, parent byte, service, name string, kind tracewhy.Kind, start, end float64, failed bool) {
			s := tracewhy.SpanData{
				TraceID: id, SpanID: tracewhy.SpanID{7: number}, Name: name, Kind: kind,
				Start: at(start), End: at(end), Resource: resource(service), Source: source,
			}
			if parent > 0 {
				s.ParentSpanID = tracewhy.SpanID{7: parent}
			}
			if failed {
				s.Status = tracewhy.StatusError
			}
			out = append(out, s)
		}
		isGold := r.Float64() < k.goldShare
		slow := 1.0
		entry := "web"
		if r.Float64() < k.adminShare {
			entry, slow = "admin", 5
		}
		isJob := r.Float64() < 0.3 // asks auth through job rather than api
		stops, middle := k.apiStops, "api"
		if isJob {
			stops, middle = k.jobStops, "job"
		}
		fails, down, stopped := r.Float64() < k.authFails, r.Float64() < k.storeDown, r.Float64() < stops

		t := work(2) * slow
		handle := t + work(0.4)
		authCall := handle + work(1)
		authStart := authCall + work(0.3)
		authEnd := authStart + work(3)
		authDone := authEnd + work(0.3)
		t = authDone + work(1)
		failed := fails
		if !fails && !stopped {
			call := t
			start := call + work(0.3) + k.toStore/2
			end := start + work(8) + k.storeWork
			t = end + work(0.3) + k.toStore/2
			if down {
				t, failed = call+1, true
			} else {
				span(8, 7, "store", "SELECT", tracewhy.KindServer, start, end, false)
				if isGold {
					span(9, 8, "store", "score", tracewhy.KindInternal, start+1, start+2, false)
				}
			}
			span(7, 4, middle, "query store", tracewhy.KindClient, call, t, down)
			t += work(0.5)
		}
		handleEnd := t
		span(6, 5, "auth", "check", tracewhy.KindServer, authStart, authEnd, fails)
		span(5, 4, middle, "ask auth", tracewhy.KindClient, authCall, authDone, fails)
		span(4, 2, middle, "handle", tracewhy.KindServer, handle, handleEnd, failed)
		span(2, 1, entry, "call "+middle, tracewhy.KindClient, handle-0.2, handleEnd+0.2, failed)
		span(1, 0, entry, "GET /", tracewhy.KindServer, 0, handleEnd+0.2+work(1)*slow, failed)
		if !k.hidePlan {
			out[len(out)-1].Attributes = []tracewhy.KeyValue{tracewhy.Bool("plan.gold", isGold)}
		}
	}
	return out
}

// cohorts builds one Set of two windows.
func cohorts(t testing.TB, baseline, incident []tracewhy.SpanData) (b, i tracewhy.Cohort) {
	t.Helper()
	set := tracewhy.SetOf(append(append([]tracewhy.SpanData{}, baseline...), incident...)...)
	return set.Source("baseline"), set.Source("incident")
}

// compareWorlds compares a window with an undisturbed one.
func compareWorlds(t testing.TB, seed uint64, healthy, broken knobs) *OperationsResult {
	t.Helper()
	if healthy.traces == 0 {
		healthy.traces = 300
	}
	if broken.traces == 0 {
		broken.traces = 300
	}
	b, i := cohorts(t, window(seed, "baseline", healthy), window(seed, "incident", broken))
	r, err := Operations(context.Background(), b, i, OperationsConfig{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// significant lists the kinds of the significant symptoms.
func significant(r *OperationsResult) string {
	kinds := map[SymptomKind]bool{}
	for _, s := range r.Symptoms {
		kinds[s.Kind] = s.Significant
	}
	out := ""
	for _, k := range []SymptomKind{SymptomError, SymptomLatency, SymptomStructure, SymptomAbandonment} {
		if kinds[k] {
			out += fmt.Sprint(" ", k)
		}
	}
	return out
}
