package capacity_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/tracetext"
	"github.com/tracewhy/tracewhy/timeline/capacity"
	"github.com/tracewhy/tracewhy/timeline/internal/logins"
)

func ExampleReadSignals() {
	signals, err := capacity.ReadSignals(strings.NewReader("name,time,value,service\npool.size,2026-11-24T08:45:00Z,10,auth\npool.size,1795510000.5,12,auth\n"))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, s := range signals {
		for _, p := range s.Points {
			fmt.Println(s, time.Unix(0, p.Time).UTC().Format(time.RFC3339Nano), p.Value)
		}
	}
	// Output:
	// auth pool.size 2026-11-24T08:45:00Z 10
	// auth pool.size 2026-11-24T08:46:40.5Z 12
}

func TestReadSignals(t *testing.T) {
	const at = 1795510000 * int64(time.Second)
	want := []capacity.Signal{
		{Name: "memory", Unit: "By", Points: []capacity.Point{{at, 3}}},
		{Name: "pool.size", Service: "auth", Instance: "auth-1", Points: []capacity.Point{{at, 9}, {at + 1e9, 8.5}}},
	}
	for _, text := range []string{
		"time,name,value,service,instance,unit\n1795510001,pool.size,8.5,auth,auth-1,\n2026-11-24T08:46:40Z,memory,3,,,By\n1795510000.0,pool.size,9,auth,auth-1,\n1795510002,pool.size,,auth,auth-1,\n1795510002,pool.size,NaN,auth,auth-1,\n",
		"\xef\xbb\xbf\n NAME,Time , value,unit,service,instance\nmemory,1795510000,3,By,,\npool.size,1795510000,9,,auth,auth-1\n\"pool.size\",2026-11-24T09:46:41+01:00,85e-1,,auth,auth-1\n",
		`[{"name":"pool.size","time":1795510001,"value":8.5,"service":"auth","instance":"auth-1"},{"name":"memory","time":"2026-11-24T08:46:40Z","value":3,"unit":"By"},
			{"name":"pool.size","time":1795510000,"value":9,"service":"auth","instance":"auth-1"},{"name":"pool.size","time":1795510003,"value":null,"service":"auth","instance":"auth-1"}]`,
		`{"name":"memory","time":1795510000,"value":3,"unit":"By"}
			{"name":"pool.size","time":1795510001,"value":8.5,"service":"auth","instance":"auth-1"} {"name":"pool.size","time":1795510000,"value":9,"service":"auth","instance":"auth-1"}`,
	} {
		got, err := capacity.ReadSignals(strings.NewReader(text))
		if d := cmp.Diff(want, got); err != nil || d != "" {
			t.Errorf("%v, and of\n%s\n%s", err, text, d)
		}
	}
	for text, says := range map[string]string{
		" \n":                                         "nothing to read",
		"name,time\nx,1\n":                            `no column is named "value"`,
		"name,time,value,host\n":                      `none named "host"`,
		"name,time,value,time\n":                      `two columns are named "time"`,
		"name,time,value\nx,1,2\nx,1,two\n":           `line 3: the value "two" is not a number`,
		"name,time,value\nx,1\n":                      "line 2",
		"name,time,value\nx,1,+Inf\n":                 "line 2: its value is infinite",
		"name,time,value\n,1,2\n":                     "line 2: it has no name",
		"name,time,value\nx,1795510000000,2\n":        "is it one of milliseconds?",
		"name,time,value\nx,yesterday,2\n":            `line 2: the time "yesterday"`,
		"name,time,value\nx,,2\n":                     "it has no time",
		"name,time,value\nx,3000-01-01T00:00:00Z,2\n": "between the years",
		"name,time,value,unit\nx,1,2,s\nx,2,2,ms\n":   `line 3: x is in "ms", and was in "s" before`,
		`[{"name":"x","time":1,"value":2}`:            "measurement 1",
		`[{"name":"x","time":1,"value":2}] x`:         "something follows",
		`{"name":"x","time":1,"value":"2"}`:           "measurement 1",
		`{"name":"x","time":"1","value":2}`:           "in quotes",
		`{"name":"x","time":1,"value":2,"host":"h"}`:  "host",
		`{"name":"x","value":2}`:                      "it has no time",
		`[null]`:                                      "measurement 1: it is null",
	} {
		if got, err := capacity.ReadSignals(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v and %v, want %q", text, got, err, says)
		}
	}
}

