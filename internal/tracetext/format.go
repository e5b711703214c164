package tracetext

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/tracewhy/tracewhy"
)

// Format writes a trace as text that [Parse] reads, so that a test can show which trace it failed on.
// It leaves out links, scopes, flags and trace state, and numbers the spans anew.
func Format(t tracewhy.Trace) string {
	var b strings.Builder
	depth := map[tracewhy.Span]int{}
	for s := range t.Spans() {
		if p, ok := s.Parent(); ok {
			depth[s] = depth[p] + 1
		}
		fmt.Fprintf(&b, "%s%s/%s %s", strings.Repeat("  ", depth[s]), s.Service(), quoteSpaced(s.Name()), formatTimes(s.Data()))
		if k := s.Kind(); k != tracewhy.KindUnspecified {
			b.WriteString(" " + k.String())
		}
		switch msg := s.StatusMessage(); {
		case s.Status() == tracewhy.StatusOK:
			b.WriteString(" ok")
		case s.Status() == tracewhy.StatusError && msg != "":
			fmt.Fprintf(&b, " error=%q", msg)
		case s.Status() == tracewhy.StatusError:
			b.WriteString(" error")
		}
		if s.Marks().Has(tracewhy.MarkOrphan) {
			b.WriteString(" orphan")
		}
		for _, kv := range s.Resource().Attributes {
			if kv.Key != "service.name" {
				b.WriteString(" resource." + formatAttribute(kv))
			}
		}
		for key, v := range s.Attrs() {
			b.WriteString(" " + formatAttribute(tracewhy.KeyValue{Key: key, Value: v}))
		}
		b.WriteByte('\n')
		for e := range s.Events() {
			fmt.Fprintf(&b, "%s! %s %q", strings.Repeat("  ", depth[s]+1), formatTime(e.Time, Epoch), e.Name)
			for _, kv := range e.Attributes {
				b.WriteString(" " + formatAttribute(kv))
			}
			b.WriteByte('\n')
		}
	}
	return b.String()
}

func quoteSpaced(name string) string {
	if strings.ContainsAny(name, "\" \t+") {
		return strconv.Quote(name)
	}
	return name
}

func formatTimes(s tracewhy.SpanData) string {
	from := uint64(Epoch)
	if s.Start != 0 {
		from = s.Start
	}
	return formatTime(s.Start, Epoch) + "+" + formatTime(s.End, from)
}

// formatTime writes the time from one moment to another in milliseconds where they are whole.
func formatTime(at, from uint64) string {
	if at == 0 || at > math.MaxInt64 {
		return "?"
	}
	const ms = 1_000_000
	if ns := int64(at - from); ns%ms != 0 {
		return strconv.FormatInt(ns, 10) + "ns"
	} else {
		return strconv.FormatInt(ns/ms, 10)
	}
}

func formatAttribute(kv tracewhy.KeyValue) string {
	switch v := kv.Value; v.Kind() {
	case tracewhy.BoolValue, tracewhy.IntValue:
		return kv.Key + "=" + v.String()
	case tracewhy.FloatValue:
		return kv.Key + "=" + strconv.FormatFloat(v.Float(), 'f', -1, 64)
	default:
		return kv.Key + "=" + strconv.Quote(v.String())
	}
}
