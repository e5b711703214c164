package depgraph

import (
	"cmp"
	"context"
	"slices"

	"github.com/tracewhy/tracewhy"
)

// NodeKind says what a [Node] is.
type NodeKind string

// The kinds of nodes. Operations and instances are those of services.
const (
	NodeService    NodeKind = "service"
	NodeDependency NodeKind = "dependency" // is called, and has no spans of its own
	NodeOperation  NodeKind = "operation"
	NodeInstance   NodeKind = "instance"
)

// Graph is what calls what, in the traces of a cohort.
type Graph struct {
	Traces   int                `json:"traces"`
	Weight   float64            `json:"weight"` // how many traces they stand for
	Nodes    []Node             `json:"nodes"`  // by kind, then service and name
	Edges    []Edge             `json:"edges"`  // by the nodes that they lead from and to
	Warnings []tracewhy.Warning `json:"warnings"`
}

// Node is a service, one of its operations or instances, or something that services call.
type Node struct {
	ID      string   `json:"id"` // the kind and the names: unique in its Graph
	Kind    NodeKind `json:"kind"`
	Service string   `json:"service"` // of an operation or instance; "" for a dependency
	Name    string   `json:"name"`
	Class   Class    `json:"class"`

	// As tags and rules say: "" if none does. Owner is the team, or else the vendor.
	Vendor      string `json:"vendor"`
	Category    string `json:"category"`
	Criticality string `json:"criticality"`
	Owner       string `json:"owner"`

	Calls Calls `json:"calls"` // made to it
	// OnPath is its share of all time that customers waited: of the critical paths of all traces. That of a
	// service is its own work. Of operations and instances it is not known.
	OnPath tracewhy.Estimate `json:"on_path"`
	// Reach is the share of all traffic that passes the node, and Roots the operations that this begins
	// with, the largest part of the node's traffic first: what suffers if the node does.
	Reach tracewhy.Estimate `json:"reach"`
	Roots []Reach           `json:"roots"`
}

// Reach is how much of the traffic of one root operation passes a node.
type Reach struct {
	Service   string            `json:"service"`
	Operation string            `json:"operation"`
	Traces    int               `json:"traces"` // that pass the node
	Failed    int               `json:"failed"` // of these
	Share     tracewhy.Estimate `json:"share"`  // of the root operation's traces
}

// Edge is the calls from one node to another: between services and dependencies, or their operations.
type Edge struct {
	From  string `json:"from"`
	To    string `json:"to"`
	Calls Calls  `json:"calls"`
	// Request and Response are the time between the two sides, where both have spans, in milliseconds: from
	// the start of the call to that of the other side, and from its end to that of the call. Each is off by
	// the difference of two clocks, and may be negative; RoundTrip, their sum, is not.
	Request   tracewhy.Estimate `json:"request_p50_ms"`
	Response  tracewhy.Estimate `json:"response_p50_ms"`
	RoundTrip tracewhy.Estimate `json:"round_trip_p50_ms"`
	// Wait is how long the caller waited for a pool of its own, on average, as far as such waits have spans:
	// just before the call, or within it, which is then no time of the other side.
	Wait tracewhy.Estimate `json:"wait_mean_ms"`
}

// Build makes the graph of a cohort. It takes time in O(n log n) and memory in O(n) for n spans, and gives
// [ErrCohorts] if the cohort is empty, or the context's error once that is cancelled.
func Build(ctx context.Context, cohort tracewhy.Cohort, cfg Config) (*Graph, error) {
	v, err := newView(ctx, &cfg, tracewhy.Cohort{}, cohort)
	if err != nil {
		return nil, err
	}
	b := newGraphBuilder(v)
	if err := b.visit(ctx); err != nil {
		return nil, err
	}
	return b.graph(), nil
}

type nodeKey struct {
	kind          NodeKind
	service, name string
}

func (k nodeKey) id() string {
	if k.kind == NodeService || k.kind == NodeDependency {
		return string(k.kind) + ":" + k.name
	}
	return string(k.kind) + ":" + k.service + "/" + k.name
}

func (k nodeKey) compare(o nodeKey) int {
	return cmp.Or(cmp.Compare(nodeRank(k.kind), nodeRank(o.kind)), cmp.Compare(k.service, o.service), cmp.Compare(k.name, o.name))
}

