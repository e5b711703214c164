package compare

import (
	"fmt"
	"slices"

	"github.com/tracewhy/tracewhy"
)

// lacks says what a trace lacks, and so cannot be asked: a set of bits. What is missing in one window more
// than in the other, because spans came late or were lost, would otherwise look like a change.
type lacks uint8

const (
	lacksRoot     lacks = 1 << iota // a fragment of a transaction, of which nothing is known
	lacksDuration                   // the root has no end, or another interval that is none
	lacksSpans                      // what is not there may be missing only
)

func lackOf(t tracewhy.Trace) (l lacks) {
	m := t.Missing()
	if m.Root {
		l |= lacksRoot
	}
	if _, _, ok := t.Root().Interval(); !ok {
		l |= lacksDuration
	}
	if m.Completeness() < 1 {
		l |= lacksSpans
	}
	return l
}

func (c *comparison) isLeftOut(trace int) bool { return c.lacks[trace]&c.leftOut != 0 }

// without returns the comparison of the traces that lack none of what, apart from fragments, which are
// never compared. It is c itself where there is nothing to leave out.
func (c *comparison) without(what lacks) *comparison {
	if !slices.ContainsFunc(c.lacks, func(l lacks) bool { return l&what != 0 && l&lacksRoot == 0 }) {
		return c
	}
	rest := *c
	rest.leftOut |= what
	rest.standardise()
	return &rest
}

// timed returns the comparison of the traces whose time is known. What a missing span took seems to be its
// parent's own time, so that traces that lack spans are left out too, unless most of the baseline's do:
// then both windows are off alike, and little would be left to compare.
func (c *comparison) timed() *comparison {
	if c.usuallyLacksSpans() {
		return c.without(lacksDuration)
	}
	return c.without(lacksDuration | lacksSpans)
}

func (c *comparison) usuallyLacksSpans() bool {
	n := 0
	for i, l := range c.lacks {
		if c.side[i] == base && l&lacksSpans != 0 {
			n++
		}
	}
	return 2*n > c.count[base]
}

// lackWarnings says which traces were left out of what.
func (c *comparison) lackWarnings() []tracewhy.Warning {
	lost := "traces lack spans: they do not count for what is called and logged"
	if !c.usuallyLacksSpans() {
		lost += ", nor for where time goes"
	}
	var ws []tracewhy.Warning
	for _, kind := range []struct {
		what          lacks
		code, message string
	}{
		{lacksRoot, WarningFragment, "traces begin below where others like them do: these fragments count for nothing"},
		{lacksDuration, WarningUnfinished, "traces have a root without a known end: they do not count for durations"},
		{lacksSpans, WarningIncomplete, lost},
	} {
		var n [2]int
		w := tracewhy.Warning{Code: kind.code}
		for i, l := range c.lacks {
			if l&kind.what == 0 || l&lacksRoot != 0 && kind.what != lacksRoot {
				continue
			}
			if n[c.side[i]]++; w.TraceID == "" {
				w.TraceID = c.traces[i].ID().String()
			}
		}
		if w.Count = n[base] + n[inc]; w.Count > 0 {
			w.Message = fmt.Sprintf("%s (baseline %d of %d, incident %d of %d)", kind.message, n[base], c.count[base], n[inc], c.count[inc])
			ws = append(ws, w)
		}
	}
	return ws
}
