package scenario

import (
	"slices"
	"testing"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/stats"
)

// TestLimit: in any time of length t no more than burst + t/interval calls are let through, and none is refused that
// could have been.
func TestLimit(t *testing.T) {
	random := stats.NewRand(1, stats.Key("limit"))
	for _, l := range []limit{
		{interval: 1000, burst: 1}, {interval: 1000, burst: 8}, {interval: 1000, burst: 3, queues: 5000}, {interval: 7000, burst: 40, queues: 30_000},
	} {
		w := &run{due: map[*service]int64{}}
		var passed []int64
		for range 3000 {
			w.now += exponential(random, l.interval*2/3) // half as many again as the limit allows
			wait, isOver := w.admit(nil, l)
			if wait < 0 || wait > l.queues || isOver && l.queues > 0 {
				t.Fatalf("%+v: waits %d, refused %v", l, wait, isOver)
			}
			at := w.now + wait
			conforms := func() bool {
				for i, from := range passed {
					if int64(len(passed)-i)+1 > l.burst+(at-from)/l.interval {
						return false
					}
				}
				return true
			}
			switch {
			case isOver || l.queues > 0 && wait == l.queues:
				if conforms() && l.queues == 0 {
					t.Fatalf("%+v: a call at %d is refused", l, at)
				}
			case !conforms():
				t.Fatalf("%+v: a call at %d passes", l, at)
			default:
				passed = append(passed, at)
			}
		}
		// Who may not save up uses less: without a bucket and a queue it is A. K. Erlang's loss, 1/(1 + 1/1.5) of the rate.
		if rate := float64(len(passed)) * float64(l.interval) / float64(w.now); rate < 0.57 || l.burst > 1 && rate < 0.9 || rate > 1.05 {
			t.Errorf("%+v: lets %.2f of its rate through", l, rate)
		}
	}
}

// callsTo returns the calls of a run to a vendor: how many there are, how many of them are refused, have another error of
// the vendor's, and how long they take without waits for a connection within them, in milliseconds.
func callsTo(w *run, op *operation) (n, refused, failed int, ms []float64) {
	host := []tracewhy.KeyValue{tracewhy.String("server.address", op.service.address), tracewhy.String("net.peer.name", op.service.address)}
	refusals := []tracewhy.KeyValue{
		tracewhy.Int("http.response.status_code", 429), tracewhy.Int("http.status_code", 429), tracewhy.Int("rpc.grpc.status_code", 8),
	}
	waits := map[tracewhy.SpanID]uint64{}
	for _, r := range w.records() {
		if r.Name == waitName {
			waits[r.ParentSpanID] += r.End - r.Start
		}
	}
	for _, r := range w.records() {
		if r.Kind != tracewhy.KindClient || r.Name != op.clientName || !hasAny(r, host) {
			continue
		}
		n++
		isRefused := hasAny(r, refusals) ||
			slices.ContainsFunc(r.Attributes, func(kv tracewhy.KeyValue) bool { return kv.Key == "http.response.header.retry-after" })
		switch {
		case isRefused:
			refused++
		case r.Status == tracewhy.StatusError && r.StatusMessage == storeError(op).message:
			failed++
		case r.Status != tracewhy.StatusError:
			ms = append(ms, float64(r.End-r.Start-waits[r.SpanID])/float64(millisecond))
		}
	}
	return n, refused, failed, ms
}

// hasAny reports whether a span has one of the attributes.
func hasAny(r *record, of []tracewhy.KeyValue) bool {
	return slices.ContainsFunc(r.Attributes, func(kv tracewhy.KeyValue) bool {
		return slices.ContainsFunc(of, func(x tracewhy.KeyValue) bool { return sameAttribute(kv, x) })
	})
}

