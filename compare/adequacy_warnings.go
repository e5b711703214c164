package compare

import (
	"fmt"
	"time"

	"github.com/tracewhy/tracewhy"
)

// warnings says in words what cannot be seen.
func (a *adequacyTable) warnings(r *AdequacyResult) []tracewhy.Warning {
	var ws []tracewhy.Warning
	warn := func(code string, count int, format string, args ...any) {
		if count > 0 {
			ws = append(ws, tracewhy.Warning{Code: code, Count: count, Message: fmt.Sprintf(format, args...)})
		}
	}
	few, unseen := 0, 0
	for _, o := range r.Operations {
		if o.Traces[inc] == 0 {
			continue
		}
		if o.DetectableRate == 0 {
			few++
		}
		if o.NewShape.IsKnown() && o.NewShape.Value > often {
			unseen++
		}
	}
	warn(WarningFewTraces, few, "root operations of the incident have too few traces: if all of them failed, that could be chance")
	for side, name := range []string{"baseline", "incident"} {
		n := float64(r.Traces[side])
		if r.Effective[side] < n/2 {
			warn(WarningFewEffective, r.Traces[side], "traces of the %s say as much as %.0f independent ones of equal weight", name, r.Effective[side])
		}
	}
	if r.Length[base] < r.Length[inc] {
		warn(WarningBaselineShort, 1, "the baseline covers %v, less than the incident's %v", r.Length[base].Round(time.Second), r.Length[inc].Round(time.Second))
	}
	if r.Apart > maxApart {
		warn(WarningBaselineOld, 1, "%v lie between the baseline and the incident: what changed in that time looks like the incident", r.Apart.Round(time.Hour))
	}
	warn(WarningNewShapes, unseen, "root operations have traces of new shapes all the time: a shape that was never seen before says little")
	return append(ws, a.c.warnings()...)
}
