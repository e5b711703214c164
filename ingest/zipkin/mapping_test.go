package zipkin_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tracewhy/tracewhy"
)

// described lists what a span has beside its ids, times and name, in the order of the package comment.
func described(s tracewhy.Span) string {
	d := s.Data()
	var out []string
	add := func(isThere bool, format string, args ...any) {
		if isThere {
			out = append(out, fmt.Sprintf(format, args...))
		}
	}
	attributes := func(what string, kvs []tracewhy.KeyValue) string {
		var list []string
		for _, kv := range kvs {
			list = append(list, fmt.Sprintf("%s%s=%s%v", what, kv.Key, kindNames[kv.Value.Kind()], kv.Value))
		}
		return strings.Join(list, ", ")
	}
	add(d.Kind != 0, "%v", d.Kind)
	add(d.Status != 0 || d.StatusMessage != "", "%v %q", d.Status, d.StatusMessage)
	add(d.TraceState != "", "state %s", d.TraceState)
	add(d.Scope.Name != "" || d.Scope.Version != "", "scope %s@%s", d.Scope.Name, d.Scope.Version)
	add(len(d.Resource.Attributes) > 0, "%s", attributes("resource ", d.Resource.Attributes))
	add(len(d.Attributes) > 0, "%s", attributes("", d.Attributes))
	for _, e := range d.Events {
		add(true, "event %q {%s} -%d", e.Name, attributes("", e.Attributes), e.DroppedAttributes)
	}
	for _, l := range d.Links {
		add(true, "link %x/%x %q {%s} -%d", l.TraceID[15], l.SpanID[7], l.TraceState, attributes("", l.Attributes), l.DroppedAttributes)
	}
	return strings.Join(out, "; ")
}

