package tracewhy

import (
	"math"
	"testing"
	"time"
)

func TestConditions(t *testing.T) {
	list := ArrayOf(StringOf("eu"), IntOf(7), FloatOf(2.5))
	tests := []struct {
		have Value
		op   Op
		want Value
		is   bool
	}{
		{StringOf("a"), OpEqual, StringOf("a"), true},
		{StringOf("a"), OpEqual, StringOf("A"), false},
		{IntOf(500), OpEqual, StringOf("500"), true},
		{StringOf("500"), OpEqual, IntOf(500), true},
		{FloatOf(500), OpEqual, IntOf(500), true},
		{StringOf("0500"), OpEqual, IntOf(500), false},
		{StringOf("1.10"), OpEqual, StringOf("1.1"), false},
		{BoolOf(true), OpEqual, StringOf("true"), true},
		{BoolOf(true), OpEqual, IntOf(1), false},
		{IntOf(math.MaxInt64), OpEqual, FloatOf(math.MaxInt64), false}, // 2^63 is one more
		{IntOf(math.MaxInt64), OpEqual, StringOf("9223372036854775807"), true},
		{IntOf(1<<53 + 1), OpEqual, FloatOf(1 << 53), false},
		{FloatOf(math.NaN()), OpEqual, FloatOf(math.NaN()), true},
		{list, OpEqual, list, true},
		{BytesOf([]byte("a")), OpEqual, StringOf("a"), false},
		{Value{}, OpEqual, StringOf(""), false},

		{StringOf("a"), OpNotEqual, StringOf("b"), true},
		{IntOf(500), OpNotEqual, StringOf("500"), false},

		{IntOf(5), OpAtLeast, IntOf(5), true},
		{IntOf(4), OpAtLeast, IntOf(5), false},
		{IntOf(4), OpLess, IntOf(5), true},
		{IntOf(5), OpLess, IntOf(5), false},
		{StringOf("4.5"), OpLess, IntOf(5), true},
		{StringOf("1e3"), OpAtLeast, IntOf(1000), true},
		{StringOf("many"), OpAtLeast, IntOf(0), false},
		{StringOf("many"), OpLess, IntOf(0), false},
		{IntOf(1), OpLess, StringOf("many"), false},
		{FloatOf(math.NaN()), OpLess, IntOf(0), false},
		{FloatOf(math.NaN()), OpAtLeast, IntOf(0), false},
		{FloatOf(math.Inf(1)), OpAtLeast, IntOf(0), true},
		{StringOf("Inf"), OpAtLeast, IntOf(0), false},
		{IntOf(math.MaxInt64), OpLess, IntOf(math.MaxInt64 - 1), false}, // one float64
		{IntOf(math.MaxInt64 - 1), OpLess, IntOf(math.MaxInt64), true},
		{BoolOf(true), OpAtLeast, IntOf(0), false},

		{list, OpHas, StringOf("eu"), true},
		{list, OpHas, StringOf("7"), true},
		{list, OpHas, FloatOf(2.5), true},
		{list, OpHas, StringOf("us"), false},
		{StringOf("vip, eu,7"), OpHas, StringOf("eu"), true},
		{StringOf("vip, eu,7"), OpHas, IntOf(7), true},
		{StringOf("vip, europe"), OpHas, StringOf("eu"), false},
		{StringOf("eu"), OpHas, StringOf("eu"), true},
		{IntOf(7), OpHas, IntOf(7), false},
		{MapOf(String("k", "eu")), OpHas, StringOf("eu"), false},

		{StringOf("a"), OpPresent, Value{}, true},
		{Value{}, OpPresent, Value{}, true}, // there, and empty
		{StringOf("a"), OpMissing, Value{}, false},
		{StringOf("a"), "~", StringOf("a"), false},
	}
	for _, tt := range tests {
		set := SetOf(with(span(1, 0, "s", 0, 1), func(s *SpanData) { s.Attributes = []KeyValue{{"k", tt.have}} }))
		c := Condition{Key: "k", Op: tt.op, Value: tt.want}
		if got := c.Holds(set.Span(0)); got != tt.is {
			t.Errorf("%v of %v %v: %v", c, tt.have.Kind(), tt.have, got)
		}
	}
}

