package otlp

import (
	"cmp"
	"context"
	"io"
	"slices"
	"strings"
	"unsafe"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/ingest/input"
	"github.com/tracewhy/tracewhy/ingest/internal/scan"
)

// intake takes decoded spans, one at a time, to the Builder: the part that JSON and protobuf share.
// Texts of the span under way may point into the window, since the Builder copies what it keeps.
type intake struct {
	*scan.Window
	log    scan.Log
	config input.Config
	blocks

	span     tracewhy.SpanData  // its attributes are those that refs has no reference for
	refs     []tracewhy.AttrRef // all its attributes, zero for the next of span's
	cache    *refCache
	inner    []tracewhy.KeyValue // the attributes of the span's events and links
	findings []finding           // what is odd about the span
	noted    int                 // how often something odd was found, in all
	refusal  finding             // why it cannot be kept, if it has a code
	tooMany  finding             // that the limits cut it short, if it has a code
	attrs    int                 // its attributes, those of events and links and the elements of arrays and maps included
	over     struct {            // how many were dropped because of the limits
		attributes, events, links uint32
	}

	spans, objects int64
	added          int64 // of the spans, those that were not quarantined
	isLost         bool  // the span under way was quarantined for the error that is on its way
}

func newIntake(ctx context.Context, r io.Reader, b *tracewhy.Builder, cfg input.Config, size int) intake {
	cfg.Limits = cfg.Limits.Settled()
	w := scan.NewWindow(ctx, r, cfg, size)
	return intake{Window: w, log: scan.Log{Builder: b, Window: w}, config: cfg, cache: new(refCache)}
}

// A finding is a problem that was found n times, first at B[at] of the window.
type finding struct {
	code  string
	at, n int
}

// begin makes ready for a span, resource or scope. Decoding one may begin several times, each time with
// more of it at hand.
func (t *intake) begin() {
	s := &t.span
	*s = tracewhy.SpanData{
		Source: t.config.Source, Resource: s.Resource, Scope: s.Scope,
		Attributes: s.Attributes[:0], Events: s.Events[:0], Links: s.Links[:0],
	}
	t.refs = t.refs[:0]
	t.inner, t.findings, t.refusal, t.tooMany, t.attrs = t.inner[:0], t.findings[:0], finding{}, finding{}, 0
	t.over.attributes, t.over.events, t.over.links = 0, 0, 0
}

func (t *intake) note(code string, at int) {
	t.noted++
	for i := range t.findings {
		if f := &t.findings[i]; f.code == code {
			f.n++
			return
		}
	}
	t.findings = append(t.findings, finding{code, at, 1})
}

// refuse makes the span one that cannot be kept; the first reason holds.
func (t *intake) refuse(code string, at int) {
	if t.refusal.code == "" {
		t.refusal = finding{code, at, 1}
	}
}

// finish adds the span that was decoded, whose first byte is B[at], or quarantines it.
func (t *intake) finish(at int) error {
	s := &t.span
	if t.refusal.code == "" && (s.TraceID.IsZero() || s.SpanID.IsZero()) {
		t.refuse(tracewhy.ProblemIDMissing, at)
	}
	if err := t.count(at); err != nil {
		return err
	}
	s.DroppedAttributes += t.over.attributes
	s.DroppedEvents += t.over.events
	s.DroppedLinks += t.over.links
	t.report(s.TraceID)
	if t.refusal.code != "" {
		t.log.Quarantine(t.refusal.code, t.refusal.at, s.TraceID)
	} else {
		t.log.Builder.AddRefs(s, t.refs)
		t.added++
	}
	return nil
}

// report counts what was found.
func (t *intake) report(id tracewhy.TraceID) {
	for _, f := range t.findings {
		for range f.n {
			t.log.Note(f.code, f.at, id)
		}
	}
	if t.tooMany.code != "" {
		t.log.Note(t.tooMany.code, t.tooMany.at, id)
	}
	t.findings, t.tooMany = t.findings[:0], finding{}
}

