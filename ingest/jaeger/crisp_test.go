package jaeger_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// crispCase is a test case of CRISP: an answer of Jaeger, with what is expected of it.
type crispCase struct {
	Data []struct {
		TraceID   string                       `json:"traceID"`
		Processes map[string]any               `json:"processes"`
		Spans     []map[string]json.RawMessage `json:"spans"`
	} `json:"data"`
	Testing json.RawMessage `json:"testing"`
}

// answer returns the case as traces that can be: its spans have letters for ids, some of which are no
// hexadecimal digits, and begin with the Unix epoch, which stands for no time at all.
func (c *crispCase) answer(t *testing.T) []byte {
	t.Helper()
	const epoch = 1_700_000_000_000_000
	id := func(raw json.RawMessage) json.RawMessage {
		return fmt.Appendf(nil, `"%016x"`, strings.Trim(string(raw), `"`))
	}
	for _, trace := range c.Data {
		for _, s := range trace.Spans {
			var start int64
			var references []map[string]json.RawMessage
			if err := json.Unmarshal(s["startTime"], &start); err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(s["references"], &references); err != nil {
				t.Fatal(err)
			}
			for _, r := range references {
				r["spanID"] = id(r["spanID"])
			}
			s["references"], _ = json.Marshal(references)
			s["startTime"], s["spanID"] = fmt.Append(nil, start+epoch), id(s["spanID"])
		}
	}
	doc, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// expected returns the time in microseconds that each operation should have on the critical path.
func (c *crispCase) expected(t *testing.T) map[string]int64 {
	t.Helper()
	var list []map[string]int64
	var object struct {
		OpTimeExclusive map[string]int64 `json:"opTimeExclusive"`
	}
	if json.Unmarshal(c.Testing, &list) == nil && len(list) == 1 {
		object.OpTimeExclusive = list[0]
	} else if err := json.Unmarshal(c.Testing, &object); err != nil {
		t.Fatal(err)
	}
	maps.DeleteFunc(object.OpTimeExclusive, func(_ string, n int64) bool { return n == 0 })
	return object.OpTimeExclusive
}

// overlaps has the cases that this module sees in another way, with the path that it gives. In each, calls
// overlap their next by 0.1 to 0.8 % of their parent's duration. CRISP takes an overlap that is so small, with
// no event of a sibling in it, for a difference of clocks, and such calls for one after the other; each then
// counts for all of its duration, so that the overlap counts twice and their parent loses as much.
// Here, clocks are taken at their word: a call that was still running when the next one began did not hold
// it up, and the sections of a path never overlap.
var overlaps = map[string]map[string]int64{
	"10.json": {"[S1] O1": 500, "[S2] O2": 200, "[S4] O4": 300},
	"19.json": {"[S1] O1": 100, "[S2] O2": 200, "[S4] O4": 300},
	"20.json": {"[S1] O1": 100, "[S2] O2": 200, "[S4] O4": 300},
	"21.json": {"[S1] O1": 100, "[S2] O2": 200, "[S4] O4": 300},
}

// The critical path of CRISP's test cases is the one that they document, with the time that each operation
// has on it. (uber-research/CRISP, test_cases: "testing", and "opTimeExclusive" in it.)
func TestCRISP(t *testing.T) {
	dir := os.Getenv("TRACEWHY_DATA")
	if dir == "" {
		t.Skip("set TRACEWHY_DATA to the folder that has formats/wild")
	}
	cases := filepath.Join(dir, "formats", "wild", "uber-research+CRISP", "test_cases")
	var files []string
	for _, pattern := range []string{"*.json", "err_pattern*/*.json"} {
		more, err := filepath.Glob(filepath.Join(cases, pattern))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, more...)
	}
	if len(files) != 33 {
		t.Errorf("%d cases, want 33", len(files))
	}
	for _, file := range files {
		name, err := filepath.Rel(cases, file)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(filepath.ToSlash(name), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var c crispCase
			if err := json.NewDecoder(bytes.NewReader(data)).Decode(&c); err != nil {
				t.Fatal(err)
			}
			want := c.expected(t)
			if ours := overlaps[filepath.ToSlash(name)]; ours != nil {
				if maps.Equal(want, ours) {
					t.Error("CRISP says the same")
				}
				want = ours
			}
			set := readJaeger(t, c.answer(t))
			if set.NumTraces() != 1 || set.NumSpans() != len(c.Data[0].Spans) {
				t.Fatalf("%d traces, %d spans: %+v", set.NumTraces(), set.NumSpans(), set.Problems())
			}
			got := map[string]int64{}
			for _, s := range set.Trace(0).CriticalPath() {
				got[fmt.Sprintf("[%s] %s", s.Span.Service(), s.Span.Name())] += int64(s.Duration() / time.Microsecond)
			}
			if !maps.Equal(got, want) {
				t.Errorf("got  %v\nwant %v", got, want)
			}
		})
	}
}
