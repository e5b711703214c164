package otlp

import (
	"bytes"
	"context"
	"errors"
	"io"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/ingest/input"
	"github.com/tracewhy/tracewhy/ingest/internal/scan"
)

// ReadJSON adds the spans of OTLP JSON to b: one document, JSON lines, documents one after the other, an
// array of them, or log lines that end in one. Byte order marks are passed over.
//
// Names may also be in snake case, or those of an older OTLP. Of a member given twice the last holds,
// except that the elements of arrays given twice are joined, as protobuf does it.
func ReadJSON(ctx context.Context, r io.Reader, b *tracewhy.Builder, cfg input.Config) error {
	d := jsonReader{intake: newIntake(ctx, r, b, cfg, scan.WindowSize)}
	return d.read()
}

// jsonReader reads OTLP JSON. The outer part of a document is read as a stream, by methods that return
// an error; a span, resource or scope is decoded where it lies in the window, by methods that take and
// return an index into it, or scan.Short or scan.Bad.
type jsonReader struct {
	intake
	patterns    patterns
	transitions [spanFields]transition // by the field before; noField: the first member's

	texts []byte // of the span under way: those that have escapes
	isBad bool   // the attribute under way is to be dropped
	fault scan.Fault

	hasDocument bool // a document with spans, or a place for them, was found
	hasOther    bool // something else was found
	onLine      bool // a document was read since the last newline
	nesting     int  // of documents within answers of query APIs
	syntax      *input.SyntaxError
}

var byteOrderMark = []byte("\uFEFF")

func (d *jsonReader) read() error {
	for {
		from := d.I
		c, err := d.Next()
		if errors.Is(err, scan.ErrCut) {
			return d.close()
		}
		if err != nil {
			return err
		}
		if d.onLine && from <= d.I && bytes.IndexByte(d.B[from:d.I], '\n') >= 0 {
			d.onLine = false
		}
		switch c {
		case '{':
			err = d.document()
		case '[':
			_, err = d.Elements(d.element)
		default:
			err = d.skipText()
		}
		if err = d.recover(err); err != nil {
			return err
		}
		d.onLine = c == '{' || c == '['
	}
}

// close is called at the regular end of the input.
func (d *jsonReader) close() error {
	d.log.Close()
	at := min(d.I, len(d.B))
	switch {
	case d.added > 0:
		return nil
	case d.syntax != nil:
		return d.syntax
	case d.spans > 0:
		return nil
	case d.hasOther && !d.hasDocument:
		d.log.Note(tracewhy.ProblemNotTraces, at, tracewhy.TraceID{})
		return d.notTraces()
	}
	d.log.Note(tracewhy.ProblemEmptyInput, at, tracewhy.TraceID{})
	return nil
}

// recover counts an error that only the present document suffers from, and finds the next one.
func (d *jsonReader) recover(err error) error {
	var fault *scan.Fault
	switch {
	case err == nil:
		return nil
	case errors.As(err, &fault):
		d.noteOnce(tracewhy.ProblemSyntax, fault.At)
		d.fail(fault)
		d.nesting = 0
		return d.resume()
	case errors.Is(err, scan.ErrCut):
		d.noteOnce(tracewhy.ProblemTruncatedInput, len(d.B))
		d.fail(&scan.Fault{At: len(d.B), What: scan.ErrCut.Error()})
		d.I = len(d.B)
		return nil
	}
	return err
}

// fail remembers the first place where the input is broken, for an error if nothing can be read of it.
func (d *jsonReader) fail(fault *scan.Fault) {
	if d.syntax == nil {
		d.syntax = &input.SyntaxError{Position: d.log.Position(fault.At), Message: fault.What}
	}
}

// resume goes to where the next document seems to begin.
func (d *jsonReader) resume() error {
	const overlap = 256 // more than the start of a document needs
	for {
		if i := documentStart(d.B[d.I:]); i >= 0 {
			d.I += i
			return nil
		}
		d.I = max(d.I, len(d.B)-overlap)
		if !d.More(d.I) {
			d.I = len(d.B)
			return d.Err()
		}
	}
}

