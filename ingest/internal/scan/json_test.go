package scan

import (
	"encoding/json"
	"strings"
	"testing"
)

// String finds the end of a string wherever it is in the eight bytes that are looked at together.
func TestString(t *testing.T) {
	for before := range 20 {
		for _, tail := range []string{`"`, `\"`, `\\"`, `\\\"x"`, `x\n"`, `é"`, "\x00\x01\xff\""} {
			for after := range 10 {
				inside := strings.Repeat("a", before) + tail
				text := `"` + inside + strings.Repeat(`"`, after)
				end := 0 // of the string, by hand
				for i := 1; i < len(text) && end == 0; i++ {
					switch text[i] {
					case '\\':
						i++
					case '"':
						end = i + 1
					}
				}
				s, plain, next := String([]byte(text), 0)
				if end == 0 {
					if next != Short {
						t.Errorf("%q ends at %d, want Short", text, next)
					}
					continue
				}
				if next != end || string(s) != text[1:end-1] || plain == strings.Contains(text[:end], `\`) {
					t.Errorf("%q: %q, %v, %d, want the end at %d", text, s, plain, next, end)
				}
			}
		}
	}
}

// Unescape agrees with encoding/json, but for half a surrogate pair, whose bytes are kept.
func TestUnescape(t *testing.T) {
	for _, s := range []string{
		``, `abc`, `\"\\\/\b\f\n\r\t`, `\u0041\u00e9\u2603`, `\ud83d\ude00`, `\uD83D\uDE00x`, `é☃`, `\u0000`, `a\u0020b`,
	} {
		var want string
		if err := json.Unmarshal([]byte(`"`+s+`"`), &want); err != nil {
			t.Fatal(err)
		}
		if got, ok := Unescape(nil, []byte(s)); !ok || string(got) != want {
			t.Errorf("%s: %q, %v, want %q", s, got, ok, want)
		}
	}
	for s, want := range map[string]string{
		`\ud800`:       "\xed\xa0\x80",
		`\ud800\u0041`: "\xed\xa0\x80A",
		`\ude00\ud83d`: "\xed\xb8\x80\xed\xa0\xbd",
		`\ud83dx`:      "\xed\xa0\xbdx",
	} {
		if got, ok := Unescape(nil, []byte(s)); !ok || string(got) != want {
			t.Errorf("%s: %q, %v, want %q", s, got, ok, want)
		}
	}
	for _, s := range []string{`\`, `\x`, `\u`, `\u12`, `\u12g4`, `\ud83d\u12`, `\'`} {
		if got, ok := Unescape(nil, []byte(s)); ok && s != `\ud83d\u12` {
			t.Errorf("%s: %q, want an error", s, got)
		}
	}
}

// AppendQuoted writes what encoding/json reads back.
func TestAppendQuoted(t *testing.T) {
	for _, s := range []string{"", "abc", `a"b\c/d`, "\x00\t\n\x1f\x7f", "é☃\U0001F600", "\u2028<&>"} {
		var got string
		if quoted := AppendQuoted(nil, s); json.Unmarshal(quoted, &got) != nil || got != s {
			t.Errorf("%q: %s", s, quoted)
		}
	}
}

// A Skipper finds the end of a value however it is cut in two.
func TestSkipper(t *testing.T) {
	for _, value := range []string{
		`{}`, `[]`, `"x"`, `""`, `12.5e3`, `true`, `null`, `NaN`, `{"a":[1,{"b":"]}"}],"c":"\\\"}"}`, `"a\\"`, `"\""`, `[[[[]]]]`, ` [ "x" , 1 ] `,
		`{"long":"` + strings.Repeat("abcdefg", 5) + `"}`,
	} {
		text := value + `,"next"`
		want := len(strings.TrimRight(value, " "))
		for cut := range len(text) {
			var s Skipper
			next := s.Run([]byte(text[:cut]), 0)
			if next == Short {
				if next = s.Run([]byte(text[cut:]), 0); next >= 0 {
					next += cut
				}
			}
			if next != want {
				t.Errorf("%s cut at %d ends at %d, want %d", text, cut, next, want)
			}
		}
	}
	for _, text := range []string{`'x'`, `,`, `}`, `]`, `:`, `/`, "\x00"} {
		if next := Skip([]byte(text), 0); next != Bad {
			t.Errorf("%q ends at %d, want Bad", text, next)
		}
	}
}

func TestScalar(t *testing.T) {
	for text, want := range map[string]string{`12,`: "12", `-1.5e+3}`: "-1.5e+3", `true `: "true", `NaN]`: "NaN"} {
		if s, next := Scalar([]byte(text), 0); string(s) != want || next != len(want) {
			t.Errorf("%q: %q, %d, want %q", text, s, next, want)
		}
	}
	if _, next := Scalar([]byte("12"), 0); next != Short {
		t.Errorf("a number that may go on ends at %d", next)
	}
}
