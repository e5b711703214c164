package tracewhy

import (
	"slices"

	"github.com/tracewhy/tracewhy/internal/intern"
)

// renumbering gives everything that arrival numbered a new number, in order of first use by the rows
// of the Set. Attributes are grouped by key besides, so that those of one key are a range of numbers.
type renumbering struct {
	b         *Builder
	keys      numbers
	texts     numbers
	blobs     numbers
	resources numbers
	metas     numbers
	scopes    numbers

	pairAt    []uint32   // by old number: place among the pairs of its key + 1, 0: none yet
	byKey     [][]uint32 // by new key number: old pair numbers by place
	sideAttrs []AttrID   // old pair numbers, until finish
	resRows   []resourceRow
	metaRows  []spanMeta
	scopeRows []scopeRow
}

// numbers maps old numbers to new ones, given in order of first use.
type numbers struct {
	to    []uint32 // new number + 1, 0: none yet
	order []uint32 // old numbers by new number
}

func newNumbers(n int) numbers { return numbers{to: make([]uint32, n)} }

func (n *numbers) get(old uint32) (num uint32, added bool) {
	if n.to[old] == 0 {
		n.order = append(n.order, old)
		n.to[old] = uint32(len(n.order))
		return n.to[old] - 1, true
	}
	return n.to[old] - 1, false
}

func newRenumbering(b *Builder) *renumbering {
	d := &b.dict
	r := &renumbering{
		b: b, keys: newNumbers(d.keys.Len()), texts: newNumbers(d.texts.Len()), blobs: newNumbers(d.blobs.Len()),
		resources: newNumbers(len(b.resources.rows)), metas: newNumbers(len(b.metaList)), scopes: newNumbers(len(b.scopes.rows)),
		pairAt: make([]uint32, len(d.pairs)),
	}
	r.text(0) // the empty text stays number 0
	return r
}

func (r *renumbering) text(old uint32) uint32 {
	num, _ := r.texts.get(old)
	return num
}

// list appends a list of pairs, still by their old numbers, to dst.
func (r *renumbering) list(dst []AttrID, pairs []uint32) []AttrID {
	for _, old := range pairs {
		if r.pairAt[old] == 0 {
			r.meet(old)
		}
		dst = append(dst, AttrID(old))
	}
	return dst
}

// meet gives a pair its place among those of its key, and numbers its parts.
func (r *renumbering) meet(old uint32) {
	p := r.b.dict.pairs[old]
	key, added := r.keys.get(p.key)
	if added {
		r.byKey = append(r.byKey, nil)
	}
	r.byKey[key] = append(r.byKey[key], old)
	r.pairAt[old] = uint32(len(r.byKey[key]))
	switch {
	case p.isText():
		r.texts.get(uint32(p.num))
	case p.isBlob():
		r.blobs.get(uint32(p.num))
	}
}

// side copies the list of an event, link, resource or scope, and returns where it begins.
func (r *renumbering) side(at, n uint32) uint32 {
	from := len(r.sideAttrs)
	r.sideAttrs = r.list(r.sideAttrs, r.b.sideOf(at, n))
	return uint32(from)
}

func (r *renumbering) resource(old uint32) uint32 {
	num, added := r.resources.get(old)
	if added {
		row := r.b.resources.rows[old]
		row.attr = r.side(row.attr, row.attrs)
		row.schema, row.service, row.instance = r.text(row.schema), r.text(row.service), r.text(row.instance)
		r.resRows = append(r.resRows, row)
	}
	return num
}

func (r *renumbering) scope(old uint32) uint32 {
	num, added := r.scopes.get(old)
	if added {
		row := r.b.scopes.rows[old]
		row.attr = r.side(row.attr, row.attrs)
		row.schema, row.name, row.version = r.text(row.schema), r.text(row.name), r.text(row.version)
		r.scopeRows = append(r.scopeRows, row)
	}
	return num
}

func (r *renumbering) meta(old uint32) uint32 {
	num, added := r.metas.get(old)
	if added {
		m := r.b.metaList[old]
		m.scope, m.traceState, m.statusMessage = r.scope(m.scope), r.text(m.traceState), r.text(m.statusMessage)
		r.metaRows = append(r.metaRows, m)
	}
	return num
}

// finish writes the dictionaries, and turns old pair numbers into new ones.
func (r *renumbering) finish(s *Set) {
	d := &r.b.dict
	s.texts, s.blobs = d.texts.Select(r.texts.order), d.blobs.Select(r.blobs.order)
	s.keys = &intern.Table{} // to be searched, unlike what Select returns
	s.keyFirst = make([]AttrID, 1, len(r.byKey)+1)
	total := 0
	for _, olds := range r.byKey {
		total += len(olds)
	}
	s.pairs = make([]pair, 0, total)
	for key, olds := range r.byKey {
		s.keys.Intern(d.keys.String(r.keys.order[key]))
		for _, old := range olds {
			r.pairAt[old] = uint32(len(s.pairs))
			p := d.pairs[old]
			p.key = uint32(key)
			switch {
			case p.isText():
				p.num = uint64(r.text(uint32(p.num)))
			case p.isBlob():
				num, _ := r.blobs.get(uint32(p.num))
				p.num = uint64(num)
			}
			s.pairs = append(s.pairs, p)
		}
		s.keyFirst = append(s.keyFirst, AttrID(len(s.pairs)))
	}
	for _, list := range [][]AttrID{s.attrs, r.sideAttrs} {
		for i, old := range list {
			list[i] = AttrID(r.pairAt[old])
		}
	}
	s.attrs, s.sideAttrs = clipCopy(s.attrs), clipCopy(r.sideAttrs)
	s.events, s.links, s.odd = clipCopy(s.events), clipCopy(s.links), clipCopy(s.odd)
	s.resources, s.metas, s.scopes = slices.Clip(r.resRows), clipCopy(r.metaRows), slices.Clip(r.scopeRows)
}

// clipCopy returns s with no spare capacity, copying it only where much is spare.
func clipCopy[T any](s []T) []T {
	if cap(s)-len(s) <= len(s)/16 {
		return s[:len(s):len(s)]
	}
	return append(make([]T, 0, len(s)), s...)
}
