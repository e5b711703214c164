package decode

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/ingest/input"
)

// onValue calls f on a JSON value that is at hand, and returns the codes of what it noted.
func onValue(t *testing.T, text string, f func(d *JSON)) []string {
	t.Helper()
	var b tracewhy.Builder
	d := &JSON{Spans: NewSpans(context.Background(), strings.NewReader(text+" "), &b, input.Config{}, 64)}
	d.More(0)
	d.Begin()
	f(d)
	var codes []string
	for _, f := range d.findings {
		codes = append(codes, f.code)
	}
	if code, _ := d.Refusal(); code != "" {
		codes = append(codes, "refused: "+code)
	}
	return codes
}

func TestMicros(t *testing.T) {
	for _, c := range []struct {
		text  string
		us    int64
		known bool
		codes []string
	}{
		{"1502787600000000", 1502787600000000, true, nil},
		{"0", 0, true, nil},
		{"-1", -1, true, nil},
		{"1.5e3", 1500, true, nil},
		{"null", 0, false, nil},
		{`""`, 0, false, nil},
		{`"12"`, 12, true, []string{tracewhy.ProblemValueInvalid}},
		{"1502787600000000.5", 1502787600000001, true, []string{tracewhy.ProblemValueInvalid}},
		{"1502787600000000.49", 1502787600000000, true, []string{tracewhy.ProblemValueInvalid}},
		{"-2.5", -3, true, []string{tracewhy.ProblemValueInvalid}},
		{"0.4", 0, true, []string{tracewhy.ProblemValueInvalid}},
		{"1e-400", 0, true, []string{tracewhy.ProblemValueInvalid}},
		{"9223372036854775807", math.MaxInt64, true, nil},
		{"18446744073709551615", math.MaxInt64, true, nil},
		{"1e300", math.MaxInt64, true, []string{tracewhy.ProblemValueInvalid}},
		{"-1e300", -math.MaxInt64, true, []string{tracewhy.ProblemValueInvalid}},
		{"true", 0, false, []string{"refused: " + tracewhy.ProblemTimeInvalid}},
		{`"noon"`, 0, false, []string{tracewhy.ProblemValueInvalid, "refused: " + tracewhy.ProblemTimeInvalid}},
		{"[1]", 0, false, []string{"refused: " + tracewhy.ProblemShape}},
	} {
		codes := onValue(t, c.text, func(d *JSON) {
			if us, known, next := d.Micros(0); us != c.us || known != c.known || next != len(c.text) {
				t.Errorf("%s: %d, %v, %d, want %d, %v", c.text, us, known, next, c.us, c.known)
			}
		})
		if !slices.Equal(codes, c.codes) {
			t.Errorf("%s: %q, want %q", c.text, codes, c.codes)
		}
	}
}

func TestMoment(t *testing.T) {
	suspect := []string{tracewhy.ProblemUnitSuspect}
	for _, c := range []struct {
		us    int64
		ns    uint64
		ok    bool
		codes []string
	}{
		{0, 0, true, nil},
		{10, 10_000, true, nil},
		{1502787600000000, 1502787600000000_000, true, nil},
		{1502787600, 1502787600_000, true, suspect},
		{1502787600000, 1502787600000_000, true, suspect},
		{1502787600000000000, math.MaxUint64, true, suspect},
		{latestMicros, latestMicros * 1000, true, nil},
		{latestMicros + 1, math.MaxUint64, true, nil},
		{math.MaxInt64, math.MaxUint64, false, nil},
		{-5, 0, true, []string{tracewhy.ProblemValueInvalid}},
	} {
		codes := onValue(t, "0", func(d *JSON) {
			if ns, ok := d.Moment(c.us, 0); ns != c.ns || ok != c.ok {
				t.Errorf("%d: %d, %v, want %d, %v", c.us, ns, ok, c.ns, c.ok)
			}
		})
		if !slices.Equal(codes, c.codes) {
			t.Errorf("%d: %q, want %q", c.us, codes, c.codes)
		}
	}
}

func TestAfter(t *testing.T) {
	for _, c := range []struct {
		ns   uint64
		us   int64
		want uint64
	}{
		{5_000, 2, 7_000},
		{5_000, -2, 3_000},
		{5_000, 0, 5_000},
		{5_000, -6, 1},
		{5_000, math.MinInt64, 1},
		{5_000, math.MaxInt64, math.MaxUint64},
		{math.MaxUint64, 1, math.MaxUint64},
	} {
		if got := After(c.ns, c.us); got != c.want {
			t.Errorf("After(%d, %d) = %d, want %d", c.ns, c.us, got, c.want)
		}
	}
}
