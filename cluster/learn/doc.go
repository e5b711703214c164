// Package learn holds small, classical methods of machine learning over a table of named numbers, for
// engineers who script an analysis of their own. Package cluster makes such a table of traces
// ([github.com/tracewhy/tracewhy/cluster.Features]); any other will do.
//
//   - [Matrix] is the table: named rows and columns, with robust scaling and CSV for other tools.
//   - [KMeans], [DBSCAN] and [Agglomerate] group its rows.
//   - [GrowForest] ranks rows by how easily they are told from the others (Isolation Forest), and
//     [Outliers] says which of them stand out from a baseline.
//   - [GrowTree] explains a grouping by rules over columns (CART).
//   - [Agree] and [Silhouette] say how good a grouping is, with and without a known truth.
//
// A worked example: which of today's traces look like none of last week's, and what they have in common.
//
//	out, err := learn.Outliers(ctx, lastWeek, today, learn.ForestConfig{})
//	odd := make([]int, len(today.Rows))
//	for i, o := range out {
//		if o.Q <= 0.05 {
//			odd[i] = 1
//		}
//	}
//	tree, err := learn.GrowTree(ctx, today, odd, learn.TreeConfig{})
//	fmt.Print(tree) // if "log self time of store SELECT" > 4.2: 1 (31 of 33)
//
// These methods describe; they do not test. A number of groups that was asked for is a number of groups
// that is found, whether the data have any: package cluster asks first whether there is more than one.
// Gradient boosting and neural networks are out of scope: [Matrix.WriteCSV] is for those.
//
// Everything is deterministic. A seed, and the names of rows where random numbers are drawn for rows,
// decide what is random; the number of goroutines never shows. The same rows in another order give the
// same forest, and the same grouping but for the numbering of groups, which follows the rows; only where
// distances are equal, or differ in the last digit, may the order show in KMeans and Agglomerate.
//
// With n rows and d columns: Isolation Forest takes O(n log n) for each of its trees, DBSCAN O(n²d) time
// and O(n) memory, k-means O(nkd) for each iteration, agglomeration O(n²) time and memory, and a tree
// O(dn log n) for each of its levels. No function changes its arguments, or panics on data: a number that
// is NaN counts as 0, the median of a scaled column.
package learn
