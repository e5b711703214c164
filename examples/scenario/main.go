// Command scenario writes generated incidents as case folders: traces of a baseline and of an incident, what was
// changed, and a label that says what went wrong.
//
//	scenario -family pool-exhaustion -seed 1 -n 100 -o DIR
//
// writes the cases of seeds 1 to 100 to the folders pool-exhaustion-0001 to pool-exhaustion-0100 of DIR. The same
// family and seed always give the same bytes. Without -family it writes all families; -list says which there are.
//
//	scenario -withhold -family index-change -o DIR
//
// leaves out the change that set off what went wrong: the folder index-change-0001-withheld has the same traces, but
// neither its changes.json nor its label names that change.
//
//	scenario -demo -o DIR
//
// writes the demo incident, small enough to be embedded in a program, to DIR itself.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/tracewhy/tracewhy/internal/scenario"
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

func run(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("scenario", flag.ContinueOnError)
	flags.SetOutput(stderr)
	family := flags.String("family", "", "the kind of case; all kinds if empty")
	seed := flags.Uint64("seed", 1, "the first seed")
	n := flags.Int("n", 1, "how many seeds")
	out := flags.String("o", "", "the folder to write case folders to")
	demo := flags.Bool("demo", false, "write the demo incident to the folder itself")
	withhold := flags.Bool("withhold", false, "leave the changes that set off what went wrong out of changes.json and of the label")
	list := flags.Bool("list", false, "list the families and stop")
	switch err := flags.Parse(args); {
	case err == flag.ErrHelp:
		return 0
	case err != nil:
		return 2
	}
	families := scenario.Families()
	if *list {
		for _, f := range families {
			fmt.Fprintf(stdout, "%-18s %s\n", f.Name, f.Doc)
		}
		return 0
	}
	if *family != "" {
		f, ok := scenario.Lookup(*family)
		if !ok {
			fmt.Fprintf(stderr, "scenario: no family %q; -list names them\n", *family)
			return 2
		}
		families = []scenario.Family{f}
	}
	if *out == "" || flags.NArg() > 0 || *n < 1 {
		fmt.Fprintln(stderr, "usage: scenario [-family NAME] [-seed N] [-n COUNT] -o DIR")
		return 2
	}
	if err := writeAll(families, *seed, *n, *demo, *withhold, *out); err != nil {
		fmt.Fprintln(stderr, "scenario:", err)
		return 1
	}
	return 0
}

// writeAll writes the cases of n seeds of each family, or the demo, to out. The demo is always whole.
func writeAll(families []scenario.Family, seed uint64, n int, demo, withhold bool, out string) error {
	if demo {
		files, err := demoFiles(scenario.Demo())
		if err != nil {
			return err
		}
		return writeTo(out, files)
	}
	for _, f := range families {
		for i := range n {
			c := scenario.Generate(f, seed+uint64(i))
			if withhold {
				c = c.Withhold()
			}
			files, err := filesOf(c)
			if err != nil {
				return err
			}
			if err := writeTo(filepath.Join(out, c.Name), files); err != nil {
				return err
			}
		}
	}
	return nil
}

// writeTo makes a folder of files.
func writeTo(dir string, files []file) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	for _, f := range files {
		if err := os.WriteFile(filepath.Join(dir, f.name), f.data, 0o666); err != nil {
			return err
		}
	}
	return nil
}