func TestConditionsOnWhatIsNotThere(t *testing.T) {
	present := map[Op]bool{OpEqual: false, OpNotEqual: false, OpAtLeast: false, OpLess: false, OpHas: false, OpPresent: false, OpMissing: true}
	for op, want := range present {
		if got := (Condition{"k", op, IntOf(0)}).Holds(SetOf(span(1, 0, "s", 0, 1)).Span(0)); got != want {
			t.Errorf("k %s of a span without it: %v", op, got)
		}
	}
	missing := Condition{Key: "k", Op: OpMissing}
	dropped := SetOf(with(span(1, 0, "s", 0, 1), func(s *SpanData) { s.DroppedAttributes = 1 }))
	if missing.Holds(dropped.Span(0)) {
		t.Error("an attribute that may have been dropped counts as missing")
	}
	dropped = SetOf(with(span(1, 0, "s", 0, 1), func(s *SpanData) { s.Resource = &Resource{DroppedAttributes: 1} }))
	if missing.Holds(dropped.Span(0)) {
		t.Error("a resource attribute that may have been dropped counts as missing")
	}
	both := SetOf(with(span(1, 0, "s", 0, 1), func(s *SpanData) {
		s.Attributes = []KeyValue{Int("k", 1)}
		s.Resource = &Resource{Attributes: []KeyValue{Int("k", 2), Int("r", 3)}}
	})).Span(0)
	if !(Condition{"k", OpEqual, IntOf(1)}).Holds(both) || (Condition{"k", OpEqual, IntOf(2)}).Holds(both) || !(Condition{"r", OpEqual, IntOf(3)}).Holds(both) {
		t.Error("a span's own attribute does not go before its resource's")
	}
}

func TestMatchers(t *testing.T) {
	s := with(span(1, 0, "GET /users/123", 0, 2), func(s *SpanData) {
		s.Kind, s.Status = KindClient, StatusError
		s.Attributes = []KeyValue{String("region", "eu"), Int("n", 3)}
	})
	got := SetOf(s).Span(0)
	tests := []struct {
		m    Matcher
		is   bool
		text string
	}{
		{Matcher{}, true, "a span"},
		{Matcher{Service: "a"}, true, "a span of a"},
		{Matcher{Service: "b"}, false, "a span of b"},
		{Matcher{Operation: "GET /users/123"}, true, "a span, GET /users/123"},
		{Matcher{Operation: "GET /users/{id}"}, true, "a span, GET /users/{id}"},
		{Matcher{Operation: "GET /users/124"}, false, "a span, GET /users/124"},
		{Matcher{Kind: KindClient}, true, "a client span"},
		{Matcher{Kind: KindServer}, false, "a server span"},
		{Matcher{Failed: true}, true, "a failed span"},
		{Matcher{MinDuration: 2 * time.Second}, true, "a span, of at least 2s"},
		{Matcher{MinDuration: 2*time.Second + 1}, false, "a span, of at least 2.000000001s"},
		{Matcher{Where: []Condition{{"region", OpEqual, StringOf("eu")}, {"n", OpAtLeast, IntOf(3)}}}, true, "a span, where region = eu and n >= 3"},
		{Matcher{Where: []Condition{{"region", OpEqual, StringOf("eu")}, {"n", OpMissing, Value{}}}}, false, "a span, where region = eu and n missing"},
		{Matcher{Service: "a", Operation: "GET /users/{id}", Kind: KindClient, Failed: true}, true, "a failed client span of a, GET /users/{id}"},
	}
	for _, tt := range tests {
		if tt.m.Matches(got) != tt.is {
			t.Errorf("%v: %v", tt.m, !tt.is)
		}
		if tt.m.String() != tt.text {
			t.Errorf("%q, want %q", tt.m.String(), tt.text)
		}
	}
	unknown := SetOf(with(s, func(s *SpanData) { s.End = 0 })).Span(0)
	if (Matcher{MinDuration: 1}).Matches(unknown) {
		t.Error("a span of unknown duration is long enough")
	}
}

func TestPredicates(t *testing.T) {
	set := SetOf(span(1, 0, "root", 0, 9), with(span(2, 1, "pay", 1, 2), func(s *SpanData) { s.Status = StatusError }), span(3, 1, "log", 2, 3))
	tests := []struct {
		p    Predicate
		is   bool
		text string
	}{
		{Predicate{}, true, "always"},
		{Predicate{Root: Matcher{Operation: "root"}}, true, "its root is a span, root"},
		{Predicate{Root: Matcher{Operation: "pay"}}, false, "its root is a span, pay"},
		{Predicate{Has: []Matcher{{Operation: "pay", Failed: true}, {Operation: "log"}}}, true, "it has a failed span, pay, and it has a span, log"},
		{Predicate{Has: []Matcher{{Operation: "log", Failed: true}}}, false, "it has a failed span, log"},
		{Predicate{HasNone: []Matcher{{Operation: "refund"}}}, true, "it does not have a span, refund"},
		{Predicate{Has: []Matcher{{Operation: "pay"}}, HasNone: []Matcher{{Operation: "log"}}}, false, "it has a span, pay, and it does not have a span, log"},
	}
	for _, tt := range tests {
		if tt.p.Holds(set.Trace(0)) != tt.is {
			t.Errorf("%v: %v", tt.p, !tt.is)
		}
		if tt.p.String() != tt.text {
			t.Errorf("%q, want %q", tt.p.String(), tt.text)
		}
	}
}
