package otlp

import (
	"encoding/binary"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/ingest/internal/scan"
)

type idState uint8

const (
	idMissing idState = iota
	idValid
	idZero
	idInvalid
)

// id decodes a trace or span id into dst. It should be in hexadecimal of either case; some write it in
// base64, which fits by its length, and some leave digits out on the left.
func (d *jsonReader) id(i int, dst []byte) (idState, int) {
	clear(dst)
	if end := i + 1 + 2*len(dst); end < len(d.B) && d.B[i] == '"' && d.B[end] == '"' && decodeHex(dst, d.B[i+1:end]) {
		return stateOf(dst), end + 1
	}
	s, kind, next := d.token(i)
	if next < 0 {
		return idInvalid, next
	}
	clear(dst)
	switch {
	case kind == nullToken, kind == stringToken && len(s) == 0:
		return idMissing, next
	case kind == compositeToken:
		d.refuse(tracewhy.ProblemShape, i)
		return idInvalid, next
	case kind != stringToken:
		return idInvalid, next
	}
	if len(s) <= 2*len(dst) && decodeHex(dst, s) {
		if len(s) < 2*len(dst) {
			d.note(tracewhy.ProblemIDShort, i)
		}
	} else if b, ok := decodeBase64(s); ok && len(b) == len(dst) {
		copy(dst, b)
		d.note(tracewhy.ProblemIDBase64, i)
	} else {
		return idInvalid, next
	}
	return stateOf(dst), next
}

func stateOf(id []byte) idState {
	for _, c := range id {
		if c != 0 {
			return idValid
		}
	}
	return idZero
}

// decodeHex fills dst from the right with hexadecimal digits. It is false if s has any other byte.
func decodeHex(dst, s []byte) bool {
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
