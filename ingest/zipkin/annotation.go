package zipkin

import (
	"strconv"
	"strings"
	"unsafe"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/ingest/internal/decode"
	"github.com/tracewhy/tracewhy/ingest/internal/scan"
)

// decodeAnnotations decodes the array of annotations at B[i].
func (d *reader) decodeAnnotations(i int) int {
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
		var value string
		at := i
		i = d.Object(i, func(name []byte, i int) (next int) {
			switch string(name) {
			case "timestamp":
				e.Time, next = d.EventMoment(i)
			case "value":
				at = i
				value, next = d.eventText(i)
			case "endpoint":
				if d.B[i] != 'n' {
					d.isVersion1(i)
				}
				next = d.Pass(i)
			default:
				next = d.Pass(i)
			}
			return next
		})
		if i < 0 {
			return i
		}
		e.Name, e.Attributes, e.DroppedAttributes = d.eventOf(value, at)
		s.Events = append(s.Events, e)
		return i
	})
}

// eventText decodes the text of an annotation. What is none is kept as text, and noted.
func (d *reader) eventText(i int) (string, int) {
	s, kind, next := d.Token(i)
	if next < 0 || kind == decode.NullToken {
		return "", next
	}
	if kind != decode.TextToken {
		d.Note(tracewhy.ProblemValueInvalid, i)
	}
	if kind == decode.CompositeToken {
		s = d.B[i:next]
	}
	return decode.View(d.Cut(s, i)), next
}

// eventOf takes the text of an annotation apart that an exporter of OpenTelemetry may have put together
// from the name and the attributes of an event.
func (d *reader) eventOf(text string, at int) (name string, attributes []tracewhy.KeyValue, dropped uint32) {
	if before, count, ok := cutCount(text); ok { // the Collector's
		if name, object, ok := strings.Cut(before, "|"); ok {
			if attributes, dropped, ok = d.quoted(object, at); ok {
				return name, attributes, dropped + count
			}
		}
	}
	if !strings.HasSuffix(text, "}") {
		return text, nil, 0
	}
	if text[0] == '{' { // Python's
		if name, object, ok := onlyMember(text); ok {
			if attributes, dropped, ok = d.quoted(object, at); ok {
				return name, attributes, dropped
			}
		}
		return text, nil, 0
	}
	colon := strings.Index(text, ":{") // Java's
	if i := strings.Index(text, ": {"); i >= 0 && (colon < 0 || i < colon) {
		colon = i // Go's
	}
	if colon < 0 {
		return text, nil, 0
	}
	attributes, dropped, ok := d.quoted(text[colon+1:], at)
	if !ok {
		return text, nil, 0
	}
	name = text[:colon]
	if n := len(name); n >= 2 && name[0] == '"' && name[n-1] == '"' {
		name = name[1 : n-1]
	}
	return name, attributes, dropped
}

// cutCount cuts a number off the end of a text, and the bar before it.
func cutCount(text string) (before string, n uint32, ok bool) {
	i := strings.LastIndexByte(text, '|')
	if i < 0 {
		return text, 0, false
	}
	count, err := strconv.ParseUint(text[i+1:], 10, 32)
	return text[:i], uint32(count), err == nil
}

// onlyMember returns the name and the value of the member of an object, if it has one that is an object.
func onlyMember(text string) (name, object string, ok bool) {
	b := bytesOf(text)
	i := scan.Space(b, 1)
	if i == len(b) || b[i] != '"' {
		return "", "", false
	}
	s, plain, i := scan.String(b, i)
	if i < 0 || !plain {
		return "", "", false
	}
	if i = scan.Space(b, i); i == len(b) || b[i] != ':' {
		return "", "", false
	}
	if i = scan.Space(b, i+1); i == len(b) || b[i] != '{' {
		return "", "", false
	}
	end := scan.Skip(b, i)
	return decode.View(s), text[i:max(i, end)], end > 0 && scan.Space(b, end) == len(b)-1
}

// quoted reads the attributes that an object in a text has. It is false if there is none.
func (d *reader) quoted(text string, at int) (attributes []tracewhy.KeyValue, dropped uint32, ok bool) {
	b := bytesOf(text)
	if i := scan.Space(b, 0); i == len(b) || b[i] != '{' || !d.Room(d.Attrs, at) {
		return nil, 0, false
	}
	from := len(d.Inner)
	ok = d.Quoted(b, at, func(i int) (next int) {
		d.Inner, next = d.Values(i, d.Config.Limits.Depth, d.Inner, &dropped)
		return next
	})
	return d.Inner[from:len(d.Inner):len(d.Inner)], dropped, ok
}

// bytesOf returns the bytes of a text, which must not be changed.
func bytesOf(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }
