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

// maxZstdWindow is the largest window of zstd that is read: that of level 20. A decoder sets this much
// memory aside when the header asks for it, however short the input is. The levels above, which need
// --ultra, and --long may ask for more.
const maxZstdWindow = 32 << 20

// plain is input that is not compressed, or not any more.
type plain struct {
	io.Reader
	close    func()    // when no more is read
	inflated *inflated // or nil
}

// decompress returns what raw holds, decompressed if it is compressed, and holds its size against the
// limits. What stops in the middle ends with io.ErrUnexpectedEOF.
func decompress(raw *counter, b *tracewhy.Builder, in input.Config) (plain, error) {
	head, r := peek(raw, 16)
	z := &inflated{raw: raw, in: in}
	switch {
	case bytes.HasPrefix(head, gzipMagic):
		gz, err := gzip.NewReader(r)
		if err != nil {
			return plain{}, fmt.Errorf("%s: decompression: %w", input.Position{Name: in.Name}, err)
		}
		z.r = gz
		a := newAhead(z)
		return plain{a, a.Close, z}, nil
	case len(head) > 4 && bytes.HasPrefix(head[4:], zstdMagic):
		r = &unframed{r: r}
		fallthrough
	case bytes.HasPrefix(head, zstdMagic):
		zr, err := zstd.NewReader(r, zstd.WithDecoderMaxWindow(maxZstdWindow), zstd.WithDecoderLowmem(true))
		if err != nil {
			return plain{}, err
		}
		z.r = zr // which decompresses in goroutines of its own
		return plain{z, zr.Close, z}, nil
	}
	if bytes.HasPrefix(head, []byte{0xff, 0xfe}) || bytes.HasPrefix(head, []byte{0xfe, 0xff}) {
		b.Note(tracewhy.ProblemNotTraces, input.Position{Name: in.Name}.String(), tracewhy.TraceID{})
		return plain{}, fmt.Errorf("%s: text in UTF-16, and only UTF-8 is read: %w", cmp.Or(in.Name, "input"), input.ErrNotTraces)
	}
	for _, c := range otherCompressions {
		if bytes.HasPrefix(head, c.magic) {
			b.Note(tracewhy.ProblemUnknownCompression, input.Position{Name: in.Name}.String(), tracewhy.TraceID{})
			return plain{}, fmt.Errorf("%s: compressed with %s, which is not read: %w", cmp.Or(in.Name, "input"), c.name, input.ErrNotTraces)
		}
	}
	return plain{r, func() {}, nil}, nil
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
	n, err := u.r.Read(p[:min(uint64(len(p)), uint64(u.left))])
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
	r   io.Reader
	raw *counter
	in  input.Config
	n   int64 // bytes that came out

	hasTrailer bool // what follows the last member is no gzip
}

func (z *inflated) Read(p []byte) (int, error) {
	n, err := z.r.Read(p)
	z.n += int64(n)
	place := input.Position{Name: z.in.Name, Offset: z.n}
	switch {
	case z.n > ratioGrace && z.n/z.in.Limits.Ratio > z.raw.n.Load():
		return n, &input.LimitError{Position: place, Limit: "Ratio", Value: z.in.Limits.Ratio}
	case z.n > 0 && errors.Is(err, gzip.ErrHeader):
		z.hasTrailer = true
		return n, io.EOF
	case err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
		return n, fmt.Errorf("%s: decompression: %w", place, err)
	}
	return n, err
}
