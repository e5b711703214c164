package tracewhy

import "strings"

// ending says how a span that failed says that it ended. Of two that it says the larger holds.
type ending uint8

const (
	endedByError      ending = iota
	endedByCancelling        // its caller gave up on it
	endedByDeadline          // a deadline passed, which callers hand on to those they call
	endedByTimeout           // it gave up waiting by a limit of its own
)

// gaveUp reports whether the span stopped waiting itself.
func (e ending) gaveUp() bool { return e >= endedByDeadline }

// These are parts of lower-case messages and types of errors. The words for giving up go first: clients
// say that they cancelled the request because of it. A cancelled order is no cancelled call, so the
// word alone is not enough.
var (
	timeoutTexts = [...]string{"timeout", "timed out", "time out", "timedout"}
	cancelTexts  = [...]string{
		"context canceled", "context cancelled", "request canceled", "request cancelled", "call canceled", "call cancelled",
		"operation canceled", "operation cancelled", "operation was canceled", "operation was cancelled", "task was canceled",
		"cancellederror", "canceledexception", "cancelledexception", "cancellationexception", "aborterror", "client disconnected",
	}
)

// ending tells by the span's codes, or else by its texts: those of its status, its error.type and its
// exceptions.
func (s Span) ending() ending {
	attrs := s.attrs()
	if code, ok := s.grpcStatus(attrs); ok {
		switch grpcCodes[code] {
		case "DEADLINE_EXCEEDED":
			return endedByDeadline
		case "CANCELLED":
			return endedByCancelling
		}
	}
	if code, ok := s.number(s.set.failure.http, attrs); ok {
		switch code {
		case 408, 504:
			return endedByTimeout
		case 499: // nginx: the client closed the connection
			return endedByCancelling
		}
	}
	end := endingOf(s.StatusMessage())
	if id, ok := s.set.failure.errType.in(attrs); ok {
		end = max(end, endingOf(s.set.AttrValue(id).Str()))
	}
	for i := range s.NumEvents() {
		if s.eventName(i) != "exception" {
			continue
		}
		for _, kv := range s.event(i).Attributes {
			if kv.Key == "exception.type" || kv.Key == "exception.message" {
				end = max(end, endingOf(kv.Value.Str()))
			}
		}
	}
	return end
}

func endingOf(text string) ending {
	if text == "" {
		return endedByError
	}
	text = strings.ToLower(text)
	for _, part := range timeoutTexts {
		if strings.Contains(text, part) {
			return endedByTimeout
		}
	}
	if strings.Contains(text, "deadline") {
		return endedByDeadline
	}
	if text == "canceled" || text == "cancelled" {
		return endedByCancelling
	}
	for _, part := range cancelTexts {
		if strings.Contains(text, part) {
			return endedByCancelling
		}
	}
	return endedByError
}
