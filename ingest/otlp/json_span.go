package otlp

import (
	"github.com/tracewhy/tracewhy"
)

// decodeSpan decodes the span at B[i] into d.span.
func (d *jsonReader) decodeSpan(i int) int {
	s := &d.span
	start := i
	var seen uint32
	var traceID, spanID idState
	i++
	for first := true; ; first = false {
		name, next := d.member(i, first)
		if next < 0 {
			return next
		}
		if name == nil {
			d.checkIDs(traceID, spanID, start)
			return next
		}
		i = next
		var field uint32
		switch string(name) {
		case "traceId", "trace_id":
			field = 1 << 0
			traceID, next = d.id(i, s.TraceID[:])
		case "spanId", "span_id":
			field = 1 << 1
			spanID, next = d.id(i, s.SpanID[:])
		case "parentSpanId", "parent_span_id":
			field = 1 << 2
			var state idState
			if state, next = d.id(i, s.ParentSpanID[:]); state == idInvalid {
				d.refuse(tracewhy.ProblemIDInvalid, i)
			}
		case "traceState", "trace_state":
			field = 1 << 3
			s.TraceState, next = d.text(i)
		case "flags":
			field = 1 << 4
			s.Flags, next = d.uint32(i)
		case "name":
			field = 1 << 5
			s.Name, next = d.text(i)
		case "kind":
			field = 1 << 6
			s.Kind, next = d.kind(i)
		case "startTimeUnixNano", "start_time_unix_nano":
			field = 1 << 7
			s.Start, next = d.time(i)
		case "endTimeUnixNano", "end_time_unix_nano":
			field = 1 << 8
			s.End, next = d.time(i)
		case "attributes":
			s.Attributes, next = d.attributes(i, s.Attributes, &d.over.attributes)
		case "droppedAttributesCount", "dropped_attributes_count":
			field = 1 << 9
			s.DroppedAttributes, next = d.uint32(i)
		case "events":
			next = d.events(i)
		case "droppedEventsCount", "dropped_events_count":
			field = 1 << 10
			s.DroppedEvents, next = d.uint32(i)
		case "links":
			next = d.links(i)
		case "droppedLinksCount", "dropped_links_count":
			field = 1 << 11
			s.DroppedLinks, next = d.uint32(i)
		case "status":
			field = 1 << 12
			next = d.status(i)
		default:
			next = d.skip(i)
		}
		if next < 0 {
			return next
		}
		if seen&field != 0 {
			d.note(tracewhy.ProblemDuplicateField, i)
		}
		seen |= field
		i = next
	}
}

// checkIDs refuses a span that cannot be told from others.
func (d *jsonReader) checkIDs(traceID, spanID idState, at int) {
	for _, state := range [...]idState{traceID, spanID} {
		switch state {
		case idMissing:
			d.refuse(tracewhy.ProblemIDMissing, at)
		case idZero:
			d.refuse(tracewhy.ProblemIDZero, at)
		case idInvalid:
			d.refuse(tracewhy.ProblemIDInvalid, at)
		}
	}
}

// status decodes the status at B[i].
func (d *jsonReader) status(i int) int {
	s := &d.span
	s.Status, s.StatusMessage = tracewhy.StatusUnset, ""
	return d.object(i, func(name []byte, i int) int {
		switch string(name) {
		case "code":
			n, known, next := d.enum(i, "STATUS_CODE_", statusNames)
			if !known {
				d.note(tracewhy.ProblemStatusUnknown, i)
			}
			s.Status = tracewhy.StatusCode(n)
			return next
		case "message":
			var next int
			s.StatusMessage, next = d.text(i)
			return next
		}
		return d.skip(i)
	})
}

// The names of enum values in OTLP, without their prefix, by number.
var (
	kindNames   = []string{"UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"}
	statusNames = []string{"UNSET", "OK", "ERROR"}
)

func (d *jsonReader) kind(i int) (tracewhy.Kind, int) {
	n, known, next := d.enum(i, "SPAN_KIND_", kindNames)
	if !known {
		d.note(tracewhy.ProblemKindUnknown, i)
	}
	return tracewhy.Kind(n), next
}

// events decodes the array of events at B[i].
func (d *jsonReader) events(i int) int {
	s := &d.span
	return d.array(i, func(i int) int {
		if !d.room(len(s.Events), i) {
			d.over.events++
			return d.skip(i)
		}
		var e tracewhy.Event
		i = d.object(i, func(name []byte, i int) (next int) {
			switch string(name) {
			case "timeUnixNano", "time_unix_nano":
				e.Time, next = d.eventTime(i)
			case "name":
				e.Name, next = d.text(i)
			case "attributes":
				e.Attributes, next = d.innerAttributes(i, &e.DroppedAttributes)
			case "droppedAttributesCount", "dropped_attributes_count":
				e.DroppedAttributes, next = d.uint32(i)
			default:
				next = d.skip(i)
			}
			return next
		})
		s.Events = append(s.Events, e)
		return i
	})
}

// links decodes the array of links at B[i].
func (d *jsonReader) links(i int) int {
	s := &d.span
	return d.array(i, func(i int) int {
		if !d.room(len(s.Links), i) {
			d.over.links++
			return d.skip(i)
		}
		at := i
		var l tracewhy.Link
		var traceID, spanID idState
		i = d.object(i, func(name []byte, i int) (next int) {
			switch string(name) {
			case "traceId", "trace_id":
				traceID, next = d.id(i, l.TraceID[:])
			case "spanId", "span_id":
				spanID, next = d.id(i, l.SpanID[:])
			case "traceState", "trace_state":
				l.TraceState, next = d.text(i)
			case "flags":
				l.Flags, next = d.uint32(i)
			case "attributes":
				l.Attributes, next = d.innerAttributes(i, &l.DroppedAttributes)
			case "droppedAttributesCount", "dropped_attributes_count":
				l.DroppedAttributes, next = d.uint32(i)
			default:
				next = d.skip(i)
			}
			return next
		})
		if traceID != idValid || spanID != idValid {
			d.note(tracewhy.ProblemLinkInvalid, at)
			return i
		}
		s.Links = append(s.Links, l)
		return i
	})
}

// innerAttributes decodes the attributes of an event or link.
func (d *jsonReader) innerAttributes(i int, over *uint32) ([]tracewhy.KeyValue, int) {
	from := len(d.inner)
	var next int
	d.inner, next = d.attributes(i, d.inner, over)
	return d.inner[from:len(d.inner):len(d.inner)], next
}
