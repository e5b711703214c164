package perfetto

import (
	"strconv"
	"time"

	"github.com/tracewhy/tracewhy"
)

// The members that readers look for first stand first: older versions of Perfetto search an event for
// its time member by member, and give up on a file where they meet an escape such as \u0000 on the way.

func (d *drawing) header() {
	d.b = append(d.b[:0], `{"traceEvents":[`...)
	for i, p := range d.order {
		if i > 0 {
			d.b = append(d.b, ',')
		}
		d.metadata("process_name", p.pid, 0, p.name)
		d.b = append(d.b, `,`+"\n"+`{"ph":"M","ts":0,"pid":`...)
		d.b = strconv.AppendInt(d.b, int64(p.pid), 10)
		d.b = append(d.b, `,"name":"process_sort_index","args":{"sort_index":`...)
		d.b = strconv.AppendInt(d.b, int64(p.pid), 10)
		d.b = append(d.b, "}}"...)
	}
	d.flush()
}

func (d *drawing) footer() {
	d.b = append(d.b, "\n"+`],"otherData":{"start_unix_ns":"`...)
	d.b = strconv.AppendInt(d.b, d.base, 10)
	d.b = append(d.b, '"')
	for _, n := range [...]struct {
		name  string
		count int
	}{{"slices", d.stats.Slices}, {"moments", d.stats.Moments}, {"omitted", d.stats.Omitted}} {
		d.b = append(d.b, `,"`+n.name+`":`...)
		d.b = strconv.AppendInt(d.b, int64(n.count), 10)
	}
	d.b = append(d.b, "}}\n"...)
	d.flush()
}

// flush hands on what was written. An error shows when all is done: bufio.Writer keeps it.
func (d *drawing) flush() {
	d.w.Write(d.b)
	d.b = d.b[:0]
}

// newLane adds a lane to a process, and says what it is called.
func (d *drawing) newLane(in *process, number int, name string) *lane {
	d.lastTID++
	d.b = append(d.b, ',')
	d.metadata("thread_name", in.pid, d.lastTID, name)
	d.b = append(d.b, `,`+"\n"+`{"ph":"M","ts":0,"pid":`...)
	d.b = strconv.AppendInt(d.b, int64(in.pid), 10)
	d.b = append(d.b, `,"tid":`...)
	d.b = strconv.AppendInt(d.b, int64(d.lastTID), 10)
	d.b = append(d.b, `,"name":"thread_sort_index","args":{"sort_index":`...)
	d.b = strconv.AppendInt(d.b, int64(d.lastTID), 10)
	d.b = append(d.b, "}}"...)
	return &lane{tid: d.lastTID, number: number}
}

func (d *drawing) metadata(what string, pid, tid int, name string) {
	d.b = append(d.b, "\n"+`{"ph":"M","ts":0,"pid":`...)
	d.b = strconv.AppendInt(d.b, int64(pid), 10)
	if tid > 0 {
		d.b = append(d.b, `,"tid":`...)
		d.b = strconv.AppendInt(d.b, int64(tid), 10)
	}
	d.b = append(d.b, `,"name":"`+what+`","args":{"name":`...)
	d.b = appendName(d.b, name)
	d.b = append(d.b, "}}"...)
}

// draw writes the events of a span or of a critical path.
func (d *drawing) draw(p placed) {
	if p.isPath {
		d.drawPath(p)
		d.flush()
		return
	}
	s, in := p.span, d.process(p.span)
	var l *lane
	if p.isMoment {
		d.stats.Moments++
		if in.moments == nil {
			in.moments = d.newLane(in, 0, "duration not known")
		}
		l = in.moments
	} else {
		d.stats.Slices++
		l = d.laneOf(p, in)
	}
	d.event(p, in, l)
	failed, critical := s.Failed(), d.critical[s]
	name := s.Name()
	if failed {
		name = "✗ " + name
	}
	d.name(name)
	d.b = append(d.b, `,"cat":"`+s.Kind().String()...)
	if failed {
		d.b = append(d.b, ",failed"...)
	}
	if critical > 0 {
		d.b = append(d.b, ",critical"...)
	}
	d.b = append(d.b, '"')
	if failed {
		d.b = append(d.b, `,"cname":"terrible"`...)
	}
	if b, ok := d.binds[s]; ok {
		d.b = appendID(append(d.b, `,"bind_id":`...), b.id)
		if b.in {
			d.b = append(d.b, `,"flow_in":true`...)
		} else {
			d.b = append(d.b, `,"flow_out":true`...)
		}
	}
	d.b = append(d.b, `,"args":`...)
	d.spanArgs(p, critical)
	d.b = append(d.b, '}')
	for _, end := range d.ends[s] {
		d.arrow(p, in, l, end)
	}
	delete(d.critical, s)
	delete(d.binds, s)
	delete(d.ends, s)
	d.flush()
}

// event begins an event: what it is, when, and where.
func (d *drawing) event(p placed, in *process, l *lane) {
	if p.isMoment {
		d.b = append(d.b, `,`+"\n"+`{"ph":"i","ts":`...)
		d.b = appendMicros(d.b, p.at-d.base)
		d.b = append(d.b, `,"s":"t"`...)
	} else {
		d.b = append(d.b, `,`+"\n"+`{"ph":"X","ts":`...)
		d.b = appendMicros(d.b, p.at-d.base)
		d.b = append(d.b, `,"dur":`...)
		d.b = appendMicros(d.b, p.end-p.at)
	}
	d.where(in, l)
}