func nodeRank(k NodeKind) int {
	return slices.Index([]NodeKind{NodeService, NodeDependency, NodeOperation, NodeInstance}, k)
}

type edgeKey struct{ from, to nodeKey }

// nodeTally is what is known of a node while traces are read.
type nodeTally struct {
	calls  []*call
	entity int32
	traces []int32 // that pass it
}

type graphBuilder struct {
	v     *view
	nodes map[nodeKey]*nodeTally
	edges map[edgeKey][]*call
	root  []tracewhy.PathID // by trace
	fails []bool            // by trace
}

func newGraphBuilder(v *view) *graphBuilder {
	return &graphBuilder{v: v, nodes: map[nodeKey]*nodeTally{}, edges: map[edgeKey][]*call{}}
}

func (b *graphBuilder) node(k nodeKey, entity int32) *nodeTally {
	n := b.nodes[k]
	if n == nil {
		n = &nodeTally{entity: entity}
		b.nodes[k] = n
	}
	return n
}

func (n *nodeTally) pass(trace int32) {
	if len(n.traces) == 0 || n.traces[len(n.traces)-1] != trace {
		n.traces = append(n.traces, trace)
	}
}

func (b *graphBuilder) entityNode(e int32) nodeKey {
	x := &b.v.entities[e]
	if x.isDependency {
		return nodeKey{NodeDependency, "", x.name}
	}
	return nodeKey{NodeService, x.name, x.name}
}

func operationNode(s tracewhy.Span) nodeKey {
	return nodeKey{NodeOperation, s.Service(), s.Operation()}
}

// visit goes through all spans and calls. Operations are those that a service is entered by.
func (b *graphBuilder) visit(ctx context.Context) error {
	next := 0
	entry := []tracewhy.Span{} // by place in the trace: the span by which its service was entered
	for i, t := range b.v.traces {
		if i%tracesPerChunk == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		trace, root := int32(i), t.Root()
		b.root = append(b.root, root.Path().ID())
		b.fails = append(b.fails, b.v.cfg.Outcome.Of(t) == tracewhy.OutcomeFailed)
		entry = entry[:0]
		for s := range t.Spans() {
			p, ok := s.Parent()
			isEntry := !ok || s.IsRemote() || p.Service() != s.Service()
			if !isEntry {
				entry = append(entry, entry[p.Index()-root.Index()])
				continue
			}
			entry = append(entry, s)
			e := b.v.serviceOf(s)
			b.node(b.entityNode(e), e).pass(trace)
			b.node(operationNode(s), e).pass(trace)
			if name := s.Instance(); name != "" {
				b.node(nodeKey{NodeInstance, s.Service(), name}, e).pass(trace)
			}
		}
		for ; next < len(b.v.calls) && b.v.calls[next].trace == trace; next++ {
			b.call(&b.v.calls[next], entry, root.Index())
		}
	}
	return nil
}

func (b *graphBuilder) call(c *call, entry []tracewhy.Span, first int) {
	from, to := b.entityNode(c.from), b.entityNode(c.to)
	target := b.node(to, c.to)
	target.pass(c.trace)
	target.calls = append(target.calls, c)
	b.edges[edgeKey{from, to}] = append(b.edges[edgeKey{from, to}], c)
	caller := c.span
	if c.isDirect {
		caller, _ = c.span.Parent()
	}
	fromOp, toOp := operationNode(entry[caller.Index()-first]), to
	if !c.remote.IsZero() {
		toOp = operationNode(c.remote)
		op := b.node(toOp, c.to)
		op.calls = append(op.calls, c)
		if name := c.remote.Instance(); name != "" {
			x := b.node(nodeKey{NodeInstance, c.remote.Service(), name}, c.to)
			x.calls = append(x.calls, c)
		}
	}
	b.edges[edgeKey{fromOp, toOp}] = append(b.edges[edgeKey{fromOp, toOp}], c)
}

