package tracewhy

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"hash/maphash"
	"math/bits"
	"math/rand/v2"
	"strings"
	"unicode/utf8"
	"unsafe"

	"github.com/tracewhy/tracewhy/internal/intern"
)

// pair is an attribute in the dictionary. num is a text's number for a string, a blob's for bytes,
// arrays and maps, and the value's bits for every other kind.
type pair struct {
	num  uint64
	key  uint32
	kind ValueKind
}

func (p pair) isText() bool { return p.kind == StringValue }
func (p pair) isBlob() bool { return p.kind >= BytesValue }

// dictionary numbers attribute keys, texts, encoded values, and pairs of a key and a value, in order
// of arrival. Build numbers them anew, in an order that does not depend on it.
type dictionary struct {
	keys  intern.Table
	texts intern.Table // UTF-8; number 0 is the empty text
	blobs intern.Table // bytes, and arrays and maps as encodeValue writes them
	pairs []pair

	slots        []pairSlot // open addressing, a power of two, at most two thirds full
	seed0, seed1 uint64
	seed         maphash.Seed

	lastKeys    []numberedKey // by place in a list of attributes: the key that was there last
	recentKeys  [64]numberedKey
	recentTexts [256]uint32
	scratch     []byte
}

// A pairSlot holds a pair's number plus one (0: free) and the upper bits of its hash.
type pairSlot struct{ num, hash uint32 }

type numberedKey struct {
	text string
	num  uint32
}

const (
	maxPlacedKeys = 64 // bounds lastKeys: few spans have more attributes
	noPlace       = maxPlacedKeys
)

func (d *dictionary) init() {
	d.texts.Intern("")
	// The seeds only keep chosen input from colliding: numbers are given in order of arrival.
	d.seed0, d.seed1, d.seed = rand.Uint64()|1, rand.Uint64()|1, maphash.MakeSeed()
}

// repaired returns s as UTF-8, and whether it had to be changed. A hash keeps different broken texts
// apart.
func repaired(s string) (string, bool) {
	if utf8.ValidString(s) {
		return s, false
	}
	h := fnv.New32a()
	h.Write([]byte(s))
	return fmt.Sprintf("%s~%08x", strings.ToValidUTF8(s, "\uFFFD"), h.Sum32()), true
}

// text numbers a string.
func (b *Builder) text(s string) uint32 {
	if s == "" {
		return 0
	}
	d := &b.dict
	recent := &d.recentTexts[endsHash(s)%uint64(len(d.recentTexts))]
	if *recent != 0 && d.texts.String(*recent) == s {
		return *recent
	}
	num, ok := d.texts.Find(s) // so that it is known to be UTF-8
	if !ok {
		fixed, broken := repaired(s)
		if num, _ = d.texts.Intern(fixed); broken {
			b.note(ProblemInvalidUTF8)
			return num
		}
	}
	*recent = num
	return num
}

// key numbers the key of an attribute at the given place of its list, or at noPlace. Spans of one origin
// have their keys in one order, so the key that was there last is likely the one.
func (b *Builder) key(s string, place int) uint32 {
	d := &b.dict
	if place < len(d.lastKeys) && d.lastKeys[place].text == s {
		return d.lastKeys[place].num
	}
	recent := &d.recentKeys[endsHash(s)%uint64(len(d.recentKeys))]
	num := recent.num
	if recent.text != s || s == "" {
		var ok bool
		if num, ok = d.keys.Find(s); !ok {
			fixed, broken := repaired(s)
			if broken {
				b.note(ProblemInvalidUTF8)
			}
			if num, _ = d.keys.Intern(fixed); broken {
				return num // the repair is to be counted each time
			}
		}
		*recent = numberedKey{d.keys.String(num), num}
	}
	if place < maxPlacedKeys {
		for place >= len(d.lastKeys) {
			d.lastKeys = append(d.lastKeys, numberedKey{})
		}
		d.lastKeys[place] = *recent
	}
	return num
}

// endsHash mixes the length and the ends of a text, for caches where a collision costs little.
func endsHash(s string) uint64 {
	const a, b = 0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F
	var first, last uint64
	n := len(s)
	if n >= 8 {
		bytes := unsafe.Slice(unsafe.StringData(s), n)
		first, last = binary.LittleEndian.Uint64(bytes), binary.LittleEndian.Uint64(bytes[n-8:])
	} else {
		for i := range n {
			first = first<<8 | uint64(s[i])
		}
	}
	h := first*a ^ (last+uint64(n))*b
	return h >> 32
}

