package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/compare"
	"github.com/tracewhy/tracewhy/internal/quantity"
	"github.com/tracewhy/tracewhy/rca/report"
)

// writeText writes what differs, the most certain first.
func (d *difference) writeText(w io.Writer) error {
	var b strings.Builder
	hit, rest := d.Traces[1], d.Traces[0]
	switch {
	case hit == 0:
		fmt.Fprintf(&b, "None of %s is %s.\n", quantity.Count(rest, d.unit), d.affected)
	case rest == 0:
		fmt.Fprintf(&b, "All of %s are %s: there are no others to compare with.\n", quantity.Count(hit, d.unit), d.affected)
	default:
		fmt.Fprintf(&b, "%s beside %d %s.\n", quantity.Count(hit, d.affected+" "+d.unit), rest, d.others)
		d.conjunctions(&b)
		d.attributes(&b)
		if d.Structure != nil {
			d.structure(&b)
			d.exemplars(&b)
		}
		d.limits(&b)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// conjunctions writes which combinations of attributes the affected traces have in common.
func (d *difference) conjunctions(w io.Writer) {
	r := d.Conjunctions
	fmt.Fprintf(w, "\nWHO: conditions that tell %s %ss from the %s\n", d.affected, d.unit, d.others)
	switch r.Verdict {
	case compare.AttributesNone:
		fmt.Fprintf(w, "  None of %s, alone or together, explains it.\n", quantity.Count(r.Items, "recorded condition"))
		if s := r.Strongest; s != nil {
			fmt.Fprintf(w, "  The strongest is %s: %s, adjusted p %s\n", conjunction(s.Conditions), d.beside(s.Traces, s.Known), probability(s.Adjusted))
		}
	case compare.AttributesInsufficient:
		fmt.Fprintf(w, "  There is too little for any of %s to be told from chance.\n", quantity.Count(r.Items, "recorded condition"))
	}
	for i, f := range r.Findings {
		fmt.Fprintf(w, "  %d. %s\n", i+1, conjunction(f.Conditions))
		fmt.Fprintf(w, "     %s\n     odds ratio %s, adjusted p %s\n", d.beside(f.Traces, f.Known), ratioInterval(f.OddsRatio), probability(f.Adjusted))
		if f.OddsRatio.Value > 1 && f.Marginal < 1 || f.OddsRatio.Value < 1 && f.Marginal > 1 {
			fmt.Fprintf(w, "     over all operations together it is %s, the other way: the mix of operations hides it\n", short(f.Marginal))
		}
		for k, lift := range f.Lifts {
			if len(f.Lifts) > 1 {
				fmt.Fprintf(w, "     %s adds an odds ratio of %s\n", condition(f.Conditions[k]), ratioInterval(lift.OddsRatio))
			}
		}
		for k, same := range f.Aliases {
			if len(same) > 0 {
				fmt.Fprintf(w, "     for the same as %s: %s\n", condition(f.Conditions[k]), conditionList(same))
			}
		}
		if len(f.Echoes) > 0 {
			fmt.Fprintf(w, "     goes with it: %s\n", conditionList(f.Echoes))
		}
	}
	if len(r.Findings) > 0 {
		fmt.Fprintf(w, "  Together they cover %s of the %s %ss.\n", percents(r.Explained), d.affected, d.unit)
	}
}

// perhaps is up to which p-value a condition by itself is worth a look.
const perhaps = 0.05

// attributes writes what else differs, and what came of it.
func (d *difference) attributes(w io.Writer) {
	r := d.Attributes
	found := map[string]bool{}
	for _, f := range d.Conjunctions.Findings {
		for _, c := range slices.Concat(append([][]compare.AttributeCondition{f.Conditions, f.Echoes}, f.Aliases...)...) {
			found[condition(c)] = true
		}
	}
	var single, others []compare.AttributeFinding
	for _, f := range r.Findings {
		if !found[condition(f.AttributeCondition)] {
			single = append(single, f)
		}
	}
	for _, f := range r.Candidates {
		if f.P <= perhaps && !found[condition(f.AttributeCondition)] {
			others = append(others, f)
		}
	}
	d.table(w, "ALONE: conditions that tell them apart by themselves", single)
	d.table(w, "PERHAPS: conditions that chance explains as well", others)
	d.table(w, "CONSEQUENCES: what came of it", r.Consequences)
}

func (d *difference) table(w io.Writer, heading string, all []compare.AttributeFinding) {
	if len(all) == 0 || d.rows == 0 {
		return
	}
	fmt.Fprintf(w, "\n%s\n", heading)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "  CONDITION\t%s\t%s\tODDS RATIO\tQ\n", strings.ToUpper(d.affected), strings.ToUpper(d.others))
	for _, f := range all[:min(len(all), d.rows)] {
		text := condition(f.AttributeCondition)
		if f.Trend != "" {
			text += ", " + f.Trend
		}
		fmt.Fprintf(t, "  %s\t%s\t%s\t%s\t%s\n", text, percents(f.Coverage), percents(f.Prevalence), ratioInterval(f.OddsRatio), probability(f.Q))
	}
	t.Flush() // of a strings.Builder: it cannot fail
	if n := len(all) - d.rows; n > 0 {
		fmt.Fprintf(w, "  and %d more\n", n)
	}
}

// structure writes how the traces are built otherwise.
func (d *difference) structure(w io.Writer) {
	r := d.Structure
	fmt.Fprint(w, "\nSTRUCTURE: what they do that others don't\n")
	switch r.Verdict {
	case compare.StructureNone:
		fmt.Fprintf(w, "  None of %s has another answer.\n", quantity.Count(r.Tested, "question"))
	case compare.StructureInsufficient:
		fmt.Fprint(w, "  There are too few traces to tell a difference from chance.\n")
	}
	for _, f := range r.Findings[:min(len(r.Findings), d.rows)] {
		fmt.Fprintf(w, "  %s\n    in %s, adjusted p %s\n", report.Clean(f.Service+" "+f.Operation+" "+f.What), d.beside(f.Shown, f.Traces), probability(f.Adjusted))
	}
	if n := len(r.Findings) - d.rows; n > 0 {
		fmt.Fprintf(w, "  and %d more\n", n)
	}
}

// exemplars writes which traces to look at.
func (d *difference) exemplars(w io.Writer) {
	fmt.Fprintf(w, "\nEXAMPLES: rca diff FILE TRACE LIKE shows both side by side\n")
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprint(t, "  TRACE\t\tLIKE, AND HEALTHY\n")
	for _, e := range d.Exemplars {
		twin := "none"
		if e.Twin != (tracewhy.Trace{}) {
			twin = e.TwinID.String()
		}
		fmt.Fprintf(t, "  %s\t%s\t%s\n", e.TraceID, e.Role, twin)
	}
	t.Flush() // of a strings.Builder: it cannot fail
}

// limits writes what could have been seen, what was not asked, and what is odd about the data.
func (d *difference) limits(w io.Writer) {
	fmt.Fprint(w, "\nLIMITS\n")
	for _, depth := range d.Conjunctions.Depths {
		for _, e := range depth.Detectable {
			if e.Prevalence != 0.02 || depth.Tested == 0 {
				continue
			}
			what := quantity.Count(depth.Conditions, "condition") + " that 2 % of the others meet"
			if e.Traces == 0 {
				fmt.Fprintf(w, "  %s could not have been found\n", what)
				continue
			}
			fmt.Fprintf(w, "  %s: found where %d of the %s %ss meet them (%s)\n", what, e.Traces, d.affected, d.unit, percents(e.Coverage))
		}
	}
	var out []string
	for _, x := range d.Attributes.LeftOut {
		out = append(out, report.Clean(x.Key)+" ("+x.Reason+")")
	}
	if len(out) > 0 {
		fmt.Fprintf(w, "  not compared: %s\n", listed(out, d.rows))
	}
	var warnings []tracewhy.Warning
	lists := [][]tracewhy.Warning{d.Conjunctions.Warnings, d.Attributes.Warnings}
	if d.Structure != nil {
		lists = append(lists, d.Structure.Warnings)
	}
	for _, list := range lists {
		for _, x := range list {
			if !slices.ContainsFunc(warnings, func(y tracewhy.Warning) bool { return x.Code == y.Code }) {
				warnings = append(warnings, x)
			}
		}
	}
	slices.SortStableFunc(warnings, func(x, y tracewhy.Warning) int { return cmp.Compare(x.Code, y.Code) })
	for _, x := range warnings {
		fmt.Fprintf(w, "  %s (%d): %s\n", x.Code, x.Count, report.Clean(x.Message))
	}
}

// beside writes how many of the affected and of the other traces something holds for.
func (d *difference) beside(traces, known [2]int) string {
	of := func(side int, what string) string {
		return fmt.Sprintf("%d of %d %s (%s)", traces[side], known[side], what, percents(float64(traces[side])/float64(max(1, known[side]))))
	}
	return of(1, d.affected) + ", " + of(0, d.others)
}

func conjunction(all []compare.AttributeCondition) string {
	var out []string
	for _, c := range all {
		out = append(out, condition(c))
	}
	return strings.Join(out, " and ")
}

func conditionList(all []compare.AttributeCondition) string {
	var out []string
	for _, c := range all {
		out = append(out, condition(c))
	}
	return listed(out, 5)
}

// listed joins the first n of a list and counts the others.
func listed(all []string, n int) string {
	if more := len(all) - n; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(all[:n], ", "), more)
	}
	return strings.Join(all, ", ")
}

func condition(c compare.AttributeCondition) string {
	s := report.Clean(c.Condition.String())
	if c.Place == compare.PlaceResource {
		s += " of " + report.Clean(c.Service)
	}
	return s
}

func ratioInterval(e tracewhy.Estimate) string {
	return fmt.Sprintf("%s (%s to %s)", short(e.Value), short(e.Low), short(e.High))
}

// short writes a ratio with two digits or more.
func short(x float64) string {
	if x >= 100 && x < 1e5 {
		return fmt.Sprintf("%.0f", x)
	}
	return fmt.Sprintf("%.2g", x)
}

func probability(p float64) string { return fmt.Sprintf("%.2g", p) }
