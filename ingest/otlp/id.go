package otlp

import (
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
	for _, c := range dst {
		if c != 0 {
			return idValid, next
		}
	}
	return idZero, next
}

// decodeHex fills dst from the right with hexadecimal digits. It is false if s has any other byte.
func decodeHex(dst, s []byte) bool {
	at := 2*len(dst) - len(s) // of the digit in a full id
	bad := byte(0)
	for _, c := range s {
		digit := scan.HexDigit(c)
		bad |= digit & 0xF0
		dst[at/2] = dst[at/2]<<4 | digit&0x0F
		at++
	}
	return bad == 0
}
