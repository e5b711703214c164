package zipkin

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/ingest/internal/decode"
)

// status is what the tags of a span say of how it ended.
type status struct {
	code       tracewhy.StatusCode
	isGiven    bool // by otel.status_code
	message    string
	isError    bool // there is an error tag, which does not deny it
	isTrue     bool // it says just that
	error      string
	errorIndex int // of the error tag among the attributes, plus one, if it is there
}

// decodeTags decodes the object of tags at B[i].
func (d *reader) decodeTags(i int) int {
	switch d.B[i] {
	case '{':
		return d.Fields(i, d.decodeTag)
	case 'n':
	default:
		d.Note(tracewhy.ProblemAttributeInvalid, i)
	}
	return d.Pass(i)
}

// decodeTag makes a tag of the span an attribute, or what else it stands for.
func (d *reader) decodeTag(name []byte, i int) int {
	s, kind, next := d.Token(i)
	if next < 0 {
		return next
	}
	if !d.Room(d.Attrs, i) {
		d.Over.Attributes++
		return next
	}
	d.Attrs++
	var v tracewhy.Value
	switch kind {
	case decode.TextToken:
		v = tracewhy.StringOf(decode.View(d.Cut(s, i)))
	case decode.CompositeToken:
		s = d.B[i:next]
		fallthrough
	default:
		d.Note(tracewhy.ProblemValueInvalid, i)
		v = tracewhy.StringOf(decode.View(d.Cut(s, i)))
	case decode.NullToken:
	}
	key := decode.View(d.Cut(name, i))
	kv := tracewhy.KeyValue{Key: key, Value: v}
	switch {
	case kind != decode.NullToken && d.isSpecial(key, v.Str(), i):
	case isOfResource(key):
		d.span.instance = d.span.instance || slices.Contains(instanceKeys, key)
		d.span.resource = append(d.span.resource, kv)
	default:
		d.Span.Attributes = append(d.Span.Attributes, kv)
		if key == "error" {
			d.span.status.errorIndex = len(d.Span.Attributes)
		}
	}
	return next
}

// Tags that stand for something else than an attribute.
const (
	linkPrefix       = "otlp.link."
	serviceSourceKey = "otlp.service.name.source"
	noStartKey       = "otel.zipkin.absentField.startTime" // that there is no timestamp
)

// isSpecial reports whether a tag stands for something else than an attribute, which it notes down.
func (d *reader) isSpecial(key, value string, at int) bool {
	s, p := &d.Span, &d.span
	switch key {
	case "error":
		d.errorTag(value, at)
		return false
	case "otel.status_code":
		code, ok := statusOf(value)
		if !ok {
			d.Note(tracewhy.ProblemStatusUnknown, at)
		}
		p.status.code, p.status.isGiven = code, ok
		return ok
	case "otel.status_description":
		p.status.message = value
	case "otel.scope.name", "otel.library.name":
		p.scope.Name = value
	case "otel.scope.version", "otel.library.version":
		p.scope.Version = value
	case "w3c.tracestate":
		s.TraceState = value
	case "service.name":
		p.service = value
	case serviceSourceKey:
		p.serviceKey = value
	case "span.kind":
		kind, ok := kindOf(value)
		if !ok || p.hasKind {
			return false
		}
		s.Kind = kind
	case noStartKey:
	default:
		return strings.HasPrefix(key, linkPrefix) && d.linkTag(key[len(linkPrefix):], value, at)
	}
	return true
}

func statusOf(s string) (tracewhy.StatusCode, bool) {
	s = strings.TrimPrefix(s, "STATUS_CODE_")
	for c := tracewhy.StatusUnset; c <= tracewhy.StatusError; c++ {
		if strings.EqualFold(s, c.String()) {
			return c, true
		}
	}
	return tracewhy.StatusUnset, false
}

// errorTag notes down what an error tag says. That it is there says that the span failed.
func (d *reader) errorTag(value string, at int) {
	st := &d.span.status
	st.isError, st.isTrue, st.error = true, false, ""
	switch text := strings.TrimSpace(value); strings.ToLower(text) {
	case "true", "":
		st.isTrue = text != ""
	case "false", "no", "0":
		d.Note(tracewhy.ProblemValueInvalid, at)
		st.isError = false
	case "yes", "1":
	default:
		st.error = text
	}
}

// settleStatus says how the span ended.
func (d *reader) settleStatus() {
	s, st := &d.Span, &d.span.status
	s.StatusMessage = st.message
	switch {
	case st.isError && (st.isTrue || !st.isGiven || st.code == tracewhy.StatusError):
		s.Status = tracewhy.StatusError
		s.StatusMessage = cmp.Or(st.message, st.error)
	default:
		s.Status = st.code
	}
	if i := st.errorIndex - 1; i >= 0 && st.isError && s.Status == tracewhy.StatusError &&
		(st.error == "" || st.isGiven && st.error == s.StatusMessage) {
		s.Attributes = slices.Delete(s.Attributes, i, i+1)
	}
}

// A numberedLink is a link, and where it was among the links of its span.
type numberedLink struct {
	n int
	tracewhy.Link
}

// linkTag reads a link as the Collector writes it: the ids, the tracestate, attributes and how many of
// them were dropped, with bars between them.
func (d *reader) linkTag(number, value string, at int) bool {
	n, err := strconv.Atoi(number)
	if err != nil || n < 0 {
		return false
	}
	if !d.Room(len(d.span.links), at) {
		d.Over.Links++
		return true
	}
	l := numberedLink{n: n}
	trace, rest, _ := strings.Cut(value, "|")
	span, rest, _ := strings.Cut(rest, "|")
	state, rest, _ := strings.Cut(rest, "|")
	isValid := len(trace) == 2*len(l.TraceID) && decode.DecodeHex(l.TraceID[:], []byte(trace)) && !l.TraceID.IsZero() &&
		len(span) == 2*len(l.SpanID) && decode.DecodeHex(l.SpanID[:], []byte(span)) && !l.SpanID.IsZero()
	if !isValid {
		d.Note(tracewhy.ProblemLinkInvalid, at)
		return true
	}
	l.TraceState = state
	if text, count, ok := cutCount(rest); ok {
		l.Attributes, l.DroppedAttributes, ok = d.quoted(text, at)
		if !ok {
			d.Note(tracewhy.ProblemAttributeInvalid, at)
		}
		l.DroppedAttributes += count
	}
	d.span.links = append(d.span.links, l)
	return true
}

// settleLinks puts the links in order.
func (d *reader) settleLinks() {
	p := &d.span
	slices.SortStableFunc(p.links, func(x, y numberedLink) int { return cmp.Compare(x.n, y.n) })
	for _, l := range p.links {
		d.Span.Links = append(d.Span.Links, l.Link)
	}
}
