package ingest

import (
	"bytes"
	"cmp"
	"encoding/binary"
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

// decompress returns what raw holds, decompressed if it is compressed, and holds its size against the
// limits. What stops in the middle ends with io.ErrUnexpectedEOF.
func decompress(raw *counter, b *tracewhy.Builder, in input.Config) (io.ReadCloser, error) {
	head, r, err := peek(raw, 16)
	if err != nil {
		return nil, err
	}
	z := &inflated{raw: raw, in: in}
	switch {
	case bytes.HasPrefix(head, gzipMagic):
		gz, err := gzip.NewReader(r)
		if err != nil {
			return nil, fmt.Errorf("%s: decompression: %w", input.Position{Name: in.Name}, err)
		}
		z.r, z.close = gz, gz.Close
		return z, nil
	case len(head) > 4 && bytes.HasPrefix(head[4:], zstdMagic):
		r = &unframed{r: r}
		fallthrough
	case bytes.HasPrefix(head, zstdMagic):
		zr, err := zstd.NewReader(r, zstd.WithDecoderMaxWindow(maxZstdWindow), zstd.WithDecoderLowmem(true))
		if err != nil {
			return nil, err
		}
		z.r, z.close = zr, func() error { zr.Close(); return nil }
		return z, nil
	}
	for _, c := range otherCompressions {
		if bytes.HasPrefix(head, c.magic) {
			b.Note(tracewhy.ProblemUnknownCompression, input.Position{Name: in.Name}.String(), tracewhy.TraceID{})
			return nil, fmt.Errorf("%s: compressed with %s, which is not read: %w", cmp.Or(in.Name, "input"), c.name, input.ErrNotTraces)
		}
	}
	return io.NopCloser(r), nil
}

// otherCompressions are those that users may have and that are told apart for the message.
var otherCompressions = []struct {
	name  string
	magic []byte
}{
	{"bzip2", []byte("BZh")},
	{"xz", []byte("\xfd7zXZ\x00")},
	{"lz4", []byte("\x04\x22\x4d\x18")},
	{"snappy", []byte("\xff\x06\x00\x00sNaPpY")},
	{"zip", []byte("PK\x03\x04")},
}

// unframed reads chunks that follow their lengths of 4 big-endian bytes, without the lengths: as the
// Collector's file exporter writes what it compresses. Frames of zstd that follow each other are a
// stream of zstd.
type unframed struct {
	r    io.Reader
	left uint32 // of the chunk
}

func (u *unframed) Read(p []byte) (int, error) {
	for u.left == 0 {
		var length [4]byte
		if _, err := io.ReadFull(u.r, length[:]); err != nil {
			return 0, err
		}
		u.left = binary.BigEndian.Uint32(length[:])
	}
	n, err := u.r.Read(p[:min(len(p), int(u.left))])
	u.left -= uint32(n)
	if errors.Is(err, io.EOF) && u.left > 0 {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// ratioGrace is how much may be decompressed before the ratio is looked at.
const ratioGrace = 64 << 20

// inflated watches over a decompressor.
type inflated struct {
	r     io.Reader
	close func() error
	raw   *counter
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
	case err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
		return n, fmt.Errorf("%s: decompression: %w", place, err)
	}
	return n, err
}
