package evaluate

import (
	"context"
	"fmt"
	"runtime"
	"sync"

	"github.com/tracewhy/tracewhy/rca"
)

// Config adjusts an evaluation. Its zero value is the documented default.
type Config struct {
	// Workers is how many cases are worked on at once; 0 means GOMAXPROCS. It never changes the result.
	Workers int
	// Focus names the ranker whose results WriteText breaks down; "" means the last.
	Focus string
	// Bins is the number of bins of the reliability table; 0 means 10.
	Bins int
	// Seed is for the simulated forecasters that calibration is compared with.
	Seed uint64
	// Done, if set, is called after each case with the number of cases done and their total, never
	// twice at a time.
	Done func(done, total int)
}

// Dirs finds the cases in the given folders (see [Find]) and evaluates the rankers on them.
func Dirs(ctx context.Context, dirs []string, rankers []Ranker, cfg Config) (*Result, error) {
	folders, err := Find(dirs...)
	if err != nil {
		return nil, err
	}
	cases := make([]Loader, len(folders))
	for i, f := range folders {
		cases[i] = f.Load
	}
	return Run(ctx, cases, rankers, cfg)
}

// Run gives every case to every ranker and compares their answers with the labels. It is an error if a
// case cannot be loaded, or a ranker fails: the error is that of the first such case.
func Run(ctx context.Context, cases []Loader, rankers []Ranker, cfg Config) (*Result, error) {
	r := &Result{Rankers: []string{}, Focus: cfg.Focus, Groups: []Group{}, Cases: make([]CaseResult, len(cases))}
	for _, ranker := range rankers {
		r.Rankers = append(r.Rankers, ranker.Name)
		if cfg.Focus == "" {
			r.Focus = ranker.Name
		}
	}
	workers := cfg.Workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	var (
		wait   sync.WaitGroup
		mu     sync.Mutex
		next   int
		done   int
		failed = len(cases) // the first case that could not be evaluated
		fault  error
	)
	for range min(workers, len(cases)) {
		wait.Go(func() {
			for {
				mu.Lock()
				i := next
				next++
				stop := i >= len(cases) || i > failed
				mu.Unlock()
				if stop {
					return
				}
				err := evaluateCase(ctx, cases[i], rankers, &r.Cases[i])
				mu.Lock()
				if err != nil && i < failed {
					failed, fault = i, err
				}
				done++
				if cfg.Done != nil {
					cfg.Done(done, len(cases))
				}
				mu.Unlock()
			}
		})
	}
	wait.Wait()
	if fault != nil {
		return nil, fault
	}
	r.sumUp(cfg)
	return r, nil
}

func evaluateCase(ctx context.Context, load Loader, rankers []Ranker, r *CaseResult) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c, err := load(ctx)
	if err != nil {
		return err
	}
	*r = CaseResult{
		Name: c.Name, Dataset: c.Label.Dataset, Scenario: c.Label.Scenario, FaultType: c.Label.FaultType,
		Incident: c.Label.Incident, Causes: c.Label.Causes, Outcomes: []Outcome{},
	}
	if r.Dataset == "" {
		r.Dataset = c.Label.Scenario
	}
	if r.Causes == nil {
		r.Causes = []Cause{}
	}
	for _, ranker := range rankers {
		answer, err := ranker.Rank(ctx, Question{c.Baseline, c.Incident, c.Changes})
		if err != nil {
			return fmt.Errorf("%s: %s: %w", c.Name, ranker.Name, err)
		}
		if answer == nil {
			answer = &Answer{Verdict: rca.VerdictNoIncident}
		}
		r.Outcomes = append(r.Outcomes, outcome(ranker.Name, answer, &c.Label))
	}
	return nil
}
