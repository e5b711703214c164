package otelsdk

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/sample"
)

// AlertConfig says when the latest traces are so much worse than those before that somebody has to know.
// Its zero value gives no alerts; with Call the other zero values are the documented defaults.
//
// Every Config.Bin, each transaction (the operation of a root) and each external dependency (the peer of
// client spans that have no server span below them) is compared with its own past: the share of traces
// that failed, and the share that took longer than 95 % of the baseline. Both are exact tests of two
// shares, and so assume nothing of how durations are distributed.
type AlertConfig struct {
	// Call is called with each alert, one at a time and on a goroutine of the recorder, so that it may take
	// its time: it can run an analysis and send the report to somebody. Of further alerts that come
	// meanwhile one waits. The context ends when Shutdown's does. Nil means no alerts.
	Call func(context.Context, Alert)

	// Recent is how much of the latest time is compared with the window before it; 0 means a minute.
	Recent time.Duration
	// MinTraces is how many traces there must be in both; 0 means 20.
	MinTraces int
	// Alpha is the probability of a false alarm each time that is looked, over all that is watched; 0 means
	// 1e-6.
	Alpha float64
	// MinFailed is by how much the share of failing traces must rise, and MinSlow that of slow ones, to
	// be worth an alert however significant; 0 means 0.05 and 0.25. A rise of less than half of it ends
	// the alert.
	MinFailed, MinSlow float64
}

func (c AlertConfig) withDefaults() AlertConfig {
	c.Recent = orDefault(c.Recent, time.Minute)
	c.MinTraces = orDefault(c.MinTraces, 20)
	c.Alpha = orDefault(c.Alpha, 1e-6)
	c.MinFailed = orDefault(c.MinFailed, 0.05)
	c.MinSlow = orDefault(c.MinSlow, 0.25)
	return c
}

// SubjectKind says what went worse.
type SubjectKind uint8

// The kinds of subject.
const (
	Transaction SubjectKind = iota // requests that the service answers
	Dependency                     // something external that it calls
)

// SignalKind says in which way it went worse.
type SignalKind uint8

// The kinds of signal.
const (
	Failed SignalKind = iota
	Slow
)

const numSignals = int(Slow) + 1

// Count is how many traces there were, and how many of these failed or were slow.
type Count struct{ Traces, Bad int }

// Share returns Bad/Traces, or 0 if there are none.
func (c Count) Share() float64 {
	if c.Traces == 0 {
		return 0
	}
	return float64(c.Bad) / float64(c.Traces)
}

// Signal is one thing that went worse.
type Signal struct {
	Subject SubjectKind
	Service string // of the transaction; "" for a dependency
	Name    string // the transaction's operation, or the dependency's name: [tracewhy.Span.Peer]
	Kind    SignalKind

	Since            time.Time     // the start of the bin in which it began
	Baseline, Recent Count         // of all traces, kept or not
	Limit            time.Duration // what is slow: the 95th percentile of the baseline, rounded up by at most a quarter
	P                float64       // of the test when the signal began; 0 for one that began earlier
}

// String returns the signal in words.
func (s Signal) String() string {
	what := "failed"
	if s.Kind == Slow {
		what = "took more than " + s.Limit.Round(time.Microsecond).String()
	}
	name := s.Name
	if s.Subject == Dependency {
		name = "calls of " + name
	}
	return fmt.Sprintf("%s: %.1f %% of %d traces %s, %.1f %% of %d before", name, 100*s.Recent.Share(), s.Recent.Traces, what, 100*s.Baseline.Share(), s.Baseline.Traces)
}

// Alert says that an incident began. Until all signals have ended, what else goes worse belongs to the
// same incident, and does not call back again. What lasts longer than the window is normal by then.
type Alert struct {
	Signals []Signal // all that are on, transactions first

	// Baseline and Incident are the traces of the window from before the first signal, without those of
	// earlier incidents, and from then on: cohorts of one Set, for rca.Investigate.
	Baseline, Incident tracewhy.Cohort
}

// maxPendingAlerts is how many alerts wait for the callback. Each holds on to the window as it was.
const maxPendingAlerts = 1

// A pendingAlert is an alert whose Set has still to be built.
type pendingAlert struct {
	signals  []Signal
	samples  []*sample.Sample
	onset    int64
	excluded map[int64]bool
}

// look looks for what went worse, with r.mu held.
func (r *Recorder) look() {
	signals, begins := r.watch.look(r.window.newest)
	if !begins {
		return
	}
	p := pendingAlert{signals: signals, samples: r.window.snapshot(), onset: r.window.newest, excluded: map[int64]bool{}}
	for _, se := range r.watch.series {
		for i := range se.signals {
			sig := &se.signals[i]
			if sig.on {
				p.onset = min(p.onset, sig.onset)
			}
			for bin := range sig.bad {
				p.excluded[bin] = true
			}
		}
	}
	select {
	case r.alerts <- p:
		r.stats.Alerts++
	default:
		r.stats.AlertsLost++
	}
}

// callBack makes the callbacks until there are no more.
func (r *Recorder) callBack(ctx context.Context) {
	defer close(r.done)
	defer r.cancel()
	for p := range r.alerts {
		var b tracewhy.Builder
		for _, s := range p.samples {
			if s.AddTo(ctx, &b) != nil {
				break
			}
		}
		set, err := b.Build(ctx)
		if err != nil { // cancelled by Shutdown
			continue
		}
		r.cfg.Alert.Call(ctx, Alert{
			Signals: p.signals,
			Baseline: set.Select(func(t tracewhy.Trace) bool {
				bin, ok := binOf(t, r.cfg.Bin)
				return ok && bin < p.onset && !p.excluded[bin]
			}),
			Incident: set.Select(func(t tracewhy.Trace) bool {
				bin, ok := binOf(t, r.cfg.Bin)
				return ok && bin >= p.onset
			}),
		})
	}
}

// clone returns the subject with texts of its own: those of a Set hold on to all of it.
func (s subject) clone() subject {
	s.service, s.name = strings.Clone(s.service), strings.Clone(s.name)
	return s
}
