package tracewhy

// Failed reports whether the operation that the span records failed, by the first of these that says:
//
//   - its status: error is a failure, OK is none;
//   - the HTTP status code, http.response.status_code or http.status_code: 500 and above is a failure,
//     and so is 400 and above for a client, which got no answer that it could use;
//   - the gRPC status, rpc.grpc.status_code: anything but 0 is a failure for a client; for a server the
//     codes that OpenTelemetry calls server errors are (2, 4, 12, 13, 14, 15);
//   - the attribute error, as OpenTracing has it: true, or any text but "false", "0" and "";
//   - an event named exception.
//
// https://opentelemetry.io/docs/specs/semconv/http/http-spans/#status and
// https://opentelemetry.io/docs/specs/semconv/rpc/grpc/#grpc-status give the codes.
func (s Span) Failed() bool {
	switch s.Status() {
	case StatusError:
		return true
	case StatusOK:
		return false
	}
	if v, ok := s.firstNumber("http.response.status_code", "http.status_code"); ok {
		return v >= 500 || v >= 400 && s.Kind() == KindClient
	}
	if v, ok := s.firstNumber("rpc.grpc.status_code"); ok && v != 0 {
		if s.Kind() != KindServer {
			return true
		}
		switch v {
		case 2, 4, 12, 13, 14, 15:
			return true
		}
		return false
	}
	if v, ok := s.Attr("error"); ok {
		switch v.String() {
		case "false", "False", "0", "":
		default:
			return true
		}
	}
	for i := range s.NumEvents() {
		if s.eventName(i) == "exception" {
			return true
		}
	}
	return false
}

func (s Span) firstNumber(keys ...string) (float64, bool) {
	for _, k := range keys {
		if v, ok := s.Attr(k); ok {
			if n, ok := v.Number(); ok {
				return n, true
			}
		}
	}
	return 0, false
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
	failed := "its primary root span failed: status error, or with an unset status HTTP >= 500 (client: >= 400), a gRPC error code, error=true or an exception event"
	if r.Failure != nil {
		failed = "the caller's predicate holds"
	}
	return "a trace failed if " + failed + "; it was abandoned if " + r.abandonedKey() + "=abandoned on the root; it is slow relative to the baseline of its root operation"
}
