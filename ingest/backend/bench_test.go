package backend

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/ingest/otlp"
)

// BenchmarkJaeger fetches an hour of traces with 50 spans each over the loopback interface. Besides the time
// for a span it gives by how much the heap that is in use grew at most, looked at whenever an answer came: by
// about an answer, however many there are.
//
//	go test -run '^$' -bench Jaeger ./ingest/backend
func BenchmarkJaeger(b *testing.B) {
	for _, traces := range []int{500, 5000} {
		b.Run(fmt.Sprintf("traces=%d", traces), func(b *testing.B) {
			const spans = 50
			gap := time.Hour / time.Duration(traces)
			var texts [][]byte // in the order of the traces' times
			for i := range traces {
				texts = append(texts, benchTrace(b, i+1, noon.Add(time.Duration(i)*gap), spans))
			}
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if strings.HasSuffix(r.URL.Path, "/services") {
					io.WriteString(w, `{"services":["shop"]}`)
					return
				}
				q := r.URL.Query()
				from, err1 := time.Parse(time.RFC3339Nano, q.Get("query.start_time_min"))
				to, err2 := time.Parse(time.RFC3339Nano, q.Get("query.start_time_max"))
				limit, err3 := strconv.Atoi(q.Get("query.num_traces"))
				if err1 != nil || err2 != nil || err3 != nil {
					b.Error(err1, err2, err3)
				}
				first, end := int((from.Sub(noon)+gap-1)/gap), int(to.Sub(noon)/gap)+1
				for _, text := range texts[max(first, end-limit):end] {
					w.Write(text)
				}
			}))
			defer server.Close()
			live := func() uint64 {
				runtime.GC()
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				return m.HeapAlloc
			}
			before, peak := live(), uint64(0)
			measured := Client{Progress: func(Progress) { peak = max(peak, live()) }}
			if _, err := (Jaeger{URL: server.URL, Client: measured}).Fetch(b.Context(), hour, drop); err != nil {
				b.Fatal(err)
			}
			j := Jaeger{URL: server.URL}
			for b.Loop() {
				r, err := j.Fetch(b.Context(), hour, drop)
				if err != nil || r.Traces != traces {
					b.Fatal(err, r)
				}
				b.SetBytes(r.Bytes)
			}
			b.ReportMetric((float64(peak)-float64(before))/(1<<20), "live-MiB")
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*traces*spans), "ns/span")
		})
	}
}

// benchTrace returns a trace as one piece of an answer.
func benchTrace(b *testing.B, number int, start time.Time, spans int) []byte {
	data := trace(number, start, "GET /cart", time.Second, false)[:1]
	for i := 1; i < spans; i++ {
		s := trace(number, start, "GET /cart", time.Millisecond, false, tracewhy.Int("n", int64(i)), tracewhy.String("region", "eu"))[1]
		s.SpanID, s.ParentSpanID = tracewhy.SpanID{byte(i + 1)}, tracewhy.SpanID{byte(1 + i/4)}
		data = append(data, s)
	}
	var text bytes.Buffer
	text.WriteString(`{"result":`)
	if err := otlp.WriteJSON(&text, tracewhy.SetOf(data...).Trace(0).Spans()); err != nil {
		b.Fatal(err)
	}
	text.WriteString(`}`)
	return text.Bytes()
}
