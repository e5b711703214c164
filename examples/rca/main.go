// Command rca says what broke and why, from the traces of an incident and those of better times.
//
//	rca analyze [flags] INCIDENT…      what broke, where, for whom, how bad, and how sure
//	rca baseline VERB [flags] FILE…    what is normal: kept, merged, reviewed, compared with today
//	rca compare [flags] FILE…          what failing traces have in common that others have not
//	rca convert [flags] FILE…          traces in another format, all or some of them
//	rca demo                           the whole story on an embedded incident
//	rca diff [flags] FILE ID [ID]      two traces side by side, and how they differ
//	rca evaluate [flags] DIR…          accuracy over labelled cases, beside other methods
//	rca fetch [flags]                  save the traces that a Jaeger or a Tempo has
//	rca graph [flags] FILE…            what depends on what, how well it answers, and whose fault it is
//	rca modes [flags] FILE…            what kinds of failure the failing traces are
//	rca timeline [flags] FILE…         what changed when, before and after things went wrong
//	rca waterfall [flags] FILE ID…     traces drawn on one scale of time
//
// Run "rca COMMAND -h" for the flags of a command. Flags may stand before and after the arguments.
//
// The exit status is 0 when the question was answered, 1 when the input could not be read, 2 when the
// command line could not, 3 when analyze -fail-on-incident found an incident or baseline -fail-on-drift a drift, and 130 when it was
// interrupted. Progress goes to standard error, and only if that is a terminal.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/tracewhy/tracewhy/rca/report"
)

// The exit statuses.
const (
	statusOK          = 0
	statusInput       = 1
	statusUsage       = 2
	statusIncident    = 3
	statusInterrupted = 130
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second interrupt ends the process at once
	status := run(ctx, os.Args[1:], &environment{
		stdin:    os.Stdin,
		stdout:   os.Stdout,
		stderr:   os.Stderr,
		color:    isTerminal(os.Stdout) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb",
		progress: isTerminal(os.Stderr),
	})
	os.Exit(status)
}

// environment is what commands know about the process that they run in.
type environment struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	color          bool // whether text looks better in colours, unless a flag says otherwise
	progress       bool
}

func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// command is one of the things that rca does.
type command struct {
	name  string
	args  string
	short string
	run   func(ctx context.Context, env *environment, c *command, args []string) error
}

func commands() []command {
	return []command{
		{"analyze", "[flags] INCIDENT…", "say what broke and why", analyze},
		{"baseline", "VERB [flags] FILE…", "keep what is normal, and say whether it still is", baselines},
		{"compare", "[flags] FILE…", "say what failing traces have in common that others have not", compareTraces},
		{"convert", "[flags] FILE…", "write traces in another format, for other tools", convert},
		{"demo", "[flags]", "tell the whole story on an embedded incident", demo},
		{"diff", "[flags] FILE ID [ID]", "lay two traces beside each other", diff},
		{"evaluate", "[flags] DIR…", "measure accuracy over labelled cases", evaluateCases},
		{"fetch", "[flags]", "save the traces that a backend has", fetch},
		{"graph", "[flags] FILE…", "say what depends on what, and whose fault it is", graph},
		{"modes", "[flags] FILE…", "divide failing traces into failure modes", modes},
		{"timeline", "[flags] FILE…", "say what changed when, before and after things went wrong", events},
		{"waterfall", "[flags] FILE ID…", "draw traces on one scale of time", waterfall},
	}
}

// usageError says what is wrong with a command line.
type usageError struct{ message string }

func (e *usageError) Error() string { return e.message }

func usagef(format string, args ...any) error { return &usageError{fmt.Sprintf(format, args...)} }

// errIncident says that -fail-on-incident applies; the report is already written.
var errIncident = errors.New("incident")

// run does what the arguments say and returns the exit status.
func run(ctx context.Context, args []string, env *environment) int {
	if len(args) == 0 {
		overview(env.stderr)
		return statusUsage
	}
	name := args[0]
	if name == "help" || name == "-h" || name == "-help" || name == "--help" {
		overview(env.stdout)
		return statusOK
	}
	for _, c := range commands() {
		if c.name == name {
			return status(ctx, env, &c, c.run(ctx, env, &c, args[1:]))
		}
	}
	fmt.Fprintf(env.stderr, "rca: there is no command %q\n\n", name)
	overview(env.stderr)
	return statusUsage
}

func overview(w io.Writer) {
	fmt.Fprint(w, "rca says what broke and why, from traces.\n\n")
	for _, c := range commands() {
		fmt.Fprintf(w, "  rca %-28s %s\n", c.name+" "+c.args, c.short)
	}
	fmt.Fprint(w, "\nThe flags of a command: rca COMMAND -h\n")
}

// status reports an error, if there is one, and returns the exit status that goes with it.
func status(ctx context.Context, env *environment, c *command, err error) int {
	var usage *usageError
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return statusOK
	case errors.Is(err, errIncident):
		return statusIncident
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		fmt.Fprintln(env.stderr, "rca: interrupted")
		return statusInterrupted
	case errors.As(err, &usage):
		fmt.Fprintf(env.stderr, "rca %s: %s\nusage: rca %s %s\n", c.name, report.Clean(usage.message), c.name, c.args)
		return statusUsage
	}
	fmt.Fprintf(env.stderr, "rca %s: %s\n", c.name, report.Clean(err.Error()))
	return statusInput
}

// flagSet returns an empty set of flags for a command.
func (c *command) flagSet() *flag.FlagSet {
	fs := flag.NewFlagSet(c.name, flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.Usage = func() {}
	return fs
}

// parse reads flags, which may stand before, between and after the arguments, and returns the
// arguments. Whatever follows "--" is an argument. Where the flags ask for help, it gives it.
func (c *command) parse(env *environment, fs *flag.FlagSet, args []string) ([]string, error) {
	var positional []string
	for len(args) > 0 {
		if err := fs.Parse(args); err != nil {
			if errors.Is(err, flag.ErrHelp) {
				fmt.Fprintf(env.stdout, "usage: rca %s %s\n\n", c.name, c.args)
				fs.SetOutput(env.stdout)
				fs.PrintDefaults()
				return nil, err
			}
			return nil, &usageError{err.Error()}
		}
		rest := fs.Args()
		if n := len(args) - len(rest); n > 0 && args[n-1] == "--" {
			return append(positional, rest...), nil
		}
		if len(rest) == 0 {
			break
		}
		positional = append(positional, rest[0])
		args = rest[1:]
	}
	return positional, nil
}

// listFlag is a flag that may be given several times.
type listFlag []string

func (l *listFlag) String() string { return strings.Join(*l, " ") }

func (l *listFlag) Set(s string) error {
	*l = append(*l, s)
	return nil
}

// colorFlag adds the flag -color, whose default is what suits the terminal.
func colorFlag(fs *flag.FlagSet, env *environment) func() (bool, error) {
	when := fs.String("color", "auto", "use colours: auto, always or never")
	return func() (bool, error) {
		switch *when {
		case "auto":
			return env.color, nil
		case "always", "never":
			return *when == "always", nil
		}
		return false, usagef("-color is auto, always or never, not %q", *when)
	}
}
