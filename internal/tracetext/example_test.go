package tracetext_test

import (
	"fmt"

	"github.com/tracewhy/tracewhy/internal/tracetext"
)

func Example() {
	tr := tracetext.Trace(`
		checkout/POST /pay 0+100 server
		  checkout/charge  5+90  client error="deadline exceeded"
		    cards/charge   7+400 server
	`)
	for s := range tr.Spans() {
		fmt.Printf("%s %s %v %q\n", s.Service(), s.Name(), s.Duration(), s.StatusMessage())
	}
	// Output:
	// checkout POST /pay 100ms ""
	// checkout charge 90ms "deadline exceeded"
	// cards charge 400ms ""
}
