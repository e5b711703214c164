package main

import (
	"context"
	"embed"
	"fmt"
	"io/fs"

	"github.com/tracewhy/tracewhy/ingest"
	"github.com/tracewhy/tracewhy/rca"
	"github.com/tracewhy/tracewhy/rca/report"
	"github.com/tracewhy/tracewhy/timeline"
)

// demoFiles hold a generated incident, as a case folder like any other.
//
//go:generate go run ../scenario -demo -o demo
//go:embed demo
var demoFiles embed.FS

// demoFolder is where the case is, here and in demoFiles.
const demoFolder = "demo"

// demo tells the whole story on an embedded incident.
func demo(ctx context.Context, env *environment, c *command, args []string) error {
	flags := c.flagSet()
	format := flags.String("format", "text", "write the report as text or json")
	width := flags.Int("width", 80, "how many `COLUMNS` text may have")
	color := colorFlag(flags, env)
	positional, err := c.parse(env, flags, args)
	if err != nil {
		return err
	}
	if len(positional) > 0 {
		return usagef("it takes no arguments")
	}
	render, err := renderer(*format, "", *width, color)
	if err != nil {
		return err
	}
	r := &reader{env: env}
	for _, source := range []string{sourceBaseline, sourceIncident} {
		names, err := fs.Glob(demoFiles, demoFolder+"/"+source+"*")
		if err != nil {
			return err
		}
		for _, name := range names {
			if err := r.readDemo(ctx, source, name); err != nil {
				return err
			}
		}
	}
	data, err := demoFiles.ReadFile(demoFolder + "/changes.json")
	if err != nil {
		return err
	}
	changes, err := timeline.ParseChanges(data)
	if err != nil {
		return err
	}
	a, err := r.investigate(ctx, files{}, rca.Config{Changes: changes})
	if err != nil {
		return err
	}
	if *format != "text" {
		return render(env.stdout, a)
	}
	fmt.Fprintf(env.stdout, `Customers of a bank complain about card payments. Here are %d traces of that time,
and %d of the time before. All of it is generated, and the fault is known.
`, a.incident.Len(), a.baseline.Len())
	fmt.Fprintf(env.stdout, "\n$ rca analyze examples/rca/%s\n\n", demoFolder)
	if err := render(env.stdout, a); err != nil {
		return err
	}
	fmt.Fprintf(env.stdout, `
Try next, in a checkout of the project:
  go run ./examples/rca analyze -format json examples/rca/%s
`, demoFolder)
	ids := ""
	for _, t := range report.Exemplars(a.report, report.Config{Baseline: a.baseline, Incident: a.incident}) {
		ids += " " + t.ID().String()[:8] // enough to be unique in the demo
	}
	if ids != "" {
		fmt.Fprintf(env.stdout, "  go run ./examples/rca waterfall examples/rca/%s%s\n", demoFolder, ids)
	}
	return nil
}

// readDemo reads a file of the demo.
func (r *reader) readDemo(ctx context.Context, source, name string) error {
	f, err := demoFiles.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	return ingest.Read(ctx, name, f, source, &r.builder, ingest.Config{})
}
