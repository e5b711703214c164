package ingest

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/ingest/input"
)

var (
	gzipMagic = []byte{0x1f, 0x8b}
	zstdMagic = []byte{0x28, 0xb5, 0x2f, 0xfd}
)

// maxZstdWindow is the largest window that zstd's levels use, --long included.
const maxZstdWindow = 128 << 20

// decompress returns what raw holds, decompressed if it is compressed. It counts input that stops in
// the middle, and holds its size against the limits.
func decompress(raw *counter, b *tracewhy.Builder, in input.Config) (io.ReadCloser, error) {
	head, r, err := peek(raw, 16)
	if err != nil {
		return nil, err
	}
	switch {
	case bytes.HasPrefix(head, gzipMagic):
		z, err := gzip.NewReader(r)
		if err != nil {
			return nil, err
		}
		return &inflated{r: z, close: z.Close, raw: raw, b: b, in: in}, nil
	case bytes.HasPrefix(head, zstdMagic):
		z, err := zstd.NewReader(r, zstd.WithDecoderMaxWindow(maxZstdWindow))
		if err != nil {
			return nil, err
		}
		return &inflated{r: z, close: func() error { z.Close(); return nil }, raw: raw, b: b, in: in}, nil
	}
	return io.NopCloser(r), nil
}

// ratioGrace is how much may be decompressed before the ratio is looked at.
const ratioGrace = 64 << 20

// inflated watches over a decompressor.
type inflated struct {
	r     io.Reader
	close func() error
	raw   *counter
	b     *tracewhy.Builder
	in    input.Config
	n     int64
}

func (z *inflated) Close() error { return z.close() }

func (z *inflated) Read(p []byte) (int, error) {
	n, err := z.r.Read(p)
	z.n += int64(n)
	place := input.Position{Name: z.in.Name, Offset: z.n}
	switch {
	case z.n > ratioGrace && z.n/z.in.Limits.Ratio > z.raw.n:
		return n, &input.LimitError{Position: place, Limit: "Ratio", Value: z.in.Limits.Ratio}
	case errors.Is(err, io.ErrUnexpectedEOF):
		z.b.Note(tracewhy.ProblemTruncatedInput, place.String(), tracewhy.TraceID{})
		return n, io.EOF
	case err != nil && !errors.Is(err, io.EOF):
		return n, fmt.Errorf("%s: decompression: %w", place, err)
	}
	return n, err
}
