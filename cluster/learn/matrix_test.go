package learn

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tracewhy/tracewhy/internal/stats"
)

func TestRobustScale(t *testing.T) {
	m := table([][]float64{{1, 7, 0}, {2, 7, 0}, {3, 7, 0}, {4, 7, 4}, {100, 7, math.NaN()}})
	got := m.RobustScale()
	one := 1 / 1.4826
	rare := 4 / 1.2533 // the mean absolute deviation is 1, and more than half are 0
	want := table([][]float64{{-2 * one, 0, 0}, {-one, 0, 0}, {0, 0, 0}, {one, 0, rare}, {97 * one, 0, 0}})
	for i := range want.Values {
		if !near(got.Values[i], want.Values[i], 1e-12) {
			t.Fatalf("scaled to %v, want %v", got.Values, want.Values)
		}
	}
	if m.Values[0] != 1 {
		t.Error("the matrix itself has changed")
	}
}

// What a trace says does not run in a spreadsheet.
func TestWriteCSV(t *testing.T) {
	m := NewMatrix([]string{"a", `=HYPERLINK("http://evil")`, "+1", "-1", "@x", "\tx", "＝1"}, []string{"calls, all", "=1+1"})
	m.Row(0)[0], m.Row(0)[1], m.Row(1)[0] = 0.1, math.NaN(), -3
	var b strings.Builder
	if err := m.WriteCSV(&b); err != nil {
		t.Fatal(err)
	}
	want := `row,"calls, all",'=1+1
a,0.1,
"'=HYPERLINK(""http://evil"")",-3,0
'+1,0,0
'-1,0,0
'@x,0,0
'	x,0,0
'＝1,0,0
`
	if d := cmp.Diff(want, b.String()); d != "" {
		t.Error(d)
	}
}

// clouds are groups of points around different places.
func clouds(seed uint64, n, groups, columns int) (*Matrix, []int) {
	var points [][]float64
	var group []int
	for i := range n {
		r := stats.NewRand(seed, uint64(i))
		g := i % groups
		p := make([]float64, columns)
		for j := range p {
			p[j] = r.Float64() + r.Float64() + 5*float64((g>>j)&1)
		}
		points, group = append(points, p), append(group, g)
	}
	return table(points), group
}

