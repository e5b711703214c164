package decode

import (
	"bytes"
	"errors"
	"slices"
	"strings"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/ingest/input"
	"github.com/tracewhy/tracewhy/ingest/internal/scan"
)

// JSON reads the documents of a stream: one, JSON lines, documents one after the other, an array of them,
// or log lines that end in one. Byte order marks are passed over.
//
// The outer part of a document is read as a stream, by methods that return an error; a span, or another
// Part of limited size, is decoded where it lies in the window, by methods that take and return an index
// into it, or scan.Short or scan.Bad.
type JSON struct {
	Spans

	// Document reads the object that comes next. It sets HasDocument or calls Other.
	Document func() error
	// Firsts are names of members of which documents, or spans, have one first: by them reading finds the
	// next one after something broken.
	Firsts []string
	// HasLists says that documents may also lie in arrays of an array.
	HasLists bool

	HasDocument bool // a document with spans, or a place for them, was found

	texts    []byte // of the part under way: those that have escapes
	fault    scan.Fault
	vain     int64 // how many bytes were looked through in vain
	isInside bool  // reading went on after something broken, maybe inside of a document
	onLine   bool  // a document was read since the last newline
	isListed bool  // what is read is the element of an array at the top
	hasOther bool  // something else than documents was found
	elements other // of such arrays, that are something else
	objects  other // that are no documents, but for those
	syntax   *input.SyntaxError
}

// other counts what is no document, though it may be one of another format.
type other struct {
	n  int
	at string // where the first one ends
}

func (o *other) add(d *JSON) {
	if d.isInside { // it may be a part of a document
		return
	}
	if o.n++; o.n == 1 {
		o.at = d.Log.Position(min(d.I, len(d.B))).String()
	}
}

func (o *other) note(d *JSON, code string) {
	for range o.n {
		d.Log.Builder.Note(code, o.at, tracewhy.TraceID{})
	}
}

// Other counts an object that has members and is no document of the format.
func (d *JSON) Other() {
	d.hasOther = true
	d.objects.add(d)
}

// ByteOrderMark may come before a document.
var ByteOrderMark = []byte("\uFEFF")