func (b *graphBuilder) graph() *Graph {
	g := &Graph{Traces: len(b.v.traces), Nodes: []Node{}, Edges: []Edge{}, Warnings: b.v.warnings()}
	for _, t := range b.v.traces {
		g.Weight += t.Weight()
	}
	onPath := b.v.influences(inc)
	traffic := map[tracewhy.PathID]*ratio{}
	for k, n := range b.nodes {
		x := &b.v.entities[n.entity]
		node := Node{
			ID: k.id(), Kind: k.kind, Service: k.service, Name: k.name, Class: x.class, Vendor: x.vendor, Category: x.category,
			Criticality: x.criticality, Owner: x.ownerOrVendor(), OnPath: tracewhy.Unknown(),
		}
		t := tally{calls: n.calls}
		node.Calls = t.measure(b.v)
		if k.kind == NodeService || k.kind == NodeDependency {
			node.OnPath = onPath[n.entity].share.mean()
		}
		node.Reach, node.Roots = b.reach(n.traces, traffic)
		g.Nodes = append(g.Nodes, node)
	}
	slices.SortFunc(g.Nodes, func(x, y Node) int {
		return nodeKey{x.Kind, x.Service, x.Name}.compare(nodeKey{y.Kind, y.Service, y.Name})
	})
	keys := make([]edgeKey, 0, len(b.edges))
	for k := range b.edges {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(x, y edgeKey) int { return cmp.Or(x.from.compare(y.from), x.to.compare(y.to)) })
	for _, k := range keys {
		g.Edges = append(g.Edges, b.edge(k, b.edges[k]))
	}
	return g
}

func (b *graphBuilder) edge(k edgeKey, calls []*call) Edge {
	t := tally{calls: calls}
	e := Edge{From: k.from.id(), To: k.to.id(), Calls: t.measure(b.v)}
	var request, response, both []observation
	var wait ratio
	for _, c := range calls {
		w := b.v.traces[c.trace].Weight()
		wait.add(w, float64(c.before+c.wait)/1e6, 1)
		start, end, ok := c.span.Interval()
		from, to, known := int64(0), int64(0), false
		if !c.remote.IsZero() {
			from, to, known = c.remote.Interval()
		}
		if c.isDirect || !ok || !known || c.remote.IsAsync() {
			continue
		}
		add := func(to *[]observation, ns int64) {
			*to = append(*to, observation{c.trace, false, float64(ns) / 1e6, w})
		}
		add(&request, from-start)
		add(&response, end-to)
		add(&both, from-start+end-to)
	}
	e.Request, e.Response, e.RoundTrip = quantiles(request, 0.5)[0], quantiles(response, 0.5)[0], quantiles(both, 0.5)[0]
	e.Wait = wait.mean()
	return e
}

func (x *entity) ownerOrVendor() string {
	if x.class.Domain == DomainExternal {
		return cmp.Or(x.owner, x.vendor)
	}
	return x.owner
}

// reach says which traffic passes a node.
func (b *graphBuilder) reach(traces []int32, traffic map[tracewhy.PathID]*ratio) (tracewhy.Estimate, []Reach) {
	if len(traffic) == 0 {
		for i, p := range b.root {
			if traffic[p] == nil {
				traffic[p] = &ratio{}
			}
			traffic[p].add(b.v.traces[i].Weight(), 0, 1)
		}
	}
	roots := map[tracewhy.PathID]*Reach{}
	counts := map[tracewhy.PathID]*ratio{}
	var all ratio
	for _, t := range traffic {
		all.n, all.nn, all.raw = all.n+t.n, all.nn+t.nn, all.raw+t.raw
	}
	for _, i := range traces {
		p := b.root[i]
		if roots[p] == nil {
			path := b.v.set.Path(p)
			roots[p] = &Reach{Service: path.Service(), Operation: path.Operation()}
			c := *traffic[p]
			counts[p] = &c
		}
		roots[p].Traces++
		if b.fails[i] {
			roots[p].Failed++
		}
		for _, r := range [...]*ratio{counts[p], &all} {
			w := b.v.traces[i].Weight()
			r.x += w
			r.xx += float64(w * w)
			r.xn += float64(w * w)
		}
	}
	out := make([]Reach, 0, len(roots))
	for p, r := range roots {
		r.Share = counts[p].proportion()
		out = append(out, *r)
	}
	slices.SortFunc(out, func(x, y Reach) int {
		return cmp.Or(cmp.Compare(y.Traces, x.Traces), cmp.Compare(x.Service, y.Service), cmp.Compare(x.Operation, y.Operation),
			cmp.Compare(y.Failed, x.Failed), cmp.Compare(x.Share.Value, y.Share.Value))
	})
	return all.proportion(), out
}
