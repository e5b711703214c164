package otlp

import "encoding/binary"

// The wire types of protobuf.
const (
	varintType  = 0
	fixed64Type = 1
	bytesType   = 2
	startGroup  = 3
	endGroup    = 4
	fixed32Type = 5
)

// tag makes the tag of a field.
func tag(field, wireType uint64) uint64 { return field<<3 | wireType }

// The functions on the wire format take the message and an index, and return the index after what they
// read, or malformed.
const malformed = -1

// uvarint reads an unsigned integer of up to 64 bits. The short ones are nearly all.
func uvarint(b []byte, i int) (v uint64, next int) {
	if uint(i) < uint(len(b)) && b[i] < 0x80 {
		return uint64(b[i]), i + 1
	}
	return longUvarint(b, i)
}

//go:noinline
func longUvarint(b []byte, i int) (uint64, int) {
	if uint(i) > uint(len(b)) {
		return 0, malformed
	}
	v, n := binary.Uvarint(b[i:])
	if n <= 0 {
		return 0, malformed
	}
	return v, i + n
}

// lengthed reads the bytes of a field of bytesType.
func lengthed(b []byte, i int) (s []byte, next int) {
	if uint(i) < uint(len(b)) {
		if from, to := i+1, i+1+int(b[i]); b[i] < 0x80 && to <= len(b) {
			return b[from:to], to
		}
	}
	return longLengthed(b, i)
}

//go:noinline
func longLengthed(b []byte, i int) ([]byte, int) {
	n, i := longUvarint(b, i)
	if i < 0 || n > uint64(len(b)-i) {
		return nil, malformed
	}
	return b[i : i+int(n)], i + int(n)
}

// fixed64 reads a field of fixed64Type.
func fixed64(b []byte, i int) (uint64, int) {
	if len(b)-i < 8 {
		return 0, malformed
	}
	return binary.LittleEndian.Uint64(b[i:]), i + 8
}

// fixed32 reads a field of fixed32Type.
func fixed32(b []byte, i int) (uint32, int) {
	if len(b)-i < 4 {
		return 0, malformed
	}
	return binary.LittleEndian.Uint32(b[i:]), i + 4
}

// skipField passes over the field whose tag was read. Groups, which OTLP does not have, may nest as deep
// as they like.
func skipField(b []byte, i int, t uint64) int {
	for depth := 0; ; {
		if t>>3 == 0 {
			return malformed
		}
		switch t & 7 {
		case varintType:
			_, i = uvarint(b, i)
		case fixed64Type:
			_, i = fixed64(b, i)
		case bytesType:
			_, i = lengthed(b, i)
		case startGroup:
			depth++
		case endGroup:
			depth--
		case fixed32Type:
			_, i = fixed32(b, i)
		default:
			return malformed
		}
		if i < 0 || depth < 0 {
			return malformed
		}
		if depth == 0 {
			return i
		}
		if t, i = uvarint(b, i); i < 0 {
			return malformed
		}
	}
}
