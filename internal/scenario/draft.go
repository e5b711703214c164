package scenario

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/tracewhy/tracewhy/internal/stats"
)

// A draft is the window of an incident before it is simulated: what a family changes to make its fault happen.
type draft struct {
	rng     *stats.Rand
	estate  *estate
	fleet   *fleet
	traffic *traffic
	when    schedule
	fault   fault
	limits  map[*service]limit // of vendors, in both windows: the fault is that they are exceeded
	label   Label
	changes []Change
	touched map[*service]bool // services that something incidental happened to
	lasting map[*entry]int    // the label's modes, counted from 1, of entries that failed before as well
	silent  bool              // whether the window is to leave no spans

	usage    usage   // of the same window without a fault
	strength float64 // how much stronger than drawn the fault has to be to be seen
}

// A schedule says when things happen, in Unix nanoseconds.
type schedule struct {
	baseline, incident int64
	length             int64 // of a window, roughly
}

// newSchedule draws when the windows are. The baseline mostly comes right before the incident, but may as well
// be of the day before, or of the time when all was over.
func newSchedule(r *stats.Rand, n size) schedule {
	const epoch = 1_772_000_000 * second
	length := int64(n.requests) * n.gap
	s := schedule{incident: epoch + int64(r.IntN(86_400*120))*second, length: length}
	switch x := r.Float64(); {
	case x < 0.6:
		s.baseline = s.incident - length - int64(between(r, 10, 40))*minute
	case x < 0.9:
		s.baseline = s.incident - 24*hour
	default:
		s.baseline = s.incident + length + int64(between(r, 30, 120))*minute
	}
	return s
}

// clone returns a draft that can be changed without changing d.
func (d *draft) clone() *draft {
	c := *d
	c.fleet, c.traffic = d.fleet.clone(), d.traffic.clone()
	c.changes = slices.Clone(d.changes)
	return &c
}

// Faults that are too weak to be seen are made stronger, by this factor, this often; then another is drawn.
const (
	strengthen  = 1.7
	maxStronger = 6
	maxDrawn    = 40
)

// A fault is visible from this many standard errors on, of the number of failures or of slow requests. The
// second has to stand out against more noise.
const (
	visibleFailures = 4.5
	visibleSlowness = 6
)

// incident injects the family's fault and simulates the window. A fault has to be visible in how requests end,
// by a margin that leaves no doubt: a case that nobody could solve measures nothing.
func (d *draft) incident(f Family, seed uint64, random func(string) *stats.Rand) *run {
	window := func(x *draft, silent bool) *run {
		return &run{
			estate: x.estate, fleet: x.fleet, traffic: x.traffic, fault: x.fault, limits: x.limits, seed: seed,
			start: x.when.incident, silent: silent,
		}
	}
	if f.Quiet {
		d.rng = random("fault")
		f.inject(d)
		d.finish()
		w := window(d, d.silent)
		w.simulate()
		return w
	}
	if f.shift != nil {
		d.rng = random("shift")
		f.shift(d)
	}
	healthy := window(d, true)
	healthy.simulate()
	d.usage = healthy.usage
	// The most visible fault wins if none is visible enough, which takes a bank where hardly anything is used.
	var best *draft
	bestScore := -1.0
	for try := 0; try < maxDrawn && bestScore < 1; try++ {
		strength := 1.0
		for step := 0; step < maxStronger && bestScore < 1; step++ {
			x := d.clone()
			x.rng, x.strength = random(fmt.Sprint("fault ", try)), strength
			f.inject(x)
			w := window(x, true)
			w.simulate()
			failures, slowness := visibility(healthy.results, w.results, f.apart)
			if score := max(failures/visibleFailures, slowness/visibleSlowness); score > bestScore {
				best, bestScore = x, score
				x.tally(w.results)
				x.label.SymptomNS = symptom(healthy.results, w.results, x.when.incident)
				if f.observe != nil {
					f.observe(x, healthy.results, w.results)
				}
				x.label.Notes = strings.TrimSpace(fmt.Sprintf(
					"%s Failures are up by %.1f standard errors, slow requests by %.1f.", x.label.Notes, failures, slowness))
			}
			strength *= strengthen
		}
	}
	*d = *best
	d.finish()
	w := window(d, d.silent)
	w.simulate()
	return w
}

