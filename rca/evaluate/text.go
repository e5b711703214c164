package evaluate

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/tracewhy/tracewhy/internal/quantity"
	"github.com/tracewhy/tracewhy/rca"
)

const (
	textWidth = 100 // columns
	maxMisses = 100 // lines of cases; the rest are counted
)

// WriteText writes the result for people, in 100 columns: a table for each dataset with a row for each
// ranker, and then, for the ranker in focus, the same by kind of case, how far its confidence can be
// trusted, and a line for each incident that it did not get right.
//
// Shares are in percent, with their exact 95 % interval behind them. Where a ranker lists causes that it
// does not stand by, a second row, "as listed", counts those as well.
func (r *Result) WriteText(w io.Writer) error {
	var b bytes.Buffer
	focus := -1
	for i, name := range r.Rankers {
		if name == r.Focus {
			focus = i
		}
	}
	b.WriteString("Shares in percent, with 95 % intervals. cover: incidents not abstained from (abstaining is a\n" +
		"miss); AC@k: the true service is among the first k; false alarms: quiet cases with a cause named.\n\n")
	table := columns{22, true}
	for _, g := range r.Groups {
		fmt.Fprintf(&b, "%s: %s, %s\n", plain(named(g.Name)), quantity.Count(g.Incidents, "incident"), quantity.Count(g.Quiet, "quiet case"))
		table.header(&b, "ranker")
		for _, s := range g.Scores {
			table.row(&b, s.Ranker, g.Incidents, &s, s.Services)
			if !s.Listed.same(s.Services) {
				table.row(&b, "  as listed", g.Incidents, &s, s.Listed)
			}
		}
		b.WriteByte('\n')
	}
	r.writeConditions(&b)
	if focus >= 0 {
		r.writeKinds(&b, focus)
		r.writeDetails(&b, focus)
		r.writeCalibration(&b, focus)
		r.writeMisses(&b, focus)
	}
	_, err := w.Write(b.Bytes())
	return err
}

// total returns the group of all cases.
func (r *Result) total() *Group {
	if len(r.Groups) == 0 {
		return nil
	}
	return &r.Groups[len(r.Groups)-1]
}

// columns says what a table has besides the accuracy: the means, which a breakdown has no room for.
type columns struct {
	name  int // the width of the first
	means bool
}

func (c columns) header(b *bytes.Buffer, what string) {
	fmt.Fprintf(b, "%s %5s %5s %12s %12s %12s", cell(what, c.name), "n", "cover", "AC@1", "AC@3", "AC@5")
	if c.means {
		fmt.Fprintf(b, " %5s %5s", "Avg@5", "MRR")
	}
	fmt.Fprintf(b, " %12s\n", "false alarms")
}

func (c columns) row(b *bytes.Buffer, name string, n int, s *Score, a Accuracy) {
	fmt.Fprintf(b, "%s %5d %5s %12s %12s %12s", cell(name, c.name), n, percent(s.Coverage.Value),
		withInterval(a.AC[0]), withInterval(a.AC[2]), withInterval(a.AC[4]))
	if c.means {
		fmt.Fprintf(b, " %5s %5s", percent(a.Avg), percent(a.MRR))
	}
	fmt.Fprintf(b, " %12s\n", withInterval(s.FalseAlarms))
}

// writeKinds writes the scores of one ranker by kind of case, for the datasets that have any.
func (r *Result) writeKinds(b *bytes.Buffer, focus int) {
	table := columns{34, false}
	wrote := false
	for i, g := range r.Groups {
		if i > 0 && i == len(r.Groups)-1 {
			break // all of them together
		}
		if len(g.Kinds) == 1 && g.Kinds[0].Name == "" {
			continue
		}
		if !wrote {
			table.header(b, plain(r.Focus)+" by kind of case")
			wrote = true
		}
		if len(r.Groups) > 1 {
			fmt.Fprintf(b, "%s\n", brief(plain(named(g.Name)), textWidth))
		}
		for _, kind := range g.Kinds {
			s := &kind.Scores[focus]
			table.row(b, "  "+named(kind.Name), kind.Incidents+kind.Quiet, s, s.Services)
			if !s.Listed.same(s.Services) {
				table.row(b, "    as listed", kind.Incidents+kind.Quiet, s, s.Listed)
			}
		}
	}
	if wrote {
		b.WriteByte('\n')
	}
}

// writeConditions writes how the rankers that state conditions compare, if any labels have some.
func (r *Result) writeConditions(b *bytes.Buffer) {
	g := r.total()
	if g == nil {
		return
	}
	wrote := false
	for _, s := range g.Scores {
		if s.Conditions.Of == 0 || !s.states {
			continue
		}
		if !wrote {
			fmt.Fprintf(b, "%s %5s %12s %12s %5s %12s\n", cell("conditions of the first answer", 34), "n", "and service", "alone", "n", "unfounded")
			wrote = true
		}
		fmt.Fprintf(b, "  %s %5d %12s %12s %5d %12s\n", cell(s.Ranker, 32), s.Conditions.Of, withInterval(s.Conditions),
			withInterval(s.ConditionsAlone), s.Unfounded.Of, withInterval(s.Unfounded))
	}
	if wrote {
		b.WriteString("  (unfounded: stated where the label has none, or does not say)\n\n")
	}
}

