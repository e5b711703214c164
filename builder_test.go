package tracewhy

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// tid and sid make ids of a small number.
func tid(n byte) TraceID { return TraceID{0: 0xaa, 15: n} }
func sid(n byte) SpanID  { return SpanID{7: n} }

// span makes a span of trace 1 that runs from start to end, in seconds of some year.
func span(id, parent byte, name string, start, end uint64) SpanData {
	const year, second = 1_700_000_000_000_000_000, 1_000_000_000
	return SpanData{
		TraceID: tid(1), SpanID: sid(id), ParentSpanID: sid(parent), Name: name, Kind: KindInternal,
		Start: year + start*second, End: year + end*second, Resource: serviceA,
	}
}

var (
	serviceA = &Resource{Attributes: []KeyValue{String("service.name", "a")}}
	serviceB = &Resource{Attributes: []KeyValue{String("service.name", "b")}}
)

// with returns a changed copy.
func with(s SpanData, change func(*SpanData)) SpanData {
	change(&s)
	return s
}

// counts returns the problems of a Set by code.
func counts(s *Set) map[string]int {
	m := map[string]int{}
	for _, w := range s.Problems() {
		m[w.Code] = w.Count
	}
	return m
}

// only returns the single span of a Set.
func only(t *testing.T, s *Set) Span {
	t.Helper()
	if s.NumSpans() != 1 {
		t.Fatalf("%d spans, want 1", s.NumSpans())
	}
	return s.Span(0)
}

func TestBuilderFiltersAttributes(t *testing.T) {
	asked := map[string]int{}
	b := Builder{KeepAttribute: func(key string) bool { asked[key]++; return key == "keep" }, WeightKey: "rate"}
	attrs := []KeyValue{Int("keep", 1), Int("drop", 2), String("sampler.type", "const"), Int("rate", 3)}
	for range 3 {
		s := span(1, 0, "s", 0, 1)
		s.Attributes = attrs
		s.Events = []Event{{Name: "e", Attributes: attrs}}
		s.Links = []Link{{TraceID: tid(2), SpanID: sid(1), Attributes: attrs}}
		s.Resource = &Resource{Attributes: append([]KeyValue{String("service.name", "a")}, attrs...)}
		b.Add(&s)
	}
	set, err := b.Build(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got := only(t, set).Data()
	want := []KeyValue{Int("keep", 1), String("sampler.type", "const"), Int("rate", 3)}
	for what, kvs := range map[string][]KeyValue{"span": got.Attributes, "event": got.Events[0].Attributes, "link": got.Links[0].Attributes} {
		if !reflect.DeepEqual(kvs, want) {
			t.Errorf("%s has %v, want %v", what, kvs, want)
		}
	}
	if len(got.Resource.Attributes) != 5 {
		t.Errorf("resource has %v", got.Resource.Attributes)
	}
	if want := map[string]int{"keep": 1, "drop": 1}; !reflect.DeepEqual(asked, want) {
		t.Errorf("asked for %v, want %v", asked, want)
	}
	if n := counts(set)[ProblemAttributeDropped]; n != 9 {
		t.Errorf("%d attributes dropped, want 9", n)
	}
}

func TestBuilderCutsValues(t *testing.T) {
	b := Builder{MaxValueLen: 4}
	s := span(1, 0, "a long name stays", 0, 1)
	s.Attributes = []KeyValue{
		String("text", "12345"), String("short", "1234"), String("umlaut", "abcäöü"), KeyValue{"bytes", BytesOf([]byte("12345"))},
		KeyValue{"deep", MapOf(KeyValue{"a long key", ArrayOf(StringOf("12345"))})},
	}
	b.Add(&s)
	set, _ := b.Build(t.Context())
	got := only(t, set)
	want := []KeyValue{
		String("text", "1234"), String("short", "1234"), String("umlaut", "abc"), KeyValue{"bytes", BytesOf([]byte("1234"))},
		KeyValue{"deep", MapOf(KeyValue{"a long key", ArrayOf(StringOf("1234"))})},
	}
	if d := got.Data(); !reflect.DeepEqual(d.Attributes, want) || d.Name != s.Name {
		t.Errorf("got %v of %q, want %v", d.Attributes, d.Name, want)
	}
	if n := counts(set)[ProblemValueTruncated]; n != 4 {
		t.Errorf("%d values cut, want 4", n)
	}
}

// What does not fit is an error from Build, never a number that wrapped around.
func TestBuilderRefusesTooMuch(t *testing.T) {
	many := make([]KeyValue, 40)
	for i := range many {
		many[i] = Int(fmt.Sprint("k", i), int64(i))
	}
	tests := []struct {
		name string
		add  func(*SpanData)
	}{
		{"attributes", func(s *SpanData) { s.Attributes = many }},
		{"events", func(s *SpanData) { s.Events = make([]Event, 40) }},
		{"links", func(s *SpanData) { s.Links = make([]Link, 40) }},
		{"event attributes", func(s *SpanData) { s.Events = []Event{{Attributes: many}} }},
		{"link attributes", func(s *SpanData) { s.Links = []Link{{Attributes: many}} }},
		{"resource attributes", func(s *SpanData) { s.Resource = &Resource{Attributes: many} }},
		{"scope attributes", func(s *SpanData) { s.Scope = &Scope{Attributes: many} }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var b Builder
			b.limit = 40
			small, large := span(1, 0, "small", 0, 1), span(2, 0, "large", 0, 1)
			tt.add(&large)
			b.Add(&small)
			b.Add(&large)
			b.Add(&small) // no effect
			if _, err := b.Build(t.Context()); !errors.Is(err, ErrTooLarge) {
				t.Fatalf("Build gave %v, want ErrTooLarge", err)
			}
			b.Add(&large)
			if s, err := b.Build(t.Context()); err != nil || s.NumSpans() != 1 {
				t.Errorf("after the failure the Builder is not as new: %v", err)
			}
		})
	}
	t.Run("spans", func(t *testing.T) {
		var b Builder
		b.limit = 40
		s := span(1, 0, "s", 0, 1)
		for range 40 {
			b.Add(&s)
		}
		if _, err := b.Build(t.Context()); err != nil {
			t.Fatalf("40 spans do not fit: %v", err)
		}
		b.limit = 40
		for range 41 {
			b.Add(&s)
		}
		if _, err := b.Build(t.Context()); !errors.Is(err, ErrTooLarge) {
			t.Errorf("Build gave %v, want ErrTooLarge", err)
		}
	})
	t.Run("texts", func(t *testing.T) {
		var b Builder
		b.limit = 40
		for i := range byte(39) {
			s := span(i+1, 0, fmt.Sprint("name ", i), 0, 1)
			b.Add(&s)
		}
		if _, err := b.Build(t.Context()); !errors.Is(err, ErrTooLarge) {
			t.Errorf("Build gave %v, want ErrTooLarge", err)
		}
	})
}

