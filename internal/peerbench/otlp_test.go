package peerbench

import (
	"bytes"
	"context"
	"encoding/binary"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"

	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/ingest/input"
	"github.com/tracewhy/tracewhy/ingest/otlp"
	"github.com/tracewhy/tracewhy/internal/scenario"
)

// corpus is the same spans twice.
type corpus struct {
	json  []byte // a document a line
	proto []byte // messages, each after its length
	spans int
}

var load = sync.OnceValues(func() (*corpus, error) {
	c := new(corpus)
	var err error
	if dir := os.Getenv("PEERBENCH_CORPUS"); dir != "" {
		if c.json, err = readAll(dir, "*.otlp.jsonl"); err != nil {
			return nil, err
		}
		if c.proto, err = readAll(dir, "*.otlp.pb"); err != nil {
			return nil, err
		}
	} else if err = c.generate(); err != nil {
		return nil, err
	}
	var b tracewhy.Builder
	err = otlp.ReadJSON(context.Background(), bytes.NewReader(c.json), &b, input.Config{})
	c.spans = b.Len()
	return c, err
})

func readAll(dir, pattern string) ([]byte, error) {
	paths, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil {
		return nil, err
	}
	var all []byte
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		all = append(all, b...)
	}
	return all, nil
}

// generate writes the incident of every family of scenarios, one trace a document.
func (c *corpus) generate() error {
	for _, f := range scenario.Families() {
		var b tracewhy.Builder
		for _, s := range scenario.Generate(f, 1).Incident {
			b.Add(&s)
		}
		set, err := b.Build(context.Background())
		if err != nil {
			return err
		}
		for t := range set.Traces() {
			var doc bytes.Buffer
			if err := otlp.WriteJSON(&doc, t.Spans()); err != nil {
				return err
			}
			c.json = append(c.json, doc.Bytes()...)
			doc.Reset()
			if err := otlp.WriteProto(&doc, t.Spans()); err != nil {
				return err
			}
			c.proto = append(binary.AppendUvarint(c.proto, uint64(doc.Len())), doc.Bytes()...)
		}
	}
	return nil
}

// messages calls visit for each message of c.proto.
func (c *corpus) messages(visit func([]byte) error) error {
	for rest := c.proto; len(rest) > 0; {
		n, size := binary.Uvarint(rest)
		if err := visit(rest[size:][:n]); err != nil {
			return err
		}
		rest = rest[size:][n:]
	}
	return nil
}

func (c *corpus) lines(visit func([]byte) error) error {
	for line := range bytes.Lines(c.json) {
		if err := visit(line); err != nil {
			return err
		}
	}
	return nil
}

// measure runs read, which returns how many spans it came upon, and what it keeps of them.
func measure(b *testing.B, size func(*corpus) int, read func(*corpus) (spans int, kept any, err error)) {
	c, err := load()
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(size(c)))
	b.ReportAllocs()
	runtime.GC()
	start := cpuTime()
	runs := 0
	for b.Loop() {
		spans, kept, err := read(c)
		if err != nil {
			b.Fatal(err)
		}
		if spans != c.spans {
			b.Fatalf("%d spans, want %d", spans, c.spans)
		}
		runtime.KeepAlive(kept)
		runs++
	}
	b.ReportMetric(float64(cpuTime()-start)/float64(runs*c.spans), "cpu-ns/span")
}

func sizeOfJSON(c *corpus) int  { return len(c.json) }
func sizeOfProto(c *corpus) int { return len(c.proto) }

// BenchmarkJSON reads OTLP JSON: tracewhy into a Builder, and into a Set; pdata into its structs, which are
// dropped one document after the other, and kept.
func BenchmarkJSON(b *testing.B) {
	b.Run("tracewhy", func(b *testing.B) {
		measure(b, sizeOfJSON, func(c *corpus) (int, any, error) {
			var to tracewhy.Builder
			err := otlp.ReadJSON(context.Background(), bytes.NewReader(c.json), &to, input.Config{})
			return to.Len(), &to, err
		})
	})
	b.Run("tracewhy-set", func(b *testing.B) {
		measure(b, sizeOfJSON, func(c *corpus) (int, any, error) {
			return built(c.json)
		})
	})
	for _, isKept := range []bool{false, true} {
		b.Run(peer(isKept), func(b *testing.B) {
			measure(b, sizeOfJSON, func(c *corpus) (int, any, error) {
				var u ptrace.JSONUnmarshaler
				return unmarshal(c.lines, u.UnmarshalTraces, isKept)
			})
		})
	}
}

// BenchmarkProto does the same with OTLP protobuf.
func BenchmarkProto(b *testing.B) {
	b.Run("tracewhy", func(b *testing.B) {
		measure(b, sizeOfProto, func(c *corpus) (int, any, error) {
			var to tracewhy.Builder
			err := otlp.ReadProto(context.Background(), bytes.NewReader(c.proto), &to, input.Config{})
			return to.Len(), &to, err
		})
	})
	b.Run("tracewhy-set", func(b *testing.B) {
		measure(b, sizeOfProto, func(c *corpus) (int, any, error) {
			return built(c.proto)
		})
	})
	for _, isKept := range []bool{false, true} {
		b.Run(peer(isKept), func(b *testing.B) {
			measure(b, sizeOfProto, func(c *corpus) (int, any, error) {
				var u ptrace.ProtoUnmarshaler
				return unmarshal(c.messages, u.UnmarshalTraces, isKept)
			})
		})
	}
}

func built(doc []byte) (int, any, error) {
	var b tracewhy.Builder
	if err := otlp.Read(context.Background(), bytes.NewReader(doc), &b, input.Config{}); err != nil {
		return 0, nil, err
	}
	n := b.Len()
	s, err := b.Build(context.Background())
	return n, s, err
}

func peer(isKept bool) string {
	if isKept {
		return "pdata-kept"
	}
	return "pdata-dropped"
}

func unmarshal(each func(func([]byte) error) error, decode func([]byte) (ptrace.Traces, error), isKept bool) (int, any, error) {
	spans := 0
	var kept []ptrace.Traces
	err := each(func(doc []byte) error {
		traces, err := decode(doc)
		spans += traces.SpanCount()
		if isKept {
			kept = append(kept, traces)
		}
		return err
	})
	return spans, kept, err
}
