package tracewhy

import (
	"iter"
	"math"
	"slices"
	"time"
)

// Span is a handle to one span of a Set: small, comparable, valid as long as its Set is.
// The zero Span is no span; only IsZero may be called on it.
type Span struct {
	set *Set
	num int32
}

// IsZero reports whether s is the zero Span.
func (s Span) IsZero() bool { return s.set == nil }

// ID returns the span's id, unique in its trace: where a client and servers recorded one id between
// them, the servers have derived ones. [Span.RecordedID] is the one to search for elsewhere.
func (s Span) ID() SpanID { return s.set.cols.spanID[s.num] }

// RecordedID returns the span's id as it was recorded.
func (s Span) RecordedID() SpanID {
	if s.Marks()&oddMarks != 0 {
		return s.set.oddOf(s.num).span
	}
	return s.ID()
}

// Index returns the span's number in its Set, for tables kept beside it.
func (s Span) Index() int { return int(s.num) }

// Trace returns the trace that the span is part of.
func (s Span) Trace() Trace { return Trace{s.set, s.set.cols.trace[s.num]} }

// Parent returns the span's parent; it is false for roots, orphans and where a ring was cut.
func (s Span) Parent() (Span, bool) {
	p := s.set.cols.parent[s.num]
	if p < 0 {
		return Span{}, false
	}
	return Span{s.set, p}, true
}

// ParentID returns the parent id as it was recorded, also where no such span is in the Set.
func (s Span) ParentID() SpanID {
	if s.Marks()&oddMarks != 0 {
		return s.set.oddOf(s.num).parent
	}
	if p, ok := s.Parent(); ok {
		return p.ID()
	}
	return SpanID{}
}

// HasRemoteParent reports whether the parent is a span of another process, as the span's flags say;
// known is false if they do not.
func (s Span) HasRemoteParent() (remote, known bool) {
	const hasIsRemote, isRemote = 0x100, 0x200 // opentelemetry.proto.trace.v1.SpanFlags
	f := s.Flags()
	return f&(hasIsRemote|isRemote) == hasIsRemote|isRemote, f&hasIsRemote != 0
}

// Children yields the span's children, by start, then id.
func (s Span) Children() iter.Seq[Span] {
	end := s.set.cols.end
	return func(yield func(Span) bool) {
		for i := s.num + 1; i < end[s.num]; i = end[i] {
			if !yield(Span{s.set, i}) {
				return
			}
		}
	}
}

// HasChildren reports whether the span has any child.
func (s Span) HasChildren() bool { return s.set.cols.end[s.num] > s.num+1 }

// Descendants yields all spans below this one, in pre-order.
func (s Span) Descendants() iter.Seq[Span] { return s.set.spans(s.num+1, s.set.cols.end[s.num]) }

// IsAncestorOf reports whether x lies below s.
func (s Span) IsAncestorOf(x Span) bool {
	return s.set == x.set && s.num < x.num && x.num < s.set.cols.end[s.num]
}

// Name returns the span's name as it was recorded. [Path.Operation] has the template of names that vary.
func (s Span) Name() string { return s.set.texts.String(s.set.cols.name[s.num]) }

// Service returns the service.name of the span's resource, or "unknown_service".
func (s Span) Service() string {
	return s.set.texts.String(s.resource().service)
}

// Operation returns the span's name, or its template where such names vary: [Path.Operation].
func (s Span) Operation() string { return s.Path().Operation() }

// Instance returns what names the running copy of the service: the first that its resource has of
// service.instance.id, k8s.pod.name, k8s.pod.uid, container.id, host.name and host.id; or "".
func (s Span) Instance() string {
	return s.set.texts.String(s.resource().instance)
}

// Kind returns the span's kind.
func (s Span) Kind() Kind { return s.set.cols.kind[s.num] }

// Status returns the span's status code.
func (s Span) Status() StatusCode { return s.set.cols.status[s.num] }

// StatusMessage returns the text that goes with the status.
func (s Span) StatusMessage() string { return s.set.texts.String(s.meta().statusMessage) }

// TraceState returns the span's W3C tracestate, verbatim.
func (s Span) TraceState() string { return s.set.texts.String(s.meta().traceState) }

// Flags returns the OTLP span flags.
func (s Span) Flags() uint32 { return s.meta().flags }

func (s Span) meta() *spanMeta { return &s.set.metas[s.set.cols.meta[s.num]] }

// Marks returns what is odd about the span.
func (s Span) Marks() Mark { return s.set.cols.marks[s.num] }

// Path returns the span's call path.
func (s Span) Path() Path { return Path{s.set, s.set.cols.path[s.num]} }

// Start returns when the span started, in UTC; the zero Time if that is not known.
func (s Span) Start() time.Time {
	if ns := s.set.cols.start[s.num]; ns != 0 {
		return time.Unix(0, ns).UTC()
	}
	return time.Time{}
}

// Duration returns how long the span took, or -1 if that is not known.
func (s Span) Duration() time.Duration { return time.Duration(s.set.cols.duration[s.num]) }

// Interval returns the span's start and end in nanoseconds since the Unix epoch.
// It is false where either is missing or out of range, or the end lies before the start.
func (s Span) Interval() (start, end int64, ok bool) {
	start, d := s.set.cols.start[s.num], s.set.cols.duration[s.num]
	if d < 0 {
		return start, start, false
	}
	return start, start + d, true
}

func (s Span) attrs() []AttrID {
	c := &s.set.cols
	return s.set.attrs[c.attr[s.num]:c.attr[s.num+1]]
}

func (s Span) resource() *resourceRow { return &s.set.resources[s.set.cols.resource[s.num]] }

