package capacity

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/timeline/internal/peer"
)

// cancelEvery is how many traces are read between looks at the context.
const cancelEvery = 256

// use is a time in which something was under way, and how many such times it stands for.
type use struct {
	start, end int64
	weight     float64
}

// pause is time before a use in which it may have waited.
type pause struct {
	use
	usual int // the number of what it is compared with, or isNamed
}

// isNamed says of a pause that a span says that it is a wait.
const isNamed = -1

// user is a resource and who used it when.
type user struct {
	id      userID
	uses    []use
	waiting []use   // waits that have spans
	pauses  []pause // in which something waited if they are long
	// holds are, of a pool, until the caller ended instead of until its next call did.
	holds  []use
	stated int // the limit that spans name
	// took and own are the time of all uses, and that of them in which no call of theirs was under way.
	took, own int64
}

type userID struct {
	kind                    Kind
	service, instance, name string
}

func (x userID) compare(y userID) int {
	return cmp.Or(cmp.Compare(x.kind, y.kind), strings.Compare(x.service, y.service),
		strings.Compare(x.instance, y.instance), strings.Compare(x.name, y.name))
}

func (x *user) add(u use, own int64) {
	x.uses = append(x.uses, u)
	x.took, x.own = x.took+u.end-u.start, x.own+own
}

// users collects who used which resource of a kind.
type users struct {
	kind       Kind
	numbers    map[userID]int // only looked up
	all        []*user
	names      map[int][2]string // by resource of a Set: the service and instance
	isWait     map[tracewhy.PathID]bool
	usual      map[[2]int]int // numbers of what pauses are compared with; only looked up
	own        []int64        // self times, by span
	isWeighted bool
}

func newUsers(kind Kind) *users {
	return &users{kind: kind, numbers: map[userID]int{}, names: map[int][2]string{}, isWait: map[tracewhy.PathID]bool{}, usual: map[[2]int]int{}}
}

// read collects the uses of all spans.
func (u *users) read(ctx context.Context, traces tracewhy.Cohort) error {
	read := 0
	u.own = traces.Set().SelfTimes()
	for t := range traces.Traces() {
		if read++; read%cancelEvery == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		weight := t.Weight()
		u.isWeighted = u.isWeighted || weight != 1
		for s := range t.Spans() {
			start, end, ok := s.Interval()
			if !ok {
				continue
			}
			x := use{start, end, weight}
			switch u.kind {
			case Service, Instance:
				u.entered(s, x)
			case Dependency:
				u.called(s, x)
			case Pool:
				u.pooled(s, x)
			}
		}
	}
	return ctx.Err()
}

// namesOf returns the service and the instance of a span.
func (u *users) namesOf(s tracewhy.Span) [2]string {
	n, ok := u.names[s.ResourceIndex()]
	if !ok {
		n = [2]string{s.Service(), s.Instance()}
		u.names[s.ResourceIndex()] = n
	}
	return n
}

func (u *users) of(id userID) *user {
	n, ok := u.numbers[id]
	if !ok {
		n = len(u.all)
		u.numbers[id] = n
		u.all = append(u.all, &user{id: id})
	}
	return u.all[n]
}

// entered notes what others asked of a service or instance.
func (u *users) entered(s tracewhy.Span, x use) {
	if !u.enters(s) {
		return
	}
	n := u.namesOf(s)
	id := userID{kind: u.kind, service: n[0]}
	if u.kind == Instance {
		if id.instance = n[1]; n[1] == "" {
			return
		}
	}
	to := u.of(id)
	to.add(x, u.own[s.Index()])
	p, hasParent := s.Parent()
	if u.kind != Instance || !hasParent || !s.IsRemote() || s.IsAsync() {
		return
	}
	// The clocks of two hosts differ: what counts is by how much a request is longer than the shortest.
	if start, _, ok := p.Interval(); ok {
		to.pauses = append(to.pauses, pause{use{start, x.start, x.weight}, u.compared(p.ResourceIndex(), s.ResourceIndex())})
	}
}

// enters reports whether a span is what others asked of its service.
func (u *users) enters(s tracewhy.Span) bool {
	p, ok := s.Parent()
	return !ok || u.namesOf(p)[0] != u.namesOf(s)[0]
}

// compared returns the number of what a pause is compared with.
func (u *users) compared(a, b int) int {
	k := [2]int{a, b}
	n, ok := u.usual[k]
	if !ok {
		n = len(u.usual)
		u.usual[k] = n
	}
	return n
}

// called notes calls to a peer, and pauses that led to them.
func (u *users) called(s tracewhy.Span, x use) {
	if callee, ok := peer.Of(s); ok {
		n := u.namesOf(s)
		own := u.own[s.Index()]
		if s.HasChildren() {
			own = 0 // its remote side is another resource
		}
		u.of(userID{u.kind, n[0], n[1], callee}).add(x, own)
	}
	if !s.HasChildren() {
		return
	}
	for g := range s.Gaps() {
		if g.Class != tracewhy.GapBeforeFirst && g.Class != tracewhy.GapBetween {
			continue
		}
		callee, ok := peer.Of(g.Child)
		if n := u.namesOf(g.Child); ok && n == u.namesOf(s) {
			to := u.of(userID{u.kind, n[0], n[1], callee})
			to.pauses = append(to.pauses, pause{use{g.Start, g.End, x.weight}, u.compared(int(g.Child.Path().ID()), int(g.Class))})
		}
	}
}

