package depgraph

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/tracewhy/tracewhy/internal/mermaid"
	"github.com/tracewhy/tracewhy/internal/quantity"
	"github.com/tracewhy/tracewhy/internal/visible"
)

// DrawConfig says what of a [Graph] is drawn. Its zero value is the documented default.
type DrawConfig struct {
	// Operations draws the operations of services rather than services.
	Operations bool
	// Fraction leaves out nodes that a smaller share of the traffic passes, with their edges; 0 means 0.005,
	// and a negative number nothing. A last line says what was left out.
	Fraction float64
	// Numbers labels edges with their calls and the share of them that failed.
	Numbers bool
}

// The colours of nodes. Unclassified nodes have none.
const (
	internalColour = "#4CAF50"
	externalColour = "#FFC107"
	strokeColour   = "#333"
)

// drawing is what is left of a graph to be drawn.
type drawing struct {
	nodes []*Node
	edges []*Edge
	place map[string]int // by id
	cut   string         // what was left out, or ""
}

func (g *Graph) drawing(cfg DrawConfig) *drawing {
	if cfg.Fraction == 0 {
		cfg.Fraction = 0.005
	}
	d := &drawing{place: map[string]int{}}
	kept := NodeService
	if cfg.Operations {
		kept = NodeOperation
	}
	shown := map[string]bool{}
	nodes, external := 0, 0
	for i := range g.Nodes {
		n := &g.Nodes[i]
		if n.Kind != kept && n.Kind != NodeDependency {
			continue
		}
		shown[n.ID] = true
		if n.Reach.Value < cfg.Fraction {
			if nodes++; n.Class.Domain == DomainExternal {
				external++
			}
			continue
		}
		d.place[n.ID] = len(d.nodes)
		d.nodes = append(d.nodes, n)
	}
	edges := 0
	for i := range g.Edges {
		e := &g.Edges[i]
		if !shown[e.From] || !shown[e.To] {
			continue
		}
		_, from := d.place[e.From]
		_, to := d.place[e.To]
		if !from || !to {
			edges++
			continue
		}
		d.edges = append(d.edges, e)
	}
	if nodes > 0 {
		d.cut = fmt.Sprintf("left out: %s that less than %s of the traffic passes (%d external), and %s",
			quantity.Count(nodes, "node"), percent(cfg.Fraction), external, quantity.Count(edges, "edge"))
	}
	return d
}

func percent(x float64) string { return strconv.FormatFloat(100*x, 'g', 3, 64) + " %" }

func (n *Node) label() string {
	if n.Kind == NodeOperation {
		return n.Service + " " + n.Name
	}
	if n.Vendor != "" && n.Vendor != n.Name {
		return n.Name + " (" + n.Vendor + ")"
	}
	return n.Name
}

func (e *Edge) label() string {
	s := quantity.Count(e.Calls.Calls, "call")
	if e.Calls.Errors.Value > 0 {
		s += ", " + percent(e.Calls.Errors.Value) + " failed"
	}
	return s
}

// Mermaid draws the graph as a Mermaid flowchart, with internal nodes green and external ones amber.
func (g *Graph) Mermaid(cfg DrawConfig) string {
	d := g.drawing(cfg)
	var b strings.Builder
	b.WriteString("graph TD\n")
	for i, n := range d.nodes {
		fmt.Fprintf(&b, "    n%d[\"%s\"]\n", i, mermaid.Label(n.label()))
	}
	for _, e := range d.edges {
		arrow := "-->"
		if cfg.Numbers {
			arrow += `|"` + mermaid.Label(e.label()) + `"|`
		}
		fmt.Fprintf(&b, "    n%d %s n%d\n", d.place[e.From], arrow, d.place[e.To])
	}
	b.WriteString("\n")
	for _, c := range [...]struct {
		domain Domain
		colour string
	}{{DomainInternal, internalColour}, {DomainExternal, externalColour}} {
		fmt.Fprintf(&b, "    classDef %s fill:%s,stroke:%s,stroke-width:2px;\n", c.domain, c.colour, strokeColour)
	}
	for _, domain := range [...]Domain{DomainInternal, DomainExternal} {
		var ids []string
		for i, n := range d.nodes {
			if n.Class.Domain == domain {
				ids = append(ids, "n"+strconv.Itoa(i))
			}
		}
		if len(ids) > 0 {
			fmt.Fprintf(&b, "    class %s %s;\n", strings.Join(ids, ","), domain)
		}
	}
	if d.cut != "" {
		fmt.Fprintf(&b, "    %%%% %s\n", d.cut)
	}
	return b.String()
}

// maxLabel is how many cells of a name are drawn.
const maxLabel = 80

// dotText writes what has a meaning in a quoted label of DOT.
var dotText = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "&", "&amp;")

func dotLabel(s string) string { return dotText.Replace(visible.Cut(visible.Clean(s), maxLabel)) }

// DOT draws the graph in the language of Graphviz, in the colours of [Graph.Mermaid].
func (g *Graph) DOT(cfg DrawConfig) string {
	d := g.drawing(cfg)
	var b strings.Builder
	b.WriteString("digraph dependencies {\n    node [shape=box, style=filled, fillcolor=white, color=\"" + strokeColour + "\", penwidth=2];\n")
	for i, n := range d.nodes {
		fill := ""
		switch n.Class.Domain {
		case DomainInternal:
			fill = `, fillcolor="` + internalColour + `"`
		case DomainExternal:
			fill = `, fillcolor="` + externalColour + `"`
		}
		fmt.Fprintf(&b, "    n%d [label=\"%s\"%s];\n", i, dotLabel(n.label()), fill)
	}
	for _, e := range d.edges {
		label := ""
		if cfg.Numbers {
			label = ` [label="` + dotLabel(e.label()) + `"]`
		}
		fmt.Fprintf(&b, "    n%d -> n%d%s;\n", d.place[e.From], d.place[e.To], label)
	}
	if d.cut != "" {
		fmt.Fprintf(&b, "    label=\"%s\";\n", d.cut)
	}
	b.WriteString("}\n")
	return b.String()
}
