package depgraph

import (
	"fmt"
	"net/netip"
	"strings"
)

// Domain says whose something is, or whose fault.
type Domain string

// The domains of things, and of faults. A thing is internal, external or unclassified; a fault has no
// owner for as long as it is undetermined.
const (
	DomainInternal     Domain = "internal"
	DomainExternal     Domain = "external"
	DomainUnclassified Domain = "unclassified" // nothing says whose it is
	DomainBoundary     Domain = "boundary"     // between the two: connecting, the network, a request that was refused
	DomainUndetermined Domain = "undetermined" // the evidence is not enough
)

// Basis says what a [Class] rests on. Where several say something the first holds, in the order of the
// constants.
type Basis string

// The bases. Only a tag and a rule are stated; all others are inferred.
const (
	BasisTag       Basis = "tag"       // dependency.type of calls to it, or of its own spans
	BasisRule      Basis = "rule"      // a Rule of the Config
	BasisPeer      Basis = "peer"      // calls name it (service.peer.name, peer.service), and it is a service of the Set
	BasisStore     Basis = "store"     // calls have a db.system: a store is internal unless a tag or rule says otherwise
	BasisMessaging Basis = "messaging" // calls send messages; nobody that takes them has spans
	BasisAddress   Basis = "address"   // of the calls: private, one of the estate's own, or public
	BasisRPC       Basis = "rpc"       // calls name an rpc.service that has no spans
	BasisNoServer  Basis = "no server" // calls to it have no server side, and no address
	BasisSpans     Basis = "spans"     // it has spans of its own: the kinds change from client to server on the way to it
	BasisNone      Basis = "none"      // it only begins traces and makes calls, as a customer's device does
)

// Class is a domain with the reason for it.
type Class struct {
	Domain Domain `json:"domain"`
	Basis  Basis  `json:"basis"`
	Reason string `json:"reason"` // in words, with what was counted
}

// IsStated reports whether somebody said so, rather than this package inferred it.
func (c Class) IsStated() bool { return c.Basis == BasisTag || c.Basis == BasisRule }

// estate knows which hosts are internal.
type estate struct {
	own     []string        // of the Config, in lower case
	learned map[string]bool // domains that internal services answered at
}

// hostOf returns a host's comparable form: in lower case, without port, brackets and final dot.
func hostOf(address string) string {
	h := strings.ToLower(strings.TrimSpace(address))
	if a, err := netip.ParseAddrPort(h); err == nil {
		return a.Addr().Unmap().String()
	}
	if a, err := netip.ParseAddr(strings.Trim(h, "[]")); err == nil {
		return a.Unmap().String()
	}
	if name, port, ok := strings.Cut(h, ":"); ok && isNumber(port) {
		h = name
	}
	return strings.TrimSuffix(h, ".")
}

func isNumber(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// domainOf returns the domain that a host is in, or "" for an address, and for a host right under a
// top-level domain, whose other hosts are anybody's.
func domainOf(host string) string {
	if _, err := netip.ParseAddr(host); err == nil {
		return ""
	}
	_, domain, _ := strings.Cut(host, ".")
	if !strings.Contains(domain, ".") {
		return ""
	}
	return domain
}

// insideLabels are parts of names that organisations give to what is reached from inside only. The top
// level int is that of treaty organisations.
var insideLabels = map[string]bool{
	"internal": true, "local": true, "localdomain": true, "localhost": true, "lan": true, "corp": true, "intranet": true,
	"intra": true, "int": true, "private": true, "priv": true, "svc": true, "consul": true,
}

// sharedAddresses are those of RFC 6598, which networks of providers use inside.
var sharedAddresses = netip.MustParsePrefix("100.64.0.0/10")

// of returns whether a host is inside, and why.
func (e *estate) of(host string) (isOwn bool, why string) {
	for _, own := range e.own {
		if host == own || strings.HasSuffix(host, "."+own) {
			return true, "it is one of the configured hosts"
		}
	}
	if a, err := netip.ParseAddr(host); err == nil {
		a = a.WithZone("")
		if a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() || a.IsUnspecified() || sharedAddresses.Contains(a) {
			return true, "it is a private address"
		}
		return false, "it is a public address"
	}
	labels := strings.Split(host, ".")
	if len(labels) == 1 {
		return true, "it is a name without a domain"
	}
	for i, l := range labels[1:] {
		if isLast := i == len(labels)-2; insideLabels[l] && !(isLast && l == "int") {
			return true, fmt.Sprintf("its domain has the label %q", l)
		}
	}
	if strings.HasSuffix(host, ".home.arpa") {
		return true, "its domain is home.arpa"
	}
	if d := domainOf(host); d != "" && e.learned[d] {
		return true, "services with spans answer in its domain"
	}
	return false, "it is a public name"
}
