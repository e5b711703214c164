package scenario

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

// TestEstates: every bank is large enough and complete, and no two of them are alike.
func TestEstates(t *testing.T) {
	shapes := map[string]bool{}
	callers := map[string]bool{} // of the fraud service
	for seed := range uint64(100) {
		e := newEstate(seed)
		live := 0
		names := map[string]bool{}
		for i, s := range e.services {
			if s.index != i {
				t.Errorf("seed %d: %s has index %d, want %d", seed, s.name, s.index, i)
			}
			if names[s.name] {
				t.Errorf("seed %d: two services are called %s", seed, s.name)
			}
			names[s.name] = true
			if !s.silent() {
				live++
				if s.instances < 2 || s.instances > 4 {
					t.Errorf("seed %d: %d instances of %s", seed, s.instances, s.name)
				}
			}
		}
		if live < 12 {
			t.Errorf("seed %d: %d services that send spans", seed, live)
		}
		var shape strings.Builder
		for _, op := range e.operations() {
			shape.WriteString(string(op.service.role))
			for _, s := range op.steps {
				shape.WriteString(" " + string(s.to.service.role))
				if s.group != 0 {
					shape.WriteString("|")
				}
				if s.to.service.role == roleFraud && op.service != s.to.service {
					callers[op.service.name] = true
				}
			}
			shape.WriteString("\n")
		}
		shapes[shape.String()] = true
	}
	if len(shapes) < 95 {
		t.Errorf("100 estates have %d shapes", len(shapes))
	}
	if len(callers) < 10 {
		t.Errorf("the fraud service has only the callers %q", slices.Sorted(maps.Keys(callers)))
	}
}

func TestFamilies(t *testing.T) {
	names := map[string]bool{}
	for _, f := range Families() {
		if f.Name == "" || f.Doc == "" || names[f.Name] {
			t.Errorf("family %q: %q", f.Name, f.Doc)
		}
		names[f.Name] = true
		if got, ok := Lookup(f.Name); !ok || got.Doc != f.Doc {
			t.Errorf("Lookup(%q) = %v, %v", f.Name, got.Doc, ok)
		}
	}
	if _, ok := Lookup("none"); ok {
		t.Error("found a family called none")
	}
}
