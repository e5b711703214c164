package learn_test

import (
	"context"
	"fmt"

	"github.com/tracewhy/tracewhy/cluster/learn"
)

// Some requests of today ask the store more often, and take longer, than any of last week's; a tree says which.
func Example() {
	week := learn.NewMatrix(make([]string, 400), []string{"calls of store", "duration"})
	for i := range week.Rows {
		week.Rows[i] = fmt.Sprint("week ", i)
		week.Row(i)[0], week.Row(i)[1] = float64(1+i%2+i%3+i%5+i%7), float64(20+i%11+i%13+i%8+i%9)
	}
	today := learn.NewMatrix(make([]string, 40), week.Columns)
	for i := range today.Rows {
		today.Rows[i] = fmt.Sprint("today ", i)
		today.Row(i)[0], today.Row(i)[1] = float64(5+i%5), float64(30+i%17)
		if i%5 == 0 {
			today.Row(i)[0], today.Row(i)[1] = 60, 90
		}
	}
	ctx := context.Background()
	out, err := learn.Outliers(ctx, week, today, learn.ForestConfig{})
	if err != nil {
		fmt.Println(err)
		return
	}
	odd := make([]int, len(out))
	for i, o := range out {
		if o.Q <= 0.05 {
			odd[i] = 1
		}
	}
	tree, err := learn.GrowTree(ctx, today, odd, learn.TreeConfig{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(tree)
	// Output:
	// if "calls of store" ≤ 34.5: 0 (32 of 32)
	// if "calls of store" > 34.5: 1 (8 of 8)
}

// Three groups of two, and how well k-means finds them.
func ExampleKMeans() {
	m := learn.NewMatrix([]string{"a", "b", "c", "d", "e", "f"}, []string{"x"})
	copy(m.Values, []float64{1, 2, 11, 12, 21, 22})
	r, err := learn.KMeans(context.Background(), m, 3, learn.KMeansConfig{})
	if err != nil {
		fmt.Println(err)
		return
	}
	a, err := learn.Agree([]int{0, 0, 1, 1, 2, 2}, r.Labels)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(r.Labels, r.Inertia, a.ARI)
	// Output:
	// [0 0 1 1 2 2] 1.5 1
}
