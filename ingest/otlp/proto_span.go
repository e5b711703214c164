package otlp

import (
	"math"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/ingest/internal/decode"
)

// decodeSpan decodes a span. It is false if the bytes are none.
//
// Like the other methods that decode messages it takes the last of a field that is given twice, as
// protobuf does, and passes over fields of other numbers or wire types than OTLP's.
func (d *protoReader) decodeSpan(b []byte) bool {
	s := &d.Span
	var traceID, spanID, parentID []byte
	for i := 0; i < len(b); {
		t, next := uint64(b[i]), i+1
		if t >= 0x80 {
			if t, next = longUvarint(b, i); next < 0 {
				return false
			}
		}
		i = next
		var v []byte
		var n uint64
		switch t {
		case tag(1, bytesType):
			traceID, i = lengthed(b, i)
		case tag(2, bytesType):
			spanID, i = lengthed(b, i)
		case tag(3, bytesType):
			v, i = lengthed(b, i)
			s.TraceState = d.text(v)
		case tag(4, bytesType):
			parentID, i = lengthed(b, i)
		case tag(5, bytesType):
			v, i = lengthed(b, i)
			s.Name = d.text(v)
		case tag(6, varintType):
			n, i = uvarint(b, i)
			s.Kind = tracewhy.Kind(min(n, math.MaxUint8))
		case tag(7, fixed64Type):
			s.Start, i = fixed64(b, i)
		case tag(8, fixed64Type):
			s.End, i = fixed64(b, i)
		case attributeTag:
			i = d.attributes(b, i)
		case tag(10, varintType):
			n, i = uvarint(b, i)
			s.DroppedAttributes = uint32(n)
		case tag(11, bytesType):
			if v, i = lengthed(b, i); i < 0 || !d.event(v) {
				return false
			}
		case tag(12, varintType):
			n, i = uvarint(b, i)
			s.DroppedEvents = uint32(n)
		case tag(13, bytesType):
			if v, i = lengthed(b, i); i < 0 || !d.link(v) {
				return false
			}
		case tag(14, varintType):
			n, i = uvarint(b, i)
			s.DroppedLinks = uint32(n)
		case tag(15, bytesType):
			if v, i = lengthed(b, i); i < 0 || !d.status(v) {
				return false
			}
		case tag(16, fixed32Type):
			s.Flags, i = fixed32(b, i)
		default:
			i = skipField(b, i, t)
		}
		if i < 0 {
			return false
		}
	}
	d.spanIDs(traceID, spanID, parentID)
	return true
}

const (
	attributeTag = 9<<3 | bytesType // of a span's attributes
	protoSalt    = 1                // in the cache of references
)

// attributes decodes the attributes of the span that follow each other, from after the tag of the first.
func (d *protoReader) attributes(b []byte, i int) int {
	for {
		var v []byte
		if v, i = lengthed(b, i); i < 0 {
			return malformed
		}
		if ref, isKnown := d.cache.find(protoSalt, v); isKnown && d.Attrs < d.Config.Limits.PerSpan {
			d.Attrs++
			d.Refs = append(d.Refs, ref)
		} else {
			d.spanAttribute(v)
		}
		if i == len(b) || b[i] != attributeTag {
			return i
		}
		i++
	}
}

// spanAttribute decodes an attribute of the span that is not known.
func (d *protoReader) spanAttribute(b []byte) {
	if !d.Room(d.Attrs, d.I) {
		d.Over.Attributes++
		return
	}
	before := d.Noted
	if kv, ok := d.attribute(b); ok {
		salt := uint32(protoSalt)
		if d.Noted != before {
			salt = 0
		}
		d.cache.remember(&d.Spans, salt, b, kv)
	}
}

// spanIDs sets the ids of the span, or refuses it.
func (d *protoReader) spanIDs(traceID, spanID, parentID []byte) {
	s := &d.Span
	if len(traceID) == len(s.TraceID) {
		s.TraceID = tracewhy.TraceID(traceID)
	}
	if len(spanID) == len(s.SpanID) {
		s.SpanID = tracewhy.SpanID(spanID)
	}
	if len(parentID) == len(s.ParentSpanID) {
		s.ParentSpanID = tracewhy.SpanID(parentID)
	}
	switch {
	case len(traceID) == 0 || len(spanID) == 0:
		d.Refuse(tracewhy.ProblemIDMissing, d.I)
	case len(traceID) != len(s.TraceID), len(spanID) != len(s.SpanID),
		len(parentID) != 0 && len(parentID) != len(s.ParentSpanID):
		d.Refuse(tracewhy.ProblemIDLength, d.I)
	case s.TraceID.IsZero() || s.SpanID.IsZero():
		d.Refuse(tracewhy.ProblemIDZero, d.I)
	}
}

// text returns b as text, cut to the limit.
func (d *protoReader) text(b []byte) string { return decode.View(d.Cut(b, d.I)) }

// status decodes a status.
func (d *protoReader) status(b []byte) bool {
	s := &d.Span
	for i := 0; i < len(b); {
		var t, n uint64
		var v []byte
		if t, i = uvarint(b, i); i < 0 {
			return false
		}
		switch t {
		case tag(2, bytesType):
			v, i = lengthed(b, i)
			s.StatusMessage = d.text(v)
		case tag(3, varintType):
			n, i = uvarint(b, i)
			s.Status = tracewhy.StatusCode(min(n, math.MaxUint8))
		default:
			i = skipField(b, i, t)
		}
		if i < 0 {
			return false
		}
	}
	return true
}

