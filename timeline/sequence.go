package timeline

import (
	"fmt"
	"strings"

	"github.com/tracewhy/tracewhy/internal/mermaid"
)

// Sequence is a sequence diagram: who asked whom for what, from top to bottom in the order of time. [TraceSequence]
// makes that of a trace; one made by hand can show anything that is said between participants, such as the course
// of an investigation.
type Sequence struct {
	Title        string
	Participants []string // from left to right
	Steps        []Step
	Cut          string // what was left out, or ""
}

// Step is one line of a [Sequence].
type Step struct {
	Kind StepKind
	// From and To are numbers of participants. A note is about From, and others than messages have neither.
	From, To int
	Text     string
	Failed   bool // of a message: it is drawn with a cross
}

// StepKind is a kind of [Step].
type StepKind uint8

// The kinds of steps. What is between a StepLoop or StepParallel and its StepEnd happened several times, or at the same
// time as what follows a StepAnd.
const (
	StepCall     StepKind = iota // a message whose sender waits for the answer
	StepMessage                  // one whose sender does not
	StepAnswer                   // the answer to a call
	StepNote                     // a remark
	StepLoop                     // the beginning of what is repeated
	StepParallel                 // the beginning of what happens at the same time
	StepAnd                      // its next part
	StepEnd                      // the end of what is repeated, or parallel
)

// isMessage reports whether it goes from one participant to another, or the same.
func (k StepKind) isMessage() bool { return k <= StepAnswer }

// valid yields the steps that name participants there are, with each block closed.
func (s *Sequence) valid() []Step {
	out := make([]Step, 0, len(s.Steps))
	var open []StepKind
	for _, x := range s.Steps {
		switch {
		case x.Kind <= StepNote && (x.From < 0 || x.From >= len(s.Participants)),
			x.Kind.isMessage() && (x.To < 0 || x.To >= len(s.Participants)),
			x.Kind == StepAnd && (len(open) == 0 || open[len(open)-1] != StepParallel),
			x.Kind == StepEnd && len(open) == 0,
			x.Kind > StepEnd:
			continue
		case x.Kind == StepLoop || x.Kind == StepParallel:
			open = append(open, x.Kind)
		case x.Kind == StepEnd:
			open = open[:len(open)-1]
		}
		out = append(out, x)
	}
	for range open {
		out = append(out, Step{Kind: StepEnd})
	}
	return out
}

// answered returns which calls have an answer, and which answers a call.
func answered(steps []Step) []bool {
	in := make([]bool, len(steps))
	var open []int
	for i, x := range steps {
		switch x.Kind {
		case StepCall:
			open = append(open, i)
		case StepAnswer:
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
func (s *Sequence) Mermaid() string {
	var b strings.Builder
	b.WriteString("sequenceDiagram\n")
	for i, name := range s.Participants {
		fmt.Fprintf(&b, "    participant p%d as %s\n", i, mermaid.Text(name))
	}
	remark := func(text string) { // over everything: titles of Mermaid do not fit a narrow diagram
		switch last := len(s.Participants) - 1; {
		case text == "" || last < 0:
		case last == 0:
			fmt.Fprintf(&b, "    Note over p0: %s\n", mermaid.Text(text))
		default:
			fmt.Fprintf(&b, "    Note over p0,p%d: %s\n", last, mermaid.Text(text))
		}
	}
	remark(s.Title)
	steps := s.valid()
	active := answered(steps)
	for i, x := range steps {
		text := mermaid.Text(x.Text)
		if x.Kind.isMessage() {
			arrow := [...]string{StepCall: "->>", StepMessage: "-)", StepAnswer: "-->>"}[x.Kind]
			switch {
			case x.Failed && x.Kind == StepAnswer:
				arrow = "--x"
			case x.Failed:
				arrow = "-x"
			}
			if active[i] {
				arrow += [...]string{StepCall: "+", StepAnswer: "-"}[x.Kind]
			}
			fmt.Fprintf(&b, "    p%d%sp%d: %s\n", x.From, arrow, x.To, text)
			continue
		}
		switch x.Kind {
		case StepNote:
			fmt.Fprintf(&b, "    Note over p%d: %s\n", x.From, text)
		case StepLoop:
			fmt.Fprintf(&b, "    loop %s\n", text)
		case StepParallel:
			fmt.Fprintf(&b, "    par %s\n", text)
		case StepAnd:
			fmt.Fprintf(&b, "    and %s\n", text)
		case StepEnd:
			b.WriteString("    end\n")
		}
	}
	remark(s.Cut)
	return b.String()
}
