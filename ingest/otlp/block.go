package otlp

import (
	"strings"

	"github.com/tracewhy/tracewhy"
)

// blocks keeps the resource and scope that spans are read for. Spans are added as they come, although
// the schema URL comes after them, and the rest may: a Builder lets a Resource or Scope be completed
// until it sees another one. Therefore each block of spans gets a Resource or Scope of its own, and only
// what they hold is shared by those that are written alike.
type blocks struct {
	resources map[string]tracewhy.Resource // by the bytes that they are written with
	scopes    map[string]tracewhy.Scope
	size      int // of both, about, in bytes

	// How many spans had been added when the resource and the scope began: those that no span has are
	// used again.
	resourceFrom, scopeFrom int64

	// The schema URLs that came last, which are likely those that will come: a right guess saves the
	// Builder from looking at a resource or scope twice.
	resourceSchema, scopeSchema string
}

// maxKnown bounds the memory of the resources and scopes that are kept, in bytes.
const maxKnown = 4 << 20

// openResource begins the spans of a resource.
func (t *intake) openResource() {
	if t.added > t.resourceFrom || t.span.Resource == nil {
		t.span.Resource = new(tracewhy.Resource)
	}
	*t.span.Resource = tracewhy.Resource{SchemaURL: t.resourceSchema}
	t.resourceFrom = t.added
}

// findResource fills in the resource if one that is written alike was read before.
func (t *intake) findResource(raw []byte) bool {
	r, ok := t.resources[string(raw)]
	if ok {
		t.setResource(r)
	}
	return ok
}

func (t *intake) setResource(r tracewhy.Resource) {
	t.span.Resource.Attributes, t.span.Resource.DroppedAttributes = r.Attributes, r.DroppedAttributes
}

// keepResource fills in a resource that was decoded from raw, and keeps it, unless something about it is
// to be counted each time.
func (t *intake) keepResource(raw []byte, r tracewhy.Resource) {
	own(r.Attributes)
	t.setResource(r)
	if len(t.findings) > 0 || t.refusal.code != "" {
		return
	}
	t.makeRoom(len(raw), len(r.Attributes))
	t.resources[string(raw)] = r
}

// closeResource ends the spans of a resource. The schema URL is that of the block, not of what it guessed.
func (t *intake) closeResource(schema string) {
	t.span.Resource.SchemaURL = schema
	t.resourceSchema = schema
}

// openScope begins the spans of a scope.
func (t *intake) openScope() {
	if t.added > t.scopeFrom || t.span.Scope == nil {
		t.span.Scope = new(tracewhy.Scope)
	}
	*t.span.Scope = tracewhy.Scope{SchemaURL: t.scopeSchema}
	t.scopeFrom = t.added
}

// findScope fills in the scope if one that is written alike was read before.
func (t *intake) findScope(raw []byte) bool {
	s, ok := t.scopes[string(raw)]
	if ok {
		t.setScope(s)
	}
	return ok
}

func (t *intake) setScope(s tracewhy.Scope) {
	s.SchemaURL = t.span.Scope.SchemaURL
	*t.span.Scope = s
}

// keepScope does for a scope what keepResource does for a resource.
func (t *intake) keepScope(raw []byte, s tracewhy.Scope) {
	own(s.Attributes)
	s.Name, s.Version = strings.Clone(s.Name), strings.Clone(s.Version)
	t.setScope(s)
	if len(t.findings) > 0 || t.refusal.code != "" {
		return
	}
	t.makeRoom(len(raw), len(s.Attributes))
	t.scopes[string(raw)] = s
}

// closeScope ends the spans of a scope.
func (t *intake) closeScope(schema string) {
	t.span.Scope.SchemaURL = schema
	t.scopeSchema = schema
}

// makeRoom is called before something is kept. It forgets all that is kept when that becomes too much.
func (t *intake) makeRoom(bytes, attributes int) {
	const overhead, perAttribute = 256, 128
	n := bytes + overhead + attributes*perAttribute
	if t.size += n; t.size > maxKnown || t.resources == nil {
		t.size = n
		t.resources, t.scopes = map[string]tracewhy.Resource{}, map[string]tracewhy.Scope{}
	}
}
