package tracewhy

import (
	"encoding/binary"
	"slices"
	"unsafe"

	"github.com/tracewhy/tracewhy/internal/intern"
)

// blockTable numbers distinct resources or scopes: by the caller's pointer where it was seen lately,
// else by content.
type blockTable[T, R any] struct {
	last    *T
	lastRef blockRef
	byPtr   map[*T]blockRef
	content intern.Table
	rows    []R
}

// A blockRef is what a pointer to a resource or scope leads to: its number, and the codes of the
// problems that reading it had, which count for every span that uses it.
type blockRef struct {
	num   uint32
	codes []string
}

// maxPointers bounds how many of the caller's resources and scopes are remembered, and kept alive, by
// pointer. Readers that make a new one for each batch would otherwise pile them up.
const maxPointers = 4096

type resourceRow struct {
	attr, attrs uint32 // offset and count in sideAttrs
	dropped     uint32
	schema      uint32
	service     uint32
	instance    uint32
}

type scopeRow struct {
	attr, attrs   uint32
	dropped       uint32
	schema        uint32
	name, version uint32
}

const unknownService = "unknown_service"

func (b *Builder) resource(r *Resource) uint32 {
	return lookUpBlock(b, &b.resources, r, func(at int) (row resourceRow, head [4]uint32) {
		if r != nil {
			b.addAttributes(&b.sideAttrs, r.Attributes, everyAttribute)
			row.dropped, row.schema = r.DroppedAttributes, b.text(r.SchemaURL)
		}
		row.attr, row.attrs = uint32(at), uint32(b.sideAttrs.Len()-at)
		b.identify(&row)
		return row, [4]uint32{row.dropped, row.schema}
	})
}

func (b *Builder) scope(s *Scope) uint32 {
	return lookUpBlock(b, &b.scopes, s, func(at int) (row scopeRow, head [4]uint32) {
		if s != nil {
			b.addAttributes(&b.sideAttrs, s.Attributes, everyAttribute)
			row.dropped, row.schema, row.name, row.version = s.DroppedAttributes, b.text(s.SchemaURL), b.text(s.Name), b.text(s.Version)
		}
		row.attr, row.attrs = uint32(at), uint32(b.sideAttrs.Len()-at)
		return row, [4]uint32{row.dropped, row.schema, row.name, row.version}
	})
}

// lookUpBlock numbers the block at p. Where the pointer is new it calls read, which appends the block's
// attributes to b.sideAttrs; they are taken off again if an equal block is known.
func lookUpBlock[T, R any](b *Builder, t *blockTable[T, R], p *T, read func(at int) (row R, head [4]uint32)) uint32 {
	ref, ok := t.lastRef, t.last == p && len(t.rows) > 0
	if !ok {
		if ref, ok = t.byPtr[p]; !ok {
			at := b.sideAttrs.Len()
			b.inBlock, b.blockCodes = true, nil
			row, head := read(at)
			b.inBlock = false
			key := b.dict.scratch[:0]
			for _, x := range head {
				key = binary.LittleEndian.AppendUint32(key, x)
			}
			for _, x := range b.sideAttrs.Range(at, b.sideAttrs.Len()) {
				key = binary.LittleEndian.AppendUint32(key, x)
			}
			b.dict.scratch = key
			num, added := t.content.Intern(unsafe.String(unsafe.SliceData(key), len(key)))
			if added {
				t.rows = append(t.rows, row)
			} else {
				b.sideAttrs.Truncate(at)
			}
			ref = blockRef{num, b.blockCodes}
			if t.byPtr == nil || len(t.byPtr) >= maxPointers {
				t.byPtr = map[*T]blockRef{}
			}
			t.byPtr[p] = ref
		}
		t.last, t.lastRef = p, ref
	}
	for _, code := range ref.codes {
		b.note(code)
	}
	return ref.num
}

// note counts a problem of the span being added. What is wrong with a resource or scope is kept with
// it instead, once per code, and counts for each of its spans: how often one is read depends on the
// order of input.
func (b *Builder) note(code string) {
	switch {
	case !b.inBlock:
		b.problems.note(code, "", b.current)
	case !slices.Contains(b.blockCodes, code):
		b.blockCodes = append(b.blockCodes, code)
	}
}

// instanceKeys name one running copy of a service, the most specific first.
var instanceKeys = []string{"service.instance.id", "k8s.pod.name", "k8s.pod.uid", "container.id", "host.name", "host.id"}

// identify reads the service and its instance off a resource's attributes.
func (b *Builder) identify(row *resourceRow) {
	best := len(instanceKeys)
	for _, p := range b.sideOf(row.attr, row.attrs) {
		pr := b.dict.pairs[p]
		if !pr.isText() || pr.num == 0 {
			continue
		}
		key := b.dict.keys.String(pr.key)
		if key == "service.name" {
			row.service = uint32(pr.num)
		}
		if i := slices.Index(instanceKeys[:best], key); i >= 0 {
			best, row.instance = i, uint32(pr.num)
		}
	}
	if row.service == 0 {
		row.service = b.text(unknownService)
		b.note(ProblemServiceMissing)
	}
}
