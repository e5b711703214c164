package pprof_test

import (
	"fmt"

	"github.com/tracewhy/tracewhy/export/pprof"
	"github.com/tracewhy/tracewhy/internal/tracetext"
)

// Two requests of the incident against one of better times, which is counted twice.
func ExampleDiff() {
	set := tracetext.Set(`
		trace before source=baseline
		shop/GET /cart    0+30
		  stock/reserve   5+20
		trace slow source=incident
		shop/GET /cart    0+90
		  stock/reserve   5+80
		trace failing source=incident
		shop/GET /cart    0+50
		  stock/reserve   5+40 error
	`)
	p := pprof.Diff(set.Source("baseline"), set.Source("incident"), pprof.Config{})
	for _, s := range p.Sample {
		leaf := s.Location[0].Line[0].Function
		fmt.Printf("%4d ms of the critical path, %2d calls, %d errors: %s\n", s.Value[0]/1e6, s.Value[2], s.Value[3], leaf.Name)
	}
	// p.Write(file) is what go tool pprof reads.

	// Output:
	//   20 ms of the critical path,  2 calls, 0 errors: shop GET /cart
	//   80 ms of the critical path,  1 calls, 0 errors: stock reserve
	//   40 ms of the critical path,  1 calls, 1 errors: stock reserve
	//  -20 ms of the critical path, -2 calls, 0 errors: shop GET /cart
	//  -40 ms of the critical path, -2 calls, 0 errors: stock reserve
}
