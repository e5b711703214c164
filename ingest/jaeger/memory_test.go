//go:build !race

package jaeger_test

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strings"
	"testing"
	"time"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/ingest/input"
	"github.com/tracewhy/tracewhy/ingest/jaeger"
)

// Documents made to be expensive take no more than 20 times their length and 64 MiB, with the Builder
// and the Set. Each is some megabytes of one small thing.
func TestMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long: run without -short")
	}
	defer debug.SetGCPercent(debug.SetGCPercent(50)) // what is needed counts, not what may be collected later
	const size = 10 << 20
	fill := func(with func(i int) string) string {
		var s strings.Builder
		for i := 0; s.Len() < size; i++ {
			if i > 0 {
				s.WriteByte(',')
			}
			s.WriteString(with(i))
		}
		return s.String()
	}
	empty := func(int) string { return "{}" }
	ids := func(i int) string { return fmt.Sprintf(`{"traceID":"%x","spanID":"1"`, i+1) }
	tests := []struct{ name, doc string }{
		{"empty spans", trace(fill(empty))},
		{"empty traces", answer(fill(empty))},
		{"traces without spans", answer(fill(func(int) string { return `{"spans":[]}` }))},
		{"empty tags", trace(with(`"tags":[]`, `"tags":[`+fill(empty)+`]`))},
		{"empty logs", trace(with(`"logs":[]`, `"logs":[`+fill(empty)+`]`))},
		{"empty logs of many spans", trace(fill(func(i int) string { return ids(i) + `,"logs":[` + strings.Repeat("{},", 1000) + `{}]}` }))},
		{"references", trace(with(`"references":[]`, `"references":[`+fill(func(int) string { return `{"spanID":"1"}` })+`]`))},
		{"warnings", trace(with(`"warnings":null`, `"warnings":[`+fill(func(int) string { return `""` })+`]`))},
		{"processes", `{"traceID":"1","processes":{` + fill(func(i int) string { return fmt.Sprintf(`"%x":{}`, i) }) + `},"spans":[` + span(1, "") + `]}`},
		{"processes that differ, after the spans", `{"traceID":"1","spans":[` + span(1, "") + `],"processes":{` + fill(func(i int) string { return fmt.Sprintf(`"%x":{"serviceName":"%x"}`, i, i) }) + `}}`},
		{"depth", strings.Repeat("[", size)},
		{"depth of documents", strings.Repeat(`{"data":[`, size/9)},
		{"depth of a value", trace(with(`"tags":[]`, `"tags":[{"key":"a","value":`+strings.Repeat("[", size/2)+strings.Repeat("]", size/2)+`}]`))},
		{"a long name", trace(with(`"operationName":"1"`, `"operationName":"`+strings.Repeat("x", size)+`"`))},
		{"spans of nothing but ids", trace(fill(func(i int) string { return ids(i) + "}" }))},
		{"stored spans of processes of their own", "[" + fill(func(i int) string { return ids(i) + fmt.Sprintf(`,"process":{"serviceName":"%d"}}`, i) }) + "]"},
		{"spans with a value of their own", trace(fill(func(i int) string { return ids(i) + fmt.Sprintf(`,"tags":[{"key":"k","value":%d}]}`, i) }))},
		{"a span with many values", trace(with(`"tags":[]`, `"tags":[`+fill(func(i int) string { return fmt.Sprintf(`{"key":"%x","value":%d}`, i, i) })+`]`))},
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
			err := jaeger.Read(context.Background(), strings.NewReader(tt.doc), &b, input.Config{})
			s := build(t, &b)
			close(stop)
			<-done
			if err == nil && s.NumSpans() == 0 && len(s.Problems()) == 0 {
				t.Error("neither a span nor a problem")
			}
			used, limit := peak-before, uint64(20*len(tt.doc)+64<<20)
			t.Logf("%d MiB for %d MiB", used>>20, len(tt.doc)>>20)
			if used > limit {
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
