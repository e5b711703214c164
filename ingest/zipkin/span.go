package zipkin

import (
	"strings"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/ingest/internal/decode"
)

// parts are what a span is put together from when all of it was read.
type parts struct {
	start, duration moment
	local, remote   endpoint
	isShared        bool
	hasKind         bool
	status          status
	scope           tracewhy.Scope // name and version
	service         string         // the name of it that a tag says
	serviceKey      string         // the attribute that localEndpoint has the value of
	instance        bool           // a tag names the instance
	resource        []tracewhy.KeyValue
	links           []numberedLink
}

// A moment is a time, or a duration, as a span has it.
type moment struct {
	us      int64
	isKnown bool
	at      int
}

// decodeSpan decodes the span at B[i] into d.Span.
func (d *reader) decodeSpan(i int) int {
	s, p := &d.Span, &d.span
	s.Resource, s.Scope = nil, nil
	*p = parts{resource: p.resource[:0], links: p.links[:0]}
	start := i
	var traceID, spanID decode.IDState
	i++
	for first := true; ; first = false {
		name, next := d.Field(i, first)
		if next < 0 {
			return next
		}
		if name == nil {
			d.CheckIDs(traceID, spanID, start)
			d.settle(start)
			return next
		}
		i = next
		switch string(name) {
		case "traceId":
			traceID, next = d.ID(i, s.TraceID[:])
		case "id":
			spanID, next = d.ID(i, s.SpanID[:])
		case "parentId":
			var state decode.IDState
			if state, next = d.ID(i, s.ParentSpanID[:]); state == decode.IDInvalid {
				d.Refuse(tracewhy.ProblemIDInvalid, i)
			}
		case "name":
			s.Name, next = d.Text(i)
		case "kind":
			next = d.decodeKind(i)
		case "timestamp":
			p.start, next = d.moment(i)
		case "duration":
			p.duration, next = d.moment(i)
		case "shared":
			p.isShared, next = d.flag(i)
		case "localEndpoint":
			next = d.decodeEndpoint(i, &p.local)
		case "remoteEndpoint":
			next = d.decodeEndpoint(i, &p.remote)
		case "annotations":
			next = d.decodeAnnotations(i)
		case "tags":
			next = d.decodeTags(i)
		case "binaryAnnotations":
			d.isVersion1(i)
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

// decodeKind decodes the kind of a span.
func (d *reader) decodeKind(i int) int {
	s, kind, next := d.Token(i)
	switch {
	case next < 0 || kind == decode.NullToken || kind == decode.TextToken && len(s) == 0:
		return next
	case kind != decode.TextToken:
		d.Note(tracewhy.ProblemKindUnknown, i)
		return next
	}
	k, ok := kindOf(decode.View(s))
	switch {
	case !ok:
		d.Note(tracewhy.ProblemKindUnknown, i)
	case string(s) != strings.ToUpper(k.String()):
		d.Note(tracewhy.ProblemValueInvalid, i)
	}
	d.Span.Kind, d.span.hasKind = k, ok
	return next
}

func kindOf(s string) (tracewhy.Kind, bool) {
	for k := tracewhy.KindInternal; k <= tracewhy.KindConsumer; k++ {
		if strings.EqualFold(s, k.String()) {
			return k, true
		}
	}
	return tracewhy.KindUnspecified, false
}

func (d *reader) moment(i int) (m moment, next int) {
	m.at = i
	m.us, m.isKnown, next = d.Micros(i)
	return m, next
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

// settle puts the span together, which begins at B[at].
func (d *reader) settle(at int) {
	s, p := &d.Span, &d.span
	if p.start.isKnown {
		var ok bool
		if s.Start, ok = d.Moment(p.start.us, p.start.at); !ok {
			d.Refuse(tracewhy.ProblemTimeOutOfRange, p.start.at)
		}
	}
	if s.Start != 0 && p.duration.isKnown {
		s.End = decode.After(s.Start, p.duration.us)
	}
	if p.isShared && !p.hasKind {
		s.Kind = tracewhy.KindServer
	}
	d.settleStatus()
	d.settleLinks()
	d.settlePeer(at)
	d.settleResource()
	if p.scope.Name != "" || p.scope.Version != "" {
		s.Scope = d.scope()
	}
}

// scope returns the scope that the span's tags name.
func (d *reader) scope() *tracewhy.Scope {
	p := &d.span.scope
	d.key = append(append(append(d.key[:0], p.Name...), 0), p.Version...)
	s := d.scopes.Known(d.key)
	if s == nil {
		s = &tracewhy.Scope{Name: strings.Clone(p.Name), Version: strings.Clone(p.Version)}
		d.scopes.Keep(d.key, s)
	}
	return s
}
