package otlp

import (
	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/ingest/internal/decode"
)

// A spanField is a member of a span that OTLP knows.
type spanField uint8

const (
	noField spanField = iota // none, or another
	traceIDField
	spanIDField
	parentSpanIDField
	traceStateField
	flagsField
	nameField
	kindField
	startField
	endField
	attributesField
	droppedAttributesField
	eventsField
	droppedEventsField
	linksField
	droppedLinksField
	statusField
	spanFields // how many there are
)

func spanFieldOf(name []byte) spanField {
	switch string(name) {
	case "traceId", "trace_id":
		return traceIDField
	case "spanId", "span_id":
		return spanIDField
	case "parentSpanId", "parent_span_id":
		return parentSpanIDField
	case "traceState", "trace_state":
		return traceStateField
	case "flags":
		return flagsField
	case "name":
		return nameField
	case "kind":
		return kindField
	case "startTimeUnixNano", "start_time_unix_nano":
		return startField
	case "endTimeUnixNano", "end_time_unix_nano":
		return endField
	case "attributes":
		return attributesField
	case "droppedAttributesCount", "dropped_attributes_count":
		return droppedAttributesField
	case "events":
		return eventsField
	case "droppedEventsCount", "dropped_events_count":
		return droppedEventsField
	case "links":
		return linksField
	case "droppedLinksCount", "dropped_links_count":
		return droppedLinksField
	case "status":
		return statusField
	}
	return noField
}

// isRepeated reports whether a field that is given twice has the values of both.
func (f spanField) isRepeated() bool {
	return f == noField || f == attributesField || f == eventsField || f == linksField
}

// A transition is how a writer goes from the value of one member to that of the next: a comma, a name, a
// colon, and the space that it puts between them.
type transition struct {
	to   spanField
	n    uint8
	text [38]byte
}

// nextField goes to the next member of a span, from after the value of the one before, prev. At the end
// of the span done is true.
func (d *jsonReader) nextField(i int, prev spanField, first bool) (f spanField, next int, done bool) {
	b := d.B
	t := &d.transitions[prev]
	isRegular := first || prev != noField
	if end := i + int(t.n); isRegular && t.n > 0 && end < len(b) && string(b[i:end]) == string(t.text[:t.n]) && b[end] > ' ' {
		return t.to, end, false
	}
	name, next := d.Field(i, first)
	if next < 0 || name == nil {
		return noField, next, true
	}
	f = spanFieldOf(name)
	if n := next - i; f != noField && n <= len(t.text) && isRegular {
		t.to, t.n = f, uint8(n)
		copy(t.text[:], b[i:next])
	}
	return f, next, false
}

// decodeSpan decodes the span at B[i] into d.Span.
func (d *jsonReader) decodeSpan(i int) int {
	s := &d.Span
	start := i
	var seen uint32
	var traceID, spanID decode.IDState
	prev := noField
	i++
	for first := true; ; first = false {
		f, next, done := d.nextField(i, prev, first)
		if done {
			if next >= 0 {
				d.CheckIDs(traceID, spanID, start)
			}
			return next
		}
		i = next
		switch f {
		case traceIDField:
			traceID, next = d.ID(i, s.TraceID[:])
		case spanIDField:
			spanID, next = d.ID(i, s.SpanID[:])
		case parentSpanIDField:
			var state decode.IDState
			if state, next = d.ID(i, s.ParentSpanID[:]); state == decode.IDInvalid {
				d.Refuse(tracewhy.ProblemIDInvalid, i)
			}
		case traceStateField:
			s.TraceState, next = d.Text(i)
		case flagsField:
			s.Flags, next = d.Uint32(i)
		case nameField:
			s.Name, next = d.Text(i)
		case kindField:
			s.Kind, next = d.kind(i)
		case startField:
			s.Start, next = d.Time(i)
		case endField:
			s.End, next = d.Time(i)
		case attributesField:
			next = d.spanAttributes(i)
		case droppedAttributesField:
			s.DroppedAttributes, next = d.Uint32(i)
		case eventsField:
			next = d.events(i)
		case droppedEventsField:
			s.DroppedEvents, next = d.Uint32(i)
		case linksField:
			next = d.links(i)
		case droppedLinksField:
			s.DroppedLinks, next = d.Uint32(i)
		case statusField:
			next = d.status(i)
		default:
			next = d.Pass(i)
		}
		if next < 0 {
			return next
		}
		if seen&(1<<f) != 0 && !f.isRepeated() {
			d.Note(tracewhy.ProblemDuplicateField, i)
		}
		seen |= 1 << f
		i, prev = next, f
	}
}

