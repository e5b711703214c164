package baseline

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"unicode/utf8"
)

// The limits of what Read reads.
const (
	maxBytes = 256 << 20
	// minObject is fewer bytes than any object of a snapshot takes: a text of many smaller ones would take many times
	// its size in memory.
	minObject = 40
)

// Read reads the snapshot that json.Marshal wrote: it reads to the end, and up to 256 MiB. A text that is no snapshot,
// is one of another version, or contradicts itself is an error. So is one with fields that are not known.
func Read(r io.Reader) (*Snapshot, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxBytes+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxBytes {
		return nil, fmt.Errorf("baseline: a snapshot of over %d MiB", maxBytes>>20)
	}
	s := &Snapshot{}
	if err := s.UnmarshalJSON(data); err != nil {
		return nil, err
	}
	return s, nil
}

// UnmarshalJSON reads a snapshot as strictly as [Read] does.
func (s *Snapshot) UnmarshalJSON(data []byte) error {
	if bytes.Count(data, []byte("{"))*minObject > len(data)+minObject {
		return errors.New("baseline: not a snapshot: objects lack their fields")
	}
	var head struct {
		Schema string `json:"schema"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return fmt.Errorf("baseline: not a snapshot: %w", err)
	}
	if head.Schema != Schema {
		return fmt.Errorf("baseline: not a snapshot that can be read: its schema is %.100q, and not %q", head.Schema, Schema)
	}
	type plain Snapshot // without this method
	var read plain
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&read); err != nil {
		return fmt.Errorf("baseline: not a snapshot: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("baseline: there is more after the snapshot")
	}
	x := Snapshot(read)
	if err := x.check(); err != nil {
		return fmt.Errorf("baseline: the snapshot contradicts itself: %w", err)
	}
	x.First, x.Last = x.First.UTC(), x.Last.UTC()
	x.fillLists()
	*s = x
	return nil
}

// fillLists makes empty lists of null ones, as they are written.
func (s *Snapshot) fillLists() {
	s.Operations, s.Services = orEmpty(s.Operations), orEmpty(s.Services)
	for i := range s.Operations {
		o := &s.Operations[i]
		o.Durations, o.PerCaller, o.Callees = orEmpty(o.Durations), orEmpty(o.PerCaller), orEmpty(o.Callees)
		o.Shapes, o.Peers = orEmpty(o.Shapes), orEmpty(o.Peers)
		for k := range o.Shapes {
			o.Shapes[k].Callees = orEmpty(o.Shapes[k].Callees)
		}
	}
	for i := range s.Services {
		x := &s.Services[i]
		x.Versions, x.Instances = orEmpty(x.Versions), orEmpty(x.Instances)
	}
}

func orEmpty[S ~[]E, E any](list S) S {
	if list == nil {
		return S{}
	}
	return list
}

// check says what is wrong with a snapshot, if anything is. All else rests on what it ensures.
func (s *Snapshot) check() error {
	if s == nil {
		return errors.New("there is none")
	}
	if s.Schema != Schema {
		return fmt.Errorf("its schema is %.100q", s.Schema)
	}
	if s.First.After(s.Last) || s.First.IsZero() != s.Last.IsZero() || s.First.Year() < 0 || s.Last.Year() > 9999 {
		return fmt.Errorf("its window is from %v to %v", s.First, s.Last)
	}
	if s.MaxOperations < 1 || s.MaxOperations > mostOperations || s.MaxNames < 1 || s.MaxNames > mostNames {
		return fmt.Errorf("its limits are %d operations and %d names", s.MaxOperations, s.MaxNames)
	}
	timed := int64(0)
	for _, n := range s.Hours {
		if err := ordered(0, n, maxCount); err != nil {
			return fmt.Errorf("hours: %w", err)
		}
		timed += n
	}
	if err := errors.Join(ordered(1, s.Traces, s.Spans, maxCount), ordered(0, timed, s.Traces), ordered(0, s.Fragments, s.Traces),
		ordered(0, s.Incomplete, s.Traces-s.Fragments), ordered(0, s.Detached, s.Spans), ordered(s.Traces, s.Weight, maxCount),
		ordered(0, s.LeftOut, s.Spans), ordered(0, s.LeftOutSpans, s.Spans)); err != nil {
		return fmt.Errorf("totals: %w", err)
	}
	if (timed == 0) != s.First.IsZero() {
		return fmt.Errorf("its window is from %v to %v, with %d traces in it", s.First, s.Last, timed)
	}
	if len(s.Operations) > s.MaxOperations || len(s.Services) > s.MaxOperations {
		return fmt.Errorf("it has %d operations and %d services, and may have %d", len(s.Operations), len(s.Services), s.MaxOperations)
	}
	return errors.Join(s.checkOperations(), s.checkServices())
}

// ordered says that counts which contain each other do not.
func ordered(counts ...int64) error {
	for i, n := range counts {
		if i > 0 && n < counts[i-1] {
			return fmt.Errorf("%d should be at least %d", n, counts[i-1])
		}
	}
	return nil
}

func (s *Snapshot) checkOperations() error {
	executions, requests := s.LeftOut, int64(0)
	depth := make([]int, len(s.Operations))
	for i := range s.Operations {
		o := &s.Operations[i]
		fail := func(err error) error {
			return fmt.Errorf("operation %d (%.100s %.100s): %w", i, o.Service, o.Name, err)
		}
		most := s.rooted()
		if o.Caller < -1 || o.Caller >= i {
			return fail(fmt.Errorf("it is called by operation %d", o.Caller))
		}
		if o.Caller >= 0 {
			depth[i] = depth[o.Caller] + 1
			most = s.Operations[o.Caller].Traces
		}
		if i > 0 {
			before := &s.Operations[i-1]
			a, b := before.key(), o.key()
			if depth[i] < depth[i-1] || depth[i] == depth[i-1] && (o.Caller < before.Caller || o.Caller == before.Caller && slices.Compare(a[:], b[:]) >= 0) {
				return fail(errors.New("it is out of order"))
			}
		}
		if err := o.check(most); err != nil {
			return fail(err)
		}
		if executions += o.Executions; executions > s.Spans {
			return fail(errors.New("there are more executions than spans"))
		}
		if requests += o.Requests; requests > s.rooted() {
			return fail(errors.New("there are more requests than traces"))
		}
	}
	return nil
}

// check says what is wrong with an operation that can be in most traces.
func (o *Operation) check(most int64) error {
	if err := errors.Join(checkName(o.Service), checkName(o.Name), checkName(o.Kind)); err != nil {
		return err
	}
	if err := errors.Join(ordered(1, o.Traces, most), ordered(o.Traces, o.Executions, maxCount), ordered(0, o.FailedTraces, o.Failed, o.Executions),
		ordered(o.FailedTraces, o.Traces), ordered(0, o.Whole, o.Traces), ordered(0, o.Requests, o.Traces), ordered(0, o.FailedRequests),
		ordered(0, o.Abandoned, o.Requests), ordered(o.FailedRequests+o.Abandoned, o.Requests), ordered(o.FailedRequests, o.FailedWeight, maxCount),
		ordered(o.Requests, o.Weight, maxCount), ordered(o.FailedWeight, o.Weight)); err != nil {
		return err
	}
	if (o.FailedTraces == 0) != (o.Failed == 0) || o.Caller >= 0 && o.Requests > 0 || o.Caller < 0 && len(o.PerCaller) > 0 {
		return errors.New("its counts cannot be so")
	}
	if err := errors.Join(o.Durations.check(o.Executions), o.PerCaller.check(o.Whole)); err != nil {
		return err
	}
	if o.TraceDurations == nil && o.Durations.N() > o.Traces {
		return errors.New("it has more durations than traces, and none by trace")
	}
	if o.TraceDurations != nil {
		if err := o.TraceDurations.check(min(o.Traces, o.Durations.N())); err != nil {
			return fmt.Errorf("durations by trace: %w", err)
		}
		if slices.Equal(*o.TraceDurations, o.Durations) {
			return errors.New("its durations by trace say nothing")
		}
	}
	if err := o.checkShapes(); err != nil {
		return err
	}
	return checkTallies(o.Peers, o.Executions, o.OtherPeers, o.Whole)
}

func (o *Operation) checkShapes() error {
	for i, c := range o.Callees {
		if err := errors.Join(checkName(c[0]), checkName(c[1]), checkName(c[2])); err != nil {
			return fmt.Errorf("callees: %w", err)
		}
		if i > 0 && compareCallees(o.Callees[i-1], c) >= 0 {
			return errors.New("its callees are out of order")
		}
	}
	used := make([]bool, len(o.Callees))
	executions := o.OtherShapes
	if err := ordered(0, executions, o.Executions); err != nil {
		return fmt.Errorf("structures: %w", err)
	}
	if len(o.Shapes) > mostNames {
		return errors.New("it has too many structures")
	}
	for i, x := range o.Shapes {
		if len(x.Callees) > maxCallees || i > 0 && slices.Compare(o.Shapes[i-1].Callees, x.Callees) >= 0 {
			return errors.New("its structures are out of order")
		}
		for k, c := range x.Callees {
			if c < 0 || c >= len(o.Callees) || k > 0 && c <= x.Callees[k-1] {
				return fmt.Errorf("a structure has callee %d", c)
			}
			used[c] = true
		}
		if err := errors.Join(ordered(1, x.Traces, o.Whole), ordered(x.Traces, x.Executions, maxCount)); err != nil {
			return fmt.Errorf("structures: %w", err)
		}
		if executions += x.Executions; executions > o.Executions {
			return errors.New("there are more structures than executions")
		}
	}
	if slices.Contains(used, false) {
		return errors.New("it has a callee that is in no structure")
	}
	return nil
}

func (s *Snapshot) checkServices() error {
	spans := s.LeftOutSpans
	for i, x := range s.Services {
		fail := func(err error) error { return fmt.Errorf("service %d (%.100s): %w", i, x.Name, err) }
		if i > 0 && s.Services[i-1].Name >= x.Name {
			return fail(errors.New("it is out of order"))
		}
		if err := errors.Join(checkName(x.Name), ordered(1, x.Traces, s.rooted()), ordered(x.Traces, x.Spans, maxCount)); err != nil {
			return fail(err)
		}
		if spans += x.Spans; spans > s.Spans {
			return fail(errors.New("there are more spans of services than spans"))
		}
		if err := errors.Join(checkTallies(x.Versions, x.Spans, x.OtherVersions, x.Traces), checkTallies(x.Instances, x.Spans, x.OtherInstances, x.Traces)); err != nil {
			return fail(err)
		}
	}
	return nil
}

// checkTallies says what is wrong with tallies of so many executions at most, of which others are left out, in so many
// traces.
func checkTallies(list []Tally, most, others, traces int64) error {
	if err := ordered(0, others, most); err != nil {
		return err
	}
	if len(list) > mostNames {
		return errors.New("there are too many names")
	}
	executions := others
	for i, x := range list {
		if i > 0 && list[i-1].Name >= x.Name {
			return fmt.Errorf("%.100q is out of order", x.Name)
		}
		if err := errors.Join(checkName(x.Name), ordered(1, x.Traces, traces), ordered(x.Traces, x.Executions, maxCount),
			ordered(0, x.FailedTraces, x.Failed, x.Executions), ordered(x.FailedTraces, x.Traces)); err != nil {
			return fmt.Errorf("%.100q: %w", x.Name, err)
		}
		if executions += x.Executions; executions > most {
			return fmt.Errorf("%.100q: more executions than there are", x.Name)
		}
	}
	return nil
}

func checkName(name string) error {
	if len(name) > maxName || !utf8.ValidString(name) {
		return fmt.Errorf("%.100q is no name", name)
	}
	return nil
}
