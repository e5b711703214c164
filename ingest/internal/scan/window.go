// Package scan is what hand-written decoders stand on: a window that slides over a stream, the tokens of
// JSON, and a log of what is wrong with the input and where.
package scan

import (
	"bytes"
	"context"
	"errors"
	"io"

	"github.com/tracewhy/tracewhy/ingest/input"
)

// WindowSize is how much of the stream a Window should hold. It fits the second-level cache.
const WindowSize = 256 << 10

// A Window slides over a stream of bytes. Decoders read B from I on, and call More when they need
// bytes beyond the end of B: it may move what is in B, so no index or slice into B survives it, except
// through what it says it keeps.
type Window struct {
	B []byte // what is at hand of the stream
	I int    // in B, the next byte to decode

	ctx    context.Context
	r      io.Reader
	config input.Config
	size   int
	base   int64 // the offset of B[0] in the stream
	lines  int   // newlines before B[0]
	err    error // why there is no more: io.EOF, or what went wrong
	isCut  bool
	key    []byte
}

// NewWindow returns a window at the start of r, which holds size bytes until it has to hold more. The
// limits of config are taken as settled.
func NewWindow(ctx context.Context, r io.Reader, config input.Config, size int) *Window {
	return &Window{ctx: ctx, r: r, config: config, size: size}
}

// More reads on. It drops what lies before B[keep], so that this byte becomes B[0], and reports whether
// bytes were added; if not, the stream is at its end or broken: see Err.
func (w *Window) More(keep int) bool {
	if w.err != nil {
		return false
	}
	if w.err = w.ctx.Err(); w.err != nil {
		return false
	}
	w.lines += bytes.Count(w.B[:keep], newline)
	w.base += int64(keep)
	n := len(w.B) - keep
	buf := w.B[:cap(w.B)]
	if n > len(buf)/2 || len(buf) == 0 {
		buf = make([]byte, max(w.size, 2*len(buf)))
	}
	copy(buf, w.B[keep:])
	w.I -= keep
	read := w.fill(buf[n:])
	w.B = buf[:n+read]
	if limit := w.config.Limits.DecodedBytes; w.base+int64(len(w.B)) > limit {
		read -= int(w.base + int64(len(w.B)) - limit)
		w.B = buf[:n+read]
		w.err = &input.LimitError{Position: w.Position(len(w.B)), Limit: "DecodedBytes", Value: limit}
	}
	return read > 0
}

// fill reads until p is full, or the stream ends.
func (w *Window) fill(p []byte) (n int) {
	const patience = 100
	for idle := 0; n < len(p) && w.err == nil; {
		var read int
		read, w.err = w.r.Read(p[n:])
		n += read
		if idle++; read > 0 {
			idle = 0
		} else if idle == patience && w.err == nil {
			w.err = io.ErrNoProgress
		}
	}
	if errors.Is(w.err, io.ErrUnexpectedEOF) {
		w.isCut, w.err = true, io.EOF
	}
	return n
}

var newline = []byte{'\n'}

// Err returns why the stream ended, or nil for a regular end.
func (w *Window) Err() error {
	if errors.Is(w.err, io.EOF) {
		return nil
	}
	return w.err
}

// IsCut reports whether the stream said that it ended too soon, as decompressors do.
func (w *Window) IsCut() bool { return w.isCut }

// Offset returns where B[i] is in the stream.
func (w *Window) Offset(i int) int64 { return w.base + int64(i) }

// Position returns the line and offset of B[i].
func (w *Window) Position(i int) input.Position {
	i = min(i, len(w.B))
	return input.Position{Name: w.config.Name, Line: w.lines + bytes.Count(w.B[:i], newline) + 1, Offset: w.Offset(i)}
}
