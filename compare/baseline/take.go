package baseline

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/stats"
)

// ErrEmpty is returned for a cohort without traces: nothing is normal in it.
var ErrEmpty = errors.New("baseline: there are no traces to take a baseline of")

// spansPerChunk is how many spans are read before the context is asked again, and questionsPerChunk how many things are
// compared.
const (
	spansPerChunk     = 10_000
	questionsPerChunk = 16
)

// Take makes the snapshot of a cohort. It takes time in O(n log n) for n spans, and memory in O(n) at worst: it is
// the number of operations, structures and names that counts.
//
// Its error is [ErrEmpty], the context's once that is cancelled, or says that a count would be too large to be
// written.
func Take(ctx context.Context, cohort tracewhy.Cohort, cfg Config) (*Snapshot, error) {
	if cohort.Len() == 0 {
		return nil, ErrEmpty
	}
	cfg = cfg.withDefaults()
	t := newTaker(cohort.Set(), cfg)
	since := 0
	for trace := range cohort.Traces() {
		if since += trace.NumSpans(); since >= spansPerChunk {
			since = 0
			if err := ctx.Err(); err != nil {
				return nil, err
			}
		}
		t.trace(trace)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s := t.snapshot()
	if err := s.check(); err != nil {
		return nil, fmt.Errorf("baseline: the traces cannot be counted: %w", err)
	}
	return s, nil
}

// taker goes through traces and counts.
type taker struct {
	cfg       Config
	set       *tracewhy.Set
	totals    Snapshot // what is counted once for each trace
	first     int64    // start of the earliest trace
	last      int64
	hasTime   bool
	paths     []*pathTally // by path
	touched   []tracewhy.PathID
	resources []*resourceTally // by number
	services  map[string]*serviceTally
	calls     []tracewhy.PathID // of one span
	number    int32             // of the trace, from 1
}

// pathTally is what is known of a path while traces are read.
type pathTally struct {
	op             Operation // its plain counts
	durations      counter
	traceDurations counter
	perCaller      counter
	shapes         []shapeTally
	shapeAt        map[uint64]int32
	peers          map[string]*nameTally

	now struct { // of the current trace
		executions, timed int64
		failed            bool
		sumHigh, sumLow   uint64 // of durations
	}
}

type shapeTally struct {
	calls              []tracewhy.PathID
	executions, traces int64
	last               int32 // trace
}

// nameTally is a Tally that knows which trace it counted last.
type nameTally struct {
	Tally
	last, lastFailed int32
}

func (n *nameTally) add(trace int32, failed bool) {
	n.Executions++
	if n.last != trace {
		n.last = trace
		n.Traces++
	}
	if !failed {
		return
	}
	n.Failed++
	if n.lastFailed != trace {
		n.lastFailed = trace
		n.FailedTraces++
	}
}

type serviceTally struct {
	spans, traces       int64
	last                int32
	versions, instances map[string]*nameTally
}

// resourceTally is where the spans of a resource count: nil where it has no version or instance.
type resourceTally struct {
	service           *serviceTally
	version, instance *nameTally
}

func newTaker(set *tracewhy.Set, cfg Config) *taker {
	return &taker{cfg: cfg, set: set, paths: make([]*pathTally, set.NumPaths()), services: map[string]*serviceTally{}}
}

func (t *taker) trace(trace tracewhy.Trace) {
	t.number++
	s := &t.totals
	s.Traces++
	s.Spans += int64(trace.NumSpans())
	weight := int64(math.Round(1000 * trace.Weight()))
	s.Weight += weight
	if start, _, ok := trace.Interval(); ok {
		if !t.hasTime {
			t.first, t.last, t.hasTime = start, start, true
		}
		t.first, t.last = min(t.first, start), max(t.last, start)
		s.Hours[time.Unix(0, start).UTC().Hour()]++
	}
	missing := trace.Missing()
	if missing.Root {
		s.Fragments++
		return
	}
	isWhole := missing.Completeness() == 1 && !missing.RootEnd
	if !isWhole {
		s.Incomplete++
	}
	root := trace.Root()
	counts := false // whether the span is of a tree that does
	for span := range trace.Spans() {
		if _, isChild := span.Parent(); !isChild {
			counts = span == root || !span.Path().IsOrphan()
		}
		if !counts {
			s.Detached++
			continue
		}
		t.span(span, isWhole)
	}
	if !missing.RootEnd {
		t.request(root, weight)
	}
	t.endTrace(isWhole)
}

// request counts how the trace ended.
func (t *taker) request(root tracewhy.Span, weight int64) {
	op := &t.paths[root.Path().ID()].op
	op.Requests++
	op.Weight += weight
	switch t.cfg.Outcome.Of(root.Trace()) {
	case tracewhy.OutcomeFailed:
		op.FailedRequests++
		op.FailedWeight += weight
	case tracewhy.OutcomeAbandoned:
		op.Abandoned++
	}
}

func (t *taker) span(s tracewhy.Span, isWhole bool) {
	id := s.Path().ID()
	p := t.paths[id]
	if p == nil {
		p = &pathTally{shapeAt: map[uint64]int32{}}
		t.paths[id] = p
	}
	if p.now.executions == 0 {
		t.touched = append(t.touched, id)
	}
	p.now.executions++
	failed := s.Failed()
	if failed {
		p.op.Failed++
		p.now.failed = true
	}
	if d := s.Duration(); d >= 0 {
		p.durations.add(int64(d))
		var carry uint64
		p.now.sumLow, carry = bits.Add64(p.now.sumLow, uint64(d), 0)
		p.now.sumHigh += carry
		p.now.timed++
	}
	t.resource(s, failed)
	if !isWhole {
		return // what it called may be missing
	}
	t.shape(p, s)
	if k := s.Kind(); s.HasChildren() || k == tracewhy.KindServer || k == tracewhy.KindConsumer {
		return
	}
	if name, _ := s.Peer(); name != "" {
		if p.peers == nil {
			p.peers = map[string]*nameTally{}
		}
		tallyOf(p.peers, name).add(t.number, failed)
	}
}

func tallyOf(m map[string]*nameTally, name string) *nameTally {
	name = short(name)
	n := m[name]
	if n == nil {
		n = &nameTally{Tally: Tally{Name: name}}
		m[name] = n
	}
	return n
}

// resource counts a span for its service, version and instance.
func (t *taker) resource(s tracewhy.Span, failed bool) {
	at := s.ResourceIndex()
	if at >= len(t.resources) {
		t.resources = append(t.resources, make([]*resourceTally, at+1-len(t.resources))...)
	}
	r := t.resources[at]
	if r == nil {
		r = &resourceTally{}
		name := short(s.Service())
		if r.service = t.services[name]; r.service == nil {
			r.service = &serviceTally{versions: map[string]*nameTally{}, instances: map[string]*nameTally{}}
			t.services[name] = r.service
		}
		if v, ok := s.ResourceAttr("service.version"); ok && v.String() != "" {
			r.version = tallyOf(r.service.versions, v.String())
		}
		if name := s.Instance(); name != "" {
			r.instance = tallyOf(r.service.instances, name)
		}
		t.resources[at] = r
	}
	r.service.spans++
	if r.service.last != t.number {
		r.service.last = t.number
		r.service.traces++
	}
	if r.version != nil {
		r.version.add(t.number, failed)
	}
	if r.instance != nil {
		r.instance.add(t.number, failed)
	}
}

// shape counts the set of calls that an execution makes.
func (t *taker) shape(p *pathTally, s tracewhy.Span) {
	t.calls = t.calls[:0]
	for c := range s.Children() {
		id := c.Path().ID()
		if n := len(t.calls); n == 0 || t.calls[n-1] != id {
			t.calls = append(t.calls, id)
		}
	}
	slices.Sort(t.calls)
	t.calls = slices.Compact(t.calls)
	key := uint64(len(t.calls))
	for _, id := range t.calls {
		key = (key ^ uint64(id)) * 0x9e3779b97f4a7c15
		key ^= key >> 32
	}
	var x *shapeTally
	for ; ; key++ { // past shapes whose key is the same by chance
		at, ok := p.shapeAt[key]
		if !ok {
			p.shapeAt[key] = int32(len(p.shapes))
			p.shapes = append(p.shapes, shapeTally{calls: slices.Clone(t.calls)})
			x = &p.shapes[len(p.shapes)-1]
			break
		}
		if slices.Equal(p.shapes[at].calls, t.calls) {
			x = &p.shapes[at]
			break
		}
	}
	x.executions++
	if x.last != t.number {
		x.last = t.number
		x.traces++
	}
}

// endTrace counts once what the trace has of each path.
func (t *taker) endTrace(isWhole bool) {
	for _, id := range t.touched {
		p := t.paths[id]
		p.op.Executions += p.now.executions
		p.op.Traces++
		if p.now.failed {
			p.op.FailedTraces++
		}
		if p.now.timed > 0 {
			mean, _ := bits.Div64(p.now.sumHigh, p.now.sumLow, uint64(p.now.timed))
			p.traceDurations.add(int64(mean))
		}
		if !isWhole {
			continue
		}
		p.op.Whole++
		if caller, ok := t.set.Path(id).Parent(); ok {
			if c := t.paths[caller.ID()]; c != nil && c.now.executions > 0 {
				p.perCaller.add(1000 * p.now.executions / c.now.executions)
			}
		}
	}
	for _, id := range t.touched {
		p := t.paths[id]
		p.now.executions, p.now.timed, p.now.failed, p.now.sumHigh, p.now.sumLow = 0, 0, false, 0, 0
	}
	t.touched = t.touched[:0]
}

// snapshot puts together what was counted.
func (t *taker) snapshot() *Snapshot {
	s := t.totals
	s.Schema, s.Outcome = Schema, t.cfg.Outcome.String()
	s.MaxOperations, s.MaxNames = t.cfg.MaxOperations, t.cfg.MaxNames
	if t.hasTime {
		s.First, s.Last = time.Unix(0, t.first).UTC(), time.Unix(0, t.last).UTC()
	}
	tree := newTree(s.MaxNames)
	nodes := make([]*node, len(t.paths))
	for id, p := range t.paths {
		if p == nil {
			continue
		}
		path := t.set.Path(tracewhy.PathID(id))
		above := tree.root
		if caller, ok := path.Parent(); ok {
			above = nodes[caller.ID()]
		}
		nodes[id] = tree.add(above, t.operation(path, p))
	}
	tree.finish(&s)
	var services []Service
	for name, x := range t.services {
		services = append(services, Service{
			Name: name, Spans: x.spans, Traces: x.traces,
			Versions: talliesOf(x.versions), Instances: talliesOf(x.instances),
		})
	}
	s.setServices(services)
	return &s
}

func (t *taker) operation(path tracewhy.Path, p *pathTally) Operation {
	o := p.op
	o.Service, o.Name, o.Kind = names(path)
	o.Durations, o.PerCaller = p.durations.histogram(), p.perCaller.histogram()
	o.setTraceDurations(p.traceDurations.histogram())
	o.Peers = talliesOf(p.peers)
	at := map[[3]string]int{}
	for _, x := range p.shapes {
		if len(x.calls) > maxCallees {
			o.OtherShapes += x.executions
			continue
		}
		shape := Shape{Callees: []int{}, Executions: x.executions, Traces: x.traces}
		for _, id := range x.calls {
			var callee [3]string
			callee[0], callee[1], callee[2] = names(t.set.Path(id))
			i, ok := at[callee]
			if !ok {
				i = len(o.Callees)
				at[callee] = i
				o.Callees = append(o.Callees, callee)
			}
			shape.Callees = append(shape.Callees, i)
		}
		o.Shapes = append(o.Shapes, shape)
	}
	return o
}

func names(p tracewhy.Path) (service, name, kind string) {
	return short(p.Service()), short(p.Operation()), p.Kind().String()
}

func talliesOf(m map[string]*nameTally) []Tally {
	list := make([]Tally, 0, len(m))
	for _, n := range m {
		list = append(list, n.Tally)
	}
	return list
}

// setTraceDurations keeps h if it says more than the durations of executions.
func (o *Operation) setTraceDurations(h Histogram) {
	o.TraceDurations = nil
	if !slices.Equal(h, o.Durations) {
		o.TraceDurations = &h
	}
}

// The limits of names and of structures. A longer name is cut, and ends with its hash. A structure of more calls is
// counted as left out.
const (
	maxName    = 1024
	maxCallees = 64
)

// short returns the name as a snapshot has it.
func short(name string) string {
	if len(name) <= maxName {
		return name
	}
	cut := maxName - 24
	for cut > 0 && !utf8.RuneStart(name[cut]) {
		cut--
	}
	return name[:cut] + "… " + strconv.FormatUint(stats.Key(name), 16)
}
