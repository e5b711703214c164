package otlp

import (
	"errors"
	"strings"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/ingest/internal/scan"
)

// resident calls one of the decoding methods on the value that comes next, until enough of it is at
// hand, and passes over the value. If it is longer than the limit it is left for Skip.
func (d *jsonReader) resident(method func(i int) int) (isRead bool, err error) {
	for {
		d.begin()
		d.texts = d.texts[:0]
		switch next := method(d.I); next {
		case scan.Bad:
			fault := d.fault
			return false, &fault
		case scan.Short:
			if len(d.B)-d.I > d.config.Limits.SpanBytes {
				return false, nil
			}
			if !d.More(d.I) {
				return false, d.Ended()
			}
		default:
			d.I = next
			return true, nil
		}
	}
}

// part decodes a value that belongs to no span.
func (d *jsonReader) part(method func(i int) int) error {
	if _, err := d.Next(); err != nil {
		return err
	}
	isRead, err := d.resident(method)
	switch {
	case err != nil:
		return err
	case !isRead:
		d.log.Note(tracewhy.ProblemLimit, d.I, tracewhy.TraceID{})
		_, err := d.Skip()
		return err
	case d.refusal.code != "":
		d.log.Note(d.refusal.code, d.refusal.at, tracewhy.TraceID{})
	}
	d.report(tracewhy.TraceID{})
	return nil
}

// ownText decodes a text that outlives the window, and belongs to no span.
func (d *jsonReader) ownText() (s string, err error) {
	err = d.part(func(i int) (next int) {
		s, next = d.text(i)
		return next
	})
	return strings.Clone(s), err
}

// resourceSpans reads a resource with its spans.
func (d *jsonReader) resourceSpans() error {
	d.openResource()
	schema := ""
	err := d.Members(func(name []byte) (err error) {
		switch string(name) {
		case "resource":
			return d.part(d.resource)
		case "scopeSpans", "scope_spans":
			return d.list(d.objects(d.scopeSpans))
		case "instrumentationLibrarySpans", "instrumentation_library_spans":
			d.log.Note(tracewhy.ProblemLegacySchema, d.I, tracewhy.TraceID{})
			return d.list(d.objects(d.scopeSpans))
		case "schemaUrl", "schema_url":
			schema, err = d.ownText()
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
			return d.part(d.scope)
		case "spans":
			return d.list(d.nextSpan)
		case "schemaUrl", "schema_url":
			schema, err = d.ownText()
			return err
		}
		_, err = d.Skip()
		return err
	})
	d.closeScope(schema)
	return err
}

// nextSpan reads a span.
func (d *jsonReader) nextSpan(first byte) error {
	if first != '{' {
		if err := d.lose(tracewhy.ProblemShape, d.I); err != nil {
			return err
		}
		_, err := d.Skip()
		return err
	}
	from := d.Offset(d.I)
	isRead, err := d.resident(d.decodeSpan)
	at := int(from - d.Offset(0))
	switch {
	case err == nil && isRead:
		return d.finish(at)
	case err == nil:
		if err := d.lose(tracewhy.ProblemLimit, at); err != nil {
			return err
		}
		_, err := d.Skip()
		return err
	case errors.Is(err, scan.ErrCut):
		return d.loseTo(err, tracewhy.ProblemTruncatedInput, at)
	}
	if fault := (*scan.Fault)(nil); errors.As(err, &fault) {
		if end := d.endOfBroken(fault); end >= 0 {
			d.fail(fault)
			d.I = end
			return d.lose(tracewhy.ProblemSyntax, fault.At)
		}
		return d.loseTo(err, tracewhy.ProblemSyntax, fault.At)
	}
	return err
}

// endOfBroken returns where the span ends that comes next and is no JSON, if that much can be told: a NaN
// or a comma too many leaves its brackets in order.
func (d *jsonReader) endOfBroken(fault *scan.Fault) int {
	const enough = 64 << 10 // to look for it in
	for {
		end := scan.Skip(d.B, d.I)
		if end >= 0 {
			if i := scan.Space(d.B, end); i < len(d.B) {
				if d.B[i] == ',' || d.B[i] == ']' {
					return end
				}
				return scan.Bad
			}
		}
		from := d.I
		if len(d.B)-from > enough || !d.More(from) {
			return scan.Short
		}
		fault.At -= from
	}
}

// resource decodes the resource at B[i].
func (d *jsonReader) resource(i int) int {
	if k := d.resources.findPrefix(d.B[i:]); d.isKnownResource(k) {
		return i + len(k.raw)
	}
	next := d.skip(i)
	if next < 0 || d.isKnownResource(d.resources.find(d.B[i:next])) {
		return next
	}
	var r tracewhy.Resource
	over := uint32(0)
	next = d.object(i, func(name []byte, i int) (next int) {
		switch string(name) {
		case "attributes":
			r.Attributes, next = d.attributes(i, r.Attributes, &over)
		case "droppedAttributesCount", "dropped_attributes_count":
			r.DroppedAttributes, next = d.uint32(i)
		default:
			next = d.skip(i)
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
	next := d.skip(i)
	if next < 0 || d.isKnownScope(d.scopes.find(d.B[i:next])) {
		return next
	}
	var s tracewhy.Scope
	over := uint32(0)
	next = d.object(i, func(name []byte, i int) (next int) {
		switch string(name) {
		case "name":
			s.Name, next = d.text(i)
		case "version":
			s.Version, next = d.text(i)
		case "attributes":
			s.Attributes, next = d.attributes(i, s.Attributes, &over)
		case "droppedAttributesCount", "dropped_attributes_count":
			s.DroppedAttributes, next = d.uint32(i)
		default:
			next = d.skip(i)
		}
		return next
	})
	if next >= 0 {
		s.DroppedAttributes += over
		d.setScope(d.B[i:next], s)
	}
	return next
}
