package stdouttrace

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/ingest/internal/decode"
)

// The span flags of OTLP (opentelemetry.proto.trace.v1.SpanFlags).
const (
	hasIsRemote = 0x100
	isRemote    = 0x200
)

// decodeSpan decodes the span at B[i] into d.Span.
func (d *reader) decodeSpan(i int) int {
	s := &d.Span
	s.Resource, s.Scope = nil, nil
	d.isLegacy = false
	start := i
	var own, parent spanContext
	var library *tracewhy.Scope
	parentState := decode.IDMissing
	i++
	for first := true; ; first = false {
		name, next := d.Field(i, first)
		if next < 0 {
			return next
		}
		if name == nil {
			i = next
			break
		}
		i = next
		switch string(name) {
		case "Name":
			s.Name, next = d.Text(i)
		case "SpanContext":
			own, next = d.decodeContext(i)
		case "Parent":
			parent, next = d.decodeContext(i)
			s.ParentSpanID, parentState = parent.spanID, parent.spanState
			s.Flags |= parent.remoteFlags()
		case "ParentSpanID":
			d.isLegacy = true
			parentState, next = d.ID(i, s.ParentSpanID[:])
		case "HasRemoteParent":
			d.isLegacy = true
			parent.isRemote, next = d.flag(i)
			s.Flags |= parent.remoteFlags()
		case "SpanKind":
			next = d.decodeKind(i)
		case "StartTime":
			s.Start, next = d.time(i)
		case "EndTime":
			s.End, next = d.time(i)
		case "Attributes":
			s.Attributes, next = d.attributes(i, s.Attributes, &d.Over.Attributes)
		case "Events":
			next = d.decodeEvents(i)
		case "MessageEvents":
			d.isLegacy = true
			next = d.decodeEvents(i)
		case "Links":
			next = d.decodeLinks(i)
		case "Status":
			next = d.decodeStatus(i)
		case "StatusCode":
			d.isLegacy = true
			next = d.decodeCode(i, true)
		case "StatusMessage":
			s.StatusMessage, next = d.Text(i)
		case "DroppedAttributes", "DroppedAttributeCount":
			s.DroppedAttributes, next = d.Uint32(i)
		case "DroppedEvents", "DroppedMessageEventCount":
			s.DroppedEvents, next = d.Uint32(i)
		case "DroppedLinks", "DroppedLinkCount":
			s.DroppedLinks, next = d.Uint32(i)
		case "Resource":
			next = d.decodeResource(i)
		case "InstrumentationScope":
			s.Scope, next = d.decodeScope(i)
		case "InstrumentationLibrary":
			library, next = d.decodeScope(i)
		default:
			next = d.Pass(i)
		}
		if next < 0 {
			return next
		}
		i = next
	}
	s.TraceID, s.SpanID, s.TraceState = own.traceID, own.spanID, own.state
	s.Flags |= own.flags
	if isEmpty(s.Scope) {
		s.Scope = library
	}
	d.CheckIDs(own.traceState, own.spanState, start)
	if parentState == decode.IDInvalid {
		d.Refuse(tracewhy.ProblemIDInvalid, start)
	}
	if d.isLegacy {
		d.Note(tracewhy.ProblemLegacySchema, start)
	}
	return i
}

func isEmpty(s *tracewhy.Scope) bool {
	return s == nil || s.Name == "" && s.Version == "" && s.SchemaURL == "" && len(s.Attributes) == 0
}

// A spanContext is what one span knows of another, or of itself.
type spanContext struct {
	traceID               tracewhy.TraceID
	spanID                tracewhy.SpanID
	traceState, spanState decode.IDState // of the ids
	flags                 uint32
	state                 string
	isRemote              bool
}

// remoteFlags says in OTLP's flags whether the span is remote.
func (c *spanContext) remoteFlags() uint32 {
	if c.isRemote {
		return hasIsRemote | isRemote
	}
	return hasIsRemote
}

// decodeContext decodes the span context at B[i].
func (d *reader) decodeContext(i int) (c spanContext, next int) {
	next = d.Object(i, func(name []byte, i int) int { return d.decodeContextField(&c, name, i) })
	return c, next
}

