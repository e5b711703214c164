package scenario

import "fmt"

// An arrival is an instance that starts to serve while a window goes on.
type arrival struct {
	at       int64 // nanoseconds since the window began
	instance *instance
	place    int // of the instance of the service that it takes the place of; -1 for none
}

// equip gives an instance the pools that it has.
func (w *run) equip(in *instance) {
	w.workers[in] = &pool{engine: &w.engine, free: in.service.workers}
	w.openGates(in)
}

// expect lets the instances that start later do so.
func (w *run) expect() {
	w.fleet = w.fleet.clone() // other runs begin with the same
	for _, a := range w.fleet.later {
		s := a.instance.service
		w.equip(a.instance)
		w.at(a.at, func() {
			list := &w.fleet.instances[s.index]
			if a.place < 0 {
				*list = append(*list, a.instance)
			} else {
				(*list)[a.place] = a.instance
			}
			w.reach(s)
		})
	}
}

// reach finds the instances of a service that calls from each region may reach.
func (w *run) reach(s *service) {
	near := make([][]*instance, len(w.estate.regions))
	for region := range near {
		near[region] = w.fleet.candidates(s, region)
	}
	w.near[s.index] = near
}

// rollOut replaces instances of a service, one after the other, by ones of its next version from that time of the
// window on, and returns the change's id.
func (d *draft) rollOut(s *service, places []int, from int64) string {
	old, next := s.versionName(0), s.versionName(1)
	list := d.fleet.instances[s.index]
	at := from
	for _, i := range places {
		in := d.fleet.newInstance(d.rng, s, list[i].host, next)
		in.speed = list[i].speed // the host's
		d.fleet.later = append(d.fleet.later, arrival{at, in, i})
		at += int64(between(d.rng, 5, 40)) * second
	}
	d.undone("deployment", s.name, "rolled back to "+old)
	text := "deployed " + next + " over " + old
	if len(places) < len(list) {
		text = fmt.Sprintf("deployed %s to %d of %d instances", next, len(places), len(list))
	}
	return d.record(d.when.incident+from-int64(between(d.rng, 1, 4))*second, "deployment", s.name, text)
}

// rollOutAll replaces all instances.
func (d *draft) rollOutAll(s *service, from int64) string {
	places := make([]int, len(d.fleet.instances[s.index]))
	for i := range places {
		places[i] = i
	}
	return d.rollOut(s, places, from)
}

// scaleOut starts another instance of a service at a time of the window.
func (d *draft) scaleOut(s *service, at int64) {
	list := d.fleet.instances[s.index]
	host := list[d.rng.IntN(len(list))].host
	d.fleet.later = append(d.fleet.later, arrival{at, d.fleet.newInstance(d.rng, s, host, s.versionName(0)), -1})
	d.undone("scaling", s.name, fmt.Sprintf("scaled from %d to %d instances", len(list)+1, len(list)))
	d.record(d.when.incident+at-int64(between(d.rng, 1, 4))*second, "scaling", s.name,
		fmt.Sprintf("scaled from %d to %d instances", len(list), len(list)+1))
}
