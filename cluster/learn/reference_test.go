package learn

import (
	"context"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// table makes a matrix of points, with rows named by their number.
func table(points [][]float64) *Matrix {
	rows := make([]string, len(points))
	for i := range rows {
		rows[i] = fmt.Sprint("row ", i)
	}
	columns := make([]string, len(points[0]))
	for j := range columns {
		columns[j] = fmt.Sprint("x", j)
	}
	m := NewMatrix(rows, columns)
	for i, p := range points {
		copy(m.Row(i), p)
	}
	return m
}

func near(a, b, tolerance float64) bool { return math.Abs(a-b) <= tolerance }

// The values of scikit-learn 1.2.1 for the groupings of its own tests.
func TestAgree(t *testing.T) {
	for _, test := range []struct {
		a, b []int
		want Agreement
	}{
		{[]int{0, 0, 1, 2}, []int{0, 0, 1, 1}, Agreement{0.5714285714285714, 0.5714285714285714, 2.0 / 3, 1, 0.8}},
		{[]int{0, 0, 1, 1}, []int{1, 1, 0, 0}, Agreement{1, 1, 1, 1, 1}},
		{[]int{0, 0, 0, 0}, []int{0, 1, 2, 3}, Agreement{0, 0, 1, 0, 0}},
		{[]int{0, 0, 1, 1}, []int{0, 1, 0, 1}, Agreement{-0.5, -0.5, 0, 0, 0}},
		{[]int{1, 1, 1, 2, 2, 2, 3, 3, 3, 3}, []int{1, 1, 2, 2, 2, 2, 3, 3, 3, 1}, Agreement{0.4318181818181818, 0.4772899900014569, 0.6180656462921542, 0.6180656462921542, 0.6180656462921542}},
		{nil, nil, Agreement{1, 1, 1, 1, 1}},
		{[]int{7}, []int{3}, Agreement{1, 1, 1, 1, 1}},
	} {
		got, err := Agree(test.a, test.b)
		if err != nil {
			t.Fatal(err)
		}
		w := test.want
		for _, x := range [][2]float64{{got.ARI, w.ARI}, {got.AMI, w.AMI}, {got.Homogeneity, w.Homogeneity}, {got.Completeness, w.Completeness}, {got.V, w.V}} {
			if !near(x[0], x[1], 1e-12) {
				t.Errorf("Agree(%v, %v) = %+v, want %+v", test.a, test.b, got, w)
				break
			}
		}
	}
	if _, err := Agree([]int{1}, nil); err == nil {
		t.Error("no error for groupings of different lengths")
	}
}

// The silhouettes of scikit-learn 1.2.1.
func TestSilhouette(t *testing.T) {
	m := table([][]float64{{0, 0}, {0, 1}, {1, 0}, {1, 1}, {5, 5}, {5, 6}, {6, 5}, {10, 0}})
	got := Silhouette([]int{0, 0, 0, 0, 1, 1, 1, 2}, func(i, j int) float64 { return math.Sqrt(distance2(m.Row(i), m.Row(j))) })
	want := []float64{0.849538221060463, 0.8349448906405355, 0.8349448906405355, 0.8150791005528677, 0.8433471729843162, 0.8305550131642743, 0.8114815929808503, 0}
	for i := range want {
		if !near(got[i], want[i], 1e-12) {
			t.Errorf("silhouette %d is %v, want %v", i, got[i], want[i])
		}
	}
}

// c(n) of Liu et al. (2008), with the harmonic number by Euler's constant.
func TestExpectedDepth(t *testing.T) {
	for n, want := range map[int]float64{0: 0, 1: 0, 2: 1, 3: 1.207392357589623, 5: 2.327020052042847, 8: 3.2962516279136924, 64: 7.471950782586131, 100: 8.364671030072245, 256: 10.244770920119917, 999: 12.967939884427995} {
		if got := expectedDepth(n); !near(got, want, 1e-12) {
			t.Errorf("c(%d) = %v, want %v", n, got, want)
		}
	}
}

// The toy set of scikit-learn's test_iforest.py: the last two points stand out, for every seed. The mean
// scores over 50 seeds are those of scikit-learn 1.2.1, within the error of both means.
func TestForestOnToySet(t *testing.T) {
	m := table([][]float64{{-2, -1}, {-1, -1}, {-1, -2}, {1, 1}, {1, 2}, {2, 1}, {6, 3}, {-4, 7}})
	want := []float64{0.4623, 0.4157, 0.4796, 0.4062, 0.429, 0.4401, 0.602, 0.6571}
	deviation := []float64{0.0102, 0.0069, 0.0131, 0.0057, 0.0067, 0.0083, 0.0133, 0.0138}
	mean := make([]float64, len(want))
	const seeds = 50
	for seed := range uint64(seeds) {
		f, err := GrowForest(context.Background(), m, ForestConfig{Seed: seed})
		if err != nil {
			t.Fatal(err)
		}
		scores := make([]float64, len(want))
		for i := range scores {
			scores[i] = f.Score(m.Row(i))
			mean[i] += scores[i] / seeds
		}
		if ordinary := slices.Max(scores[:6]); scores[6] <= ordinary || scores[7] <= ordinary {
			t.Errorf("seed %d: scores %v do not have the last two on top", seed, scores)
		}
	}
	for i := range want {
		if !near(mean[i], want[i], 4*math.Sqrt2*deviation[i]/math.Sqrt(seeds)) {
			t.Errorf("the mean score of row %d is %.4f, want %.4f", i, mean[i], want[i])
		}
	}
}

// Equal rows are all ordinary, as scikit-learn's test_iforest_with_uniform_data says.
func TestForestOnEqualRows(t *testing.T) {
	m := table(slices.Repeat([][]float64{{1, 2}}, 100))
	out, err := Outliers(context.Background(), m, m, ForestConfig{})
	if err != nil {
		t.Fatal(err)
	}
	for i, o := range out {
		if want := (Outlier{Score: out[0].Score, P: 1, Q: 1}); o != want {
			t.Fatalf("row %d is %+v, want %+v", i, o, want)
		}
	}
}

// The example of scikit-learn's documentation of DBSCAN.
func TestDBSCAN(t *testing.T) {
	m := table([][]float64{{1, 2}, {2, 2}, {2, 3}, {8, 7}, {8, 8}, {25, 80}})
	got, err := DBSCAN(context.Background(), m, 3, 2)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]int{0, 0, 0, 1, 1, Noise}, got); d != "" {
		t.Error(d)
	}
	// A row between two groups, and no core, belongs to the nearer one.
	m = table([][]float64{{0}, {1}, {2}, {4.1}, {6}, {7}, {8}})
	if got, err = DBSCAN(context.Background(), m, 2.1, 4); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]int{0, 0, 0, 1, 1, 1, 1}, got); d != "" {
		t.Error(d)
	}
}

