package pprof

import (
	"math"
	"slices"
	"strings"
	"unicode"

	"github.com/google/pprof/profile"

	"github.com/tracewhy/tracewhy"
)

// The values of a sample, in their order.
const (
	criticalPath = iota
	selfTime
	numSpans
	numErrors
	numValues
)

var valueTypes = [numValues]profile.ValueType{
	criticalPath: {Type: "critical_path", Unit: "nanoseconds"},
	selfTime:     {Type: "self_time", Unit: "nanoseconds"},
	numSpans:     {Type: "spans", Unit: "count"},
	numErrors:    {Type: "errors", Unit: "count"},
}

// baseLabel marks samples that pprof takes for those of a base, as its -diff_base does.
const baseLabel = "pprof::base"

// function is what tells functions apart: their names alone could be equal. The zero function stands for
// callers without a span.
type function struct{ service, operation string }

// builder collects the samples of a profile. Functions and locations are numbered as samples need them.
type builder struct {
	mapping   *profile.Mapping // the program that all functions are of, which pprof wants to name
	samples   []*profile.Sample
	functions []*profile.Function
	locations []*profile.Location
	byName    map[function]*profile.Location
}

func newBuilder() *builder {
	return &builder{
		mapping: &profile.Mapping{ID: 1, File: "traces", HasFunctions: true, HasFilenames: true},
		byName:  map[function]*profile.Location{},
	}
}

// A sum adds up values of traces. Those that stand for themselves stay integers.
type sum struct {
	whole    int64
	weighted float64
}

func (s *sum) add(v int64, weight float64) {
	if weight == 1 {
		s.whole += v
	} else {
		s.weighted += float64(weight * float64(v))
	}
}

// scaled returns the sum times a factor as an integer, the nearest there is.
func (s *sum) scaled(factor float64) int64 {
	if factor == 1 && s.weighted == 0 {
		return s.whole
	}
	v := math.Round(float64((float64(s.whole) + s.weighted) * factor))
	switch {
	case v >= math.MaxInt64:
		return math.MaxInt64
	case v <= math.MinInt64:
		return math.MinInt64
	}
	return int64(v)
}

// sums are the values of the spans of one path: of those that did not fail, and those that did.
type sums [2][numValues]sum

func (s *sums) of(span tracewhy.Span) *[numValues]sum {
	if span.Failed() {
		return &s[1]
	}
	return &s[0]
}

// add adds the samples of a cohort, their values multiplied with factor.
func (b *builder) add(c tracewhy.Cohort, factor float64, isBase bool) {
	if c.Len() == 0 {
		return
	}
	byPath := make([]sums, c.Set().NumPaths())
	var sections []tracewhy.Section
	selfTimes := c.Set().SelfTimes()
	for t := range c.Traces() {
		weight := t.Weight()
		for s := range t.Spans() {
			failed := s.Failed()
			at := byPath[s.Path().ID()].of(s)
			at[numSpans].add(1, weight)
			if failed {
				at[numErrors].add(1, weight)
			}
			if own := selfTimes[s.Index()]; own > 0 { // -1: not known
				at[selfTime].add(own, weight)
			}
		}
		sections = t.Root().AppendCriticalPath(sections[:0])
		for _, section := range sections {
			at := byPath[section.Span.Path().ID()].of(section.Span)
			at[criticalPath].add(int64(section.Duration()), weight)
		}
	}
	for p := range c.Set().Paths() {
		for i := range byPath[p.ID()] {
			b.sample(p, i == 1, isBase, &byPath[p.ID()][i], factor)
		}
	}
}

// sample adds a sample, unless its values are all 0.
func (b *builder) sample(p tracewhy.Path, failed, isBase bool, values *[numValues]sum, factor float64) {
	s := &profile.Sample{
		Value: make([]int64, numValues),
		Label: map[string][]string{"service": {p.Service()}, "kind": {p.Kind().String()}},
	}
	for i := range values {
		s.Value[i] = values[i].scaled(factor)
	}
	if !slices.ContainsFunc(s.Value, func(v int64) bool { return v != 0 }) {
		return
	}
	if failed {
		s.Label["failed"] = []string{"true"}
	}
	if isBase {
		s.Label[baseLabel] = []string{"true"}
	}
	chain := p.Chain()
	for _, call := range slices.Backward(chain) { // pprof has the leaf first
		s.Location = append(s.Location, b.location(function{call.Service(), call.Operation()}))
	}
	if chain[0].IsOrphan() {
		s.Location = append(s.Location, b.location(function{}))
	}
	b.samples = append(b.samples, s)
}

// location returns the one location of a function.
func (b *builder) location(f function) *profile.Location {
	if l, ok := b.byName[f]; ok {
		return l
	}
	fn := &profile.Function{
		ID: uint64(len(b.functions) + 1), Filename: printable(f.service),
		Name: printable(strings.TrimSuffix(f.service+" "+f.operation, " ")),
		// A name that differs from the system's is taken as it is, and not for one of C++.
		SystemName: printable(f.operation),
	}
	if f == (function{}) {
		fn.Name = MissingParent
	}
	l := &profile.Location{ID: fn.ID, Mapping: b.mapping, Line: []profile.Line{{Function: fn}}}
	b.functions, b.locations, b.byName[f] = append(b.functions, fn), append(b.locations, l), l
	return l
}

// printable replaces what could harm a terminal: names come from traces, and pprof prints them as they
// are.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, s)
}

// profile returns the profile of the samples, with the time of a cohort.
func (b *builder) profile(c tracewhy.Cohort) *profile.Profile {
	p := &profile.Profile{
		DefaultSampleType: valueTypes[criticalPath].Type,
		Sample:            b.samples, Function: b.functions, Location: b.locations,
		Mapping: []*profile.Mapping{b.mapping},
	}
	for _, t := range valueTypes {
		p.SampleType = append(p.SampleType, &t)
	}
	first, last := int64(math.MaxInt64), int64(0)
	for t := range c.Traces() {
		if start, end, ok := t.Interval(); ok {
			first, last = min(first, start), max(last, end)
		}
	}
	if first <= last {
		p.TimeNanos, p.DurationNanos = first, last-first
	}
	return p
}