// pooled notes waits that have a span, and what they waited for.
func (u *users) pooled(s tracewhy.Span, x use) {
	if s.HasChildren() || !u.waits(s.Path()) {
		return
	}
	n := u.namesOf(s)
	to := u.of(userID{u.kind, n[0], n[1], s.Operation()})
	to.waiting = append(to.waiting, x)
	to.pauses = append(to.pauses, pause{x, isNamed})
	if v, ok := s.Attr("db.client.connection.max"); ok {
		if f, isNumber := v.Number(); isNumber && f >= 1 && f <= 1e6 {
			to.stated = max(to.stated, int(f))
		}
	}
	p, ok := s.Parent()
	if s.Failed() || !ok {
		return
	}
	if _, end, ok := p.Interval(); ok && end >= x.end {
		to.holds = append(to.holds, use{x.end, end, x.weight})
	}
	for c := range p.Children() {
		if start, end, ok := c.Interval(); ok && c != s && start >= x.end && !u.waits(c.Path()) {
			to.uses = append(to.uses, use{x.end, end, x.weight})
			return
		}
	}
}

// waits reports whether a path is named as a wait for something that is shared.
func (u *users) waits(p tracewhy.Path) bool {
	is, ok := u.isWait[p.ID()]
	if !ok {
		is = (p.Kind() == tracewhy.KindInternal || p.Kind() == tracewhy.KindUnspecified) && namesWait(p.Operation())
		u.isWait[p.ID()] = is
	}
	return is
}

var (
	waitVerbs = []string{"wait", "await", "acquire", "checkout", "borrow", "get", "obtain", "lease"}
	waitNouns = []string{"connection", "conn", "pool", "lock", "mutex", "semaphore", "permit", "slot"}
)

// namesWait reports whether a name is that of a wait for a pool or lock, as "pool.acquire", "wait for lock" and
// "HikariDataSource.getConnection" are. That of a request is not.
func namesWait(name string) bool {
	if strings.Contains(name, "/") {
		return false
	}
	verb, noun := false, false
	for word := range words(name) {
		verb = verb || slices.ContainsFunc(waitVerbs, func(v string) bool { return strings.HasPrefix(word, v) && len(word) <= len(v)+3 })
		noun = noun || slices.Contains(waitNouns, strings.TrimSuffix(word, "s"))
	}
	return verb && noun
}

// words yields the words of a name, in lower case.
func words(name string) iter.Seq[string] {
	return func(yield func(string) bool) {
		from, wasLower := 0, false
		for i, r := range name {
			isBreak := !unicode.IsLetter(r)
			if isBreak || wasLower && unicode.IsUpper(r) {
				if from < i && !yield(strings.ToLower(name[from:i])) {
					return
				}
				if from = i; isBreak {
					_, size := utf8.DecodeRuneInString(name[i:])
					from += size
				}
			}
			wasLower = unicode.IsLower(r)
		}
		if from < len(name) {
			yield(strings.ToLower(name[from:]))
		}
	}
}

// most returns the resources with enough uses, by name, and how many had to be left out.
func (u *users) most(cfg ResourcesConfig) (all []*user, left int) {
	count := func(x *user) int { return max(len(x.uses), len(x.waiting)) }
	for _, x := range u.all {
		if count(x) >= cfg.MinCalls {
			all = append(all, x)
		}
	}
	if len(all) > cfg.MaxResources {
		slices.SortFunc(all, func(x, y *user) int { return cmp.Or(cmp.Compare(count(y), count(x)), x.id.compare(y.id)) })
		left = len(all) - cfg.MaxResources
		all = all[:cfg.MaxResources]
	}
	slices.SortFunc(all, func(x, y *user) int { return x.id.compare(y.id) })
	return all, left
}

// A pause is a wait if it is longer than several usual ones, and by more than a scheduler makes it. What is usual is
// not known where nearly all wait: it is looked for among the quarter, and the fiftieth, of them that are shortest.
const (
	usualPauses  = 4
	shortestWait = int64(time.Millisecond)
)

var usualShares = [...]float64{0.25, 0.02}

// delays returns the pauses that were waits: those that are much longer than usual, and only what is beyond that of
// each. A span that is named as a wait is nothing else.
func (x *user) delays(share float64) []use {
	shortest, usual := map[int]int64{}, map[int]int64{} // only looked up
	sorted := slices.Clone(x.pauses)
	slices.SortFunc(sorted, func(a, b pause) int {
		return cmp.Or(cmp.Compare(a.usual, b.usual), cmp.Compare(a.end-a.start, b.end-b.start))
	})
	for from := 0; from < len(sorted); {
		to := from
		for to < len(sorted) && sorted[to].usual == sorted[from].usual {
			to++
		}
		at := func(i int) int64 { return sorted[i].end - sorted[i].start }
		if x.id.kind == Instance {
			shortest[sorted[from].usual] = at(from)
		}
		usual[sorted[from].usual] = at(from+int(share*float64(to-from))) - shortest[sorted[from].usual]
		from = to
	}
	delete(shortest, isNamed)
	delete(usual, isNamed)
	var out []use
	for _, p := range x.pauses {
		took := p.end - p.start - shortest[p.usual]
		if took > usualPauses*usual[p.usual] && took-usual[p.usual] > shortestWait {
			out = append(out, use{p.end - (took - usual[p.usual]), p.end, p.weight})
		}
	}
	return out
}
