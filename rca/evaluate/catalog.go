package evaluate

import (
	"context"
	"math"
	"slices"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/stats"
	"github.com/tracewhy/tracewhy/rca"
)

// catalog numbers the services and operations of two cohorts in the order in which their spans first
// appear, incident first. The numbers depend neither on the order of input nor on names, and so neither
// do the sums that run over them.
type catalog struct {
	services   []string
	operations []operation
	ofPath     []int32 // by path: its operation, or -1
}

type operation struct {
	service int
	name    string
}

func newCatalog(ctx context.Context, baseline, incident tracewhy.Cohort) (*catalog, error) {
	set := incident.Set()
	if set == nil {
		set = baseline.Set()
	}
	c := &catalog{}
	if set == nil {
		return c, nil
	}
	c.ofPath = slices.Repeat([]int32{-1}, set.NumPaths())
	services := map[string]int{}
	operations := map[operation]int32{}
	add := func(t tracewhy.Trace) {
		for s := range t.Spans() {
			path := s.Path()
			if c.ofPath[path.ID()] >= 0 {
				continue
			}
			service, ok := services[path.Service()]
			if !ok {
				service = len(c.services)
				services[path.Service()] = service
				c.services = append(c.services, path.Service())
			}
			op := operation{service, path.Operation()}
			num, ok := operations[op]
			if !ok {
				num = int32(len(c.operations))
				operations[op] = num
				c.operations = append(c.operations, op)
			}
			c.ofPath[path.ID()] = num
		}
	}
	for _, cohort := range []tracewhy.Cohort{incident, baseline} {
		if err := eachTrace(ctx, cohort, add); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// operation returns the number of the span's operation.
func (c *catalog) operation(s tracewhy.Span) int { return int(c.ofPath[s.Path().ID()]) }

// service returns the number of the span's service.
func (c *catalog) service(s tracewhy.Span) int { return c.operations[c.operation(s)].service }

// eachTrace calls visit for the cohort's traces in order, and stops when ctx is cancelled.
func eachTrace(ctx context.Context, c tracewhy.Cohort, visit func(tracewhy.Trace)) error {
	i := 0
	for t := range c.Traces() {
		if i%64 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		i++
		visit(t)
	}
	return ctx.Err()
}

// answer returns the services and operations by falling score. Those whose score is NaN are not listed,
// and where nothing is, the ranker abstains.
func (c *catalog) answer(services, operations []float64) *Answer {
	a := &Answer{Verdict: rca.VerdictIncident}
	for _, i := range byScore(services) {
		a.Services = append(a.Services, Suspect{Service: c.services[i], Score: services[i]})
	}
	for _, i := range byScore(operations) {
		op := c.operations[i]
		a.Operations = append(a.Operations, Suspect{Service: c.services[op.service], Operation: op.name, Score: operations[i]})
	}
	if len(a.Services) == 0 {
		a.Verdict = rca.VerdictNoIncident
	}
	return a
}

// byScore returns the numbers of the scores that are not NaN, the largest score first.
func byScore(scores []float64) []int {
	var order []int
	for i, s := range scores {
		if !math.IsNaN(s) {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(i, j int) int { return stats.Compare(scores[j], scores[i]) })
	return order
}

// best returns for each service the largest score of its operations, NaN if none has one.
func (c *catalog) best(operations []float64) []float64 {
	services := slices.Repeat([]float64{math.NaN()}, len(c.services))
	for i, score := range operations {
		s := c.operations[i].service
		if !(services[s] >= score) && !math.IsNaN(score) {
			services[s] = score
		}
	}
	return services
}

// positive returns x, or NaN if it is not above 0.
func positive(x float64) float64 {
	if x > 0 {
		return x
	}
	return math.NaN()
}
