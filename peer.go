package tracewhy

import (
	"net/url"
	"strings"
)

// peerKeys are the attributes that name what a span called, the most telling first.
var peerKeys = [...]string{
	"dependency.vendor", "service.peer.name", "peer.service", "server.address", "net.peer.name",
	"db.system.name", "db.system", "messaging.destination.name", "rpc.service", "url.full", "http.url",
}

// Peer returns the name of what the span called, as its attributes say, and the key of the attribute
// that says so: for calls whose other side has no span. Both are "" if none does. The first of these
// decides: dependency.vendor, service.peer.name, peer.service, server.address, net.peer.name,
// db.system.name or db.system (with "/" and db.namespace or db.name, if there is one),
// messaging.destination.name, rpc.service, and the host of url.full or http.url.
func (s Span) Peer() (name, key string) {
	for _, key := range peerKeys {
		v, ok := s.Attr(key)
		if !ok || v.Str() == "" {
			continue
		}
		name := v.Str()
		switch key {
		case "db.system.name", "db.system":
			for _, k := range [...]string{"db.namespace", "db.name"} {
				if db, ok := s.Attr(k); ok && db.Str() != "" {
					name += "/" + db.Str()
					break
				}
			}
		case "url.full", "http.url":
			if name = hostOf(name); name == "" {
				continue
			}
		}
		return name, key
	}
	return "", ""
}

// hostOf returns the host of a URL, without a port.
func hostOf(raw string) string {
	u, err := url.Parse(strings.TrimSpace(raw))
	if err != nil {
		return ""
	}
	return u.Hostname()
}
