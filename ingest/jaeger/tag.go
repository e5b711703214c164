package jaeger

import (
	"encoding/hex"
	"math"
	"strconv"
	"strings"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/ingest/internal/decode"
	"github.com/tracewhy/tracewhy/ingest/internal/scan"
)

// warningsKey is the attribute that Jaeger keeps the warnings of a span in:
// https://github.com/jaegertracing/jaeger/blob/main/internal/jptrace/attributes.go
const warningsKey = "@jaeger@warnings"

// A tag is an attribute as it is written. Its texts may point into the window.
type tag struct {
	key, typ string
	value    []byte // an array or object as it is written
	kind     decode.TokenKind
	at       int // in B, the value
}

// eachTag calls visit for each tag of the array at B[i], or of the map that Elasticsearch has instead,
// in which names have @ for dots. The tag is good until the next one.
func (d *reader) eachTag(i int, visit func(*tag)) int {
	t := &d.tag
	if d.B[i] == '{' {
		return d.Fields(i, func(name []byte, i int) int {
			*t = tag{key: decode.View(name)}
			if strings.Contains(t.key, "@") {
				t.key = strings.ReplaceAll(t.key, "@", ".")
			}
			next := d.tagValue(t, i)
			if next >= 0 {
				visit(t)
			}
			return next
		})
	}
	return d.Array(i, func(i int) int {
		if next := d.regularTag(i); next >= 0 {
			visit(t)
			return next
		}
		if d.B[i] != '{' {
			if d.B[i] != 'n' {
				d.Note(tracewhy.ProblemAttributeInvalid, i)
			}
			return d.Pass(i)
		}
		*t = tag{at: i}
		isBad := false
		next := d.Fields(i, func(name []byte, i int) (next int) {
			switch string(name) {
			case "key":
				t.key, next = d.tagText(i, &isBad)
			case "type":
				t.typ, next = d.tagText(i, &isBad)
			case "value":
				next = d.tagValue(t, i)
			default:
				next = d.Pass(i)
			}
			return next
		})
		switch {
		case next < 0:
		case isBad:
			d.Note(tracewhy.ProblemAttributeInvalid, i)
		default:
			visit(t)
		}
		return next
	})
}

// regularTag decodes a tag that is written as Jaeger writes nearly all of them. If this one is not it
// returns scan.Bad or scan.Short, without having said so.
func (d *reader) regularTag(i int) int {
	const key, typ, value = `{"key":`, `,"type":`, `,"value":`
	b, t := d.B, &d.tag
	if len(b)-i <= len(key) || string(b[i:i+len(key)]) != key || b[i+len(key)] != '"' {
		return scan.Bad
	}
	name, isPlain, i := scan.String(b, i+len(key))
	if i < 0 || !isPlain || len(b)-i <= len(typ) || string(b[i:i+len(typ)]) != typ || b[i+len(typ)] != '"' {
		return scan.Bad
	}
	kind, isPlain, i := scan.String(b, i+len(typ))
	if i < 0 || !isPlain || len(b)-i <= len(value) || string(b[i:i+len(value)]) != value {
		return scan.Bad
	}
	i += len(value)
	if most := d.Config.Limits.ValueBytes; len(name) > most || len(kind) > most || b[i] <= ' ' || b[i] == '{' || b[i] == '[' {
		return scan.Bad
	}
	*t = tag{key: decode.View(name), typ: decode.View(kind), at: i}
	if b[i] == '"' {
		text, isPlain, next := scan.String(b, i)
		if next < 0 || !isPlain || next == len(b) || b[next] != '}' {
			return scan.Bad
		}
		t.value, t.kind = text, decode.TextToken
		return next + 1
	}
	before := d.Noted
	next := d.tagValue(t, i)
	if next < 0 || next == len(b) || b[next] != '}' || d.Noted != before {
		return scan.Bad
	}
	return next + 1
}