func (d *drawing) where(in *process, l *lane) {
	d.b = append(d.b, `,"pid":`...)
	d.b = strconv.AppendInt(d.b, int64(in.pid), 10)
	d.b = append(d.b, `,"tid":`...)
	d.b = strconv.AppendInt(d.b, int64(l.tid), 10)
}

func (d *drawing) name(name string) { d.b = appendName(append(d.b, `,"name":`...), name) }

func (d *drawing) arrow(p placed, in *process, l *lane, end arrowEnd) {
	if end.start {
		d.b = append(d.b, `,`+"\n"+`{"ph":"s","ts":`...)
	} else {
		d.b = append(d.b, `,`+"\n"+`{"ph":"f","ts":`...)
	}
	d.b = appendMicros(d.b, p.at-d.base)
	d.where(in, l)
	d.b = append(d.b, `,"id":`...)
	d.b = appendID(d.b, end.id)
	d.name(end.name)
	d.b = append(d.b, `,"cat":"arrow"`...)
	if !end.start {
		d.b = append(d.b, `,"bp":"e"`...) // of the slice around it, not of the next
	}
	d.b = append(d.b, '}')
}

// drawPath writes a slice for a trace and, inside it, its critical path.
func (d *drawing) drawPath(p placed) {
	t := p.span.Trace()
	l := d.laneOf(p, d.paths)
	d.event(p, d.paths, l)
	name := p.span.Service() + " " + p.span.Name()
	if p.span.Failed() {
		name = "✗ " + name
	}
	d.name(name)
	d.b = append(d.b, `,"cat":"trace","args":{"trace_id":"`+t.RecordedID().String()+`","spans":`...)
	d.b = strconv.AppendInt(d.b, int64(t.NumSpans()), 10)
	if source := t.Source(); source != "" {
		d.b = appendString(append(d.b, `,"source":`...), source)
	}
	if weight := t.Weight(); weight != 1 {
		d.b = appendFloat(append(d.b, `,"weight":`...), weight)
	}
	d.b = append(d.b, "}}"...)
	d.sections = p.span.AppendCriticalPath(d.sections[:0])
	for _, section := range d.sections {
		d.event(placed{at: section.Start, end: section.End}, d.paths, l)
		d.name(section.Span.Service() + " " + section.Span.Name())
		d.b = append(d.b, `,"cat":"critical","args":{"span_id":"`+section.Span.RecordedID().String()+`"}}`...)
	}
}

// spanArgs writes what there is to say about a span.
func (d *drawing) spanArgs(p placed, critical int64) {
	s := p.span
	d.b = append(d.b, `{"trace_id":"`+s.Trace().RecordedID().String()+`","span_id":"`+s.RecordedID().String()+`"`...)
	if id := s.ParentID(); !id.IsZero() {
		d.b = append(d.b, `,"parent_id":"`+id.String()+`"`...)
	}
	d.b = append(d.b, `,"kind":"`+s.Kind().String()+`","status":"`+s.Status().String()+`"`...)
	if message := s.StatusMessage(); message != "" {
		d.b = appendString(append(d.b, `,"status_message":`...), message)
	}
	if start := s.Start(); !start.IsZero() {
		d.b = start.AppendFormat(append(d.b, `,"start":"`...), time.RFC3339Nano)
		d.b = append(d.b, '"')
	}
	if p.isMoment {
		if end := int64(s.Data().End); end > 0 {
			d.b = time.Unix(0, end).UTC().AppendFormat(append(d.b, `,"end":"`...), time.RFC3339Nano)
			d.b = append(d.b, '"')
		}
	}
	if critical > 0 {
		d.b = strconv.AppendInt(append(d.b, `,"critical_ns":`...), critical, 10)
	}
	d.attributes("attributes", s.Attrs())
	if parent, ok := s.Parent(); !ok || d.process(parent) != d.process(s) {
		d.attributes("resource", pairs(s.Resource().Attributes))
	}
	d.events(s)
	d.links(s)
	d.b = append(d.b, '}')
}

func (d *drawing) events(s tracewhy.Span) {
	i := 0
	for e := range s.Events() {
		d.element("events", i)
		d.b = appendString(append(d.b, `{"name":`...), e.Name)
		if at := int64(e.Time); at > 0 {
			d.b = time.Unix(0, at).UTC().AppendFormat(append(d.b, `,"time":"`...), time.RFC3339Nano)
			d.b = append(d.b, '"')
		}
		d.attributes("attributes", pairs(e.Attributes))
		d.b = append(d.b, '}')
		i++
	}
	if i > 0 {
		d.b = append(d.b, ']')
	}
}

func (d *drawing) links(s tracewhy.Span) {
	i := 0
	for l := range s.Links() {
		d.element("links", i)
		d.b = append(d.b, `{"trace_id":"`+l.TraceID.String()+`","span_id":"`+l.SpanID.String()+`"`...)
		d.attributes("attributes", pairs(l.Attributes))
		d.b = append(d.b, '}')
		i++
	}
	if i > 0 {
		d.b = append(d.b, ']')
	}
}

// element begins element number i of a list.
func (d *drawing) element(list string, i int) {
	if i == 0 {
		d.b = append(d.b, `,"`+list+`":[`...)
	} else {
		d.b = append(d.b, ',')
	}
}
