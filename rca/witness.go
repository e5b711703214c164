package rca

import (
	"cmp"
	"slices"
	"strings"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/compare"
	"github.com/tracewhy/tracewhy/internal/stats"
)

// A candidate is a condition that may say whom a fault hits.
type candidate struct {
	condition compare.AttributeCondition
	finding   *compare.AttributeFinding // what it was found with

	table    stats.Table // affected or spared × meets it or not
	hits     []uint64    // which of the traces meet it, one bit each
	zone     zone        // where most of the affected have it recorded
	byRoot   map[tracewhy.PathID]*occurrence
	others   [2]int                  // affected and spared traces that have the key, and do not meet it
	byPath   map[tracewhy.PathID]int // spans with an attribute that meets it
	instance string                  // of the service of the culprit, if the condition names one
}

// An occurrence counts traces of one root operation that meet a condition, and all of them.
type occurrence struct {
	incident, baseline [2]int
	affected           int // that meet it
}

// witness knows which traces meet which candidates, and where that is recorded.
type witness struct {
	site       *site
	affected   tracewhy.Cohort
	candidates []*candidate
	rows       map[int]int             // of the traces, by their index
	spans      map[tracewhy.PathID]int // how many there are of each path
}

// witness looks each candidate up in the traces. What was recorded by a further attempt at a call says nothing: that
// there was one is what came of the fault, and the more attempts the more copies and values a trace meets.
func (x *site) witness(affected, spared, baseline tracewhy.Cohort, candidates []*candidate) *witness {
	w := &witness{site: x, affected: affected, candidates: candidates, rows: map[int]int{}, spans: map[tracewhy.PathID]int{}}
	n := affected.Len() + spared.Len()
	for _, c := range candidates {
		c.hits, c.byRoot, c.byPath = make([]uint64, (n+63)/64), map[tracewhy.PathID]*occurrence{}, map[tracewhy.PathID]int{}
	}
	ofAttr := attributesOf(affected.Set(), candidates)
	zones := make([]map[zone]int, len(candidates)) // of the affected that meet it
	for i := range zones {
		zones[i] = map[zone]int{}
	}
	const none = zone(255)
	at, has := make([]zone, len(candidates)), make([]zone, len(candidates)) // the earliest zone with the condition, and with the key
	row := 0
	for side, cohort := range []tracewhy.Cohort{affected, spared, baseline} {
		for t := range cohort.Traces() {
			w.rows[t.Index()] = row
			root := t.Root().Path().ID()
			for i := range candidates {
				at[i], has[i] = none, none
			}
			again := furtherAttempts(t)
			for s := range t.Spans() {
				if again[s] {
					continue
				}
				w.spans[s.Path().ID()]++
				look := func(id tracewhy.AttrID, place compare.AttributePlace, z zone) {
					for _, m := range ofAttr[id] {
						c := candidates[m.candidate]
						if c.condition.Place != place || place == compare.PlaceResource && c.condition.Service != s.Service() {
							continue
						}
						has[m.candidate] = min(has[m.candidate], z)
						if m.meets {
							at[m.candidate] = min(at[m.candidate], z)
							c.byPath[s.Path().ID()]++
						}
					}
				}
				z := x.zones[s.Path().ID()]
				for id := range s.AttrIDs() {
					look(id, compare.PlaceSpan, z)
				}
				if s.Service() == x.service && z == zoneBelow {
					z = zoneCulprit
				}
				for id := range s.ResourceAttrIDs() {
					look(id, compare.PlaceResource, z)
				}
			}
			for i, c := range candidates {
				z := at[i]
				if c.condition.Op == tracewhy.OpMissing {
					z = none
					if has[i] == none {
						z = zoneCulprit
					}
				}
				o := c.byRoot[root]
				if o == nil {
					o = &occurrence{}
					c.byRoot[root] = o
				}
				if side < 2 && z == none && has[i] != none {
					c.others[side]++
				}
				count := &o.incident
				if side == 2 {
					count = &o.baseline
				}
				if count[1]++; z != none {
					count[0]++
				}
				switch {
				case side == 2:
					continue
				case z != none && side == 0:
					c.table.A++
					o.affected++
					zones[i][z]++
				case side == 0:
					c.table.B++
				case z != none:
					c.table.C++
				default:
					c.table.D++
				}
				if z != none {
					c.hits[row/64] |= 1 << (row % 64)
				}
			}
			row++
		}
	}
	for i, c := range candidates {
		met := 0
		for z := zoneRoot; z <= zoneBelow && 10*met < 9*c.table.A; z++ {
			met += zones[i][z]
			c.zone = z
		}
	}
	return w
}