// tagText decodes the key or the type of a tag.
func (d *reader) tagText(i int, isBad *bool) (string, int) {
	s, kind, next := d.Token(i)
	*isBad = *isBad || kind == decode.CompositeToken
	return decode.View(d.Cut(s, i)), next
}

func (d *reader) tagValue(t *tag, i int) (next int) {
	t.at = i
	if t.value, t.kind, next = d.Token(i); t.kind == decode.CompositeToken && next > 0 {
		t.value = d.B[i:next]
	}
	return next
}

// value returns the value of a tag. What is not of the type that it says is kept as text, and noted.
func (d *reader) value(t *tag) tracewhy.Value {
	if t.kind == decode.NullToken {
		if t.typ != "" {
			d.Note(tracewhy.ProblemValueInvalid, t.at)
		}
		return tracewhy.Value{}
	}
	switch t.typ {
	case "string":
		if t.kind == decode.TextToken {
			return d.text(t)
		}
	case "bool":
		if s := string(t.value); t.kind != decode.CompositeToken && (s == "true" || s == "false") {
			return tracewhy.BoolOf(s == "true")
		}
	case "int64":
		if n, ok := decode.ExactInt64(t.value); ok {
			return tracewhy.IntOf(n)
		}
	case "float64":
		if f, ok := float(t); ok {
			return tracewhy.FloatOf(f)
		}
	case "binary":
		if b, ok := d.binary(t); ok {
			return tracewhy.BytesOf(d.Cut(b, t.at))
		}
	case "":
		return d.bare(t)
	default:
		d.Note(tracewhy.ProblemValueInvalid, t.at)
		return d.bare(t)
	}
	d.Note(tracewhy.ProblemValueInvalid, t.at)
	return d.text(t)
}

func (d *reader) text(t *tag) tracewhy.Value {
	return tracewhy.StringOf(decode.View(d.Cut(t.value, t.at)))
}

// bare returns the value of a tag without a type, that of JSON.
func (d *reader) bare(t *tag) tracewhy.Value {
	switch t.kind {
	case decode.BoolToken:
		return tracewhy.BoolOf(string(t.value) == "true")
	case decode.NumberToken:
		if n, ok := decode.ExactInt64(t.value); ok && !strings.ContainsAny(decode.View(t.value), ".eE") {
			return tracewhy.IntOf(n)
		}
		return d.FloatOr(t.value, t.at)
	case decode.CompositeToken:
		d.Note(tracewhy.ProblemValueInvalid, t.at)
	}
	return d.text(t)
}

// float returns the number that a tag says, which may be one that JSON has no words for.
func float(t *tag) (float64, bool) {
	if t.kind != decode.NumberToken && t.kind != decode.TextToken {
		return 0, false
	}
	s := decode.View(t.value)
	if t.kind == decode.TextToken && !decode.IsNumber(t.value) {
		switch strings.ToLower(strings.TrimLeft(s, "+-")) {
		case "nan", "inf", "infinity":
		default:
			return 0, false
		}
	}
	f, err := strconv.ParseFloat(s, 64)
	return f, err == nil
}

// binary returns the bytes of a tag: in base64, or in hexadecimal where it comes from storage.
func (d *reader) binary(t *tag) ([]byte, bool) {
	if t.kind != decode.TextToken {
		return nil, false
	}
	if d.isStored {
		if b, err := hex.DecodeString(decode.View(t.value)); err == nil {
			return b, true
		}
	}
	return decode.DecodeBase64(t.value)
}

// spanTag makes a tag of the span an attribute of it, or what else it stands for.
func (d *reader) spanTag(t *tag) {
	s := &d.Span
	if !d.Room(d.Attrs, t.at) {
		d.Over.Attributes++
		return
	}
	v := d.value(t)
	if d.isSpecial(t, v) {
		return
	}
	d.Attrs++
	s.Attributes = append(s.Attributes, tracewhy.KeyValue{Key: t.key, Value: v})
}

