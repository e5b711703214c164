package otlp

import (
	"errors"
	"math"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/ingest/input"
	"github.com/tracewhy/tracewhy/ingest/internal/decode"
	"github.com/tracewhy/tracewhy/ingest/internal/scan"
)

// protoReader reads OTLP protobuf. The outer messages are read as a stream, by methods that return an
// error; a span, resource or scope is decoded from its bytes, by methods that take them, or an index
// into them.
type protoReader struct {
	decode.Spans
	blocks
	cache  refCache
	syntax *input.SyntaxError
}

func newProtoReader(s decode.Spans) *protoReader {
	d := &protoReader{Spans: s}
	d.blocks.in = &d.Spans
	return d
}

// unbounded is the end of a message that goes on to the end of the input.
const unbounded = math.MaxInt64

// messages reads one message after the other, each after its length.
func (d *protoReader) messages(length func() (uint64, error)) error {
	for d.has(1) {
		end := int64(unbounded)
		n, err := length()
		if err == nil {
			if from := d.Offset(d.I); n < unbounded-uint64(from) {
				end = from + int64(n)
			}
			err = d.message(end)
		}
		if err = d.recover(err, end); err != nil {
			return err
		}
	}
	return d.close()
}

// one reads a message that goes on to the end of the input. Messages written one after the other are
// one as well.
func (d *protoReader) one() error {
	if err := d.recover(d.message(unbounded), unbounded); err != nil {
		return err
	}
	return d.close()
}

// close is called at the regular end of the input.
func (d *protoReader) close() error {
	if err := d.Err(); err != nil {
		return err
	}
	d.Log.Close()
	switch {
	case d.Added > 0:
		return nil
	case d.syntax != nil:
		return d.syntax
	case d.Seen > 0:
		return nil
	}
	d.Log.Note(tracewhy.ProblemEmptyInput, len(d.B), tracewhy.TraceID{})
	return nil
}

// recover counts an error that does not concern what follows the message at hand, and goes to its end.
func (d *protoReader) recover(err error, end int64) error {
	if errors.Is(err, scan.ErrCut) {
		d.fail(tracewhy.ProblemTruncatedInput, scan.Fault{At: len(d.B), What: err.Error()})
		return d.discard(unbounded)
	}
	return d.overcome(err, end)
}

// overcome is recover within a message: where the input stops, there is nothing to go on with.
func (d *protoReader) overcome(err error, end int64) error {
	if err == nil {
		return nil
	}
	var fault *scan.Fault
	if !errors.As(err, &fault) {
		return err
	}
	d.fail(tracewhy.ProblemSyntax, *fault)
	return d.discard(end)
}

func (d *protoReader) fail(code string, fault scan.Fault) {
	d.NoteOnce(code, fault.At)
	if d.syntax == nil {
		d.syntax = &input.SyntaxError{Position: d.Log.Position(fault.At), Message: fault.What}
	}
}

// has reports whether n more bytes are at hand, after reading on as needed.
func (d *protoReader) has(n int) bool {
	for len(d.B)-d.I < n {
		if !d.More(d.I) {
			return false
		}
	}
	return true
}

// discard goes to an offset, or to the end of the input where that comes first.
func (d *protoReader) discard(end int64) error {
	for end > d.Offset(len(d.B)) {
		d.I = len(d.B)
		if !d.More(d.I) {
			return d.Err()
		}
	}
	d.I = int(end - d.Offset(0))
	return nil
}

// uvarint reads an integer of the outer messages.
func (d *protoReader) uvarint() (uint64, error) {
	d.has(10)
	v, next := uvarint(d.B, d.I)
	if next < 0 {
		if len(d.B)-d.I < 10 {
			return 0, d.Ended()
		}
		return 0, d.Expected("an integer")
	}
	d.I = next
	return v, nil
}

// fixedLength reads a length of 4 bytes.
func (d *protoReader) fixedLength() (uint64, error) {
	if !d.has(4) {
		return 0, d.Ended()
	}
	n, size := fixedLength(d.B[d.I:])
	d.I += size
	return n, nil
}

