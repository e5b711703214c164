package otelsdk_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/ingest/otelsdk"
	"github.com/tracewhy/tracewhy/rca"
)

// A phase is a time in which requests are of one kind.
type phase struct {
	lasts    time.Duration
	failing  float64       // share of the calls of cards that fail
	slower   time.Duration // what these calls take more
	tolerant bool          // requests succeed although the call fails
}

// alertsOf runs phases, five requests a second half of which call cards and half stock, and returns the
// alerts.
func alertsOf(t *testing.T, cfg otelsdk.AlertConfig, phases ...phase) (alerts []otelsdk.Alert) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		cfg.Call = func(_ context.Context, a otelsdk.Alert) { alerts = append(alerts, a) }
		r := otelsdk.New(otelsdk.Config{PerStratum: 4, Alert: cfg})
		s := newService(r)
		rng := rand.New(rand.NewPCG(1, 1))
		var requests sync.WaitGroup
		for _, p := range phases {
			for end := time.Now().Add(p.lasts); time.Now().Before(end); {
				req := request{vendor: "stock", operation: "GET /stock", took: time.Duration(5+rng.ExpFloat64()*5) * time.Millisecond}
				if rng.IntN(2) == 0 {
					req.vendor, req.operation = "cards", "POST /pay"
					req.fails = rng.Float64() < p.failing
					req.took += p.slower
				}
				req.tolerant = p.tolerant
				requests.Go(func() { s.serve(t.Context(), req) })
				time.Sleep(200 * time.Millisecond)
			}
		}
		requests.Wait()
		shutdown(t, r)
		if st := consistent(t, r); st.Alerts != uint64(len(alerts)) || st.AlertsLost != 0 {
			t.Errorf("%d alerts, %+v", len(alerts), st)
		}
	})
	return alerts
}

func TestAlerts(t *testing.T) {
	const (
		pay   = "POST /pay failed"
		slow  = "POST /pay slow"
		cards = "cards failed"
		late  = "cards slow"
	)
	good := phase{lasts: 5 * time.Minute, failing: 0.02}
	bad := phase{lasts: 3 * time.Minute, failing: 0.4}
	minute, pause := phase{lasts: time.Minute, failing: 0.4}, phase{lasts: 30 * time.Second, failing: 0.02}
	tests := []struct {
		name   string
		phases []phase
		want   [][]string // the signals of each alert
	}{
		{"nothing", []phase{good, good}, nil},
		{"much failing, as ever", []phase{{lasts: 10 * time.Minute, failing: 0.3}}, nil},
		{"significant, but not noticeable", []phase{{lasts: 5 * time.Minute}, {lasts: 5 * time.Minute, failing: 0.03}}, nil},
		{"a failing vendor", []phase{good, bad}, [][]string{{pay, cards}}},
		{"it ends", []phase{good, bad, good}, [][]string{{pay, cards}}},
		{"twice", []phase{good, bad, good, bad}, [][]string{{pay, cards}, {pay, cards}}},
		{"it comes and goes", []phase{good, minute, pause, minute, pause, minute}, [][]string{{pay, cards}}},
		{"a slow vendor", []phase{good, {lasts: 3 * time.Minute, slower: 200 * time.Millisecond}}, [][]string{{slow, late}}},
		{"a failing vendor that is tolerated", []phase{good, {lasts: 3 * time.Minute, failing: 0.4, tolerant: true}}, [][]string{{cards}}},
		{"worse while bad already", []phase{good, bad, {lasts: 3 * time.Minute, failing: 0.9, slower: time.Second}}, [][]string{{pay, cards}}},
		{"too young for a baseline", []phase{bad}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got [][]string
			for _, a := range alertsOf(t, otelsdk.AlertConfig{}, tt.phases...) {
				var names []string
				for _, s := range a.Signals {
					names = append(names, s.Name+" "+map[otelsdk.SignalKind]string{otelsdk.Failed: "failed", otelsdk.Slow: "slow"}[s.Kind])
				}
				got = append(got, names)
			}
			if !slices.EqualFunc(got, tt.want, slices.Equal) {
				t.Errorf("alerts %q, want %q", got, tt.want)
			}
		})
	}
}

// An alert carries what an investigation needs.
func TestAlertCohorts(t *testing.T) {
	alerts := alertsOf(t, otelsdk.AlertConfig{}, phase{lasts: 5 * time.Minute, failing: 0.02}, phase{lasts: 2 * time.Minute, failing: 0.5})
	if len(alerts) != 1 {
		t.Fatalf("%d alerts", len(alerts))
	}
	a := alerts[0]
	s := a.Signals[0]
	began := time.Date(2000, 1, 1, 0, 5, 0, 0, time.UTC) // a bubble's time begins with 2000
	if d := s.Since.Sub(began).Abs(); d > 10*time.Second {
		t.Errorf("since %v, %v off", s.Since, d)
	}
	if s.Subject != otelsdk.Transaction || s.Service != "shop" || s.Baseline.Share() > 0.05 || s.Recent.Share() < s.Baseline.Share()+0.05 || s.P > 1e-6 {
		t.Errorf("%+v", s)
	}
	failing := func(c tracewhy.Cohort) float64 {
		sum := 0.0
		for tr := range c.Traces() {
			if tr.Root().Failed() {
				sum += tr.Weight()
			}
		}
		return sum / c.Weight()
	}
	if a.Baseline.Set() != a.Incident.Set() || failing(a.Baseline) > 0.03 || failing(a.Incident) < 0.15 {
		t.Errorf("%v of the baseline fail, %v of the incident", failing(a.Baseline), failing(a.Incident))
	}
	r, err := rca.Investigate(t.Context(), a.Baseline, a.Incident, rca.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if r.Verdict == rca.VerdictNoIncident || len(r.RootCauses) == 0 || r.RootCauses[0].Service != "cards" {
		t.Errorf("verdict %s, causes %+v", r.Verdict, r.RootCauses)
	}
}

// A callback may take its time: others wait, and recording goes on. Shutdown cancels it.
func TestSlowCallback(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cancelled := false
		r := otelsdk.New(otelsdk.Config{Alert: otelsdk.AlertConfig{Call: func(ctx context.Context, _ otelsdk.Alert) {
			<-ctx.Done()
			cancelled = true
		}}})
		s := newService(r)
		for i := range 4000 {
			s.serve(t.Context(), request{vendor: "cards", took: 50 * time.Millisecond, fails: i > 3000})
		}
		time.Sleep(2 * time.Second)
		if st := consistent(t, r); st.Alerts != 1 || st.Traces != 4000 {
			t.Errorf("%+v", st)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := r.Shutdown(ctx); err != context.DeadlineExceeded {
			t.Errorf("error %v", err)
		}
		synctest.Wait()
		if !cancelled {
			t.Error("the callback was not cancelled")
		}
	})
}
