package stats

import (
	"fmt"
	"slices"
	"testing"
)

// Clusters a, b and c have two units, d has one, and the last unit is alone: a to c change places, d and the
// last unit do.
func TestClusterRelabellings(t *testing.T) {
	labels := []bool{true, true, false, false, true, false, true, false}
	clusters := []int{0, 0, 1, 2, 1, 2, 3, -1}
	r, alone := NewClusterRelabellings(labels, make([]int, 8), clusters, 500, 1)
	if alone != 0 || r.Len() != 500 || r.Exact() {
		t.Fatalf("%d alone, %d relabellings", alone, r.Len())
	}
	seen := map[string]int{}
	dst := make([]bool, 8)
	for i := range r.Len() {
		r.At(i, dst)
		var of [4]string
		for unit, c := range clusters {
			if c >= 0 {
				of[c] += map[bool]string{true: "1", false: "0"}[dst[unit]]
			}
		}
		seen[fmt.Sprint(of)]++
	}
	for _, first := range [][3]string{{"11", "01", "00"}, {"11", "00", "01"}, {"01", "11", "00"}, {"01", "00", "11"}, {"00", "11", "01"}, {"00", "01", "11"}} {
		for _, last := range []string{"0", "1"} {
			key := fmt.Sprint([4]string{first[0], first[1], first[2], last})
			if n := seen[key]; n < 20 || n > 70 { // 500/12 = 42
				t.Errorf("%s: %d times", key, n)
			}
		}
	}
	if len(seen) != 12 {
		t.Errorf("%d relabellings of 12 are possible: %v", len(seen), seen)
	}
	// In another stratum the clusters are not alike.
	if _, alone := NewClusterRelabellings(labels, []int{0, 0, 0, 0, 0, 1, 0, 1}, clusters, 10, 1); alone != 3 {
		t.Errorf("%d clusters alone, want 3", alone)
	}
}

func TestRotations(t *testing.T) {
	labels := []bool{true, false, true, true, false, false, false, false, true, false}
	strata := []int{0, 1, 0, 0, 0, 1, 0, 1, 0, 1}
	r := NewRotations(labels, strata, 999)
	if r.Len() != 5 || r.Exact() {
		t.Fatalf("%d rotations of six units", r.Len())
	}
	var long, short []string
	dst := make([]bool, len(labels))
	for i := range r.Len() {
		r.At(i, dst)
		of := [2]string{}
		for unit, s := range strata {
			of[s] += map[bool]string{true: "1", false: "0"}[dst[unit]]
		}
		long, short = append(long, of[0]), append(short, of[1])
	}
	slices.Sort(long)
	slices.Sort(short)
	if got, want := fmt.Sprint(long), "[001111 011110 100111 110011 111100]"; got != want { // all but 111001
		t.Errorf("rotations %s, want %s", got, want)
	}
	if got, want := fmt.Sprint(short), "[0000 0000 0000 0000 0000]"; got != want {
		t.Errorf("rotations %s, want %s", got, want)
	}
	if n := NewRotations(labels, strata, 3).Len(); n != 3 {
		t.Errorf("%d rotations, want 3", n)
	}
	if NewRotations(nil, nil, 3).Len() != 0 {
		t.Error("no units have rotations")
	}
}
