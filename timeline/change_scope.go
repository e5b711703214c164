package timeline

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/tracewhy/tracewhy"
)

// role says what an execution is to the thing that was changed.
type role uint8

const (
	roleOwn   role = iota // work of its own
	roleIn                // the way of a call to it, or, where it has no spans, all of the call
	roleOut               // the way of a call that it made, or all of the call where that has no spans
	roleMade              // how many calls it made for each that it answered; of what is called, how many its caller made
	roleAsks              // that a trace began in it and passed the culprit, of all traces
	roleKinds             // as roleMade, of how many different calls; it only says what the calls are for
	roles
)

// A scope is what a change could have acted on by itself.
type scope struct {
	change Change // one that has it
	since  int64  // when its version was first seen
	host   bool   // it names a machine rather than a service
	begins bool   // traces that passed a culprit that was asked for too much began in it

	nodes  []int
	taken  [roles][]execution
	latest map[place]int // the index in taken of the last execution; only looked up
	passed int           // traces

	onTrace, offTrace bool // of the trace that is read
	doses             []dose
	paths             map[tracewhy.PathID]bool // whether a path has the operation; only looked up

	streams []stream
	kinds   []stream // of roleKinds
	spared  bool     // calls were made first, before anything else rose, that were spared before
}

// An execution is what happened in one trace, at one path.
type execution struct {
	at, amount int64
	path       tracewhy.PathID
	trace      int32
	failed     bool
}

type place struct {
	role role
	path tracewhy.PathID
}

// A dose is a trace that passed the service of which an instance or a version was changed.
type dose struct {
	at           int64
	root         tracewhy.PathID
	on, affected bool
}

// newScope returns the scope of a candidate, which candidates of equal scope share.
func (k *ranking) newScope(x *candidate, known map[string]*scope) *scope {
	c := x.change
	c.Version, c.Instance = cmp.Or(c.Version, x.seen.Version), cmp.Or(c.Instance, x.instance)
	since := x.until
	if x.seen.Version != "" {
		since = nanos(x.seen.Until)
	}
	key := fmt.Sprintf("%q %q %q %q", fold(c.Service), c.Instance, c.Version, c.Operation)
	if c.Version != "" {
		key += fmt.Sprint(since)
	}
	if s, ok := known[key]; ok {
		return s
	}
	s := &scope{change: c, since: since, latest: map[place]int{}, paths: map[tracewhy.PathID]bool{}}
	known[key] = s
	k.scopes = append(k.scopes, s)
	name := fold(c.Service)
	k.byName[name] = append(k.byName[name], s)
	return s
}

// partial reports whether only some executions of the service met the change.
func (s *scope) partial() bool { return s.change.Version != "" || s.change.Instance != "" }

// read reads the recording: what calls what, what affected traces passed, and all executions in scopes of changes.
func (k *ranking) read(ctx context.Context) error {
	k.graph = newCallGraph()
	sources := make([]*source, 0)
	var order []int // of resources, by number
	both := k.traces.Or(k.cfg.Baseline)
	if k.cfg.Baseline.Set() != k.traces.Set() {
		both = k.traces
	}
	read := 0
	for t := range both.Traces() {
		if read++; read%cancelEvery == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		for s := range t.Spans() {
			r := s.ResourceIndex()
			for r >= len(sources) {
				sources = append(sources, nil)
			}
			if sources[r] == nil {
				i, _ := k.graph.at(node{name: s.Service()})
				x := newSource(s, i)
				sources[r] = &x
				order = append(order, r)
			}
		}
	}
	slices.Sort(order)
	byName := map[string][]*source{} // only looked up
	for _, r := range order {
		for _, name := range k.graph.nodes[sources[r].node].names() {
			byName[name] = append(byName[name], sources[r])
		}
	}
	known := map[string]*scope{} // only looked up
	k.byName = map[string][]*scope{}
	k.culprits = map[int]bool{}
	k.statements = map[tracewhy.PathID]bool{}
	for i := range k.items {
		x := &k.items[i]
		for _, y := range byName[fold(x.change.Service)] {
			if x.change.Instance == "" {
				x.instance = cmp.Or(x.instance, y.mentioned(x.change.Description))
			}
		}
		x.scope = k.newScope(x, known)
	}
	of := make([][]*scope, len(k.graph.nodes))
	for i := range k.graph.nodes {
		of[i] = k.join(i)
	}
	for _, s := range k.scopes {
		if len(s.nodes) > 0 {
			continue
		}
		for _, r := range order {
			if y := sources[r]; y.isOn(s.change.Service) {
				s.host = true
				if !slices.Contains(s.nodes, y.node) {
					s.nodes = append(s.nodes, y.node)
					of[y.node] = append(of[y.node], s)
				}
			}
		}
	}
	v := &visit{ranking: k, sources: sources, of: of, made: map[int]*made{}, called: map[[2]int]bool{}, kinds: map[kind]bool{}}
	for t := range both.Traces() {
		if read++; read%cancelEvery == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		v.trace(t)
	}
	for _, s := range k.scopes {
		if len(s.nodes) == 0 {
			k.unseen++
		}
	}
	return ctx.Err()
}

