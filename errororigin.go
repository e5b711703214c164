package tracewhy

import (
	"cmp"
	"fmt"
	"slices"
)

// ErrorRole says what part a span had in a failure.
type ErrorRole uint8

// The roles of an [ErrorHop].
const (
	RoleOrigin     ErrorRole = iota // the failure began here
	RolePropagated                  // it failed because a span below did
	RoleMasked                      // its failure did not reach the root: it was retried or tolerated on the way
	RoleDeadline                    // it gave up waiting for a slow span, or its caller gave up on it
	RoleCollateral                  // it was cancelled because a sibling had failed
)

var errorRoleNames = [...]string{"origin", "propagated", "masked", "deadline-cancelled", "collateral"}

// String returns the role's lower-case name.
func (r ErrorRole) String() string {
	if int(r) < len(errorRoleNames) {
		return errorRoleNames[r]
	}
	return fmt.Sprintf("role(%d)", uint8(r))
}

// ErrorRule says in words what decided the role of an [ErrorHop].
type ErrorRule string

// The rules that decide a role.
const (
	// of an origin
	RuleDeepest       ErrorRule = "nothing below it failed that was not made good"
	RuleNoRemoteSide  ErrorRule = "the call failed, and its remote side has no span"
	RuleRemoteHealthy ErrorRule = "the call failed, and its remote side did not"
	RuleSlow          ErrorRule = "its caller gave up, having waited for it most"
	RuleOwnWait       ErrorRule = "it gave up, most of the wait being its own"
	// of a propagated failure
	RuleChild ErrorRule = "a span that it called failed"
	// of a masked one
	RuleTolerated   ErrorRule = "its caller did not fail"
	RuleRetried     ErrorRule = "an equal call was made after it"
	RuleHedged      ErrorRule = "an equal call answered first"
	RuleAsync       ErrorRule = "its caller did not wait for it"
	RuleLate        ErrorRule = "it failed after its caller had given up"
	RuleEarlier     ErrorRule = "another call of its caller failed after it"
	RuleMaskedAbove ErrorRule = "the failure that it led to was masked"
	// of a deadline
	RuleGaveUp   ErrorRule = "it gave up waiting for a slow span"
	RuleCutShort ErrorRule = "its caller gave up on it"
	// of a collateral failure
	RuleCancelled       ErrorRule = "it was cancelled after a sibling had failed"
	RuleCollateralAbove ErrorRule = "the failure that it led to was collateral"
)

// ErrorHop is a span's part in a failure.
type ErrorHop struct {
	Span   Span
	Role   ErrorRole
	Rule   ErrorRule
	Origin Span // where the failure began that the span had a part in
}

// ErrorOrigin returns the hop where the failure of the trace's primary root began. It is false if the
// root did not fail ([Span.Failed]). Where the origin is a call whose other side has no span,
// [Span.Peer] names that side.
func (t Trace) ErrorOrigin() (ErrorHop, bool) {
	if !t.Root().Failed() {
		return ErrorHop{}, false
	}
	hops := t.ErrorHops()
	i, _ := slices.BinarySearchFunc(hops, hops[0].Origin, func(h ErrorHop, s Span) int { return cmp.Compare(h.Span.num, s.num) })
	return hops[i], true
}

