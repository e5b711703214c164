package perfetto

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/tracewhy/tracewhy"
)

// process is an instance of a service, which viewers show as a process.
type process struct {
	pid     int
	name    string
	lanes   int         // how many there are
	free    heap[*lane] // by number
	busy    heap[*lane] // by when they become free
	moments *lane       // for spans without a duration, which must not lie over slices
}

// lane is a row of slices, which viewers show as a thread. The format also has asynchronous events, which
// may overlap, but Perfetto draws no arrows between those, and puts them in rows by their names.
type lane struct {
	tid    int
	number int      // in its process, from 1
	outer  placed   // the slice that all others lie in
	slices []placed // one inside the other, the outermost first; some may be over
}

// isOver reports whether a slice has ended when the next one starts. One may start when another ends,
// but a slice without length does not stand where another one ends or starts: viewers differ in whether
// it lies inside that.
func (p placed) isOver(next placed) bool {
	return p.end < next.at || p.end == next.at && p.at < p.end && next.at < next.end
}

// survey finds out what has to be known before the first event can be written: the processes, the
// earliest time, and where links lead.
func (d *drawing) survey() {
	type name struct{ service, instance string }
	names := map[int]name{} // by the number of a resource
	var links linkSurvey
	for t := range d.cohort.Traces() {
		for s := range t.Spans() {
			if i := s.ResourceIndex(); names[i] == (name{}) {
				names[i] = name{s.Service(), s.Instance()}
			}
			if p, ok := place(s); ok && (d.base == 0 || p.at < d.base) {
				d.base = p.at
			}
			links.add(s)
		}
	}
	d.connectLinks(links)

	var distinct []name
	for _, n := range names {
		distinct = append(distinct, n)
	}
	slices.SortFunc(distinct, func(a, b name) int {
		return cmp.Or(cmp.Compare(a.service, b.service), cmp.Compare(a.instance, b.instance))
	})
	distinct = slices.Compact(distinct)
	d.paths = newProcess(1, "critical path")
	d.order = append(d.order, d.paths)
	byName := map[name]*process{}
	for _, n := range distinct {
		label := n.service
		if n.instance != "" {
			label += " (" + n.instance + ")"
		}
		p := newProcess(len(d.order)+1, label)
		d.order = append(d.order, p)
		byName[n] = p
	}
	d.processes = map[int]*process{}
	for i, n := range names {
		d.processes[i] = byName[n]
	}
	d.lastTID = len(d.order) // numbers of threads differ from those of processes, which name main threads
}

func newProcess(pid int, name string) *process {
	return &process{
		pid: pid, name: name,
		free: heap[*lane]{less: func(a, b *lane) bool { return a.number < b.number }},
		busy: heap[*lane]{less: func(a, b *lane) bool {
			return a.outer.end < b.outer.end || a.outer.end == b.outer.end && a.number < b.number
		}},
	}
}

func (d *drawing) process(s tracewhy.Span) *process { return d.processes[s.ResourceIndex()] }

// laneOf returns the lane to draw a slice on: inside its parent, if that is what the slice would lie in,
// or else a free one.
func (d *drawing) laneOf(p placed, in *process) *lane {
	if parent, ok := p.span.Parent(); ok && !p.isPath {
		if l := d.open[parent]; l != nil && d.process(parent) == in {
			d.endSlices(l, p)
			if n := len(l.slices); n > 0 && l.slices[n-1].span == parent && p.end <= l.slices[n-1].end {
				l.slices = append(l.slices, p)
				d.open[p.span] = l
				return l
			}
		}
	}
	for in.busy.len() > 0 && in.busy.top().outer.isOver(p) {
		l := in.busy.pop()
		d.endSlices(l, p)
		in.free.push(l)
	}
	var l *lane
	if in.free.len() > 0 {
		l = in.free.pop()
	} else {
		in.lanes++
		l = d.newLane(in, in.lanes, "lane "+strconv.Itoa(in.lanes))
	}
	l.outer, l.slices = p, append(l.slices, p)
	in.busy.push(l)
	if !p.isPath {
		d.open[p.span] = l
	}
	return l
}

// endSlices forgets the slices of a lane that are over when the next one starts.
func (d *drawing) endSlices(l *lane, next placed) {
	for n := len(l.slices); n > 0 && l.slices[n-1].isOver(next); n-- {
		if top := l.slices[n-1]; !top.isPath {
			delete(d.open, top.span)
		}
		l.slices = l.slices[:n-1]
	}
}

// heap is a binary heap: the least element is on top.
type heap[T any] struct {
	less func(a, b T) bool
	all  []T
}

func (h *heap[T]) len() int { return len(h.all) }

func (h *heap[T]) top() T { return h.all[0] }

func (h *heap[T]) push(x T) {
	h.all = append(h.all, x)
	for i := len(h.all) - 1; i > 0; {
		up := (i - 1) / 2
		if !h.less(h.all[i], h.all[up]) {
			return
		}
		h.all[i], h.all[up] = h.all[up], h.all[i]
		i = up
	}
}

func (h *heap[T]) pop() T {
	top, n := h.all[0], len(h.all)-1
	h.all[0] = h.all[n]
	clear(h.all[n:])
	h.all = h.all[:n]
	for i := 0; ; {
		least := i
		for _, down := range [...]int{2*i + 1, 2*i + 2} {
			if down < n && h.less(h.all[down], h.all[least]) {
				least = down
			}
		}
		if least == i {
			return top
		}
		h.all[i], h.all[least] = h.all[least], h.all[i]
		i = least
	}
}
