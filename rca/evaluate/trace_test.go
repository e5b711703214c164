package evaluate

import (
	"context"
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/stats"
)

// span is a span of a test, with its start relative to the trace's and all times in milliseconds.
type span struct {
	service, operation string
	start, duration    int
	failed             bool
	attributes         []tracewhy.KeyValue
	children           []span
}

// spans returns the data of traces, the first of which has the given number.
func spans(source string, first int, traces []span) []tracewhy.SpanData {
	var all []tracewhy.SpanData
	for i, root := range traces {
		num := first + i
		var traceID tracewhy.TraceID
		binary.BigEndian.PutUint64(traceID[8:], uint64(num))
		count := uint64(0)
		var add func(s span, parent tracewhy.SpanID)
		add = func(s span, parent tracewhy.SpanID) {
			count++
			var id tracewhy.SpanID
			binary.BigEndian.PutUint64(id[:], uint64(num)<<16|count)
			start := uint64(1_700_000_000_000+1000*num+s.start) * 1e6
			d := tracewhy.SpanData{
				TraceID: traceID, SpanID: id, ParentSpanID: parent, Name: s.operation,
				Start: start, End: start + uint64(s.duration)*1e6, Attributes: s.attributes,
				Resource: &tracewhy.Resource{Attributes: []tracewhy.KeyValue{tracewhy.String("service.name", s.service)}},
				Source:   source,
			}
			if s.failed {
				d.Status = tracewhy.StatusError
			}
			all = append(all, d)
			for _, child := range s.children {
				add(child, id)
			}
		}
		add(root, tracewhy.SpanID{})
	}
	return all
}

// build returns the cohorts of a Set of the data.
func build(t testing.TB, data []tracewhy.SpanData) (baseline, incident tracewhy.Cohort) {
	t.Helper()
	var b tracewhy.Builder
	for i := range data {
		b.Add(&data[i])
	}
	set, err := b.Build(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return set.Source("baseline"), set.Source("incident")
}

// cohorts builds a Set of two cohorts of traces.
func cohorts(t testing.TB, before, during []span) (baseline, incident tracewhy.Cohort) {
	t.Helper()
	return build(t, append(spans("baseline", 1, before), spans("incident", 1+len(before), during)...))
}

// rank gives traces to a ranker.
func rank(t testing.TB, r Ranker, before, during []span) *Answer {
	t.Helper()
	baseline, incident := cohorts(t, before, during)
	a, err := r.Rank(context.Background(), Question{Baseline: baseline, Incident: incident})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// named returns the ranker of that name.
func rankerNamed(t testing.TB, name string) Ranker {
	t.Helper()
	for _, r := range append(Naive(), Published()...) {
		if r.Name == name {
			return r
		}
	}
	t.Fatalf("no ranker %q", name)
	return Ranker{}
}

// listed writes suspects as "service operation score".
func listed(suspects []Suspect) []string {
	var all []string
	for _, s := range suspects {
		name := s.Service
		if s.Operation != "" {
			name += " " + s.Operation
		}
		all = append(all, fmt.Sprintf("%s %.4g", name, s.Score))
	}
	return all
}

// randomTraces returns traces of a few services, with a fault in some of them if faulty.
func randomTraces(seed uint64, n int, faulty bool) []span {
	services := []string{"web", "cart", "stock", "price", "bank", "mail"}
	var all []span
	for i := range n {
		rand := stats.NewRand(seed, stats.Key("traces"), uint64(i))
		var call func(depth, from int) span
		call = func(depth, from int) span {
			s := span{service: services[from], operation: "work", start: depth, duration: 5 + rand.IntN(20)}
			if rand.IntN(4) == 0 {
				s.operation = "rest"
			}
			s.attributes = []tracewhy.KeyValue{tracewhy.Int("zone", int64(rand.IntN(3)))}
			if services[from] == "price" && faulty {
				s.duration += 60
				s.failed = rand.IntN(2) == 0
			}
			at := depth + 1
			for depth < 3 && rand.IntN(3) > 0 {
				child := call(depth+1, 1+rand.IntN(len(services)-1))
				child.start = at
				at += child.duration
				s.duration += child.duration
				s.children = append(s.children, child)
			}
			return s
		}
		all = append(all, call(0, 0))
	}
	return all
}
