package timeline

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/chunk"
)

// counter counts what happened to subjects of one kind after the other.
type counter struct {
	cfg     SeriesConfig
	traces  tracewhy.Cohort
	result  *SeriesResult
	tooMany int     // subjects that were left out
	limits  []limit // by path
}

// observation is one call of a subject.
type observation struct {
	took    int64
	subject int32
	bin     uint16
	flags   uint8
}

const (
	isFailed uint8 = 1 << iota
	isLong
	isSlow
)

// limit is what a call takes longer than if it is long, or slow.
type limit struct{ long, slow int64 }

// found is what a subject is known by while calls are read.
type found struct {
	path     tracewhy.PathID
	gap      tracewhy.GapClass
	service  string
	instance string
}

func (c *counter) count(ctx context.Context, kind SubjectKind) error {
	if c.limits == nil && kind != SubjectGap {
		var err error
		if c.limits, err = c.findLimits(ctx, SubjectPath); err != nil {
			return err
		}
	}
	limits := c.limits
	if kind == SubjectGap {
		var err error
		if limits, err = c.findLimits(ctx, SubjectGap); err != nil {
			return err
		}
	}
	numbers := map[found]int32{} // only looked up
	var subjects []found
	var calls []int
	var all chunk.List[observation]
	err := c.each(ctx, kind, func(f found, s tracewhy.Span, start, took int64, failed bool) {
		bin, ok := c.result.grid().Of(start)
		if !ok {
			return
		}
		n, ok := numbers[f]
		if !ok {
			n = int32(len(subjects))
			numbers[f] = n
			subjects, calls = append(subjects, f), append(calls, 0)
		}
		calls[n]++
		o := observation{took: took, subject: n, bin: uint16(bin)}
		if failed {
			o.flags |= isFailed
		}
		usual := int(s.Path().ID())
		if kind == SubjectGap {
			usual = gapIndex(f.path, f.gap)
		}
		if !failed && took > limits[usual].long {
			o.flags |= isLong
		}
		if !failed && took > limits[usual].slow {
			o.flags |= isSlow
		}
		all.Append(o)
	})
	if err != nil {
		return err
	}
	return c.tally(ctx, kind, subjects, calls, &all)
}

// gapClasses is how many classes of gaps there are.
const gapClasses = int(tracewhy.GapQueue) + 1

func gapIndex(path tracewhy.PathID, class tracewhy.GapClass) int {
	return int(path)*gapClasses + int(class)
}

// findLimits returns the limits by path, or by path and gap.
func (c *counter) findLimits(ctx context.Context, kind SubjectKind) ([]limit, error) {
	n := c.traces.Set().NumPaths()
	if kind == SubjectGap {
		n *= gapClasses
	}
	index := func(f found) int {
		if kind == SubjectGap {
			return gapIndex(f.path, f.gap)
		}
		return int(f.path)
	}
	first := make([]int32, n+1)
	err := c.each(ctx, kind, func(f found, _ tracewhy.Span, start, _ int64, failed bool) {
		if _, ok := c.result.grid().Of(start); ok && !failed {
			first[index(f)+1]++
		}
	})
	if err != nil {
		return nil, err
	}
	for i := range n {
		first[i+1] += first[i]
	}
	took := make([]int64, first[n])
	next := slices.Clone(first[:n])
	err = c.each(ctx, kind, func(f found, _ tracewhy.Span, start, d int64, failed bool) {
		if _, ok := c.result.grid().Of(start); ok && !failed {
			i := index(f)
			took[next[i]] = d
			next[i]++
		}
	})
	if err != nil {
		return nil, err
	}
	limits := make([]limit, n)
	for i := range n {
		if part := took[first[i]:first[i+1]]; len(part) > 0 {
			slices.Sort(part)
			most := float64(len(part) - 1)
			limits[i] = limit{part[int(longShare*most)], part[int(slowShare*most)]}
		}
	}
	return limits, nil
}

// each calls f for each call of a kind of subject: whose it is, the span that has the path, when it began and
// how long it took.
func (c *counter) each(ctx context.Context, kind SubjectKind, f func(found, tracewhy.Span, int64, int64, bool)) error {
	read := 0
	services := map[int][2]string{} // by resource: the service and instance
	names := func(s tracewhy.Span) [2]string {
		r := s.ResourceIndex()
		n, ok := services[r]
		if !ok {
			n = [2]string{s.Service(), s.Instance()}
			services[r] = n
		}
		return n
	}
	for t := range c.traces.Traces() {
		if read++; read%cancelEvery == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if kind == SubjectTransactions {
			root := t.Root()
			start, end, ok := root.Interval()
			if !ok || !t.HasRoot() && t.Missing().Root {
				continue
			}
			failed := c.cfg.Outcome.Of(t) >= tracewhy.OutcomeAbandoned
			f(found{}, root, start, end-start, failed)
			f(found{path: root.Path().ID() + 1}, root, start, end-start, failed)
			continue
		}
		for s := range t.Spans() {
			start, end, ok := s.Interval()
			if !ok {
				continue
			}
			who := found{}
			switch kind {
			case SubjectPath:
				who.path = s.Path().ID()
			case SubjectService, SubjectInstance:
				if p, ok := s.Parent(); ok && names(p)[0] == names(s)[0] {
					continue
				}
				n := names(s)
				if who.service = n[0]; kind == SubjectInstance {
					if who.instance = n[1]; n[1] == "" {
						continue
					}
				}
			case SubjectDependency:
				if k := s.Kind(); k == tracewhy.KindServer || k == tracewhy.KindConsumer || hasRemote(s) {
					continue
				}
				if who.service, _ = s.Peer(); who.service == "" {
					continue
				}
			case SubjectGap:
				for g := range s.Gaps() {
					f(found{path: s.Path().ID(), gap: g.Class}, s, min(g.Start, g.End), g.End-g.Start, false)
				}
				continue
			}
			f(who, s, start, end-start, s.Failed())
		}
	}
	return nil
}