// writeDetails writes what labels know beyond the service.
func (r *Result) writeDetails(b *bytes.Buffer, focus int) {
	g := r.total()
	if g == nil {
		return
	}
	s := g.Scores[focus]
	wrote := false
	for _, x := range []struct {
		what string
		p    Proportion
	}{
		{"the operation is first (AC@1)", s.Operations.AC[0]},
		{"the operation is among five (AC@5)", s.Operations.AC[4]},
		{"the first answer has the service and the conditions", s.Conditions},
		{"the first answer has the service and the fault domain", s.FaultDomain},
		{"the first answer has the service and the change", s.Change},
	} {
		if x.p.Of == 0 {
			continue
		}
		if !wrote {
			fmt.Fprintf(b, "%s where labels say more\n", plain(r.Focus))
			wrote = true
		}
		fmt.Fprintf(b, "  %-54s %5d %12s\n", x.what, x.p.Of, withInterval(x.p))
	}
	if wrote {
		b.WriteByte('\n')
	}
}

func (r *Result) writeCalibration(b *bytes.Buffer, focus int) {
	g := r.total()
	if g == nil || g.Scores[focus].Calibration == nil {
		return
	}
	c := g.Scores[focus].Calibration
	fmt.Fprintf(b, "%s's confidence, %s\n", plain(r.Focus), quantity.Count(c.Forecasts, "answer"))
	fmt.Fprintf(b, "  Brier %s (skill %s), log loss %s, slope %s, intercept %s\n",
		number(c.Brier), number(c.Skill), number(c.LogLoss), number(c.Slope), number(c.Intercept))
	fmt.Fprintf(b, "  ECE %s; if each confidence were true it would be %s (%s to %s): debiased %s\n",
		number(c.ECE), number(c.NullECE.Value), number(c.NullECE.Low), number(c.NullECE.High), number(c.DebiasedECE))
	fmt.Fprintf(b, "  wrong at a confidence of %.1f or more: %d of %d\n",
		FalseConfidence, int(c.FalselyConfident.Hits), c.FalselyConfident.Of)
	fmt.Fprintf(b, "  %-12s %5s %10s %14s\n", "confidence", "n", "mean", "right")
	for _, bin := range c.Bins {
		fmt.Fprintf(b, "  %.2f to %.2f %5d %10s %14s\n", bin.From, bin.To, bin.Right.Of, number(bin.Confidence), withInterval(bin.Right))
	}
	b.WriteByte('\n')
}

func (r *Result) writeMisses(b *bytes.Buffer, focus int) {
	lines := 0
	for _, c := range r.Cases {
		o := &c.Outcomes[focus]
		var truth []string
		switch {
		case !c.Incident && (!o.abstained() || o.Service != ""):
			truth = []string{"none: a false alarm"}
		case !c.Incident, len(c.Causes) == 0, o.service.hits[0] == 1 && !o.abstained():
			continue
		}
		lines++
		if lines > maxMisses {
			continue
		}
		if lines == 1 {
			fmt.Fprintf(b, "cases that %s did not get right\n", plain(r.Focus))
			fmt.Fprintf(b, "%-38s %-22s %5s  %s\n", "case", "true service", "rank", "said first")
		}
		for _, cause := range c.Causes {
			truth = append(truth, strings.Join(cause.Services, " or "))
		}
		rank := "-"
		if o.Rank.IsKnown() {
			rank = strconv.FormatFloat(float64(o.Rank), 'g', 3, 64)
		}
		line := cell(c.Name, 38) + " " + cell(strings.Join(truth, " and "), 22) + fmt.Sprintf(" %5s  ", rank)
		b.WriteString(line + brief(said(o), textWidth-utf8.RuneCountInString(line)) + "\n")
	}
	if lines > maxMisses {
		fmt.Fprintf(b, "and %d more\n", lines-maxMisses)
	}
}

// said returns a ranker's first answer.
func said(o *Outcome) string {
	s := plain(o.Service)
	if o.Service == "" {
		s = "nothing"
	}
	if o.Confidence.IsKnown() {
		s += " " + number(o.Confidence)
	}
	if o.abstained() {
		s += " (" + plain(string(o.Verdict)) + ")"
	}
	if o.Operation != "" {
		s += " " + plain(o.Operation)
	}
	return s
}

func named(s string) string {
	if s == "" {
		return "unnamed"
	}
	return s
}

// percent writes a share in percent.
func percent(x rca.Number) string {
	if !x.IsKnown() {
		return "-"
	}
	return strconv.FormatFloat(100*float64(x), 'f', 1, 64)
}

// withInterval writes a share in percent with the limits of its interval.
func withInterval(p Proportion) string {
	if !p.Value.IsKnown() {
		return "-"
	}
	return fmt.Sprintf("%s %2.0f-%.0f", percent(p.Value), 100*float64(p.Low), 100*float64(p.High))
}

// number writes a number that is not a share.
func number(x rca.Number) string {
	if !x.IsKnown() {
		return "-"
	}
	return strconv.FormatFloat(float64(x), 'f', 3, 64)
}

// plain makes what a label or a trace says safe for a terminal: whatever does not print is escaped.
func plain(s string) string {
	q := strconv.Quote(s)
	return strings.ReplaceAll(q[1:len(q)-1], `\"`, `"`)
}

// cell returns s in exactly so many columns.
func cell(s string, width int) string {
	s = brief(plain(s), width)
	return s + strings.Repeat(" ", width-utf8.RuneCountInString(s))
}

// brief cuts s in its middle to at most so many runes.
func brief(s string, width int) string {
	runes := []rune(s)
	if len(runes) <= width {
		return s
	}
	tail := (width - 1) / 3
	return string(runes[:width-1-tail]) + "…" + string(runes[len(runes)-tail:])
}
