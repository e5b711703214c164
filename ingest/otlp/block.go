package otlp

import (
	"strings"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/ingest/internal/decode"
)

// blocks keeps the resource and scope that spans are read for.
//
// Spans are added as they come, although the schema URL of their resource comes after them, and the
// rest may. The Builder allows for that: what a *Resource leads to may change until a span with another
// one is added. So each block of spans needs a Resource that the block before does not use. It spares the
// Builder work if that is one that it has seen. Therefore two of each are kept, for blocks that are
// written alike to use in turn, in the hope that the schema URL will be the one of the last time.
type blocks struct {
	in        *decode.Spans
	resources table[tracewhy.Resource]
	scopes    table[tracewhy.Scope]
}

// A table has the resources, or scopes, that were read.
type table[T any] struct {
	known    map[string]*known[T]   // by how they are written
	byPrefix map[string][]*known[T] // those that are long, by how they begin
	size     int                    // of all, about, in bytes

	current *known[T] // that of the block, or nil
	own     *T        // for a block with another
	from    int64     // how many spans were added when the block began
	schema  string    // of the block before
}

// known is a resource or scope, twice.
type known[T any] struct {
	raw   string
	turns [2]*T
	turn  int
}

const (
	maxKnown   = 4 << 20 // bytes, of a table
	prefixSize = 192     // bytes
	maxAlike   = 8       // known ones that begin alike
)

// find looks for what was written as raw.
func (t *table[T]) find(raw []byte) *known[T] { return t.known[string(raw)] }

// findPrefix looks for what text begins with: a JSON object ends where it ends.
func (t *table[T]) findPrefix(text []byte) *known[T] {
	if len(text) < prefixSize {
		return nil
	}
	for _, k := range t.byPrefix[string(text[:prefixSize])] {
		if len(k.raw) <= len(text) && string(text[:len(k.raw)]) == k.raw {
			return k
		}
	}
	return nil
}

// keep makes v known as what is written as raw. It forgets everything when that becomes too much.
func (t *table[T]) keep(raw []byte, attributes int, v *T) *known[T] {
	const overhead, perAttribute = 512, 128
	n := 2*len(raw) + overhead + attributes*perAttribute
	if t.size += n; t.size > maxKnown || t.known == nil {
		t.size = n
		t.known, t.byPrefix = map[string]*known[T]{}, map[string][]*known[T]{}
	}
	k := &known[T]{raw: string(raw)}
	k.renew(*v)
	t.known[k.raw] = k
	if len(raw) >= prefixSize {
		if alike := t.byPrefix[k.raw[:prefixSize]]; len(alike) < maxAlike {
			t.byPrefix[k.raw[:prefixSize]] = append(alike, k)
		}
	}
	return k
}

// renew gives k two of v that the Builder has not seen.
func (k *known[T]) renew(v T) {
	w := v
	k.turns = [2]*T{&v, &w}
}

// open begins a block, and returns a T for it. The last one can be used again if no span has it.
func (t *table[T]) open(last *T, added int64) *T {
	if t.own == nil || last == t.own && added > t.from {
		t.own = new(T)
	}
	var zero T
	*t.own = zero
	t.current, t.from = nil, added
	return t.own
}

// use returns a T of k for the block, which has now so far.
func (t *table[T]) use(k *known[T], now *T, added int64) *T {
	if added > t.from {
		t.replace(now, *k.turns[0])
		return now
	}
	t.giveBack()
	t.current = k
	k.turn = 1 - k.turn
	return k.turns[k.turn]
}

// giveBack undoes use, so that a block without spans does not take a turn.
func (t *table[T]) giveBack() {
	if t.current != nil {
		t.current.turn = 1 - t.current.turn
	}
	t.current = nil
}

// replace makes what spans of the block have already another one.
func (t *table[T]) replace(now *T, v T) {
	if k := t.current; k != nil {
		k.renew(*k.turns[1-k.turn])
		t.current = nil
	}
	*now = v
}

// close ends a block. If what now leads to was changed since k was kept, the next blocks of k have that.
func (t *table[T]) close(now *T, isChanged bool, added int64) {
	switch {
	case isChanged && t.current != nil:
		t.current.renew(*now)
	case added == t.from:
		t.giveBack()
	}
}

// openResource begins the spans of a resource.
func (b *blocks) openResource() {
	b.in.Span.Resource = b.resources.open(b.in.Span.Resource, b.in.Added)
	b.in.Span.Resource.SchemaURL = b.resources.schema
}

// isKnownResource makes a resource that was read before that of the block.
func (b *blocks) isKnownResource(k *known[tracewhy.Resource]) bool {
	if k != nil {
		b.in.Span.Resource = b.resources.use(k, b.in.Span.Resource, b.in.Added)
	}
	return k != nil
}

// setResource makes r, which was decoded from raw, the resource of the block. It becomes known unless
// there is something about it that has to be counted each time.
func (b *blocks) setResource(raw []byte, r tracewhy.Resource) {
	decode.Own(r.Attributes)
	r.SchemaURL = b.resources.schema
	if !b.in.IsOdd() {
		b.isKnownResource(b.resources.keep(raw, len(r.Attributes), &r))
		return
	}
	b.resources.replace(b.in.Span.Resource, r)
}

// closeResource ends the spans of a resource.
func (b *blocks) closeResource(schema string) {
	r := b.in.Span.Resource
	isChanged := r.SchemaURL != schema
	r.SchemaURL, b.resources.schema = schema, schema
	b.resources.close(r, isChanged, b.in.Added)
}

// openScope begins the spans of a scope.
func (b *blocks) openScope() {
	b.in.Span.Scope = b.scopes.open(b.in.Span.Scope, b.in.Added)
	b.in.Span.Scope.SchemaURL = b.scopes.schema
}

// isKnownScope, setScope and closeScope do for scopes what those for resources do.
func (b *blocks) isKnownScope(k *known[tracewhy.Scope]) bool {
	if k != nil {
		b.in.Span.Scope = b.scopes.use(k, b.in.Span.Scope, b.in.Added)
	}
	return k != nil
}

func (b *blocks) setScope(raw []byte, s tracewhy.Scope) {
	decode.Own(s.Attributes)
	s.Name, s.Version = strings.Clone(s.Name), strings.Clone(s.Version)
	s.SchemaURL = b.scopes.schema
	if !b.in.IsOdd() {
		b.isKnownScope(b.scopes.keep(raw, len(s.Attributes), &s))
		return
	}
	b.scopes.replace(b.in.Span.Scope, s)
}

func (b *blocks) closeScope(schema string) {
	s := b.in.Span.Scope
	isChanged := s.SchemaURL != schema
	s.SchemaURL, b.scopes.schema = schema, schema
	b.scopes.close(s, isChanged, b.in.Added)
}