// Whatever is read can be written as JSON, and is the same then.
func FuzzReadSignals(f *testing.F) {
	f.Add([]byte("name,time,value\nx,1,2\n"))
	f.Add([]byte(`[{"name":"x","time":1.5,"value":2,"service":"s","unit":"By"}]`))
	f.Add([]byte("\xef\xbb\xbf{\"name\":\"x\",\"time\":\"2026-11-24T08:46:40Z\",\"value\":null}"))
	f.Fuzz(func(t *testing.T, text []byte) {
		signals, err := capacity.ReadSignals(bytes.NewReader(text))
		if err != nil {
			return
		}
		var again bytes.Buffer
		for _, s := range signals {
			for _, p := range s.Points {
				if math.IsNaN(p.Value) || math.IsInf(p.Value, 0) {
					t.Fatalf("%v has a point of %v", s, p.Value)
				}
				line, err := json.Marshal(map[string]any{
					"name": s.Name, "unit": s.Unit, "service": s.Service, "instance": s.Instance, "value": p.Value, "time": time.Unix(0, p.Time).UTC().Format(time.RFC3339Nano),
				})
				if err != nil {
					t.Fatal(err)
				}
				again.Write(append(line, '\n'))
			}
		}
		if again.Len() == 0 || !bytes.Equal(bytes.ToValidUTF8(text, nil), text) {
			return // JSON has no other text
		}
		same, err := capacity.ReadSignals(&again)
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(signals); i++ {
			if len(signals[i].Points) == 0 {
				signals = append(signals[:i], signals[i+1:]...)
				i--
			}
		}
		if d := cmp.Diff(signals, same); d != "" {
			t.Error(d)
		}
	})
}

// A gauge is what was measured: gaps stay gaps, and only what changed is said to have.
func TestSignals(t *testing.T) {
	set := tracewhy.SetOf(logins.Calm(2000, time.Hour).Spans(1)...)
	r := rand.New(rand.NewPCG(1, 1))
	gauge := func(name string, value func(minute int) float64) capacity.Signal {
		s := capacity.Signal{Name: name}
		for minute := range 60 {
			if minute < 20 || minute >= 25 {
				s.Points = append(s.Points, capacity.Point{Time: tracetext.Epoch + int64(minute)*int64(time.Minute) + 5e9, Value: value(minute)})
			}
		}
		r.Shuffle(len(s.Points), func(i, j int) { s.Points[i], s.Points[j] = s.Points[j], s.Points[i] })
		return s
	}
	signals := []capacity.Signal{
		gauge("size", func(minute int) float64 { return map[bool]float64{false: 10, true: 4}[minute >= 40] }),
		gauge("same", func(int) float64 { return 3 }),
		gauge("memory", func(minute int) float64 { return 100 + 5*r.NormFloat64() + map[bool]float64{true: 40}[minute >= 30] }),
		gauge("noise", func(int) float64 { return 100 + 5*r.NormFloat64() }),
		{Name: "elsewhere", Points: []capacity.Point{{Time: 5, Value: 1}}},
	}
	cfg := capacity.ResourcesConfig{Bin: 30 * time.Second, Signals: signals}
	got, err := capacity.Resources(context.Background(), set.All(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	changes := map[string][]capacity.SignalChange{}
	for _, c := range got.Signals {
		changes[c.Signal.Name] = c.Changes
		points := 0
		for b := range got.Starts {
			points += c.Points[b]
			if isGap := c.Points[b] == 0; isGap != math.IsNaN(c.Mean[b]) || isGap != math.IsNaN(c.Last[b]) || isGap != math.IsNaN(c.Min[b]) || isGap != math.IsNaN(c.Max[b]) {
				t.Fatalf("%s, bin %d: %d points, and %v", c.Signal, b, c.Points[b], c.Mean[b])
			}
		}
		if want := map[bool]int{false: 55}[c.Signal.Name == "elsewhere"]; points != want {
			t.Errorf("%s has %d points, want %d", c.Signal, points, want)
		}
	}
	for name, minute := range map[string]int{"size": 40, "memory": 30} {
		if len(changes[name]) != 1 {
			t.Fatalf("%s: %v", name, changes[name])
		}
		if d := time.Duration(changes[name][0].Time - tracetext.Epoch - int64(minute)*int64(time.Minute)); d.Abs() > time.Minute {
			t.Errorf("%s: %v, %v too late", name, changes[name], d)
		}
	}
	if len(changes["same"])+len(changes["noise"])+len(changes["elsewhere"]) > 0 {
		t.Errorf("changes of what did not: %v", changes)
	}
	found := false
	for _, w := range got.Warnings {
		found = found || w.Code == capacity.WarningSignalOutside && w.Count == 1
	}
	if !found {
		t.Errorf("nothing is said of the point that was left out: %v", got.Warnings)
	}
}

// Of several points in a bin the course tells the last, the mean and both ends.
func TestSignalBins(t *testing.T) {
	set := tracewhy.SetOf(logins.Calm(100, time.Minute).Spans(1)...)
	second := func(s int, v float64) capacity.Point {
		return capacity.Point{Time: tracetext.Epoch + int64(s)*1e9, Value: v}
	}
	r, err := capacity.Resources(context.Background(), set.All(), capacity.ResourcesConfig{
		Bin:     10 * time.Second,
		Signals: []capacity.Signal{{Name: "queue", Points: []capacity.Point{second(19, 4), second(12, 6), second(11, 2), second(30, 7)}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	c := r.Signals[0]
	if c.Last[1] != 4 || c.Mean[1] != 4 || c.Min[1] != 2 || c.Max[1] != 6 || c.Points[1] != 3 || c.Mean[3] != 7 || c.Points[2] != 0 {
		t.Errorf("%+v", c)
	}
}
