package report

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tracewhy/tracewhy/internal/visible"
	"github.com/tracewhy/tracewhy/rca"
)

func FuzzWrap(f *testing.F) {
	f.Add("a\x1b[0m\u202e\xff漢")
	f.Fuzz(func(t *testing.T, s string) {
		got := Clean(s)
		for n := range 20 {
			lines := wrap([]string{got, got}, n, 3)
			if len(lines) > 3 {
				t.Errorf("wrap(%q, %d) makes %d lines", got, n, len(lines))
			}
			for _, l := range lines {
				if visible.Width(l) > max(n, 2) {
					t.Errorf("wrap(%q, %d) makes a line of %d cells", got, n, visible.Width(l))
				}
			}
		}
		// Nothing is lost where there is room.
		words := slices.Collect(strings.FieldsSeq(got))
		if all := strings.Fields(strings.Join(wrap([]string{got}, max(2*len(got), 2), 9), " ")); !slices.Equal(all, words) {
			t.Errorf("wrap(%q) = %q", got, all)
		}
	})
}

func TestWrap(t *testing.T) {
	for _, tc := range []struct {
		why      string
		in       []string
		n, lines int
		want     []string
	}{
		{"fits", []string{"one two"}, 9, 3, []string{"one two"}},
		{"texts that fit are not broken", []string{"one", "two three"}, 9, 3, []string{"one", "two three"}},
		{"long ones are", []string{"one two three four"}, 9, 3, []string{"one two", "three", "four"}},
		{"the rest is left out", []string{"one two three four"}, 9, 2, []string{"one two", "three fo…"}},
		{"the last text is kept", []string{"one two three four", "n = 5"}, 9, 3, []string{"one two", "three fo…", "n = 5"}},
		{"unless it is long itself", []string{"one", "two three four five"}, 9, 2, []string{"one two", "three fo…"}},
		{"a long word", []string{"a onetwothree"}, 6, 3, []string{"a", "onetwo", "three"}},
		{"a long word and no room", []string{"a onetwothreefour"}, 6, 2, []string{"a", "onetw…"}},
		{"wide characters", []string{"漢字漢字"}, 5, 3, []string{"漢字", "漢字"}},
		{"nothing", nil, 9, 3, nil},
	} {
		if diff := cmp.Diff(tc.want, wrap(tc.in, tc.n, tc.lines)); diff != "" {
			t.Errorf("%s: -want +got:\n%s", tc.why, diff)
		}
	}
}

func TestNumbers(t *testing.T) {
	for _, tc := range []struct{ got, want string }{
		{count(0), "0"}, {count(999), "999"}, {count(-1234567), "-1,234,567"},
		{plural(1, "trace"), "1 trace"}, {plural(0, "trace"), "0 traces"},
		{decimal(0.041234), "0.0412"}, {decimal(17.34), "17.3"}, {decimal(-2), "-2"}, {decimal(12345.6), "12,346"}, {decimal(3e-9), "3e-09"}, {decimal(1e18), "1e+18"},
		{millis(0.0123), "12.3µs"}, {millis(212.4), "212ms"}, {millis(-1927.6), "-1.93s"}, {millis(119_400), "1m59s"}, {millis(180_000), "3m"}, {millis(9e6), "2h30m"}, {millis(1e15), "277,777,778h"},
		{amount(0.1731, "share"), "17 %"}, {amount(0.0213, "share"), "2.1 %"}, {amount(-0.02, "share"), "-2 %"}, {amount(6.42, "odds_ratio"), "odds ratio 6.42"}, {amount(rca.Unknown(), "ms"), "unknown"}, {amount(3, "per_s"), "3/s"}, {amount(4120, "USD"), "4,120 USD"},
		{percent(0.9321), "93 %"}, {percent(0.999), "> 99 %"}, {percent(1), "100 %"}, {percent(0.001), "< 1 %"}, {percent(0), "0 %"}, {percent(rca.Unknown()), "unknown"},
		{change(rca.Interval{Value: 0.1518, Low: 0.1389, High: 0.1652}, "share"), "+15 points (14 to 17)"},
		{change(rca.Interval{Value: -12, Low: -13, High: rca.Unknown()}, "ms"), "-12ms (at least -13ms)"},
		{estimate(rca.Interval{Value: 3, Low: rca.Unknown(), High: 4}, ""), "3 (at most 4)"},
		{estimate(rca.Interval{Value: rca.Unknown()}, ""), ""},
		{estimate(rca.Interval{Value: 1, Low: 1, High: 1}, "share"), "100 %"}, {estimate(rca.Interval{Value: 22, Low: 10.9, High: 44.6}, "odds_ratio"), "odds ratio 22 (10.9 to 44.6)"},
		{quality(0.00001), ""}, {quality(0.0213), "q 0.0213"}, {quality(rca.Unknown()), ""},
	} {
		if tc.got != tc.want {
			t.Errorf("got %q, want %q", tc.got, tc.want)
		}
	}
}
