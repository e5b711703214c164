package tracewhy

import "strings"

// ending says how a span that failed says that it ended.
type ending uint8

const (
	endedByError      ending = iota
	endedByDeadline          // it gave up waiting
	endedByCancelling        // its caller gave up on it
)

// These are parts of lower-case messages and types of errors. The words for a deadline go first: clients
// that give up say that they cancelled the request because of it. A cancelled order is no cancelled
// call, so the word alone is not enough.
var (
	deadlineTexts = [...]string{"deadline", "timeout", "timed out", "time out", "timedout"}
	cancelTexts   = [...]string{
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
			return endedByDeadline
		case 499: // nginx: the client closed the connection
			return endedByCancelling
		}
	}
	end := endingOf(s.StatusMessage())
	if id, ok := s.set.failure.errType.in(attrs); ok {
		end = firstEnding(end, endingOf(s.set.AttrValue(id).Str()))
	}
	for i := range s.NumEvents() {
		if s.eventName(i) != "exception" {
			continue
		}
		for _, kv := range s.event(i).Attributes {
			if kv.Key == "exception.type" || kv.Key == "exception.message" {
				end = firstEnding(end, endingOf(kv.Value.Str()))
			}
		}
	}
	return end
}

// firstEnding prefers a deadline to cancelling, and either to neither.
func firstEnding(x, y ending) ending {
	if x == endedByError || y == endedByDeadline {
		return y
	}
	return x
}

func endingOf(text string) ending {
	if text == "" {
		return endedByError
	}
	text = strings.ToLower(text)
	for _, part := range deadlineTexts {
		if strings.Contains(text, part) {
			return endedByDeadline
		}
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
