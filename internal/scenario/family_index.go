package scenario

import (
	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/stats"
)

// At night, maintenance changes an index of the users' database. From then on it has to read the whole table to find
// a user, but hardly anybody notices: a job writes all users to a cache in the evening. In the morning its entries
// expire. More and more logins wait for the database, and when most customers come, the connections that logins
// need are all held by statements that slow each other down. Logins then fail that would have found the user in
// the cache, as those that would not.
//
// The windows are a whole night each. The cache does the same in both, so that it is no news that entries expire;
// what the database does with the calls is.
//
// Of the names that a cause may have, the first is that of the service: the index is of its database, which sends
// no spans, and the connections that are all in use are the service's. The second is that of the database, which
// is what was changed, and what the change is recorded of. Naming either leads to the change and to who undoes it.
var indexChange = Family{
	Name:    "index-change",
	Doc:     "at night an index of the users' database changes; a cache hides it until morning, when logins wait for connections in vain",
	spares:  []role{roleIdentity},
	size:    wholeNight,
	clock:   func(s *schedule) { s.fromMidnight() },
	prepare: func(e *estate, r *stats.Rand) { e.logins(r) },
	shift: func(d *draft) {
		d.traffic.requests = int(d.when.length / d.traffic.gap) // it ends when it does, however many come
		vary(d.rng, d.traffic.entries, 0.05)
	},
	inject: func(d *draft) {
		e, r := d.estate, d.rng
		find, login := e.places["find user"], e.places["login"]
		db, s := find.service, login.service
		begins := int64(between(r, 75, 240)) * minute
		d.fault.begins = begins
		d.label.OnsetNS = d.when.incident + begins

		// At the peak, more statements come than the database has done in the time between them.
		perSecond := float64(d.usage.operations[login.index]) / (float64(d.when.length) / float64(second))
		peak := float64(perSecond * d.traffic.profile.peak())
		takes := float64(float64(between(r, 1.9, 2.4)*d.strength)*float64(db.capacity)) / peak
		scan := latency{int64(takes * float64(second)), 0.15}
		d.fault.work = func(f frame, op *operation) (h harm) {
			if op == find {
				h.delay = scan.draw(f.req.fault)
			}
			return h
		}
		what := pick(r,
			"index of users on login_name rebuilt with another collation",
			"index of users on login_name replaced by one on (tenant, login_name)",
			"unused index users_login_name_idx dropped",
			"index of users on lower(email) replaced by one on email",
		)
		id := d.record(d.label.OnsetNS-int64(between(r, 0, 20))*second, "maintenance", db.name, what)
		d.distract(s, db)
		d.label.FaultType = "index"
		d.label.Causes = []Cause{{
			Services: []string{s.name, db.name}, Operations: []string{find.name, login.name},
			FaultDomain: "internal", ChangeID: id,
		}}
	},
	observe: func(d *draft, healthy, faulty []result) {
		login := d.estate.places["login"]
		isLogin := d.estate.calling(login)
		// Those before that look for a user who is not in the cache are slow as well, but few.
		counts := func(x result) bool { return isLogin[x.entry] && x.at >= login.steps[0].keyed.expires() }
		d.label.PrecursorNS = d.since(healthy, faulty, 5, counts, slowed)
		d.label.SymptomNS = d.since(healthy, faulty, 5, counts, failed)
	},
}

// wholeNight returns the size of a window that lasts from midnight into the morning.
func wholeNight(n size) size {
	n.requests = min(max(8*n.requests, 2000), 12_000)
	n.gap = (9*hour + 30*minute) / int64(n.requests)
	return n
}

// fromMidnight moves the windows to whole nights, one after the other.
func (s *schedule) fromMidnight() {
	s.incident -= s.incident % (24 * hour)
	s.baseline = s.incident - 24*hour
}

