package otlp

import (
	"strings"

	"github.com/tracewhy/tracewhy"
)

// blocks keeps the resource and scope that spans are read for. Spans are added as they come, although
// the schema URL comes after them, and the rest may: a Builder lets a Resource or Scope be completed
// until it sees another one. Therefore each place that writes one gets one of its own, and only what
// they hold is shared by those that are written alike.
type blocks struct {
	resources map[string]tracewhy.Resource // by the bytes that they are written with
	scopes    map[string]tracewhy.Scope
	size      int // of the keys

	// The schema URLs that came last, which are likely those that will come: a right guess saves the
	// Builder from looking at a resource or scope twice.
	resourceSchema, scopeSchema string
}

// maxKnown bounds the keys of resources and scopes, in bytes.
const maxKnown = 4 << 20

// openResource begins the spans of a resource.
func (t *intake) openResource() {
	t.span.Resource, t.span.Scope = &tracewhy.Resource{SchemaURL: t.resourceSchema}, nil
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
	t.makeRoom(len(raw))
	t.resources[string(raw)] = r
}

// closeResource ends the spans of a resource. The schema URL is that of the block, not of what it guessed.
func (t *intake) closeResource(schema string) {
	t.span.Resource.SchemaURL = schema
	t.resourceSchema = schema
}

// openScope begins the spans of a scope.
func (t *intake) openScope() { t.span.Scope = &tracewhy.Scope{SchemaURL: t.scopeSchema} }

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
	t.makeRoom(len(raw))
	t.scopes[string(raw)] = s
}

// closeScope ends the spans of a scope.
func (t *intake) closeScope(schema string) {
	t.span.Scope.SchemaURL = schema
	t.scopeSchema = schema
}

// makeRoom forgets all that is known when it becomes too much.
func (t *intake) makeRoom(n int) {
	if t.size += n; t.size > maxKnown || t.resources == nil {
		t.size = n
		t.resources, t.scopes = map[string]tracewhy.Resource{}, map[string]tracewhy.Scope{}
	}
}
