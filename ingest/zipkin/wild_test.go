package zipkin_test

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/ingest/input"
	"github.com/tracewhy/tracewhy/ingest/zipkin"
)

// wild says what becomes of the files of Zipkin's own tests and of what a collector exported.
var wild = map[string]string{
	"zipkin2-chinese.json":                 "1 0 0 no_root=1 orphan=1",
	"zipkin2-client.json":                  "1 0 0 no_root=1 orphan=1",
	"ascend.json":                          "8 0 0 id_short=8 outside_parent=1 shared_span_id=2",
	"envoy.json":                           "1 0 0 id_short=1 service_missing=1",
	"messaging-kafka.json":                 "28 0 0 id_short=28 outside_parent=23",
	"messaging.json":                       "4 0 0 outside_parent=2",
	"messaging2.json":                      "11 0 0 id_short=11 orphan=6 outside_parent=1",
	"simple-db-p6.json":                    "5 0 0 id_short=5",
	"skew.json":                            "4 0 0 id_short=4 outside_parent=1 shared_span_id=1",
	"smartthings-mobile-web-install.json":  "957 84 0 id_short=1041 name_templated=4 outside_parent=46 partial_span=84 shared_span_id=290 time_missing=91",                                     // spans are reported in parts, those of servers before they start
	"smartthings-oauth-authorization.json": "172 3 0 ambiguous_parent=26 attribute_invalid=8 id_short=175 name_templated=1 outside_parent=15 partial_span=3 shared_span_id=41 time_missing=16", // an address is 10.0.0.04
	"yelp.json":                            "16 0 0 ambiguous_parent=2 id_short=16 name_templated=1 shared_span_id=3",
	"zipkin_v2_spans.json":                 "1525 0 0 no_root=3 orphan=11 outside_parent=1", // some traces are incomplete
	"zipkin_v2.json":                       "1132 0 0",
}

// Every recorded file of Zipkin is read whole.
func TestWild(t *testing.T) {
	dir := os.Getenv("TRACEWHY_DATA")
	if dir == "" {
		t.Skip("set TRACEWHY_DATA to the folder that has formats/wild")
	}
	seen := 0
	for _, folder := range []string{"wild/openzipkin+zipkin", "backends/zipkin", "crossformat"} {
		err := filepath.WalkDir(filepath.Join(dir, "formats", filepath.FromSlash(folder)), func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() || filepath.Ext(path) != ".json" || folder == "crossformat" && !strings.HasPrefix(e.Name(), "zipkin") {
				return err
			}
			doc, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			seen++
			var b tracewhy.Builder
			err = zipkin.Read(context.Background(), strings.NewReader(string(doc)), &b, input.Config{})
			if got, want := outcomeOf(t, err, build(t, &b)), wild[e.Name()]; got != want {
				t.Errorf("%q: %q, // want %q", e.Name(), got, want)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if seen != len(wild) {
		t.Errorf("%d files, %d in the table", seen, len(wild))
	}
}
