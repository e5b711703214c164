package otlp

import (
	"iter"
	"slices"

	"github.com/tracewhy/tracewhy"
)

// inDocuments calls write for each document to be written: the spans of one trace that come one after
// the other, sorted so that those with one resource and scope stand together. Otherwise they stay in
// the order in which they came.
func inDocuments(spans iter.Seq[tracewhy.Span], write func(doc []tracewhy.Span) error) error {
	var doc []tracewhy.Span
	var err error
	flush := func() bool {
		if len(doc) == 0 {
			return true
		}
		place := map[[2]int]int{} // of a resource and a scope, by when they came first
		for _, s := range doc {
			for _, key := range [...][2]int{{s.ResourceIndex(), -1}, {s.ResourceIndex(), s.ScopeIndex()}} {
				if _, ok := place[key]; !ok {
					place[key] = len(place)
				}
			}
		}
		slices.SortStableFunc(doc, func(x, y tracewhy.Span) int {
			if c := place[[2]int{x.ResourceIndex(), -1}] - place[[2]int{y.ResourceIndex(), -1}]; c != 0 {
				return c
			}
			return place[[2]int{x.ResourceIndex(), x.ScopeIndex()}] - place[[2]int{y.ResourceIndex(), y.ScopeIndex()}]
		})
		err = write(doc)
		doc = doc[:0]
		return err == nil
	}
	for s := range spans {
		if len(doc) > 0 && doc[0].Trace() != s.Trace() && !flush() {
			return err
		}
		doc = append(doc, s)
	}
	flush()
	return err
}

// blocksOf cuts a sorted document into runs of one resource, or of one scope.
func blocksOf(doc []tracewhy.Span, index func(tracewhy.Span) int) iter.Seq[[]tracewhy.Span] {
	return func(yield func([]tracewhy.Span) bool) {
		for len(doc) > 0 {
			n := 1
			for n < len(doc) && index(doc[n]) == index(doc[0]) {
				n++
			}
			if !yield(doc[:n]) {
				return
			}
			doc = doc[n:]
		}
	}
}
