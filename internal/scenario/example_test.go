package scenario_test

import (
	"fmt"

	"github.com/tracewhy/tracewhy/internal/scenario"
)

func Example() {
	f, _ := scenario.Lookup("bad-version")
	c := scenario.Generate(f, 2)
	fmt.Println(f.Doc)
	fmt.Println(c.Name, c.Label.FaultType)
	for _, cause := range c.Label.Causes {
		fmt.Println(cause.Services, cause.Conditions)
	}
	// Output:
	// a new version of one service, on some of its instances, is slow or fails
	// bad-version-0002 slow
	// [model-features-svc] map[service.version:2.16.0]
}