// isSpecial reports whether a tag stands for something else than an attribute, which it notes down.
func (d *reader) isSpecial(t *tag, v tracewhy.Value) bool {
	if c := t.key; len(c) < len("error") || c[0] != 'o' && c[0] != 's' && c[0] != 'e' && c[0] != 'w' {
		return false
	}
	s, p := &d.Span, &d.span
	switch t.key {
	case "error":
		return d.isErrorTag(v)
	case droppedAttributesKey:
		return isCount(v, &s.DroppedAttributes)
	case droppedEventsKey:
		return isCount(v, &s.DroppedEvents)
	case droppedLinksKey:
		return isCount(v, &s.DroppedLinks)
	}
	if !isText(v) {
		return false
	}
	switch t.key {
	case "span.kind":
		kind, ok := kindOf(v.Str())
		if !ok {
			d.Note(tracewhy.ProblemKindUnknown, t.at)
		}
		s.Kind = kind
		return ok
	case "otel.status_code":
		code, ok := statusOf(v.Str())
		if !ok {
			d.Note(tracewhy.ProblemStatusUnknown, t.at)
		}
		p.statusCode, p.hasStatus = code, ok && v.Str() != ""
		return ok
	case "otel.status_description":
		s.StatusMessage = v.Str()
	case "otel.scope.name", "otel.library.name":
		p.scope.Name = v.Str()
	case "otel.scope.version", "otel.library.version":
		p.scope.Version = v.Str()
	case "w3c.tracestate":
		s.TraceState = v.Str()
	default:
		return false
	}
	return true
}

// The tags, and fields of logs, that say how much the producer discarded:
// https://opentelemetry.io/docs/specs/otel/common/mapping-to-non-otlp/
const (
	droppedAttributesKey = "otel.dropped_attributes_count"
	droppedEventsKey     = "otel.dropped_events_count"
	droppedLinksKey      = "otel.dropped_links_count"
)

// isCount reports whether a value is a count, which it then sets n to.
func isCount(v tracewhy.Value, n *uint32) bool {
	c := v.Canonical()
	if c.Kind() != tracewhy.IntValue || c.Int() < 0 || c.Int() > math.MaxUint32 {
		return false
	}
	*n = uint32(c.Int())
	return true
}

// isText reports whether a value is text, or nothing at all, which is as good as empty text.
func isText(v tracewhy.Value) bool {
	return v.Kind() == tracewhy.StringValue || v.Kind() == tracewhy.EmptyValue
}

func kindOf(s string) (tracewhy.Kind, bool) {
	for k := tracewhy.KindUnspecified; k <= tracewhy.KindConsumer; k++ {
		if strings.EqualFold(s, k.String()) {
			return k, true
		}
	}
	return tracewhy.KindUnspecified, s == ""
}

func statusOf(s string) (tracewhy.StatusCode, bool) {
	for c := tracewhy.StatusUnset; c <= tracewhy.StatusError; c++ {
		if strings.EqualFold(s, c.String()) {
			return c, true
		}
	}
	return tracewhy.StatusUnset, s == ""
}

// isErrorTag notes down what an error tag says. It reports whether that is all that there is to it.
func (d *reader) isErrorTag(v tracewhy.Value) bool {
	p := &d.span
	switch v.Kind() {
	case tracewhy.BoolValue:
		p.isError = v.Bool()
		return v.Bool()
	case tracewhy.IntValue, tracewhy.FloatValue:
		n, _ := v.Number()
		p.seemsError = n != 0
	case tracewhy.StringValue:
		s := strings.TrimSpace(v.Str())
		switch strings.ToLower(s) {
		case "true":
			p.isError = true
			return true
		case "false", "0", "no", "":
			p.seemsError = false
		case "1", "yes":
			p.seemsError = true
		default:
			p.seemsError, p.errorText = true, s
		}
	}
	return false
}
