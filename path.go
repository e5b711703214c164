package tracewhy

import (
	"iter"
	"math"
	"slices"
	"strings"
)

// PathID numbers a call path within one Set, from 0.
type PathID uint32

const noPath PathID = math.MaxUint32

// MaxPathDepth is how many calls deep a path can be. Deeper spans share the path of the deepest.
const MaxPathDepth = 512

// Path is a handle to a call path: a node of the calling-context tree that all traces of a Set share.
// It stands for every span that was called through the same chain of service, operation and kind,
// from the root. Repeated siblings are occurrences of one path, and a recursive call has the path of
// the outermost one, so that a path is the unit in which statistics can be kept.
type Path struct {
	set *Set
	id  PathID
}

type pathRow struct {
	parent    PathID // noPath at the top
	service   uint32
	operation uint32
	kind      Kind
	orphan    bool // at the top: spans whose parent is missing
	depth     int32
}

// NumPaths returns how many call paths the Set has. Parents have smaller numbers than children.
func (s *Set) NumPaths() int { return len(s.paths) }

// Path returns the path with the given number.
func (s *Set) Path(id PathID) Path { _ = s.paths[id]; return Path{s, id} }

// Paths yields all paths, parents before children.
func (s *Set) Paths() iter.Seq[Path] {
	return func(yield func(Path) bool) {
		for i := range s.paths {
			if !yield(Path{s, PathID(i)}) {
				return
			}
		}
	}
}

// ID returns the path's number in its Set.
func (p Path) ID() PathID { return p.id }

// Parent returns the path of the caller; it is false at the top.
func (p Path) Parent() (Path, bool) {
	parent := p.row().parent
	return Path{p.set, parent}, parent != noPath
}

func (p Path) row() *pathRow { return &p.set.paths[p.id] }

// Service returns the service of the path's last call.
func (p Path) Service() string { return p.set.texts.String(p.row().service) }

// Operation returns the name of the path's last call, or its template where such names vary:
// ids in it are then written as {id}, literals of a query as ?.
func (p Path) Operation() string { return p.set.texts.String(p.row().operation) }

// Kind returns the kind of the path's spans.
func (p Path) Kind() Kind { return p.row().kind }

// Depth returns how many calls lie above the path: 0 at the top.
func (p Path) Depth() int { return int(p.row().depth) }

// IsOrphan reports whether the path begins at spans whose parent is missing, so that it is not known
// what called them.
func (p Path) IsOrphan() bool {
	for {
		r := p.row()
		if r.parent == noPath {
			return r.orphan
		}
		p.id = r.parent
	}
}

// Chain returns the path's calls from the top to the path itself.
func (p Path) Chain() []Path {
	var chain []Path
	for q, ok := p, true; ok; q, ok = q.Parent() {
		chain = append(chain, q)
	}
	slices.Reverse(chain)
	return chain
}

// String returns the chain as "service operation > service operation".
func (p Path) String() string {
	var b strings.Builder
	for i, q := range p.Chain() {
		if i > 0 {
			b.WriteString(" > ")
		}
		b.WriteString(q.Service() + " " + q.Operation())
	}
	return b.String()
}

// pathBuilder grows the calling-context tree while spans come in their final order.
type pathBuilder struct {
	b    *Builder
	r    *renumbering
	rows []pathRow
	memo map[pathKey]PathID
}

type pathKey struct {
	parent             PathID
	service, operation uint32
	kind               Kind
	orphan             bool
}

func newPathBuilder(b *Builder, r *renumbering) *pathBuilder {
	return &pathBuilder{b: b, r: r, memo: map[pathKey]PathID{}}
}

// child returns the path of a call made from parent. Texts are the Builder's numbers.
func (pb *pathBuilder) child(parent PathID, service, operation uint32, kind Kind, orphan bool, id TraceID) PathID {
	key := pathKey{parent, service, operation, kind, orphan && parent == noPath}
	if p, ok := pb.memo[key]; ok {
		return p
	}
	row := pathRow{parent: parent, service: pb.r.text(service), operation: pb.r.text(operation), kind: kind, orphan: key.orphan}
	for p := parent; p != noPath; p = pb.rows[p].parent {
		if q := &pb.rows[p]; q.service == row.service && q.operation == row.operation && q.kind == kind {
			pb.memo[key] = p // recursion
			return p
		}
	}
	if parent != noPath {
		row.depth = pb.rows[parent].depth + 1
		if row.depth >= MaxPathDepth {
			pb.b.problems.note(ProblemPathDepth, "", id)
			pb.memo[key] = parent
			return parent
		}
	}
	p := PathID(len(pb.rows))
	pb.rows = append(pb.rows, row)
	pb.memo[key] = p
	return p
}
