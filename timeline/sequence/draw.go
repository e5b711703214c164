package sequence

import (
	"slices"

	"github.com/tracewhy/tracewhy/internal/quantity"
)

// pending is what is still to be drawn: a call, or a step.
type pending struct {
	call int // -1 for a step
	step Step
}

// draw makes the steps of the calls that are drawn.
func (d *sequencer) draw() {
	above := make([]int, len(d.calls))   // the nearest call above that is drawn; -1 if there is none
	below := make([][]int, len(d.calls)) // the other way around
	var todo []pending
	for i := range d.calls {
		above[i] = d.calls[i].parent
		if p := above[i]; p >= 0 && !d.calls[p].isDrawn {
			above[i] = above[p]
		}
		switch p := above[i]; {
		case !d.calls[i].isDrawn:
		case p < 0:
			todo = append(todo, pending{call: i})
		default:
			below[p] = append(below[p], i)
		}
	}
	slices.Reverse(todo)
	for len(todo) > 0 {
		next := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if next.call < 0 {
			d.out.Steps = append(d.out.Steps, next.step)
			continue
		}
		list := d.steps(next.call, above[next.call], below[next.call])
		slices.Reverse(list)
		todo = append(todo, list...)
	}
}

// steps returns what is drawn of a call that is made in another, and has others in it.
func (d *sequencer) steps(i, caller int, inner []int) []pending {
	c := &d.calls[i]
	to := d.place[c.to]
	var list []pending
	add := func(s Step) { list = append(list, pending{-1, s}) }
	text := c.name()
	if c.parent != caller {
		n := 0
		for j := c.parent; j != caller; j = d.calls[j].parent {
			n++
		}
		text += " (" + quantity.Count(n, "call") + " deeper)"
	}
	if c.run.calls > 1 {
		add(Step{Kind: Loop, Text: c.run.title()})
	}
	outcome := c.lasted()
	if c.failed() {
		outcome += " " + c.failure()
	}
	switch {
	case caller < 0:
		add(Step{Kind: Note, From: to, To: to, Text: text + " " + outcome})
		list = append(list, d.inOrder(inner)...)
	default:
		from := d.place[d.calls[caller].to]
		s := Step{Kind: Call, From: from, To: to, Text: text}
		if c.isAsync() {
			s.Kind = Message
		}
		hasAnswer := from != to && s.Kind == Call && len(inner) > 0
		if !hasAnswer {
			s.Text, s.Failed = s.Text+" "+outcome, c.failed()
		}
		add(s)
		list = append(list, d.inOrder(inner)...)
		if hasAnswer {
			add(Step{Kind: Answer, From: to, To: from, Text: outcome, Failed: c.failed()})
		}
	}
	if c.run.calls > 1 {
		add(Step{Kind: End})
	}
	return list
}

// inOrder returns calls that are made in one, with those that overlap as parallel. What nobody waits for is parallel
// to everything, and is not said to be.
func (d *sequencer) inOrder(calls []int) []pending {
	var list []pending
	for from := 0; from < len(calls); {
		to, waited := from, 0
		end := d.calls[calls[from]].run.start
		for ; to < len(calls); to++ {
			c := &d.calls[calls[to]]
			if to > from && c.run.start >= end {
				break
			}
			if !c.isAsync() {
				waited++
				end = max(end, c.run.end)
			}
		}
		for k, i := range calls[from:to] {
			switch {
			case waited < 2:
			case k == 0:
				list = append(list, pending{-1, Step{Kind: Parallel, Text: "at the same time"}})
			default:
				list = append(list, pending{-1, Step{Kind: And, Text: "and"}})
			}
			list = append(list, pending{call: i})
		}
		if waited > 1 {
			list = append(list, pending{-1, Step{Kind: End}})
		}
		from = to
	}
	return list
}
