package jaeger

import (
	"bytes"
	"cmp"
	"math"
	"strings"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/ingest/internal/decode"
)

// parts are what a span is put together from when all of it was read.
type parts struct {
	start, startMillis, duration moment
	process                      *tracewhy.Resource
	processID                    string
	references                   []reference
	scope                        tracewhy.Scope // name and version
	statusCode                   tracewhy.StatusCode
	hasStatus                    bool   // it was given
	isError                      bool   // an error tag is true
	seemsError                   bool   // an error tag says as much in other words
	errorText                    string // those, where they are a message
	warnings                     []tracewhy.Value
}

// A moment is a time, or a duration, as a span has it.
type moment struct {
	n       int64
	isKnown bool
	at      int
}

// A reference points to another span.
type reference struct {
	traceID     tracewhy.TraceID // zero: the span's own
	spanID      tracewhy.SpanID
	followsFrom bool
}

// decodeSpan decodes the span at B[i] into d.Span.
func (d *reader) decodeSpan(i int) int {
	s, p := &d.Span, &d.span
	s.Resource, s.Scope = nil, nil
	*p = parts{references: p.references[:0], warnings: p.warnings[:0]}
	start := i
	var traceID, spanID decode.IDState
	i++
	for first := true; ; first = false {
		name, next := d.Field(i, first)
		if next < 0 {
			return next
		}
		if name == nil {
			if traceID == decode.IDMissing && !d.isStored && !d.trace.id.IsZero() {
				s.TraceID, traceID = d.trace.id, decode.IDValid
			}
			d.CheckIDs(traceID, spanID, start)
			d.settle(start)
			return next
		}
		i = next
		switch string(name) {
		case "traceID":
			traceID, next = d.ID(i, s.TraceID[:])
		case "spanID":
			spanID, next = d.ID(i, s.SpanID[:])
		case "parentSpanID":
			var state decode.IDState
			if state, next = d.ID(i, s.ParentSpanID[:]); state == decode.IDInvalid {
				d.Refuse(tracewhy.ProblemIDInvalid, i)
			}
		case "operationName":
			s.Name, next = d.Text(i)
		case "flags":
			var flags uint32
			flags, next = d.Uint32(i)
			s.Flags = flags & sampledFlag
		case "references":
			next = d.decodeReferences(i)
		case "startTime":
			p.start, next = d.moment(i)
		case "startTimeMillis":
			p.startMillis, next = d.moment(i)
		case "duration":
			p.duration, next = d.moment(i)
		case "tags", "tag":
			next = d.eachTag(i, d.spanTag)
		case "logs":
			next = d.decodeLogs(i)
		case "processID":
			p.processID, next = d.Text(i)
		case "process":
			p.process, next = d.decodeProcess(i)
		case "warnings":
			next = d.decodeWarnings(i)
		case "refType":
			d.Refuse(tracewhy.ProblemShape, i) // a reference
			next = d.Pass(i)
		default:
			next = d.Pass(i)
		}
		if next < 0 {
			return next
		}
		i = next
	}
}

// sampledFlag is the same flag in Jaeger and in W3C Trace Context.
const sampledFlag = 1

func (d *reader) moment(i int) (m moment, next int) {
	m.at = i
	m.n, m.isKnown, next = d.Micros(i)
	return m, next
}

// settle puts the span together, which begins at B[at].
func (d *reader) settle(at int) {
	s, p := &d.Span, &d.span
	s.Resource = p.process
	// A span on its own may come after something broken, and be one of the trace that was read before.
	if !d.isStored || isSameTrace(d.trace.id, s.TraceID) {
		if r := d.trace.processes[p.processID]; r != nil {
			s.Resource = r
		}
	}
	if p.scope.Name != "" || p.scope.Version != "" {
		s.Scope = d.scope()
	}
	d.settleTimes()
	d.settleReferences(at)
	switch {
	case p.isError:
		s.Status = tracewhy.StatusError
	case p.seemsError && !p.hasStatus:
		s.Status = tracewhy.StatusError
		s.StatusMessage = cmp.Or(s.StatusMessage, p.errorText)
	default:
		s.Status = p.statusCode
	}
	if len(p.warnings) > 0 && d.Room(d.Attrs, at) {
		d.Attrs += 1 + len(p.warnings)
		s.Attributes = append(s.Attributes, tracewhy.KeyValue{Key: warningsKey, Value: tracewhy.ArrayOf(p.warnings...)})
	}
}

func (d *reader) settleTimes() {
	s, p := &d.Span, &d.span
	from := p.start
	if !from.isKnown && p.startMillis.isKnown {
		from = p.startMillis
		from.n = min(max(from.n, -1), math.MaxInt64/1000) * 1000 // all before the epoch are alike
	}
	if from.isKnown {
		var ok bool
		if s.Start, ok = d.Moment(from.n, from.at); !ok {
			d.Refuse(tracewhy.ProblemTimeOutOfRange, from.at)
		}
	}
	if s.Start != 0 && p.duration.isKnown {
		s.End = decode.After(s.Start, p.duration.n)
	}
}

