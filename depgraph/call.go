package depgraph

import (
	"strings"

	"github.com/tracewhy/tracewhy"
)

// ending is how a call ended: a set of bits.
type ending uint8

const (
	endFailed      ending = 1 << iota
	endThrottled          // the other side says that there are too many
	endTimedOut           // the caller gave up
	endUnreachable        // there was no connection to ask on
	endNoSlot             // there was nothing of our own to ask with: a pool was empty
	endRejected           // the other side says that the request is wrong: codes 400 to 499
)

func (e ending) has(x ending) bool { return e&x != 0 }

// These are parts of lower-case names, messages and types of errors. The pools are those of HikariCP,
// SQLAlchemy, pgx, database/sql, Apache's and Go's HTTP clients among others.
var (
	throttleTexts = [...]string{"throttl", "rate limit", "ratelimit", "rate exceeded", "too many requests", "quota exceeded", "resource_exhausted", "slow down"}
	poolTexts     = [...]string{
		"pool", "acquire", "acquiring", "checkout connection", "get connection", "getconnection", "get_connection",
		"connection is not available", "lease", "semaphore", "bulkhead", "getconn", "get_conn", "wait for connection",
	}
	unreachableTexts = [...]string{
		"connection refused", "econnrefused", "no such host", "name resolution", "name or service not known", "enotfound",
		"no route to host", "network is unreachable", "connection reset", "econnreset", "broken pipe", "tls handshake", "handshake failure",
		"certificate", "unknownhostexception", "connectexception",
	}
	connectNames = [...]string{"dns", "connect", "tls", "handshake", "http.connect", "socket connect"}
)

func hasAny(text string, parts []string) bool {
	for _, p := range parts {
		if strings.Contains(text, p) {
			return true
		}
	}
	return false
}

// endingOf reads how a calling span ended. A call may be throttled and answered in the end; all else
// is said of failures only.
func endingOf(s tracewhy.Span) ending {
	var e ending
	if s.Failed() {
		e = endFailed
	}
	switch code, _ := statusCode(s, "http.response.status_code", "http.status_code"); {
	case code == 429:
		e |= endThrottled
	case code == 503:
		if _, ok := s.Attr("http.response.header.retry-after"); ok {
			e |= endThrottled
		}
	case code >= 400 && code < 500 && code != 408 && code != 499:
		e |= endRejected
	}
	if isExhausted(s) {
		e |= endThrottled
	}
	if e == 0 {
		return 0
	}
	text := strings.ToLower(errorText(s))
	if hasAny(text, throttleTexts[:]) {
		e |= endThrottled
	}
	if !e.has(endFailed) {
		return e & endThrottled
	}
	switch {
	case hasAny(text, poolTexts[:]):
		return e | endNoSlot
	case hasAny(text, unreachableTexts[:]):
		e |= endUnreachable
	}
	if _, ok := s.Timeout(); ok {
		e |= endTimedOut
	}
	return e
}

func statusCode(s tracewhy.Span, keys ...string) (float64, bool) {
	for _, k := range keys {
		if v, ok := s.Attr(k); ok {
			return v.Number()
		}
	}
	return 0, false
}

// isExhausted reports gRPC's status RESOURCE_EXHAUSTED, by name or number.
func isExhausted(s tracewhy.Span) bool {
	for _, k := range [...]string{"rpc.response.status_code", "rpc.grpc.status_code", "grpc.status_code"} {
		if v, ok := s.Attr(k); ok {
			n, isNumber := v.Number()
			return isNumber && n == 8 || strings.EqualFold(v.Str(), "RESOURCE_EXHAUSTED")
		}
	}
	return false
}

// errorText returns all that the span says of its error.
func errorText(s tracewhy.Span) string {
	texts := []string{s.StatusMessage()}
	if v, ok := s.Attr("error.type"); ok {
		texts = append(texts, v.Str())
	}
	if s.NumEvents() > 0 {
		for e := range s.Events() {
			if e.Name != "exception" {
				continue
			}
			for _, kv := range e.Attributes {
				if kv.Key == "exception.type" || kv.Key == "exception.message" {
					texts = append(texts, kv.Value.Str())
				}
			}
		}
	}
	return strings.Join(texts, "\n")
}

