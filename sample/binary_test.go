package sample_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/golden"
	"github.com/tracewhy/tracewhy/internal/tracetext"
	"github.com/tracewhy/tracewhy/sample"
)

// oddSpans makes spans with everything that a span can have, and that is wrong with some.
func oddSpans(rng *rand.Rand, traces int) []tracewhy.SpanData {
	pick := func(list ...string) string { return list[rng.IntN(len(list))] }
	times := []uint64{0, 1, 1000, 1_700_000_000_000_000_000, 1_700_000_000_000_000_500, 1_700_000_060_000_000_000, math.MaxInt64, math.MaxInt64 + 1, math.MaxUint64}
	when := func() uint64 { return times[rng.IntN(len(times))] }
	var value func(depth int) tracewhy.Value
	attributes := func(depth int) (kvs []tracewhy.KeyValue) {
		for _, i := range rng.Perm(5)[:rng.IntN(4)] {
			kvs = append(kvs, tracewhy.KeyValue{Key: []string{"a", "b", "error", "http.status_code", "sampler.type"}[i], Value: value(depth)})
		}
		return kvs
	}
	value = func(depth int) tracewhy.Value {
		switch tracewhy.ValueKind(rng.IntN(8)) {
		case tracewhy.StringValue:
			return tracewhy.StringOf(pick("", "x", "probabilistic", string(bytes.Repeat([]byte("long "), 60))))
		case tracewhy.BoolValue:
			return tracewhy.BoolOf(rng.IntN(2) == 0)
		case tracewhy.IntValue:
			return tracewhy.IntOf([]int64{0, -1, 500, math.MinInt64, math.MaxInt64}[rng.IntN(5)])
		case tracewhy.FloatValue:
			return tracewhy.FloatOf([]float64{0, 0.25, math.Copysign(0, -1), math.NaN(), math.Inf(-1)}[rng.IntN(5)])
		case tracewhy.BytesValue:
			return tracewhy.BytesOf([]byte(pick("", "x", "\xff")))
		case tracewhy.ArrayValue:
			if depth < 70 {
				return tracewhy.ArrayOf(value(depth+20), value(depth+1))
			}
		case tracewhy.MapValue:
			if depth < 70 {
				return tracewhy.MapOf(attributes(depth + 30)...)
			}
		}
		return tracewhy.Value{}
	}
	var resources []*tracewhy.Resource
	var scopes []*tracewhy.Scope
	for range 3 {
		resources = append(resources, &tracewhy.Resource{
			Attributes:        append(attributes(0), tracewhy.String("service.name", pick("a", "b")), tracewhy.String("k8s.pod.name", pick("p", "q"))),
			DroppedAttributes: rng.Uint32N(2), SchemaURL: pick("", "https://x/1"),
		})
		scopes = append(scopes, &tracewhy.Scope{Name: pick("", "otel"), Version: pick("", "1"), Attributes: attributes(0), DroppedAttributes: rng.Uint32N(2), SchemaURL: pick("", "https://x/2")})
	}
	var spans []tracewhy.SpanData
	for i := range traces {
		source := pick("", "baseline", "incident")
		for range 1 + rng.IntN(12) {
			s := tracewhy.SpanData{
				TraceID: tracetext.TraceID(i + 1), SpanID: tracewhy.SpanID{7: byte(1 + rng.IntN(20))}, ParentSpanID: tracewhy.SpanID{7: byte(rng.IntN(20))},
				TraceState: pick("", "", "ot=th:8", "x=1"), Flags: uint32(rng.IntN(3)) << 8,
				Name: pick("", "get", "GET /users/17", string(bytes.Repeat([]byte("name"), 70))),
				Kind: tracewhy.Kind(rng.IntN(6)), Status: tracewhy.StatusCode(rng.IntN(3)), StatusMessage: pick("", "", "boom"),
				Start: when(), End: when(), Attributes: attributes(0),
				DroppedAttributes: rng.Uint32N(2), DroppedEvents: rng.Uint32N(2), DroppedLinks: rng.Uint32N(2),
				Resource: resources[rng.IntN(3)], Scope: scopes[rng.IntN(3)], Source: source,
			}
			for range rng.IntN(3) {
				s.Events = append(s.Events, tracewhy.Event{Time: when(), Name: pick("", "exception"), Attributes: attributes(0), DroppedAttributes: rng.Uint32N(2)})
			}
			for range rng.IntN(3) {
				s.Links = append(s.Links, tracewhy.Link{
					TraceID: tracetext.TraceID(rng.IntN(9)), SpanID: tracewhy.SpanID{7: byte(rng.IntN(20))}, TraceState: pick("", "x=2"),
					Flags: rng.Uint32N(2), Attributes: attributes(0), DroppedAttributes: rng.Uint32N(2),
				})
			}
			spans = append(spans, s)
		}
	}
	return spans
}

// data returns what the spans of a Set say, without weights.
func data(set *tracewhy.Set) []tracewhy.SpanData {
	var list []tracewhy.SpanData
	for i := range set.NumSpans() {
		d := set.Span(i).Data()
		d.Weight = 0
		list = append(list, d)
	}
	return list
}

