package main

import (
	"context"

	"github.com/tracewhy/tracewhy/rca"
	"github.com/tracewhy/tracewhy/rca/evaluate"
)

// evaluateCases measures how often the answer is right, beside other methods.
func evaluateCases(ctx context.Context, env *environment, c *command, args []string) error {
	fs := c.flagSet()
	workers := fs.Int("workers", 0, "work on `N` cases at once; 0 means one per processor")
	dirs, err := c.parse(env, fs, args)
	if err != nil {
		return err
	}
	if len(dirs) == 0 {
		return usagef("name folders that hold cases: folders with a label.json and files baseline* and incident*")
	}
	p := newProgress(env, "evaluating")
	r, err := evaluate.Dirs(ctx, dirs, evaluate.All(rca.Config{}), evaluate.Config{Workers: *workers, Done: p.steps})
	p.done()
	if err != nil {
		return err
	}
	return r.WriteText(env.stdout)
}