// fields calls visit for the fields that are messages or text, in a message that ends at the given
// offset, with the offset where the field ends. What visit leaves of it is passed over, and so is what
// is broken in it.
func (d *protoReader) fields(end int64, visit func(field uint64, end int64) error) error {
	for d.Offset(d.I) < end {
		if end == unbounded && !d.has(1) {
			return d.Err()
		}
		t, err := d.uvarint()
		if err != nil {
			return err
		}
		switch t & 7 {
		case varintType:
			if _, err = d.uvarint(); err != nil {
				return err
			}
			continue
		case fixed64Type:
			err = d.pass(d.Offset(d.I) + 8)
		case fixed32Type:
			err = d.pass(d.Offset(d.I) + 4)
		case bytesType:
			var n uint64
			if n, err = d.uvarint(); err != nil {
				return err
			}
			from := d.Offset(d.I)
			if n > uint64(end-from) {
				return d.Expected("a length that its message has room for")
			}
			to := from + int64(n)
			if err = visit(t>>3, to); err == nil && d.Offset(d.I) < to {
				err = d.pass(to)
			}
			err = d.overcome(err, to)
		default:
			return d.Expected("a field")
		}
		if err != nil {
			return err
		}
	}
	if d.Offset(d.I) > end {
		return d.Expected("a field that its message has room for")
	}
	return nil
}

// pass goes to an offset that the input should have.
func (d *protoReader) pass(end int64) error {
	if err := d.discard(end); err != nil {
		return err
	}
	if d.Offset(d.I) < end {
		return scan.ErrCut
	}
	return nil
}

// whole returns the message or text that ends at the given offset, once it is at hand. One that is
// longer than the limit is left out, and so is what the input does not have whole.
func (d *protoReader) whole(end int64) (b []byte, isTooLong bool, err error) {
	n := end - d.Offset(d.I)
	if n > int64(d.Config.Limits.SpanBytes) {
		return nil, true, nil
	}
	if !d.has(int(n)) {
		return nil, false, d.Ended()
	}
	return d.B[d.I : d.I+int(n)], false, nil
}

// message reads TracesData, or an ExportTraceServiceRequest, which is the same.
func (d *protoReader) message(end int64) error {
	return d.fields(end, func(field uint64, end int64) error {
		if field == 1 {
			return d.resourceSpans(end)
		}
		return nil
	})
}

// resourceSpans reads a resource with its spans.
func (d *protoReader) resourceSpans(end int64) error {
	const legacyScopeSpans = 1000
	d.openResource()
	schema := ""
	err := d.fields(end, func(field uint64, end int64) (err error) {
		switch field {
		case 1:
			return d.part(end, d.resource)
		case legacyScopeSpans:
			d.Log.Note(tracewhy.ProblemLegacySchema, d.I, tracewhy.TraceID{})
			return d.scopeSpans(end)
		case 2:
			return d.scopeSpans(end)
		case 3:
			return d.part(end, func(b []byte) bool { schema = string(b); return true })
		}
		return nil
	})
	d.closeResource(schema)
	return err
}

// scopeSpans reads a scope with its spans.
func (d *protoReader) scopeSpans(end int64) error {
	d.openScope()
	schema := ""
	err := d.fields(end, func(field uint64, end int64) (err error) {
		switch field {
		case 1:
			return d.part(end, d.scope)
		case 2:
			return d.nextSpan(end)
		case 3:
			return d.part(end, func(b []byte) bool { schema = string(b); return true })
		}
		return nil
	})
	d.closeScope(schema)
	return err
}

// part decodes a message or text that belongs to no span.
func (d *protoReader) part(end int64, method func(b []byte) bool) error {
	b, isTooLong, err := d.whole(end)
	if err != nil {
		return err
	}
	d.Begin()
	switch {
	case isTooLong:
		d.Note(tracewhy.ProblemLimit, d.I)
	case !method(b):
		d.Note(tracewhy.ProblemSyntax, d.I)
	}
	d.Report(tracewhy.TraceID{})
	return nil
}

// nextSpan reads a span.
func (d *protoReader) nextSpan(end int64) error {
	b, isTooLong, err := d.whole(end)
	switch {
	case errors.Is(err, scan.ErrCut):
		return d.LoseTo(err, tracewhy.ProblemTruncatedInput, d.I)
	case err != nil:
		return err
	case isTooLong:
		return d.Lose(tracewhy.ProblemLimit, d.I)
	}
	d.Begin()
	if !d.decodeSpan(b) {
		return d.Lose(tracewhy.ProblemSyntax, d.I)
	}
	if err := d.Finish(d.I); err != nil {
		return err
	}
	d.I += len(b)
	return nil
}
