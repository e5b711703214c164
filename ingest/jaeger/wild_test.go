package jaeger_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/ingest/input"
	"github.com/tracewhy/tracewhy/ingest/jaeger"
	"github.com/tracewhy/tracewhy/ingest/otlp"
)

// odd has the files that are not read whole, with what they come to and why, by the end of their names.
var odd = map[string]struct{ want, why string }{
	"uiconv/fixtures/trace_empty.json":        {"0 0 0 empty_input=1", "an empty file"},
	"uiconv/fixtures/trace_invalid_json.json": {"0 0 1 id_short=1 time_invalid=1 value_invalid=1", "a duration of text"},
	"uiconv/fixtures/trace_scan_error.json":   {"1 0 0 id_short=1 service_missing=1 syntax=1 time_missing=1 | unknown_service/", "a comma too many after its span"},
	"fixture/ui-config-malformed.json":        {"error at 5: 0 0 0 syntax=1", "no JSON"},

	// Jaeger's own model, from before it is written: ids in base64 as traceId, tags with vType.
	"thrift/jaeger/fixtures/domain_01.json":        {"0 0 1 link_invalid=1 time_invalid=1 value_invalid=4", "protobuf's JSON"},
	"thrift/jaeger/fixtures/domain_02.json":        {"0 0 2 link_invalid=2 time_invalid=2 value_invalid=4", "protobuf's JSON"},
	"thrift/jaeger/fixtures/domain_03.json":        {"0 0 2 link_invalid=1 time_invalid=2 value_invalid=8", "protobuf's JSON"},
	"tracestore/core/fixtures/domain_01.json":      {"0 0 1 link_invalid=3 time_invalid=1 value_invalid=4", "protobuf's JSON"},
	"converter/v1/json/fixtures/domain_01.json":    {"0 0 5 link_invalid=5 time_invalid=5 value_invalid=12", "protobuf's JSON"},
	"converter/v1/json/fixtures/domain_es_01.json": {"0 0 1 link_invalid=3 time_invalid=1 value_invalid=4", "protobuf's JSON"},
	"thrift/jaeger/fixtures/thrift_batch_01.json":  {"0 0 1 id_missing=1", "Thrift's JSON: ids in decimal, in two halves"},
	"thrift/jaeger/fixtures/thrift_batch_02.json":  {"0 0 2 id_missing=2 link_invalid=1", "Thrift's JSON"},

	// What others read and write beside traces.
	"core/testdata/get_traces.json":       {"not traces: 0 0 0 not_traces=1", "a request to Elasticsearch"},
	"core/testdata/write_span.json":       {"not traces: 0 0 0 not_traces=1", "a request to Elasticsearch, in a frame of the test"},
	"sample_data/large.json":              {"not traces: 0 0 0 not_traces=1", "dependencies"},
	"sample_data/small.json":              {"not traces: 0 0 0 not_traces=1", "dependencies"},
	"TraceGraph/testTrace.json":           {"0 0 11 id_invalid=11 link_invalid=10", "span ids in words"},
	"tableValuesTestTrace/testTrace.json": {"0 0 11 id_invalid=11 link_invalid=10", "span ids in words"},

	// Spans that are called G, H and I.
	"CRISP/test_cases/15.json": {"6 0 1", "an id of a letter that is no digit"},
	"CRISP/test_cases/16.json": {"6 0 1", "an id of a letter that is no digit"},
	"CRISP/test_cases/18.json": {"6 0 3", "ids of letters that are no digits"},
	"CRISP/test_cases/23.json": {"6 0 3", "ids of letters that are no digits"},
	"CRISP/test_cases/24.json": {"6 0 3", "ids of letters that are no digits"},
	"CRISP/test_cases/25.json": {"6 0 3", "ids of letters that are no digits"},

	"api_dependencies.json":        {"not traces: 0 0 0 not_traces=1", "dependencies"},
	"api_operations_frontend.json": {"not traces: 0 0 0 not_traces=1", "names"},
	"api_services.json":            {"not traces: 0 0 0 not_traces=1", "names"},
	"jaeger_api_operations.json":   {"not traces: 0 0 0 not_traces=1", "names"},
	"jaeger_api_dependencies.json": {"not traces: 0 0 0 not_traces=1 text_skipped=1", "text"},
	"jaeger_api_services.json":     {"not traces: 0 0 0 not_traces=1", "names"},
	"api_v3_operations.json":       {"not traces: 0 0 0 not_traces=1", "names"},
	"api_v3_services.json":         {"not traces: 0 0 0 not_traces=1", "names"},
	"api_trace_notfound.json":      {`answer 404 "trace not found" at 54: 0 0 0 empty_input=1`, "an error"},
	"api_traces_badquery.json":     {`answer 400 "parameter 'service' is required" at 54: 0 0 0 empty_input=1`, "an error"},
}

// Every recorded file of Jaeger and its users is read whole, or the table above says why not. Those in OTLP
// are left to package otlp.
func TestWild(t *testing.T) {
	dir := os.Getenv("TRACEWHY_DATA")
	if dir == "" {
		t.Skip("set TRACEWHY_DATA to the folder that has formats/wild")
	}
	files, inOTLP, used := 0, 0, 0
	for _, folder := range []string{"wild/jaegertracing+jaeger", "wild/jaegertracing+jaeger-ui", "wild/uber-research+CRISP", "backends/jaeger", "backends/victoriatraces"} {
		err := filepath.WalkDir(filepath.Join(dir, "formats", filepath.FromSlash(folder)), func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() || filepath.Ext(path) != ".json" {
				return err
			}
			doc, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			files++
			var b tracewhy.Builder
			err = jaeger.Read(context.Background(), bytes.NewReader(doc), &b, input.Config{})
			set := build(t, &b)
			got := outcomeOf(t, err, set)
			if bytes.Contains(doc, []byte(`"resourceSpans"`)) {
				inOTLP++
				if !errors.Is(err, input.ErrNotTraces) {
					t.Errorf("%s is OTLP, and gives %s", path, got)
				}
				if err := otlp.Read(context.Background(), bytes.NewReader(doc), &b, input.Config{}); err != nil || build(t, &b).NumSpans() == 0 {
					t.Errorf("%s is OTLP, and not read as such: %v", path, err)
				}
				return nil
			}
			for name, o := range odd {
				if strings.HasSuffix(filepath.ToSlash(path), "/"+name) || strings.HasSuffix(filepath.ToSlash(path), "+"+name) {
					used++
					if !strings.HasPrefix(got, o.want) {
						t.Errorf("%s (%s):\ngot  %s\nwant %s", path, o.why, got, o.want)
					}
					for _, p := range set.Problems() {
						if p.Code == tracewhy.ProblemIDInvalid || p.Code == tracewhy.ProblemTimeInvalid || p.Code == tracewhy.ProblemIDMissing {
							if !strings.Contains(p.Message, "byte ") {
								t.Errorf("%s: it is not said where: %s", path, p.Message)
							}
						}
					}
					return nil
				}
			}
			if a := set.Accounting(); err != nil || a.Quarantined > 0 || a.Kept == 0 {
				t.Errorf("%s is not read whole: %v, %s", path, err, got)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d files, of which %d in OTLP", files, inOTLP)
	if used != len(odd) {
		t.Errorf("%d files are odd, %d in the table", used, len(odd))
	}
}
