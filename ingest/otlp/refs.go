package otlp

import (
	"encoding/binary"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/ingest/internal/decode"
)

// refCache remembers what encoded attributes are in the Builder's dictionary. Most attributes of spans
// were seen a moment ago, byte for byte, so that this saves most of decoding. It is small enough for
// the second-level cache: what it forgets is decoded and looked up again.
//
// A salt tells texts apart that are the same bytes in places where they mean something else. It is
// never 0.
type refCache struct {
	short [1 << shortBits]shortRef
	long  [1 << longBits]longRef
}

const (
	shortBits = 12
	longBits  = 9
	maxShort  = 48 // bytes of text, so that an entry is a cache line
	maxLong   = 512
)

type shortRef struct {
	ref  tracewhy.AttrRef
	salt uint32
	n    uint32
	text [maxShort]byte
}

type longRef struct {
	ref  tracewhy.AttrRef
	salt uint32
	text []byte
}

// find returns the reference of an attribute that is known.
func (c *refCache) find(salt uint32, text []byte) (ref tracewhy.AttrRef, ok bool) {
	if len(text) > maxShort {
		e := &c.long[hash(salt, text)>>(64-longBits)]
		return e.ref, e.salt == salt && string(e.text) == string(text)
	}
	e := &c.short[hash(salt, text)>>(64-shortBits)]
	return e.ref, e.salt == salt && int(e.n) == len(text) && string(e.text[:e.n]) == string(text)
}

// keep makes an attribute known.
func (c *refCache) keep(salt uint32, text []byte, ref tracewhy.AttrRef) {
	switch {
	case len(text) <= maxShort:
		e := &c.short[hash(salt, text)>>(64-shortBits)]
		e.ref, e.salt, e.n = ref, salt, uint32(len(text))
		copy(e.text[:], text)
	case len(text) <= maxLong:
		e := &c.long[hash(salt, text)>>(64-longBits)]
		e.ref, e.salt, e.text = ref, salt, append(e.text[:0], text...)
	}
}

// hash mixes the ends of a text, which tell most attributes apart. To make texts collide gains nobody
// more than a reader without the cache.
func hash(salt uint32, text []byte) uint64 {
	var first, last uint64
	if n := len(text); n >= 8 {
		first, last = binary.LittleEndian.Uint64(text), binary.LittleEndian.Uint64(text[n-8:])
	} else {
		for _, c := range text {
			first = first<<8 | uint64(c)
		}
	}
	const a, b, c = 0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9
	h := (first^uint64(salt)<<32)*a ^ (last+uint64(len(text)))*b
	return (h ^ h>>32) * c
}

// remember adds an attribute of the span that was decoded from text. Unless salt is 0 it will be known by
// that the next time, so nothing about it may need to be counted again.
func (c *refCache) remember(s *decode.Spans, salt uint32, text []byte, kv tracewhy.KeyValue) {
	if salt != 0 {
		if ref, ok := s.Log.Builder.Ref(kv); ok {
			c.keep(salt, text, ref)
			s.Refs = append(s.Refs, ref)
			return
		}
	}
	s.Span.Attributes = append(s.Span.Attributes, kv)
	s.Refs = append(s.Refs, tracewhy.AttrRef{})
}
