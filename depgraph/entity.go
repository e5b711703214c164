package depgraph

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/tracewhy/tracewhy"
)

// entityKey names a service, which has spans, or something that is only called.
type entityKey struct {
	isDependency bool
	name         string
}

// entity is a service or a dependency, and all that is said of it.
type entity struct {
	entityKey
	class                                Class
	vendor, category, criticality, owner string
	names, hosts                         votes // what calls call it, and where they go
	untagged, tagged                     int   // calls
}

// votes counts names, and tells the one that has most: the first of them in order.
type votes map[string]int

func (v votes) winner() (name string, n int) {
	for k, c := range v {
		if c > n || c == n && k < name {
			name, n = k, c
		}
	}
	return name, n
}

func (v votes) add(name string) {
	if name != "" {
		v[name]++
	}
}

func (v votes) total() int {
	n := 0
	for _, c := range v {
		n += c
	}
	return n
}

func vote[K comparable](m map[K]votes, key K, name string) {
	if m[key] == nil {
		m[key] = votes{}
	}
	m[key][name]++
}

func (v *view) serviceOf(s tracewhy.Span) int32 { return v.byKey[entityKey{name: s.Service()}] }

// identify finds out what each call is made to, and classifies all of it.
func (v *view) identify() {
	said := v.services()
	answers := map[string]votes{} // by name of a peer: the services that answer
	usual := map[tracewhy.PathID]votes{}
	vendorAt := map[string]votes{} // by host: the vendors that tagged calls name
	for i := range v.calls {
		c := &v.calls[i]
		p := &v.peers[c.peer]
		switch {
		case c.isDirect:
		case !c.remote.IsZero():
			vote(usual, c.span.Path().ID(), c.remote.Service())
			if p.name != "" && p.vendor == "" {
				vote(answers, p.name, c.remote.Service())
			}
		case p.vendor != "" && p.host != "":
			vote(vendorAt, p.host, p.vendor)
		}
	}
	targets := make([]entityKey, len(v.calls))
	for i := range v.calls {
		c := &v.calls[i]
		p := &v.peers[c.peer]
		targets[i] = v.target(c, p, answers, usual, vendorAt)
		if _, ok := said[targets[i]]; !ok {
			said[targets[i]] = &evidence{}
		}
		said[targets[i]].hear(c, p)
	}
	keys := make([]entityKey, 0, len(said))
	for k := range said {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b entityKey) int {
		if a.isDependency != b.isDependency {
			if b.isDependency {
				return -1
			}
			return 1
		}
		return cmp.Compare(a.name, b.name)
	})
	v.byKey = make(map[entityKey]int32, len(keys))
	where := v.newEstate()
	for i, k := range keys {
		v.byKey[k] = int32(i)
		v.entities = append(v.entities, said[k].entity(k, v.cfg, where))
	}
	for i := range v.calls {
		c := &v.calls[i]
		c.to = v.byKey[targets[i]]
		from := c.span
		if c.isDirect {
			from, _ = c.span.Parent()
		}
		c.from = v.serviceOf(from)
	}
}

// target says what a call is made to.
func (v *view) target(c *call, p *peer, answers map[string]votes, usual map[tracewhy.PathID]votes, vendorAt map[string]votes) entityKey {
	if !c.remote.IsZero() {
		return entityKey{name: c.remote.Service()}
	}
	if p.rule > 0 {
		if r := &v.cfg.Rules[p.rule-1]; r.Vendor != "" {
			return entityKey{true, r.Vendor}
		}
	}
	if p.vendor != "" {
		return entityKey{true, p.vendor}
	}
	if service, n := answers[p.name].winner(); 2*n > answers[p.name].total() {
		return entityKey{name: service}
	}
	if _, ok := v.byKey[entityKey{name: p.name}]; ok && p.name != "" && p.name != c.span.Service() {
		return entityKey{name: p.name}
	}
	if vendor, n := vendorAt[p.host].winner(); p.host != "" && 2*n > vendorAt[p.host].total() {
		return entityKey{true, vendor}
	}
	// Clients that got no connection know no address, and say less than they do of other calls.
	if service, n := usual[c.span.Path().ID()].winner(); n > 0 && (p.name == "" || p.key == "rpc.service") {
		return entityKey{name: service}
	}
	if p.name != "" {
		return entityKey{true, p.name}
	}
	return entityKey{true, "unnamed, called by " + c.span.Service()}
}