// ErrorHops returns the trace's spans that failed, each with its part in the failure of its root, and
// the spans that are the origin of a failure because they were slow. They are in the order of the Set.
//
// Each span that failed is taken to have failed because of one of the spans below it, its cause, or else
// of itself. Candidates are the failed spans that it called, directly or through internal spans that
// say nothing of how they ended: of those the one that ended last (then the one that started last, then
// the one that comes first in the Set), leaving out
//
//   - asynchronous ones ([Span.IsAsync]);
//   - those made good: an equal sibling that started after they had ended, or that answered while they
//     ran until they were cancelled, did not fail;
//   - those cancelled after another candidate had failed;
//   - where the caller gave up on a deadline, those that failed after that.
//
// From a root that failed, the chain of causes ends at the origin. But if the last spans of the chain
// say that they gave up or were cancelled, the failure is that of a deadline. Its owner is the last of
// them that gave up itself, or else the first of them; it is the caller's instead while both speak of a
// deadline, which callers hand on, and the caller had over four times as long. If something was running under the owner until it gave
// up, the origin is the span that has the largest part of its critical path, which need not have failed.
//
// Spans are equal calls if they have the same path, name, and URL, query or statement. Whether a span
// gave up or was cancelled is read from gRPC and HTTP status codes (4 and 1; 408, 504 and 499), and
// from the words that the usual libraries use in messages and types of errors.
//
// It takes time in O(n log n) for n spans.
func (t Trace) ErrorHops() []ErrorHop {
	w := errorWork{set: t.set}
	w.collect(t)
	if len(w.fails) == 0 {
		return nil
	}
	w.chooseCauses()
	w.assignRoles()
	for i := range w.fails {
		if w.fails[i].above == noCaller {
			w.judgeDeadline(i)
		}
	}
	slices.SortFunc(w.fails, func(x, y failure) int { return cmp.Compare(x.num, y.num) })
	hops := make([]ErrorHop, len(w.fails))
	for i, f := range w.fails {
		hops[i] = ErrorHop{Span{t.set, f.num}, f.role, f.rule, Span{t.set, f.origin}}
	}
	return hops
}

// errorWork finds the causes of the failures of one trace.
type errorWork struct {
	set   *Set
	first int32     // the trace's first span
	fails []failure // in the order of the Set
	// By place in the trace: the failure of the span, or where that says nothing of how it ended the one
	// of its caller; or callerHealthy.
	state  []int32
	calls  *callReader // when first needed
	groups []attemptGroup
}

// failure is a span that failed.
type failure struct {
	num    int32
	above  int32 // the failure of the span that called it, or one of those below
	cause  int32 // the failure that led to it, or noCause
	origin int32 // a span's number
	group  int32 // of equal calls, or one of those below
	ending ending
	role   ErrorRole
	rule   ErrorRule // as long as there is none, the failure may be its caller's cause
}

const (
	callerHealthy = -1
	noCaller      = -2
	noCause       = -1
	notGrouped    = -1
	noGroup       = -2
)

// collect lists the spans that failed.
func (w *errorWork) collect(t Trace) {
	c := &w.set.cols
	first, stop := t.bounds()
	w.first = first
	for i := first; i < stop; i++ {
		s, p := Span{t.set, i}, c.parent[i]
		failed := s.Failed()
		if failed && w.state == nil {
			w.state = slices.Repeat([]int32{callerHealthy}, int(stop-first))
		}
		switch {
		case failed:
			f := failure{num: i, above: noCaller, cause: noCause, origin: i, group: notGrouped, ending: s.ending()}
			if p != noParent {
				f.above = w.state[p-first]
			}
			w.state[i-first] = int32(len(w.fails))
			w.fails = append(w.fails, f)
		case w.state != nil && p != noParent && s.isSilent():
			w.state[i-first] = w.state[p-first]
		}
	}
}

// failureOf returns the failure of a span, or nil if it did not fail.
func (w *errorWork) failureOf(s Span) *failure {
	if i := w.state[s.num-w.first]; i >= 0 && w.fails[i].num == s.num {
		return &w.fails[i]
	}
	return nil
}

// isSilent reports whether a span that did not fail may not have been told: errors often pass through
// internal spans that do not record them.
func (s Span) isSilent() bool {
	if k := s.Kind(); k != KindInternal && k != KindUnspecified || s.Status() != StatusUnset {
		return false
	}
	attrs := s.attrs()
	if _, ok := s.number(s.set.failure.http, attrs); ok {
		return false
	}
	if _, ok := s.grpcStatus(attrs); ok {
		return false
	}
	return !s.IsRemote()
}