// isCalling reports whether the span is the calling side of something: by its kind, by a tag, or where
// kinds are not recorded by naming a peer or a store.
func isCalling(s tracewhy.Span) bool {
	switch s.Kind() {
	case tracewhy.KindClient, tracewhy.KindProducer:
		return true
	case tracewhy.KindServer, tracewhy.KindConsumer:
		return false
	}
	for _, key := range [...]string{KeyType, KeyVendor, "service.peer.name", "peer.service", "db.system.name", "db.system"} {
		if _, ok := s.AttrID(key); ok {
			return true
		}
	}
	return false
}

// isPoolWait reports whether the name of a span within a service says that it waits for something
// pooled, and isConnect whether that it opens a connection.
func isPoolWait(s tracewhy.Span) bool { return hasAny(strings.ToLower(s.Name()), poolTexts[:]) }

func isConnect(s tracewhy.Span) bool {
	name := strings.ToLower(s.Name())
	for _, n := range connectNames {
		if name == n || strings.HasPrefix(name, n+".") || strings.HasPrefix(name, n+" ") || strings.HasSuffix(name, "."+n) || strings.HasSuffix(name, " "+n) {
			return true
		}
	}
	return false
}

// peer is what the spans of a call say of the other side, and what a rule does.
type peer struct {
	name, key        string // tracewhy.Span.Peer
	host             string // the address, comparable
	kind             string // dependency.type, in lower case
	vendor           string
	category         string
	criticality      string
	owner            string
	isStore, isQueue bool
	isRPC            bool
	rule             int // of the Config, from 1
}

func (p *peer) isTagged() bool { return p.kind != "" || p.vendor != "" }

func text(s tracewhy.Span, keys ...string) string {
	for _, k := range keys {
		if v, ok := s.Attr(k); ok && v.Str() != "" {
			return v.Str()
		}
	}
	return ""
}

// peerOf reads what one calling span says.
func (c *Config) peerOf(s tracewhy.Span, remote string) peer {
	p := peer{
		kind: strings.ToLower(text(s, KeyType)), vendor: text(s, KeyVendor), category: text(s, KeyCategory),
		criticality: text(s, KeyCriticality), owner: text(s, KeyOwner),
	}
	p.name, p.key = s.Peer()
	if p.host = hostOf(text(s, "server.address", "net.peer.name")); p.host == "" && (p.key == "url.full" || p.key == "http.url") {
		p.host = hostOf(p.name)
	}
	p.isStore = text(s, "db.system.name", "db.system") != ""
	p.isQueue = s.Kind() == tracewhy.KindProducer || text(s, "messaging.system", "messaging.destination.name") != ""
	p.isRPC = text(s, "rpc.service") != ""
	for i := range c.Rules {
		r := &c.Rules[i]
		if (r.Call == nil || r.Call.Matches(s)) && r.matches(p.name, p.host, p.vendor, remote) {
			p.rule = i + 1
			break
		}
	}
	return p
}

// call is what a service does to get something from elsewhere: the outermost calling span, and the
// attempts and waits below it.
type call struct {
	trace    int32         // of the view
	span     tracewhy.Span // the calling side, or the answering one where only that has a span
	remote   tracewhy.Span // the answering side, or the zero Span
	isDirect bool          // span is the answering side
	from     int32         // entity: whose call it is
	to       int32         // entity
	peer     int32         // of the view
	attempts int32         // at least 1
	refused  int32         // attempts that were throttled
	retried  bool          // an attempt failed
	firstTry int64         // when the first attempt below span began, if there are any
	wait     int64         // of the duration, for a pool
	before   int64         // for a pool, just before the call
	ending   ending
}

// duration returns how long the call took as its caller saw it, in nanoseconds, or -1.
func (c *call) duration() int64 { return int64(c.span.Duration()) }