// tally counts the requests that met each mode of failure and failed.
func (d *draft) tally(results []result) {
	d.label.Modes = slices.Clone(d.label.Modes)
	for i := range d.label.Modes {
		d.label.Modes[i].Traces = 0
	}
	for _, x := range results {
		mode := x.harmed
		if mode == 0 {
			mode = d.lasting[x.entry]
		}
		if mode > 0 && x.failed {
			d.label.Modes[mode-1].Traces++
		}
	}
}

// finish puts the label and the changes into their final form.
func (d *draft) finish() {
	if d.label.Causes == nil {
		d.label.Causes = []Cause{}
	}
	if d.label.Modes == nil {
		d.label.Modes = []Mode{}
	}
	slices.SortStableFunc(d.changes, func(a, b Change) int {
		return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.ID, b.ID))
	})
}

// begin draws when the fault begins: before the window, or in its first part.
func (d *draft) begin() {
	if chance(d.rng, 0.5) {
		d.beginBefore()
		return
	}
	d.fault.begins = int64(float64(float64(d.when.length) * between(d.rng, 0.05, 0.35)))
	d.label.OnsetNS = d.when.incident + d.fault.begins
}

// beginBefore draws when the fault began before the window.
func (d *draft) beginBefore() {
	d.fault.begins = 0
	d.label.OnsetNS = d.when.incident - int64(between(d.rng, 1, 300))*second
}

// trigger records the change that set the fault off, a little before it began.
func (d *draft) trigger(kind string, s *service, description string) string {
	return d.record(d.label.OnsetNS-int64(between(d.rng, 1, 40))*second, kind, s.name, description)
}

// record adds a change and returns its id.
func (d *draft) record(at int64, kind, service, description string) string {
	id := "CHG-" + fmt.Sprint(10_000+d.rng.IntN(90_000))
	d.changes = append(d.changes, Change{time.Unix(at/second, 0).UTC(), kind, service, id, description})
	return id
}

// visibility returns how many standard errors the fault adds to what customers see: to the number of failures, and
// to the number of requests that are slower than a quantile of the same entry's requests without the fault. The
// two runs have the same requests, so that what is added is the fault's doing and not chance. If apart, failures are
// those of the entries where any are added.
func visibility(healthy, faulty []result, apart bool) (failures, slowness float64) {
	type count struct{ base, extra float64 }
	counts := map[*entry]count{}
	for i := range healthy {
		var among *entry // all of them
		if apart {
			among = healthy[i].entry
		}
		c := counts[among]
		if healthy[i].failed {
			c.base++
		}
		if faulty[i].failed && !healthy[i].failed {
			c.extra++
		}
		counts[among] = c
	}
	base, extra := 0.0, 0.0 // whole numbers, so that the order of the map does not matter
	for _, c := range counts {
		if c.extra > 0 {
			base, extra = base+c.base, extra+c.extra
		}
	}
	failures = extra / math.Sqrt(2*base+extra+1)
	byEntry := map[*entry][2][]int64{}
	for i := range healthy {
		lists := byEntry[healthy[i].entry]
		lists[0] = append(lists[0], healthy[i].duration)
		lists[1] = append(lists[1], faulty[i].duration)
		byEntry[healthy[i].entry] = lists
	}
	for _, q := range []float64{0.5, 0.75, 0.9, 0.95, 0.98} {
		var more, variance int // counts, so that the order of the map does not matter
		for _, lists := range byEntry {
			slices.Sort(lists[0])
			n := len(lists[0])
			limit := lists[0][min(int(float64(float64(n)*q)), n-1)]
			for k := range n {
				if lists[1][k] > limit {
					more++
				}
				if lists[0][k] > limit {
					more--
				}
			}
			variance += n
		}
		slowness = max(slowness, float64(more)/math.Sqrt(float64(2*float64(variance)*q*(1-q))+1))
	}
	return failures, slowness
}

// symptom returns when the first request ended that was clearly worse off with the fault.
func symptom(healthy, faulty []result, start int64) int64 {
	first := int64(0)
	for i, h := range healthy {
		x := faulty[i]
		if slowed(h, x) {
			if end := x.at + x.duration; first == 0 || end < first {
				first = end
			}
		}
	}
	if first == 0 {
		return 0
	}
	return start + first
}
