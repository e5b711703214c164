package tracewhy_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/tracetext"
)

// slackText writes drag and slack in milliseconds: "x 10/0, y 0/5, z 0/-" where - is unbounded.
func slackText(slacks []tracewhy.Slack) string {
	var parts []string
	for _, s := range slacks {
		slack := fmt.Sprint(s.Slack.Milliseconds())
		switch s.Slack {
		case tracewhy.Unbounded:
			slack = "-"
		case -1:
			slack = "?"
		}
		parts = append(parts, fmt.Sprintf("%s %d/%s", s.Span.Name(), s.Drag.Milliseconds(), slack))
	}
	return strings.Join(parts, ", ")
}

func TestSlacks(t *testing.T) {
	for _, test := range []struct{ why, text, want string }{
		{"a span alone", "a/r 0+10", "r 10/0"},
		{"one after the other", "a/r 0+100\n  a/x 10+20\n  a/y 40+50", "r 100/0, x 20/0, y 50/0"},
		{"in parallel: the longer one drags by the difference",
			"a/r 0+100\n  a/x 10+80\n  a/y 10+60", "r 100/0, x 20/0, y 0/20"},
		{"two that end together drag nothing",
			"a/r 0+100\n  a/x 10+80\n  a/y 20+70", "r 100/0, x 0/0, y 0/0"},
		{"a short one in parallel bounds nothing but itself",
			"a/r 0+100\n  a/x 10+80\n  a/y 10+5", "r 100/0, x 75/0, y 0/75"},
		// x may end by 50, when z starts; without z its end would wait for y.
		{"two phases, the first in parallel",
			"a/r 0+100\n  a/x 0+30\n  a/y 0+50\n  a/z 50+50", "r 100/0, x 0/20, y 20/0, z 50/0"},
		{"one that spans two phases: it bounds them both",
			"a/r 0+100\n  a/x 0+60\n  a/y 60+30\n  a/z 0+80", "r 100/0, x 10/0, z 0/10, y 10/0"},
		{"within a call that has slack, the slacks add up",
			"a/r 0+100\n  a/x 0+90\n  a/y 0+70\n    a/y1 0+40\n    a/y2 0+60", "r 100/0, x 20/0, y 0/20, y1 0/40, y2 0/20"},
		{"within a call, what its siblings leave is the most",
			"a/r 0+100\n  a/x 0+90\n    a/x1 10+70\n  a/y 0+70", "r 100/0, x 20/0, x1 20/0, y 0/20"},
		{"outside, asynchronous, orphaned",
			"a/r 0+100\n  a/x 200+10\n    a/x1 200+10\n  a/y 10+300 consumer\na/o 0+10 orphan", "r 100/0, y 0/-, x 0/-, x1 0/-, o 0/-"},
		{"cut at the end of the parent",
			"a/r 0+100\n  a/x 10+300\n    a/x1 20+300\n    a/x2 20+30", "r 100/0, x 90/0, x1 50/0, x2 0/50"},
		{"no time at all: it holds up what started when it ended",
			"a/r 0+100\n  a/x 10+0\n  a/y 20+0\n  a/z 20+30\n  a/w 20+10", "r 100/0, x 0/0, y 0/0, z 20/0, w 0/20"},
		{"not known", "a/r 0+100\n  a/u 10+?\n    a/x 20+30", "r 100/0, u 0/?, x 30/0"},
		{"the root is not known", "a/r 0+?\n  a/x 20+30", "r 0/?, x 0/?"},
	} {
		t.Run(test.why, func(t *testing.T) {
			if diff := cmp.Diff(test.want, slackText(tracetext.Trace(test.text).Slacks())); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// Each number is what happens when the trace is replayed with another length of the span.
func TestSlacksAgainstReplay(t *testing.T) {
	eachRandomTrace(t, 25, func(t *testing.T, tr tracewhy.Trace) {
		slacks, root := tr.Slacks(), nodeOf(tr.Root())
		if !root.timed {
			return
		}
		length := root.end - root.start
		waited := map[tracewhy.Span]int64{} // by span that the root waited for: its length, cut to its parent
		var visit func(n *node, from, to int64)
		visit = func(n *node, from, to int64) {
			waited[n.span] = to - from
			for _, k := range n.waits(from, to) {
				visit(k.node, k.from, k.to)
			}
		}
		visit(root, root.start, root.end)
		replay := func(s tracewhy.Span, with int64) int64 { return root.lengthWith(s, with, root.start, root.end) }
		if same := replay(tracewhy.Span{}, 0); same != length {
			t.Errorf("the replay takes %d, the root took %d", same, length)
		}
		for _, s := range slacks {
			cut, isWaited := waited[s.Span]
			switch _, _, timed := s.Span.Interval(); {
			case !timed:
				if s.Drag != -1 || s.Slack != -1 {
					t.Errorf("not known: %v", s)
				}
				continue
			case !isWaited:
				if s.Drag != 0 || s.Slack != tracewhy.Unbounded {
					t.Errorf("not waited for: %v", s)
				}
				continue
			}
			if want := length - replay(s.Span, 0); int64(s.Drag) != want*tick {
				t.Errorf("drag of %s is %v, want %d; all: %s", s.Span.Name(), s.Drag, want, slackText(slacks))
			}
			if s.Slack < 0 || s.Slack%tick != 0 {
				t.Errorf("slack of %s is %v", s.Span.Name(), s.Slack)
				continue
			}
			slack := int64(s.Slack / tick)
			if got := replay(s.Span, cut+slack); got != length {
				t.Errorf("longer by its slack of %d, %s makes the root %d, was %d", slack, s.Span.Name(), got, length)
			}
			if got := replay(s.Span, cut+slack+1); got != length+1 {
				t.Errorf("longer by its slack of %d and 1, %s makes the root %d, was %d", slack, s.Span.Name(), got, length)
			}
		}
		for _, section := range tr.CriticalPath() {
			if s := slacks[section.Span.Index()-tr.Root().Index()]; s.Slack != 0 {
				t.Errorf("%s is on the critical path and has a slack of %v", s.Span.Name(), s.Slack)
			}
			if own := section.Span; own != tr.Root() && time.Duration(section.End-section.Start) > own.Duration() {
				t.Errorf("section of %s is longer than it", own.Name())
			}
		}
	})
}
