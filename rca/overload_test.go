package rca_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tracewhy/tracewhy/internal/tracetext"
	"github.com/tracewhy/tracewhy/rca"
)

// profiles writes traces of a service that asks a cache, and a database where that does not know: in so many of
// a hundred traces, which each take so long. What fails is asked once more.
func profiles(source string, misses, query int, fails bool) string {
	var b strings.Builder
	for i := range 200 {
		q := query + i%7
		asked := q
		switch {
		case i%100 >= misses:
			asked = 0
		case fails && i%3 == 0:
			asked = 2 * q
		}
		fmt.Fprintf(&b, "trace source=%s at=%ds\nprofile/get 0+%d server\n  profile/GET 1+1 client server.address=cache\n", source, i, 4+asked+i%5)
		for at := 0; at < asked; at += q {
			status := ""
			if asked > q && at == 0 {
				status = " error"
			}
			fmt.Fprintf(&b, "  profile/SELECT %d+%d client server.address=db%s\n", 3+at, q, status)
		}
	}
	return b.String()
}

func TestWhoCallsMoreOftenOverloads(t *testing.T) {
	for _, c := range []struct {
		name, before, after string
		want                string
	}{
		{"a cache that lost its entries", profiles("baseline", 10, 20, false), profiles("incident", 90, 200, false), "profile"},
		{"a slow database", profiles("baseline", 90, 20, false), profiles("incident", 90, 200, false), "db"},
		{"a slow database that fails", profiles("baseline", 90, 20, false), profiles("incident", 90, 200, true), "db"},
	} {
		set := tracetext.Set(c.before + c.after)
		r := investigate(t, set, rca.Config{})
		if len(r.RootCauses) == 0 || r.RootCauses[0].Service != c.want {
			t.Errorf("%s: causes %+v, want %s first", c.name, r.RootCauses, c.want)
		}
	}
}
