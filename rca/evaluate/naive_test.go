package evaluate

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/rca"
)

// shop is a call of web that waits for a call of cart, which waits for one of bank.
func shop(web, cart, bank int) span {
	return span{
		service: "web", operation: "buy", duration: web,
		children: []span{{
			service: "cart", operation: "pay", start: 1, duration: cart,
			children: []span{{service: "bank", operation: "charge", start: 2, duration: bank}},
		}},
	}
}

func failing(s span, services ...string) span {
	for _, name := range services {
		if s.service == name {
			s.failed = true
		}
	}
	s.children = append([]span(nil), s.children...)
	for i := range s.children {
		s.children[i] = failing(s.children[i], services...)
	}
	return s
}

func TestNaiveRankers(t *testing.T) {
	red, blue := []tracewhy.KeyValue{tracewhy.String("color", "red")}, []tracewhy.KeyValue{tracewhy.String("color", "blue")}
	for _, test := range []struct {
		name           string
		ranker         string
		before, during []span
		services       []string
		operations     []string
	}{
		{
			"each service is as good as another", "chance",
			[]span{shop(30, 20, 10)}, []span{{service: "mail", operation: "send", duration: 1}},
			[]string{"mail 0", "web 0", "cart 0", "bank 0"},
			[]string{"mail send 0", "web buy 0", "cart pay 0", "bank charge 0"},
		},
		{
			"errors of the incident, however many there were before", "most errors",
			[]span{failing(shop(30, 20, 10), "bank")},
			[]span{failing(shop(30, 20, 10), "bank"), failing(shop(30, 20, 10), "bank", "cart"), failing(shop(30, 20, 10), "bank")},
			[]string{"bank 3", "cart 1"}, []string{"bank charge 3", "cart pay 1"},
		},
		{
			// The baseline would have had two errors of bank in two traces.
			"errors beyond those of the baseline", "most extra errors",
			[]span{failing(shop(30, 20, 10), "bank")},
			[]span{failing(shop(30, 20, 10), "bank", "cart"), failing(shop(30, 20, 10), "bank")},
			[]string{"cart 1"}, []string{"cart pay 1"},
		},
		{"no errors", "most errors", []span{shop(30, 20, 10)}, []span{shop(30, 20, 10)}, nil, nil},
		{
			// Means: web 40 to 65, cart 20 to 45, bank 10 to 35 ms.
			"the caller is as slow as its callee", "largest slowdown",
			[]span{shop(30, 20, 10), shop(50, 20, 10)}, []span{shop(40, 20, 10), shop(90, 70, 60)},
			[]string{"web 2.5e+07", "cart 2.5e+07", "bank 2.5e+07"},
			[]string{"web buy 2.5e+07", "cart pay 2.5e+07", "bank charge 2.5e+07"},
		},
		{
			"nothing is known of a new service", "largest slowdown",
			[]span{shop(30, 20, 10)}, []span{shop(31, 20, 10), {service: "mail", operation: "send", duration: 99}},
			[]string{"web 1e+06"}, []string{"web buy 1e+06"},
		},
		{
			// Self times: web 10 and 30 to 20 and 20, cart always 10, bank 10 to 35 ms.
			"the callee's time is not the caller's", "self-time excess",
			[]span{shop(30, 20, 10), shop(50, 20, 10)}, []span{shop(40, 20, 10), shop(90, 70, 60)},
			[]string{"bank 2.5e+07"}, []string{"bank charge 2.5e+07"},
		},
		{
			// web has 12 ms of its own before and 20 after; children 2 to 12 and 6 to 16 cover 14 ms, once.
			"children that overlap, and outlive their parent", "self-time excess",
			[]span{{service: "web", operation: "buy", duration: 26, children: []span{
				{service: "a", operation: "x", start: 2, duration: 10}, {service: "b", operation: "x", start: 6, duration: 10}}}},
			[]span{{service: "web", operation: "buy", duration: 22, children: []span{
				{service: "a", operation: "x", start: 20, duration: 10}, {service: "b", operation: "x", start: 21, duration: 10}}}},
			[]string{"web 8e+06"}, []string{"web buy 8e+06"},
		},
		{
			// red: from 1 of 2 traces to 3 of 4; blue: from 1 of 2 to 1 of 4.
			"the attribute value that gained most", "attribute difference",
			[]span{{service: "web", operation: "buy", attributes: red}, {service: "web", operation: "buy", attributes: blue}},
			[]span{{service: "web", operation: "buy", attributes: red}, {service: "web", operation: "buy", attributes: red},
				{service: "web", operation: "buy", attributes: red}, {service: "web", operation: "buy", attributes: blue}},
			[]string{"web 0.25"}, []string{"web buy 0.25"},
		},
		{
			"two spans of one trace count once", "attribute difference",
			[]span{{service: "web", operation: "buy"}},
			[]span{
				{service: "web", operation: "buy", children: []span{
					{service: "db", operation: "get", attributes: red}, {service: "db", operation: "get", attributes: red}}},
				{service: "web", operation: "buy"},
			},
			[]string{"db 0.5"}, []string{"db get 0.5"},
		},
	} {
		t.Run(test.ranker+": "+test.name, func(t *testing.T) {
			a := rank(t, rankerNamed(t, test.ranker), test.before, test.during)
			if diff := cmp.Diff(test.services, listed(a.Services)); diff != "" {
				t.Errorf("services: %s", diff)
			}
			if diff := cmp.Diff(test.operations, listed(a.Operations)); diff != "" {
				t.Errorf("operations: %s", diff)
			}
			want := rca.VerdictIncident
			if test.services == nil {
				want = rca.VerdictNoIncident
			}
			if a.Verdict != want {
				t.Errorf("verdict %q, want %q", a.Verdict, want)
			}
		})
	}
}

func TestAttributeRankerNamesTheValue(t *testing.T) {
	with := func(v int64) span {
		return span{service: "web", operation: "buy", attributes: []tracewhy.KeyValue{tracewhy.Int("zone", v)}}
	}
	a := rank(t, rankerNamed(t, "attribute difference"), []span{with(1), with(2)}, []span{with(2), with(2)})
	want := []rca.Condition{{Key: "zone", Op: tracewhy.OpEqual, Value: int64(2)}}
	for _, s := range [][]Suspect{a.Services, a.Operations} {
		if len(s) != 1 || s[0].Cause == nil {
			t.Fatalf("suspects %+v, want one with its condition", s)
		}
		if diff := cmp.Diff(want, []rca.Condition(s[0].Cause.Conditions)); diff != "" {
			t.Error(diff)
		}
	}
}
