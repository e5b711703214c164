// Command quickstart is the program of the README: it reads the traces of an incident and of better
// times, and says what broke. Run it at the top of a checkout.
package main

import (
	"context"
	"fmt"
	"log"
	"path/filepath"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/ingest"
	"github.com/tracewhy/tracewhy/rca"
)

func main() {
	ctx := context.Background()
	var b tracewhy.Builder
	for _, source := range []string{"baseline", "incident"} {
		files, _ := filepath.Glob("examples/rca/demo/" + source + "*")
		if err := ingest.Files(ctx, &b, source, ingest.Config{}, files...); err != nil {
			log.Fatal(err)
		}
	}
	set, err := b.Build(ctx)
	if err != nil {
		log.Fatal(err)
	}
	r, err := rca.Investigate(ctx, set.Source("baseline"), set.Source("incident"), rca.Config{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("verdict:", r.Verdict)
	for _, c := range r.RootCauses {
		fmt.Printf("%d. %s %s (%s)\n", c.Rank, c.Service, c.Operation, c.Kind)
	}
}
