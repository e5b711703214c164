package baseline

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tracewhy/tracewhy/internal/stats"
)

// Merge returns the snapshot of the traces of both, such as the days of a week. No trace may be in both; that
// cannot be seen from snapshots. Merging is associative and commutative, to the byte, and if the two are of cohorts of
// one Set, it gives what Take gives of their union: where they are of several, names may have been templated in one
// and not in the other. What it keeps is within the smaller limits of the two.
//
// Its error says that the two have other rules of what a failure is, or that counts would become too large.
func Merge(a, b *Snapshot) (*Snapshot, error) {
	if err := errors.Join(a.check(), b.check()); err != nil {
		return nil, fmt.Errorf("baseline: not a snapshot to merge: %w", err)
	}
	if a.Outcome != b.Outcome {
		return nil, fmt.Errorf("baseline: %q and %q are different rules for failed requests: their counts cannot be added", a.Outcome, b.Outcome)
	}
	s := &Snapshot{
		Schema: Schema, Outcome: a.Outcome, First: earlier(a.First, b.First), Last: a.Last,
		Traces: a.Traces + b.Traces, Spans: a.Spans + b.Spans, Weight: a.Weight + b.Weight,
		Fragments: a.Fragments + b.Fragments, Incomplete: a.Incomplete + b.Incomplete, Detached: a.Detached + b.Detached,
		MaxOperations: min(a.MaxOperations, b.MaxOperations), MaxNames: min(a.MaxNames, b.MaxNames),
		LeftOut: a.LeftOut + b.LeftOut, LeftOutSpans: a.LeftOutSpans + b.LeftOutSpans,
	}
	if b.Last.After(a.Last) {
		s.Last = b.Last
	}
	for i := range s.Hours {
		s.Hours[i] = a.Hours[i] + b.Hours[i]
	}
	t := newTree(s.MaxNames)
	t.addAll(a.Operations)
	t.addAll(b.Operations)
	t.finish(s)
	s.setServices(slices.Concat(a.Services, b.Services))
	if err := s.check(); err != nil {
		return nil, fmt.Errorf("baseline: the two are too large to merge: %w", err)
	}
	return s, nil
}

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// mergeOperations adds the counts of two operations of one name. Both may be over the limits.
func mergeOperations(a, b Operation, maxNames int) Operation {
	o := Operation{
		Service: a.Service, Name: a.Name, Kind: a.Kind,
		Executions: a.Executions + b.Executions, Failed: a.Failed + b.Failed,
		Traces: a.Traces + b.Traces, FailedTraces: a.FailedTraces + b.FailedTraces, Whole: a.Whole + b.Whole,
		Requests: a.Requests + b.Requests, FailedRequests: a.FailedRequests + b.FailedRequests, Abandoned: a.Abandoned + b.Abandoned,
		Weight: a.Weight + b.Weight, FailedWeight: a.FailedWeight + b.FailedWeight,
		Durations: a.Durations.plus(b.Durations), PerCaller: a.PerCaller.plus(b.PerCaller),
		OtherShapes: a.OtherShapes + b.OtherShapes, OtherPeers: a.OtherPeers + b.OtherPeers,
	}
	o.setTraceDurations(a.traceDurations().plus(b.traceDurations()))
	o.Peers = firstTallies(slices.Concat(a.Peers, b.Peers), maxNames, &o.OtherPeers)
	o.setShapes(&a, &b, maxNames)
	return o
}

// setShapes gives o the structures of two operations.
func (o *Operation) setShapes(a, b *Operation, most int) {
	type shape struct {
		Shape
		callees [][3]string // sorted
		hash    uint64
	}
	var list []shape
	for _, from := range []*Operation{a, b} {
		for _, x := range from.Shapes {
			s := shape{Shape: x}
			var text strings.Builder
			for _, c := range x.Callees {
				s.callees = append(s.callees, from.Callees[c])
			}
			slices.SortFunc(s.callees, compareCallees)
			s.callees = slices.Compact(s.callees)
			for _, c := range s.callees {
				for _, part := range c {
					text.WriteString(part)
					text.WriteByte(0)
				}
			}
			s.hash = stats.Key(text.String())
			list = append(list, s)
		}
	}
	slices.SortFunc(list, func(x, y shape) int {
		return cmp.Or(cmp.Compare(x.hash, y.hash), slices.CompareFunc(x.callees, y.callees, compareCallees))
	})
	merged := list[:0]
	for _, x := range list {
		n := len(merged)
		if n > 0 && merged[n-1].hash == x.hash && slices.Equal(merged[n-1].callees, x.callees) {
			merged[n-1].Executions += x.Executions
			merged[n-1].Traces += x.Traces
			continue
		}
		merged = append(merged, x)
	}
	for _, x := range merged[min(most, len(merged)):] {
		o.OtherShapes += x.Executions
	}
	merged = merged[:min(most, len(merged))]
	o.Callees, o.Shapes = [][3]string{}, []Shape{}
	for _, x := range merged {
		o.Callees = append(o.Callees, x.callees...)
	}
	slices.SortFunc(o.Callees, compareCallees)
	o.Callees = slices.Compact(o.Callees)
	for _, x := range merged {
		s := Shape{Callees: []int{}, Executions: x.Executions, Traces: x.Traces}
		for _, c := range x.callees {
			at, _ := slices.BinarySearchFunc(o.Callees, c, compareCallees)
			s.Callees = append(s.Callees, at)
		}
		o.Shapes = append(o.Shapes, s)
	}
	slices.SortFunc(o.Shapes, func(x, y Shape) int { return slices.Compare(x.Callees, y.Callees) })
}

func compareCallees(a, b [3]string) int { return slices.Compare(a[:], b[:]) }
