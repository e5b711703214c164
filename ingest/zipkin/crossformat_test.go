package zipkin_test

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/ingest/input"
	"github.com/tracewhy/tracewhy/ingest/otlp"
)

// The same traces in Zipkin's JSON and in OTLP give equal Sets, but for what Zipkin cannot say.
func TestCrossFormat(t *testing.T) {
	fromZipkin := readZipkin(t, string(dataFile(t, "formats/crossformat/zipkin_v2.json")))
	fromOTLP := mustSet(t, func(b *tracewhy.Builder) error {
		return otlp.ReadJSON(context.Background(), bytes.NewReader(dataFile(t, "formats/crossformat/otlp.json")), b, input.Config{})
	})
	if n := fromZipkin.NumTraces(); n != 30 || fromZipkin.NumSpans() != 1132 || fromOTLP.NumTraces() != n || fromOTLP.NumSpans() != 1132 {
		t.Errorf("%d traces with %d spans, in OTLP %d with %d", n, fromZipkin.NumSpans(), fromOTLP.NumTraces(), fromOTLP.NumSpans())
	}
	if a := fromZipkin.Accounting(); a.Kept != a.In {
		t.Errorf("not all spans are kept: %+v", a)
	}
	want, got := spansByID(fromOTLP, func(s *tracewhy.SpanData) { inMicros(s); asInZipkin(s) }), spansByID(fromZipkin, asInZipkin)
	for _, d := range differences(want, got) {
		t.Error(d)
	}
	for i := range fromOTLP.NumTraces() {
		x, y := fromOTLP.Trace(i), fromZipkin.Trace(i)
		if x.ID() != y.ID() || x.Root().ID() != y.Root().ID() {
			t.Errorf("trace %d: %v with root %v, want %v with root %v", i, y.ID(), y.Root().ID(), x.ID(), x.Root().ID())
		}
	}
}

// inMicros rounds the times of a span to microseconds, as the Collector's exporter does.
func inMicros(s *tracewhy.SpanData) {
	const us = 1000
	duration := max((s.End-s.Start+us/2)/us*us, us)
	s.Start = (s.Start + us/2) / us * us
	s.End = s.Start + duration
	for i := range s.Events {
		s.Events[i].Time = (s.Events[i].Time + us/2) / us * us
	}
}

// asInZipkin takes from a span what the Collector's exporter loses of it, beside nanoseconds: flags, the
// types of attributes, and the case of the names of spans and services.
func asInZipkin(s *tracewhy.SpanData) {
	s.Flags = 0
	s.Name = strings.ToLower(s.Name)
	resource := *s.Resource
	s.Resource = &resource
	resource.Attributes = asText(resource.Attributes)
	for i, kv := range resource.Attributes {
		if kv.Key == "service.name" {
			resource.Attributes[i].Value = tracewhy.StringOf(strings.ToLower(kv.Value.Str()))
		}
	}
	s.Attributes = asText(s.Attributes)
}

// asText makes texts of the values of attributes.
func asText(kvs []tracewhy.KeyValue) []tracewhy.KeyValue {
	kvs = slices.Clone(kvs)
	for i, kv := range kvs {
		kvs[i].Value = tracewhy.StringOf(kv.Value.String())
	}
	return kvs
}

// spansByID returns the spans of a Set as plain data without what lossy leaves out, by trace and span id.
func spansByID(set *tracewhy.Set, lossy func(*tracewhy.SpanData)) map[string]tracewhy.SpanData {
	byID := map[string]tracewhy.SpanData{}
	for s := range spans(set) {
		d := s.Data()
		lossy(&d)
		byID[d.TraceID.String()+"/"+s.ID().String()] = d
	}
	return byID
}

// differences compares spans field by field, and says in which fields how many differ. The order of
// attributes does not matter.
func differences(want, got map[string]tracewhy.SpanData) []string {
	count, example := map[string]int{}, map[string]string{}
	for _, id := range slices.Sorted(maps.Keys(want)) {
		w, g := fields(want[id]), fields(got[id])
		for field := range w {
			if w[field] == g[field] {
				continue
			}
			if count[field]++; count[field] == 1 {
				example[field] = fmt.Sprintf("%s: want %.300s, got %.300s", id, w[field], g[field])
			}
		}
	}
	var list []string
	for _, field := range slices.Sorted(maps.Keys(count)) {
		list = append(list, fmt.Sprintf("%s of %d, such as %s", field, count[field], example[field]))
	}
	return list
}

// fields returns the fields of a span, written out.
func fields(d tracewhy.SpanData) map[string]string {
	if d.Resource == nil {
		return map[string]string{}
	}
	f := map[string]string{
		"parent": d.ParentSpanID.String(), "name": d.Name, "kind": d.Kind.String(), "start": fmt.Sprint(d.Start), "end": fmt.Sprint(d.End),
		"status": d.Status.String(), "message": d.StatusMessage, "state": d.TraceState, "flags": fmt.Sprint(d.Flags),
		"scope": d.Scope.Name + " " + d.Scope.Version, "resource": sorted(d.Resource.Attributes), "attributes": sorted(d.Attributes),
		"dropped": fmt.Sprint(d.DroppedAttributes, d.DroppedEvents, d.DroppedLinks),
	}
	for i, e := range d.Events {
		f["events"] += fmt.Sprintln(i, e.Time, e.Name, sorted(e.Attributes), e.DroppedAttributes)
	}
	for _, l := range d.Links {
		f["links"] += fmt.Sprintln(l.TraceID, l.SpanID, l.TraceState, l.Flags, sorted(l.Attributes), l.DroppedAttributes)
	}
	return f
}

// sorted returns attributes by key, each with its type.
func sorted(kvs []tracewhy.KeyValue) string {
	var list []string
	for _, kv := range kvs {
		list = append(list, fmt.Sprintf("%s=%v:%q", kv.Key, kv.Value.Kind(), kv.Value))
	}
	slices.SortFunc(list, cmp.Compare[string])
	return strings.Join(list, " ")
}
