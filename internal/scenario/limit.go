package scenario

import "strconv"

// A limit is how often a vendor lets its customer call, or how many connections to it an instance of a service may have.
// It holds at all times, is exceeded in an incident, and no documentation names it.
type limit struct {
	connections int // of an instance; the rest is of vendors

	interval   int64 // between calls, on average
	burst      int64 // how many calls may come at once
	queues     int64 // how long calls that exceed it wait for their turn at most; 0: they are refused
	status     int64 // of refusals
	message    string
	retryAfter bool // whether refusals say when to ask again
}

// admit asks a vendor's limit about a call that comes now, and returns how long it waits for its turn, and whether it
// is refused: the generic cell rate algorithm, which is a bucket of tokens without the bucket (ITU-T recommendation
// I.371, 2004, annex A).
func (w *run) admit(s *service, l limit) (wait int64, isOver bool) {
	due := max(w.due[s], w.now)
	wait = max(0, due-w.now-(l.burst-1)*l.interval)
	if wait > l.queues {
		return l.queues, l.queues == 0
	}
	w.due[s] = due + l.interval
	return wait, false
}

// refusal returns the answer to a call that exceeds the limit.
func (l limit) refusal(op *operation) *failure {
	x := &failure{status: l.status, kind: strconv.FormatInt(l.status, 10), message: l.message, passing: true}
	if l.retryAfter && op.service.tech == techVendor {
		x.retryAfter = strconv.FormatInt(max(1, l.interval*l.burst/second), 10)
	}
	return x
}
