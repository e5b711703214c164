package backend_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/ingest/backend"
)

// jaegerServer stands for a Jaeger that has one trace.
func jaegerServer() *httptest.Server {
	mux := http.NewServeMux()
	mux.HandleFunc("/api/v3/services", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, `{"services":["shop"]}`) })
	mux.HandleFunc("/api/v3/traces", func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, `{"result":{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]},"scopeSpans":[{"spans":[{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","name":"GET /cart","kind":2,"startTimeUnixNano":"1772366400000000000","endTimeUnixNano":"1772366400250000000"}]}]}]}}`)
	})
	return httptest.NewServer(mux)
}

func Example() {
	server := jaegerServer()
	defer server.Close()

	ctx := context.Background()
	src := backend.Jaeger{URL: server.URL}
	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	query := backend.Query{Services: []string{"shop"}, MinDuration: 200 * time.Millisecond, Start: start, End: start.Add(time.Hour)}

	var b tracewhy.Builder
	result, err := src.Fetch(ctx, query, backend.Into(&b, "incident"))
	if err != nil {
		fmt.Println(err)
		return
	}
	set, err := b.Build(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(result.Traces, "trace")
	for t := range set.Source("incident").Traces() {
		fmt.Println(t.Root().Service(), t.Root().Name(), t.Root().Duration())
	}
	// Output:
	// 1 trace
	// shop GET /cart 250ms
}
