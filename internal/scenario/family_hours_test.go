package scenario

import (
	"slices"
	"testing"

	"github.com/tracewhy/tracewhy"
)

// TestCacheHidesTheIndex: the statement is slow from the change on, but hardly anything is to be seen until the cache's
// entries expire, and logins fail only when most customers come.
func TestCacheHidesTheIndex(t *testing.T) {
	for seed := range uint64(2) {
		_, incident, d := windows(indexChange, 300+seed, small, false)
		symptom := d.label.SymptomNS - d.when.incident
		expiry := d.estate.places["login"].steps[0].keyed.expires()
		if at := d.label.PrecursorNS - d.when.incident; at < expiry || at > expiry+20*minute {
			t.Errorf("seed %d: logins become slow at %d, with entries that expire from %d on", 300+seed, at, expiry)
		}
		find := d.estate.places["find user"]
		var before, hidden, seen []int64 // how long statements took
		for _, r := range incident.records() {
			if r.Name != find.clientName || r.Kind != tracewhy.KindClient {
				continue
			}
			took := int64(r.End - r.Start)
			switch at := int64(r.Start); {
			case at < d.fault.begins:
				before = append(before, took)
			case at < expiry:
				hidden = append(hidden, took)
			case at < symptom:
				seen = append(seen, took)
			}
		}
		if len(before) > 0 && slices.Max(before) > second || len(hidden) > 0 && slices.Min(hidden) < second/2 || len(seen) == 0 || slices.Min(seen) < second/2 {
			t.Errorf("seed %d: statements took %d before the change, %d while they were hidden and %d after", 300+seed, before, hidden, seen)
		}
		if 4*len(hidden) > len(seen) {
			t.Errorf("seed %d: of the slow statements before logins fail %d come before entries expire and %d after", 300+seed, len(hidden), len(seen))
		}
		isLogin := d.estate.calling(d.estate.places["login"])
		early := share(incident.results, func(x result) bool { return isLogin[x.entry] && x.at < expiry })
		late := share(incident.results, func(x result) bool { return isLogin[x.entry] && x.at > symptom+10*minute })
		if early > 0.01 || late < 0.4 {
			t.Errorf("seed %d: %.3f of the logins fail before entries expire, and %.3f at last", 300+seed, early, late)
		}
	}
}

// share returns how many of the requests that count failed.
func share(results []result, counts func(result) bool) float64 {
	failed, all := 0, 0
	for _, x := range results {
		if counts(x) {
			all++
			if x.failed {
				failed++
			}
		}
	}
	return float64(failed) / float64(max(all, 1))
}

// TestCanaryComesInTheWindow: until the new version starts no request ends otherwise than without it, and it gets a
// small share of the calls from then on.
func TestCanaryComesInTheWindow(t *testing.T) {
	for seed := range uint64(3) {
		_, incident, d := windows(canary, 310+seed, small, false)
		cause := d.label.Causes[0]
		first := int64(0)
		calls, some := 0, 0
		for _, r := range incident.records() {
			if r.at.service.name != cause.Services[0] || r.Kind != tracewhy.KindServer {
				continue
			}
			isNew := r.at.version == cause.Conditions["service.version"]
			if isNew && first == 0 {
				first = int64(r.Start)
			}
			if int64(r.Start) > d.fault.begins+minute {
				if calls++; isNew {
					some++
				}
			}
		}
		if first < d.fault.begins {
			t.Errorf("seed %d: the new version serves at %d, before it starts at %d", 310+seed, first, d.fault.begins)
		}
		if part := float64(some) / float64(calls); part < 0.02 || part > 0.4 {
			t.Errorf("seed %d: the new version gets %.2f of the calls", 310+seed, part)
		}
	}
}

// TestCacheRefills: as the cache loses its entries the database gets several times the calls; they become fewer as
// entries are written again.
func TestCacheRefills(t *testing.T) {
	for seed := range uint64(3) {
		_, incident, d := windows(cacheExpiry, 320+seed, small, false)
		lookup, query := d.estate.places["profile lookup"], d.estate.places["profile query"]
		end := incident.results[len(incident.results)-1].at
		misses := func(from, to int64) float64 {
			all, some := 0, 0
			for _, r := range incident.records() {
				if at := int64(r.Start); at >= from && at < to && r.at.service == d.estate.places["profile"].service {
					switch r.Name {
					case lookup.clientName:
						all++
					case query.clientName:
						some++
					}
				}
			}
			return float64(some) / float64(all)
		}
		third := (end - d.fault.begins) / 3
		before, then, last := misses(0, d.fault.begins), misses(d.fault.begins, d.fault.begins+third), misses(end-third, end)
		if before > 0.15 || then < 0.4 || last >= then {
			t.Errorf("seed %d: %.2f of the lookups miss before, %.2f then, and %.2f at last", 320+seed, before, then, last)
		}
	}
}

// TestRetryStormStays: the callers' attempts keep the service overloaded when its own trouble is over. With callers
// that do not try again, the same trouble passes.
func TestRetryStormStays(t *testing.T) {
	for seed := range uint64(3) {
		_, incident, d := windows(retryStorm, 330+seed, small, true)
		op := d.estate.places["overloaded"]
		later := func(w *run) float64 {
			from := (d.fault.ends + 3*w.results[len(w.results)-1].at) / 4
			return share(w.results, func(x result) bool { return x.at > from })
		}
		storm := later(incident)
		for _, caller := range d.estate.operations() {
			for i := range caller.steps {
				if s := &caller.steps[i]; s.to == op {
					s.attempts = 1
				}
			}
		}
		calm := &run{estate: d.estate, fleet: d.fleet, traffic: d.traffic, fault: d.fault, seed: incident.seed, silent: true}
		calm.simulate()
		if without := later(calm); storm < 0.05 || without > storm/2 {
			t.Errorf("seed %d: long after the trouble %.3f of the requests fail, and %.3f without attempts", 330+seed, storm, without)
		}
	}
}

func TestWithhold(t *testing.T) {
	c := generate(indexChange, 1, small)
	id := c.Label.Causes[0].ChangeID
	isNamed := func(x Change) bool { return x.ID == id }
	w := c.Withhold()
	if len(w.Changes) != len(c.Changes)-1 || slices.ContainsFunc(w.Changes, isNamed) || w.Label.Causes[0].ChangeID != "" {
		t.Errorf("changes are %v with the cause %+v", w.Changes, w.Label.Causes[0])
	}
	if !slices.ContainsFunc(c.Changes, isNamed) || c.Label.Causes[0].ChangeID != id {
		t.Error("the case that nothing is withheld of has changed")
	}
}
