package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/scenario"
)

// A file is one of a case's folder.
type file struct {
	name string
	data []byte
}

// filesOf returns the case as the files of a folder: the spans of both windows as OTLP JSON lines, compressed and
// spread over several files each, changes.json and label.json. The same case gives the same bytes.
func filesOf(c scenario.Case) ([]file, error) {
	var files []file
	for _, w := range []struct {
		name  string
		spans []tracewhy.SpanData
	}{{"baseline", c.Baseline}, {"incident", c.Incident}} {
		for i, part := range parts(w.spans) {
			data, err := compress(appendLines(nil, part))
			if err != nil {
				return nil, err
			}
			files = append(files, file{fmt.Sprintf("%s-%d.otlp.jsonl.gz", w.name, i+1), data})
		}
	}
	for _, doc := range []struct {
		name string
		v    any
	}{{"changes.json", c.Changes}, {"label.json", c.Label}} {
		data, err := json.MarshalIndent(doc.v, "", "  ")
		if err != nil {
			return nil, err
		}
		files = append(files, file{doc.name, append(data, '\n')})
	}
	return files, nil
}

// spansPerFile is when a collector begins another file.
const spansPerFile = 8000

// parts cuts spans into files, between batches. Traces that are under way lie in two of them.
func parts(spans []tracewhy.SpanData) [][]tracewhy.SpanData {
	var all [][]tracewhy.SpanData
	for len(spans) > 0 {
		n := 0
		for n < len(spans) && n < spansPerFile {
			n += batchLen(spans[n:])
		}
		all = append(all, spans[:n])
		spans = spans[n:]
	}
	return all
}

// compress returns data in gzip's format, without a name or a time.
func compress(data []byte) ([]byte, error) {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.DefaultCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(data); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
