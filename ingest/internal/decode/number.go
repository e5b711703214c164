package decode

import (
	"math"
	"math/bits"
)

// IsNumber reports whether s is a number as JSON writes it.
func IsNumber(s []byte) bool {
	i := 0
	digits := func() bool {
		from := i
		for i < len(s) && '0' <= s[i] && s[i] <= '9' {
			i++
		}
		return i > from
	}
	if i < len(s) && s[i] == '-' {
		i++
	}
	if i < len(s) && s[i] == '0' {
		i++
	} else if !digits() {
		return false
	}
	if i < len(s) && s[i] == '.' {
		i++
		if !digits() {
			return false
		}
	}
	if i < len(s) && (s[i] == 'e' || s[i] == 'E') {
		i++
		if i < len(s) && (s[i] == '+' || s[i] == '-') {
			i++
		}
		if !digits() {
			return false
		}
	}
	return i == len(s)
}

// ExactInt reads a decimal number that is an integer, such as 12, 1.0 or 1.5e3, without a detour over
// floating point. It is false for anything else, and for one beyond 64 bits.
func ExactInt(s []byte) (negative bool, n uint64, ok bool) {
	if n, ok := digits(s); ok {
		return false, n, true
	}
	i := 0
	if i < len(s) && s[i] == '-' {
		negative = true
		i++
	}
	if i == len(s) || s[i] < '0' || s[i] > '9' {
		return false, 0, false
	}
	var (
		exponent int  // of the digits read so far
		pending  int  // zeros after them that are not yet in n
		isPoint  bool // the decimal point was passed
	)
	for ; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '0' && n == 0:
			if isPoint {
				exponent--
			}
			continue
		case c == '0':
			pending++
		case '1' <= c && c <= '9':
			for ; pending >= 0; pending-- {
				digit := uint64(0)
				if pending == 0 {
					digit = uint64(c - '0')
				}
				var carry uint64
				hi, lo := bits.Mul64(n, 10)
				n, carry = bits.Add64(lo, digit, 0)
				if hi+carry != 0 {
					return false, 0, false
				}
			}
			pending = 0
		case c == '.' && !isPoint:
			isPoint = true
			continue
		case c == 'e' || c == 'E':
			e, ok := exponentOf(s[i+1:])
			if !ok {
				return false, 0, false
			}
			exponent += e
			i = len(s)
			continue
		default:
			return false, 0, false
		}
		if isPoint {
			exponent--
		}
	}
	exponent += pending
	if n == 0 {
		return negative, 0, true
	}
	if exponent < 0 || exponent > 19 {
		return false, 0, false
	}
	for ; exponent > 0; exponent-- {
		hi, lo := bits.Mul64(n, 10)
		if hi != 0 {
			return false, 0, false
		}
		n = lo
	}
	return negative, n, true
}

// maxDigits is how many digits always fit 64 bits.
const maxDigits = 19

// digits reads an integer of digits only that cannot be too large, as nearly all are.
func digits(s []byte) (n uint64, ok bool) {
	if len(s) == 0 || len(s) > maxDigits {
		return 0, false
	}
	for _, c := range s {
		d := uint64(c - '0')
		if d > 9 {
			return 0, false
		}
		n = n*10 + d
	}
	return n, true
}

// exponentOf reads the exponent of a number. Large ones come out as a thousand: too large for any use.
func exponentOf(s []byte) (int, bool) {
	negative := false
	if len(s) > 0 && (s[0] == '+' || s[0] == '-') {
		negative = s[0] == '-'
		s = s[1:]
	}
	e := 0
	for _, c := range s {
		if c < '0' || c > '9' {
			return 0, false
		}
		e = min(e*10+int(c-'0'), 1<<30)
	}
	if negative {
		e = -e
	}
	return e, len(s) > 0
}

// ExactInt64 is ExactInt for signed integers.
func ExactInt64(s []byte) (int64, bool) {
	negative, n, ok := ExactInt(s)
	switch {
	case !ok:
		return 0, false
	case negative && n <= 1<<63:
		return -int64(n), true
	case !negative && n <= math.MaxInt64:
		return int64(n), true
	}
	return 0, false
}