// mentioned returns the name of the instance, or the machine, that a text mentions, or "".
func (x *source) mentioned(text string) string {
	for _, h := range append([]string{x.instance}, x.hosts...) {
		if mentions(text, h) {
			return h
		}
	}
	return ""
}

// join adds a node to the scopes that it is of, and returns these.
func (k *ranking) join(i int) []*scope {
	var out []*scope
	for _, name := range k.graph.nodes[i].names() {
		for _, s := range k.byName[name] {
			if !s.host {
				s.nodes = append(s.nodes, i)
				out = append(out, s)
			}
		}
	}
	return out
}

// A visit reads traces one after the other.
type visit struct {
	*ranking
	sources []*source
	of      [][]*scope // by node

	passed []int // the nodes of a trace, each once
	made   map[int]*made
	order  []int           // the keys of made
	stamps []int           // by node, the trace that passed it last, counted from 1
	called map[[2]int]bool // from which node to which a trace called; only looked up
	kinds  map[kind]bool   // likewise, at which path
}

// A kind of call is what a node calls at one path.
type kind struct {
	from int
	path tracewhy.PathID
}

// made is what a service did in a trace.
type made struct {
	entries, calls int64
	kinds          int64 // paths that it made calls at
	at             int64
	path           tracewhy.PathID
	called         []int
}

func (v *visit) trace(t tracewhy.Trace) {
	start, _, ok := t.Interval()
	if !ok {
		return
	}
	isLater := !v.traces.Has(t) && start > v.last // of a baseline that came after
	if !isLater && (start < v.start || start > v.end) {
		return
	}
	v.passed, v.order = v.passed[:0], v.order[:0]
	clear(v.made)
	clear(v.called)
	clear(v.kinds)
	for _, s := range v.scopes {
		s.onTrace, s.offTrace = false, false
	}
	for s := range t.Spans() {
		if at, end, ok := s.Interval(); ok {
			if isLater {
				at, end = v.before, v.before+end-at
			}
			v.span(t, s, at, end-at)
		}
	}
	for _, i := range v.order {
		v.tellCalls(t, i)
	}
	if v.cfg.Demand && !isLater {
		v.asks = append(v.asks, asking{start, v.sources[t.Root().ResourceIndex()].node, slices.ContainsFunc(v.passed, v.isCulprit)})
	}
	affected := v.cfg.Affected.Has(t)
	which := 1
	if affected {
		which = 0
	}
	if !isLater && start >= v.first { // others at the same time: those before could not be affected
		v.graph.traces[which]++
		for _, i := range v.passed {
			v.graph.passes[i][which]++
		}
	}
	for _, s := range v.scopes {
		if s.onTrace || s.offTrace {
			s.passed++
			// Of those that passed both it cannot be said.
			if s.partial() && s.onTrace != s.offTrace && !isLater && start >= max(v.first, s.since) {
				s.doses = append(s.doses, dose{start, t.Root().Path().ID(), s.onTrace, affected})
			}
		}
	}
}

// asking is what a trace began in, and whether it passed the culprit.
type asking struct {
	at     int64
	begins int // a node
	passes bool
}

// isCulprit reports whether a node is what the incident was traced to.
func (k *ranking) isCulprit(i int) bool {
	is, ok := k.culprits[i]
	if !ok {
		is = slices.Contains(k.graph.nodes[i].names(), fold(k.cfg.Culprit))
		k.culprits[i] = is
	}
	return is
}

// begins reports whether traces that passed the culprit began in the scope.
func (k *ranking) begins(s *scope) bool {
	return slices.ContainsFunc(k.asks, func(x asking) bool { return x.passes && slices.Contains(s.nodes, x.begins) })
}

// node returns the number of a node, and joins it to scopes if it is new.
func (v *visit) node(n node) int {
	i, isNew := v.graph.at(n)
	if isNew {
		v.of = append(v.of, v.join(i))
	}
	return i
}

func (v *visit) pass(t tracewhy.Trace, i int) {
	for i >= len(v.stamps) {
		v.stamps = append(v.stamps, 0)
	}
	if v.stamps[i] != t.Index()+1 {
		v.stamps[i] = t.Index() + 1
		v.passed = append(v.passed, i)
	}
}

