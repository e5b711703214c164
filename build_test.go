package tracewhy

import (
	"testing"
)

func TestSetDoesNotDependOnOrder(t *testing.T) {
	for seed := range uint64(300) {
		g := randomGen(seed)
		spans := g.spans(1 + g.choose(40))
		want := contentsOf(SetOf(spans...))
		for i := range uint64(4) {
			requireEqual(t, "shuffled", want, contentsOf(SetOf(shuffled(spans, seed+i)...)))
		}
	}
}

// A Set that is built of the data of another has the same rows, paths, dictionaries and marks.
func TestSetOfItsOwnData(t *testing.T) {
	for seed := range uint64(500) {
		g := randomGen(seed)
		requireSameAgain(t, SetOf(g.spans(1+g.choose(40))...))
	}
}

func requireSameAgain(t *testing.T, s *Set) {
	t.Helper()
	var data []SpanData
	for tr := range s.Traces() {
		for sp := range tr.Spans() {
			data = append(data, sp.Data())
		}
	}
	want, got := contentsOf(s), contentsOf(SetOf(data...))
	// These tell of what was added, not of what is there.
	want.Accounting, got.Accounting = Accounting{}, Accounting{}
	want.Problems, got.Problems = nil, nil
	requireEqual(t, "built of its data", want, got)
}

func requireAccounted(t *testing.T, s *Set, in int) {
	t.Helper()
	a := s.Accounting()
	if a.In != in || a.In != a.Kept+a.Merged+a.Quarantined || a.Kept != s.NumSpans() {
		t.Fatalf("%d spans in, %d in the Set, accounting %+v", in, s.NumSpans(), a)
	}
}

func FuzzBuilder(f *testing.F) {
	for seed := range byte(8) {
		data := make([]byte, 600)
		for i := range data {
			data[i] = byte(i*i)*seed + byte(i>>3)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		g := newGen(func(n int) int {
			if len(data) == 0 {
				return 0
			}
			c := int(data[0]) % n
			data = data[1:]
			return c
		})
		var spans []SpanData
		for len(data) > 0 && len(spans) < 64 {
			spans = append(spans, g.spans(1)...)
		}
		s := SetOf(spans...)
		requireAccounted(t, s, len(spans))
		requireEqual(t, "shuffled", contentsOf(s), contentsOf(SetOf(shuffled(spans, 1)...)))
		requireSameAgain(t, s)
	})
}
