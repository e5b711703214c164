package tracewhy

// SpanData is one span as plain data: what readers hand to a [Builder], what tests write by hand,
// and what [Span.Data] gives back. It can carry everything that OpenTelemetry's span can say.
type SpanData struct {
	TraceID      TraceID
	SpanID       SpanID
	ParentSpanID SpanID // zero: no parent
	TraceState   string // W3C tracestate, verbatim
	Flags        uint32 // OTLP span flags: W3C trace flags in the low byte, is-remote bits at 0x100 and 0x200

	Name  string
	Kind  Kind
	Start uint64 // nanoseconds since the Unix epoch; 0: unknown
	End   uint64 // nanoseconds since the Unix epoch; 0: unknown

	Status        StatusCode
	StatusMessage string

	Attributes []KeyValue
	Events     []Event
	Links      []Link

	DroppedAttributes uint32 // attributes that the producer discarded
	DroppedEvents     uint32
	DroppedLinks      uint32

	// Resource and Scope may be shared by many spans. What they point to may be changed, by setting its
	// fields, until a span with another one is added, or the Set is built: what it is then holds for
	// the spans since the last with another one. A slice that it had must not be changed in place. Nil
	// means empty.
	Resource *Resource
	Scope    *Scope

	// Source names where the span was read from, in the caller's terms ("baseline", "incident", a file).
	// It is not telemetry: it selects cohorts ([Set.Source]) and is not written back.
	Source string

	// Weight is how many traces the span's trace stands for, at least 1, where somebody sampled traces and
	// knows: it goes before what is recorded ([Trace.Weight]). 0 leaves it to that. Like Source it is not
	// telemetry. It holds for the whole trace; where spans disagree the largest does.
	Weight float64
}

// Resource is the entity that produced spans: a process, with its service, instance, host, version.
type Resource struct {
	Attributes        []KeyValue
	DroppedAttributes uint32
	SchemaURL         string
}

// Scope is the instrumentation library that produced spans.
type Scope struct {
	Name, Version     string
	Attributes        []KeyValue
	DroppedAttributes uint32
	SchemaURL         string
}

// Event is something that happened at a moment within a span, a log line or an exception for example.
type Event struct {
	Time              uint64 // nanoseconds since the Unix epoch; 0: unknown
	Name              string
	Attributes        []KeyValue
	DroppedAttributes uint32
}

// Link points from a span to another span, often of another trace.
type Link struct {
	TraceID           TraceID
	SpanID            SpanID
	TraceState        string
	Flags             uint32
	Attributes        []KeyValue
	DroppedAttributes uint32
}
