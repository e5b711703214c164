package tracewhy

import (
	"slices"
	"strings"
)

// Op is how a [Condition] compares an attribute with its value.
type Op string

// The comparisons of a [Condition].
const (
	OpEqual    Op = "="       // has the value; numbers and the strings that spell them are one
	OpNotEqual Op = "!="      // is there, with another value
	OpAtLeast  Op = ">="      // is a number of at least the value
	OpLess     Op = "<"       // is a number below the value
	OpHas      Op = "has"     // is a list with the value in it: an array, or text with commas
	OpMissing  Op = "missing" // is not there
	OpPresent  Op = "present" // is there, with any value
)

// Condition is a statement about one attribute, as data: it selects cohorts, explains a root cause and
// states an expectation. A span's own attribute goes before its resource's of the same key.
type Condition struct {
	Key   string `json:"key"`
	Op    Op     `json:"op"`
	Value Value  `json:"value"` // not used by OpMissing and OpPresent
}

// Holds reports whether the condition is true of the span. A missing attribute meets OpMissing alone.
func (c Condition) Holds(s Span) bool {
	v, ok := s.Attr(c.Key)
	if !ok {
		v, ok = s.ResourceAttr(c.Key)
	}
	return c.holdsFor(v, ok)
}

func (c Condition) holdsFor(v Value, present bool) bool {
	if !present {
		return c.Op == OpMissing
	}
	switch c.Op {
	case OpEqual:
		return sameValue(v, c.Value)
	case OpNotEqual:
		return !sameValue(v, c.Value)
	case OpAtLeast, OpLess:
		x, isNumber := v.Number()
		y, isBound := c.Value.Number()
		return isNumber && isBound && (x >= y) == (c.Op == OpAtLeast)
	case OpHas:
		return hasElement(v, c.Value)
	case OpPresent:
		return true
	}
	return false
}

// sameValue is equality in the sense of statistics: 500, 500.0 and "500" are one value, and so are
// true and "true".
func sameValue(a, b Value) bool {
	if a.kind == b.kind {
		return a.Equal(b)
	}
	if x, ok := a.Number(); ok {
		y, ok := b.Number()
		return ok && x == y
	}
	return a.kind <= BoolValue && b.kind <= BoolValue && a.kind != EmptyValue && b.kind != EmptyValue && a.String() == b.String()
}

func hasElement(list, v Value) bool {
	switch list.kind {
	case ArrayValue:
		return slices.ContainsFunc(list.elems, func(e KeyValue) bool { return sameValue(e.Value, v) })
	case StringValue:
		for e := range strings.SplitSeq(list.str, ",") {
			if sameValue(StringOf(strings.TrimSpace(e)), v) {
				return true
			}
		}
	}
	return false
}

// String returns the condition as "key = value", "key missing" and so on.
func (c Condition) String() string {
	if c.Op == OpMissing || c.Op == OpPresent {
		return c.Key + " " + string(c.Op)
	}
	return c.Key + " " + string(c.Op) + " " + c.Value.String()
}

// Matcher selects spans: all that it says must hold. The zero Matcher matches every span.
type Matcher struct {
	Service   string      // the span's service, or "" for any
	Operation string      // the span's name or its template, or "" for any
	Kind      Kind        // KindUnspecified for any
	Failed    bool        // only spans that failed: [Span.Failed]
	Where     []Condition // all must hold
}

// Matches reports whether the span is one that m selects.
func (m Matcher) Matches(s Span) bool {
	if m.Service != "" && m.Service != s.Service() ||
		m.Kind != KindUnspecified && m.Kind != s.Kind() ||
		m.Operation != "" && m.Operation != s.Name() && m.Operation != s.Operation() ||
		m.Failed && !s.Failed() {
		return false
	}
	for _, c := range m.Where {
		if !c.Holds(s) {
			return false
		}
	}
	return true
}

// Predicate is a question about a trace, as data. All its parts must hold; the zero Predicate holds
// for every trace.
type Predicate struct {
	Root    Matcher   // matches the trace's primary root
	Has     []Matcher // each matches at least one span
	HasNone []Matcher // none matches any span
}

// Holds reports whether the trace is one that p selects.
func (p Predicate) Holds(t Trace) bool {
	if !p.Root.Matches(t.Root()) {
		return false
	}
	for _, m := range p.Has {
		if !anySpan(t, m) {
			return false
		}
	}
	for _, m := range p.HasNone {
		if anySpan(t, m) {
			return false
		}
	}
	return true
}

func anySpan(t Trace, m Matcher) bool {
	for s := range t.Spans() {
		if m.Matches(s) {
			return true
		}
	}
	return false
}
