// Package input holds what the readers of every trace format share: the limits that keep a hostile or
// broken input from exhausting the machine, and the errors that end a read.
//
// A reader returns an error only when an input cannot be read at all, or not to its end: when reading
// the bytes fails, when a limit is passed, or when nothing in it is a trace. Everything else, one bad
// span or one broken line, is counted as a problem of the Set ([tracewhy.Set.Problems]) and costs
// nothing but itself.
//
//	err := ingest.Files(ctx, &b, "incident", ingest.Config{Limits: input.Limits{Spans: 1e6}}, path)
//	var limit *input.LimitError
//	if errors.As(err, &limit) {
//		// The first million spans are in b.
//	}
package input

import (
	"cmp"
	"errors"
	"fmt"
	"math"

	"github.com/tracewhy/tracewhy"
)

// Config says how to read one input. The zero Config is right for most.
type Config struct {
	Name   string // what messages call the input, a file name for example; "" for "input"
	Source string // the SpanData.Source of its spans
	Limits Limits
}

// Limits bound what one input may cost. A zero field stands for the default given beside it; a negative
// one for no limit, where the comment does not say otherwise.
//
// They are far above what trace data needs. What they hold off is input made to be expensive.
type Limits struct {
	// DecodedBytes is how long an input may be once it is decompressed. Default: 64 GiB.
	DecodedBytes int64

	// Ratio is how many times longer than its compressed form an input may become, looked at once
	// 64 MiB are decompressed. Default: 200. OTLP JSON compresses by 8 to 40.
	Ratio int64

	// Depth is how deep arrays and maps may nest in an attribute's value. What lies deeper becomes an
	// empty value and is counted. Default, and at most: [tracewhy.MaxValueDepth].
	Depth int

	// Spans is how many spans an input may have. Default: 500 million.
	Spans int64

	// Objects is how many attributes, events and links the spans of an input may have, all together.
	// Default: 8 billion.
	Objects int64

	// Density is how many bytes an attribute, event or link must take on average, looked at once there
	// are a million: empty ones cost two bytes to send and many more to keep. Default: 8. The smallest
	// that says something takes 9.
	Density int64

	// PerSpan is how many attributes, how many events, and how many links one span may have. The
	// attributes include those of its events and links, and the elements of arrays and maps. The first
	// are kept, and spans with more are counted. Default: 65,536.
	PerSpan int

	// SpanBytes is how long one encoded span, resource or scope may be. A longer one is left out, and
	// counted. Default: 64 MiB.
	SpanBytes int

	// ValueBytes is how long a string or bytes value may be. A longer one is cut, and counted.
	// Default: 1 MiB.
	ValueBytes int
}

// Settled returns l with its defaults filled in.
func (l Limits) Settled() Limits {
	const unlimited = 1 << 62
	settle := func(v *int64, standard int64) {
		if *v = cmp.Or(*v, standard); *v < 0 {
			*v = unlimited
		}
	}
	settleInt := func(v *int, standard int) {
		if *v = cmp.Or(*v, standard); *v < 0 {
			*v = math.MaxInt
		}
	}
	settle(&l.DecodedBytes, 64<<30)
	settle(&l.Ratio, 200)
	settle(&l.Spans, 500e6)
	settle(&l.Objects, 8e9)
	if l.Density = cmp.Or(l.Density, 8); l.Density < 0 {
		l.Density = 0
	}
	settleInt(&l.Depth, tracewhy.MaxValueDepth)
	l.Depth = min(l.Depth, tracewhy.MaxValueDepth)
	settleInt(&l.PerSpan, 1<<16)
	settleInt(&l.SpanBytes, 64<<20)
	settleInt(&l.ValueBytes, 1<<20)
	return l
}

// A Position says where in an input something is. Line is 0 in binary formats.
type Position struct {
	Name   string // the input's
	Line   int    // from 1
	Offset int64  // in bytes of the decompressed input, from 0
}

// String returns the position as "name:line: byte offset", or "name: byte offset" without a line.
func (p Position) String() string {
	name := cmp.Or(p.Name, "input")
	if p.Line > 0 {
		return fmt.Sprintf("%s:%d: byte %d", name, p.Line, p.Offset)
	}
	return fmt.Sprintf("%s: byte %d", name, p.Offset)
}

// ErrNotTraces is wrapped by the error for an input that holds something, but no trace data.
var ErrNotTraces = errors.New("not trace data")

// A SyntaxError ends a read that came upon broken data before it came upon any span.
type SyntaxError struct {
	Position Position
	Message  string
}

func (e *SyntaxError) Error() string { return e.Position.String() + ": " + e.Message }

// A LimitError ends a read that passed one of its [Limits]. What was read before it was added.
type LimitError struct {
	Position Position
	Limit    string // the field of Limits that was passed
	Value    int64  // what it allows
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("%s: limit passed: %s is %d", e.Position, e.Limit, e.Value)
}
