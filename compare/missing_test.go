package compare

import (
	"context"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/stats"
)

// lose takes spans away, or changes them, in a share of the traces of a window.
func lose(spans []tracewhy.SpanData, share float64, change func(s *tracewhy.SpanData) (keep bool)) []tracewhy.SpanData {
	var out []tracewhy.SpanData
	for _, s := range spans {
		id := s.TraceID
		r := stats.NewRand(7, stats.Key(string(id[:])))
		if r.Float64() >= share || change(&s) {
			out = append(out, s)
		}
	}
	return out
}

func operations(t *testing.T, baseline, incident []tracewhy.SpanData) *OperationsResult {
	t.Helper()
	b, i := cohorts(t, baseline, incident)
	r, err := Operations(context.Background(), b, i, OperationsConfig{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func warningCounts(r *OperationsResult) map[string]int {
	n := map[string]int{}
	for _, w := range r.Warnings {
		n[w.Code] = w.Count
	}
	return n
}

// What arrived after its trace had been decided on, or was lost, is no failure and no change.
func TestHalfTracesAreNoFailures(t *testing.T) {
	number := func(s *tracewhy.SpanData) byte { return s.SpanID[7] }
	healthy := func() []tracewhy.SpanData { return window(1, "incident", knobs{traces: 300}) }
	tests := []struct {
		name    string
		loss    func(s *tracewhy.SpanData) bool
		warning string
	}{
		{"the beginning", func(s *tracewhy.SpanData) bool {
			s.Status = tracewhy.StatusError // which somebody above tolerated, say
			return number(s) > 5
		}, WarningFragment},
		{"the root's end", func(s *tracewhy.SpanData) bool {
			if number(s) == 1 {
				s.End = 0
			}
			return true
		}, WarningUnfinished},
		{"the server of a call that succeeded", func(s *tracewhy.SpanData) bool { return number(s) != 8 }, WarningIncomplete},
		{"the caller of a server", func(s *tracewhy.SpanData) bool { return number(s) != 7 }, WarningIncomplete},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			// A few of the baseline too, for the halves to be compared with.
			baseline := lose(window(1, "baseline", knobs{traces: 300}), 0.1, func(s *tracewhy.SpanData) bool {
				status := s.Status
				keep := tt.loss(s)
				s.Status = status
				return keep
			})
			r := operations(t, baseline, lose(healthy(), 0.4, tt.loss))
			if r.Changed() {
				t.Errorf("symptoms:%s", significant(r))
			}
			if n := warningCounts(r)[tt.warning]; n < 100 || n > 200 {
				t.Errorf("warnings %v", r.Warnings)
			}
		})
	}
}

// A failed call without its server's span may be just that: it is not for want of spans.
func TestUnansweredCallsThatFailedCount(t *testing.T) {
	r := compareWorlds(t, 3, knobs{}, knobs{storeDown: 0.3})
	if !r.Changed() || warningCounts(r)[WarningIncomplete] != 0 {
		t.Errorf("symptoms%s, warnings %v", significant(r), r.Warnings)
	}
}

// Roots that have not ended take nothing off an excess of those that have.
func TestUnfinishedRootsDoNotDilute(t *testing.T) {
	baseline := window(2, "baseline", knobs{traces: 400})
	slow := window(2, "incident", knobs{traces: 400, storeWork: 30})
	excess := func(r *OperationsResult) float64 {
		for _, s := range r.Symptoms {
			if s.Kind == SymptomLatency {
				return s.Excess.Value
			}
		}
		return math.NaN()
	}
	all := excess(operations(t, baseline, slow))
	half := excess(operations(t, baseline, lose(slow, 0.5, func(s *tracewhy.SpanData) bool {
		if s.ParentSpanID.IsZero() {
			s.End = 0
		}
		return true
	})))
	if math.Abs(all-half) > 1 || all < 29 {
		t.Errorf("an excess of %.2f ms, and %.2f ms with half of the roots unfinished", all, half)
	}
}

// Where callers are recorded nowhere, as behind a gateway without spans, traces are whole without a root.
func TestTracesBehindAnUnrecordedCaller(t *testing.T) {
	behind := func(spans []tracewhy.SpanData) []tracewhy.SpanData {
		for i := range spans {
			if spans[i].ParentSpanID.IsZero() {
				spans[i].ParentSpanID = tracewhy.SpanID{0: 0xff}
			}
		}
		return spans
	}
	k := knobs{traces: 300, authFails: 0.3}
	want := operations(t, window(1, "baseline", knobs{traces: 300}), window(1, "incident", k))
	got := operations(t, behind(window(1, "baseline", knobs{traces: 300})), behind(window(1, "incident", k)))
	if len(got.Warnings) != 0 {
		t.Errorf("warnings %v", got.Warnings)
	}
	if diff := cmp.Diff(want.Symptoms, got.Symptoms); diff != "" || !got.Changed() {
		t.Errorf("symptoms differ from those of traces with roots:\n%s", diff)
	}
}

// A laptop that slept, a clock that was never set and one of the far future are each one odd trace.
func TestFarOffTimesDecideNothing(t *testing.T) {
	incident := window(1, "incident", knobs{traces: 300})
	roots := 0
	for i := range incident {
		s := &incident[i]
		if !s.ParentSpanID.IsZero() {
			continue
		}
		switch roots++; roots {
		case 1:
			s.End += 7 * 24 * 3600 * 1000 * millisecond
		case 2:
			s.Start, s.End = 1, 2
		case 3:
			s.Start, s.End = 1, math.MaxInt64
		case 4:
			s.Start, s.End = math.MaxInt64-1, math.MaxInt64
		case 5:
			s.End = math.MaxUint64
		}
	}
	r := operations(t, window(1, "baseline", knobs{traces: 300}), incident)
	if r.Changed() {
		t.Errorf("symptoms:%s", significant(r))
	}
	for _, s := range r.Symptoms {
		for _, x := range []float64{s.Baseline, s.Incident, s.Excess.Value, s.Excess.Low, s.Excess.High, s.P, s.Q} {
			if math.IsNaN(x) || math.IsInf(x, 0) {
				t.Errorf("%+v", s)
			}
		}
	}
	if n := warningCounts(r)[WarningUnfinished]; n != 1 {
		t.Errorf("warnings %v", r.Warnings)
	}
}
