package ingest_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/ingest"
)

// One set of traces was written by several programs: what all of them can say is the same, and so is what
// is said of the traces. The packages of Jaeger's and Zipkin's formats compare the rest.
func TestSameTraces(t *testing.T) {
	all := readAll(t, "otlp.json")
	if all.NumTraces() != 30 || all.NumSpans() != 1132 {
		t.Fatalf("%d traces, %d spans", all.NumTraces(), all.NumSpans())
	}
	for _, tt := range []struct {
		pattern string
		tick    time.Duration // of its times
		lower   bool          // names are in lower case
	}{
		{"otlp.pb", 1, false},
		{"jaeger_v3/*.json", 1, false},
		{"tempo/*.v2.json", 1, false},
		{"jaeger_api.json", time.Microsecond, false},
		{"zipkin_v2.json", time.Microsecond, true},
	} {
		t.Run(tt.pattern, func(t *testing.T) {
			set := readAll(t, tt.pattern)
			if diff := cmp.Diff(said(all, tt.tick, tt.lower), said(set, tt.tick, tt.lower)); diff != "" {
				t.Errorf("it differs from otlp.json:\n%s", diff)
			}
			for i := range all.NumTraces() {
				if diff := cmp.Diff(found(all.Trace(i), tt.lower), found(set.Trace(i), tt.lower)); diff != "" {
					t.Errorf("trace %s: what is found differs:\n%s", all.Trace(i).ID(), diff)
				}
			}
		})
	}
}

func readAll(t *testing.T, pattern string) *tracewhy.Set {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dataDir(t), "formats", "crossformat", pattern))
	if err != nil || len(paths) == 0 {
		t.Fatalf("%s: %d files, %v", pattern, len(paths), err)
	}
	s, err := ingest.Open(context.Background(), ingest.Config{}, paths...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// said lists what every format can say of each span. Programs round to ticks in ways of their own.
func said(s *tracewhy.Set, tick time.Duration, lower bool) map[string]string {
	spans := map[string]string{}
	for i := range s.NumSpans() {
		sp := s.Span(i)
		d := sp.Data()
		text := fmt.Sprintf("parent %s, path %s, kind %d, status %d, %d attributes, %d events",
			d.ParentSpanID, sp.Path(), d.Kind, d.Status, len(d.Attributes), len(d.Events))
		if tick == 1 {
			text += fmt.Sprintf(", %d to %d", d.Start, d.End)
		}
		if lower {
			text = strings.ToLower(text)
		}
		spans[d.TraceID.String()+" "+d.SpanID.String()] = text
	}
	return spans
}

// found lists what is found out about a trace: where its failure began, and how long each call path is on
// the critical path, to a hundredth of the whole.
func found(t tracewhy.Trace, lower bool) map[string]string {
	out := map[string]string{}
	add := func(what, value string) {
		if lower {
			what, value = strings.ToLower(what), strings.ToLower(value)
		}
		out[what] = value
	}
	if hop, failed := t.ErrorOrigin(); failed {
		add("failure", hop.Span.Path().String()+": "+string(hop.Rule))
	}
	on := map[string]time.Duration{}
	for _, section := range t.CriticalPath() {
		on[section.Span.Path().String()] += section.Duration()
	}
	for path, d := range on {
		if percent := (d*100 + t.Duration()/2) / t.Duration(); percent > 0 {
			add("critical path "+path, fmt.Sprintf("%d %%", percent))
		}
	}
	return out
}
