package tracewhy

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
)

func TestAttributeRanges(t *testing.T) {
	for seed := range uint64(100) {
		g := randomGen(seed)
		set := SetOf(g.spans(1 + g.choose(40))...)
		next := AttrID(0)
		for key := range set.Keys() {
			first, end := set.AttrRange(key)
			if first != next || end <= first {
				t.Fatalf("attributes of %q are %d to %d, after %d", key, first, end, next)
			}
			values := map[string]bool{}
			for id := first; id < end; id++ {
				kv := set.Attr(id)
				if kv.Key != key || set.AttrKey(id) != key || !set.AttrValue(id).Equal(kv.Value) {
					t.Fatalf("attribute %d is %v, want the key %q", id, kv, key)
				}
				text := string(rune('0'+kv.Value.Kind())) + string(Value{kind: ArrayValue, elems: []KeyValue{kv}}.appendText(nil))
				if kv.Value.Kind() < BytesValue && kv.Value.Kind() != FloatValue && values[text] {
					t.Fatalf("attribute %v twice", kv)
				}
				values[text] = true
			}
			next = end
		}
		if int(next) != set.NumAttrs() {
			t.Fatalf("%d attributes have a key, of %d", next, set.NumAttrs())
		}
		if first, end := set.AttrRange("no such key"); first != end {
			t.Fatalf("a key that is not there has attributes %d to %d", first, end)
		}
		for i := range set.NumSpans() {
			s := set.Span(i)
			n := 0
			ids := slices.Collect(s.AttrIDs())
			for key, value := range s.Attrs() {
				id, ok := s.AttrID(key)
				v, ok2 := s.Attr(key)
				if !ok || !ok2 || id != ids[n] || !v.Equal(value) || !set.AttrValue(id).Equal(value) {
					t.Fatalf("attribute %q of span %d: %v, %v, want %v", key, i, v, id, value)
				}
				n++
			}
			for id := range s.ResourceAttrIDs() {
				if v, ok := s.ResourceAttr(set.AttrKey(id)); !ok || !v.Equal(set.AttrValue(id)) {
					t.Fatalf("resource attribute %v of span %d: %v", set.Attr(id), i, v)
				}
			}
			if _, ok := s.Attr("no such key"); ok {
				t.Fatal("found an attribute that is not there")
			}
		}
	}
}

func TestTracesAreInOrderOfTime(t *testing.T) {
	at := func(trace byte, start uint64) SpanData {
		return with(span(1, 0, "s", 0, 0), func(s *SpanData) { s.TraceID, s.Start, s.End = tid(trace), start, start+1 })
	}
	set := SetOf(at(4, 20), at(1, 30), at(9, 0), at(3, 20), at(2, 10))
	var got []byte
	for tr := range set.Traces() {
		got = append(got, tr.ID()[15])
	}
	if want := []byte{2, 3, 4, 1, 9}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v: by start, then id, unknown last", got, want)
	}
}

func TestProblemsAreTheCallers(t *testing.T) {
	set := SetOf(span(1, 9, "orphan", 0, 1))
	set.Problems()[0].Code = "changed"
	set.Sources()[0] = "changed"
	if set.Problems()[0].Code == "changed" || set.Sources()[0] == "changed" {
		t.Error("a caller can change a Set")
	}
}

// A Set is read by many goroutines at once: the race detector sees if reading writes.
func TestSetIsReadConcurrently(t *testing.T) {
	g := randomGen(5)
	set := SetOf(g.spans(200)...)
	read := func() string {
		var b strings.Builder
		for tr := range set.All().Traces() {
			found, _ := set.Lookup(tr.ID())
			fmt.Fprintln(&b, found.ID(), tr.Duration(), tr.Weight(), OutcomeRule{}.Of(tr))
			for s := range tr.Spans() {
				v, _ := s.Attr("a")
				fmt.Fprintln(&b, s.Path(), s.Instance(), s.Failed(), v, s.ParentID(), s.Data().Events)
			}
		}
		tx, _ := set.All().Transactions(TransactionConfig{Key: "a"})
		fmt.Fprintln(&b, set.Problems(), set.Source("incident").Len(), transactions(tx))
		return b.String()
	}
	want := read()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if got := read(); got != want {
				t.Error("a Set reads differently in another goroutine")
			}
		})
	}
	wg.Wait()
}
