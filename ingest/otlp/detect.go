package otlp

import (
	"bytes"
	"encoding/binary"

	"github.com/tracewhy/tracewhy/ingest/internal/decode"
	"github.com/tracewhy/tracewhy/ingest/internal/scan"
)

// An encoding is a way to write OTLP.
type encoding uint8

const (
	unknown encoding = iota
	jsonText
	protoMessage // one message, or several without anything between them
	protoVarint  // messages after their length as a varint, as protobuf libraries write it
	protoFixed   // messages after their length as 4 big-endian bytes, as the Collector's file exporter does it
)

// detect tells by the beginning of an input how it is written. Text that is no JSON counts as JSON, since
// a document may follow it.
func detect(head []byte) encoding {
	switch {
	case decode.IsText(head) && isJSON(head):
		return jsonText
	case len(head) > 0 && uint64(head[0]) == tag(1, bytesType) && isMessage(head, tracesData):
		return protoMessage
	case isFramed(head, varintLength):
		return protoVarint
	case isFramed(head, fixedLength):
		return protoFixed
	case decode.IsText(head):
		return jsonText
	}
	return unknown
}

// isJSON reports whether b begins an object or array, or has nothing but white space.
func isJSON(b []byte) bool {
	b = bytes.TrimPrefix(b, decode.ByteOrderMark)
	i := scan.Space(b, 0)
	if i == len(b) {
		return true
	}
	if b[i] != '{' && b[i] != '[' {
		return false
	}
	i = scan.Space(b, i+1)
	return i == len(b) || bytes.IndexByte([]byte(`"{}[]n`), b[i]) >= 0
}

func varintLength(b []byte) (uint64, int) { return uvarint(b, 0) }

func fixedLength(b []byte) (uint64, int) {
	if len(b) < 4 {
		return 0, malformed
	}
	return uint64(binary.BigEndian.Uint32(b)), 4
}

// isFramed reports whether b begins with messages that follow their lengths, one at least.
func isFramed(b []byte, length func([]byte) (uint64, int)) bool {
	for range few {
		n, i := length(b)
		if i < 0 {
			return false
		}
		b = b[i:]
		if n > 0 {
			end := min(n, uint64(len(b)))
			if end == 0 || uint64(b[0]) != tag(1, bytesType) || !isMessage(b[:end], tracesData) {
				return false
			}
			b = b[end:]
		}
		if len(b) == 0 {
			return true
		}
	}
	return true
}

// few is how many messages, and fields of each, are looked at to tell what an input is. It should not
// take one that is broken further on for something else.
const few = 4

// A layout says what the fields of a message are, as far as it takes to tell OTLP from other bytes.
type layout struct {
	types  string // the wire types by field number, from 1 on
	fields map[uint64]*layout
}

var tracesData = &layout{types: "2", fields: map[uint64]*layout{
	1: {types: "222", fields: map[uint64]*layout{
		1: {types: "202"},
		2: {types: "222", fields: map[uint64]*layout{1: {types: "2220"}}},
	}},
}}

// isMessage reports whether b, which may stop short, can be a message of the given layout.
func isMessage(b []byte, l *layout) bool {
	i := 0
	for n := 0; n < few && i < len(b); n++ {
		t, next := uvarint(b, i)
		if next < 0 {
			return len(b)-i < binary.MaxVarintLen64
		}
		field := t >> 3
		if field > 0 && field <= uint64(len(l.types)) && uint64(l.types[field-1]-'0') != t&7 {
			return false
		}
		if t&7 != bytesType {
			if i = skipField(b, next, t); i < 0 {
				return field > 0 && t&7 <= fixed32Type && len(b)-next < binary.MaxVarintLen64
			}
			continue
		}
		size, next := uvarint(b, next)
		if field == 0 || next < 0 {
			return field > 0 && len(b)-i < 2*binary.MaxVarintLen64
		}
		end := next + int(min(size, uint64(len(b)-next)))
		if inner := l.fields[field]; inner != nil && !isMessage(b[next:end], inner) {
			return false
		}
		i = end
	}
	return true
}