// event decodes an event of the span.
func (d *protoReader) event(b []byte) bool {
	s := &d.Span
	if !d.Room(len(s.Events), d.I) {
		d.Over.Events++
		return true
	}
	var e tracewhy.Event
	over := uint32(0)
	from := len(d.Inner)
	for i := 0; i < len(b); {
		var t, n uint64
		var v []byte
		if t, i = uvarint(b, i); i < 0 {
			return false
		}
		switch t {
		case tag(1, fixed64Type):
			e.Time, i = fixed64(b, i)
		case tag(2, bytesType):
			v, i = lengthed(b, i)
			e.Name = d.text(v)
		case tag(3, bytesType):
			if v, i = lengthed(b, i); i < 0 {
				return false
			}
			over += d.innerAttribute(v)
		case tag(4, varintType):
			n, i = uvarint(b, i)
			e.DroppedAttributes = uint32(n)
		default:
			i = skipField(b, i, t)
		}
		if i < 0 {
			return false
		}
	}
	e.DroppedAttributes += over
	e.Attributes = d.Inner[from:len(d.Inner):len(d.Inner)]
	s.Events = append(s.Events, e)
	return true
}

// link decodes a link of the span.
func (d *protoReader) link(b []byte) bool {
	s := &d.Span
	if !d.Room(len(s.Links), d.I) {
		d.Over.Links++
		return true
	}
	var l tracewhy.Link
	var traceID, spanID []byte
	over := uint32(0)
	from := len(d.Inner)
	for i := 0; i < len(b); {
		var t, n uint64
		var v []byte
		if t, i = uvarint(b, i); i < 0 {
			return false
		}
		switch t {
		case tag(1, bytesType):
			traceID, i = lengthed(b, i)
		case tag(2, bytesType):
			spanID, i = lengthed(b, i)
		case tag(3, bytesType):
			v, i = lengthed(b, i)
			l.TraceState = d.text(v)
		case tag(4, bytesType):
			if v, i = lengthed(b, i); i < 0 {
				return false
			}
			over += d.innerAttribute(v)
		case tag(5, varintType):
			n, i = uvarint(b, i)
			l.DroppedAttributes = uint32(n)
		case tag(6, fixed32Type):
			l.Flags, i = fixed32(b, i)
		default:
			i = skipField(b, i, t)
		}
		if i < 0 {
			return false
		}
	}
	if len(traceID) == len(l.TraceID) && len(spanID) == len(l.SpanID) {
		l.TraceID, l.SpanID = tracewhy.TraceID(traceID), tracewhy.SpanID(spanID)
	}
	if l.TraceID.IsZero() || l.SpanID.IsZero() {
		d.Note(tracewhy.ProblemLinkInvalid, d.I)
		return true
	}
	l.DroppedAttributes += over
	l.Attributes = d.Inner[from:len(d.Inner):len(d.Inner)]
	s.Links = append(s.Links, l)
	return true
}

// innerAttribute decodes an attribute of an event or link onto d.Inner. It returns 1 if that was dropped
// because of the limits.
func (d *protoReader) innerAttribute(b []byte) (over uint32) {
	if !d.Room(d.Attrs, d.I) {
		return 1
	}
	if kv, ok := d.attribute(b); ok {
		d.Inner = append(d.Inner, kv)
	}
	return 0
}

// resource decodes a resource.
func (d *protoReader) resource(b []byte) bool {
	if d.isKnownResource(d.resources.find(b)) {
		return true
	}
	var r tracewhy.Resource
	over := uint32(0)
	for i := 0; i < len(b); {
		var t, n uint64
		var v []byte
		if t, i = uvarint(b, i); i < 0 {
			return false
		}
		switch t {
		case tag(1, bytesType):
			if v, i = lengthed(b, i); i < 0 {
				return false
			}
			if !d.Room(d.Attrs, d.I) {
				over++
			} else if kv, ok := d.attribute(v); ok {
				r.Attributes = append(r.Attributes, kv)
			}
		case tag(2, varintType):
			n, i = uvarint(b, i)
			r.DroppedAttributes = uint32(n)
		default:
			i = skipField(b, i, t)
		}
		if i < 0 {
			return false
		}
	}
	r.DroppedAttributes += over
	d.setResource(b, r)
	return true
}

// scope decodes a scope.
func (d *protoReader) scope(b []byte) bool {
	if d.isKnownScope(d.scopes.find(b)) {
		return true
	}
	var s tracewhy.Scope
	over := uint32(0)
	for i := 0; i < len(b); {
		var t, n uint64
		var v []byte
		if t, i = uvarint(b, i); i < 0 {
			return false
		}
		switch t {
		case tag(1, bytesType):
			v, i = lengthed(b, i)
			s.Name = d.text(v)
		case tag(2, bytesType):
			v, i = lengthed(b, i)
			s.Version = d.text(v)
		case tag(3, bytesType):
			if v, i = lengthed(b, i); i < 0 {
				return false
			}
			if !d.Room(d.Attrs, d.I) {
				over++
			} else if kv, ok := d.attribute(v); ok {
				s.Attributes = append(s.Attributes, kv)
			}
		case tag(4, varintType):
			n, i = uvarint(b, i)
			s.DroppedAttributes = uint32(n)
		default:
			i = skipField(b, i, t)
		}
		if i < 0 {
			return false
		}
	}
	s.DroppedAttributes += over
	d.setScope(b, s)
	return true
}
