package tracewhy

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Op is how a [Condition] compares an attribute with its value.
type Op string

// The comparisons of a [Condition].
const (
	OpEqual    Op = "="       // has the value, by [Value.Canonical]: 500 and "500" are one
	OpNotEqual Op = "!="      // is there, with another value
	OpAtLeast  Op = ">="      // is a number of at least the value
	OpLess     Op = "<"       // is a number below the value
	OpHas      Op = "has"     // is a list with the value in it: an array, or text with commas
	OpMissing  Op = "missing" // is not there, and the producer discarded nothing that could have been it
	OpPresent  Op = "present" // is there, with any value
)

// Condition is a statement about one attribute, as data: it selects cohorts, explains a root cause and
// states an expectation. A span's own attribute goes before its resource's of the same key.
type Condition struct {
	Key   string `json:"key"`
	Op    Op     `json:"op"`
	Value Value  `json:"value"` // not used by OpMissing and OpPresent
}

// Holds reports whether the condition is true of the span. A missing attribute meets OpMissing alone,
// and not even that where the producer dropped attributes, so that it is not known to be missing.
func (c Condition) Holds(s Span) bool {
	if v, ok := s.Attr(c.Key); ok {
		return c.holdsFor(v)
	}
	if v, ok := s.ResourceAttr(c.Key); ok {
		return c.holdsFor(v)
	}
	return c.Op == OpMissing && s.meta().droppedAttrs == 0 && s.resource().dropped == 0
}

// holdsFor reports whether the condition is true of an attribute that is there.
func (c Condition) holdsFor(v Value) bool {
	switch c.Op {
	case OpEqual:
		return sameValue(v, c.Value)
	case OpNotEqual:
		return !sameValue(v, c.Value)
	case OpAtLeast, OpLess:
		order, ok := compareNumbers(v, c.Value)
		return ok && (order >= 0) == (c.Op == OpAtLeast)
	case OpHas:
		return hasElement(v, c.Value)
	case OpPresent:
		return true
	}
	return false
}

// sameValue is equality in the sense of statistics.
func sameValue(a, b Value) bool {
	if a.kind == StringValue && b.kind == StringValue { // no two texts have one canonical value
		return a.str == b.str
	}
	return a.Canonical().Equal(b.Canonical())
}

// compareNumbers compares two numbers, integers exactly; it is false if either is none.
func compareNumbers(a, b Value) (int, bool) {
	if a, b := a.Canonical(), b.Canonical(); a.kind == IntValue && b.kind == IntValue {
		return cmp.Compare(a.Int(), b.Int()), true
	}
	x, ok1 := a.Number()
	y, ok2 := b.Number()
	return cmp.Compare(x, y), ok1 && ok2
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
	Service     string        // the span's service, or "" for any
	Operation   string        // the span's name or its template, or "" for any
	Kind        Kind          // KindUnspecified for any
	Failed      bool          // only spans that failed: [Span.Failed]
	MinDuration time.Duration // only spans that took so long; one of unknown duration does not match
	Where       []Condition   // all must hold
}

// Matches reports whether the span is one that m selects.
func (m Matcher) Matches(s Span) bool {
	if m.Service != "" && m.Service != s.Service() ||
		m.Kind != KindUnspecified && m.Kind != s.Kind() ||
		m.Operation != "" && m.Operation != s.Name() && m.Operation != s.Operation() ||
		m.MinDuration > 0 && s.Duration() < m.MinDuration ||
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

// String returns the matcher in words: "a failed client span of payments, charge, where region = eu".
func (m Matcher) String() string {
	var b strings.Builder
	b.WriteString("a ")
	if m.Failed {
		b.WriteString("failed ")
	}
	if m.Kind != KindUnspecified {
		b.WriteString(m.Kind.String() + " ")
	}
	b.WriteString("span")
	if m.Service != "" {
		b.WriteString(" of " + m.Service)
	}
	if m.Operation != "" {
		b.WriteString(", " + m.Operation)
	}
	if m.MinDuration > 0 {
		b.WriteString(", of at least " + m.MinDuration.String())
	}
	for i, c := range m.Where {
		if i == 0 {
			b.WriteString(", where ")
		} else {
			b.WriteString(" and ")
		}
		b.WriteString(c.String())
	}
	return b.String()
}

// Predicate is a question about a trace, as data. All its parts must hold; the zero Predicate holds
// for every trace. What it cannot say is said by the algebra of cohorts, or by [Cohort.Select].
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

// String returns the predicate in words, for reports.
func (p Predicate) String() string {
	var parts []string
	if root := p.Root.String(); root != (Matcher{}).String() {
		parts = append(parts, "its root is "+root)
	}
	for _, m := range p.Has {
		parts = append(parts, "it has "+m.String())
	}
	for _, m := range p.HasNone {
		parts = append(parts, "it does not have "+m.String())
	}
	if parts == nil {
		return "always"
	}
	return strings.Join(parts, ", and ")
}