// Attr returns the value of one of the span's own attributes.
func (s Span) Attr(key string) (Value, bool) { return s.set.valueOf(s.set.find(s.attrs(), key)) }

// ResourceAttr returns the value of an attribute of the span's resource.
func (s Span) ResourceAttr(key string) (Value, bool) {
	r := s.resource()
	return s.set.valueOf(s.set.find(s.set.side(r.attr, r.attrs), key))
}

func (s *Set) valueOf(id AttrID, ok bool) (Value, bool) {
	if !ok {
		return Value{}, false
	}
	return s.AttrValue(id), true
}

// AttrID returns the number of the span's own attribute with the key.
func (s Span) AttrID(key string) (AttrID, bool) { return s.set.find(s.attrs(), key) }

// Attrs yields the span's attributes in the order in which they were recorded.
func (s Span) Attrs() iter.Seq2[string, Value] {
	return func(yield func(string, Value) bool) {
		for _, id := range s.attrs() {
			if !yield(s.set.AttrKey(id), s.set.AttrValue(id)) {
				return
			}
		}
	}
}

// AttrIDs yields the numbers of the span's attributes in its Set's dictionary.
func (s Span) AttrIDs() iter.Seq[AttrID] { return slices.Values(s.attrs()) }

// ResourceAttrIDs yields the numbers of the attributes of the span's resource.
func (s Span) ResourceAttrIDs() iter.Seq[AttrID] {
	r := s.resource()
	return slices.Values(s.set.side(r.attr, r.attrs))
}

// NumEvents returns how many events the span has.
func (s Span) NumEvents() int {
	c := &s.set.cols
	return int(c.event[s.num+1] - c.event[s.num])
}

// Events yields the span's events in the order in which they were recorded.
func (s Span) Events() iter.Seq[Event] {
	return func(yield func(Event) bool) {
		for i := range s.NumEvents() {
			if !yield(s.event(i)) {
				return
			}
		}
	}
}

func (s Span) event(i int) Event {
	e := s.set.events[int(s.set.cols.event[s.num])+i]
	return Event{
		Time: e.time, Name: s.set.texts.String(e.name),
		Attributes: s.set.keyValues(s.set.side(e.attr, e.attrs)), DroppedAttributes: e.dropped,
	}
}

// Links yields the span's links to other spans.
func (s Span) Links() iter.Seq[Link] {
	return func(yield func(Link) bool) {
		c := &s.set.cols
		for _, l := range s.set.links[c.link[s.num]:c.link[s.num+1]] {
			if !yield(Link{
				TraceID: l.trace, SpanID: l.span, TraceState: s.set.texts.String(l.state), Flags: l.flags,
				Attributes: s.set.keyValues(s.set.side(l.attr, l.attrs)), DroppedAttributes: l.dropped,
			}) {
				return
			}
		}
	}
}

// DroppedAttributes returns how many attributes the producer discarded: an attribute that is not
// there may then have been.
func (s Span) DroppedAttributes() int { return int(s.meta().droppedAttrs) }

// DroppedEvents returns how many events the producer discarded.
func (s Span) DroppedEvents() int { return int(s.meta().droppedEvents) }

// DroppedLinks returns how many links the producer discarded.
func (s Span) DroppedLinks() int { return int(s.meta().droppedLinks) }

// ResourceIndex returns the number of the span's resource in its Set; equal numbers, equal resources.
func (s Span) ResourceIndex() int { return int(s.set.cols.resource[s.num]) }

// Resource returns the span's resource.
func (s Span) Resource() Resource {
	r := s.resource()
	return Resource{
		Attributes:        s.set.keyValues(s.set.side(r.attr, r.attrs)),
		DroppedAttributes: r.dropped, SchemaURL: s.set.texts.String(r.schema),
	}
}

// ScopeIndex returns the number of the span's scope in its Set; equal numbers, equal scopes.
func (s Span) ScopeIndex() int { return int(s.meta().scope) }

// Scope returns the span's instrumentation scope.
func (s Span) Scope() Scope {
	r := &s.set.scopes[s.meta().scope]
	return Scope{
		Name: s.set.texts.String(r.name), Version: s.set.texts.String(r.version),
		Attributes:        s.set.keyValues(s.set.side(r.attr, r.attrs)),
		DroppedAttributes: r.dropped, SchemaURL: s.set.texts.String(r.schema),
	}
}

// Data returns the span as plain data, as it was recorded: a Builder that is given the data of all spans
// of a Set builds equal traces. What the Builder settled stays settled: a key given twice, texts that
// were no UTF-8, a short trace id, the Source of a trace read from several.
func (s Span) Data() SpanData {
	m := s.meta()
	res, scope := s.Resource(), s.Scope()
	d := SpanData{
		TraceID: s.Trace().RecordedID(), SpanID: s.RecordedID(), ParentSpanID: s.ParentID(),
		TraceState: s.TraceState(), Flags: m.flags, Name: s.Name(), Kind: s.Kind(),
		Status: s.Status(), StatusMessage: s.StatusMessage(),
		Attributes:        s.set.keyValues(s.attrs()),
		DroppedAttributes: m.droppedAttrs, DroppedEvents: m.droppedEvents, DroppedLinks: m.droppedLinks,
		Resource: &res, Scope: &scope, Source: s.Trace().Source(), Weight: math.Float64frombits(m.weight),
	}
	for e := range s.Events() {
		d.Events = append(d.Events, e)
	}
	for l := range s.Links() {
		d.Links = append(d.Links, l)
	}
	if s.Marks()&oddMarks != 0 {
		o := s.set.oddOf(s.num)
		d.Start, d.End = o.start, o.end
	} else {
		start, end, _ := s.Interval()
		d.Start, d.End = uint64(start), uint64(end)
	}
	return d
}
