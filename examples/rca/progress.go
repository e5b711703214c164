package main

import (
	"fmt"
	"io"
	"time"

	"github.com/tracewhy/tracewhy/rca/report"
)

// progress is a line on a terminal that says how far something got, and goes away when it is done. A
// nil *progress says nothing.
type progress struct {
	w    io.Writer
	what string
	last time.Time
}

func newProgress(env *environment, what string) *progress {
	if !env.progress {
		return nil
	}
	p := &progress{w: env.stderr, what: report.Clean(what)}
	p.say("")
	return p
}

func (p *progress) say(how string) {
	fmt.Fprintf(p.w, "\r\x1b[K%s%s", p.what, how)
	p.last = time.Now()
}

// bytes says how many bytes were read.
func (p *progress) bytes(n int64) {
	if p != nil && time.Since(p.last) > 100*time.Millisecond {
		p.say(fmt.Sprintf(" %.1f MB", float64(n)/1e6))
	}
}

// steps says how many steps of a number are done.
func (p *progress) steps(done, of int) {
	if p != nil && time.Since(p.last) > 100*time.Millisecond {
		p.say(fmt.Sprintf(" %d of %d", done, of))
	}
}

func (p *progress) done() {
	if p != nil {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}
