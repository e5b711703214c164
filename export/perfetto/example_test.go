package perfetto_test

import (
	"bytes"
	"fmt"

	"github.com/tracewhy/tracewhy/export/perfetto"
	"github.com/tracewhy/tracewhy/internal/tracetext"
)

func ExampleWrite() {
	set := tracetext.Set(`
		shop/GET /cart  0+30 server
		  stock/reserve 5+20 server error
		  shop/audit    28+? internal
	`)
	var file bytes.Buffer // to save, and to open in ui.perfetto.dev
	stats, err := perfetto.Write(&file, set.All())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%+v\n", stats)
	for line := range bytes.Lines(file.Bytes()) {
		if slice, _, ok := bytes.Cut(line, []byte(`,"args"`)); ok && bytes.Contains(slice, []byte("failed")) {
			fmt.Printf("%s\n", slice)
		}
	}
	// Output:
	// {Slices:2 Moments:1 Omitted:0}
	// {"ph":"X","ts":5000,"dur":20000,"pid":3,"tid":6,"name":"✗ reserve","cat":"server,failed,critical","cname":"terrible","bind_id":"0x1","flow_in":true
}