// furtherAttempts returns the spans of calls that were made again after one had failed, or before it had answered, and
// of all that these called.
func furtherAttempts(t tracewhy.Trace) map[tracewhy.Span]bool {
	var again map[tracewhy.Span]bool
	for s := range t.Spans() {
		for _, g := range s.CallGroups() {
			if g.Pattern == tracewhy.PatternRepeat {
				continue
			}
			if again == nil {
				again = map[tracewhy.Span]bool{}
			}
			for _, call := range g.Calls[1:] {
				again[call] = true
				for below := range call.Descendants() {
					again[below] = true
				}
			}
		}
	}
	return again
}

// A match says that an attribute is of a candidate's key, and whether it meets the condition.
type match struct {
	candidate int
	meets     bool
}

func attributesOf(set *tracewhy.Set, candidates []*candidate) map[tracewhy.AttrID][]match {
	of := map[tracewhy.AttrID][]match{}
	for i, c := range candidates {
		first, end := set.AttrRange(c.condition.Key)
		for id := first; id < end; id++ {
			of[id] = append(of[id], match{i, meets(c.condition.Condition, set.AttrValue(id))})
		}
	}
	return of
}

// meets reports whether a value is as the condition says.
func meets(c tracewhy.Condition, v tracewhy.Value) bool {
	switch c.Op {
	case tracewhy.OpEqual:
		return v.Canonical().Equal(c.Value.Canonical())
	case tracewhy.OpAtLeast, tracewhy.OpLess:
		x, isNumber := v.Number()
		y, both := c.Value.Number()
		return isNumber && both && (x >= y) == (c.Op == tracewhy.OpAtLeast)
	case tracewhy.OpHas:
		for _, e := range v.Elems() {
			if e.Value.Canonical().Equal(c.Value.Canonical()) {
				return true
			}
		}
		for e := range strings.SplitSeq(v.Str(), ",") {
			if tracewhy.StringOf(strings.TrimSpace(e)).Canonical().Equal(c.Value.Canonical()) {
				return true
			}
		}
	}
	return false
}

// best returns the candidate that singles out the affected, of those that could have been why: nil if none does.
// Of several that do so about equally well it is the one that says most.
func (w *witness) best(chance float64, isReach bool) *candidate {
	var able []*candidate
	for _, c := range w.candidates {
		if w.couldBeWhy(c) && singlesOut(w.table(c), chance) && (!isReach && !c.isElsewhere() || singlesOut(c.amongThose(), chance)) {
			able = append(able, c)
		}
	}
	if len(able) == 0 {
		return nil
	}
	most := 0.0
	for _, c := range able {
		most = max(most, contrast(w.table(c)))
	}
	able = slices.DeleteFunc(able, func(c *candidate) bool { return contrast(w.table(c)) < most-maxWorse })
	return slices.MinFunc(able, w.preference)
}

// maxWorse is by how much the better of two candidates has to single out more of the affected, net of the spared:
// what is closer is a matter of chance, and of spans that got lost.
const maxWorse = 0.05

// table returns what counts: of a condition on the culprit's own copies the traces that have any, if these are most,
// since all passed one, and it is the spans of the others that got lost.
func (w *witness) table(c *candidate) stats.Table {
	if those := c.amongThose(); c.condition.Place == compare.PlaceResource && c.condition.Service == w.site.service && 2*(those.A+those.B) > c.table.A+c.table.B {
		return those
	}
	return c.table
}

// isElsewhere reports whether traces may lack the condition because they did not come by where it is recorded.
func (c *candidate) isElsewhere() bool {
	return c.condition.Op != tracewhy.OpMissing && (c.zone > zoneCulprit || c.condition.Place == compare.PlaceResource)
}

// amongThose returns the table of the traces that have the key. If they all have it alike, the condition says no
// more than where they came by.
func (c *candidate) amongThose() stats.Table {
	return stats.Table{A: c.table.A, B: c.others[0], C: c.table.C, D: c.others[1]}
}

// What a condition of a cause has to reach.
const (
	minCovered  = 0.8 // of the affected meet it
	minOdds     = 3.0 // times the odds of being affected, among those who do
	minContrast = 0.2 // between the shares of the affected and of the spared that meet it
)

func contrast(t stats.Table) float64 { return share(t.A, t.A+t.B) - share(t.C, t.C+t.D) }