// TestThrottling: a vendor refuses or delays calls when more are made than it allows, and hardly any other ones. Without
// its limit the same requests would all have been answered.
func TestThrottling(t *testing.T) {
	kinds := map[string]int{}
	for seed := range uint64(4) {
		f := []Family{vendorThrottling, vendorThrottlingUntagged}[seed%2]
		baseline, incident, d := windows(f, 402+seed, small, false)
		bureau := d.estate.desk.bureau
		kinds[d.label.FaultType]++
		before, early, _, usual := callsTo(baseline, bureau)
		n, refused, _, now := callsTo(incident, bureau)
		if d.limits[bureau.service].queues > 0 {
			if refused > 0 || stats.Mean(now) < 1.3*stats.Mean(usual) {
				t.Errorf("%s seed %d: %d of %d refused; answers take %.0f ms instead of %.0f", f.Name, 402+seed, refused, n, stats.Mean(now), stats.Mean(usual))
			}
		} else if early*20 > before || refused*20 < n {
			t.Errorf("%s seed %d: %d of %d calls refused before, and then %d of %d", f.Name, 402+seed, early, before, refused, n)
		}
		for _, s := range d.estate.services {
			if _, ok := d.limits[s]; ok != (s == bureau.service) {
				t.Errorf("%s seed %d: limit of %s", f.Name, 402+seed, s.name)
			}
		}
	}
	if kinds["throttling"] == 0 || kinds["throttling by delay"] == 0 {
		t.Errorf("kinds %v", kinds)
	}
}

// TestSlowVendor: answers take longer, are as right as before, and other vendors' take no longer.
func TestSlowVendor(t *testing.T) {
	for seed := range uint64(3) {
		baseline, incident, d := windows(vendorSlow, 420+seed, small, false)
		for _, op := range d.estate.operations() {
			if !op.service.outside() {
				continue
			}
			_, _, _, before := callsTo(baseline, op)
			n, refused, failed, now := callsTo(incident, op)
			isSlow := op == d.estate.desk.bureau
			if refused > 0 || isSlow && failed*20 > n {
				t.Errorf("seed %d: %d of %d calls of %s refused, %d failed", 420+seed, refused, n, op.service.name, failed)
			}
			if len(before) < 10 || len(now) < 10 {
				continue
			}
			p := stats.MannWhitney(stats.NewSample(now), stats.NewSample(before), stats.Greater).P
			if isSlow && p > 1e-4 || !isSlow && p < 1e-4 {
				t.Errorf("seed %d: %s is slower with p = %g", 420+seed, op.service.name, p)
			}
		}
	}
}

// vain returns how many spans end because no connection to a vendor became free.
func (w *run) vain() (n int) {
	for _, r := range w.records() {
		if x := channelTimeouts[r.at.service.language]; r.Kind == tracewhy.KindClient && r.StatusMessage == x.message {
			n++
		}
	}
	return n
}

// TestPoolBeforeVendor: requests wait for connections while the vendor answers as fast as before.
func TestPoolBeforeVendor(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long: run without -short")
	}
	kinds := map[string]int{}
	for seed := range uint64(4) {
		baseline, incident, d := windows(poolBeforeVendor, 440+seed, small, false)
		l := d.estate.desk
		kinds[d.label.FaultType]++
		_, _, _, before := callsTo(baseline, l.bureau)
		_, refused, _, now := callsTo(incident, l.bureau)
		if l.isHidden() {
			if vain := incident.vain(); vain < 10 || baseline.vain() > 0 {
				t.Errorf("seed %d: %d waits in vain, %d before", 440+seed, vain, baseline.vain())
			}
			continue
		}
		if p := stats.MannWhitney(stats.NewSample(now), stats.NewSample(before), stats.TwoSided).P; refused > 0 || p < 1e-4 {
			t.Errorf("seed %d: %d refused, answers differ with p = %g", 440+seed, refused, p)
		}
		if !l.service.channel.hasSpans() {
			continue
		}
		var waits [2]int
		for k, w := range []*run{baseline, incident} {
			for _, r := range w.records() {
				if r.Name == waitName && hasAny(r, l.service.channel.attrs) && r.End-r.Start > uint64(20*millisecond) {
					waits[k]++
				}
			}
		}
		if waits[1] < 10 || waits[1] < 3*waits[0] {
			t.Errorf("seed %d (%s): %d waits before, then %d", 440+seed, d.label.FaultType, waits[0], waits[1])
		}
	}
	if len(kinds) < 2 {
		t.Errorf("kinds %v", kinds)
	}
}