// The example of scikit-learn's documentation of KMeans.
func TestKMeans(t *testing.T) {
	m := table([][]float64{{1, 2}, {1, 4}, {1, 0}, {10, 2}, {10, 4}, {10, 0}})
	got, err := KMeans(context.Background(), m, 2, KMeansConfig{})
	if err != nil {
		t.Fatal(err)
	}
	want := &KMeansResult{Labels: []int{0, 0, 0, 1, 1, 1}, Centers: [][]float64{{1, 2}, {10, 2}}, Inertia: 16}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if _, err := KMeans(context.Background(), table([][]float64{{1}, {1}, {2}}), 3, KMeansConfig{}); err == nil {
		t.Error("three groups of two different rows")
	}
}

// Distances between five 5S ribosomal RNA sequences, an example that textbooks use for UPGMA and for
// complete linkage: the merges follow by hand.
func TestAgglomerate(t *testing.T) {
	d := [][]float64{
		{0, 17, 21, 31, 23},
		{17, 0, 30, 34, 21},
		{21, 30, 0, 28, 39},
		{31, 34, 28, 0, 43},
		{23, 21, 39, 43, 0},
	}
	for _, test := range []struct {
		linkage Linkage
		want    []Merge
	}{
		{Average, []Merge{{0, 1, 17}, {4, 5, 22}, {2, 3, 28}, {6, 7, 33}}},
		{Complete, []Merge{{0, 1, 17}, {4, 5, 23}, {2, 3, 28}, {6, 7, 43}}},
	} {
		got, err := Agglomerate(context.Background(), 5, func(i, j int) float64 { return d[i][j] }, test.linkage)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(&Dendrogram{N: 5, Merges: test.want}, got); diff != "" {
			t.Error(diff)
		}
		for k, want := range map[int][]int{0: {0, 0, 0, 0, 0}, 1: {0, 0, 0, 0, 0}, 2: {0, 0, 1, 1, 0}, 3: {0, 0, 1, 2, 0}, 5: {0, 1, 2, 3, 4}, 9: {0, 1, 2, 3, 4}} {
			if diff := cmp.Diff(want, got.Cut(k)); diff != "" {
				t.Errorf("cut into %d: %s", k, diff)
			}
		}
		if diff := cmp.Diff(got.Cut(4), got.CutAt(17)); diff != "" {
			t.Error(diff)
		}
	}
	if _, err := Agglomerate(context.Background(), MaxAgglomerate+1, nil, Average); err == nil {
		t.Error("no error for too many things")
	}
}
