// Package decode is what the readers of all formats share above the tokens: how decoded spans reach the
// Builder and are held against the limits, how documents of JSON follow each other in a stream, and how
// numbers and ids are read that are not quite what they should be.
package decode

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"unsafe"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/ingest/input"
	"github.com/tracewhy/tracewhy/ingest/internal/scan"
)

// Spans takes decoded spans, one at a time, to a Builder: the part that all formats share. Decoders fill
// in Span and, from [Spans.Begin] to [Spans.Finish], say what is odd about it. Texts of the span under way
// may point into the window, since the Builder copies what it keeps.
type Spans struct {
	*scan.Window
	Log    scan.Log
	Config input.Config // with its limits settled

	Span     tracewhy.SpanData   // its attributes are those that Refs has no reference for
	Refs     []tracewhy.AttrRef  // its attributes, zero for the next of Span's; those of Span's that are left over come last
	Inner    []tracewhy.KeyValue // room for the attributes of the span's events and links
	Attrs    int                 // how many attributes it has, those of events and links and the elements of arrays and maps included
	Over     Over                // what it has beyond the limits
	findings []finding           // what is odd about the span
	refusal  finding             // why it cannot be kept, if it has a code
	tooMany  finding             // that the limits cut it short, if it has a code

	Seen    int64 // spans, with the quarantined ones
	Added   int64 // of the spans, those that were not quarantined
	Noted   int   // how often something odd was found, in all
	objects int64
	isLost  bool // the span under way was quarantined for the error that is on its way
}

// Over counts what of a span was dropped because of the limits.
type Over struct{ Attributes, Events, Links uint32 }

// NewSpans returns Spans of the stream r, whose window has the given size.
func NewSpans(ctx context.Context, r io.Reader, b *tracewhy.Builder, cfg input.Config, size int) Spans {
	cfg.Limits = cfg.Limits.Settled()
	w := scan.NewWindow(ctx, r, cfg, size)
	return Spans{Window: w, Log: scan.Log{Builder: b, Window: w}, Config: cfg}
}

// A finding is a problem that was found n times, first at B[at] of the window.
type finding struct {
	code  string
	at, n int
}

// Begin makes ready for a span, resource or scope. Decoding one may begin several times, each time with
// more of it at hand.
func (t *Spans) Begin() {
	s := &t.Span
	*s = tracewhy.SpanData{
		Source: t.Config.Source, Resource: s.Resource, Scope: s.Scope,
		Attributes: s.Attributes[:0], Events: s.Events[:0], Links: s.Links[:0],
	}
	t.Refs = t.Refs[:0]
	t.Inner, t.findings, t.refusal, t.tooMany, t.Attrs = t.Inner[:0], t.findings[:0], finding{}, finding{}, 0
	t.Over = Over{}
}

// Note counts something odd about the span, at B[at].
func (t *Spans) Note(code string, at int) {
	t.Noted++
	for i := range t.findings {
		if f := &t.findings[i]; f.code == code {
			f.n++
			return
		}
	}
	t.findings = append(t.findings, finding{code, at, 1})
}

// Refuse makes the span one that cannot be kept; the first reason holds.
func (t *Spans) Refuse(code string, at int) {
	if t.refusal.code == "" {
		t.refusal = finding{code, at, 1}
	}
}

// Finish adds the span that was decoded, whose first byte is B[at], or quarantines it.
func (t *Spans) Finish(at int) error {
	s := &t.Span
	if t.refusal.code == "" && (s.TraceID.IsZero() || s.SpanID.IsZero()) {
		t.Refuse(tracewhy.ProblemIDMissing, at)
	}
	if err := t.count(at); err != nil {
		return err
	}
	s.DroppedAttributes += t.Over.Attributes
	s.DroppedEvents += t.Over.Events
	s.DroppedLinks += t.Over.Links
	t.Report(s.TraceID)
	if t.refusal.code != "" {
		t.Log.Quarantine(t.refusal.code, t.refusal.at, s.TraceID)
	} else {
		t.Log.Builder.AddRefs(s, t.Refs)
		t.Added++
	}
	return nil
}

