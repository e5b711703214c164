package baseline

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/tracewhy/tracewhy/internal/stats"
)

// What a snapshot keeps is bounded by order of a hash, and not of counts: the first k of a union are the first k of
// the parts' first k, so that merging gives the same whatever the order, with counts that are exact for what is
// kept. Which of too many calls is frequent is known only at the end.

// tree is operations by what calls them.
type tree struct {
	root     *node
	maxNames int
}

// node is an operation of a tree, or the root, which calls what traces begin with.
type node struct {
	op     Operation
	hash   uint64 // of the names from the top
	number int    // among the operations kept
	below  map[[3]string]*node
}

func newTree(maxNames int) *tree {
	return &tree{root: &node{number: -1}, maxNames: maxNames}
}

func (o *Operation) key() [3]string { return [3]string{o.Service, o.Name, o.Kind} }

// add counts an operation that is called by another, and returns its place.
func (t *tree) add(caller *node, o Operation) *node {
	k := o.key()
	if x := caller.below[k]; x != nil {
		x.op = mergeOperations(x.op, o, t.maxNames)
		return x
	}
	x := &node{hash: stats.Key(strconv.FormatUint(caller.hash, 16) + "\x00" + k[0] + "\x00" + k[1] + "\x00" + k[2])}
	x.op = mergeOperations(o, Operation{}, t.maxNames)
	x.op.Service, x.op.Name, x.op.Kind = k[0], k[1], k[2]
	if caller.below == nil {
		caller.below = map[[3]string]*node{}
	}
	caller.below[k] = x
	return x
}

// addAll counts all operations of a snapshot.
func (t *tree) addAll(ops []Operation) {
	nodes := make([]*node, len(ops))
	for i, o := range ops {
		caller := t.root
		if o.Caller >= 0 {
			caller = nodes[o.Caller]
		}
		nodes[i] = t.add(caller, o)
	}
}

// finish gives the snapshot the operations, in their order, as many as it may have.
func (t *tree) finish(s *Snapshot) {
	s.Operations = []Operation{}
	level := []*node{t.root}
	for len(level) > 0 {
		var next []*node
		for _, caller := range level {
			first := len(next)
			for _, x := range caller.below {
				x.op.Caller = caller.number
				next = append(next, x)
			}
			slices.SortFunc(next[first:], func(a, b *node) int {
				ka, kb := a.op.key(), b.op.key()
				return slices.Compare(ka[:], kb[:])
			})
		}
		if room := s.MaxOperations - len(s.Operations); len(next) > room {
			next = t.drop(next, room, s)
		}
		for _, x := range next {
			x.number = len(s.Operations)
			s.Operations = append(s.Operations, x.op)
		}
		level = next
	}
}

// drop keeps as many nodes as there is room for, in their order, and counts the others with all below them.
func (t *tree) drop(level []*node, room int, s *Snapshot) []*node {
	byHash := slices.Clone(level)
	slices.SortStableFunc(byHash, func(a, b *node) int { return cmp.Compare(a.hash, b.hash) })
	dropped := map[*node]bool{}
	stack := []*node{}
	for _, x := range byHash[room:] {
		dropped[x] = true
		stack = append(stack, x)
	}
	for len(stack) > 0 {
		x := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		s.LeftOut += x.op.Executions
		for _, below := range x.below {
			stack = append(stack, below)
		}
	}
	return slices.DeleteFunc(level, func(x *node) bool { return dropped[x] })
}

// setServices gives the snapshot as many services as it may have, those of one name taken together.
func (s *Snapshot) setServices(list []Service) {
	slices.SortFunc(list, func(a, b Service) int { return cmp.Compare(a.Name, b.Name) })
	merged := []Service{}
	for _, x := range list {
		n := len(merged)
		if n == 0 || merged[n-1].Name != x.Name {
			merged = append(merged, Service{Name: x.Name})
			n++
		}
		m := &merged[n-1]
		m.Spans += x.Spans
		m.Traces += x.Traces
		m.OtherVersions += x.OtherVersions
		m.OtherInstances += x.OtherInstances
		m.Versions = append(m.Versions, x.Versions...)
		m.Instances = append(m.Instances, x.Instances...)
	}
	for i := range merged {
		m := &merged[i]
		m.Versions = firstTallies(m.Versions, s.MaxNames, &m.OtherVersions)
		m.Instances = firstTallies(m.Instances, s.MaxNames, &m.OtherInstances)
	}
	if len(merged) > s.MaxOperations {
		slices.SortFunc(merged, func(a, b Service) int { return byHashOfName(a.Name, b.Name) })
		for _, x := range merged[s.MaxOperations:] {
			s.LeftOutSpans += x.Spans
		}
		merged = merged[:s.MaxOperations]
		slices.SortFunc(merged, func(a, b Service) int { return cmp.Compare(a.Name, b.Name) })
	}
	s.Services = merged
}

func byHashOfName(a, b string) int {
	return cmp.Or(cmp.Compare(stats.Key(a), stats.Key(b)), cmp.Compare(a, b))
}

// firstTallies takes those of one name together, and keeps the first by hash, sorted by name. It counts the
// executions of the others.
func firstTallies(list []Tally, most int, others *int64) []Tally {
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b Tally) int { return cmp.Compare(a.Name, b.Name) })
	merged := []Tally{}
	for _, x := range list {
		n := len(merged)
		if n == 0 || merged[n-1].Name != x.Name {
			merged = append(merged, x)
			continue
		}
		m := &merged[n-1]
		m.Executions += x.Executions
		m.Failed += x.Failed
		m.Traces += x.Traces
		m.FailedTraces += x.FailedTraces
	}
	if len(merged) <= most {
		return merged
	}
	slices.SortFunc(merged, func(a, b Tally) int { return byHashOfName(a.Name, b.Name) })
	for _, x := range merged[most:] {
		*others += x.Executions
	}
	merged = merged[:most]
	slices.SortFunc(merged, func(a, b Tally) int { return cmp.Compare(a.Name, b.Name) })
	return merged
}
