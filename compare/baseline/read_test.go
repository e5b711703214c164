package baseline_test

import (
	"bytes"
	"encoding/json"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/tracewhy/tracewhy/compare/baseline"
)

func TestReadWhatWasWritten(t *testing.T) {
	for _, cfg := range []baseline.Config{{}, small} {
		s := knobs{traces: 50, fails: 0.2, checks: 0.2, lost: 0.2, twice: 0.5, weight: 2.5}.take(t, 1, cfg)
		data := encode(t, s)
		if got := encode(t, decode(t, data)); !bytes.Equal(got, data) {
			t.Errorf("written %s\nand again %s", data, got)
		}
		if c := compare(t, s, decode(t, data), cfg); len(c.Changes) > 0 {
			t.Errorf("what was read differs: %s", encode(t, c.Changes))
		}
	}
}

// edit changes the JSON of a snapshot by a path of keys and list positions.
func edit(t *testing.T, data []byte, change func(s map[string]any)) []byte {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var s map[string]any
	if err := d.Decode(&s); err != nil {
		t.Fatal(err)
	}
	change(s)
	return encode(t, s)
}

func TestReadRejects(t *testing.T) {
	good := encode(t, knobs{traces: 30, fails: 0.3, checks: 0.5}.take(t, 1, baseline.Config{}))
	if _, err := baseline.Read(bytes.NewReader(edit(t, good, func(map[string]any) {}))); err != nil {
		t.Fatalf("keys in another order: %v", err)
	}
	operation := func(i int, key string, value any) []byte {
		return edit(t, good, func(s map[string]any) { s["operations"].([]any)[i].(map[string]any)[key] = value })
	}
	total := func(key string, value any) []byte { return edit(t, good, func(s map[string]any) { s[key] = value }) }
	list := func(key string) []any {
		var s map[string]any
		if err := json.Unmarshal(good, &s); err != nil {
			t.Fatal(err)
		}
		return s[key].([]any)
	}
	reversed := func(x []any) []any { return []any{x[1], x[0]} }
	for name, data := range map[string][]byte{
		"nothing":              nil,
		"no JSON":              []byte("PK\x03\x04"),
		"cut off":              good[:len(good)/2],
		"more after it":        append(bytes.Clone(good), " {}"...),
		"a list":               []byte("[]"),
		"null":                 []byte("null"),
		"another schema":       total("schema", "tracewhy.baseline/v2"),
		"traces":               []byte(`{"resourceSpans":[]}`),
		"an unknown field":     total("comment", "x"),
		"a float":              total("traces", 1.5),
		"a negative number":    total("detached", -1),
		"a huge number":        total("spans", json.Number("9007199254740993")),
		"no traces":            total("traces", 0),
		"fragments":            total("fragments", 31),
		"window turned round":  total("last", "2020-01-01T00:00:00Z"),
		"no window":            total("first", "0001-01-01T00:00:00Z"),
		"25 hours":             total("hours", make([]int, 24)),
		"limits":               total("max_operations", 1),
		"no limits":            total("max_names", 0),
		"order of operations":  total("operations", reversed(list("operations"))),
		"order of services":    total("services", reversed(list("services"))),
		"called by a later":    operation(1, "caller", 5),
		"called by none":       operation(0, "caller", -2),
		"more traces than all": operation(0, "traces", 31),
		"more failed":          operation(0, "failed_traces", 1000),
		"failed, abandoned":    operation(0, "abandoned", json.Number("9223372036854775807")),
		"bins out of place":    operation(0, "durations", [][]int{{7, 1}, {7, 1}}),
		"a bin too far":        operation(0, "durations", [][]int{{5000, 1}}),
		"an empty bin":         operation(0, "durations", [][]int{{7, 0}}),
		"more durations":       operation(0, "durations", [][]int{{7, 1000}}),
		"no such callee":       operation(1, "shapes", []map[string]any{{"callees": []int{9}, "executions": 1, "traces": 1}}),
		"structures lost":      operation(1, "shapes", []any{}),
		"a long name":          operation(0, "name", strings.Repeat("x", 2000)),
		"empty objects":        total("operations", make([]struct{}, 100_000)),
		"deep":                 []byte(strings.Repeat("[", 1_000_000)),
	} {
		if _, err := baseline.Read(bytes.NewReader(data)); err == nil || len(err.Error()) > 2000 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// use does with a snapshot that was read what can be done with it.
func use(t *testing.T, s, other *baseline.Snapshot) {
	t.Helper()
	written := encode(t, s)
	if again := encode(t, decode(t, written)); !bytes.Equal(written, again) {
		t.Fatalf("written %s\nand again %s", written, again)
	}
	for _, pair := range [][2]*baseline.Snapshot{{s, other}, {other, s}, {s, s}} {
		c := compare(t, pair[0], pair[1], baseline.Config{})
		encode(t, c)
		for _, x := range c.Changes {
			_ = x.String()
		}
	}
	there, err := baseline.Merge(s, other)
	if err != nil {
		return
	}
	back, err := baseline.Merge(other, s)
	if err != nil || !bytes.Equal(encode(t, there), encode(t, back)) {
		t.Fatalf("merging depends on the order: %v", err)
	}
	decode(t, encode(t, there))
}

// Each number of a snapshot in turn is made another. It is then rejected, or it is one like any other.
func TestReadAnyNumber(t *testing.T) {
	data := encode(t, knobs{traces: 4, fails: 0.3, checks: 0.5, lost: 0.3, twice: 0.3}.take(t, 1, baseline.Config{}))
	other := knobs{traces: 10, fails: 0.3}.take(t, 3, baseline.Config{})
	accepted := 0
	for _, at := range regexp.MustCompile(`[:\[,]-?[0-9]+`).FindAllIndex(data, -1) {
		for _, n := range []int64{-1, 0, 2, 1000, math.MaxInt64} {
			changed := slices.Concat(data[:at[0]+1], strconv.AppendInt(nil, n, 10), data[at[1]:])
			if s, err := baseline.Read(bytes.NewReader(changed)); err == nil {
				accepted++
				use(t, s, other)
			}
		}
	}
	if accepted == 0 {
		t.Error("none was accepted")
	}
}

// Whatever is read can be written, merged, compared and printed.
func FuzzRead(f *testing.F) {
	f.Add(encode(f, knobs{traces: 1}.take(f, 1, baseline.Config{})))
	f.Add(encode(f, knobs{traces: 2, weight: 3, twice: 1}.take(f, 2, small)))
	f.Add([]byte(`{"schema":"tracewhy.baseline/v1","outcome":"","traces":1,"spans":1,"weight_milli":1000,"first":"0001-01-01T00:00:00Z","last":"0001-01-01T00:00:00Z","max_operations":1,"max_names":1}`))
	other := knobs{traces: 10, fails: 0.3}.take(f, 3, baseline.Config{})
	f.Fuzz(func(t *testing.T, data []byte) {
		if s, err := baseline.Read(bytes.NewReader(data)); err == nil {
			use(t, s, other)
		}
	})
}
