package otlp

import (
	"errors"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/ingest/internal/scan"
)

// decode calls one of the decoding methods on the object that comes next, until enough of it is at
// hand. It returns where in the window the object is.
func (d *jsonReader) decode(method func(i int) int) (from, next int, err error) {
	for {
		d.begin()
		d.texts = d.texts[:0]
		switch next := method(d.I); next {
		case scan.Bad:
			f := d.fault
			return 0, 0, &f
		case scan.Short:
			if len(d.B)-d.I > d.config.Limits.SpanBytes {
				return d.I, scan.Short, nil
			}
			if d.More(d.I) {
				continue
			}
			if err := d.Err(); err != nil {
				return 0, 0, err
			}
			return 0, 0, scan.ErrCut
		default:
			return d.I, next, nil
		}
	}
}

// resourceSpans reads a resource with its spans.
func (d *jsonReader) resourceSpans() error {
	if err := d.resource(); err != nil {
		return err
	}
	return d.Members(func(name []byte) error {
		switch string(name) {
		case "scopeSpans", "scope_spans":
			return d.list(d.scopeSpans)
		case "instrumentationLibrarySpans", "instrumentation_library_spans":
			d.log.Note(tracewhy.ProblemLegacySchema, d.I, tracewhy.TraceID{})
			return d.list(d.scopeSpans)
		}
		_, err := d.Skip()
		return err
	})
}

func (d *jsonReader) resource() error {
	d.span.Resource, d.span.Scope = &tracewhy.Resource{}, nil
	_, _, err := d.decode(func(i int) int {
		*d.span.Resource = tracewhy.Resource{}
		return d.members(i, func(name []byte, i int) int {
			switch string(name) {
			case "resource":
				return d.resourceAttributes(i, d.span.Resource)
			case "schemaUrl", "schema_url":
				return d.ownText(i, &d.span.Resource.SchemaURL)
			}
			return d.skip(i)
		})
	})
	d.report(tracewhy.TraceID{})
	if errors.Is(err, scan.ErrCut) {
		return nil
	}
	return err
}

func (d *jsonReader) scopeSpans() error {
	d.span.Scope = &tracewhy.Scope{}
	_, _, err := d.decode(func(i int) int {
		*d.span.Scope = tracewhy.Scope{}
		return d.members(i, func(name []byte, i int) int {
			switch string(name) {
			case "scope", "instrumentationLibrary", "instrumentation_library":
				return d.scopeAttributes(i, d.span.Scope)
			case "schemaUrl", "schema_url":
				return d.ownText(i, &d.span.Scope.SchemaURL)
			}
			return d.skip(i)
		})
	})
	d.report(tracewhy.TraceID{})
	if err != nil && !errors.Is(err, scan.ErrCut) {
		return err
	}
	return d.Members(func(name []byte) error {
		if string(name) != "spans" {
			_, err := d.Skip()
			return err
		}
		isArray, err := d.Elements(d.element1)
		if err != nil || isArray {
			return err
		}
		d.log.Note(tracewhy.ProblemShape, d.I, tracewhy.TraceID{})
		_, err = d.Skip()
		return err
	})
}

// element1 reads a span.
func (d *jsonReader) element1(first byte) error {
	if first != '{' {
		if err := d.lose(tracewhy.ProblemShape, d.I); err != nil {
			return err
		}
		_, err := d.Skip()
		return err
	}
	from, next, err := d.decode(d.spanAt)
	var fault *scan.Fault
	switch {
	case errors.As(err, &fault):
		return errors.Join(d.lose(tracewhy.ProblemSyntax, fault.At), err)
	case errors.Is(err, scan.ErrCut):
		return errors.Join(d.lose(tracewhy.ProblemTruncatedInput, len(d.B)), err)
	case err != nil:
		return err
	case next == scan.Short:
		if err := d.lose(tracewhy.ProblemLimit, from); err != nil {
			return err
		}
		_, err := d.Skip()
		return err
	}
	if err := d.finish(from); err != nil {
		return err
	}
	d.I = next
	return nil
}
