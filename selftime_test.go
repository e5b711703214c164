package tracewhy_test

import (
	"testing"
	"time"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/tracetext"
)

func TestSelfTime(t *testing.T) {
	for _, test := range []struct {
		why, text string
		want      time.Duration // of the first span, in milliseconds
	}{
		{"a span alone", "a/r 0+10", 10},
		{"calls one after the other", "a/r 0+100\n  a/x 10+20\n  a/y 40+50", 30},
		{"overlapping calls count once", "a/r 0+10\n  a/1 0+6\n  a/2 0+6\n  a/3 0+6\n  a/4 0+6\n  a/5 0+6", 4},
		{"grandchildren do not count", "a/r 0+100\n  a/x 10+20\n    a/y 0+100", 80},
		{"a call within another", "a/r 0+100\n  a/x 10+80\n  a/y 20+10\n  a/z 95+1", 19},
		{"children are cut to the span", "a/r 0+100\n  a/x -10+20\n  a/y 90+50\n  a/z 200+10", 80},
		{"children that take no time", "a/r 0+100\n  a/x 10+0\n  a/y 10+10", 90},
		{"messages that outlive the span do not count", "a/r 0+100\n  a/x 10+200 consumer\n  a/y 20+10 consumer", 90},
		{"a child without an end: its children, in whatever order",
			"a/r 0+100\n  a/u 50+?\n    a/x 40+20\n    a/y 5+20\n  a/z 55+10", 55},
		{"a child without an end and without children", "a/r 0+100\n  a/u 50+?\n  a/z 55+10", 90},
		{"not known", "a/r 0+?\n  a/x 0+5", -1},
	} {
		t.Run(test.why, func(t *testing.T) {
			want := test.want * time.Millisecond
			if test.want < 0 {
				want = -1
			}
			if got := tracetext.Trace(test.text).Root().SelfTime(); got != want {
				t.Errorf("got %v, want %v", got, want)
			}
		})
	}
}

func TestSelfTimesAgainstDefinition(t *testing.T) {
	var set *tracewhy.Set
	var all []int64
	eachRandomTrace(t, 25, func(t *testing.T, tr tracewhy.Trace) {
		if tr.Set() != set {
			set, all = tr.Set(), tr.Set().SelfTimes()
		}
		for s := range tr.Spans() {
			n, want := nodeOf(s), int64(-1)
			if n.timed {
				want = 0
				for at := n.start; at < n.end; at++ {
					alone := true
					for _, k := range n.waits(n.start, n.end) {
						alone = alone && (at < k.from || at >= k.to)
					}
					if alone {
						want += tick
					}
				}
			}
			if got := int64(s.SelfTime()); got != want {
				t.Errorf("SelfTime of %s is %d, want %d", s.Name(), got, want)
			}
			if got := all[s.Index()]; got != want {
				t.Errorf("SelfTimes says %d of %s, want %d", got, s.Name(), want)
			}
		}
	})
}
