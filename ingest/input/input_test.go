package input_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/ingest/input"
	"github.com/tracewhy/tracewhy/ingest/otlp"
)

func Example() {
	doc := `{"resourceSpans":[{"scopeSpans":[{"spans":[` + strings.Repeat(`{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174"},`, 5) + `{}]}]}]}`
	var b tracewhy.Builder
	err := otlp.Read(context.Background(), strings.NewReader(doc), &b, input.Config{Name: "spans.json", Limits: input.Limits{Spans: 2}})
	var limit *input.LimitError
	if errors.As(err, &limit) {
		fmt.Println(limit)
	}
	fmt.Println(b.Len(), "spans were added")
	// Output:
	// spans.json:1: byte 193: limit passed: Spans is 2
	// 2 spans were added
}

// Zero stands for a default, a negative number for no limit, and nesting is limited in any case.
func TestSettled(t *testing.T) {
	l := input.Limits{Spans: 5, Objects: -1, Density: -1, Depth: -1, PerSpan: -1, ValueBytes: 7}.Settled()
	want := input.Limits{
		DecodedBytes: 64 << 30, Ratio: 200, Depth: tracewhy.MaxValueDepth, Spans: 5, Objects: 1 << 62, Density: 0,
		PerSpan: math.MaxInt, SpanBytes: 64 << 20, ValueBytes: 7,
	}
	if l != want {
		t.Errorf("got %+v\nwant %+v", l, want)
	}
}

func TestPosition(t *testing.T) {
	for want, p := range map[string]input.Position{
		"input: byte 0":   {},
		"a:3: byte 17":    {Name: "a", Line: 3, Offset: 17},
		"input:1: byte 5": {Line: 1, Offset: 5},
	} {
		if got := p.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	err := &input.SyntaxError{Position: input.Position{Name: "a", Line: 1}, Message: "expected a value"}
	if got := err.Error(); got != "a:1: byte 0: expected a value" {
		t.Errorf("got %q", got)
	}
}