// span reads a span.
func (v *visit) span(t tracewhy.Trace, s tracewhy.Span, at, took int64) {
	here := v.sources[s.ResourceIndex()]
	v.pass(t, here.node)
	m := v.makes(here.node)
	if p, ok := s.Parent(); !ok || v.sources[p.ResourceIndex()].node != here.node {
		if m.entries++; m.entries == 1 {
			m.at, m.path = at, s.Path().ID()
		}
	}
	remote, hasRemote := remoteOf(s)
	if hasRemote {
		there := v.sources[remote.ResourceIndex()]
		if there.node == here.node {
			return
		}
		way := took
		if start, end, ok := remote.Interval(); ok {
			way = max(took-(end-start), 0)
		}
		failed := s.Failed() && !remote.Failed()
		v.call(m, here.node, there.node, s.Path().ID())
		// A caller that gives up while it is answered says what the answer takes, which may be the doing of others.
		v.tell(there.node, roleIn, t, s, there, at, way, failed && way >= took-way)
		v.tell(here.node, roleOut, t, s, here, at, way, failed)
		return
	}
	if peer, _ := s.Peer(); peer != "" && s.Kind() != tracewhy.KindServer && s.Kind() != tracewhy.KindConsumer && !s.HasChildren() {
		there := v.node(node{peer, true})
		v.pass(t, there)
		if isStatement(s) {
			v.statements[s.Path().ID()] = true
		}
		v.call(m, here.node, there, s.Path().ID())
		v.tell(there, roleIn, t, s, nil, at, took, s.Failed())
		v.tell(here.node, roleOut, t, s, here, at, took, s.Failed())
		return
	}
	failed := s.Failed()
	for c := range s.Children() {
		failed = failed && !c.Failed()
	}
	v.tell(here.node, roleOwn, t, s, here, at, int64(s.SelfTime()), failed)
}

// isStatement reports whether a span is of a call to a database.
func isStatement(s tracewhy.Span) bool {
	for _, key := range [...]string{"db.system.name", "db.system"} {
		if _, ok := s.Attr(key); ok {
			return true
		}
	}
	return false
}

// remoteOf returns the other side of a call, if it has a span.
func remoteOf(s tracewhy.Span) (tracewhy.Span, bool) {
	for c := range s.Children() {
		if c.IsRemote() {
			return c, true
		}
	}
	return tracewhy.Span{}, false
}

func (v *visit) makes(i int) *made {
	m, ok := v.made[i]
	if !ok {
		m = &made{}
		v.made[i] = m
		v.order = append(v.order, i)
	}
	return m
}

func (v *visit) call(m *made, from, to int, path tracewhy.PathID) {
	v.graph.callees[from][to] = true
	m.calls++
	if at := (kind{from, path}); !v.kinds[at] {
		v.kinds[at] = true
		m.kinds++
	}
	if !v.called[[2]int{from, to}] {
		v.called[[2]int{from, to}] = true
		m.called = append(m.called, to)
	}
}

// tellCalls tells how many calls a service made in a trace, to its own scopes and to those of what it called.
func (v *visit) tellCalls(t tracewhy.Trace, i int) {
	m := v.made[i]
	if m.entries == 0 {
		return
	}
	x := execution{at: m.at, amount: 1000 * m.calls / m.entries, path: m.path, trace: int32(t.Index())}
	kinds := x
	kinds.amount = m.kinds
	tell := func(node int) {
		for _, s := range v.of[node] {
			if s.onTrace {
				s.take(roleMade, x)
				s.take(roleKinds, kinds)
			}
		}
	}
	tell(i)
	for _, j := range m.called {
		tell(j)
	}
}

// tell tells an execution to the scopes of a node. Where is what executed it; nil if that has no spans.
func (v *visit) tell(i int, r role, t tracewhy.Trace, sp tracewhy.Span, where *source, at, amount int64, failed bool) {
	for _, s := range v.of[i] {
		if s.change.Operation != "" && !s.has(sp.Path()) {
			continue
		}
		isOn := true
		switch c := &s.change; {
		case s.host:
			isOn = where != nil && where.isOn(c.Service)
		case c.Instance != "" && where != nil:
			isOn = where.isOn(c.Instance)
		case c.Version != "" && where != nil:
			isOn = where.version == c.Version
		}
		s.onTrace, s.offTrace = s.onTrace || isOn, s.offTrace || !isOn
		// Executions before there was a new version are what it is compared with.
		if isOn || s.change.Version != "" && s.change.Instance == "" && at < s.since {
			s.take(r, execution{at, amount, sp.Path().ID(), int32(t.Index()), failed})
		}
	}
}

// has reports whether a path is of the operation that was changed.
func (s *scope) has(p tracewhy.Path) bool {
	is, ok := s.paths[p.ID()]
	if ok {
		return is
	}
	want := fold(s.change.Operation)
	for q, up := p, true; up && !is; q, up = q.Parent() {
		is = fold(q.Operation()) == want
	}
	s.paths[p.ID()] = is
	return is
}

// take adds an execution, or, if its trace had one at the same path, makes them one.
func (s *scope) take(r role, x execution) {
	at := place{r, x.path}
	if i, ok := s.latest[at]; ok && s.taken[r][i].trace == x.trace {
		y := &s.taken[r][i]
		y.at, y.amount, y.failed = min(x.at, y.at), max(x.amount, y.amount), x.failed || y.failed
		return
	}
	s.latest[at] = len(s.taken[r])
	s.taken[r] = append(s.taken[r], x)
}
