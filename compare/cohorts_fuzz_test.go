package compare

import (
	"bytes"
	"context"
	"encoding/json"
	"testing"

	"github.com/tracewhy/tracewhy"
)

// FuzzCohorts asks everything of traces of any form.
func FuzzCohorts(f *testing.F) {
	f.Add([]byte("0123456789abcdefghijklmnopqrstuvwxyz"))
	f.Add([]byte{0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 2, 0, 255, 254, 253, 252})
	f.Add(bytes.Repeat([]byte{1, 2, 1, 7, 3, 0, 2, 9}, 40))
	f.Fuzz(func(t *testing.T, data []byte) {
		var spans []tracewhy.SpanData
		for ; len(data) >= 4; data = data[4:] {
			at := uint64(1_700_000_000_000_000_000)
			s := tracewhy.SpanData{
				TraceID: tracewhy.TraceID{15: 1 + data[0]%16}, SpanID: tracewhy.SpanID{7: 1 + byte(len(spans)%200)},
				Name: string('a' + rune(data[1]%4)), Source: []string{"baseline", "incident"}[data[0]%2], Kind: tracewhy.Kind(data[1] / 4 % 6),
				Start: at + uint64(data[3]), End: at + uint64(data[3]) + uint64(data[2]%16),
				Weight: float64(data[1] / 32),
			}
			if data[2] >= 16 {
				s.ParentSpanID = tracewhy.SpanID{7: 1 + data[2]%200}
			}
			if data[3] == 255 {
				s.End = 0
			}
			if data[3]%7 == 0 {
				s.Status = tracewhy.StatusError
			}
			spans = append(spans, s)
		}
		set := tracewhy.SetOf(spans...)
		b, i := set.Source("baseline"), set.Source("incident")
		ctx := context.Background()
		structure, err := Structure(ctx, b, i, StructureConfig{Replicates: 19})
		encodes(t, structure, err)
		adequacy, err := Adequacy(ctx, b, i, AdequacyConfig{})
		encodes(t, adequacy, err)
		exemplars, err := Exemplars(ctx, i, ExemplarsConfig{Baseline: b})
		encodes(t, exemplars, err)
	})
}

func encodes(t *testing.T, x any, err error) {
	t.Helper()
	if err != nil && err != ErrCohorts {
		t.Fatal(err)
	}
	if _, err := json.Marshal(x); err != nil {
		t.Fatal(err)
	}
}
