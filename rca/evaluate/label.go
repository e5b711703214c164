package evaluate

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/rca"
)

// Label is what is known to be true of a case: the content of its label.json.
// Fields of the file that are not listed here are ignored.
type Label struct {
	// Incident is false for a quiet case: nothing may be claimed then, and Causes is empty.
	Incident bool `json:"incident"`
	// Causes are all true at once; usually there is one.
	Causes []Cause `json:"causes"`
	// Modes are the ways in which transactions failed, if they are known.
	Modes []Mode `json:"modes"`
	// Onset and Symptom are nanoseconds since the Unix epoch, 0 if unknown. A file may have them as
	// numbers, as strings of digits, or as RFC 3339.
	Onset     int64   `json:"onset_ns"`
	Symptom   int64   `json:"symptom_ns"`
	Threshold float64 `json:"threshold_ms"` // the latency beyond which customers give up; 0 if unknown
	Dataset   string  `json:"dataset"`      // what results are grouped by
	Scenario  string  `json:"scenario"`
	Case      string  `json:"case"`
	FaultType string  `json:"fault_type"` // what results are broken down by within a dataset
	Notes     string  `json:"notes"`
}

// Cause is one true cause.
type Cause struct {
	Services   []string `json:"services"`             // naming any one of these is right
	Operations []string `json:"operations,omitempty"` // likewise; empty where it is not known
	// Conditions are attribute values that all single out the affected transactions. A list, or text with commas,
	// may also be stated part by part, as elements of the attribute.
	Conditions map[string]any `json:"conditions,omitempty"`
	// FaultDomain is internal or external, and Vendor who is at fault outside; "" where it is not known.
	FaultDomain string `json:"fault_domain,omitempty"`
	Vendor      string `json:"vendor,omitempty"`
	ChangeID    string `json:"change_id,omitempty"` // the change that set it off; "" where none did or it is not known
}

// Mode is one way in which transactions failed.
type Mode struct {
	Service    string         `json:"service"`
	Operation  string         `json:"operation"`
	Conditions map[string]any `json:"conditions"`
	Traces     int            `json:"traces"`
}

// UnmarshalJSON implements [json.Unmarshaler].
func (l *Label) UnmarshalJSON(b []byte) error {
	type plain Label
	file := struct {
		*plain
		Onset   labelTime `json:"onset_ns"`
		Symptom labelTime `json:"symptom_ns"`
	}{plain: (*plain)(l)}
	// Numbers of conditions are kept as written, so that large integers keep their digits.
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if err := d.Decode(&file); err != nil {
		return err
	}
	l.Onset, l.Symptom = int64(file.Onset), int64(file.Symptom)
	return nil
}

// labelTime reads the ways in which labels write a time.
type labelTime int64

func (t *labelTime) UnmarshalJSON(b []byte) error {
	text := strings.Trim(string(b), `"`)
	if text == "" || text == "null" {
		*t = 0
		return nil
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		*t = labelTime(n)
		return nil
	}
	if f, err := strconv.ParseFloat(text, 64); err == nil && f >= 0 && f < 1<<63 {
		*t = labelTime(f)
		return nil
	}
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return fmt.Errorf("%s is no time", b)
	}
	*t = labelTime(at.UnixNano())
	return nil
}

func readLabel(file string) (Label, error) {
	var l Label
	b, err := os.ReadFile(file)
	if err != nil {
		return l, err
	}
	if err := json.Unmarshal(b, &l); err != nil {
		return l, fmt.Errorf("%s: %w", file, err)
	}
	if !l.Incident && len(l.Causes) > 0 {
		return l, fmt.Errorf("%s: a case without an incident has no causes", file)
	}
	for i, c := range l.Causes {
		if len(c.Services) == 0 {
			return l, fmt.Errorf("%s: cause %d names no service", file, i+1)
		}
	}
	return l, nil
}

// valueOf returns a JSON value of a label or a report as an attribute's value.
func valueOf(v any) tracewhy.Value {
	switch v := v.(type) {
	case string:
		return tracewhy.StringOf(v)
	case bool:
		return tracewhy.BoolOf(v)
	case json.Number:
		return tracewhy.StringOf(v.String())
	case float64:
		return tracewhy.FloatOf(v)
	case rca.Number:
		return tracewhy.FloatOf(float64(v))
	case int64:
		return tracewhy.IntOf(v)
	}
	return tracewhy.StringOf(fmt.Sprint(v))
}

// partsOf returns the elements of a label's list, which text with commas is as well, or the value alone.
func partsOf(v any) []tracewhy.Value {
	var parts []tracewhy.Value
	switch v := v.(type) {
	case []any:
		for _, part := range v {
			parts = append(parts, valueOf(part))
		}
	case string:
		for part := range strings.SplitSeq(v, ",") {
			parts = append(parts, tracewhy.StringOf(strings.TrimSpace(part)))
		}
	default:
		parts = append(parts, valueOf(v))
	}
	return parts
}

// sameValue reports whether two attribute values are one in the eyes of a reader: 5, 5.0 and "5" are.
func sameValue(a, b tracewhy.Value) bool {
	x, isNumber := a.Number()
	y, both := b.Number()
	if isNumber && both {
		return x == y
	}
	return a.String() == b.String()
}
