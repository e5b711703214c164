package scan

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

// The functions on tokens take the bytes at hand and an index, and return the index after the token, or
// one of these.
const (
	Short = -1 // the bytes end within the token
	Bad   = -2 // not JSON
)

// Space returns the index of the first byte from i on that is not white space, or len(b).
func Space(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\t' || b[i] == '\r') {
		i++
	}
	return i
}

const (
	lowBits  = 0x0101010101010101
	highBits = 0x8080808080808080
)

// Each returns eight times c.
func Each(c byte) uint64 { return lowBits * uint64(c) }

// ZeroBytes sets the high bit of each byte of w that is zero. Bytes above a zero one may be set too.
func ZeroBytes(w uint64) uint64 { return (w - lowBits) &^ w & highBits }

// String reads the string whose opening quote is b[i]. It returns what is between the quotes; plain says
// that it has no escapes. Control characters are let through.
func String(b []byte, i int) (s []byte, plain bool, next int) {
	from := i + 1
	i = from
	for i+8 <= len(b) {
		w := binary.LittleEndian.Uint64(b[i:])
		if hit := ZeroBytes(w^Each('"')) | ZeroBytes(w^Each('\\')); hit != 0 {
			i += bits.TrailingZeros64(hit) >> 3
			if b[i] == '"' {
				return b[from:i], true, i + 1
			}
			return escaped(b, from, i)
		}
		i += 8
	}
	for ; i < len(b); i++ {
		switch b[i] {
		case '"':
			return b[from:i], true, i + 1
		case '\\':
			return escaped(b, from, i)
		}
	}
	return nil, false, Short
}

// escaped finishes String where b[i] is the first backslash.
func escaped(b []byte, from, i int) ([]byte, bool, int) {
	for ; i < len(b); i++ {
		switch b[i] {
		case '"':
			return b[from:i], false, i + 1
		case '\\':
			i++
		}
	}
	return nil, false, Short
}

// Unescape appends what s, the inside of a JSON string, stands for. Half a surrogate pair is kept as the
// three bytes that UTF-8 would encode it by, were it allowed, so that different texts stay different.
// It is false if s has an escape that JSON does not know.
func Unescape(dst, s []byte) ([]byte, bool) {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c != '\\' {
			dst = append(dst, c)
			continue
		}
		i++
		if i == len(s) {
			return dst, false
		}
		switch s[i] {
		case '"', '\\', '/':
			dst = append(dst, s[i])
		case 'b':
			dst = append(dst, '\b')
		case 'f':
			dst = append(dst, '\f')
		case 'n':
			dst = append(dst, '\n')
		case 'r':
			dst = append(dst, '\r')
		case 't':
			dst = append(dst, '\t')
		case 'u':
			r, ok := hex4(s[i+1:])
			if !ok {
				return dst, false
			}
			i += 4
			if utf16.IsSurrogate(r) {
				if i+2 < len(s) && s[i+1] == '\\' && s[i+2] == 'u' {
					if low, ok := hex4(s[i+3:]); ok {
						if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
							dst = utf8.AppendRune(dst, pair)
							i += 6
							continue
						}
					}
				}
				dst = append(dst, byte(0xE0|r>>12), byte(0x80|r>>6&0x3F), byte(0x80|r&0x3F))
				continue
			}
			dst = utf8.AppendRune(dst, r)
		default:
			return dst, false
		}
	}
	return dst, true
}

// AppendQuoted appends s, which is UTF-8, as a JSON string.
func AppendQuoted(dst []byte, s string) []byte {
	const hexDigits = "0123456789abcdef"
	dst = append(dst, '"')
	from := 0
	for i := range len(s) {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, s[from:i]...)
		if c < ' ' {
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		} else {
			dst = append(dst, '\\', c)
		}
		from = i + 1
	}
	return append(append(dst, s[from:]...), '"')
}

func hex4(s []byte) (rune, bool) {
	if len(s) < 4 {
		return 0, false
	}
	var r rune
	for _, c := range s[:4] {
		d := HexDigits[c]
		if d > 15 {
			return 0, false
		}
		r = r<<4 | rune(d)
	}
	return r, true
}

// HexDigits has the value of each hexadecimal digit of either case, and 255 for any other byte.
var HexDigits = hexDigits()

func hexDigits() (t [256]byte) {
	for i := range t {
		t[i] = 255
	}
	for i, c := range "0123456789abcdef" {
		t[c] = byte(i)
	}
	for i, c := range "ABCDEF" {
		t[c] = byte(10 + i)
	}
	return t
}

// Scalar reads a number, true, false, null, or what somebody took for one of them: letters, digits,
// '+', '-' and '.'.
func Scalar(b []byte, i int) (s []byte, next int) {
	from := i
	for ; i < len(b); i++ {
		switch c := b[i]; {
		case '0' <= c && c <= '9', 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', c == '-', c == '+', c == '.', c == '_':
		case i == from:
			return nil, Bad
		default:
			return b[from:i], i
		}
	}
	return nil, Short
}

// A Skipper passes over one JSON value, which may lie in several windows. The zero Skipper is ready to
// use. It counts brackets and does not look further: what is skipped need only be JSON as far as its
// end can be found. It needs no stack, so nesting costs nothing.
type Skipper struct {
	depth  int
	inside place
}

type place uint8

const (
	beforeValue place = iota
	betweenTokens
	inString
	inEscape
	inScalar
)

// Run goes on from b[i]. It returns the index after the value, or Bad, or, where b ends first, Short;
// b is then used up.
func (s *Skipper) Run(b []byte, i int) int {
	for i < len(b) {
		switch s.inside {
		case beforeValue:
			if i = Space(b, i); i == len(b) {
				return Short
			}
			switch b[i] {
			case '"':
				s.inside = inString
				i++
			case '{', '[':
				s.inside = betweenTokens
				s.depth = 1
				i++
			default:
				if _, next := Scalar(b, i); next != Short {
					return next
				}
				s.inside = inScalar
				return Short
			}
		case inScalar:
			_, next := Scalar(b, i)
			if next == Bad { // b[i] is no part of the scalar, which ended with the last window
				return i
			}
			return next
		case inEscape:
			s.inside = inString
			i++
		case inString:
			next := s.skipString(b, i)
			if next == Short {
				return Short
			}
			i = next
			if s.depth == 0 {
				return i
			}
			s.inside = betweenTokens
		case betweenTokens:
			for ; i < len(b); i++ {
				c := b[i]
				if c == '"' {
					s.inside = inString
					i++
					break
				}
				if c == '{' || c == '[' {
					s.depth++
				} else if c == '}' || c == ']' {
					s.depth--
					if s.depth == 0 {
						return i + 1
					}
				}
			}
		}
	}
	return Short
}

func (s *Skipper) skipString(b []byte, i int) int {
	for i+8 <= len(b) {
		w := binary.LittleEndian.Uint64(b[i:])
		if hit := ZeroBytes(w^Each('"')) | ZeroBytes(w^Each('\\')); hit != 0 {
			i += bits.TrailingZeros64(hit) >> 3
			if b[i] == '"' {
				return i + 1
			}
			i += 2
			continue
		}
		i += 8
	}
	for ; i < len(b); i++ {
		switch b[i] {
		case '"':
			return i + 1
		case '\\':
			i++
		}
	}
	if i > len(b) {
		s.inside = inEscape
	}
	return Short
}

// Skip passes over a value that lies in b whole.
func Skip(b []byte, i int) int {
	var s Skipper
	return s.Run(b, i)
}
