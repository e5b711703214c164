package jaeger

import (
	"slices"
	"strings"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/ingest/internal/decode"
	"github.com/tracewhy/tracewhy/ingest/internal/scan"
)

// maxNesting is how deep documents may lie within each other: a span of a search in Elasticsearch, in
// {"responses":[{"hits":{"hits":[{"_source":…}]}}]}.
const maxNesting = 8

// spanNames are members that, of all documents here, only spans have.
var spanNames = []string{"spanID", "operationName", "startTime", "startTimeMillis", "processID"}

// outerNames are members of the other documents, those that spans are read from.
var outerNames = []string{"data", "spans", "processes", "hits", "responses", "_source", "resourceSpans"}

// document reads the object that comes next: a span, or what has spans in it.
func (d *reader) document() error {
	if d.nesting >= maxNesting {
		d.Other()
		_, err := d.Skip()
		return err
	}
	isSpan := false
	if _, err := d.Resident(func(i int) int {
		var next int
		isSpan, next = d.isSpan(i)
		if next == scan.Short {
			return scan.Short
		}
		return i // it is still to be read
	}); err != nil && d.Err() != nil {
		return err
	}
	d.nesting++
	defer func() { d.nesting-- }()
	if !isSpan {
		return d.outer()
	}
	d.HasDocument, d.isStored = true, true
	err := d.NextSpan('{', d.decodeSpan)
	d.isStored = false
	return err
}

// isSpan reports whether the object at B[i] is a span. What it is not sure of is no JSON, or short.
func (d *reader) isSpan(i int) (yes bool, next int) {
	i++
	for first := true; ; first = false {
		name, next := d.Field(i, first)
		if next < 0 || name == nil {
			return false, next
		}
		if is := decode.View(name); slices.Contains(spanNames, is) || slices.Contains(outerNames, is) {
			return slices.Contains(spanNames, is), next
		}
		if i = d.Pass(next); i < 0 {
			return false, i
		}
	}
}

// outer reads a document that has spans in it: an answer, a trace, or what Elasticsearch wraps one in.
func (d *reader) outer() error {
	var t trace
	members, isKnown := 0, false
	err := d.Members(func(name []byte) error {
		members++
		switch string(name) {
		case "data", "hits", "responses", "_source":
			isKnown = true
			return d.documents()
		case "index", "create": // what comes before a span in a bulk request to Elasticsearch
			isKnown = true
		case "errors":
			return d.Part(d.answerErrors)
		case "traceID":
			d.trace = &t
			return d.Part(d.decodeTraceID)
		case "spans":
			d.trace, isKnown, d.HasDocument = &t, true, true
			return d.spans()
		case "processes":
			d.trace = &t
			if t.processes == nil {
				isKnown = true
				return d.Part(d.decodeProcesses)
			}
		}
		_, err := d.Skip()
		return err
	})
	if !isKnown && members > 0 {
		d.Other()
	}
	return err
}

// documents reads the documents that a member has: one, or an array of them.
func (d *reader) documents() error {
	c, err := d.Next()
	if err != nil {
		return err
	}
	if c == '{' {
		return d.document()
	}
	n := 0
	isArray, err := d.Elements(func(first byte) error {
		n++
		if first == '{' {
			return d.document()
		}
		if first != 'n' {
			d.Other()
		}
		_, err := d.Skip()
		return err
	})
	switch {
	case err != nil:
	case !isArray:
		d.Other()
		_, err = d.Skip()
	case n == 0:
		d.HasDocument = true
	}
	return err
}

// spans reads the spans of a trace.
func (d *reader) spans() error {
	if d.trace.processes == nil {
		if err := d.lookAhead(); err != nil {
			return err
		}
	}
	return d.List(func(first byte) error { return d.NextSpan(first, d.decodeSpan) })
}

// lookAhead finds what the members after the spans, which are to be read next, say of a trace. It finds
// nothing if the input ends before, is broken, or goes on for too long.
func (d *reader) lookAhead() error {
	if _, err := d.Next(); err != nil || !d.MayLookAhead() {
		return err
	}
	var spans scan.Skipper
	ahead := 0 // from B[I] on, what was passed
	for {
		next := spans.Run(d.B, d.I+ahead)
		if next >= 0 {
			ahead = next - d.I
			break
		}
		ahead = len(d.B) - d.I
		if next == scan.Bad || !d.hold() {
			d.LookedInVain(ahead)
			return nil
		}
	}
	next := d.decodeRest(d.I + ahead)
	for next == scan.Short && d.hold() {
		next = d.decodeRest(d.I + ahead)
	}
	switch t := d.trace; {
	case next < 0:
		t.processes = nil
		d.LookedInVain(len(d.B) - d.I)
	case next-d.I > d.maxAhead:
		t.processes = nil
		d.Log.Note(tracewhy.ProblemLimit, d.I, t.id)
	default:
		if t.processes == nil {
			t.processes = map[string]*tracewhy.Resource{}
		}
		if code, at := d.Refusal(); code != "" {
			d.Log.Note(code, at, t.id)
		}
		d.Report(t.id)
	}
	return nil
}

// hold gets more of the input, and keeps what is at hand. It is false if there is no more, or too much.
func (d *reader) hold() bool {
	if len(d.B)-d.I <= d.maxAhead {
		return d.More(d.I)
	}
	d.Log.Note(tracewhy.ProblemLimit, d.I, d.trace.id)
	return false
}

// decodeRest decodes the members of a trace from after the value of one, at B[i].
func (d *reader) decodeRest(i int) int {
	d.Begin()
	for {
		name, next := d.Field(i, false)
		if next < 0 || name == nil {
			return next
		}
		switch string(name) {
		case "traceID":
			i = d.decodeTraceID(next)
		case "processes":
			i = d.decodeProcesses(next)
		default:
			i = d.Pass(next)
		}
		if i < 0 {
			return i
		}
	}
}

// decodeTraceID decodes the id of a trace, which its spans should have as well.
func (d *reader) decodeTraceID(i int) int {
	state, next := d.ID(i, d.trace.id[:])
	if state != decode.IDValid {
		d.trace.id = tracewhy.TraceID{}
	}
	return next
}

// answerErrors decodes the errors of an answer: an array, or nothing. The first of them counts.
func (d *reader) answerErrors(i int) int {
	return d.Array(i, func(i int) int {
		at := i
		var code uint32
		var message string
		var next int
		if d.B[i] == '"' {
			message, next = d.Text(i)
		} else {
			next = d.Object(i, func(name []byte, i int) (next int) {
				switch string(name) {
				case "code":
					code, next = d.Uint32(i)
				case "msg":
					message, next = d.Text(i)
				default:
					next = d.Pass(i)
				}
				return next
			})
		}
		if next >= 0 && d.answer == nil {
			d.answer = &AnswerError{d.Log.Position(at), int(code), strings.Clone(message)}
		}
		return next
	})
}
