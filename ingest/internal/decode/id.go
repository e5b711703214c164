package decode

import (
	"encoding/base64"
	"encoding/binary"
	"strings"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/ingest/internal/scan"
)

// IDState says what was found in the place of an id.
type IDState uint8

// The states of an id.
const (
	IDMissing IDState = iota
	IDValid
	IDZero
	IDInvalid
)

// ID decodes a trace or span id into dst. It should be in hexadecimal of either case; some write it in
// base64, which fits by its length, and some leave digits out on the left.
func (d *JSON) ID(i int, dst []byte) (IDState, int) {
	clear(dst)
	if end := i + 1 + 2*len(dst); end < len(d.B) && d.B[i] == '"' && d.B[end] == '"' && DecodeHex(dst, d.B[i+1:end]) {
		return stateOf(dst), end + 1
	}
	s, kind, next := d.Token(i)
	if next < 0 {
		return IDInvalid, next
	}
	clear(dst)
	switch {
	case kind == NullToken, kind == TextToken && len(s) == 0:
		return IDMissing, next
	case kind == CompositeToken:
		d.Refuse(tracewhy.ProblemShape, i)
		return IDInvalid, next
	case kind != TextToken:
		return IDInvalid, next
	}
	if len(s) <= 2*len(dst) && DecodeHex(dst, s) {
		if len(s) < 2*len(dst) {
			d.Note(tracewhy.ProblemIDShort, i)
		}
	} else if b, ok := DecodeBase64(s); ok && len(b) == len(dst) {
		copy(dst, b)
		d.Note(tracewhy.ProblemIDBase64, i)
	} else {
		return IDInvalid, next
	}
	return stateOf(dst), next
}

// CheckIDs refuses a span that cannot be told from others.
func (d *JSON) CheckIDs(traceID, spanID IDState, at int) {
	for _, state := range [...]IDState{traceID, spanID} {
		switch state {
		case IDMissing:
			d.Refuse(tracewhy.ProblemIDMissing, at)
		case IDZero:
			d.Refuse(tracewhy.ProblemIDZero, at)
		case IDInvalid:
			d.Refuse(tracewhy.ProblemIDInvalid, at)
		}
	}
}

func stateOf(id []byte) IDState {
	for _, c := range id {
		if c != 0 {
			return IDValid
		}
	}
	return IDZero
}

// DecodeHex fills dst from the right with hexadecimal digits. It is false if s has any other byte.
func DecodeHex(dst, s []byte) bool {
	if len(s)%8 == 0 {
		dst = dst[len(dst)-len(s)/2:]
		for ; len(s) > 0; s, dst = s[8:], dst[4:] {
			n, ok := eightDigits(binary.LittleEndian.Uint64(s))
			if !ok {
				return false
			}
			binary.LittleEndian.PutUint32(dst, n)
		}
		return true
	}
	at := 2*len(dst) - len(s)
	for _, c := range s {
		digit := scan.HexDigits[c]
		if digit > 15 {
			return false
		}
		dst[at/2] = dst[at/2]<<4 | digit
		at++
	}
	return true
}

// eightDigits decodes the hexadecimal digits whose characters are the bytes of w, the first one lowest.
// They are decoded all at once, and encoded again to see if they were digits.
func eightDigits(w uint64) (n uint32, ok bool) {
	const each = 0x0101010101010101
	letter := w >> 6 & each            // 1 in letters, not in digits
	v := w&(each*0x0f) + letter*9      // 'a' ends in 1
	isOver := (v + each*6) >> 4 & each // 1 where v > 9
	again := v + each*'0' + isOver*('a'-'0'-10)
	ok = w|letter<<5 == again && v&(each*0xf0) == 0
	v = (v<<4 | v>>8) & 0x00ff00ff00ff00ff
	v = (v | v>>8) & 0x0000ffff0000ffff
	return uint32(v | v>>16), ok
}

// DecodeBase64 reads base64 of either alphabet, with or without padding.
func DecodeBase64(s []byte) ([]byte, bool) {
	text := strings.TrimRight(View(s), "=")
	encoding := base64.RawStdEncoding
	if strings.ContainsAny(text, "-_") {
		encoding = base64.RawURLEncoding
	}
	b, err := encoding.DecodeString(text)
	return b, err == nil
}