func (d *reader) decodeContextField(c *spanContext, name []byte, i int) (next int) {
	switch string(name) {
	case "TraceID":
		c.traceState, next = d.ID(i, c.traceID[:])
	case "SpanID":
		c.spanState, next = d.ID(i, c.spanID[:])
	case "TraceFlags":
		c.flags, next = d.traceFlags(i)
	case "TraceState":
		c.state, next = d.traceState(i)
	case "Remote":
		c.isRemote, next = d.flag(i)
	default:
		next = d.Pass(i)
	}
	return next
}

// traceFlags decodes the flags of W3C Trace Context: two hexadecimal digits, or a number in older versions.
func (d *reader) traceFlags(i int) (uint32, int) {
	s, kind, next := d.Token(i)
	if next < 0 || kind == decode.NullToken || kind == decode.TextToken && len(s) == 0 {
		return 0, next
	}
	base := 10
	if kind == decode.TextToken {
		base = 16
	}
	n, err := strconv.ParseUint(decode.View(s), base, 8)
	if err != nil || kind != decode.TextToken && kind != decode.NumberToken {
		d.Note(tracewhy.ProblemValueInvalid, i)
	}
	return uint32(n) & math.MaxUint8, next
}

// traceState decodes a tracestate: a text, or its members as attributes in older versions.
func (d *reader) traceState(i int) (string, int) {
	if d.B[i] == '"' {
		return d.Text(i)
	}
	if d.B[i] != '[' {
		if c := d.B[i]; c != 'n' && c != '{' {
			d.Note(tracewhy.ProblemValueInvalid, i)
		}
		return "", d.Pass(i)
	}
	var over uint32
	from := len(d.Inner)
	var next int
	d.Inner, next = d.attributes(i, d.Inner, &over)
	var members []string
	for _, kv := range d.Inner[from:] {
		members = append(members, kv.Key+"="+kv.Value.Str())
	}
	d.Inner = d.Inner[:from]
	return strings.Join(members, ","), next
}

// flag decodes what should be true or false.
func (d *reader) flag(i int) (isTrue bool, next int) {
	s, kind, next := d.Token(i)
	if next < 0 || kind == decode.NullToken {
		return false, next
	}
	if kind != decode.BoolToken {
		d.Note(tracewhy.ProblemValueInvalid, i)
	}
	return string(s) == "true", next
}

// decodeKind decodes the kind of a span: a number, or a name.
func (d *reader) decodeKind(i int) int {
	s, kind, next := d.Token(i)
	if next < 0 || kind == decode.NullToken {
		return next
	}
	for k := tracewhy.KindUnspecified; k <= tracewhy.KindConsumer; k++ {
		negative, n, isInt := decode.ExactInt(s)
		if isInt && !negative && n == uint64(k) || strings.EqualFold(decode.View(s), k.String()) {
			if isInt && kind == decode.TextToken {
				d.Note(tracewhy.ProblemEnumQuoted, i)
			}
			d.Span.Kind = k
			return next
		}
	}
	d.Note(tracewhy.ProblemKindUnknown, i)
	return next
}

// decodeStatus decodes the status of a span.
func (d *reader) decodeStatus(i int) int {
	if d.B[i] != '{' {
		d.isLegacy = d.isLegacy || d.B[i] != 'n'
		return d.decodeCode(i, true)
	}
	return d.Fields(i, func(name []byte, i int) (next int) {
		switch string(name) {
		case "Code":
			next = d.decodeCode(i, false)
		case "Description":
			d.Span.StatusMessage, next = d.Text(i)
		default:
			next = d.Pass(i)
		}
		return next
	})
}

// decodeCode decodes a status code: a name, or a number, of gRPC or of the SDK, which has 1 for an error
// and 2 for OK.
func (d *reader) decodeCode(i int, isGRPC bool) int {
	s, kind, next := d.Token(i)
	if next < 0 || kind == decode.NullToken {
		return next
	}
	code := &d.Span.Status
	if kind == decode.NumberToken {
		n, ok := decode.ExactInt64(s)
		switch {
		case ok && n == 0:
			return next
		case ok && n > 0 && isGRPC, ok && n == 1:
			*code = tracewhy.StatusError
			return next
		case ok && n == 2:
			*code = tracewhy.StatusOK
			return next
		}
	}
	if kind == decode.TextToken {
		for c := tracewhy.StatusUnset; c <= tracewhy.StatusError; c++ {
			if strings.EqualFold(decode.View(s), c.String()) {
				*code = c
				return next
			}
		}
	}
	d.Note(tracewhy.ProblemStatusUnknown, i)
	return next
}

