package scenario

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"reflect"
	"slices"
	"testing"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/golden"
)

// build makes the Set of a case.
func build(t *testing.T, c Case) *tracewhy.Set {
	t.Helper()
	var b tracewhy.Builder
	for _, list := range [][]tracewhy.SpanData{c.Baseline, c.Incident} {
		for i := range list {
			b.Add(&list[i])
		}
	}
	s, err := b.Build(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestSameSeedSameCase: a case is the same each time, and on every machine. The golden file changes only with the
// generator; what is measured on generated cases then is to be measured again.
func TestSameSeedSameCase(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long: run without -short")
	}
	var got bytes.Buffer
	for _, f := range Families() {
		c := generate(f, 3, small)
		if !reflect.DeepEqual(c, generate(f, 3, small)) {
			t.Errorf("%s: two cases of one seed differ", f.Name)
		}
		fmt.Fprintln(&got, f.Name, digest(c))
	}
	golden.Check(t, "digests.txt", got.Bytes())
}

// digest returns a hash of all that a case says.
func digest(c Case) string {
	h := sha256.New()
	known := map[*tracewhy.Resource]int{} // resources and their scopes are the same for many spans
	for _, list := range [][]tracewhy.SpanData{c.Baseline, c.Incident} {
		for _, s := range list {
			n, ok := known[s.Resource]
			if !ok {
				n = len(known)
				known[s.Resource] = n
				fmt.Fprintln(h, *s.Resource, *s.Scope)
			}
			s.Resource, s.Scope = nil, nil
			fmt.Fprintln(h, n, s)
		}
	}
	fmt.Fprintln(h, c.Name, c.Label, c.Changes)
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// TestCasesDiffer: no two windows have a trace in common, whatever family and seed they are of.
func TestCasesDiffer(t *testing.T) {
	seen := map[tracewhy.TraceID]string{}
	for _, f := range []Family{quiet, poolExhaustion} {
		for seed := range uint64(2) {
			baseline, incident, _ := windows(f, seed, small, false)
			for name, w := range map[string]*run{"baseline": baseline, "incident": incident} {
				here := fmt.Sprint(f.Name, " ", seed, " ", name)
				for _, r := range w.records() {
					if there := seen[r.TraceID]; there != "" && there != here {
						t.Fatalf("trace %s is in %s and in %s", r.TraceID, there, here)
					}
					seen[r.TraceID] = here
				}
			}
		}
	}
}

func TestLabelNamesWhatIsThere(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long: run without -short")
	}
	for _, f := range Families() {
		for seed := range uint64(2) {
			c := generate(f, seed, small)
			if f.Quiet != (len(c.Label.Causes) == 0) || f.Quiet == c.Label.Incident {
				t.Errorf("%s: incident is %v with %d causes", c.Name, c.Label.Incident, len(c.Label.Causes))
			}
			var services, operations []string
			for i := range c.Incident {
				s := &c.Incident[i]
				services, operations = append(services, s.Resource.Attributes[0].Value.Str()), append(operations, s.Name)
				for _, kv := range s.Attributes {
					switch kv.Key { // what is called and has no spans
					case "dependency.vendor", "peer.service", "server.address", "net.peer.name":
						services = append(services, kv.Value.Str())
					}
				}
			}
			for _, cause := range c.Label.Causes {
				if !slices.Contains(services, cause.Services[0]) {
					t.Errorf("%s: no span of service %s", c.Name, cause.Services[0])
				}
				if !slices.ContainsFunc(cause.Operations, func(op string) bool { return slices.Contains(operations, op) }) {
					t.Errorf("%s: no span of %v", c.Name, cause.Operations)
				}
				if cause.ChangeID != "" && !slices.ContainsFunc(c.Changes, func(ch Change) bool { return ch.ID == cause.ChangeID }) {
					t.Errorf("%s: no change %s", c.Name, cause.ChangeID)
				}
			}
		}
	}
}

func BenchmarkGenerate(b *testing.B) {
	for _, f := range Families() {
		b.Run(f.Name, func(b *testing.B) {
			seed := uint64(0)
			for b.Loop() {
				seed++
				Generate(f, seed)
			}
		})
	}
}
