package tracewhy

import (
	"context"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Spans with attributes given by reference are those with the attributes themselves, whichever of them
// are; and what counts for each attribute counts each time.
func TestRefs(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	long := strings.Repeat("x", 50)
	var all []KeyValue
	for _, key := range []string{"a", "b", "key of eight or more", "dropped", "", "bro\xffken"} {
		all = append(all, String(key, "x"), String(key, long), String(key, "bro\xffken"), Int(key, 5), Float(key, 5), Bool(key, true),
			KeyValue{key, BytesOf([]byte("x"))}, KeyValue{key, ArrayOf(StringOf("x"), IntOf(1))}, KeyValue{Key: key})
	}
	options := Builder{MaxValueLen: 20, KeepAttribute: func(key string) bool { return key != "dropped" }}
	plain, byRef := options, options
	refs := map[int]AttrRef{}
	for n := range 2000 {
		s := SpanData{TraceID: TraceID{byte(n)}, SpanID: SpanID{byte(n), byte(n >> 8), 1}, Start: 1, End: 2}
		rest := s
		var list []AttrRef
		for range r.IntN(6) {
			i := r.IntN(len(all))
			s.Attributes = append(s.Attributes, all[i])
			ref, known := refs[i]
			if !known {
				if ref, known = byRef.Ref(all[i]); known {
					refs[i] = ref
				}
			}
			if !known || r.IntN(3) == 0 {
				rest.Attributes = append(rest.Attributes, all[i])
				ref = AttrRef{}
			}
			list = append(list, ref)
		}
		plain.Add(&s)
		for len(list) > 0 && list[len(list)-1] == (AttrRef{}) && r.IntN(2) == 0 {
			list = list[:len(list)-1] // what is left over comes last
		}
		byRef.AddRefs(&rest, list)
	}
	if len(refs) == 0 || len(refs) == len(all) {
		t.Errorf("%d of %d attributes can be referred to", len(refs), len(all))
	}
	want, err := plain.Build(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	got, err := byRef.Build(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(dataOf(want), dataOf(got)); diff != "" {
		t.Errorf("references make a difference:\n%s", diff)
	}
	if diff := cmp.Diff(want.Problems(), got.Problems()); diff != "" {
		t.Errorf("references make other problems:\n%s", diff)
	}
}

// A full Builder refers to nothing.
func TestRefsWhenFull(t *testing.T) {
	b := Builder{}
	b.limit = 10
	for i := range int64(100) {
		if _, ok := b.Ref(Int("a", i)); !ok {
			return
		}
	}
	t.Error("100 attributes went into a Builder for 10")
}
