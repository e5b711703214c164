package scenario

import (
	"fmt"
	"time"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/stats"
)

// A Case is an incident, or a quiet time, with what is known about it.
type Case struct {
	Name     string
	Baseline []tracewhy.SpanData // in the order in which they arrived, as Incident
	Incident []tracewhy.SpanData
	Label    Label
	Changes  []Change
}

// A Label is the truth about a case.
type Label struct {
	Incident bool    `json:"incident"`
	Causes   []Cause `json:"causes"`
	Modes    []Mode  `json:"modes"`
	// OnsetNS is when the fault began, SymptomNS when the first request suffered that came in the window, or, of
	// families where requests are slow before they fail, when they began to fail. In Unix time; 0 for none.
	OnsetNS   int64 `json:"onset_ns"`
	SymptomNS int64 `json:"symptom_ns"`
	// PrecursorNS is, of a fault that does no harm for long, when traces begin to show it: the first of many requests
	// that are slow, long before they fail. 0 for none, or where the family does not say.
	PrecursorNS int64   `json:"precursor_ns,omitempty"`
	ThresholdMS float64 `json:"threshold_ms"`
	Dataset     string  `json:"dataset"`
	Scenario    string  `json:"scenario"`
	Case        string  `json:"case"`
	FaultType   string  `json:"fault_type"`
	Notes       string  `json:"notes"`
}

// A Cause is one thing that went wrong. Any of Services is a right answer, and any of Operations; all Conditions
// hold. A condition with commas names elements of a list, all of which are in it.
type Cause struct {
	Services    []string          `json:"services"`
	Operations  []string          `json:"operations,omitempty"`
	Conditions  map[string]string `json:"conditions,omitempty"`
	FaultDomain string            `json:"fault_domain,omitempty"`
	Vendor      string            `json:"vendor,omitempty"`
	ChangeID    string            `json:"change_id,omitempty"`
}

// A Mode is one way in which requests failed, and how many did.
type Mode struct {
	Service    string            `json:"service"`
	Operation  string            `json:"operation"`
	Conditions map[string]string `json:"conditions"`
	Traces     int               `json:"traces"`
}

// A Change is something that people or machines did to the estate, whether it mattered or not.
type Change struct {
	Time        time.Time `json:"time"`
	Kind        string    `json:"kind"`
	Service     string    `json:"service"`
	ID          string    `json:"id"`
	Description string    `json:"description"`
}

// A Family is a kind of case.
type Family struct {
	Name  string
	Doc   string
	Quiet bool // nothing is wrong

	size    func(size) size                  // the size of a window, of one that suits other families, or nil
	clock   func(*schedule)                  // when the windows are, where they may not be at any time, or nil
	observe func(*draft, []result, []result) // says more exactly when what is seen, of results without and with the fault; or nil
	least   int                              // the fewest requests of a window that show what it is about
	apart   bool                             // whether it is seen in the entries that it concerns, rather than in all
	spares  []role                           // whose services nothing incidental happens to
	prepare func(*estate, *stats.Rand)       // what the estate must have, or nil
	shift   func(*draft)                     // what is different beside the fault, or nil
	inject  func(*draft)                     // what goes wrong, or what is different although nothing does
}

// Families returns all families, by name.
func Families() []Family {
	return []Family{
		badInstance,
		badVersion,
		cacheExpiry,
		canary,
		indexChange,
		mortgageStall,
		networkLatency,
		poolBeforeVendor,
		poolExhaustion,
		quiet,
		quietMix,
		retryStorm,
		serialization,
		settlementModes,
		trafficMix,
		vendorSlow,
		vendorThrottling,
		vendorThrottlingUntagged,
	}
}

// Lookup returns the family with the given name.
func Lookup(name string) (Family, bool) {
	for _, f := range Families() {
		if f.Name == name {
			return f, true
		}
	}
	return Family{}, false
}

// Generate makes the case of a family that a seed determines. Cases of the same seed happen to the same bank,
// whatever the family.
func Generate(f Family, seed uint64) Case {
	return generate(f, seed, sizeOf(seed))
}

// A size says how much traffic a case has.
type size struct {
	requests int   // in each window
	gap      int64 // mean time between two of them
}

// sizeOf draws a size: 400 to 2,000 requests, 4 to 12 of them each second.
func sizeOf(seed uint64) size {
	r := stats.NewRand(seed, stats.Key("size"))
	return size{int(magnitude(r, 400, 2000)), int64(float64(second) / magnitude(r, 4, 12))}
}

func generate(f Family, seed uint64, n size) Case {
	baseline, incident, d := windows(f, seed, n, false)
	c := Case{
		Name:     fmt.Sprintf("%s-%04d", f.Name, seed),
		Baseline: baseline.export("baseline"),
		Incident: incident.export("incident"),
		Label:    d.label,
		Changes:  d.changes,
	}
	c.Label.Incident = !f.Quiet
	c.Label.Dataset, c.Label.Scenario, c.Label.Case = "scenario/"+f.Name, f.Name, c.Name
	return c
}

// windows simulates both windows of a case, silently if only the results matter.
func windows(f Family, seed uint64, n size, silent bool) (baseline, incident *run, d *draft) {
	random := func(what string) *stats.Rand { return stats.NewRand(seed, stats.Key(f.Name), stats.Key(what)) }
	if f.size != nil {
		n = f.size(n)
	}
	n.requests = max(n.requests, f.least)
	e := newEstate(seed)
	e.rate = float64(second) / float64(n.gap)
	if f.prepare != nil {
		f.prepare(e, random("prepare"))
	}
	fleet := newFleet(e, stats.NewRand(seed, stats.Key("fleet")))
	usual := newTraffic(e, stats.NewRand(seed, stats.Key("traffic")), n.requests, n.gap)
	when := newSchedule(random("schedule"), n)
	if f.clock != nil {
		f.clock(&when)
	}
	d = drift(random("drift"), e, f.spares, fleet, usual, when)
	d.silent = silent
	incident = d.incident(f, random("incident").Uint64(), random)
	baseline = &run{
		estate: e, fleet: fleet, traffic: usual, limits: d.limits, seed: random("baseline").Uint64(), start: when.baseline,
		silent: silent,
	}
	baseline.simulate()
	return baseline, incident, d
}