// services notes what spans say of their own services. Until entities are numbered byKey knows only
// whether there is such a service.
func (v *view) services() map[entityKey]*evidence {
	said := map[entityKey]*evidence{}
	v.byKey = map[entityKey]int32{}
	resources := map[int]bool{}
	for _, t := range v.traces {
		for s := range t.Spans() {
			k := entityKey{name: s.Service()}
			e := said[k]
			if e == nil {
				e = &evidence{}
				said[k] = e
				v.byKey[k] = 0
			}
			_, hasParent := s.Parent()
			e.spans++
			if hasParent || s.Kind() != tracewhy.KindClient {
				if p, _ := s.Parent(); !hasParent || p.Service() != s.Service() {
					e.entered++
				}
			}
			if s.Kind() == tracewhy.KindServer || s.Kind() == tracewhy.KindConsumer {
				if id, ok := s.AttrID(KeyType); ok {
					e.kinds.add(strings.ToLower(v.set.AttrValue(id).Str()))
				}
			}
			if !resources[s.ResourceIndex()] {
				resources[s.ResourceIndex()] = true
				e.resource(s, v.cfg)
			}
		}
	}
	return said
}

// newEstate learns the domains that services answer in.
func (v *view) newEstate() *estate {
	e := &estate{learned: map[string]bool{}}
	for _, h := range v.cfg.OwnHosts {
		e.own = append(e.own, strings.TrimPrefix(hostOf(h), "."))
	}
	for i := range v.calls {
		if c := &v.calls[i]; !c.remote.IsZero() && !v.peers[c.peer].isTagged() {
			if d := domainOf(v.peers[c.peer].host); d != "" {
				e.learned[d] = true
			}
		}
	}
	return e
}

// evidence is what spans say of one entity.
type evidence struct {
	spans, entered                     int
	calls, tagged                      int
	stores, queues, rpcs               int
	kinds                              votes
	vendors, categories, criticalities votes
	owners                             votes
	hosts, names                       votes
	rules                              map[int]int
}

func (e *evidence) init() {
	if e.kinds == nil {
		e.kinds, e.vendors, e.categories, e.criticalities, e.owners = votes{}, votes{}, votes{}, votes{}, votes{}
		e.hosts, e.names, e.rules = votes{}, votes{}, map[int]int{}
	}
}

func (e *evidence) resource(s tracewhy.Span, cfg *Config) {
	e.init()
	if v, ok := s.ResourceAttr(KeyType); ok {
		e.kinds.add(strings.ToLower(v.Str()))
	}
	for _, k := range cfg.ownerKeys() {
		if v, ok := s.ResourceAttr(k); ok && v.Str() != "" {
			e.owners.add(v.Str())
			return
		}
		if v, ok := s.Attr(k); ok && v.Str() != "" && !isCalling(s) {
			e.owners.add(v.Str())
			return
		}
	}
}

// hear notes what a call says of what it is made to.
func (e *evidence) hear(c *call, p *peer) {
	e.init()
	e.calls++
	if p.isTagged() {
		e.tagged++
	}
	if p.rule > 0 {
		e.rules[p.rule]++
	}
	e.kinds.add(p.kind)
	e.vendors.add(p.vendor)
	e.categories.add(p.category)
	e.criticalities.add(p.criticality)
	e.owners.add(p.owner)
	e.hosts.add(p.host)
	e.names.add(p.name)
	if p.isStore {
		e.stores++
	}
	if p.isQueue {
		e.queues++
	}
	if p.isRPC {
		e.rpcs++
	}
}