func TestBuilderIsEmptyAfterBuild(t *testing.T) {
	g := randomGen(1)
	spans := g.spans(50)
	b := Builder{MaxValueLen: 100}
	fill := func() {
		for i := range spans {
			b.Add(&spans[i])
		}
	}
	fill()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if s, err := b.Build(ctx); !errors.Is(err, context.Canceled) || s != nil {
		t.Fatalf("a cancelled Build gave %v, %v", s, err)
	}
	if b.Len() != 0 || b.MaxValueLen != 100 {
		t.Errorf("after a cancelled Build the Builder has %d spans and MaxValueLen %d", b.Len(), b.MaxValueLen)
	}
	for range 2 {
		fill()
		s, err := b.Build(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		requireEqual(t, "built again", contentsOf(SetOf(spans...)), contentsOf(s))
	}
	if s, err := new(Builder).Build(t.Context()); err != nil || s.NumTraces() != 0 || len(s.Problems()) != 0 || s.All().Len() != 0 {
		t.Errorf("the Set of nothing: %v, %v", s, err)
	}
}

func TestBuilderAccountsForEverySpan(t *testing.T) {
	var b Builder
	good, noID, noTrace := span(1, 0, "s", 0, 1), span(0, 0, "s", 0, 1), span(1, 0, "s", 0, 1)
	noTrace.TraceID = TraceID{}
	b.Add(&good)
	b.Add(&good)
	b.Add(&noID)
	b.Add(&noTrace)
	b.Quarantine(ProblemTimeInvalid, "b.json line 3", tid(9))
	b.Quarantine(ProblemTimeInvalid, "a.json line 12", tid(8))
	b.Note("of_the_reader", "a.json", TraceID{})
	if b.Len() != 6 {
		t.Errorf("Len is %d, want 6", b.Len())
	}
	s, _ := b.Build(t.Context())
	if got, want := s.Accounting(), (Accounting{In: 6, Kept: 1, Merged: 1, Quarantined: 4}); got != want {
		t.Errorf("accounting %+v, want %+v", got, want)
	}
	want := []Warning{
		{ProblemDuplicateSpan, problemText[ProblemDuplicateSpan], 1, tid(1).String()},
		{ProblemIDZero, problemText[ProblemIDZero], 2, tid(1).String()},
		{"of_the_reader", "a.json", 1, ""},
		{ProblemTimeInvalid, problemText[ProblemTimeInvalid] + "; for example a.json line 12", 2, tid(8).String()},
	}
	if got := s.Problems(); !reflect.DeepEqual(got, want) {
		t.Errorf("problems:\n%v, want\n%v", got, want)
	}
}

// The Builder may forget what a pointer led to, but not let it show.
func TestBuilderForgetsPointers(t *testing.T) {
	var spans []SpanData
	for round := range 2 {
		for i := range maxPointers + 10 {
			s := span(1, 0, "s", 0, 1)
			s.TraceID = TraceID{byte(i >> 8), byte(i), byte(round), 15: 1}
			s.Resource = &Resource{Attributes: []KeyValue{String("service.name", "s"), Int("", 1), Int("", 2), String("pid", fmt.Sprint(i))}}
			s.Scope = &Scope{Name: fmt.Sprint(i), Attributes: []KeyValue{Int("k", 1), Int("k", 2)}}
			spans = append(spans, s)
		}
	}
	s := SetOf(spans...)
	if n, m := len(s.resources), len(s.scopes); n != maxPointers+10 || m != maxPointers+10 {
		t.Errorf("%d resources and %d scopes, want %d", n, m, maxPointers+10)
	}
	got := counts(s)
	if got[ProblemEmptyKey] != len(spans) || got[ProblemDuplicateAttribute] != len(spans) {
		t.Errorf("%v, want one problem of each kind for each of %d spans", got, len(spans))
	}
	requireEqual(t, "shuffled", contentsOf(s), contentsOf(SetOf(shuffled(spans, 1)...)))
}

func TestBuilderRepairsTexts(t *testing.T) {
	const broken, other = "x\xff", "x\xfe"
	deep := func(text string) Value { return ArrayOf(MapOf(KeyValue{text, ArrayOf(StringOf(text))})) }
	make := func(text string, id byte) SpanData {
		s := span(id, 0, text, 0, 1)
		s.TraceState, s.StatusMessage = text, text
		s.Attributes = []KeyValue{String(text, text), {"deep", deep(text)}, {"raw", BytesOf([]byte(text))}}
		s.Events = []Event{{Name: text, Attributes: []KeyValue{String(text, text)}}}
		s.Links = []Link{{TraceState: text, Attributes: []KeyValue{String(text, text)}}}
		s.Resource = &Resource{Attributes: []KeyValue{String("service.name", text)}, SchemaURL: text}
		s.Scope = &Scope{Name: text, Version: text, SchemaURL: text, Attributes: []KeyValue{String(text, text)}}
		return s
	}
	spans := []SpanData{make(broken, 1), make(other, 2)}
	s := SetOf(spans...)
	fixed, _ := repaired(broken)
	otherFixed, _ := repaired(other)
	if fixed == otherFixed || !strings.HasPrefix(fixed, "x\uFFFD~") {
		t.Fatalf("repaired as %q and %q", fixed, otherFixed)
	}
	for i, text := range []string{fixed, otherFixed} {
		want := make(text, byte(i+1))
		want.Attributes[2] = KeyValue{"raw", BytesOf([]byte([]string{broken, other}[i]))} // bytes stay
		if got := s.Span(i).Data(); !reflect.DeepEqual(got, want) {
			t.Errorf("got\n%+v, want\n%+v", got, want)
		}
	}
	for i := range s.texts.Len() {
		if text := s.texts.String(uint32(i)); text != strings.ToValidUTF8(text, "") {
			t.Errorf("text %q is not UTF-8", text)
		}
	}
	// 3 of the span itself, 2 of its attribute, 2 within the deep value, 3 of the event, 3 of the link,
	// and 1 for all of its resource and 1 for all of its scope.
	if n := counts(s)[ProblemInvalidUTF8]; n != 2*15 {
		t.Errorf("counted %d texts, want 30", n)
	}
}

// Bytes that are no text must not make a text of the same bytes look as if it were one.
func TestBytesAreNoTexts(t *testing.T) {
	text := with(span(1, 0, "s", 0, 1), func(s *SpanData) { s.Attributes = []KeyValue{String("k", "\xff")} })
	raw := with(span(2, 0, "s", 0, 1), func(s *SpanData) { s.Attributes = []KeyValue{{"k", BytesOf([]byte("\xff"))}} })
	a, b := SetOf(raw, text), SetOf(text, raw)
	requireEqual(t, "swapped", contentsOf(a), contentsOf(b))
	if v, _ := a.Span(0).Attr("k"); v.Str() == "\xff" {
		t.Error("the text was not repaired")
	}
}

func TestAttributesOfOneKey(t *testing.T) {
	s := span(1, 0, "s", 0, 1)
	s.Attributes = []KeyValue{Int("a", 1), Int("", 9), Int("b", 2), String("a", "last"), Int("c", 3), Int("b", 4)}
	set := SetOf(s)
	want := []KeyValue{String("a", "last"), Int("b", 4), Int("c", 3)}
	if got := only(t, set).Data().Attributes; !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := counts(set); got[ProblemDuplicateAttribute] != 2 || got[ProblemEmptyKey] != 1 {
		t.Errorf("problems %v", got)
	}
}

func TestValuesAreCutAtTheDepthLimit(t *testing.T) {
	nested := func(depth int, core Value) Value {
		for range depth {
			core = ArrayOf(core)
		}
		return core
	}
	s := span(1, 0, "s", 0, 1)
	s.Attributes = []KeyValue{
		{"fits", nested(MaxValueDepth, IntOf(1))},
		{"deep", nested(MaxValueDepth, ArrayOf(IntOf(1)))},
		{"hostile", nested(100_000, IntOf(1))},
	}
	set := SetOf(s)
	got := only(t, set)
	if v, _ := got.Attr("fits"); !v.Equal(nested(MaxValueDepth, IntOf(1))) {
		t.Error("a value within the limit was changed")
	}
	for _, key := range []string{"deep", "hostile"} {
		if v, _ := got.Attr(key); !v.Equal(nested(MaxValueDepth, Value{})) {
			t.Errorf("%s is %v", key, v)
		}
	}
	if n := counts(set)[ProblemValueDepth]; n != 2 {
		t.Errorf("%d values cut, want 2", n)
	}
}

func TestUnknownKindAndStatus(t *testing.T) {
	set := SetOf(with(span(1, 0, "s", 0, 1), func(s *SpanData) { s.Kind, s.Status = 99, 7 }))
	if s := only(t, set); s.Kind() != KindUnspecified || s.Status() != StatusUnset {
		t.Errorf("kind %v, status %v", s.Kind(), s.Status())
	}
	if got := counts(set); got[ProblemKindUnknown] != 1 || got[ProblemStatusUnknown] != 1 {
		t.Errorf("problems %v", got)
	}
}

func TestServices(t *testing.T) {
	tests := []struct {
		name              string
		attrs             []KeyValue
		service, instance string
		missing           bool
	}{
		{"named", []KeyValue{String("service.name", "pay")}, "pay", "", false},
		{"none", nil, "unknown_service", "", true},
		{"empty", []KeyValue{String("service.name", "")}, "unknown_service", "", true},
		{"a number", []KeyValue{Int("service.name", 5)}, "unknown_service", "", true},
		{"the most specific instance", []KeyValue{String("host.name", "h"), String("k8s.pod.name", "p"), String("service.instance.id", "i"), String("service.name", "pay")}, "pay", "i", false},
		{"the host for want of better", []KeyValue{String("service.name", "pay"), String("host.id", "9"), String("host.name", "h"), String("service.instance.id", "")}, "pay", "h", false},
	}
	for _, tt := range tests {
		set := SetOf(with(span(1, 0, "s", 0, 1), func(s *SpanData) { s.Resource = &Resource{Attributes: tt.attrs} }))
		s := only(t, set)
		if s.Service() != tt.service || s.Instance() != tt.instance || (counts(set)[ProblemServiceMissing] == 1) != tt.missing {
			t.Errorf("%s: service %q, instance %q, problems %v", tt.name, s.Service(), s.Instance(), counts(set))
		}
	}
}

func TestTimes(t *testing.T) {
	const max = 1<<63 - 1
	tests := []struct {
		name       string
		start, end uint64
		mark       Mark
		code       string
		first      int64 // what Interval says of the start
		duration   int64
	}{
		{"known", 5, 9, 0, "", 5, 4},
		{"no time at all", 5, 5, 0, "", 5, 0},
		{"ends first", 9, 5, MarkNegativeDuration, ProblemNegativeDuration, 9, -1},
		{"no start", 0, 5, MarkTimeUnknown, ProblemTimeMissing, 0, -1},
		{"no end", 5, 0, MarkTimeUnknown, ProblemTimeMissing, 5, -1},
		{"neither", 0, 0, MarkTimeUnknown, ProblemTimeMissing, 0, -1},
		{"the last of times", 5, max, 0, "", 5, max - 5},
		{"ends too late", 5, max + 1, MarkTimeUnknown, ProblemTimeOutOfRange, 5, -1},
		{"starts too late", 1<<64 - 1, 5, MarkTimeUnknown, ProblemTimeOutOfRange, 0, -1},
	}
	for _, tt := range tests {
		d := with(span(1, 0, "s", 0, 1), func(s *SpanData) { s.Start, s.End = tt.start, tt.end })
		set := SetOf(d)
		s := only(t, set)
		start, end, ok := s.Interval()
		if start != tt.first || ok != (tt.duration >= 0) || ok && end != start+tt.duration || int64(s.Duration()) != tt.duration || s.Marks() != tt.mark {
			t.Errorf("%s: interval %d %d %v, duration %d, marks %b", tt.name, start, end, ok, s.Duration(), s.Marks())
		}
		if s.Start().IsZero() != (tt.first == 0) || tt.first != 0 && s.Start().UnixNano() != tt.first {
			t.Errorf("%s: starts at %v", tt.name, s.Start())
		}
		if got := s.Data(); got.Start != tt.start || got.End != tt.end {
			t.Errorf("%s: Data has %d and %d", tt.name, got.Start, got.End)
		}
		if got := counts(set); len(got) != min(len(tt.code), 1) || tt.code != "" && got[tt.code] != 1 {
			t.Errorf("%s: problems %v", tt.name, got)
		}
	}
}

func TestShortTraceIDs(t *testing.T) {
	in := func(id TraceID, span SpanData) SpanData { span.TraceID = id; return span }
	long, short := TraceID{0: 1, 15: 7}, TraceID{15: 7}
	root, child := span(1, 0, "root", 0, 9), span(2, 1, "child", 1, 2)

	set := SetOf(in(short, child), in(long, root))
	if set.NumTraces() != 1 || set.Trace(0).ID() != long || !set.Trace(0).IsComplete() || counts(set)[ProblemShortIDJoined] != 1 {
		t.Errorf("a trace in two spellings: %d traces, problems %v", set.NumTraces(), counts(set))
	}
	set = SetOf(in(short, child), in(long, root), in(TraceID{0: 2, 15: 7}, root))
	if set.NumTraces() != 3 || counts(set)[ProblemShortIDJoined] != 0 {
		t.Errorf("of two candidates one was chosen: %d traces", set.NumTraces())
	}
	set = SetOf(in(short, child), in(TraceID{15: 8}, root))
	if set.NumTraces() != 2 {
		t.Errorf("two short ids are %d traces", set.NumTraces())
	}
}

func TestSources(t *testing.T) {
	from := func(source string, trace byte, s SpanData) SpanData {
		s.TraceID, s.Source = tid(trace), source
		return s
	}
	root, child := span(1, 0, "root", 0, 9), span(2, 1, "child", 1, 2)
	set := SetOf(
		from("late", 1, root), from("early", 1, child), // split: the root decides
		from("early", 2, root), from("late", 2, root), // the same in both
		from("only children", 3, child), from("late", 3, root),
		from("early", 4, root), from("early", 4, child),
	)
	if got := set.Sources(); !slices.Equal(got, []string{"early", "late"}) {
		t.Errorf("sources %q", got)
	}
	for source, want := range map[string][]byte{"early": {2, 4}, "late": {1, 3}, "only children": nil, "": nil} {
		var got []byte
		for tr := range set.Source(source).Traces() {
			got = append(got, tr.ID()[15])
		}
		if !slices.Equal(got, want) {
			t.Errorf("source %q has traces %v, want %v", source, got, want)
		}
	}
	if n := counts(set)[ProblemSplitSource]; n != 3 {
		t.Errorf("%d traces of several sources, want 3", n)
	}
}

func TestManySources(t *testing.T) {
	var b Builder
	const n = 70_000
	for i := range n {
		s := span(1, 0, "s", 0, 1)
		s.TraceID = TraceID{byte(i >> 16), byte(i >> 8), byte(i), 15: 1}
		s.Source = fmt.Sprintf("file %05d", i)
		b.Add(&s)
	}
	set, err := b.Build(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := len(set.Sources()); got != n {
		t.Errorf("%d sources, want %d", got, n)
	}
	last := fmt.Sprintf("file %05d", n-1)
	if c := set.Source(last); c.Len() != 1 || set.Trace(n-1).Source() != last {
		t.Errorf("the last source has %d traces", c.Len())
	}
}
