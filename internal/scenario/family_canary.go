package scenario

import (
	"slices"

	"github.com/tracewhy/tracewhy/internal/stats"
)

// A new version takes over one or two of a service's instances while the window goes on, and a small share of the
// requests with them. It is slow or fails; what the other instances do is as before, and so is everything until it
// starts.
var canary = Family{
	Name: "canary",
	Doc:  "a new version gets a small share of a service's requests, and is slow or fails",
	size: func(n size) size {
		n.requests = max(2*n.requests, 1200)
		return n
	},
	prepare: func(e *estate, r *stats.Rand) {
		for _, s := range e.services {
			if !s.silent() {
				s.instances = 4 + r.IntN(5)
			}
		}
	},
	inject: func(d *draft) {
		s := d.culprit(2)
		places := d.few(s)
		d.fault.begins = int64(float64(float64(d.when.length) * between(d.rng, 0.25, 0.55)))
		d.label.OnsetNS = d.when.incident + d.fault.begins
		cause := d.blame(s)
		cause.ChangeID = d.rollOut(s, places, d.fault.begins)
		next := s.versionName(1)
		cause.Conditions = map[string]string{"service.version": next}
		d.label.FaultType = d.spoil(s, func(in *instance) bool { return in.service == s && in.version == next }, false)
		d.label.Causes = []Cause{cause}
		d.decoys(1+d.rng.IntN(3), d.untouched(s), 0, d.when.length)
	},
}

// few draws one or two instances of a service that together get between a twentieth and three tenths of its calls;
// if there are none, the one that gets the least.
func (d *draft) few(s *service) []int {
	const least, most = 0.05, 0.3
	list := d.fleet.instances[s.index]
	var able [][]int
	lowest := 0
	for i := range list {
		share := d.shareOf(s, i)
		if share < d.shareOf(s, lowest) {
			lowest = i
		}
		if share >= least && share <= most {
			able = append(able, []int{i})
		}
		for k := range i {
			if both := share + d.shareOf(s, k); both >= least && both <= most {
				able = append(able, []int{k, i})
			}
		}
	}
	if len(able) == 0 {
		return []int{lowest}
	}
	return pick(d.rng, able...)
}

// shareOf returns the share of a service's calls that one of its instances gets.
func (d *draft) shareOf(s *service, place int) float64 {
	in := d.fleet.instances[s.index][place]
	share, all := 0.0, 0.0
	for region := range d.estate.regions {
		weight := d.estate.regions[region].share
		all += weight
		near := d.fleet.candidates(s, region)
		if slices.Contains(near, in) {
			share += weight / float64(len(near))
		}
	}
	return share / all
}