// entity draws the conclusions.
func (e *evidence) entity(k entityKey, cfg *Config, where *estate) entity {
	e.init()
	x := entity{entityKey: k, names: e.names, hosts: e.hosts, tagged: e.tagged, untagged: e.calls - e.tagged}
	x.vendor, _ = e.vendors.winner()
	x.category, _ = e.categories.winner()
	x.criticality, _ = e.criticalities.winner()
	x.owner, _ = e.owners.winner()
	rule := e.rule(k, cfg)
	if rule != nil {
		x.vendor = cmp.Or(x.vendor, rule.Vendor)
		x.category, x.criticality = cmp.Or(x.category, rule.Category), cmp.Or(x.criticality, rule.Criticality)
		x.owner = cmp.Or(rule.Owner, x.owner)
	}
	x.class = e.classify(k, rule, where)
	if x.class.Domain == DomainExternal && k.isDependency {
		x.vendor = cmp.Or(x.vendor, k.name)
	}
	return x
}

// rule returns the first rule that matched a call, or that names the entity.
func (e *evidence) rule(k entityKey, cfg *Config) *Rule {
	for i := range cfg.Rules {
		if r := &cfg.Rules[i]; e.rules[i+1] > 0 || r.Call == nil && r.Name != "" && r.matches(k.name) {
			return r
		}
	}
	return nil
}

// classify goes by the first that says something: a tag, a rule, and then what calls look like.
func (e *evidence) classify(k entityKey, rule *Rule, where *estate) Class {
	if kind, n := e.kinds.winner(); n > 0 {
		domain := DomainUnclassified
		if kind == string(DomainExternal) || kind == string(DomainInternal) {
			domain = Domain(kind)
		}
		if domain != DomainUnclassified {
			return Class{domain, BasisTag, fmt.Sprintf("%s = %s on %d of %d calls or resources", KeyType, kind, n, max(e.kinds.total(), e.calls))}
		}
	}
	if vendor, n := e.vendors.winner(); n > 0 {
		return Class{DomainExternal, BasisTag, fmt.Sprintf("%s = %s on %d of %d calls", KeyVendor, vendor, n, e.calls)}
	}
	if rule != nil && rule.Domain != "" {
		return Class{rule.Domain, BasisRule, "a rule for " + cmp.Or(rule.Name, "its calls")}
	}
	host, _ := e.hosts.winner()
	switch {
	case e.spans > 0 && e.entered == 0:
		return Class{DomainUnclassified, BasisNone, "it only begins traces and makes calls, as a customer's device does"}
	case e.spans > 0:
		if e.names[k.name] > 0 {
			return Class{DomainInternal, BasisPeer, fmt.Sprintf("%d calls name it, and it has spans of its own", e.names[k.name])}
		}
		return Class{DomainInternal, BasisSpans, fmt.Sprintf("it has %d spans of its own", e.spans)}
	case e.stores > 0:
		return Class{DomainInternal, BasisStore, fmt.Sprintf("%d of %d calls name a database system", e.stores, e.calls)}
	case host != "":
		isOwn, why := where.of(host)
		domain := DomainExternal
		if isOwn {
			domain = DomainInternal
		}
		return Class{domain, BasisAddress, fmt.Sprintf("calls go to %s: %s", host, why)}
	case e.queues > 0:
		return Class{DomainUnclassified, BasisMessaging, "messages are sent to it, and whoever takes them has no spans"}
	case e.rpcs > 0:
		return Class{DomainUnclassified, BasisRPC, fmt.Sprintf("%d calls name an RPC service that has no spans, and no address", e.rpcs)}
	}
	return Class{DomainUnclassified, BasisNoServer, fmt.Sprintf("%d calls have no server side, and no address", e.calls)}
}
