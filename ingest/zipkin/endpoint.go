package zipkin

import (
	"math"
	"net/netip"
	"slices"
	"strings"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/ingest/internal/decode"
)

// An endpoint is one side of a call.
type endpoint struct {
	service    string
	ipv4, ipv6 netip.Addr
	port       int64
}

// address returns the address of the endpoint, or "".
func (e *endpoint) address() string {
	for _, a := range [...]netip.Addr{e.ipv4, e.ipv6} {
		if a.IsValid() {
			return a.String()
		}
	}
	return ""
}

// decodeEndpoint decodes the endpoint at B[i]. What is none is left out, and noted.
func (d *reader) decodeEndpoint(i int, e *endpoint) int {
	*e = endpoint{}
	if d.B[i] != '{' {
		if d.B[i] != 'n' {
			d.Note(tracewhy.ProblemAttributeInvalid, i)
		}
		return d.Pass(i)
	}
	return d.Fields(i, func(name []byte, i int) (next int) {
		switch string(name) {
		case "serviceName":
			e.service, next = d.serviceName(i)
		case "ipv4":
			e.ipv4, next = d.ip(i)
		case "ipv6":
			e.ipv6, next = d.ip(i)
		case "port":
			e.port, next = d.port(i)
		default:
			next = d.Pass(i)
		}
		return next
	})
}

// noServiceName is what the Collector calls the service of a resource without attributes.
const noServiceName = "OTLPResourceNoServiceName"

func (d *reader) serviceName(i int) (string, int) {
	s, kind, next := d.Token(i)
	if next < 0 || kind == decode.NullToken {
		return "", next
	}
	if kind != decode.TextToken {
		d.Note(tracewhy.ProblemValueInvalid, i)
		return "", next
	}
	if strings.EqualFold(decode.View(s), noServiceName) {
		return "", next
	}
	return decode.View(d.Cut(s, i)), next
}

func (d *reader) ip(i int) (netip.Addr, int) {
	s, kind, next := d.Token(i)
	if next < 0 || kind == decode.NullToken || kind == decode.TextToken && len(s) == 0 {
		return netip.Addr{}, next
	}
	a, err := netip.ParseAddr(decode.View(s))
	if kind != decode.TextToken || err != nil {
		d.Note(tracewhy.ProblemAttributeInvalid, i)
		return netip.Addr{}, next
	}
	return a.Unmap().WithZone(strings.Clone(a.Zone())), next
}

func (d *reader) port(i int) (int64, int) {
	s, kind, next := d.Token(i)
	if next < 0 || kind == decode.NullToken || kind == decode.TextToken && len(s) == 0 {
		return 0, next
	}
	n, ok := int64(0), false
	if kind == decode.NumberToken || kind == decode.TextToken {
		n, ok = decode.ExactInt64(s)
	}
	switch {
	case !ok || n < 0 || n > math.MaxUint16:
		d.Note(tracewhy.ProblemAttributeInvalid, i)
		return 0, next
	case kind == decode.TextToken:
		d.Note(tracewhy.ProblemValueInvalid, i)
	}
	return n, next
}

// peerNames are attributes that exporters of OpenTelemetry take the name of remoteEndpoint from:
// https://opentelemetry.io/docs/specs/otel/trace/sdk_exporters/zipkin/#remote-endpoint
var peerNames = []string{
	"peer.service", "service.peer.name", "server.address", "net.peer.name", "network.peer.address", "server.socket.domain",
	"server.socket.address", "net.sock.peer.name", "net.sock.peer.addr", "peer.hostname", "peer.address", "db.name", "db.namespace",
}

// settlePeer makes attributes of the endpoints, unless there are such.
func (d *reader) settlePeer(at int) {
	p := &d.span
	tags := d.Span.Attributes
	has := func(key string) bool {
		return slices.ContainsFunc(tags, func(kv tracewhy.KeyValue) bool { return kv.Key == key })
	}
	if p.remote.service != "" && !slices.ContainsFunc(tags, func(kv tracewhy.KeyValue) bool {
		return kv.Key == "peer.service" || strings.EqualFold(kv.Value.Str(), p.remote.service) && slices.Contains(peerNames, kv.Key)
	}) {
		d.attribute("peer.service", tracewhy.StringOf(p.remote.service), at)
	}
	for _, side := range [...]struct {
		*endpoint
		addressKey, portKey string
	}{{&p.remote, "network.peer.address", "network.peer.port"}, {&p.local, "network.local.address", "network.local.port"}} {
		if a := side.address(); a != "" && !has(side.addressKey) {
			d.attribute(side.addressKey, tracewhy.StringOf(a), at)
		}
		if side.port != 0 && !has(side.portKey) {
			d.attribute(side.portKey, tracewhy.IntOf(side.port), at)
		}
	}
}

// attribute adds an attribute to the span, if there is room for it.
func (d *reader) attribute(key string, v tracewhy.Value, at int) {
	if !d.Room(d.Attrs, at) {
		d.Over.Attributes++
		return
	}
	d.Attrs++
	d.Span.Attributes = append(d.Span.Attributes, tracewhy.KeyValue{Key: key, Value: v})
}
