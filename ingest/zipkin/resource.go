package zipkin

import (
	"cmp"
	"slices"
	"strings"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/ingest/internal/decode"
)

// instanceKeys are the attributes that tell instances of a service apart: [tracewhy.Span.Instance].
var instanceKeys = []string{"service.instance.id", "k8s.pod.name", "k8s.pod.uid", "container.id", "host.name", "host.id"}

// settleResource finds the resource that the span's localEndpoint and its tags describe.
func (d *reader) settleResource() {
	p := &d.span
	nameKey := cmp.Or(p.serviceKey, "service.name")
	name := p.local.service
	if nameKey == "service.name" {
		name = cmp.Or(p.service, name)
	}
	instance := ""
	if !p.instance {
		instance = p.local.address()
	}
	key := d.key[:0]
	for _, s := range [...]string{nameKey, name, instance} {
		key = append(append(key, s...), 0)
	}
	for _, kv := range p.resource {
		key = append(append(append(key, kv.Key...), 0, byte(kv.Value.Kind())), kv.Value.Str()...)
		key = append(key, 0)
	}
	d.key = key
	r := d.resources.Known(key)
	if r == nil {
		r = &tracewhy.Resource{Attributes: decode.Own(slices.Clone(p.resource))}
		if name != "" {
			r.Attributes = append(r.Attributes, tracewhy.String(strings.Clone(nameKey), strings.Clone(name)))
		}
		if nameKey != "service.name" && p.service != "" {
			r.Attributes = append(r.Attributes, tracewhy.String("service.name", strings.Clone(p.service)))
		}
		if instance != "" {
			r.Attributes = append(r.Attributes, tracewhy.String("service.instance.id", instance))
		}
		d.resources.Keep(key, r)
	}
	d.Span.Resource = r
}

// isOfResource reports whether an attribute is one of resources, as OpenTelemetry's conventions have it:
// https://opentelemetry.io/docs/specs/semconv/resource/
func isOfResource(key string) bool {
	group, rest, _ := strings.Cut(key, ".")
	names, ok := ofResource[group]
	switch {
	case !ok || rest == "":
		return false
	case names == nil:
		return true
	}
	return slices.Contains(names, rest)
}

// ofResource has the names of attributes of resources by the groups that they are in; nil for all of one.
var ofResource = map[string][]string{
	"aws": {
		"ecs.cluster.arn", "ecs.container.arn", "ecs.launchtype", "ecs.task.arn", "ecs.task.family", "ecs.task.id", "ecs.task.revision",
		"eks.cluster.arn", "log.group.arns", "log.group.names", "log.stream.arns", "log.stream.names",
	},
	"browser":    {"brands", "language", "mobile", "platform"},
	"cloud":      {"account.id", "availability_zone", "infrastructure_service", "platform", "provider", "region", "resource_id", "zone"},
	"container":  nil,
	"deployment": {"environment", "environment.name", "id", "name", "status"},
	"device":     nil,
	"faas":       {"id", "instance", "max_memory", "name", "version"},
	"gcp": {
		"cloud_run.job.execution", "cloud_run.job.task_index", "gce.instance.hostname", "gce.instance.name",
	},
	"heroku": nil,
	"host":   nil,
	"k8s":    nil,
	"os":     {"build_id", "description", "name", "type", "version"},
	"process": {
		"args_count", "command", "command_args", "command_line", "creation.time", "executable.name", "executable.path", "interactive", "owner",
		"parent_pid", "pid", "runtime.description", "runtime.name", "runtime.version", "title", "working_directory",
	},
	"service":   {"instance.id", "namespace", "version", "criticality"},
	"telemetry": {"auto.version", "distro.name", "distro.version", "sdk.language", "sdk.name", "sdk.version"},
	"webengine": nil,
}
