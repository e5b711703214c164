package stdouttrace_test

import (
	"context"
	"fmt"
	"os"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/ingest/input"
	"github.com/tracewhy/tracewhy/ingest/stdouttrace"
)

// The output of a program that prints its spans, and is set up with stdouttrace.WithPrettyPrint.
func Example() {
	f, err := os.Open("testdata/pretty.json")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer f.Close()
	var b tracewhy.Builder
	if err := stdouttrace.Read(context.Background(), f, &b, input.Config{Name: f.Name()}); err != nil {
		fmt.Println(err)
		return
	}
	set, err := b.Build(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	for s := range set.Trace(0).Spans() {
		fmt.Println(s.Service(), s.Kind(), s.Name(), s.Duration(), s.Status())
	}
	// Output:
	// shop server GET /cart 9ms ok
	// shop client charge <card> 7ms error
	// payments server charge 4.999877ms error
}