// lose quarantines a span that cannot be decoded, because of what is at B[at].
func (t *intake) lose(code string, at int) error {
	t.attrs, t.span.Events, t.span.Links = 0, t.span.Events[:0], t.span.Links[:0]
	if err := t.count(at); err != nil {
		return err
	}
	t.log.Quarantine(code, at, tracewhy.TraceID{})
	return nil
}

// loseTo is lose where the input cannot be read on either, because of err, which it returns.
func (t *intake) loseTo(err error, code string, at int) error {
	t.isLost = true
	return cmp.Or(t.lose(code, at), err)
}

// noteOnce counts why the input cannot be read on, unless a span was quarantined for it.
func (t *intake) noteOnce(code string, at int) {
	if !t.isLost {
		t.log.Note(code, at, tracewhy.TraceID{})
	}
	t.isLost = false
}

// densityGrace is how many objects may come before their density is looked at.
const densityGrace = 1 << 20

// count holds the input against the limits with one more span, which is not yet added.
func (t *intake) count(at int) error {
	t.spans++
	t.objects += int64(t.attrs + len(t.span.Events) + len(t.span.Links))
	switch l := &t.config.Limits; {
	case t.spans > l.Spans:
		return t.passed("Spans", l.Spans, at)
	case t.objects > l.Objects:
		return t.passed("Objects", l.Objects, at)
	case t.objects > densityGrace && t.objects*l.Density > t.Offset(at):
		return t.passed("Density", l.Density, at)
	}
	return nil
}

func (t *intake) passed(limit string, value int64, at int) error {
	t.log.Note(tracewhy.ProblemLimit, at, tracewhy.TraceID{})
	return &input.LimitError{Position: t.log.Position(at), Limit: limit, Value: value}
}

// room reports whether the span may have one more of something that it has n of. Spans that do not are
// counted once.
func (t *intake) room(n, at int) bool {
	if n < t.config.Limits.PerSpan {
		return true
	}
	if t.tooMany.code == "" {
		t.tooMany = finding{tracewhy.ProblemTooMany, at, 1}
	}
	return false
}

// remember adds an attribute of the span that was decoded from text. Unless salt is 0 it will be known by
// that the next time, so nothing about it may need to be counted again.
func (t *intake) remember(salt uint32, text []byte, kv tracewhy.KeyValue) {
	if salt != 0 {
		if ref, ok := t.log.Builder.Ref(kv); ok {
			t.cache.keep(salt, text, ref)
			t.refs = append(t.refs, ref)
			return
		}
	}
	t.span.Attributes = append(t.span.Attributes, kv)
	t.refs = append(t.refs, tracewhy.AttrRef{})
}

// cut shortens a text or bytes value to the limit, without splitting a character.
func (t *intake) cut(s []byte, at int) []byte {
	n := t.config.Limits.ValueBytes
	if len(s) <= n {
		return s
	}
	t.note(tracewhy.ProblemValueTruncated, at)
	for i := 0; i < 4 && n > 0 && s[n]&0xC0 == 0x80; i++ {
		n--
	}
	return s[:n]
}

// view returns b as a string that changes when b does.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// own gives kvs texts of their own, which outlive the window.
func own(kvs []tracewhy.KeyValue) []tracewhy.KeyValue {
	for i := range kvs {
		kvs[i].Key = strings.Clone(kvs[i].Key)
		kvs[i].Value = ownValue(kvs[i].Value)
	}
	return kvs
}

func ownValue(v tracewhy.Value) tracewhy.Value {
	switch v.Kind() {
	case tracewhy.StringValue:
		return tracewhy.StringOf(strings.Clone(v.Str()))
	case tracewhy.ArrayValue:
		vs := make([]tracewhy.Value, len(v.Elems()))
		for i, e := range v.Elems() {
			vs[i] = ownValue(e.Value)
		}
		return tracewhy.ArrayOf(vs...)
	case tracewhy.MapValue:
		return tracewhy.MapOf(own(slices.Clone(v.Elems()))...)
	}
	return v
}
