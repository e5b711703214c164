package sequence

import (
	"fmt"
	"strings"

	"github.com/tracewhy/tracewhy/internal/mermaid"
)

// Diagram says who asked whom for what, from top to bottom in the order of time. [OfTrace] makes that of a trace; one
// made by hand can show anything that is said between participants, such as the course of an investigation.
type Diagram struct {
	Title        string
	Participants []string // from left to right
	Steps        []Step
	Cut          string // what was left out, or ""
}

// Step is one line of a [Diagram].
type Step struct {
	Kind Kind
	// From and To are numbers of participants. A note is about From, and others than messages have neither.
	From, To int
	Text     string
	Failed   bool // of a message: it is drawn with a cross
}

// Kind is a kind of [Step].
type Kind uint8

// The kinds of steps. What is between a Loop or Parallel and its End happened several times, or at the same
// time as what follows a And.
const (
	Call     Kind = iota // a message whose sender waits for the answer
	Message              // one whose sender does not
	Answer               // the answer to a call
	Note                 // a remark
	Loop                 // the beginning of what is repeated
	Parallel             // the beginning of what happens at the same time
	And                  // its next part
	End                  // the end of what is repeated, or parallel
)

// isMessage reports whether it goes from one participant to another, or the same.
func (k Kind) isMessage() bool { return k <= Answer }

// valid yields the steps that name participants there are, with each block closed.
func (d *Diagram) valid() []Step {
	out := make([]Step, 0, len(d.Steps))
	var open []Kind
	for _, x := range d.Steps {
		switch {
		case x.Kind <= Note && (x.From < 0 || x.From >= len(d.Participants)),
			x.Kind.isMessage() && (x.To < 0 || x.To >= len(d.Participants)),
			x.Kind == And && (len(open) == 0 || open[len(open)-1] != Parallel),
			x.Kind == End && len(open) == 0,
			x.Kind > End:
			continue
		case x.Kind == Loop || x.Kind == Parallel:
			open = append(open, x.Kind)
		case x.Kind == End:
			open = open[:len(open)-1]
		}
		out = append(out, x)
	}
	for range open {
		out = append(out, Step{Kind: End})
	}
	return out
}

// answered returns which calls have an answer, and which answers a call.
func answered(steps []Step) []bool {
	in := make([]bool, len(steps))
	var open []int
	for i, x := range steps {
		switch x.Kind {
		case Call:
			open = append(open, i)
		case Answer:
			for k := len(open) - 1; k >= 0; k-- {
				if c := steps[open[k]]; c.From == x.To && c.To == x.From {
					in[i], in[open[k]] = true, true
					open = open[:k]
					break
				}
			}
		}
	}
	return in
}

// Mermaid draws it as a sequence diagram of Mermaid: calls with a filled arrow and messages with an open one, answers
// dotted, and all that failed with a cross.
func (d *Diagram) Mermaid() string {
	var b strings.Builder
	b.WriteString("sequenceDiagram\n")
	for i, name := range d.Participants {
		fmt.Fprintf(&b, "    participant p%d as %s\n", i, mermaid.Text(name))
	}
	remark := func(text string) { // over everything: titles of Mermaid do not fit a narrow diagram
		switch last := len(d.Participants) - 1; {
		case text == "" || last < 0:
		case last == 0:
			fmt.Fprintf(&b, "    Note over p0: %s\n", mermaid.Text(text))
		default:
			fmt.Fprintf(&b, "    Note over p0,p%d: %s\n", last, mermaid.Text(text))
		}
	}
	remark(d.Title)
	steps := d.valid()
	active := answered(steps)
	for i, x := range steps {
		text := mermaid.Text(x.Text)
		if x.Kind.isMessage() {
			arrow := [...]string{Call: "->>", Message: "-)", Answer: "-->>"}[x.Kind]
			switch {
			case x.Failed && x.Kind == Answer:
				arrow = "--x"
			case x.Failed:
				arrow = "-x"
			}
			if active[i] {
				arrow += [...]string{Call: "+", Answer: "-"}[x.Kind]
			}
			fmt.Fprintf(&b, "    p%d%sp%d: %s\n", x.From, arrow, x.To, text)
			continue
		}
		switch x.Kind {
		case Note:
			fmt.Fprintf(&b, "    Note over p%d: %s\n", x.From, text)
		case Loop:
			fmt.Fprintf(&b, "    loop %s\n", text)
		case Parallel:
			fmt.Fprintf(&b, "    par %s\n", text)
		case And:
			fmt.Fprintf(&b, "    and %s\n", text)
		case End:
			b.WriteString("    end\n")
		}
	}
	remark(d.Cut)
	return b.String()
}
