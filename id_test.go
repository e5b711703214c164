package tracewhy

import (
	"encoding/json"
	"testing"
)

func TestIDs(t *testing.T) {
	const trace, span = "5b8efff798038103d269b633813fc60c", "eee19b7ec3c1b174"
	tr, err := ParseTraceID("5B8EFFF798038103D269B633813FC60C")
	if err != nil || tr.String() != trace {
		t.Errorf("trace id %v, %v", tr, err)
	}
	sp, err := ParseSpanID("EEE19B7EC3C1B174")
	if err != nil || sp.String() != span {
		t.Errorf("span id %v, %v", sp, err)
	}
	for _, bad := range []string{"", "5b8e", trace + "0", "0x" + trace[2:], trace[:31] + "g"} {
		if id, err := ParseTraceID(bad); err == nil {
			t.Errorf("%q is read as the trace id %v", bad, id)
		}
		if id, err := ParseSpanID(bad); err == nil {
			t.Errorf("%q is read as the span id %v", bad, id)
		}
	}
	if tr.IsZero() || sp.IsZero() || !(TraceID{}).IsZero() || !(SpanID{}).IsZero() {
		t.Error("IsZero")
	}
	type both struct {
		T TraceID
		S map[SpanID]int
	}
	data, err := json.Marshal(both{tr, map[SpanID]int{sp: 1}})
	if want := `{"T":"` + trace + `","S":{"` + span + `":1}}`; err != nil || string(data) != want {
		t.Errorf("written as %s, %v; want %s", data, err, want)
	}
	var back both
	if err := json.Unmarshal(data, &back); err != nil || back.T != tr || back.S[sp] != 1 {
		t.Errorf("read back as %v, %v", back, err)
	}
	if err := json.Unmarshal([]byte(`{"T":"5b"}`), &back); err == nil {
		t.Error("half an id is read")
	}
}

func TestNamesOfKindsAndStatuses(t *testing.T) {
	for k, want := range map[Kind]string{KindUnspecified: "unspecified", KindInternal: "internal", KindServer: "server", KindClient: "client", KindProducer: "producer", KindConsumer: "consumer", 9: "kind(9)"} {
		if k.String() != want {
			t.Errorf("kind %d is %q, want %q", uint8(k), k, want)
		}
	}
	for c, want := range map[StatusCode]string{StatusUnset: "unset", StatusOK: "ok", StatusError: "error", 9: "status(9)"} {
		if c.String() != want {
			t.Errorf("status %d is %q, want %q", uint8(c), c, want)
		}
	}
}
