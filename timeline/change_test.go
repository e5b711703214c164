package timeline_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/tracewhy/tracewhy/timeline"
)

func TestParseChanges(t *testing.T) {
	got, err := timeline.ParseChanges([]byte(`[
		{"time": "2026-11-24T08:20:00+01:00", "kind": "deployment", "service": "auth", "id": "B", "version": "1.2", "share": 0.1, "ticket": 7},
		{"time": "2026-11-24T02:30:00Z", "until": "2026-11-24T02:40:00Z", "kind": "maintenance", "service": "users-db", "id": "A", "description": "index rebuilt"},
		{"time": "2026-11-24T07:20:00Z", "kind": "deployment", "service": "auth", "id": "B", "version": "1.2", "share": 0.1}
	]`))
	if err != nil {
		t.Fatal(err)
	}
	at := func(hour, minute int) time.Time { return time.Date(2026, 11, 24, hour, minute, 0, 0, time.UTC) }
	want := []timeline.Change{
		{Time: at(2, 30), Until: at(2, 40), Kind: "maintenance", Service: "users-db", ID: "A", Description: "index rebuilt"},
		{Time: at(7, 20), Kind: "deployment", Service: "auth", ID: "B", Version: "1.2", Share: 0.1},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestParseChangesErrors(t *testing.T) {
	const ok = `{"time": "2026-11-24T02:30:00Z"}`
	for _, c := range []struct{ text, want string }{
		{"", "nothing to read"},
		{"{}", "not a JSON array"},
		{"[" + ok, "EOF"},
		{"[" + ok + "] []", "follows the array"},
		{"[" + ok + ", null]", "element 1: null"},
		{"[" + ok + ", 7]", "element 1"},
		{"[" + ok + `, {"kind": "config"}]`, "element 1: no time"},
		{`[{"time": "yesterday"}]`, "element 0"},
		{`[{"time": "1500-01-01T00:00:00Z"}]`, "element 0: time 1500"},
		{`[{"time": "2026-11-24T02:30:00Z", "until": "2026-11-24T02:29:00Z"}]`, "element 0: until"},
		{`[{"time": "2026-11-24T02:30:00Z", "until": "2500-11-24T02:29:00Z"}]`, "element 0: until 2500"},
		{`[{"time": "2026-11-24T02:30:00Z", "share": 2}]`, "element 0: share"},
		{`[{"time": "2026-11-24T02:30:00Z", "id": "` + strings.Repeat("x", 5000) + `"}]`, "element 0: id is longer"},
		{"[" + strings.Repeat(ok+",", 100_000) + ok + "]", "more than 100000"},
	} {
		if got, err := timeline.ParseChanges([]byte(c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.60q: %v and %v, want an error with %q", c.text, len(got), err, c.want)
		}
	}
}

// What was read reads the same again, and is in order.
func FuzzParseChanges(f *testing.F) {
	f.Add([]byte(`[{"time":"2026-11-24T02:30:00Z","kind":"config","service":"s","id":"1","description":"d"}]`))
	f.Add([]byte(`[{"time":"2026-11-24T02:30:00.5+23:59","share":1e-300},{"time":"1678-01-01T00:00:00Z","service":"\ud800"}]`))
	f.Add([]byte("\xef\xbb\xbf[]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		first, err := timeline.ParseChanges(data)
		if err != nil {
			return
		}
		for i := 1; i < len(first); i++ {
			if first[i].Time.Before(first[i-1].Time) {
				t.Fatalf("%v comes after %v", first[i], first[i-1])
			}
		}
		text, err := json.Marshal(first)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			return
		}
		again, err := timeline.ParseChanges(text)
		if err != nil || !reflect.DeepEqual(again, first) {
			t.Fatalf("%s became %+v, %v; want %+v", text, again, err, first)
		}
	})
}