// singlesOut reports whether nearly all who are affected meet a condition, not counting those who would
// be without the fault, and much fewer of the others.
func singlesOut(t stats.Table, chance float64) bool {
	hit, all := float64(t.A+t.B), float64(t.A+t.B+t.C+t.D)
	met, exposed := float64(t.A), float64(t.A+t.C)
	excess := hit - chance*all
	return excess > 0 && met-chance*exposed >= minCovered*excess &&
		contrast(t) >= minContrast && t.OddsRatio(0.95).Value >= minOdds
}

// couldBeWhy reports whether the fault did not decide on what was recorded, and the code neither. What came with the
// request, or says which copies it passed, the fault could not. Elsewhere, and where something is missing, the test is how
// often that was so in the baseline: what a fault brings about was rare without it.
func (w *witness) couldBeWhy(c *candidate) bool {
	if w.isOfCode(c) {
		return false
	}
	if c.condition.Op != tracewhy.OpMissing && c.zone <= zoneCulprit {
		return true
	}
	usual, unusual := 0, 0 // affected traces by whether traces of their root operation met it as often before
	for _, o := range c.byRoot {
		before, now := share(o.baseline[0], o.baseline[1]), share(o.incident[0], o.incident[1])
		switch {
		case before == 1: // always
		case now <= 2*before:
			usual += o.affected
		default:
			unusual += o.affected
		}
	}
	return usual > unusual
}

// isOfCode reports whether each operation from the culprit on has an attribute alike in all its spans, or never, such as
// the table that it reads: that says which operations a trace has, and nothing of what was asked for.
func (w *witness) isOfCode(c *candidate) bool {
	if c.condition.Place != compare.PlaceSpan || c.condition.Op == tracewhy.OpMissing || c.zone < zoneCulprit {
		return false
	}
	for path, n := range c.byPath {
		if n < w.spans[path] {
			return false
		}
	}
	return true
}

// placeKeys tell the copies of a service apart. Of two that single out the same traces the earlier says
// more: a version, zone or region more than the one instance that is of it, and an instance more than the
// host that it runs on alone.
var placeKeys = []string{
	"service.version", "deployment.id", "cloud.region", "cloud.availability_zone",
	"service.instance.id", "k8s.pod.name", "k8s.pod.uid", "container.id", "k8s.node.name", "host.name", "host.id",
}

// preference orders candidates by what they say about the cause: first which copy of the culprit's service,
// then what came with the request, then what was recorded later.
func (w *witness) preference(x, y *candidate) int {
	return cmp.Or(
		cmp.Compare(w.rank(x), w.rank(y)), cmp.Compare(opRank(x.condition.Op), opRank(y.condition.Op)),
		cmp.Compare(x.condition.Key, y.condition.Key), cmp.Compare(x.condition.String(), y.condition.String()),
	)
}

func (w *witness) rank(c *candidate) int {
	if c.condition.Place == compare.PlaceResource && c.condition.Service == w.site.service {
		if i := slices.Index(placeKeys, c.condition.Key); i >= 0 {
			return i
		}
		return len(placeKeys)
	}
	rank := len(placeKeys) + 1 + 2*int(c.zone)
	if c.condition.Place == compare.PlaceResource {
		rank++
	}
	return rank
}

func opRank(op tracewhy.Op) int {
	return slices.Index([]tracewhy.Op{tracewhy.OpEqual, tracewhy.OpHas, tracewhy.OpAtLeast, tracewhy.OpLess, tracewhy.OpPresent, tracewhy.OpMissing}, op)
}

// aliases returns the candidates that the same traces meet, in the order of preference.
func (w *witness) aliases(c *candidate) []*candidate {
	var same []*candidate
	for _, x := range w.candidates {
		if x != c && slices.Equal(x.hits, c.hits) && w.couldBeWhy(x) {
			same = append(same, x)
		}
	}
	slices.SortStableFunc(same, w.preference)
	return same
}

// instance returns the instance of the culprit's service that a candidate names, or "".
func (w *witness) instance(c *candidate) string {
	if c.condition.Place != compare.PlaceResource || c.condition.Service != w.site.service {
		return ""
	}
	for t := range w.affected.Traces() {
		for s := range t.Spans() {
			if s.Service() != w.site.service {
				continue
			}
			if v, ok := s.ResourceAttr(c.condition.Key); ok && meets(c.condition.Condition, v) {
				if v.String() == s.Instance() {
					return s.Instance()
				}
				return ""
			}
		}
	}
	return ""
}

// meets reports whether a trace meets the candidate.
func (w *witness) meets(c *candidate, t tracewhy.Trace) bool {
	row, ok := w.rows[t.Index()]
	return ok && c.hits[row/64]&(1<<(row%64)) != 0
}
