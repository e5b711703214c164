package main

import (
	"time"

	"github.com/tracewhy/tracewhy"
)

// midnight is when what the chapter tells begins.
var midnight = time.Date(2026, time.November, 24, 0, 0, 0, 0, time.UTC)

// recorder makes the spans of traces.
type recorder struct {
	spans  []tracewhy.SpanData
	traces uint16
}

// begin begins another trace.
func (r *recorder) begin() { r.traces++ }

// span adds a span of the trace that was begun last, at a time since midnight, and returns its number, for spans
// that have it as their parent. The parent of a root is 0.
func (r *recorder) span(parent int, service, name string, kind tracewhy.Kind, at, took time.Duration, attributes ...tracewhy.KeyValue) int {
	start := midnight.Add(at)
	number := len(r.spans) + 1
	r.spans = append(r.spans, tracewhy.SpanData{
		TraceID: tracewhy.TraceID{0: 1, 14: byte(r.traces >> 8), 15: byte(r.traces)}, SpanID: spanID(number), ParentSpanID: spanID(parent),
		Name: name, Kind: kind, Start: uint64(start.UnixNano()), End: uint64(start.Add(took).UnixNano()), Attributes: attributes,
		Resource: &tracewhy.Resource{Attributes: []tracewhy.KeyValue{tracewhy.String("service.name", service)}},
	})
	return number
}

// spanID returns the id of a span with a number; that of 0 is no span's.
func spanID(number int) tracewhy.SpanID {
	return tracewhy.SpanID{4: byte(number >> 24), 5: byte(number >> 16), 6: byte(number >> 8), 7: byte(number)}
}

// fail lets a span fail, if anything does.
func (r *recorder) fail(number int, failed bool, message string) {
	if failed {
		r.spans[number-1].Status, r.spans[number-1].StatusMessage = tracewhy.StatusError, message
	}
}