// What a span has in Zipkin's JSON becomes what OpenTelemetry has for it.
func TestMapping(t *testing.T) {
	tags := func(tags string) string { return `"tags":{` + tags + `}` }
	annotation := func(value string) string {
		return `"annotations":[{"timestamp":1502787600000001,"value":` + value + `}]`
	}
	link := func(n, span int) string {
		return fmt.Sprintf(`"otlp.link.%d":"0000000000000000000000000000000a|000000000000000%d|a=b|{\"k\":\"v|w\",\"n\":1}|2"`, n, span)
	}
	for _, tt := range []struct{ name, members, want string }{
		// Status.
		{"no error", tags(``), ``},
		{"error", tags(`"error":"true"`), `error ""`},
		{"error without text", tags(`"error":""`), `error ""`},
		{"error with a text", tags(`"error":"timed out"`), `error "timed out"; error=timed out`},
		{"error that is false", tags(`"error":"False"`), `error=False`},
		{"error that is a number", tags(`"error":"0"`), `error=0`},
		{"error that is a code", tags(`"error":"503"`), `error "503"; error=503`},
		{"error of yes", tags(`"error":"yes"`), `error ""`},
		{"error and its status, as the Collector has them", tags(`"error":"true","otel.status_code":"STATUS_CODE_ERROR","otel.status_description":"x"`), `error "x"`},
		{"error and its status, as Go has them", tags(`"error":"x","otel.status_code":"ERROR"`), `error "x"`},
		{"error and its status, without a text", tags(`"error":"","otel.status_code":"Error"`), `error ""`},
		{"error with another text than the status", tags(`"error":"x","otel.status_code":"ERROR","otel.status_description":"y"`), `error "y"; error=x`},
		{"a status alone", tags(`"otel.status_code":"OK"`), `ok ""`},
		{"a status of nothing", tags(`"otel.status_code":"UNSET"`), ``},
		{"a status that is OK goes before a text", tags(`"otel.status_code":"OK","error":"x"`), `ok ""; error=x`},
		{"true goes before a status that is OK", tags(`"otel.status_code":"OK","error":"true"`), `error ""`},
		{"error as JSON has it", tags(`"error":true`), `error ""`},

		// Kind.
		{"a kind", `"kind":"PRODUCER"`, `producer`},
		{"internal", tags(`"span.kind":"internal"`), `internal`},
		{"a kind beside a kind", `"kind":"CLIENT",` + tags(`"span.kind":"server"`), `client; span.kind=server`},
		{"shared", `"shared":true`, `server`},
		{"shared by a client", `"shared":true,"kind":"CLIENT"`, `client`},

		// Scope, resource, state.
		{"scope", tags(`"otel.scope.name":"lib","otel.scope.version":"1"`), `scope lib@1`},
		{"library", tags(`"otel.library.name":"lib","otel.library.version":"1"`), `scope lib@1`},
		{"resource", tags(`"telemetry.sdk.name":"opentelemetry","k8s.pod.name":"p","host":"h","service.peer.name":"q"`),
			`resource telemetry.sdk.name=opentelemetry, resource k8s.pod.name=p; host=h, service.peer.name=q`},
		{"the service's case", `"localEndpoint":{"serviceName":"cart"},` + tags(`"service.name":"Cart"`), `resource service.name=Cart`},
		{"no service", `"localEndpoint":{"serviceName":"otlpresourcenoservicename"}`, ``},
		{"a service that is a function", `"localEndpoint":{"serviceName":"f"},` + tags(`"otlp.service.name.source":"faas.name"`), `resource faas.name=f`},
		{"a tracestate", tags(`"w3c.tracestate":"ot=th:8"`), `state ot=th:8`},
		{"no timestamp", tags(`"otel.zipkin.absentField.startTime":"true"`), ``},

		// Endpoints.
		{"local", `"localEndpoint":{"serviceName":"s","ipv4":"10.0.0.1","ipv6":"2001:db8::C001","port":80}`,
			`resource service.name=s, resource service.instance.id=10.0.0.1; network.local.address=10.0.0.1, network.local.port=int 80`},
		{"local with an instance", `"localEndpoint":{"serviceName":"s","ipv6":"2001:DB8::c001"},` + tags(`"host.name":"h"`),
			`resource host.name=h, resource service.name=s; network.local.address=2001:db8::c001`},
		{"remote", `"remoteEndpoint":{"serviceName":"db","ipv6":"::ffff:10.0.0.2","port":5432}`,
			`peer.service=db, network.peer.address=10.0.0.2, network.peer.port=int 5432`},
		{"a remote that tags name", `"remoteEndpoint":{"serviceName":"db.local","ipv4":"10.0.0.2"},` + tags(`"server.address":"DB.local","network.peer.address":"10.0.0.3"`),
			`server.address=DB.local, network.peer.address=10.0.0.3`},
		{"a remote and a peer", `"remoteEndpoint":{"serviceName":"db"},` + tags(`"peer.service":"DB2"`), `peer.service=DB2`},

		// Events.
		{"an event", annotation(`"cache miss"`), `event "cache miss" {} -0`},
		{"as the Collector has it", annotation(`"miss|{\"k\":\"a|b\",\"n\":1,\"f\":1.5,\"t\":true,\"l\":[1,\"x\"],\"o\":{\"p\":null}}|3"`),
			`event "miss" {k=a|b, n=int 1, f=float 1.5, t=bool true, l=array [1, x], o=map {p: }} -3`},
		{"as Go has it", annotation(`"cache: miss: {\"k\":\"v\"}"`), `event "cache: miss" {k=v} -0`},
		{"as Java has it", annotation(`"\"cache miss\":{\"k\":\"v\"}"`), `event "cache miss" {k=v} -0`},
		{"as the specification has it", annotation(`"\"cache miss\": { \"k\" : \"v\" }"`), `event "cache miss" {k=v} -0`},
		{"as Python has it", annotation(`"{\"cache miss\": {\"k\": \"v\"}}"`), `event "cache miss" {k=v} -0`},
		{"JSON of another kind", annotation(`"{\"a\": {}, \"b\": {}}"`), `event "{\"a\": {}, \"b\": {}}" {} -0`},
		{"JSON that is none", annotation(`"miss: {x}"`), `event "miss: {x}" {} -0`},
		{"bars", annotation(`"a|b|3"`), `event "a|b|3" {} -0`},
		{"nothing", annotation(`""`), `event "" {} -0`},

		// Links.
		{"links", tags(link(10, 3) + "," + link(2, 2) + "," + link(0, 1)),
			`link a/1 "a=b" {k=v|w, n=int 1} -2; link a/2 "a=b" {k=v|w, n=int 1} -2; link a/3 "a=b" {k=v|w, n=int 1} -2`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			set := readZipkin(t, `[{"traceId":"5b8efff798038103d269b633813fc60c","id":"eee19b7ec3c1b174","name":"n",`+tt.members+`}]`)
			if got := described(set.Span(0)); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

// A client and a server that share an id become two spans, whatever comes first, and the children of each
// are its own.
func TestSharedID(t *testing.T) {
	span := func(kind, service, id, parent string) string {
		shared := ""
		if kind == "SERVER" {
			shared = `,"shared":true`
		}
		return `{"traceId":"1","id":"` + id + `","parentId":"` + parent + `","kind":"` + kind + `","name":"` + service + id +
			`","timestamp":1502787600000001,"duration":9,"localEndpoint":{"serviceName":"` + service + `"}` + shared + `}`
	}
	parts := []string{span("CLIENT", "shop", "2", "1"), span("SERVER", "bank", "2", "1"), span("CLIENT", "bank", "3", "2"), span("CLIENT", "shop", "4", "2")}
	for range len(parts) {
		parts = append(parts[1:], parts[0])
		set := readZipkin(t, "["+strings.Join(parts, ",")+"]")
		var tree []string
		for s := range spans(set) {
			parent := "-"
			if p, ok := s.Parent(); ok {
				parent = p.Name() + " of " + p.Service()
			}
			tree = append(tree, s.Name()+" of "+s.Service()+" under "+parent+" "+s.RecordedID().String()[15:])
		}
		slices.Sort(tree)
		const want = "bank2 of bank under shop2 of shop 2; bank3 of bank under bank2 of bank 3; shop2 of shop under - 2; shop4 of shop under shop2 of shop 4"
		if got := strings.Join(tree, "; "); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}
