package perfetto

import "github.com/tracewhy/tracewhy"

// Viewers know two kinds of arrows. The newer kind leads from a slice with flow_out to slices with
// flow_in and an equal bind_id, and is tied to just those. A slice has only one bind_id, so what it
// cannot say is said by the older kind, a pair of events of its own: these belong to the innermost slice
// that is there at their time.

// bind is a slice's part in arrows of the newer kind.
type bind struct {
	id uint64
	in bool // whether they lead to the slice
}

// arrowEnd is one end of an arrow of the older kind, at the start of a slice.
type arrowEnd struct {
	id    uint64
	name  string
	start bool // whether the arrow begins there
}

// connectCall makes an arrow from a caller to the other side of its call. Callers come before what they
// called.
func (d *drawing) connectCall(from, to placed) {
	id := uint64(from.span.Index()) + 1
	out, taken := d.binds[from.span]
	if !from.isMoment && !to.isMoment && !(taken && out.in) && from.before(to) {
		d.binds[from.span] = bind{id: id}
		d.binds[to.span] = bind{id: id, in: true}
		return
	}
	d.connect(from, to, "call", uint64(to.span.Index())+1)
}

// connect makes an arrow of the older kind, which has to begin at the end that comes first.
func (d *drawing) connect(from, to placed, name string, id uint64) {
	if to.before(from) {
		from, to = to, from
	}
	d.ends[from.span] = append(d.ends[from.span], arrowEnd{id, name, true})
	d.ends[to.span] = append(d.ends[to.span], arrowEnd{id, name, false})
}

// spanKey names a span as links do.
type spanKey struct {
	trace tracewhy.TraceID
	span  tracewhy.SpanID
}

// linkSurvey has the links of spans.
type linkSurvey struct {
	from []tracewhy.Span
	to   []spanKey
}

func (l *linkSurvey) add(s tracewhy.Span) {
	for link := range s.Links() {
		l.from = append(l.from, s)
		l.to = append(l.to, spanKey{link.TraceID, link.SpanID})
	}
}

// connectLinks makes an arrow for each link between two spans that are drawn: from the linked one, which
// is what the other goes back to.
func (d *drawing) connectLinks(links linkSurvey) {
	if len(links.from) == 0 {
		return
	}
	linked := make(map[spanKey]tracewhy.Span, len(links.to))
	for _, key := range links.to {
		linked[key] = tracewhy.Span{}
	}
	for t := range d.cohort.Traces() {
		for s := range t.Spans() {
			key := spanKey{t.RecordedID(), s.RecordedID()}
			if first, ok := linked[key]; ok && first.IsZero() {
				linked[key] = s
			}
		}
	}
	for i, to := range links.from {
		from := linked[links.to[i]]
		if from.IsZero() || from == to {
			continue
		}
		a, ok1 := place(from)
		b, ok2 := place(to)
		if ok1 && ok2 {
			d.connect(a, b, "link", uint64(i)+1)
		}
	}
}
