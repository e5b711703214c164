package decode

import (
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"math/big"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
)

// ExactInt agrees with arbitrary precision on numbers of all kinds.
func TestExactInt(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	numbers := []string{
		"0", "-0", "0.0", "0e999999999999", "1", "-1", "1.0", "1.5", "1e3", "1.5e3", "1.55e1", "100e-2", "105e-1", "1e19", "1e20", "1e-1",
		"18446744073709551615", "18446744073709551616", "1844674407370955161.5e1", "184467440737095516160e-1", "9223372036854775807",
		"1544712660000000000", "1.54471266e18", "0.000000000000000000001e21", "1e999999999999999999999", "1000000000000000000000e-18",
	}
	for range 5000 {
		s := strconv.FormatUint(r.Uint64()>>r.IntN(64), 10) + strings.Repeat("0", r.IntN(5))
		if r.IntN(2) == 0 {
			i := r.IntN(len(s)) + 1
			s = s[:i] + "." + s[i:] + "0"
		}
		if r.IntN(2) == 0 {
			s += "e" + strconv.Itoa(r.IntN(30)-15)
		}
		numbers = append(numbers, s)
	}
	for _, s := range numbers {
		if !json.Valid([]byte(s)) {
			continue
		}
		if !IsNumber([]byte(s)) {
			t.Errorf("%s is a number", s)
		}
		var want uint64
		isInt := false
		if !strings.Contains(s, "e9999") && !strings.Contains(s, "e1000") && len(s) < 40 {
			exact, ok := new(big.Rat).SetString(strings.TrimPrefix(s, "-"))
			isInt = ok && exact.IsInt() && exact.Num().IsUint64()
			if isInt {
				want = exact.Num().Uint64()
			}
		} else {
			isInt = strings.HasPrefix(s, "0e")
		}
		negative, n, ok := ExactInt([]byte(s))
		if ok != isInt || ok && (n != want || negative != strings.HasPrefix(s, "-")) {
			t.Errorf("%s: %v, %d, %v, want %d, %v", s, negative, n, ok, want, isInt)
		}
	}
	for _, s := range []string{"", "-", "+1", ".5", "1.2.3", "1e", "1e+", "1x", "x1", "--1", "1 ", "0x10", "1_000", "NaN"} {
		if _, n, ok := ExactInt([]byte(s)); ok {
			t.Errorf("%q is read as %d", s, n)
		}
		if IsNumber([]byte(s)) {
			t.Errorf("%q is no number", s)
		}
	}
	for s, want := range map[string]int64{"-9223372036854775808": -1 << 63, "9223372036854775807": 1<<63 - 1, "-5": -5} {
		if n, ok := ExactInt64([]byte(s)); !ok || n != want {
			t.Errorf("%s: %d, %v", s, n, ok)
		}
	}
	for _, s := range []string{"9223372036854775808", "-9223372036854775809"} {
		if n, ok := ExactInt64([]byte(s)); ok {
			t.Errorf("%s is read as %d", s, n)
		}
	}
}

// Eight digits are decoded as one by one, and every byte that is no digit is found in every place.
func TestHexDigits(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 1))
	for range 20000 {
		var text [8]byte
		for i := range text {
			text[i] = "0123456789abcdefABCDEF"[r.IntN(22)]
		}
		if r.IntN(2) == 0 {
			text[r.IntN(8)] = byte(r.IntN(256))
		}
		var want [4]byte
		_, err := hex.Decode(want[:], text[:])
		n, ok := eightDigits(binary.LittleEndian.Uint64(text[:]))
		if ok != (err == nil) || ok && n != binary.LittleEndian.Uint32(want[:]) {
			t.Fatalf("%q: %08x, %v, want %x, %v", text, n, ok, want, err)
		}
	}
	for _, tt := range []struct {
		text string
		want string
	}{
		{"1", "0000000000000001"}, {"abc", "0000000000000abc"}, {"ABCDEF12", "00000000abcdef12"}, {"0123456789abcdef", "0123456789abcdef"},
	} {
		var id [8]byte
		if !DecodeHex(id[:], []byte(tt.text)) || hex.EncodeToString(id[:]) != tt.want {
			t.Errorf("%s: %x, want %s", tt.text, id, tt.want)
		}
	}
}
