package otlp

import (
	"github.com/tracewhy/tracewhy"
)

// resourceSpans reads a resource with its spans.
func (d *jsonReader) resourceSpans() error {
	d.openResource()
	schema := ""
	err := d.Members(func(name []byte) (err error) {
		switch string(name) {
		case "resource":
			return d.Part(d.resource)
		case "scopeSpans", "scope_spans":
			return d.List(d.Objects(d.scopeSpans))
		case "instrumentationLibrarySpans", "instrumentation_library_spans":
			d.Log.Note(tracewhy.ProblemLegacySchema, d.I, tracewhy.TraceID{})
			return d.List(d.Objects(d.scopeSpans))
		case "schemaUrl", "schema_url":
			schema, err = d.OwnText()
			return err
		}
		_, err = d.Skip()
		return err
	})
	d.closeResource(schema)
	return err
}

// scopeSpans reads a scope with its spans.
func (d *jsonReader) scopeSpans() error {
	d.openScope()
	schema := ""
	err := d.Members(func(name []byte) (err error) {
		switch string(name) {
		case "scope", "instrumentationLibrary", "instrumentation_library":
			return d.Part(d.scope)
		case "spans":
			return d.List(func(first byte) error { return d.NextSpan(first, d.decodeSpan) })
		case "schemaUrl", "schema_url":
			schema, err = d.OwnText()
			return err
		}
		_, err = d.Skip()
		return err
	})
	d.closeScope(schema)
	return err
}

// resource decodes the resource at B[i].
func (d *jsonReader) resource(i int) int {
	if k := d.resources.findPrefix(d.B[i:]); d.isKnownResource(k) {
		return i + len(k.raw)
	}
	next := d.Pass(i)
	if next < 0 || d.isKnownResource(d.resources.find(d.B[i:next])) {
		return next
	}
	var r tracewhy.Resource
	over := uint32(0)
	next = d.Object(i, func(name []byte, i int) (next int) {
		switch string(name) {
		case "attributes":
			r.Attributes, next = d.attributes(i, r.Attributes, &over)
		case "droppedAttributesCount", "dropped_attributes_count":
			r.DroppedAttributes, next = d.Uint32(i)
		default:
			next = d.Pass(i)
		}
		return next
	})
	if next >= 0 {
		r.DroppedAttributes += over
		d.setResource(d.B[i:next], r)
	}
	return next
}

// scope decodes the scope at B[i].
func (d *jsonReader) scope(i int) int {
	next := d.Pass(i)
	if next < 0 || d.isKnownScope(d.scopes.find(d.B[i:next])) {
		return next
	}
	var s tracewhy.Scope
	over := uint32(0)
	next = d.Object(i, func(name []byte, i int) (next int) {
		switch string(name) {
		case "name":
			s.Name, next = d.Text(i)
		case "version":
			s.Version, next = d.Text(i)
		case "attributes":
			s.Attributes, next = d.attributes(i, s.Attributes, &over)
		case "droppedAttributesCount", "dropped_attributes_count":
			s.DroppedAttributes, next = d.Uint32(i)
		default:
			next = d.Pass(i)
		}
		return next
	})
	if next >= 0 {
		s.DroppedAttributes += over
		d.setScope(d.B[i:next], s)
	}
	return next
}
