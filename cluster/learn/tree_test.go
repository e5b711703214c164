package learn

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The petals of E. Anderson's irises (R. A. Fisher, 1936, doi:10.1111/j.1469-1809.1936.tb02137.x): length and
// width in millimetres of 50 flowers each of setosa, versicolor and virginica.
var petals = [3]string{
	"14 2,14 2,13 2,15 2,14 2,17 4,14 3,15 2,14 2,15 1,15 2,16 2,14 1,11 1,12 2,15 4,13 4,14 3,17 3,15 3,17 2,15 4,10 2,17 5,19 2," +
		"16 2,16 4,15 2,14 2,16 2,16 2,15 4,15 1,14 2,15 2,12 2,13 2,14 1,13 2,15 2,13 3,13 3,13 2,16 6,19 4,14 3,16 2,14 2,15 2,14 2",
	"47 14,45 15,49 15,40 13,46 15,45 13,47 16,33 10,46 13,39 14,35 10,42 15,40 10,47 14,36 13,44 14,45 15,41 10,45 15,39 11,48 18,40 13,49 15,47 12,43 13," +
		"44 14,48 14,50 17,45 15,35 10,38 11,37 10,39 12,51 16,45 15,45 16,47 15,44 13,41 13,40 13,44 12,46 14,40 12,33 10,42 13,42 12,42 13,43 13,30 11,41 13",
	"60 25,51 19,59 21,56 18,58 22,66 21,45 17,63 18,58 18,61 25,51 20,53 19,55 21,50 20,51 24,53 23,55 18,67 22,69 23,50 15,57 23,49 20,67 20,49 18,57 21," +
		"60 18,48 18,49 18,56 21,58 16,61 19,64 20,56 22,51 15,56 14,61 23,56 24,55 18,48 18,54 21,56 24,51 23,51 19,59 23,57 25,52 23,50 19,52 20,54 23,51 18",
}

func irises(t *testing.T) (*Matrix, []int) {
	t.Helper()
	var points [][]float64
	var species []int
	for k, list := range petals {
		for pair := range strings.SplitSeq(list, ",") {
			var p []float64
			for n := range strings.FieldsSeq(pair) {
				x := 0.0
				for _, digit := range n {
					x = 10*x + float64(digit-'0')
				}
				p = append(p, x)
			}
			points, species = append(points, p), append(species, k)
		}
	}
	if len(points) != 150 {
		t.Fatalf("%d irises", len(points))
	}
	m := table(points)
	m.Columns = []string{"petal length", "petal width"}
	return m, species
}

// The tree that rpart and scikit-learn grow, to two levels: cuts at 2.45 cm of length and 1.75 cm of width.
func TestTreeOfIrises(t *testing.T) {
	m, species := irises(t)
	tree, err := GrowTree(context.Background(), m, species, TreeConfig{Depth: 2})
	if err != nil {
		t.Fatal(err)
	}
	want := `if "petal length" ≤ 24.5: 0 (50 of 50)
if "petal length" > 24.5 and "petal width" ≤ 17.5: 1 (49 of 54)
if "petal length" > 24.5 and "petal width" > 17.5: 2 (45 of 46)
`
	if d := cmp.Diff(want, tree.String()); d != "" {
		t.Error(d)
	}
	right := 0
	for i := range species {
		if tree.Predict(m.Row(i)) == species[i] {
			right++
		}
	}
	if right != 144 {
		t.Errorf("%d of 150 are right, want 144", right)
	}
	if got := tree.Predict([]float64{1}); got != -1 {
		t.Errorf("a row of another length is of class %d", got)
	}
}

// k-means of the petals has 31.37 square centimetres within its groups in R, and tells the species as in
// many a textbook: 144 of 150.
func TestKMeansOfIrises(t *testing.T) {
	m, species := irises(t)
	r, err := KMeans(context.Background(), m, 3, KMeansConfig{})
	if err != nil {
		t.Fatal(err)
	}
	if !near(r.Inertia/100, 31.37136, 1e-5) {
		t.Errorf("inertia %v, want 31.37136", r.Inertia/100)
	}
	right := 0
	for i, l := range r.Labels {
		if l == species[i] {
			right++
		}
	}
	if right != 144 {
		t.Errorf("%d of 150 are right, want 144", right)
	}
}

// A class that nothing tells has the rule that says so.
func TestTreeWithoutCuts(t *testing.T) {
	m := table([][]float64{{1}, {1}, {1}, {1}})
	tree, err := GrowTree(context.Background(), m, []int{4, 4, 2, 4}, TreeConfig{MinLeaf: 1})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := tree.String(), "always: 4 (3 of 4)\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// Conditions on the same side of a column become one.
func TestRulesAreShort(t *testing.T) {
	m := table([][]float64{{1}, {2}, {3}, {4}, {5}, {6}})
	tree, err := GrowTree(context.Background(), m, []int{0, 1, 0, 1, 0, 1}, TreeConfig{MinLeaf: 1, Depth: 5})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range tree.Rules() {
		if len(r.Conditions) > 2 {
			t.Errorf("%v", r)
		}
	}
	for i := range m.Rows {
		if got := tree.Predict(m.Row(i)); got != i%2 {
			t.Errorf("row %d is of class %d", i, got)
		}
	}
}