func hasRemote(s tracewhy.Span) bool {
	for child := range s.Children() {
		if child.IsRemote() {
			return true
		}
	}
	return false
}

// tally makes counts of observations.
func (c *counter) tally(ctx context.Context, kind SubjectKind, subjects []found, calls []int, all *chunk.List[observation]) error {
	bins := len(c.result.Exposure)
	kept := make([]int, 0, len(subjects))
	for i, n := range calls {
		if n >= c.cfg.MinCalls {
			kept = append(kept, i)
		}
	}
	named := make([]Subject, len(subjects))
	for _, i := range kept {
		named[i] = c.name(kind, subjects[i])
	}
	if len(kept) > c.cfg.MaxSubjects {
		slices.SortFunc(kept, func(x, y int) int {
			return cmp.Or(cmp.Compare(calls[y], calls[x]), compareSubjects(named[x], named[y]))
		})
		c.tooMany += len(kept) - c.cfg.MaxSubjects
		kept = kept[:c.cfg.MaxSubjects]
	}
	slices.SortFunc(kept, func(x, y int) int { return compareSubjects(named[x], named[y]) })

	// Sort observations by subject and bin.
	rank := slices.Repeat([]int{-1}, len(subjects))
	for k, i := range kept {
		rank[i] = k
	}
	first := make([]int, len(kept)*bins+1)
	for i := range all.Len() {
		o := all.At(i)
		if k := rank[o.subject]; k >= 0 {
			first[k*bins+int(o.bin)+1]++
		}
	}
	for i := range len(kept) * bins {
		first[i+1] += first[i]
	}
	sorted := make([]observation, first[len(kept)*bins])
	next := slices.Clone(first)
	for i := range all.Len() {
		o := *all.At(i)
		if k := rank[o.subject]; k >= 0 {
			at := &next[k*bins+int(o.bin)]
			sorted[*at] = o
			*at++
		}
	}
	for k, i := range kept {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		out := Counts{
			Subject: named[i], Calls: make([]int, bins), Failures: make([]int, bins), Long: make([]int, bins), Slow: make([]int, bins),
			Median: make([]time.Duration, bins), P95: make([]time.Duration, bins), Concurrency: make([]float64, bins),
		}
		busy := make([]int64, bins)
		for b := range bins {
			part := sorted[first[k*bins+b]:first[k*bins+b+1]]
			slices.SortFunc(part, func(x, y observation) int { return cmp.Compare(x.took, y.took) })
			out.Calls[b], out.Median[b], out.P95[b] = len(part), -1, -1
			if n := len(part); n > 0 {
				out.Median[b], out.P95[b] = time.Duration(part[(n-1)/2].took), time.Duration(part[(n-1)*95/100].took)
			}
			for _, o := range part {
				if o.flags&isFailed != 0 {
					out.Failures[b]++
				}
				if o.flags&isLong != 0 {
					out.Long[b]++
				}
				if o.flags&isSlow != 0 {
					out.Slow[b]++
				}
				c.spread(busy, b, o.took)
			}
		}
		for b := range bins {
			out.Concurrency[b] = float64(busy[b]) / float64(c.result.Bin)
		}
		c.result.Counts = append(c.result.Counts, out)
	}
	return nil
}

// spread adds the time of a call to the bin that it began in, and to those after that which it ran into: as if it
// had begun in the middle.
func (c *counter) spread(busy []int64, bin int, took int64) {
	length := int64(c.result.Bin)
	room := length / 2
	for ; took > 0 && bin < len(busy); bin++ {
		part := min(took, room)
		busy[bin] += part
		took -= part
		room = length
	}
}

func (c *counter) name(kind SubjectKind, f found) Subject {
	s := Subject{Kind: kind, Service: f.service, Instance: f.instance}
	path := func(id tracewhy.PathID) string {
		p := c.traces.Set().Path(id)
		s.Path, s.HasPath, s.Service = id, true, p.Service()
		return p.Service() + " " + p.Operation()
	}
	switch kind {
	case SubjectTransactions:
		if s.name = "all transactions"; f.path > 0 {
			s.name = path(f.path - 1)
		}
	case SubjectPath:
		s.name = path(f.path)
		p := c.traces.Set().Path(f.path)
		if parent, ok := p.Parent(); ok {
			s.parent, s.hasParent = parent.ID(), true
		}
		if caller, ok := callerOf(p); ok {
			s.caller, s.hasCaller = caller.ID(), true
		}
	case SubjectGap:
		s.Gap = f.gap
		s.name = path(f.path) + ", " + f.gap.String()
	case SubjectInstance:
		s.name = f.service + " " + f.instance
	default:
		s.name = f.service
	}
	return s
}

// callerOf returns the path whose executions decide how often there are calls of a path.
func callerOf(p tracewhy.Path) (tracewhy.Path, bool) {
	parent, ok := p.Parent()
	if ok && isCall(parent.Kind()) && !isCall(p.Kind()) && parent.Service() != p.Service() {
		return parent.Parent()
	}
	return parent, ok
}

func isCall(k tracewhy.Kind) bool { return k == tracewhy.KindClient || k == tracewhy.KindProducer }
