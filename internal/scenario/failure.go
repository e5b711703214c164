package scenario

import (
	"strconv"

	"github.com/tracewhy/tracewhy/internal/stats"
)

// A failure is why an operation gives no answer.
type failure struct {
	status    int64  // as HTTP has it
	kind      string // error.type
	message   string
	passing   bool // whether another attempt may help
	rejection bool // whether the request itself is at fault, so that nothing is wrong with who refuses it
	timeout   bool
	// unanswered says that no answer arrived that could have a status.
	unanswered bool
	retryAfter string   // what the answer says of when to ask again, if anything
	thrown     *service // where it began, if an exception says so
	reported   bool     // whether a span has recorded that exception
}

// grpc returns the gRPC status of the failure.
func (x *failure) grpc() int64 {
	switch {
	case x == nil:
		return 0
	case x.status == 401:
		return 16 // unauthenticated
	case x.rejection:
		return 9 // failed precondition
	case x.timeout:
		return 4
	case x.status == 429:
		return 8 // resource exhausted
	case x.status == 503:
		return 14
	}
	return 13
}

// seenBy returns what a failure of op is to the service that called it.
func (x *failure) seenBy(op *operation) *failure {
	if x == nil || x.rejection {
		return x
	}
	status := int64(502)
	if x.timeout {
		status = 504
	}
	return &failure{
		status: status, kind: strconv.FormatInt(status, 10), message: "call to " + op.service.name + " failed: " + x.kind,
		passing: x.passing, timeout: x.timeout,
	}
}

// exceptions are what the languages call an error that nobody expected, and one of a pool.
var exceptions = map[string][2]string{
	"java":   {"java.lang.IllegalStateException", "java.sql.SQLTransientConnectionException"},
	"go":     {"*errors.errorString", "context.deadlineExceededError"},
	"dotnet": {"System.InvalidOperationException", "System.TimeoutException"},
	"nodejs": {"TypeError", "ConnectionAcquireTimeoutError"},
}

// internalError returns a failure of the operation's own code.
func internalError(s *service, op *operation) *failure {
	return &failure{status: 500, kind: exceptions[s.language][0], message: "unexpected state in " + op.name, thrown: s}
}

// defects are what goes wrong in a service that has not gone wrong before.
var defects = [...]struct{ kind, message string }{
	{"NullPointerException", "cannot read field \"status\" because \"entry\" is null"},
	{"OutOfMemoryError", "unable to create native thread"},
	{"IOException", "no space left on device"},
	{"CertificateExpiredException", "certificate is not valid after the date of the request"},
	{"SchemaMismatch", "unknown field \"purpose_code\" in message version 7"},
	{"ConfigurationError", "no value for rules.threshold"},
}

// defect draws a failure of the service's own code: one that is new, or one that looks like those of good times.
func defect(r *stats.Rand, s *service, op *operation) *failure {
	if chance(r, 0.3) {
		return internalError(s, op)
	}
	d := pick(r, defects[:]...)
	return &failure{status: 500, kind: d.kind, message: d.message, thrown: s}
}

// storeError returns a failure of a statement or of a vendor's API, which may pass.
func storeError(op *operation) *failure {
	if op.service.outside() {
		return &failure{status: 503, kind: "503", message: "service unavailable", passing: true}
	}
	const deadlock = "could not serialize access due to concurrent update"
	return &failure{status: 500, kind: "40001", message: deadlock, passing: true}
}

// poolTimeout returns the failure of a request that waited for a connection in vain.
func poolTimeout(s *service) *failure {
	return &failure{
		status: 500, kind: exceptions[s.language][1], thrown: s,
		message: "connection is not available, request timed out after " + strconv.FormatInt(s.patience/millisecond, 10) + "ms",
	}
}

// channelTimeouts are what HTTP clients of the languages say when no connection becomes free.
var channelTimeouts = map[string]struct{ kind, message string }{
	"java":   {"org.apache.http.conn.ConnectionPoolTimeoutException", "Timeout waiting for connection from pool"},
	"go":     {"context.deadlineExceededError", "acquire connection slot: context deadline exceeded"},
	"dotnet": {"System.TimeoutException", "no connection could be obtained from the pool within the time limit"},
	"nodejs": {"ConnectionAcquireTimeoutError", "all sockets of the agent are in use"},
}

// channelTimeout returns the failure of a request that waited for a connection to a vendor in vain.
func channelTimeout(s *service) *failure {
	x := channelTimeouts[s.language]
	return &failure{status: 500, kind: x.kind, message: x.message, thrown: s, unanswered: true}
}