// pair numbers a key with its value.
func (b *Builder) pair(key uint32, v Value) uint32 {
	d := &b.dict
	switch v.kind {
	case StringValue:
		s := b.cut(v.str)
		h := d.hash(maphash.String(d.seed, s), key, StringValue)
		if num, ok := d.findPair(h, key, StringValue, s); ok {
			return num
		}
		s, broken := repaired(s)
		if broken {
			b.note(ProblemInvalidUTF8)
			h = d.hash(maphash.String(d.seed, s), key, StringValue)
			if num, ok := d.findPair(h, key, StringValue, s); ok {
				return num
			}
		}
		num, _ := d.texts.Intern(s)
		return d.addPair(h, pair{uint64(num), key, StringValue})
	case BytesValue, ArrayValue, MapValue:
		d.scratch = b.encodeValue(d.scratch[:0], v, MaxValueDepth)
		s := unsafe.String(unsafe.SliceData(d.scratch), len(d.scratch))
		h := d.hash(maphash.String(d.seed, s), key, v.kind)
		if num, ok := d.findPair(h, key, v.kind, s); ok {
			return num
		}
		num, _ := d.blobs.Intern(s)
		return d.addPair(h, pair{uint64(num), key, v.kind})
	}
	p := pair{v.num, key, v.kind}
	h := d.hash(p.num, p.key, p.kind)
	if len(d.slots) > 0 {
		mask := uint64(len(d.slots) - 1)
		for i := h & mask; d.slots[i].num != 0; i = (i + 1) & mask {
			if n := d.slots[i].num - 1; d.pairs[n] == p {
				return n
			}
		}
	}
	return d.addPair(h, p)
}

func (d *dictionary) hash(x uint64, key uint32, kind ValueKind) uint64 {
	hi, lo := bits.Mul64(x^d.seed0, (uint64(key)<<8|uint64(kind))^d.seed1)
	return hi ^ lo
}

// findPair looks for the pair of a key and a string or encoded value.
func (d *dictionary) findPair(h uint64, key uint32, kind ValueKind, s string) (uint32, bool) {
	if len(d.slots) == 0 {
		return 0, false
	}
	mask := uint64(len(d.slots) - 1)
	for i := h & mask; ; i = (i + 1) & mask {
		sl := d.slots[i]
		if sl.num == 0 {
			return 0, false
		}
		if sl.hash != uint32(h>>32) {
			continue
		}
		if p := &d.pairs[sl.num-1]; p.key == key && p.kind == kind && d.payload(*p) == s {
			return sl.num - 1, true
		}
	}
}

// payload returns the string that a pair of a string or encoded value stands for.
func (d *dictionary) payload(p pair) string {
	if p.isText() {
		return d.texts.String(uint32(p.num))
	}
	return d.blobs.String(uint32(p.num))
}

// addPair numbers a pair that is new.
func (d *dictionary) addPair(h uint64, p pair) uint32 {
	if 3*len(d.pairs) >= 2*len(d.slots) {
		d.growPairs()
	}
	d.pairs = append(d.pairs, p)
	d.place(h, uint32(len(d.pairs)))
	return uint32(len(d.pairs) - 1)
}

func (d *dictionary) place(h uint64, num uint32) {
	mask := uint64(len(d.slots) - 1)
	i := h & mask
	for d.slots[i].num != 0 {
		i = (i + 1) & mask
	}
	d.slots[i] = pairSlot{num, uint32(h >> 32)}
}

func (d *dictionary) growPairs() {
	d.slots = make([]pairSlot, max(256, 2*len(d.slots)))
	for n, p := range d.pairs {
		x := p.num
		if p.isText() || p.isBlob() {
			x = maphash.String(d.seed, d.payload(p))
		}
		d.place(d.hash(x, p.key, p.kind), uint32(n)+1)
	}
}

// cut shortens a text or bytes to the caller's limit, without splitting a character.
func (b *Builder) cut(s string) string {
	if b.MaxValueLen <= 0 || len(s) <= b.MaxValueLen {
		return s
	}
	b.note(ProblemValueTruncated)
	n := b.MaxValueLen
	for n > 0 && n > b.MaxValueLen-utf8.UTFMax && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// encodeValue appends v as decodeValue reads it: a byte for the kind, then the payload. Texts and keys
// are repaired, and what nests deeper than depth becomes empty.
func (b *Builder) encodeValue(dst []byte, v Value, depth int) []byte {
	if depth <= 0 && (v.kind == ArrayValue || v.kind == MapValue) {
		b.note(ProblemValueDepth)
		return append(dst, byte(EmptyValue))
	}
	dst = append(dst, byte(v.kind))
	switch v.kind {
	case StringValue:
		return b.encodeText(dst, b.cut(v.str))
	case BytesValue:
		return appendCounted(dst, b.cut(v.str))
	case BoolValue, IntValue, FloatValue:
		return binary.LittleEndian.AppendUint64(dst, v.num)
	case ArrayValue, MapValue:
		dst = binary.AppendUvarint(dst, uint64(len(v.elems)))
		for _, e := range v.elems {
			if v.kind == MapValue {
				dst = b.encodeText(dst, e.Key)
			}
			dst = b.encodeValue(dst, e.Value, depth-1)
		}
	}
	return dst
}

func (b *Builder) encodeText(dst []byte, s string) []byte {
	s, broken := repaired(s)
	if broken {
		b.note(ProblemInvalidUTF8)
	}
	return appendCounted(dst, s)
}

func appendCounted(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}