// chooseCauses finds which failure below led to each.
func (w *errorWork) chooseCauses() {
	const never = int64(1<<63 - 1)
	firstError := make([]int64, len(w.fails)) // by failure: when the first error below it ended
	for i := range firstError {
		firstError[i] = never
	}
	for i := range w.fails {
		f := &w.fails[i]
		if f.above < 0 {
			continue
		}
		if f.rule = w.excuse(f); f.rule == "" && f.ending != endedByCancelling {
			firstError[f.above] = min(firstError[f.above], w.endOf(f))
		}
	}
	for i := range w.fails {
		f := &w.fails[i]
		if f.above < 0 || f.rule != "" {
			continue
		}
		if f.ending == endedByCancelling && firstError[f.above] <= w.endOf(f) {
			f.role, f.rule = RoleCollateral, RuleCancelled
			continue
		}
		caller := &w.fails[f.above]
		if caller.cause == noCause || w.endsLater(f, &w.fails[caller.cause]) {
			caller.cause = int32(i)
		}
	}
}

// excuse returns why a failure cannot be its caller's cause, or "".
func (w *errorWork) excuse(f *failure) ErrorRule {
	s := Span{w.set, f.num}
	if s.IsAsync() {
		return RuleAsync
	}
	equal := w.attempts(f)
	switch {
	case equal.succeededAfter(s):
		return RuleRetried
	case f.ending == endedByCancelling && equal.succeededWithin(s):
		return RuleHedged
	}
	if f.above >= 0 {
		if caller := &w.fails[f.above]; caller.ending.gaveUp() && f.ending != endedByCancelling {
			start, end, ok := (Span{w.set, caller.num}).Interval()
			if ok && w.endOf(f) > end+(end-start)/patience {
				return RuleLate
			}
		}
	}
	return ""
}

// patience is how many times longer than the difference of their ends a call must have been for both
// ends to count as one.
const patience = 50

// endOf returns when a failure ended, or its start where that is not known.
func (w *errorWork) endOf(f *failure) int64 {
	return w.set.cols.start[f.num] + max(0, w.set.cols.duration[f.num])
}

func (w *errorWork) endsLater(f, g *failure) bool {
	c := &w.set.cols
	return cmp.Or(cmp.Compare(w.endOf(f), w.endOf(g)), cmp.Compare(c.start[f.num], c.start[g.num]), cmp.Compare(g.num, f.num)) > 0
}

// assignRoles settles all that deadlines do not change.
func (w *errorWork) assignRoles() {
	for i := range w.fails { // callers come before those they called
		f := &w.fails[i]
		f.role, f.rule = w.roleOf(int32(i))
	}
	for i := len(w.fails) - 1; i >= 0; i-- {
		f := &w.fails[i]
		if f.cause != noCause {
			f.origin = w.fails[f.cause].origin
		}
	}
	for i := range w.fails {
		if f := &w.fails[i]; f.rule == RuleCancelled {
			f.origin = w.fails[f.above].origin
		}
	}
}

func (w *errorWork) roleOf(i int32) (ErrorRole, ErrorRule) {
	f := &w.fails[i]
	switch {
	case f.role == RoleCollateral:
		return f.role, f.rule
	case f.above == callerHealthy:
		if rule := w.excuse(f); rule != "" {
			return RoleMasked, rule
		}
		return RoleMasked, RuleTolerated
	case f.above == noCaller:
	case f.rule != "":
		return RoleMasked, f.rule
	case w.fails[f.above].cause != i:
		if w.attempts(f).madeAfter(Span{w.set, f.num}) {
			return RoleMasked, RuleRetried
		}
		return RoleMasked, RuleEarlier
	default:
		switch w.fails[f.above].role {
		case RoleMasked:
			return RoleMasked, RuleMaskedAbove
		case RoleCollateral:
			return RoleCollateral, RuleCollateralAbove
		}
	}
	if f.cause != noCause {
		return RolePropagated, RuleChild
	}
	return RoleOrigin, ruleOfOrigin(Span{w.set, f.num})
}

// ruleOfOrigin tells calls that failed from operations that did.
func ruleOfOrigin(s Span) ErrorRule {
	isCall := s.Kind() == KindClient || s.Kind() == KindProducer
	for child := range s.Children() {
		if child.IsRemote() {
			if isCall {
				return RuleRemoteHealthy
			}
			return RuleDeepest
		}
	}
	if !isCall && !s.HasChildren() && s.Kind() != KindServer && s.Kind() != KindConsumer {
		name, _ := s.Peer()
		isCall = name != ""
	}
	if isCall {
		return RuleNoRemoteSide
	}
	return RuleDeepest
}
