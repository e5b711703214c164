package jaeger_test

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/ingest/input"
	"github.com/tracewhy/tracewhy/ingest/jaeger"
	"github.com/tracewhy/tracewhy/ingest/otlp"
)

// dataFile returns a file of the data that is not part of the repository.
func dataFile(tb testing.TB, name string) []byte {
	tb.Helper()
	dir := os.Getenv("TRACEWHY_DATA")
	if dir == "" {
		tb.Skip("set TRACEWHY_DATA to the folder that has " + name)
	}
	data, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

// mustSet returns the Set of what one reader reads.
func mustSet(tb testing.TB, read func(b *tracewhy.Builder) error) *tracewhy.Set {
	tb.Helper()
	var b tracewhy.Builder
	if err := read(&b); err != nil {
		tb.Fatal(err)
	}
	set, err := b.Build(context.Background())
	if err != nil {
		tb.Fatal(err)
	}
	return set
}

// readJaeger returns the Set of a document.
func readJaeger(tb testing.TB, doc []byte) *tracewhy.Set {
	tb.Helper()
	return mustSet(tb, func(b *tracewhy.Builder) error {
		return jaeger.Read(context.Background(), bytes.NewReader(doc), b, input.Config{Name: tb.Name()})
	})
}

// spansOf returns the spans of a Set as plain data, by trace and span id.
func spansOf(set *tracewhy.Set) map[string]tracewhy.SpanData {
	spans := map[string]tracewhy.SpanData{}
	for t := range set.Traces() {
		for s := range t.Spans() {
			spans[t.ID().String()+"/"+s.ID().String()] = s.Data()
		}
	}
	return spans
}

// pathsOf returns the call path of each span of a Set, by trace and span id.
func pathsOf(set *tracewhy.Set) map[string]string {
	paths := map[string]string{}
	for t := range set.Traces() {
		for s := range t.Spans() {
			paths[t.ID().String()+"/"+s.ID().String()] = s.Path().String()
		}
	}
	return paths
}

// differences compares the spans of two Sets field by field, and their call paths, and says in which how many differ. The
// order of attributes does not matter. Fields that loss changes alike on both sides are equal.
func differences(want, got *tracewhy.Set, loss func(*tracewhy.SpanData)) []string {
	count, example := map[string]int{}, map[string]string{}
	differ := func(id, field string, want, got any) {
		w, g := fmt.Sprintf("%v", want), fmt.Sprintf("%v", got)
		if w == g {
			return
		}
		if text := fmt.Sprintf("%s: want %.200s, got %.200s", id, w, g); count[field] == 0 || text < example[field] {
			example[field] = text
		}
		count[field]++
	}
	wants, gots := spansOf(want), spansOf(got)
	wantPaths, gotPaths := pathsOf(want), pathsOf(got)
	for id := range gots {
		if _, ok := wants[id]; !ok {
			differ(id, "span", "none", "one")
		}
	}
	for id, w := range wants {
		g, ok := gots[id]
		if !ok {
			differ(id, "span", "one", "none")
			continue
		}
		loss(&w)
		loss(&g)
		differ(id, "Path", wantPaths[id], gotPaths[id])
		differ(id, "ParentSpanID", w.ParentSpanID, g.ParentSpanID)
		differ(id, "TraceState", w.TraceState, g.TraceState)
		differ(id, "Flags", w.Flags, g.Flags)
		differ(id, "Name", w.Name, g.Name)
		differ(id, "Kind", w.Kind, g.Kind)
		differ(id, "Start", w.Start, g.Start)
		differ(id, "End", w.End, g.End)
		differ(id, "Status", w.Status, g.Status)
		differ(id, "StatusMessage", w.StatusMessage, g.StatusMessage)
		differ(id, "Attributes", sorted(w.Attributes), sorted(g.Attributes))
		differ(id, "Resource", sorted(w.Resource.Attributes), sorted(g.Resource.Attributes))
		differ(id, "Resource.DroppedAttributes", w.Resource.DroppedAttributes, g.Resource.DroppedAttributes)
		differ(id, "Resource.SchemaURL", w.Resource.SchemaURL, g.Resource.SchemaURL)
		differ(id, "Scope", w.Scope.Name+" "+w.Scope.Version, g.Scope.Name+" "+g.Scope.Version)
		differ(id, "Scope.Attributes", sorted(w.Scope.Attributes), sorted(g.Scope.Attributes))
		differ(id, "Scope.SchemaURL", w.Scope.SchemaURL, g.Scope.SchemaURL)
		differ(id, "len(Events)", len(w.Events), len(g.Events))
		for i := range min(len(w.Events), len(g.Events)) {
			we, ge := w.Events[i], g.Events[i]
			differ(id, "Events.Time", we.Time, ge.Time)
			differ(id, "Events.Name", we.Name, ge.Name)
			differ(id, "Events.DroppedAttributes", we.DroppedAttributes, ge.DroppedAttributes)
			differ(id, "Events.Attributes", sorted(we.Attributes), sorted(ge.Attributes))
		}
		differ(id, "len(Links)", len(w.Links), len(g.Links))
		for i := range min(len(w.Links), len(g.Links)) {
			wl, gl := w.Links[i], g.Links[i]
			differ(id, "Links", fmt.Sprint(wl.TraceID, wl.SpanID), fmt.Sprint(gl.TraceID, gl.SpanID))
			differ(id, "Links.TraceState", wl.TraceState, gl.TraceState)
			differ(id, "Links.Flags", wl.Flags, gl.Flags)
			differ(id, "Links.Attributes", sorted(wl.Attributes), sorted(gl.Attributes))
		}
		differ(id, "Dropped", fmt.Sprint(w.DroppedAttributes, w.DroppedEvents, w.DroppedLinks), fmt.Sprint(g.DroppedAttributes, g.DroppedEvents, g.DroppedLinks))
	}
	var list []string
	for _, field := range slices.Sorted(maps.Keys(count)) {
		list = append(list, fmt.Sprintf("%s of %d, such as %s", field, count[field], example[field]))
	}
	return list
}

// sorted returns attributes by key, each with its type.
func sorted(kvs []tracewhy.KeyValue) []string {
	var list []string
	for _, kv := range kvs {
		list = append(list, fmt.Sprintf("%s=%v:%q", kv.Key, kv.Value.Kind(), kv.Value))
	}
	slices.SortFunc(list, cmp.Compare[string])
	return list
}

// What WriteJSON writes is read back as it was.
func TestRoundTripOfAnswer(t *testing.T) {
	set := readJaeger(t, dataFile(t, "formats/crossformat/jaeger_api.json"))
	var out bytes.Buffer
	if err := jaeger.WriteJSON(&out, spans(set)); err != nil {
		t.Fatal(err)
	}
	for _, d := range differences(set, readJaeger(t, out.Bytes()), func(*tracewhy.SpanData) {}) {
		t.Error(d)
	}
}

// spans yields the spans of a Set, trace by trace.
func spans(set *tracewhy.Set) iter.Seq[tracewhy.Span] {
	return func(yield func(tracewhy.Span) bool) {
		for t := range set.Traces() {
			for s := range t.Spans() {
				if !yield(s) {
					return
				}
			}
		}
	}
}

// The same traces in Jaeger's JSON and in OTLP give equal Sets, but for what Jaeger cannot say.
func TestCrossFormat(t *testing.T) {
	fromJaeger := readJaeger(t, dataFile(t, "formats/crossformat/jaeger_api.json"))
	fromOTLP := mustSet(t, func(b *tracewhy.Builder) error {
		return otlp.ReadJSON(context.Background(), bytes.NewReader(dataFile(t, "formats/crossformat/otlp.json")), b, input.Config{})
	})
	loss := func(s *tracewhy.SpanData) {
		s.End = s.Start/1000*1000 + (s.End-s.Start)/1000*1000 // Jaeger rounds the start and the duration down
		s.Start = s.Start / 1000 * 1000
		for i := range s.Events {
			s.Events[i].Time = s.Events[i].Time / 1000 * 1000
		}
		s.Flags &= 1
		s.Resource.SchemaURL = ""
	}
	for _, d := range differences(fromOTLP, fromJaeger, loss) {
		t.Error(d)
	}
	if n := fromJaeger.NumSpans(); n != 1132 {
		t.Errorf("%d spans, want 1132", n)
	}
}
