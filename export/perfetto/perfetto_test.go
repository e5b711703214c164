package perfetto_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/export/perfetto"
	"github.com/tracewhy/tracewhy/internal/tracetext"
)

var update = flag.Bool("update", false, "rewrite the golden files")

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
	file := filepath.Join("testdata", "shop.json")
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(got)); d != "" {
		t.Errorf("differs from %s (-want +got):\n%s", file, d)
	}
}
