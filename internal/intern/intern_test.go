package intern

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestNumbersAreOfFirstAppearance(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var table Table
	want := map[string]uint32{}
	for range 20_000 {
		s := fmt.Sprint(rng.IntN(3000))
		if rng.IntN(50) == 0 {
			s = ""
		}
		if num, ok := table.Find(s); ok != hasKey(want, s) || ok && num != want[s] {
			t.Fatalf("Find(%q) = %d, %v; want %d", s, num, ok, want[s])
		}
		num, added := table.Intern(s)
		if added == hasKey(want, s) {
			t.Fatalf("%q: added %v", s, added)
		}
		if added {
			want[s] = uint32(len(want))
		}
		if num != want[s] || table.String(num) != s {
			t.Fatalf("%q has the number %d, which is %q; want %d", s, num, table.String(num), want[s])
		}
	}
	if table.Len() != len(want) {
		t.Errorf("Len %d, want %d", table.Len(), len(want))
	}
}

func hasKey(m map[string]uint32, k string) bool { _, ok := m[k]; return ok }

// The table keeps copies, and strings that it gave out stay as they were while it grows.
func TestStringsStay(t *testing.T) {
	var table Table
	buf := []byte("first")
	table.Intern(string(buf))
	buf[0] = 'x'
	given := table.String(0)
	for i := range 10_000 {
		table.Intern(fmt.Sprint("more ", i))
	}
	if given != "first" || table.String(0) != "first" {
		t.Errorf("%q, %q", given, table.String(0))
	}
}

func TestSelect(t *testing.T) {
	var table Table
	for _, s := range []string{"a", "", "bb", "ccc"} {
		table.Intern(s)
	}
	s := table.Select([]uint32{3, 1, 0})
	var got []string
	for i := range s.Len() {
		got = append(got, s.String(uint32(i)))
	}
	if want := []string{"ccc", "", "a"}; !slices.Equal(got, want) {
		t.Errorf("selected %q, want %q", got, want)
	}
	if num, added := s.Intern("a"); added || num != 2 {
		t.Errorf("interning what is there gives %d, %v", num, added)
	}
	if num, added := s.Intern("d"); !added || num != 3 {
		t.Errorf("interning what is new gives %d, %v", num, added)
	}
}

func TestZeroTable(t *testing.T) {
	var table Table
	if _, ok := table.Find(""); ok || table.Len() != 0 {
		t.Error("the zero Table has a string")
	}
	if s := table.Select(nil); s.Len() != 0 {
		t.Error("a selection of nothing has a string")
	}
}

func BenchmarkIntern(b *testing.B) {
	words := make([]string, 1000)
	for i := range words {
		words[i] = fmt.Sprint("some attribute value ", i)
	}
	var table Table
	i := 0
	for b.Loop() {
		table.Intern(words[i%len(words)])
		i++
	}
}
