package compare

import (
	"math"

	"github.com/tracewhy/tracewhy/internal/stats"
)

// exposure counts the traces for which something holds, by root operation and side.
type exposure struct {
	c     *comparison
	count [][2]int
	mass  [][2]mass
}

func (c *comparison) newExposure() exposure {
	return exposure{c, make([][2]int, len(c.strata)), make([][2]mass, len(c.strata))}
}

func (e exposure) add(trace int) {
	s, side := e.c.stratum[trace], e.c.side[trace]
	e.count[s][side]++
	e.mass[s][side].add(e.c.traces[trace].Weight())
}

func (e exposure) total() (n [2]int) {
	for _, x := range e.count {
		n[base] += x[base]
		n[inc] += x[inc]
	}
	return n
}

// tables returns one table for each root operation that both cohorts have.
func (e exposure) tables() []stats.Table {
	var ts []stats.Table
	for s, x := range e.count {
		if n := e.c.strata[s]; e.c.matched(int32(s)) {
			if m := e.c.mass[s]; m[base].uneven() || m[inc].uneven() {
				x[inc], n[inc] = effective(x[inc], n[inc], e.mass[s][inc], m[inc], math.Floor)
				x[base], n[base] = effective(x[base], n[base], e.mass[s][base], m[base], math.Ceil)
			}
			ts = append(ts, stats.Table{A: x[inc], B: n[inc] - x[inc], C: x[base], D: n[base] - x[base]})
		}
	}
	return ts
}

// p tests whether it holds for more of the incident's traces, within root operations.
func (e exposure) p() float64 {
	p, _ := stats.FisherStratified(e.tables())
	return p
}
