package tracewhy

import (
	"encoding/binary"
	"slices"
	"unsafe"

	"github.com/tracewhy/tracewhy/internal/intern"
)

// blockTable numbers distinct resources or scopes: by the caller's pointer where it was seen lately,
// else by content. Readers come to know parts of a resource or scope after spans that have it, a schema
// URL for example, so one is looked at again when the run of spans that use it ends.
type blockTable[T, R any] struct {
	last     *T
	lastRef  blockRef
	lastRead T      // what last led to when it was read
	from     uint32 // the row at which the run of spans that use last begins
	byPtr    map[*T]knownBlock[T]
	content  intern.Table
	rows     []R
}

// A knownBlock is a resource or scope as a pointer to it was last read.
type knownBlock[T any] struct {
	ref  blockRef
	read T
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

// resource numbers the resource of the span being added.
func (b *Builder) resource(r *Resource) uint32 {
	if t := &b.resources; t.last != r || len(t.rows) == 0 {
		b.settleResource()
		t.open(b, r, b.readResource, sameResource)
	}
	return b.resources.lastRef.num
}

// settleResource ends a run of spans with one resource: what was filled in since it was read holds for
// all of them.
func (b *Builder) settleResource() {
	t := &b.resources
	if r := t.last; r != nil && !sameResource(r, &t.lastRead) && b.mustFit(&SpanData{Resource: r}) {
		num := t.lastRef.num
		if t.open(b, r, b.readResource, sameResource); t.lastRef.num != num {
			for i := t.from; i < uint32(b.rows.Len()); i++ {
				b.row(i).res = t.lastRef.num
			}
		}
	}
	b.noteRun(t.from, t.lastRef.codes)
	t.from = uint32(b.rows.Len())
}

// scope numbers the scope of the span being added.
func (b *Builder) scope(s *Scope) uint32 {
	if t := &b.scopes; t.last != s || len(t.rows) == 0 {
		b.settleScope()
		t.open(b, s, b.readScope, sameScope)
	}
	return b.scopes.lastRef.num
}

// settleScope does for a scope what settleResource does for a resource.
func (b *Builder) settleScope() {
	t := &b.scopes
	if s := t.last; s != nil && !sameScope(s, &t.lastRead) && b.mustFit(&SpanData{Scope: s}) {
		num := t.lastRef.num
		if t.open(b, s, b.readScope, sameScope); t.lastRef.num != num {
			for i := t.from; i < uint32(b.rows.Len()); i++ {
				m := b.metaList[b.row(i).meta]
				m.scope = t.lastRef.num
				b.row(i).meta = b.meta(m)
			}
		}
	}
	b.noteRun(t.from, t.lastRef.codes)
	t.from = uint32(b.rows.Len())
}

// mustFit is hasRoom for what was filled in.
func (b *Builder) mustFit(s *SpanData) bool {
	if !b.hasRoom(s, 0) {
		b.err = ErrTooLarge
	}
	return b.err == nil
}

// noteRun counts the problems of a resource or scope for each of the spans that use it, from a row on.
func (b *Builder) noteRun(from uint32, codes []string) {
	for _, code := range codes {
		for i := from; i < uint32(b.rows.Len()); i++ {
			b.problems.note(code, "", b.traceIDs[b.row(i).trace])
		}
	}
}

func sameResource(x, y *Resource) bool {
	return sameList(x.Attributes, y.Attributes) && x.DroppedAttributes == y.DroppedAttributes && x.SchemaURL == y.SchemaURL
}

func sameScope(x, y *Scope) bool {
	return x.Name == y.Name && x.Version == y.Version && sameList(x.Attributes, y.Attributes) &&
		x.DroppedAttributes == y.DroppedAttributes && x.SchemaURL == y.SchemaURL
}

func sameList(x, y []KeyValue) bool {
	return len(x) == len(y) && unsafe.SliceData(x) == unsafe.SliceData(y)
}

func (b *Builder) readResource(r *Resource) (row resourceRow, head [4]uint32) {
	at := b.sideAttrs.Len()
	if r != nil {
		b.addAttributes(&b.sideAttrs, nil, r.Attributes, everyAttribute)
		row.dropped, row.schema = r.DroppedAttributes, b.text(r.SchemaURL)
	}
	row.attr, row.attrs = uint32(at), uint32(b.sideAttrs.Len()-at)
	b.identify(&row)
	return row, [4]uint32{row.dropped, row.schema}
}

func (b *Builder) readScope(s *Scope) (row scopeRow, head [4]uint32) {
	at := b.sideAttrs.Len()
	if s != nil {
		b.addAttributes(&b.sideAttrs, nil, s.Attributes, everyAttribute)
		row.dropped, row.schema, row.name, row.version = s.DroppedAttributes, b.text(s.SchemaURL), b.text(s.Name), b.text(s.Version)
	}
	row.attr, row.attrs = uint32(at), uint32(b.sideAttrs.Len()-at)
	return row, [4]uint32{row.dropped, row.schema, row.name, row.version}
}

// open makes the block at p the one that spans use. Where the pointer is new, or what it leads to is
// not the same any more, it calls read, which appends the block's attributes to b.sideAttrs; they are
// taken off again if an equal block is known.
func (t *blockTable[T, R]) open(b *Builder, p *T, read func(*T) (row R, head [4]uint32), same func(x, y *T) bool) {
	known, ok := t.byPtr[p]
	if !ok || p != nil && !same(p, &known.read) {
		at := b.sideAttrs.Len()
		b.inBlock, b.blockCodes = true, nil
		row, head := read(p)
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
		known.ref = blockRef{num, b.blockCodes}
		if p != nil {
			known.read = *p
		}
		if t.byPtr == nil || len(t.byPtr) >= maxPointers {
			t.byPtr = map[*T]knownBlock[T]{}
		}
		t.byPtr[p] = known
	}
	t.last, t.lastRef, t.lastRead = p, known.ref, known.read
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
