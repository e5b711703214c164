package ingest_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/ingest"
	"github.com/tracewhy/tracewhy/ingest/input"
)

// documents has one span in each format.
var documents = map[string]string{
	"otlp":        `{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"5b8efff798038103d269b633813fc601","spanId":"eee19b7ec3c1b171","name":"a","startTimeUnixNano":"1700000000000000000","endTimeUnixNano":"1700000000000001000"}]}]}]}`,
	"jaeger":      `{"data":[{"traceID":"5b8efff798038103d269b633813fc602","spans":[{"traceID":"5b8efff798038103d269b633813fc602","spanID":"eee19b7ec3c1b172","operationName":"b","startTime":1700000000000000,"duration":5,"processID":"p1"}],"processes":{"p1":{"serviceName":"s"}}}]}`,
	"zipkin":      `[{"traceId":"5b8efff798038103d269b633813fc603","id":"eee19b7ec3c1b173","name":"c","timestamp":1700000000000000,"duration":5}]`,
	"stdouttrace": `{"Name":"d","SpanContext":{"TraceID":"5b8efff798038103d269b633813fc604","SpanID":"eee19b7ec3c1b174","TraceFlags":"01"},"StartTime":"2023-11-14T22:13:20Z","EndTime":"2023-11-14T22:13:21Z"}`,
}

// The first document says what format an input has. One of another format is not read, and not passed over
// in silence.
func TestMixedFormats(t *testing.T) {
	for first, doc := range documents {
		for second, other := range documents {
			var b tracewhy.Builder
			if err := ingest.Read(context.Background(), "mixed", strings.NewReader(doc+"\n"+other+"\n"), "", &b, ingest.Config{}); err != nil {
				t.Errorf("%s, %s: %v", first, second, err)
			}
			s, err := b.Build(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			counted := 0
			for _, p := range s.Problems() {
				if p.Code == tracewhy.ProblemNotTraces || p.Code == tracewhy.ProblemShape {
					counted += p.Count
				}
			}
			want := 1
			if first == second {
				want = 0
			}
			if counted != want || s.NumSpans() != 1 {
				t.Errorf("%s, %s: %d spans, %v", first, second, s.NumSpans(), s.Problems())
			}
		}
	}
}

func TestUTF16(t *testing.T) {
	var b tracewhy.Builder
	err := ingest.Read(context.Background(), "windows.json", strings.NewReader("\xff\xfe{\x00}\x00"), "", &b, ingest.Config{})
	if !errors.Is(err, input.ErrNotTraces) || !strings.Contains(err.Error(), "UTF-16") {
		t.Errorf("got %v", err)
	}
}
