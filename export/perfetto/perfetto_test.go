package perfetto_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/export/perfetto"
	"github.com/tracewhy/tracewhy/internal/golden"
	"github.com/tracewhy/tracewhy/internal/scenario"
	"github.com/tracewhy/tracewhy/internal/tracetext"
)

// shop has what a drawing can have: calls side by side, a failure, a link, a span without an end, one
// without times, one that ends before it starts, and traces that overlap.
const shop = `
	trace cart source=incident
	shop/GET /cart          0+100    server resource.host.cpus=4
	  shop/sql query        1+40     client error="lock wait timeout" db.rows=3 db.cost=2.0 db.retry=false resource.host.cpus=4
	    db/query            2+38.5   server
	      ! 5 exception exception.type=LockTimeout
	  shop/prices           1+98     client resource.host.cpus=4
	    prices/GET /prices  3+90     server resource.service.instance.id=prices-1
	  shop/publish          99+0     producer @sent resource.host.cpus=4
	  shop/audit            50+?     internal resource.host.cpus=4
	  shop/skewed           60+-5    internal resource.host.cpus=4
	  shop/lost             ?+?      internal resource.host.cpus=4
	trace checkout at=40
	shop/POST /pay          0+20     server
	  cards/charge          -1+30    server
	trace worker at=150
	mail/send               0.000001+10 consumer link=@sent
`

func write(t *testing.T, c tracewhy.Cohort) ([]byte, perfetto.Stats) {
	t.Helper()
	var b bytes.Buffer
	stats, err := perfetto.Write(&b, c)
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), stats
}

func TestGolden(t *testing.T) {
	got, stats := write(t, tracetext.Set(shop).All())
	if want := (perfetto.Stats{Slices: 9, Moments: 2, Omitted: 1}); stats != want {
		t.Errorf("%+v, want %+v", stats, want)
	}
	golden.Check(t, "shop.json", got)
}

// The same spans in any order give the same bytes.
func TestShuffled(t *testing.T) {
	spans := scenario.Demo().Incident
	want, _ := write(t, tracewhy.SetOf(spans...).All())
	rng := rand.New(rand.NewPCG(1, 2))
	for range 3 {
		rng.Shuffle(len(spans), func(i, j int) { spans[i], spans[j] = spans[j], spans[i] })
		if got, _ := write(t, tracewhy.SetOf(spans...).All()); !bytes.Equal(got, want) {
			t.Fatal("another order of the spans gave other bytes")
		}
	}
}

func TestEmpty(t *testing.T) {
	file, stats := write(t, tracewhy.Cohort{})
	if v := view(t, file); len(v.spans) != 0 || stats != (perfetto.Stats{}) {
		t.Errorf("no traces gave %s", file)
	}
}

type failingWriter struct{ after int }

var errFull = errors.New("disk full")

func (w *failingWriter) Write(b []byte) (int, error) {
	if w.after -= len(b); w.after < 0 {
		return 0, errFull
	}
	return len(b), nil
}

func TestWriteError(t *testing.T) {
	c := tracetext.Set(shop).All()
	whole, _ := write(t, c)
	for _, after := range []int{0, len(whole) - 1} {
		if _, err := perfetto.Write(&failingWriter{after}, c); !errors.Is(err, errFull) {
			t.Errorf("after %d bytes: %v", after, err)
		}
	}
	if _, err := perfetto.Write(&failingWriter{len(whole)}, c); err != nil {
		t.Error(err)
	}
}

// Attributes keep their types, and what comes from traces stays within its string.
func TestArguments(t *testing.T) {
	s := tracewhy.SpanData{
		TraceID: tracewhy.TraceID{1}, SpanID: tracewhy.SpanID{1}, Start: 1_000_000_001, End: 1_000_000_003,
		Name: "a\"b\\c\x1b[2J\n", StatusMessage: "line\nbreak\x00",
		Attributes: []tracewhy.KeyValue{
			tracewhy.String("text", "</script>\t\"é\""),
			tracewhy.Int("int", math.MinInt64), tracewhy.Float("float", 3), tracewhy.Float("big", 1e300),
			tracewhy.Float("nan", math.NaN()), tracewhy.Float("inf", math.Inf(1)), tracewhy.Float("-inf", math.Inf(-1)),
			tracewhy.Bool("bool", true), {Key: "bytes", Value: tracewhy.BytesOf([]byte{0, 255})}, {Key: "empty"},
			{Key: "list", Value: tracewhy.ArrayOf(tracewhy.IntOf(1), tracewhy.MapOf(tracewhy.String("\"k\"", "v"), tracewhy.Int("n", 2)), tracewhy.ArrayOf())},
		},
	}
	file, _ := write(t, tracewhy.SetOf(s).All())
	v := view(t, file)
	e := v.spans["01000000000000000000000000000000/0100000000000000"]
	if want := "a\"b\\c\uFFFD[2J\uFFFD"; e.Name != want || e.dur != 2 || v.base != 1_000_000_001 {
		t.Errorf("%+v", e)
	}
	var args struct {
		Message    string `json:"status_message"`
		Start      string
		Attributes json.RawMessage
	}
	if err := json.Unmarshal(e.Args, &args); err != nil {
		t.Fatal(err)
	}
	const want = `{"text":"</script>\u0009\"é\"","int":-9223372036854775808,"float":3.0,"big":1e+300,"nan":"NaN",` +
		`"inf":"Infinity","-inf":"-Infinity","bool":true,"bytes":"AP8=","empty":null,"list":[1,{"\"k\"":"v","n":2},[]]}`
	if string(args.Attributes) != want || args.Message != s.StatusMessage || args.Start != "1970-01-01T00:00:01.000000001Z" {
		t.Errorf("%s", e.Args)
	}
}

// Memory holds what overlaps, not the whole: as many traces as one likes, one after the other, need a
// few lanes.
func TestLanesAreReused(t *testing.T) {
	var spans []tracewhy.SpanData
	for i := range 2000 {
		at := 1_700_000_000_000_000_000 + uint64(i)*50
		spans = append(spans, tracewhy.SpanData{TraceID: tracewhy.TraceID{14: byte(i >> 8), 15: byte(i), 0: 1}, SpanID: tracewhy.SpanID{1}, Start: at, End: at + 120})
	}
	file, _ := write(t, tracewhy.SetOf(spans...).All())
	if got := bytes.Count(file, []byte(`"thread_name"`)); got != 6 {
		t.Errorf("%d lanes, want 3 for the spans and 3 for their paths", got)
	}
}

func BenchmarkWrite(b *testing.B) {
	c := tracewhy.SetOf(scenario.Demo().Incident...).All()
	for b.Loop() {
		if _, err := perfetto.Write(io.Discard, c); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(c.NumSpans()), "ns/span")
}