// Spans come out of a sample as they went in, also from one that was encoded.
func TestSpansSurvive(t *testing.T) {
	for seed := range uint64(8) {
		set := tracewhy.SetOf(oddSpans(rand.New(rand.NewPCG(seed, 3)), 20)...)
		s := of(sample.Config{}, slices.Collect(set.Traces())...)
		var decoded sample.Sample
		if err := decoded.UnmarshalBinary(encoded(t, s)); err != nil {
			t.Fatal(err)
		}
		for what, s := range map[string]*sample.Sample{"": s, "decoded": &decoded} {
			got, err := s.Set(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(data(set), data(got)); d != "" {
				t.Fatalf("seed %d %s (-want +got):\n%s", seed, what, d)
			}
			for i := range set.NumTraces() {
				if got.Trace(i).Weight() != set.Trace(i).Weight() {
					t.Fatalf("seed %d %s: weight %v, want %v", seed, what, got.Trace(i).Weight(), set.Trace(i).Weight())
				}
			}
		}
	}
}

// A decoded sample is the one that was encoded: it is added to and merged as that would be.
func TestDecodedSamplesGoOn(t *testing.T) {
	set := badVersion()
	traces := slices.Collect(set.Traces())
	cfg := configs["bytes"]
	cfg.Outcome = tracewhy.OutcomeRule{Failure: &tracewhy.Predicate{Has: []tracewhy.Matcher{{Failed: true, Where: []tracewhy.Condition{{Key: "x", Op: tracewhy.OpEqual, Value: tracewhy.IntOf(3)}}}}}}
	want := encoded(t, of(cfg, traces...))
	var s, rest sample.Sample
	for i, part := range [][]tracewhy.Trace{traces[:300], traces[300:700]} {
		if err := []*sample.Sample{&s, &rest}[i].UnmarshalBinary(encoded(t, of(cfg, part...))); err != nil {
			t.Fatal(err)
		}
	}
	for _, tr := range traces[700:] {
		s.Add(tr)
	}
	if got := encoded(t, merge(t, &s, &rest)); !bytes.Equal(got, want) {
		t.Error("another sample")
	}
}

// What was encoded once can be read for ever: a change of the format is a new version.
func TestFormatStays(t *testing.T) {
	spans := oddSpans(rand.New(rand.NewPCG(7, 7)), 3)
	want := of(sample.Config{PerStratum: 4, MaxBytes: 1}, slices.Collect(tracewhy.SetOf(spans...).Traces())...)
	golden.Check(t, "v1.sample", encoded(t, want))
	file, err := os.ReadFile("testdata/v1.sample")
	if err != nil {
		t.Fatal(err)
	}
	var s sample.Sample
	if err := s.UnmarshalBinary(file); err != nil {
		t.Fatal(err)
	}
	set, err := s.Set(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	wantSet, err := want.Set(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(data(wantSet), data(set)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestUnmarshalErrors(t *testing.T) {
	good := encoded(t, of(sample.Config{PerStratum: 2, MaxBytes: 1}, slices.Collect(tracewhy.SetOf(oddSpans(rand.New(rand.NewPCG(1, 1)), 3)...).Traces())...))
	var s sample.Sample
	if err := s.UnmarshalBinary(good); err != nil {
		t.Fatal(err)
	}
	for n := range good {
		if err := s.UnmarshalBinary(good[:n]); !errors.Is(err, sample.ErrFormat) {
			t.Fatalf("%d of %d bytes: error %v", n, len(good), err)
		}
	}
	if err := s.UnmarshalBinary(append(slices.Clone(good), 0)); !errors.Is(err, sample.ErrFormat) {
		t.Errorf("a byte too many: error %v", err)
	}
	if got := encoded(t, &s); !bytes.Equal(got, good) {
		t.Error("a failure changed the sample")
	}
}

// However many things the data announce, no memory is set aside for them.
func TestUnmarshalMemory(t *testing.T) {
	empty := encoded(t, sample.New(sample.Config{}))
	head := empty[:len(empty)-1] // up to the number of strata
	stratum := []byte("\x00\x00\x00\x00\x00\x00\x01\x80\x80\x40\x00")
	huge := binary.AppendUvarint(nil, 1<<40)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for _, tail := range [][]byte{huge, append([]byte{1}, huge...), append(append([]byte{1}, stratum...), huge...)} {
		var s sample.Sample
		if err := s.UnmarshalBinary(append(slices.Clone(head), tail...)); !errors.Is(err, sample.ErrFormat) {
			t.Errorf("error %v", err)
		}
	}
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > 1<<20 {
		t.Errorf("%d bytes allocated", n)
	}
}

func FuzzUnmarshal(f *testing.F) {
	// Small ones: the fuzzer takes minutes over seeds of kilobytes.
	for _, text := range []string{"a/b 0+1", "a/b 0+1 error=x @x link=@x k=1\n ! 1 e k=v\n a/c ?+?", "a/b 0+1\ntrace\na/b 0+1 error"} {
		set := tracetext.Set(text)
		for _, cfg := range []sample.Config{{PerStratum: 4}, {PerStratum: 1, MaxBytes: 1}} {
			f.Add(encoded(f, of(cfg, slices.Collect(set.Traces())...)))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var s sample.Sample
		if err := s.UnmarshalBinary(data); err != nil {
			if !errors.Is(err, sample.ErrFormat) {
				t.Fatalf("error %v", err)
			}
			return
		}
		if !bytes.Equal(encoded(t, &s), data) {
			t.Fatal("what was read is not what is written")
		}
		if _, err := s.Set(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := s.Merge(&s); err != nil {
			t.Fatal(err)
		}
		again := encoded(t, &s)
		if err := s.UnmarshalBinary(again); err != nil {
			t.Fatal(err)
		}
	})
}
