//go:build !race

package ingest_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strings"
	"testing"
	"time"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/ingest"
)

// Documents made to be expensive take no more than 20 times their length and 64 MiB, with the Builder
// and the Set. Each is some megabytes of one small thing.
func TestMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long: run without -short")
	}
	defer debug.SetGCPercent(debug.SetGCPercent(50)) // what is needed counts, not what may be collected later
	const size = 10 << 20
	ids := `"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174"`
	inJSON := func(spans string) []byte {
		return []byte(`{"resourceSpans":[{"scopeSpans":[{"spans":[` + spans + `]}]}]}`)
	}
	fill := func(part string, with func(i int) string) string {
		var s strings.Builder
		for i := 0; s.Len() < size; i++ {
			if i > 0 {
				s.WriteString(part)
			}
			s.WriteString(with(i))
		}
		return s.String()
	}
	empty := func(int) string { return "{}" }
	message := func(field byte, parts ...[]byte) []byte {
		body := bytes.Join(parts, nil)
		return append(binary.AppendUvarint([]byte{field<<3 | 2}, uint64(len(body))), body...)
	}
	repeat := func(part []byte) []byte { return bytes.Repeat(part, size/len(part)) }
	protoIDs := func(i int) []byte {
		id := binary.BigEndian.AppendUint64(make([]byte, 8, 16), uint64(i+1))
		return append(message(1, id), message(2, id[8:])...)
	}
	protoSpans := func(with func(i int) []byte) []byte {
		var spans []byte
		for i := 0; len(spans) < size; i++ {
			spans = append(spans, message(2, protoIDs(i), with(i))...)
		}
		return message(1, message(2, spans))
	}
	unique := func(i int) []byte {
		return message(9, message(1, []byte("k")), message(2, append([]byte{3 << 3}, binary.AppendUvarint(nil, uint64(i))...)))
	}
	tests := []struct {
		name string
		doc  []byte
	}{
		{"empty spans", inJSON(fill(",", empty))},
		{"empty spans of protobuf", message(1, message(2, repeat([]byte{0x12, 0})))},
		{"empty resources of protobuf", repeat([]byte{0x0a, 0})},
		{"empty events", inJSON(`{` + ids + `,"events":[` + fill(",", empty) + `]}`)},
		{"empty events of many spans", protoSpans(func(int) []byte { return bytes.Repeat([]byte{0x5a, 0}, 1000) })},
		{"empty elements", message(1, message(2, message(2, protoIDs(1), message(9, message(1, []byte("k")), message(2, message(5, repeat([]byte{0x0a, 0})))))))},
		{"depth", []byte(strings.Repeat("[", size))},
		{"depth of a value", inJSON(`{` + ids + `,"attributes":[{"key":"a","value":` + strings.Repeat(`{"arrayValue":{"values":[`, size/28) + strings.Repeat("]}}", size/28) + `}]}`)},
		{"a long value", inJSON(`{` + ids + `,"name":"` + strings.Repeat("x", size) + `"}`)},
		{"spans of nothing but ids", protoSpans(func(int) []byte { return nil })},
		{"spans with a value of their own", protoSpans(unique)},
		{"a span with many values", inJSON(`{` + ids + `,"attributes":[` + fill(",", func(i int) string { return fmt.Sprintf(`{"key":"%x","value":{"intValue":%d}}`, i, i) }) + `]}`)},
		{"depth of objects", []byte(strings.Repeat(`{"a":`, size/5))},
		{"Zipkin, empty spans", []byte(`[{"traceId":"1","id":"1"},` + fill(",", empty) + `]`)},
		{"Zipkin, tiny spans", []byte(`[` + fill(",", func(i int) string { return fmt.Sprintf(`{"traceId":"1","id":"%x"}`, i+1) }) + `]`)},
		{"Zipkin, empty annotations", []byte(`[{"traceId":"1","id":"1","annotations":[` + fill(",", empty) + `]}]`)},
		{"Zipkin, repeated members", []byte(`[{"traceId":"1","id":"1",` + fill(",", func(int) string { return `"name":"n"` }) + `}]`)},
		{"Zipkin, depth", []byte(`[{"traceId":` + strings.Repeat("[", size))},
		{"stdouttrace, empty events", []byte(`{"Name":"n","SpanContext":{"TraceID":"5b8efff798038103d269b633813fc60c","SpanID":"eee19b7ec3c1b174"},"Events":[` + fill(",", empty) + `]}`)},
		{"stdouttrace, tiny spans", []byte(fill("\n", func(int) string { return `{"SpanContext":{}}` }))},
		{"stdouttrace, depth", []byte(`{"SpanContext":` + strings.Repeat("[", size))},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			runtime.GC()
			before := heap()
			peak := before
			stop, done := make(chan bool), make(chan bool)
			go func() {
				defer close(done)
				for ticks := time.Tick(time.Millisecond); ; {
					select {
					case <-ticks:
						peak = max(peak, heap())
					case <-stop:
						return
					}
				}
			}()
			var b tracewhy.Builder
			err := ingest.Read(context.Background(), "doc", bytes.NewReader(tt.doc), "", &b, ingest.Config{})
			s, buildErr := b.Build(context.Background())
			close(stop)
			<-done
			if buildErr != nil {
				t.Fatal(buildErr)
			}
			if err == nil && s.NumSpans() == 0 && len(s.Problems()) == 0 {
				t.Error("neither a span nor a problem")
			}
			if used, limit := peak-before, uint64(20*len(tt.doc)+64<<20); used > limit {
				t.Errorf("%d MiB for %d MiB, the limit is %d", used>>20, len(tt.doc)>>20, limit>>20)
			}
		})
	}
}

// heap returns the bytes of objects on the heap, garbage included.
func heap() uint64 {
	s := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}