// Report counts what was found.
func (t *Spans) Report(id tracewhy.TraceID) {
	for _, f := range t.findings {
		for range f.n {
			t.Log.Note(f.code, f.at, id)
		}
	}
	if t.tooMany.code != "" {
		t.Log.Note(t.tooMany.code, t.tooMany.at, id)
	}
	t.findings, t.tooMany = t.findings[:0], finding{}
}

// Lose quarantines a span that cannot be decoded, because of what is at B[at].
func (t *Spans) Lose(code string, at int) error {
	t.Attrs, t.Span.Events, t.Span.Links = 0, t.Span.Events[:0], t.Span.Links[:0]
	if err := t.count(at); err != nil {
		return err
	}
	t.Log.Quarantine(code, at, tracewhy.TraceID{})
	return nil
}

// LoseTo is Lose where the input cannot be read on either, because of err, which it returns.
func (t *Spans) LoseTo(err error, code string, at int) error {
	t.isLost = true
	return cmp.Or(t.Lose(code, at), err)
}

// NoteOnce counts why the input cannot be read on, unless a span was quarantined for it.
func (t *Spans) NoteOnce(code string, at int) {
	if !t.isLost {
		t.Log.Note(code, at, tracewhy.TraceID{})
	}
	t.isLost = false
}

// densityGrace is how many objects may come before their density is looked at.
const densityGrace = 1 << 20

// count holds the input against the limits with one more span, which is not yet added.
func (t *Spans) count(at int) error {
	t.Seen++
	t.objects += int64(t.Attrs + len(t.Span.Events) + len(t.Span.Links))
	switch l := &t.Config.Limits; {
	case t.Seen > l.Spans:
		return t.passed("Spans", l.Spans, at)
	case t.objects > l.Objects:
		return t.passed("Objects", l.Objects, at)
	case t.objects > densityGrace && t.objects*l.Density > t.Offset(at):
		return t.passed("Density", l.Density, at)
	}
	return nil
}

func (t *Spans) passed(limit string, value int64, at int) error {
	t.Log.Note(tracewhy.ProblemLimit, at, tracewhy.TraceID{})
	return &input.LimitError{Position: t.Log.Position(at), Limit: limit, Value: value}
}

// Room reports whether the span may have one more of something that it has n of. Spans that do not are
// counted once.
func (t *Spans) Room(n, at int) bool {
	if n < t.Config.Limits.PerSpan {
		return true
	}
	if t.tooMany.code == "" {
		t.tooMany = finding{tracewhy.ProblemTooMany, at, 1}
	}
	return false
}

// Refusal returns the problem that the span cannot be kept for and where it is, or "".
func (t *Spans) Refusal() (code string, at int) { return t.refusal.code, t.refusal.at }

// IsOdd reports whether there is anything to count about the span.
func (t *Spans) IsOdd() bool { return len(t.findings) > 0 || t.refusal.code != "" }

// NotTraces notes that the input holds something else, and returns the error for that.
func (t *Spans) NotTraces() error {
	t.Log.Note(tracewhy.ProblemNotTraces, min(t.I, len(t.B)), tracewhy.TraceID{})
	return fmt.Errorf("%s: %w", cmp.Or(t.Config.Name, "input"), input.ErrNotTraces)
}

// Cut shortens a text or bytes value to the limit, without splitting a character.
func (t *Spans) Cut(s []byte, at int) []byte {
	n := t.Config.Limits.ValueBytes
	if len(s) <= n {
		return s
	}
	t.Note(tracewhy.ProblemValueTruncated, at)
	for i := 0; i < 4 && n > 0 && s[n]&0xC0 == 0x80; i++ {
		n--
	}
	return s[:n]
}

// View returns b as a string that changes when b does.
func View(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// Own gives kvs texts of their Own, which outlive the window.
func Own(kvs []tracewhy.KeyValue) []tracewhy.KeyValue {
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
		return tracewhy.MapOf(Own(slices.Clone(v.Elems()))...)
	}
	return v
}