// settleReferences finds the parent among the references. The others become links.
func (d *reader) settleReferences(at int) {
	s, p := &d.Span, &d.span
	isWithin := func(r reference) bool { return r.traceID.IsZero() || isSameTrace(r.traceID, s.TraceID) }
	if s.ParentSpanID.IsZero() {
		for _, followsFrom := range [...]bool{false, true} {
			for _, r := range p.references {
				if s.ParentSpanID.IsZero() && r.followsFrom == followsFrom && isWithin(r) {
					s.ParentSpanID = r.spanID
				}
			}
		}
	}
	for _, r := range p.references {
		if r.spanID == s.ParentSpanID && !r.followsFrom && isWithin(r) {
			continue
		}
		if !d.Room(len(s.Links), at) {
			d.Over.Links++
			continue
		}
		if isWithin(r) {
			r.traceID = s.TraceID
		}
		refType := childOf
		if r.followsFrom {
			refType = followsFrom
		}
		from := len(d.Inner)
		d.Inner = append(d.Inner, refType)
		s.Links = append(s.Links, tracewhy.Link{TraceID: r.traceID, SpanID: r.spanID, Attributes: d.Inner[from:len(d.Inner):len(d.Inner)]})
	}
}

// The types of references, as attributes of links:
// https://opentelemetry.io/docs/specs/semconv/registry/attributes/opentracing/
var (
	childOf     = tracewhy.String(refTypeKey, "child_of")
	followsFrom = tracewhy.String(refTypeKey, "follows_from")
)

const refTypeKey = "opentracing.ref_type"

// isSameTrace reports whether two ids are equal, or one of them has lost its upper half.
func isSameTrace(x, y tracewhy.TraceID) bool {
	const half = len(x) / 2
	var zero [half]byte
	return x == y || bytes.Equal(x[half:], y[half:]) && (bytes.Equal(x[:half], zero[:]) || bytes.Equal(y[:half], zero[:]))
}

// decodeReferences decodes the array of references at B[i].
func (d *reader) decodeReferences(i int) int {
	p := &d.span
	return d.Array(i, func(i int) int {
		if d.B[i] == 'n' {
			return d.Pass(i)
		}
		if !d.Room(len(p.references), i) {
			d.Over.Links++
			return d.Pass(i)
		}
		at := i
		var r reference
		var traceID, spanID decode.IDState
		i = d.Object(i, func(name []byte, i int) (next int) {
			switch string(name) {
			case "refType":
				r.followsFrom, next = d.refType(i)
			case "traceID":
				traceID, next = d.ID(i, r.traceID[:])
			case "spanID":
				spanID, next = d.ID(i, r.spanID[:])
			default:
				next = d.Pass(i)
			}
			return next
		})
		switch {
		case i < 0:
		case traceID == decode.IDInvalid || spanID == decode.IDInvalid:
			if !r.followsFrom {
				d.Refuse(tracewhy.ProblemIDInvalid, at) // without its parent it would be taken for a root
			}
			d.Note(tracewhy.ProblemLinkInvalid, at)
		case traceID == decode.IDZero || spanID != decode.IDValid:
			d.Note(tracewhy.ProblemLinkInvalid, at)
		default:
			p.references = append(p.references, r)
		}
		return i
	})
}

// refType decodes the type of a reference. One that is not known says the least: that the span came after.
func (d *reader) refType(i int) (followsFrom bool, next int) {
	s, next := d.Text(i)
	switch {
	case next < 0:
	case strings.EqualFold(s, "CHILD_OF"):
		return false, next
	case !strings.EqualFold(s, "FOLLOWS_FROM"):
		d.Note(tracewhy.ProblemValueInvalid, i)
	}
	return true, next
}

// decodeLogs decodes the array of logs at B[i].
func (d *reader) decodeLogs(i int) int {
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
		var message string
		hasName := false
		var dropped uint32
		from := len(d.Inner)
		field := func(t *tag) {
			if !d.Room(d.Attrs, t.at) {
				e.DroppedAttributes++
				return
			}
			v := d.value(t)
			switch t.key {
			case "event":
				if isText(v) {
					e.Name, hasName = v.Str(), true
					return
				}
			case "message":
				if isText(v) {
					message = v.Str()
				}
			case droppedAttributesKey:
				if isCount(v, &dropped) {
					return
				}
			}
			d.Attrs++
			d.Inner = append(d.Inner, tracewhy.KeyValue{Key: t.key, Value: v})
		}
		i = d.Object(i, func(name []byte, i int) (next int) {
			switch string(name) {
			case "timestamp":
				e.Time, next = d.EventMoment(i)
			case "fields":
				next = d.eachTag(i, field)
			default:
				next = d.Pass(i)
			}
			return next
		})
		if !hasName {
			e.Name = message
		}
		e.DroppedAttributes += dropped
		e.Attributes = d.Inner[from:len(d.Inner):len(d.Inner)]
		s.Events = append(s.Events, e)
		return i
	})
}

// decodeWarnings decodes the array of warnings at B[i].
func (d *reader) decodeWarnings(i int) int {
	if c := d.B[i]; c != '[' {
		if c != 'n' {
			d.Note(tracewhy.ProblemValueInvalid, i)
		}
		return d.Pass(i)
	}
	p := &d.span
	return d.Array(i, func(i int) int {
		s, kind, next := d.Token(i)
		switch {
		case next < 0:
		case kind != decode.TextToken:
			d.Note(tracewhy.ProblemValueInvalid, i)
		case d.Room(d.Attrs+len(p.warnings), i):
			p.warnings = append(p.warnings, tracewhy.StringOf(decode.View(d.Cut(s, i))))
		}
		return next
	})
}
