package depgraph

import "github.com/tracewhy/tracewhy"

// The attributes by which instrumentation says what a call leaves for. They go on the calling span.
const (
	KeyType        = "dependency.type"             // external or internal
	KeyVendor      = "dependency.vendor"           // the vendor's name, always spelled alike
	KeyCategory    = "dependency.service_category" // what it is for, such as credit-scoring
	KeyCriticality = "dependency.criticality"      // how much depends on it, such as high
	KeyOwner       = "dependency.owner"            // the team that answers for the integration
)

// Tags say what a call leaves for, as instrumentation should record it.
type Tags struct {
	Internal    bool   // it is ours, and merely has no spans; the zero value is an external dependency
	Vendor      string // required for an external one
	Category    string
	Criticality string
	Owner       string
}

// Attributes returns the tags as the attributes of a span, leaving out what is empty.
func (t Tags) Attributes() []tracewhy.KeyValue {
	kind := string(DomainExternal)
	if t.Internal {
		kind = string(DomainInternal)
	}
	out := []tracewhy.KeyValue{tracewhy.String(KeyType, kind)}
	for _, kv := range [...][2]string{
		{KeyVendor, t.Vendor}, {KeyCategory, t.Category}, {KeyCriticality, t.Criticality}, {KeyOwner, t.Owner},
	} {
		if kv[1] != "" {
			out = append(out, tracewhy.String(kv[0], kv[1]))
		}
	}
	return out
}
