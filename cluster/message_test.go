package cluster

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestTemplate(t *testing.T) {
	for message, want := range map[string]string{
		"": "",
		"order 4711 of 'ann' timed out after 30s":                "order # of ? timed out after #s",
		"context deadline exceeded":                              "context deadline exceeded",
		"dial tcp 10.0.3.17:5432: connect: connection refused":   "dial tcp #.#.#.#:#: connect: connection refused",
		"user 3fa85f64-5717-4562-b3fc-2c963f66afa6 is not known": "user # is not known",
		"can't reach worker-17, won't retry":                     "can't reach worker-#, won't retry",
		"HTTP2 stream 5 reset on v1":                             "HTTP2 stream # reset on v1",
		"first line 1\n\tat com.bank.Ledger(Ledger.java:88)":     "first line #",
		"took 1.234 ms,  1e9 of 0xdeadbeef":                      "took #.# ms, # of #",
		`cannot read field "account" because "x" is null`:        "cannot read field ? because ? is null",
		"unclosed ' quote 7":                                     "unclosed ' quote #",
		"Betrag 12,50 € ist zu groß":                             "Betrag #,# € ist zu groß",
	} {
		if got := template(message); got != want {
			t.Errorf("template(%q) = %q, want %q", message, got, want)
		}
	}
}

func FuzzTemplate(f *testing.F) {
	for _, s := range []string{"order 4711", "a'b'c", "\xff\xfe", "''''", "٣ pounds", strings.Repeat("x1 ", 300), strings.Repeat("é", 300)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := template(s)
		if utf8.ValidString(s) && !utf8.ValidString(got) {
			t.Errorf("template(%q) is no UTF-8: %q", s, got)
		}
		if strings.ContainsAny(got, "\n") || len(got) > 2*maxMessage {
			t.Errorf("template(%q) = %q", s, got)
		}
		if again := template(got); again != template(again) {
			t.Errorf("the template of %q does not settle: %q, %q", s, got, again)
		}
	})
}
