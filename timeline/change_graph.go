package timeline

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/tracewhy/tracewhy"
)

// A callGraph is what calls what: services, and what they call that has no spans.
type callGraph struct {
	number  map[node]int // only looked up
	nodes   []node
	callees []map[int]bool // by node
	passes  [][2]int       // by node: affected traces that passed it, and others
	traces  [2]int         // affected traces, and others
}

// node is a service, or a peer without spans.
type node struct {
	name   string
	isPeer bool
}

func newCallGraph() *callGraph { return &callGraph{number: map[node]int{}} }

// at returns the number of a node, and whether it is new.
func (g *callGraph) at(n node) (int, bool) {
	if i, ok := g.number[n]; ok {
		return i, false
	}
	i := len(g.nodes)
	g.number[n] = i
	g.nodes, g.callees, g.passes = append(g.nodes, n), append(g.callees, map[int]bool{}), append(g.passes, [2]int{})
	return i, true
}

// named returns the nodes that a name may stand for.
func (g *callGraph) named(name string) []int {
	var out []int
	for i, n := range g.nodes {
		if slices.Contains(n.names(), fold(name)) {
			out = append(out, i)
		}
	}
	return out
}

// below returns what the nodes call, and what that calls, without the nodes themselves.
func (g *callGraph) below(nodes []int) []bool {
	isBelow := make([]bool, len(g.nodes))
	for todo := slices.Clone(nodes); len(todo) > 0; {
		i := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for j := range g.callees[i] { // in any order: what is found is the same
			if !isBelow[j] {
				isBelow[j] = true
				todo = append(todo, j)
			}
		}
	}
	for _, i := range nodes {
		isBelow[i] = false
	}
	return isBelow
}

// names returns what people may call the node, folded: its name, and for a peer the first label of its host, or the
// system or the name of a database, as well.
func (n node) names() []string {
	out := []string{fold(n.name)}
	if n.isPeer {
		for part := range strings.SplitSeq(n.name, "/") {
			host, _, _ := strings.Cut(part, ":")
			label, _, _ := strings.Cut(host, ".")
			out = append(out, fold(part), fold(host), fold(label))
		}
	}
	slices.Sort(out)
	return slices.DeleteFunc(slices.Compact(out), func(s string) bool { return s == "" })
}

// fold returns a name without case and without what separates words.
func fold(name string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, name)
}

// mentions reports whether a text has a name as a word of its own. Names shorter than three letters are too common.
func mentions(text, name string) bool {
	if len(name) < 3 {
		return false
	}
	isInner := func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || r == '-' || r == '_' }
	for from := 0; ; {
		i := strings.Index(text[from:], name)
		if i < 0 {
			return false
		}
		i += from
		before, _ := utf8.DecodeLastRuneInString(text[:i])
		after, _ := utf8.DecodeRuneInString(text[i+len(name):])
		if (i == 0 || !isInner(before) && before != '.') && (i+len(name) == len(text) || !isInner(after)) {
			return true
		}
		from = i + len(name)
	}
}

// A source is what spans of one resource have in common.
type source struct {
	node              int
	instance, version string
	hosts             []string
}

// hostKeys are the attributes of a resource that name a machine, or a copy of a service.
var hostKeys = []string{"host.name", "host.id", "k8s.node.name", "k8s.pod.name", "service.instance.id", "container.id"}

func newSource(s tracewhy.Span, node int) source {
	x := source{node: node, instance: s.Instance()}
	x.version, _ = versionOf(s)
	for _, key := range hostKeys {
		if v, ok := s.ResourceAttr(key); ok && v.String() != "" {
			x.hosts = append(x.hosts, v.String())
		}
	}
	return x
}

// isOn reports whether the source is an instance, or on a machine, of a name.
func (x *source) isOn(name string) bool {
	return x.instance == name || slices.Contains(x.hosts, name)
}