// time decodes a time of the span. One before 1970 is none, and noted unless it is the zero time of Go.
func (d *reader) time(i int) (uint64, int) {
	s, kind, next := d.Token(i)
	if next < 0 || kind == decode.NullToken || kind == decode.TextToken && len(s) == 0 {
		return 0, next
	}
	t, err := time.Parse(time.RFC3339Nano, decode.View(s))
	if kind != decode.TextToken || err != nil {
		d.Refuse(tracewhy.ProblemTimeInvalid, i)
		return 0, next
	}
	return d.nanos(t, i), next
}

// eventTime is time for an event, which is kept without one where it is none.
func (d *reader) eventTime(i int) (uint64, int) {
	s, kind, next := d.Token(i)
	if next < 0 || kind == decode.NullToken || kind == decode.TextToken && len(s) == 0 {
		return 0, next
	}
	t, err := time.Parse(time.RFC3339Nano, decode.View(s))
	if kind != decode.TextToken || err != nil {
		d.Note(tracewhy.ProblemValueInvalid, i)
		return 0, next
	}
	return d.nanos(t, i), next
}

func (d *reader) nanos(t time.Time, i int) uint64 {
	switch seconds := t.Unix(); {
	case t.IsZero():
		return 0
	case seconds < 0:
		d.Note(tracewhy.ProblemValueInvalid, i)
		return 0
	case seconds >= math.MaxInt64/int64(time.Second):
		return math.MaxUint64
	}
	return uint64(t.UnixNano())
}

// decodeEvents decodes the array of events at B[i].
func (d *reader) decodeEvents(i int) int {
	s := &d.Span
	return d.Array(i, func(i int) int {
		if d.B[i] == 'n' {
			return d.Pass(i)
		}
		if !d.Room(len(s.Events), i) {
			d.Over.Events++
			return d.Pass(i)
		}
		var e tracewhy.Event
		var over uint32
		from := len(d.Inner)
		i = d.Object(i, func(name []byte, i int) (next int) {
			switch string(name) {
			case "Name":
				e.Name, next = d.Text(i)
			case "Attributes":
				d.Inner, next = d.attributes(i, d.Inner, &over)
			case "DroppedAttributeCount":
				e.DroppedAttributes, next = d.Uint32(i)
			case "Time":
				e.Time, next = d.eventTime(i)
			default:
				next = d.Pass(i)
			}
			return next
		})
		e.DroppedAttributes += over
		e.Attributes = d.Inner[from:len(d.Inner):len(d.Inner)]
		s.Events = append(s.Events, e)
		return i
	})
}

// decodeLinks decodes the array of links at B[i].
func (d *reader) decodeLinks(i int) int {
	s := &d.Span
	return d.Array(i, func(i int) int {
		if d.B[i] == 'n' {
			return d.Pass(i)
		}
		if !d.Room(len(s.Links), i) {
			d.Over.Links++
			return d.Pass(i)
		}
		var l tracewhy.Link
		var c spanContext
		var over uint32
		from, at := len(d.Inner), i
		i = d.Object(i, func(name []byte, i int) (next int) {
			switch string(name) {
			case "SpanContext":
				c, next = d.decodeContext(i)
			case "Attributes":
				d.Inner, next = d.attributes(i, d.Inner, &over)
			case "DroppedAttributeCount":
				l.DroppedAttributes, next = d.Uint32(i)
			default:
				next = d.decodeContextField(&c, name, i) // as the first versions had them
			}
			return next
		})
		switch {
		case i < 0:
		case c.traceState != decode.IDValid || c.spanState != decode.IDValid:
			d.Note(tracewhy.ProblemLinkInvalid, at)
			d.Inner = d.Inner[:from]
		default:
			l.TraceID, l.SpanID, l.TraceState, l.Flags = c.traceID, c.spanID, c.state, c.flags|c.remoteFlags()
			l.DroppedAttributes += over
			l.Attributes = d.Inner[from:len(d.Inner):len(d.Inner)]
			s.Links = append(s.Links, l)
		}
		return i
	})
}
