package tracewhy

// Failed reports whether the operation that the span records failed, by the first of these that says:
//
//   - its status: error is a failure, OK is none;
//   - the HTTP status code, http.response.status_code or http.status_code: 500 and above is a failure,
//     and so is 400 and above for a client, which got no answer that it could use;
//   - the gRPC status, rpc.response.status_code ("UNAVAILABLE") or rpc.grpc.status_code (14): anything
//     but OK is a failure, for a server only what OpenTelemetry calls its error: UNKNOWN,
//     DEADLINE_EXCEEDED, UNIMPLEMENTED, INTERNAL, UNAVAILABLE and DATA_LOSS;
//   - the attribute error, as OpenTracing and Zipkin have it: anything but false, "False", 0 and "";
//   - the attribute error.type, which only failures have, or an event named exception.
//
// https://opentelemetry.io/docs/specs/semconv/http/http-spans/#status and
// https://opentelemetry.io/docs/specs/semconv/rpc/grpc/ give the codes.
func (s Span) Failed() bool {
	switch s.Status() {
	case StatusError:
		return true
	case StatusOK:
		return false
	}
	keys, attrs := &s.set.failure, s.attrs()
	if code, ok := s.number(keys.http, attrs); ok && code >= 100 { // some write 0 where there was no answer
		return code >= 500 || code >= 400 && s.Kind() == KindClient
	}
	if code, ok := s.grpcStatus(attrs); ok {
		return code != 0 && (s.Kind() != KindServer || isServerError(code))
	}
	if id, ok := keys.err.in(attrs); ok {
		switch v := s.set.AttrValue(id); v.String() {
		case "false", "False", "0", "":
			return false
		default:
			return true
		}
	}
	if id, ok := keys.errType.in(attrs); ok && s.set.AttrValue(id).String() != "" {
		return true
	}
	for i := range s.NumEvents() {
		if s.eventName(i) == "exception" {
			return true
		}
	}
	return false
}

// failureKeys are the attributes that [Span.Failed] looks for.
type failureKeys struct {
	http, grpc   [2]attrRange // the current name first
	err, errType attrRange
}

func (s *Set) failureKeys() failureKeys {
	of := func(key string) attrRange {
		first, end := s.AttrRange(key)
		return attrRange{first, end}
	}
	return failureKeys{
		http:    [2]attrRange{of("http.response.status_code"), of("http.status_code")},
		grpc:    [2]attrRange{of("rpc.response.status_code"), of("rpc.grpc.status_code")},
		err:     of("error"),
		errType: of("error.type"),
	}
}

func (s Span) number(keys [2]attrRange, attrs []AttrID) (float64, bool) {
	for _, k := range keys {
		if id, ok := k.in(attrs); ok {
			if n, ok := s.set.AttrValue(id).Number(); ok {
				return n, true
			}
		}
	}
	return 0, false
}

// grpcCodes are gRPC's status codes by number.
var grpcCodes = [...]string{
	"OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED",
	"RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE",
	"DATA_LOSS", "UNAUTHENTICATED",
}

func (s Span) grpcStatus(attrs []AttrID) (int, bool) {
	if id, ok := s.set.failure.grpc[0].in(attrs); ok {
		name := s.set.AttrValue(id).Str()
		for code, n := range grpcCodes {
			if n == name {
				return code, true
			}
		}
	}
	n, ok := s.number(s.set.failure.grpc, attrs)
	return int(n), ok && n >= 0 && n < float64(len(grpcCodes))
}

func isServerError(grpcCode int) bool {
	switch grpcCodes[grpcCode] {
	case "UNKNOWN", "DEADLINE_EXCEEDED", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS":
		return true
	}
	return false
}

func (s Span) eventName(i int) string {
	return s.set.texts.String(s.set.events[int(s.set.cols.event[s.num])+i].name)
}

// Outcome is how a transaction ended for whoever asked for it.
type Outcome uint8

// The outcomes of a transaction, the one that holds first coming last.
const (
	OutcomeOK Outcome = iota
	OutcomeSlow
	OutcomeAbandoned
	OutcomeFailed
)

var outcomeNames = [...]string{"ok", "slow", "abandoned", "failed"}

// String returns the outcome's lower-case name.
func (o Outcome) String() string {
	if int(o) < len(outcomeNames) {
		return outcomeNames[o]
	}
	return "outcome"
}

// OutcomeRule says when a transaction has failed. Its zero value is the rule of [Span.Failed] on the
// trace's primary root, and "abandoned" where an attribute of the root says so.
type OutcomeRule struct {
	// Failure, if not nil, decides alone what a failed trace is.
	Failure *Predicate
	// AbandonedKey is the attribute of the root whose value "abandoned" says that the customer gave up;
	// "" means business.outcome.
	AbandonedKey string
}

// Of returns the outcome of a trace. Whether it was slow is relative to others, so it never returns
// OutcomeSlow.
func (r OutcomeRule) Of(t Trace) Outcome {
	root := t.Root()
	if r.Failure != nil {
		if r.Failure.Holds(t) {
			return OutcomeFailed
		}
	} else if root.Failed() {
		return OutcomeFailed
	}
	if v, ok := root.Attr(r.abandonedKey()); ok && v.Str() == "abandoned" {
		return OutcomeAbandoned
	}
	return OutcomeOK
}

func (r OutcomeRule) abandonedKey() string {
	if r.AbandonedKey == "" {
		return "business.outcome"
	}
	return r.AbandonedKey
}

// String returns the rule in words, for reports.
func (r OutcomeRule) String() string {
	failed := "its primary root span failed: status error, or with an unset status HTTP >= 500 (client: >= 400), a gRPC error code, error=true, error.type or an exception event"
	if r.Failure != nil {
		failed = r.Failure.String()
	}
	return "a trace failed if " + failed + "; it was abandoned if " + r.abandonedKey() + "=abandoned on the root; it is slow relative to the baseline of its root operation"
}
