package jaeger

import (
	"strings"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/ingest/internal/decode"
)

// decodeProcesses decodes the processes of a trace, at B[i], which are members of an object.
func (d *reader) decodeProcesses(i int) int {
	processes := map[string]*tracewhy.Resource{}
	end := d.Object(i, func(name []byte, i int) int {
		r, next := d.decodeProcess(i)
		if next >= 0 {
			processes[string(name)] = r
		}
		return next
	})
	switch {
	case end-i > d.Config.Limits.SpanBytes:
		d.Note(tracewhy.ProblemLimit, i)
	case end >= 0:
		d.trace.processes = processes
	}
	return end
}

// noServiceName is what OpenTelemetry's exporters call the process of a resource without attributes.
const noServiceName = "OTLPResourceNoServiceName"

// decodeProcess decodes a process. Null, and what is none, is nil.
func (d *reader) decodeProcess(i int) (*tracewhy.Resource, int) {
	if d.B[i] != '{' {
		if d.B[i] != 'n' {
			d.Note(tracewhy.ProblemValueInvalid, i)
		}
		return nil, d.Pass(i)
	}
	end := d.Pass(i)
	if end < 0 {
		return nil, end
	}
	raw := d.B[i:end]
	known := &d.resources
	if d.isStored {
		known = &d.stored
	}
	if r := known.known[string(raw)]; r != nil {
		return r, end
	}
	r := new(tracewhy.Resource)
	var dropped uint32
	before := d.Noted
	next := d.Fields(i, func(name []byte, i int) (next int) {
		switch string(name) {
		case "serviceName":
			var s []byte
			var kind decode.TokenKind
			s, kind, next = d.Token(i)
			switch {
			case next < 0 || kind == decode.NullToken:
			case kind != decode.TextToken:
				d.Note(tracewhy.ProblemValueInvalid, i)
			case len(s) > 0 && string(s) != noServiceName:
				r.Attributes = append(r.Attributes, tracewhy.String("service.name", strings.Clone(decode.View(d.Cut(s, i)))))
			}
		case "tags", "tag":
			next = d.eachTag(i, func(t *tag) {
				if !d.Room(len(r.Attributes), t.at) {
					r.DroppedAttributes++
					return
				}
				v := d.value(t)
				if t.key == droppedAttributesKey && isCount(v, &dropped) {
					return
				}
				r.Attributes = append(r.Attributes, tracewhy.KeyValue{Key: t.key, Value: v})
			})
		default:
			next = d.Pass(i)
		}
		return next
	})
	if next < 0 {
		return nil, next
	}
	r.DroppedAttributes += dropped
	decode.Own(r.Attributes)
	nameHost(r.Attributes)
	if d.Noted == before {
		known.keep(raw, r)
	}
	return r, next
}

// nameHost calls the host as OpenTelemetry does, if only Jaeger's name for it is there.
func nameHost(kvs []tracewhy.KeyValue) {
	host := -1
	for i, kv := range kvs {
		switch kv.Key {
		case "host.name":
			return
		case "hostname":
			host = i
		}
	}
	if host >= 0 {
		kvs[host].Key = "host.name"
	}
}

// scope returns the scope that the span's tags name.
func (d *reader) scope() *tracewhy.Scope {
	p := &d.span.scope
	var buf [128]byte
	raw := append(append(append(buf[:0], p.Name...), 0), p.Version...)
	s := d.scopes.known[string(raw)]
	if s == nil {
		s = &tracewhy.Scope{Name: strings.Clone(p.Name), Version: strings.Clone(p.Version)}
		d.scopes.keep(raw, s)
	}
	return s
}
