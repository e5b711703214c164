package rca

import (
	"fmt"
	"testing"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/compare"
)

// fleet makes traces of one service with four instances on two hosts, of two versions.
func fleet() *tracewhy.Set {
	var spans []tracewhy.SpanData
	for n := range 200 {
		i := n % 4
		spans = append(spans, tracewhy.SpanData{
			TraceID: tracewhy.TraceID{14: 1, 15: byte(n)}, SpanID: tracewhy.SpanID{7: 1}, Name: "GET",
			Start: uint64(1_700_000_000_000_000_000 + n), End: uint64(1_700_000_000_000_000_100 + n),
			Resource: &tracewhy.Resource{Attributes: []tracewhy.KeyValue{
				tracewhy.String("service.name", "pay"), tracewhy.String("service.instance.id", fmt.Sprint("pay-", i)),
				tracewhy.String("host.name", fmt.Sprint("node-", i/2)), tracewhy.String("service.version", []string{"1", "2", "1", "1"}[i]),
			}},
		})
	}
	return tracewhy.SetOf(spans...)
}

func TestWhere(t *testing.T) {
	for _, c := range []struct {
		why       string
		hit       func(n int) bool // by the number of the trace
		instance  string
		condition string
	}{
		{"one instance", func(n int) bool { return n%4 == 3 }, "pay-3", ""},
		{"one instance, which is all of its version", func(n int) bool { return n%4 == 1 }, "", "service.version = 2"},
		{"both instances of a host", func(n int) bool { return n%4 >= 2 }, "", "host.name = node-1"},
		{"all alike", func(n int) bool { return n%5 == 0 }, "", ""},
		{"three traces of one instance", func(n int) bool { return n == 3 || n == 7 || n == 11 }, "", ""},
	} {
		set := fleet()
		affected := set.Select(func(tr tracewhy.Trace) bool { return c.hit(int(tr.ID()[15])) })
		x := cause{
			suspect:  &suspect{service: "pay", failing: 1, failures: []*compare.FailureOrigin{{Service: "pay", Affected: affected}}},
			incident: set.All(),
		}
		instance, conditions := x.where(x.affected())
		got := ""
		for _, k := range conditions {
			got += fmt.Sprint(k.Key, " ", k.Op, " ", k.Value)
		}
		if instance != c.instance || got != c.condition {
			t.Errorf("%s: instance %q, conditions %q, want %q and %q", c.why, instance, got, c.instance, c.condition)
		}
	}
}
