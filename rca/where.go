package rca

import (
	"cmp"
	"slices"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/stats"
)

// instanceKey stands for [tracewhy.Span.Instance].
const instanceKey = ""

// placeKeys tell the copies of a service apart. Of two that single out the same traces the earlier says
// more: a version, zone or region more than the one instance that is of it, and an instance more than the
// host that it runs on alone.
var placeKeys = []string{"service.version", "deployment.id", "cloud.region", "cloud.availability_zone", instanceKey, "k8s.node.name", "host.name"}

// A concentration singles out affected traces by a copy of the service that they pass through.
type concentration struct {
	key, value string
	table      stats.Table // affected or not × passes through it or not
}

// excess is the share of the traces through it that are affected, less that of the other traces.
func (x concentration) excess() float64 { return x.table.RiskDifference(0.95).Value }

const (
	concentrationP = 0.001 // after Bonferroni's correction
	minCovered     = 0.8   // of the affected traces pass through it
	minRatio       = 3.0   // between the affected shares of the traces through it and of the others
)

// where says whether one instance, or one version, zone or host, of the suspect is affected alone. A
// trace through several copies counts for each of them.
func (c *cause) where(affected tracewhy.Cohort) (instance string, conditions []Condition) {
	counts := map[[2]string]*concentration{}
	passing, hit := 0, 0
	seen := map[[2]string]bool{}
	for t := range c.incident.Traces() {
		clear(seen)
		for s := range t.Spans() {
			if s.Service() != c.service {
				continue
			}
			for _, key := range placeKeys {
				if key == instanceKey {
					if name := s.Instance(); name != "" {
						seen[[2]string{key, name}] = true
					}
				} else if v, ok := s.ResourceAttr(key); ok && v.Kind() == tracewhy.StringValue {
					seen[[2]string{key, v.Str()}] = true
				}
			}
		}
		if len(seen) == 0 {
			continue
		}
		passing++
		isHit := affected.Has(t)
		if isHit {
			hit++
		}
		for kv := range seen {
			x := counts[kv]
			if x == nil {
				x = &concentration{key: kv[0], value: kv[1]}
				counts[kv] = x
			}
			if isHit {
				x.table.A++
			} else {
				x.table.C++
			}
		}
	}
	var found []*concentration
	for _, x := range counts {
		x.table.B, x.table.D = hit-x.table.A, passing-hit-x.table.C
		in, out := x.table.A+x.table.C, x.table.B+x.table.D
		if out == 0 || hit == 0 || float64(x.table.A) < minCovered*float64(hit) {
			continue
		}
		inside, outside := float64(x.table.A)/float64(in), float64(x.table.B)/float64(out)
		if inside >= minRatio*outside && x.table.Fisher(stats.Greater)*float64(len(counts)) <= concentrationP {
			found = append(found, x)
		}
	}
	if len(found) == 0 {
		return "", nil
	}
	rank := func(key string) int { return slices.Index(placeKeys, key) }
	// Compare how well they single out the affected traces to two digits: what is closer is a matter of chance.
	slices.SortFunc(found, func(x, y *concentration) int {
		return cmp.Or(cmp.Compare(int(50*y.excess()), int(50*x.excess())), cmp.Compare(rank(x.key), rank(y.key)), cmp.Compare(x.value, y.value))
	})
	best := found[0]
	if best.key == instanceKey {
		return best.value, nil
	}
	return "", []Condition{{Key: best.key, Op: tracewhy.OpEqual, Value: best.value}}
}