// The order of rows shows in nothing but the numbering of groups, and so do workers not.
func TestOrderOfRowsDoesNotShow(t *testing.T) {
	ctx := context.Background()
	m, _ := clouds(1, 200, 4, 3)
	perm := make([]int, len(m.Rows))
	for i := range perm {
		perm[i] = (i*77 + 13) % len(perm)
	}
	shuffled := NewMatrix(make([]string, len(perm)), m.Columns)
	for to, from := range perm {
		shuffled.Rows[to] = m.Rows[from]
		copy(shuffled.Row(to), m.Row(from))
	}
	groupings := func(m *Matrix) (out [][]int) {
		k, err := KMeans(ctx, m, 4, KMeansConfig{Seed: 3})
		if err != nil {
			t.Fatal(err)
		}
		d, err := DBSCAN(ctx, m, 1, 4)
		if err != nil {
			t.Fatal(err)
		}
		tree, err := Agglomerate(ctx, len(m.Rows), func(i, j int) float64 { return math.Sqrt(distance2(m.Row(i), m.Row(j))) }, Average)
		if err != nil {
			t.Fatal(err)
		}
		return [][]int{k.Labels, d, tree.Cut(4), tree.Cut(17)}
	}
	want, got := groupings(m), groupings(shuffled)
	for i := range want {
		moved := make([]int, len(perm))
		for to, from := range perm {
			moved[to] = want[i][from]
		}
		if a, err := Agree(moved, got[i]); err != nil || a.ARI != 1 {
			t.Errorf("grouping %d of shuffled rows agrees by %v, %v", i, a, err)
		}
	}
	f, err := Outliers(ctx, m, m, ForestConfig{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	g, err := Outliers(ctx, shuffled, shuffled, ForestConfig{Workers: 4})
	if err != nil {
		t.Fatal(err)
	}
	for to, from := range perm {
		if g[to] != f[from] {
			t.Fatalf("row %s is %+v, shuffled %+v", m.Rows[from], f[from], g[to])
		}
	}
}

func TestGroupingsOfClouds(t *testing.T) {
	ctx := context.Background()
	m, group := clouds(2, 160, 4, 2)
	k, err := KMeans(ctx, m, 4, KMeansConfig{})
	if err != nil {
		t.Fatal(err)
	}
	d, err := DBSCAN(ctx, m, 1, 4)
	if err != nil {
		t.Fatal(err)
	}
	for name, labels := range map[string][]int{"k-means": k.Labels, "DBSCAN": d} {
		if !slices.Equal(labels, group) {
			t.Errorf("%s found %v", name, labels)
		}
	}
}

// Of rows like the baseline's few are called outliers, and of others all.
func TestOutliers(t *testing.T) {
	ctx := context.Background()
	baseline, _ := clouds(3, 1000, 1, 4)
	incidents, found, wrong := 40, 0, 0
	for seed := range uint64(incidents) {
		m, _ := clouds(100+seed, 40, 1, 4)
		for i := range 10 {
			for j := range m.Row(i) {
				m.Row(i)[j] += 3
			}
		}
		out, err := Outliers(ctx, baseline, m, ForestConfig{Seed: seed})
		if err != nil {
			t.Fatal(err)
		}
		for i, o := range out {
			switch {
			case o.Q > 0.1:
			case i < 10:
				found++
			default:
				wrong++
			}
		}
	}
	if found < incidents*10*95/100 {
		t.Errorf("%d of %d outliers were found", found, incidents*10)
	}
	if share := float64(wrong) / float64(found+wrong); share > 0.13 {
		t.Errorf("%.3f of what is called an outlier at q ≤ 0.1 is none", share)
	}
}

// Matrices that are no data, and contexts that are over, make errors.
func TestNoAnswer(t *testing.T) {
	ctx := context.Background()
	over, cancel := context.WithCancel(ctx)
	cancel()
	bad := &Matrix{Rows: []string{"a"}, Columns: []string{"x"}}
	good, class := clouds(1, 20, 2, 2)
	for name, call := range map[string]func(context.Context, *Matrix) error{
		"k-means":  func(ctx context.Context, m *Matrix) error { _, err := KMeans(ctx, m, 2, KMeansConfig{}); return err },
		"DBSCAN":   func(ctx context.Context, m *Matrix) error { _, err := DBSCAN(ctx, m, 1, 2); return err },
		"outliers": func(ctx context.Context, m *Matrix) error { _, err := Outliers(ctx, m, m, ForestConfig{}); return err },
		"forest":   func(ctx context.Context, m *Matrix) error { _, err := GrowForest(ctx, m, ForestConfig{}); return err },
		"tree": func(ctx context.Context, m *Matrix) error {
			_, err := GrowTree(ctx, m, class[:len(m.Rows)], TreeConfig{})
			return err
		},
	} {
		if err := call(ctx, bad); err == nil {
			t.Errorf("%s of a matrix without its values", name)
		}
		if err := call(over, good); !errors.Is(err, context.Canceled) {
			t.Errorf("%s of a context that is over: %v", name, err)
		}
		if err := call(ctx, good); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// No number is too odd.
func TestOddNumbers(t *testing.T) {
	m := table([][]float64{{math.NaN(), 1}, {math.Inf(1), 2}, {math.Inf(-1), 3}, {math.MaxFloat64, 4}, {-math.MaxFloat64, 5}, {0, 6}})
	ctx := context.Background()
	if _, err := GrowTree(ctx, m, []int{0, 1, 0, 1, 0, 1}, TreeConfig{MinLeaf: 1}); err != nil {
		t.Error(err)
	}
	out, err := Outliers(ctx, m, m, ForestConfig{})
	if err != nil {
		t.Error(err)
	}
	for i, o := range out {
		if !(o.Score > 0 && o.Score < 1) {
			t.Errorf("row %d has score %v", i, o.Score)
		}
	}
	if _, err := DBSCAN(ctx, m, 1, 1); err != nil {
		t.Error(err)
	}
	if _, err := KMeans(ctx, m, 2, KMeansConfig{}); err != nil {
		t.Log("two groups of rows at infinite distances:", err)
	}
	m.RobustScale()
}