// Read reads to the end of the stream.
func (d *JSON) Read() error {
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
		switch {
		case c == '{':
			err = d.Document()
		case c == '[':
			d.isListed = true
			_, err = d.Elements(d.element)
			d.isListed = false
		case d.isInside && (c == ',' || c == ']' || c == '}'):
			d.I++
			continue
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
func (d *JSON) close() error {
	d.Log.Close()
	at := min(d.I, len(d.B))
	switch {
	case d.Added > 0:
		d.elements.note(d, tracewhy.ProblemShape)
		d.objects.note(d, tracewhy.ProblemNotTraces)
		return nil
	case d.syntax != nil:
		return d.syntax
	case d.Seen > 0:
		return nil
	case d.hasOther && !d.HasDocument:
		return d.NotTraces()
	}
	d.Log.Note(tracewhy.ProblemEmptyInput, at, tracewhy.TraceID{})
	return nil
}

// recover counts an error that only the present document suffers from, and finds the next one.
func (d *JSON) recover(err error) error {
	var fault *scan.Fault
	switch {
	case err == nil:
		return nil
	case errors.As(err, &fault):
		d.NoteOnce(tracewhy.ProblemSyntax, fault.At)
		d.Fail(fault)
		return d.resume()
	case errors.Is(err, scan.ErrCut):
		d.NoteOnce(tracewhy.ProblemTruncatedInput, len(d.B))
		d.Fail(&scan.Fault{At: len(d.B), What: scan.ErrCut.Error()})
		d.I = len(d.B)
		return nil
	}
	return err
}

// Fail remembers the first place where the input is broken, for an error if nothing can be read of it.
func (d *JSON) Fail(fault *scan.Fault) {
	if d.syntax == nil {
		d.syntax = &input.SyntaxError{Position: d.Log.Position(fault.At), Message: fault.What}
	}
}

// resume goes to where the next document seems to begin.
func (d *JSON) resume() error {
	const overlap = 256 // more than the start of a document needs
	for {
		if i := d.start(d.B[d.I:]); i >= 0 {
			d.I += i
			d.isInside = true
			return nil
		}
		d.I = max(d.I, len(d.B)-overlap)
		if !d.More(d.I) {
			d.I = len(d.B)
			return d.Err()
		}
	}
}

// start returns where in b the first object begins that has one of d.Firsts first, or -1.
func (d *JSON) start(b []byte) int {
	for i, c := range b {
		if c != '"' {
			continue
		}
		rest := b[i+1:]
		if !slices.ContainsFunc(d.Firsts, func(name string) bool {
			return len(rest) > len(name) && string(rest[:len(name)]) == name && rest[len(name)] == '"'
		}) {
			continue
		}
		before := bytes.TrimRight(b[:i], " \n\t\r")
		if n := len(before); n > 0 && before[n-1] == '{' {
			return n - 1
		}
	}
	return -1
}

// element reads an element of an array at the top.
func (d *JSON) element(first byte) error {
	if first == '[' && d.HasLists {
		_, err := d.Elements(d.innerElement)
		return err
	}
	return d.innerElement(first)
}

// innerElement reads an element of an array, unless it is an array.
func (d *JSON) innerElement(first byte) error {
	if first == '{' {
		return d.Document()
	}
	if first == 'n' {
		_, err := d.Skip()
		return err
	}
	return d.SkipOther()
}

// SkipOther passes over something that is no document. It counts if spans are beside it.
func (d *JSON) SkipOther() error {
	d.hasOther = true
	first, err := d.Skip()
	switch {
	case err != nil: // it is counted for that
	case d.isListed:
		d.elements.add(d)
	case first == '{':
		d.objects.add(d)
	}
	return err
}

// skipText passes over what is no document: null, or text up to the end of the line or to where, after a
// space, a document begins, as the lines of a log have it.
func (d *JSON) skipText() error {
	const maxPrefix = 4 << 10
	for len(d.B)-d.I < maxPrefix && d.More(d.I) {
	}
	line := d.B[d.I:]
	if bytes.HasPrefix(line, ByteOrderMark) {
		d.I += len(ByteOrderMark)
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
	if i := d.start(line); i > 0 {
		if before := line[i-1]; before != ' ' && before != '\t' {
			return d.Expected("a document")
		}
		d.Log.Note(tracewhy.ProblemTextSkipped, d.I, tracewhy.TraceID{})
		d.I += i
		return nil
	}
	code := tracewhy.ProblemTextSkipped
	if d.onLine {
		code = tracewhy.ProblemTrailingData
	}
	d.Log.Note(code, d.I, tracewhy.TraceID{})
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

// List reads an array. What stands in its place, unless it is null, is left out.
func (d *JSON) List(visit func(first byte) error) error {
	isArray, err := d.Elements(visit)
	if err != nil || isArray {
		return err
	}
	d.Log.Note(tracewhy.ProblemShape, d.I, tracewhy.TraceID{})
	_, err = d.Skip()
	return err
}

// Objects makes a visitor of objects into one that leaves out anything else.
func (d *JSON) Objects(visit func() error) func(first byte) error {
	return func(first byte) error {
		if first == '{' {
			return visit()
		}
		if first != 'n' {
			d.Log.Note(tracewhy.ProblemShape, d.I, tracewhy.TraceID{})
		}
		_, err := d.Skip()
		return err
	}
}

// Resident calls one of the decoding methods on the value that comes next, until enough of it is at
// hand, and passes over the value. If it is longer than the limit it is left for Skip.
func (d *JSON) Resident(method func(i int) int) (isRead bool, err error) {
	for {
		d.Begin()
		d.texts = d.texts[:0]
		switch next := method(d.I); next {
		case scan.Bad:
			fault := d.fault
			return false, &fault
		case scan.Short:
			if len(d.B)-d.I > d.Config.Limits.SpanBytes {
				return false, nil
			}
			if !d.More(d.I) {
				return false, d.Ended()
			}
		default:
			if next-d.I > d.Config.Limits.SpanBytes { // it was at hand all the same
				return false, nil
			}
			d.I = next
			return true, nil
		}
	}
}

// Part decodes a value that belongs to no span.
func (d *JSON) Part(method func(i int) int) error {
	if _, err := d.Next(); err != nil {
		return err
	}
	isRead, err := d.Resident(method)
	switch {
	case err != nil:
		return err
	case !isRead:
		d.Log.Note(tracewhy.ProblemLimit, d.I, tracewhy.TraceID{})
		_, err := d.Skip()
		return err
	case d.refusal.code != "":
		d.Log.Note(d.refusal.code, d.refusal.at, tracewhy.TraceID{})
	}
	d.Report(tracewhy.TraceID{})
	return nil
}

// OwnText decodes a text that outlives the window, and belongs to no span.
func (d *JSON) OwnText() (s string, err error) {
	err = d.Part(func(i int) (next int) {
		s, next = d.Text(i)
		return next
	})
	return strings.Clone(s), err
}

// NextSpan reads the span that comes next and begins with first. One of the decoding methods decodes it into d.Span.
func (d *JSON) NextSpan(first byte, method func(i int) int) error {
	if first != '{' {
		if err := d.Lose(tracewhy.ProblemShape, d.I); err != nil {
			return err
		}
		_, err := d.Skip()
		return err
	}
	from := d.Offset(d.I)
	isRead, err := d.Resident(method)
	at := int(from - d.Offset(0))
	switch {
	case err == nil && isRead:
		return d.Finish(at)
	case err == nil:
		if err := d.Lose(tracewhy.ProblemLimit, at); err != nil {
			return err
		}
		_, err := d.Skip()
		return err
	case errors.Is(err, scan.ErrCut):
		return d.LoseTo(err, tracewhy.ProblemTruncatedInput, at)
	}
	if fault := (*scan.Fault)(nil); errors.As(err, &fault) {
		if end := d.endOfBroken(fault); end >= 0 {
			d.Fail(fault)
			d.I = end
			return d.Lose(tracewhy.ProblemSyntax, fault.At)
		}
		// Reading goes on behind its beginning, lest it be found again: others may lie in it.
		d.LookedInVain(fault.At - d.I)
		if d.I++; !d.MayLookAhead() {
			d.I = max(d.I, fault.At)
		}
		return d.LoseTo(err, tracewhy.ProblemSyntax, fault.At)
	}
	return err
}

// SpanDocument reads the object that comes next, for formats whose documents are spans: as NextSpan does, if
// isSpan says of the object at B[i] that it is one. An object without members is neither a span nor anything
// else.
func (d *JSON) SpanDocument(isSpan func(i int) (yes bool, next int), method func(i int) int) error {
	yes, isEmpty := false, false
	if _, err := d.Resident(func(i int) int {
		var next int
		if yes, next = isSpan(i); next == scan.Short {
			return scan.Short
		}
		isEmpty = !yes && next >= 0 && scan.Space(d.B, i+1) == next-1
		return i // it is still to be read; where it is broken will be found then
	}); err != nil && d.Err() != nil {
		return err
	}
	switch {
	case yes:
		d.HasDocument = true
		return d.NextSpan('{', method)
	case isEmpty:
		_, err := d.Skip()
		return err
	}
	return d.SkipOther()
}

// endOfBroken returns where the span ends that comes next and is no JSON, if that much can be told: a NaN
// or a comma too many leaves its brackets in order.
func (d *JSON) endOfBroken(fault *scan.Fault) int {
	const enough = 64 << 10 // to look for it in
	for d.MayLookAhead() {
		near := d.B[:min(len(d.B), d.I+enough)]
		end := scan.Skip(near, d.I)
		if end >= 0 {
			if i := scan.Space(near, end); i < len(near) {
				if near[end-1] == '}' && (near[i] == ',' || near[i] == ']') {
					return end
				}
				d.LookedInVain(end - d.I)
				return scan.Bad
			}
		}
		isMore, from := false, d.I
		if len(d.B)-from <= enough {
			isMore = d.More(from)
			fault.At -= from - d.I
		}
		if !isMore {
			d.LookedInVain(len(near) - from)
			break
		}
	}
	return scan.Short
}

// MayLookAhead reports whether the input may be looked through for something that is further ahead. If that
// was in vain too often for what was read, it may not: input could be made so that it always is, and reading
// would take time in the square of its length.
func (d *JSON) MayLookAhead() bool {
	const grace, ratio = 64 << 20, 4
	return d.vain <= grace+ratio*d.Offset(d.I)
}

// LookedInVain says that so many bytes were looked through without finding anything.
func (d *JSON) LookedInVain(bytes int) { d.vain += int64(bytes) }

// IsText reports whether b begins as text does: with no control characters but white space and those
// that colour a terminal. Protobuf has tags and lengths there, which are small numbers.
func IsText(b []byte) bool {
	for _, c := range b[:min(len(b), 64)] {
		if c < ' ' && c != '\n' && c != '\t' && c != '\r' && c != 0x1b || c == 0x7f {
			return false
		}
	}
	return true
}
