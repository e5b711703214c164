package scenario

import (
	"slices"
	"testing"

	"github.com/tracewhy/tracewhy"
)

// TestPoolWaits: the symptoms of a leaking pool are the queue's. Before the fault nobody waits; then some wait and
// get a connection, and others wait as long as they can.
func TestPoolWaits(t *testing.T) {
	withSpan, without := 0, 0
	for seed := range uint64(8) {
		_, incident, d := windows(poolExhaustion, 60+seed, size{400, 150 * millisecond}, false)
		s := d.estate.find(roleFraud)
		if !s.recordsWaits {
			without++
			if slices.ContainsFunc(incident.records(), func(r *record) bool { return r.Name == waitName && r.at.service == s }) {
				t.Errorf("seed %d: a wait has a span that should have none", 60+seed)
			}
			continue
		}
		withSpan++
		early, long, short, vain := 0, 0, 0, 0
		for _, r := range incident.records() {
			if r.Name != waitName || r.at.service != s {
				continue
			}
			switch took := int64(r.End - r.Start); {
			case int64(r.Start) < d.fault.begins:
				if took > 20*millisecond {
					early++
				}
			case r.Status == tracewhy.StatusError:
				vain++
				if took < s.patience || took > s.patience+millisecond {
					t.Errorf("seed %d: a wait in vain took %d ns, want %d", 60+seed, took, s.patience)
				}
			case took > 20*millisecond:
				long++
			default:
				short++
			}
		}
		if early > 0 || long == 0 || vain == 0 || short == 0 {
			t.Errorf("seed %d: %d long waits before the fault; then %d short ones, %d long ones, %d in vain",
				60+seed, early, short, long, vain)
		}
	}
	if withSpan == 0 || without == 0 {
		t.Errorf("%d cases with spans for waits and %d without", withSpan, without)
	}
}

// records returns the spans of a run in true time.
func (w *run) records() []*record {
	var all []*record
	for _, chunk := range w.spans.chunks {
		for i := range chunk {
			all = append(all, &chunk[i])
		}
	}
	return all
}

// TestNetworkLatencyIsBetweenSpans: the delay lies outside the server's span, and on one edge only.
func TestNetworkLatencyIsBetweenSpans(t *testing.T) {
	for seed := range uint64(4) {
		_, incident, d := windows(networkLatency, 80+seed, small, false)
		callee := d.label.Causes[0].Services[0]
		byID := map[tracewhy.SpanID]*record{}
		for _, r := range incident.records() {
			byID[r.SpanID] = r
		}
		slow, others := 0, 0
		for _, r := range incident.records() {
			client := byID[r.ParentSpanID]
			if r.Kind != tracewhy.KindServer || client == nil || client.at.host.region != r.at.host.region {
				continue
			}
			onTheWay := int64(client.End - client.Start - (r.End - r.Start))
			switch {
			case onTheWay < 4*millisecond || client.End < r.End:
			case r.at.service.name == callee:
				slow++
			default:
				others++
			}
		}
		if slow == 0 || others > 0 {
			t.Errorf("seed %d: %d calls of %s were long on their way, and %d of others", 80+seed, slow, callee, others)
		}
	}
}

// TestBadInstances: what goes wrong goes wrong where the label says.
func TestBadInstances(t *testing.T) {
	for _, f := range []Family{badInstance, badVersion} {
		for seed := range uint64(4) {
			_, incident, d := windows(f, 90+seed, small, false)
			cause := d.label.Causes[0]
			if d.label.FaultType == "unreachable" {
				continue
			}
			version, name := cause.Conditions["service.version"], cause.Conditions["service.instance.id"]
			isBad := func(in *instance) bool { return in.version == version || in.name == name }
			healthy := &run{estate: d.estate, fleet: d.fleet, traffic: d.traffic, seed: incident.seed}
			healthy.simulate()
			var harmed, spared int // server spans of the service that are not as they would be
			for _, r := range changed(healthy, incident, cause.Services[0]) {
				if isBad(r.at) {
					harmed++
				} else {
					spared++
				}
			}
			if harmed == 0 || spared > harmed/4 {
				t.Errorf("%s, seed %d: %d executions harmed on the bad instances, %d on others", f.Name, 90+seed, harmed, spared)
			}
		}
	}
}

// changed returns the server spans of a service in the second run that failed or took longer than its slowest
// ones of the first.
func changed(healthy, faulty *run, service string) []*record {
	limit := map[string]uint64{}
	for _, r := range healthy.records() {
		if r.at.service.name == service && r.Kind == tracewhy.KindServer {
			limit[r.Name] = max(limit[r.Name], r.End-r.Start)
		}
	}
	var all []*record
	for _, r := range faulty.records() {
		if r.at.service.name == service && r.Kind == tracewhy.KindServer &&
			(len(r.Events) > 0 || r.End-r.Start > limit[r.Name]) {
			all = append(all, r)
		}
	}
	return all
}