// documentStart returns where in b the first document begins that says at once that it is OTLP, or -1.
func documentStart(b []byte) int {
	for from := 0; ; {
		i := bytes.Index(b[from:], []byte(`"resource`))
		if i < 0 {
			return -1
		}
		i += from
		from = i + 1
		rest := b[i:]
		if !bytes.HasPrefix(rest, []byte(`"resourceSpans"`)) && !bytes.HasPrefix(rest, []byte(`"resource_spans"`)) {
			continue
		}
		for i--; i >= 0; i-- {
			if c := b[i]; c == '{' {
				return i
			} else if c != ' ' && c != '\n' && c != '\t' && c != '\r' {
				break
			}
		}
	}
}

// element reads an element of an array at the top.
func (d *jsonReader) element(first byte) error {
	if first == '{' {
		return d.document()
	}
	if first != 'n' {
		d.hasOther = true
	}
	_, err := d.Skip()
	return err
}

// skipText passes over what is no document: null, or text up to the end of the line or to where, after a
// space, a document begins, as the lines of a log have it.
func (d *jsonReader) skipText() error {
	const maxPrefix = 4 << 10
	for len(d.B)-d.I < maxPrefix && d.More(d.I) {
	}
	line := d.B[d.I:]
	if bytes.HasPrefix(line, byteOrderMark) {
		d.I += len(byteOrderMark)
		return nil
	}
	line = line[:min(len(line), maxPrefix)]
	if end := bytes.IndexByte(line, '\n'); end >= 0 {
		line = line[:end]
	}
	if string(bytes.TrimSpace(line)) == "null" {
		d.I += len(line)
		return nil
	}
	if i := documentStart(line); i > 0 {
		if before := line[i-1]; before != ' ' && before != '\t' {
			return d.Expected("a document")
		}
		d.log.Note(tracewhy.ProblemTextSkipped, d.I, tracewhy.TraceID{})
		d.I += i
		return nil
	}
	code := tracewhy.ProblemTextSkipped
	if d.onLine {
		code = tracewhy.ProblemTrailingData
	}
	d.log.Note(code, d.I, tracewhy.TraceID{})
	d.hasOther = true
	for {
		if end := bytes.IndexByte(d.B[d.I:], '\n'); end >= 0 {
			d.I += end
			return nil
		}
		d.I = len(d.B)
		if !d.More(d.I) {
			return d.Err()
		}
	}
}

// maxAnswers is how deep a document may lie in the answers of query APIs: {"result": {"resourceSpans":…}}.
const maxAnswers = 2

// document reads an ExportTraceServiceRequest, or TracesData, which is the same. The answers of Tempo
// and Jaeger call the list of spans otherwise or wrap the document.
func (d *jsonReader) document() error {
	members, found := 0, false
	d.nesting++
	err := d.Members(func(name []byte) error {
		members++
		switch string(name) {
		case "resourceSpans", "resource_spans", "batches":
			found = true
			return d.list(d.objects(d.resourceSpans))
		case "trace", "result":
			if c, err := d.Next(); err != nil {
				return err
			} else if c == '{' && d.nesting <= maxAnswers {
				found = true
				return d.document()
			}
		}
		_, err := d.Skip()
		return err
	})
	d.nesting--
	if found {
		d.hasDocument = true
	} else if members > 0 {
		d.hasOther = true
	}
	return err
}

// list reads an array. What stands in its place, unless it is null, is left out.
func (d *jsonReader) list(visit func(first byte) error) error {
	isArray, err := d.Elements(visit)
	if err != nil || isArray {
		return err
	}
	d.log.Note(tracewhy.ProblemShape, d.I, tracewhy.TraceID{})
	_, err = d.Skip()
	return err
}

// objects makes a visitor of objects into one that leaves out anything else.
func (d *jsonReader) objects(visit func() error) func(first byte) error {
	return func(first byte) error {
		if first == '{' {
			return visit()
		}
		if first != 'n' {
			d.log.Note(tracewhy.ProblemShape, d.I, tracewhy.TraceID{})
		}
		_, err := d.Skip()
		return err
	}
}
