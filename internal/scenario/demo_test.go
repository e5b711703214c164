package scenario

import (
	"slices"
	"strings"
	"testing"

	"github.com/tracewhy/tracewhy"
)

// TestDemo: the demo shows what documentation says about it.
func TestDemo(t *testing.T) {
	c := Demo()
	cause := c.Label.Causes[0]
	if !slices.Equal(cause.Services, []string{"fraud-guard"}) || !slices.Equal(cause.Operations, []string{waitName}) ||
		cause.ChangeID == "" {
		t.Errorf("the cause is %+v", cause)
	}
	count := func(spans []tracewhy.SpanData) (authorisations, failed int) {
		for i := range spans {
			s := &spans[i]
			if s.Resource.Attributes[0].Value.Str() == "card-gateway" && strings.HasSuffix(s.Name, "/authorize") {
				authorisations++
				if s.Status == tracewhy.StatusError {
					failed++
				}
			}
		}
		return authorisations, failed
	}
	if n, k := count(c.Baseline); n < 100 || k > n/50 {
		t.Errorf("in the baseline %d of %d authorisations fail", k, n)
	}
	if n, k := count(c.Incident); n < 100 || k < n/8 || k > n/4 {
		t.Errorf("in the incident %d of %d authorisations fail", k, n)
	}
}