// spanAttributes decodes the array of the span's attributes.
func (d *jsonReader) spanAttributes(i int) int {
	last := &d.patterns.start // the pattern of the attribute before
	return d.Array(i, func(i int) int {
		// Attributes that are known, as far as they follow each other without space.
		for b := d.B; d.Attrs < d.Config.Limits.PerSpan; {
			p := last.follower(b[i:])
			if p == nil {
				break
			}
			v, n := p.value(b[i:])
			if n < 0 {
				break
			}
			ref, isKnown := d.cache.find(p.salt, v)
			if !isKnown {
				last = p
				return d.spanAttribute(i, p.salt, v)
			}
			d.Attrs++
			d.Refs = append(d.Refs, ref)
			last = p
			if i += n; i+1 >= len(b) || b[i] != ',' || b[i+1] != '{' {
				return i
			}
			i++
		}
		next := d.spanAttribute(i, 0, nil)
		if next >= 0 {
			if p := d.patterns.learn(d.B[i:next]); p != nil {
				last.follow(p)
				last = p
			}
		}
		return next
	})
}

// spanAttribute decodes an attribute of the span that is not known. From its salt on it will be, if that
// is not 0, by the text of its value.
func (d *jsonReader) spanAttribute(i int, salt uint32, text []byte) int {
	before := d.Noted
	kv, ok, next := d.attribute(i, &d.Over.Attributes)
	if ok {
		if d.Noted != before {
			salt = 0
		}
		d.cache.remember(&d.Spans, salt, text, kv)
	}
	return next
}

// status decodes the status at B[i].
func (d *jsonReader) status(i int) int {
	s := &d.Span
	s.Status, s.StatusMessage = tracewhy.StatusUnset, ""
	return d.Object(i, func(name []byte, i int) int {
		switch string(name) {
		case "code":
			n, known, next := d.Enum(i, "STATUS_CODE_", statusNames)
			if !known {
				d.Note(tracewhy.ProblemStatusUnknown, i)
			}
			s.Status = tracewhy.StatusCode(n)
			return next
		case "message":
			var next int
			s.StatusMessage, next = d.Text(i)
			return next
		}
		return d.Pass(i)
	})
}

// The names of enum values in OTLP, without their prefix, by number.
var (
	kindNames   = []string{"UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"}
	statusNames = []string{"UNSET", "OK", "ERROR"}
)

func (d *jsonReader) kind(i int) (tracewhy.Kind, int) {
	n, known, next := d.Enum(i, "SPAN_KIND_", kindNames)
	if !known {
		d.Note(tracewhy.ProblemKindUnknown, i)
	}
	return tracewhy.Kind(n), next
}

// events decodes the array of events at B[i].
func (d *jsonReader) events(i int) int {
	s := &d.Span
	return d.Array(i, func(i int) int {
		if !d.Room(len(s.Events), i) {
			d.Over.Events++
			return d.Pass(i)
		}
		var e tracewhy.Event
		over, from := uint32(0), len(d.Inner)
		i = d.Object(i, func(name []byte, i int) (next int) {
			switch string(name) {
			case "timeUnixNano", "time_unix_nano":
				e.Time, next = d.EventTime(i)
			case "name":
				e.Name, next = d.Text(i)
			case "attributes":
				d.Inner, next = d.attributes(i, d.Inner, &over)
			case "droppedAttributesCount", "dropped_attributes_count":
				e.DroppedAttributes, next = d.Uint32(i)
			default:
				next = d.Pass(i)
			}
			return next
		})
		e.Attributes = d.Inner[from:len(d.Inner):len(d.Inner)]
		e.DroppedAttributes += over
		s.Events = append(s.Events, e)
		return i
	})
}

// links decodes the array of links at B[i].
func (d *jsonReader) links(i int) int {
	s := &d.Span
	return d.Array(i, func(i int) int {
		if !d.Room(len(s.Links), i) {
			d.Over.Links++
			return d.Pass(i)
		}
		at := i
		var l tracewhy.Link
		over, from := uint32(0), len(d.Inner)
		var traceID, spanID decode.IDState
		i = d.Object(i, func(name []byte, i int) (next int) {
			switch string(name) {
			case "traceId", "trace_id":
				traceID, next = d.ID(i, l.TraceID[:])
			case "spanId", "span_id":
				spanID, next = d.ID(i, l.SpanID[:])
			case "traceState", "trace_state":
				l.TraceState, next = d.Text(i)
			case "flags":
				l.Flags, next = d.Uint32(i)
			case "attributes":
				d.Inner, next = d.attributes(i, d.Inner, &over)
			case "droppedAttributesCount", "dropped_attributes_count":
				l.DroppedAttributes, next = d.Uint32(i)
			default:
				next = d.Pass(i)
			}
			return next
		})
		if traceID != decode.IDValid || spanID != decode.IDValid {
			d.Note(tracewhy.ProblemLinkInvalid, at)
			return i
		}
		l.Attributes = d.Inner[from:len(d.Inner):len(d.Inner)]
		l.DroppedAttributes += over
		s.Links = append(s.Links, l)
		return i
	})
}