// logins makes a bank where most requests of a morning are logins, which look for the user in a cache and then in a
// database that shares its disks among all statements.
func (e *estate) logins(r *stats.Rand) {
	b := e.extend(r)
	s := e.find(roleIdentity)
	for _, op := range e.operations() {
		if op.service == s && !op.internal {
			e.mark("login", op)
		}
	}
	login := e.places["login"]
	find := e.mark("find user", b.sql(s, "SELECT", "users", 4))
	s.instances = 2
	b.connect(s, 3+r.IntN(2))
	find.service.capacity = 1 + r.IntN(2)

	expiry := 7*hour + int64(between(r, -10, 40))*minute
	users := &keyedCache{ttl: int64(between(r, 8, 11)*2) * hour / 2, absent: between(r, 0.005, 0.03)}
	users.first, users.over = expiry-users.ttl, int64(between(r, 60, 360))*second
	e.customers = 200_000 + r.IntN(200_000)
	login.steps = append(inOrder(b.call(find).keyedBy(b.redis(s, "GET"), users)), login.steps...)

	entries, all, some := e.calling(login), 0.0, 0.0
	for _, en := range e.entries {
		if all += en.share; entries[en] {
			some += en.share
		}
	}
	share := between(r, 0.55, 0.7)
	for _, en := range e.entries {
		if entries[en] {
			en.share = float64(en.share * (float64(share*(all-some)) / float64((1-share)*some)))
		}
	}
	surge := 8*hour + int64(between(r, 20, 40))*minute
	e.profile = profile{
		{0, 0.06}, {90 * minute, 0.035}, {5 * hour, 0.04}, {7 * hour, between(r, 0.1, 0.13)}, {surge, between(r, 0.14, 0.18)},
		{surge + int64(between(r, 8, 15))*minute, 1}, {9*hour + 30*minute, between(r, 0.85, 1)},
	}.scaled()
}

// connect gives each instance of a service that many connections to its database.
func (b *builder) connect(s *service, n int) {
	s.connections = n
	for i, a := range s.waitAttrs {
		if a.Key == "db.client.connection.max" {
			s.waitAttrs[i].Value = tracewhy.IntOf(int64(n))
		}
	}
}

// calling returns the entries that call an operation first hand.
func (e *estate) calling(op *operation) map[*entry]bool {
	out := map[*entry]bool{}
	for _, en := range e.entries {
		for _, s := range en.op.steps {
			if s.to == op {
				out[en] = true
			}
		}
	}
	return out
}

// distract records what else people did that night: deployments and settings of services that logins need and of
// others, some at the very time when logins begin to fail.
func (d *draft) distract(s, db *service) {
	r := d.rng
	surge := d.traffic.profile[4].at
	var path, others []*service
	needed := d.needs(s)
	for _, x := range d.untouched(s) {
		if needed[x] {
			path = append(path, x)
		} else {
			others = append(others, x)
		}
	}
	shuffle(r, path)
	d.rollOutAll(s, surge-int64(between(r, 5, 18))*minute)
	if len(path) > 0 {
		d.scaleOut(path[0], surge+int64(between(r, 0, 4))*minute)
		path = path[1:]
	}
	path = append(path, s)
	d.adjust(pick(r, path...), d.fault.begins-int64(between(r, 5, 200))*minute)
	d.decoys(r.IntN(3), path, -3*hour, d.when.length)
	d.decoys(1+r.IntN(2), others, -3*hour, d.when.length)
	if chance(r, 0.5) { // of another database
		for _, x := range d.estate.services {
			if x.tech == techSQL && x != db {
				d.record(d.when.incident+int64(between(r, 60, 300))*minute, "maintenance", x.name, "statistics of the tables renewed")
				break
			}
		}
	}
}

// needs returns the services on the ways of the requests that need a service.
func (d *draft) needs(s *service) map[*service]bool {
	out := map[*service]bool{}
	for _, en := range d.estate.entries {
		seen := map[*service]bool{}
		for todo := []*operation{en.op}; len(todo) > 0; {
			op := todo[0]
			todo = todo[1:]
			seen[op.service] = true
			for _, next := range op.steps {
				todo = append(todo, next.to)
			}
		}
		if seen[s] {
			for x := range seen {
				out[x] = true
			}
		}
	}
	return out
}
