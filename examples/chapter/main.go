package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
)

// drawing is a diagram: as Mermaid, and as text where there is such a form.
type drawing interface {
	Mermaid() string
	Text(width int) string
}

// diagrams are those of the chapter, by name.
var diagrams = []struct {
	name string
	draw func(context.Context) (drawing, error)
}{
	{"waterfall", drawWaterfall},
	{"drilldown", drawDrilldown},
	{"investigation", drawInvestigation},
	{"dependencies", drawDependencies},
	{"incident", drawIncident},
	{"reconstructed", reconstructIncident},
}

func main() {
	log.SetFlags(0)
	text := flag.Bool("text", false, "draw as text rather than Mermaid")
	flag.Parse()
	if err := run(context.Background(), os.Stdout, *text, flag.Args()); err != nil {
		log.Fatal("chapter: ", err)
	}
}

// run writes the diagrams with the given names, or which there are.
func run(ctx context.Context, w io.Writer, text bool, names []string) error {
	if len(names) == 0 {
		for _, d := range diagrams {
			fmt.Fprintln(w, d.name)
		}
	}
	for _, name := range names {
		d, err := find(ctx, name)
		if err != nil {
			return err
		}
		drawn := d.Mermaid()
		if text {
			drawn = d.Text(100)
		}
		if _, err := io.WriteString(w, drawn); err != nil {
			return err
		}
	}
	return nil
}

func find(ctx context.Context, name string) (drawing, error) {
	for _, d := range diagrams {
		if d.name == name {
			return d.draw(ctx)
		}
	}
	return nil, fmt.Errorf("there is no diagram %q", name)
}
