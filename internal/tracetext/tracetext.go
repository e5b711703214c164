// Package tracetext writes traces as text, for tests: a trace fits on a few lines that show its shape.
//
// Each line is a span, and the blanks before it say which span it belongs to: the last one that has
// fewer.
//
//	checkout/POST /pay 0+100 server
//	  checkout/charge  5+90  client error="deadline exceeded" server.address=cards
//	    cards/charge   7+400 server
//	      ! 10 exception exception.type=SocketTimeoutException
//	    ledger/post    ?+?   internal ok
//
// A span is "service/operation start+duration" and then words, in any order. Start and duration are
// numbers of milliseconds, or of another unit that is named (5us, 1.5s); the start counts from [Epoch]
// and may be negative, and so may the duration. A ? says that the start, or with the duration the end,
// is not known. The operation may have spaces. The words are
//
//   - a kind: internal, server, client, producer or consumer;
//   - ok, error, or error="message" for the status (error=true is an attribute, as in OpenTracing);
//   - orphan, where the parent is missing;
//   - @label, a name for the span, and link=@label, a link to such a span of any trace;
//   - resource.key=value for an attribute of the resource, scope=name for the instrumentation scope,
//     flags=number, and tracestate=text;
//   - key=value for an attribute of the span. A value is a quoted string, an integer, a number with a
//     point, true, false, or else a bare word.
//
// A line that begins with ! is an event of the span that it is indented under: its time and its name,
// quoted if that has spaces, and attributes. A line "trace name" begins another trace, with the words
// source=name for [tracewhy.SpanData.Source] and at=time for what its starts count from after Epoch.
// Empty lines and those that begin with # are skipped.
//
// Trace and span ids are numbers: traces and, in each trace, spans count from 1 in the order of the
// lines. Reading a text takes time in O(n) for n lines, whatever their depth.
package tracetext

import (
	"context"
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/tracewhy/tracewhy"
)

// Epoch is the moment that starts count from, in nanoseconds since the Unix epoch: 2024-01-01 in UTC.
const Epoch = 1_704_067_200_000_000_000

// TraceID returns the id of the n-th trace of a text, from 1.
func TraceID(n int) tracewhy.TraceID {
	var id tracewhy.TraceID
	binary.BigEndian.PutUint64(id[:8], 1) // an upper half of zero would look like a shortened id
	binary.BigEndian.PutUint64(id[8:], uint64(n))
	return id
}

// SpanID returns the id of the n-th span of a trace, from 1.
func SpanID(n int) tracewhy.SpanID {
	var id tracewhy.SpanID
	binary.BigEndian.PutUint64(id[:], uint64(n))
	return id
}

// Parse reads spans. Its error names the line that it cannot read.
func Parse(text string) ([]tracewhy.SpanData, error) {
	p := parser{labels: map[string]tracewhy.Link{}, resources: map[string]*tracewhy.Resource{}, scopes: map[string]*tracewhy.Scope{}}
	num := 0
	for line := range strings.Lines(text) {
		num++
		if err := p.line(strings.TrimRight(line, "\r\n")); err != nil {
			return nil, fmt.Errorf("tracetext: line %d: %w", num, err)
		}
	}
	if err := p.resolveLinks(); err != nil {
		return nil, fmt.Errorf("tracetext: %w", err)
	}
	return p.spans, nil
}

// Set returns the Set of a text. It panics if the text cannot be read: it is meant for texts that a
// test spells out.
func Set(text string) *tracewhy.Set {
	spans, err := Parse(text)
	if err != nil {
		panic(err)
	}
	var b tracewhy.Builder
	for i := range spans {
		b.Add(&spans[i])
	}
	s, err := b.Build(context.Background())
	if err != nil {
		panic(err)
	}
	return s
}

// Trace returns the first trace of a text. It panics if the text cannot be read or has no span.
func Trace(text string) tracewhy.Trace {
	t, ok := Set(text).Lookup(TraceID(1))
	if !ok {
		panic("tracetext: no trace in the text")
	}
	return t
}

// Span returns the first span of a trace with the given operation, as its name or as
// "service/operation". It panics if there is none.
func Span(t tracewhy.Trace, operation string) tracewhy.Span {
	for s := range t.Spans() {
		if s.Name() == operation || s.Service()+"/"+s.Name() == operation {
			return s
		}
	}
	panic("tracetext: no span " + operation)
}
