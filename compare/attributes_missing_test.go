package compare

import (
	"context"
	"fmt"
	"testing"

	"github.com/tracewhy/tracewhy"
)

// What a service records as it ends its work is missing where it failed before. Where it was missing as often in
// better times, it is no consequence.
func TestAttributesMissingWhereSomethingFailed(t *testing.T) {
	for _, lackedBefore := range []bool{false, true} {
		var spans []tracewhy.SpanData
		for n := range 400 {
			s := oneSpan(n, "GET /", n%5 == 0, tracewhy.Int("branch", int64(n%7)))
			s.Source = "before"
			lacks := lackedBefore && n%5 == 0
			if n >= 200 {
				s.Source = "incident"
				if lacks = n%5 == 0; lacks {
					s.Status = tracewhy.StatusError
				}
			}
			if !lacks {
				s.Attributes = append(s.Attributes, tracewhy.String("decision", fmt.Sprint("d", n%3)))
			}
			spans = append(spans, s)
		}
		set := tracewhy.SetOf(spans...)
		failing := set.Source("incident").Select(func(t tracewhy.Trace) bool { return t.Root().Failed() })
		r, err := Attributes(context.Background(), set.Source("incident").Minus(failing), failing, AttributesConfig{})
		if err != nil {
			t.Fatal(err)
		}
		found := fmt.Sprint(findingsOf(r)) == "[decision missing]"
		if found != lackedBefore || !lackedBefore && (len(r.Consequences) != 1 || r.Consequences[0].Consequence == "") {
			t.Errorf("lacked before: %t: findings %v, %d consequences", lackedBefore, findingsOf(r), len(r.Consequences))
		}
	}
}
