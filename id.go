package tracewhy

import (
	"bytes"
	"encoding/hex"
	"fmt"
)

// TraceID identifies a trace: 16 bytes, as in W3C Trace Context.
// The zero TraceID is invalid and never part of a Set.
type TraceID [16]byte

// IsZero reports whether the id is all zeros, which W3C Trace Context calls invalid.
func (id TraceID) IsZero() bool { return id == TraceID{} }

// String returns the id as 32 lower-case hexadecimal digits.
func (id TraceID) String() string { return hex.EncodeToString(id[:]) }

// MarshalText writes the id as String does.
func (id TraceID) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, id[:]), nil }

// UnmarshalText reads what [ParseTraceID] reads.
func (id *TraceID) UnmarshalText(text []byte) error { return parseID(id[:], string(text), "trace") }

func compareIDs(x, y TraceID) int { return bytes.Compare(x[:], y[:]) }

// ParseTraceID reads 32 hexadecimal digits of either case.
func ParseTraceID(s string) (TraceID, error) {
	var id TraceID
	return id, parseID(id[:], s, "trace")
}

// SpanID identifies a span within its trace: 8 bytes, as in W3C Trace Context.
// The zero SpanID is invalid; as a parent id it says that the span has no parent.
type SpanID [8]byte

// IsZero reports whether the id is all zeros.
func (id SpanID) IsZero() bool { return id == SpanID{} }

// String returns the id as 16 lower-case hexadecimal digits.
func (id SpanID) String() string { return hex.EncodeToString(id[:]) }

// MarshalText writes the id as String does.
func (id SpanID) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, id[:]), nil }

// UnmarshalText reads what [ParseSpanID] reads.
func (id *SpanID) UnmarshalText(text []byte) error { return parseID(id[:], string(text), "span") }

// ParseSpanID reads 16 hexadecimal digits of either case.
func ParseSpanID(s string) (SpanID, error) {
	var id SpanID
	return id, parseID(id[:], s, "span")
}

func parseID(dst []byte, s, what string) error {
	if len(s) != 2*len(dst) {
		return fmt.Errorf("tracewhy: %s id has %d characters, want %d", what, len(s), 2*len(dst))
	}
	if _, err := hex.Decode(dst, []byte(s)); err != nil {
		return fmt.Errorf("tracewhy: %s id: %w", what, err)
	}
	return nil
}

// Kind is a span's kind, with OpenTelemetry's numbering.
type Kind uint8

// The kinds of OpenTelemetry.
const (
	KindUnspecified Kind = iota
	KindInternal
	KindServer
	KindClient
	KindProducer
	KindConsumer
)

var kindNames = [...]string{"unspecified", "internal", "server", "client", "producer", "consumer"}

// String returns the kind's lower-case name, such as "server".
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return fmt.Sprintf("kind(%d)", uint8(k))
}

// StatusCode is a span's status, with OpenTelemetry's numbering.
type StatusCode uint8

// The status codes of OpenTelemetry.
const (
	StatusUnset StatusCode = iota
	StatusOK
	StatusError
)

var statusNames = [...]string{"unset", "ok", "error"}

// String returns the status's lower-case name, such as "error".
func (c StatusCode) String() string {
	if int(c) < len(statusNames) {
		return statusNames[c]
	}
	return fmt.Sprintf("status(%d)", uint8(c))
}
