package timeline

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/internal/quantity"
	"github.com/tracewhy/tracewhy/internal/stats/special"
)

// versionKeys are the attributes of a resource that tell one deployment of a service from another. The first that a
// resource has is its version; a change of any of them is a deployment.
var versionKeys = []string{
	"service.version", "deployment.id", "vcs.ref.head.revision", "vcs.repository.ref.revision",
	"container.image.id", "container.image.tags", "container.image.tag", "k8s.pod.label.pod-template-hash",
}

// Deployments returns the deployments that spans show by themselves: a version of a service, or another of the
// attributes of its resources that come with a deployment (deployment.id, revisions of source code, images of
// containers), that was first seen after others.
//
// Each is a [Change] of the kind "deployment" without an id. It was between Time, when the last trace before passed
// the service, and Until, when the first passed the new version. Share is which share of the service's traces since
// passed the new version: less than 1 where versions ran beside each other, as of a canary. What may have been there
// from the first trace on is none, and neither is a version that comes back.
//
// It takes time in O(n) for n spans, beside sorting the result, which is in the order of time. Its error is that of
// ctx.
func Deployments(ctx context.Context, traces tracewhy.Cohort) ([]Change, error) {
	byService := map[string][]sighting{}
	type build struct{ service, version, label string }
	builds := map[int]build{} // by resource; only looked up
	read := 0
	for t := range traces.Traces() {
		if read++; read%cancelEvery == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		for s := range t.Spans() {
			start, _, ok := s.Interval()
			if !ok {
				continue
			}
			b, ok := builds[s.ResourceIndex()]
			if !ok {
				b.service = s.Service()
				b.version, b.label = versionOf(s)
				builds[s.ResourceIndex()] = b
			}
			if b.label == "" {
				continue
			}
			list := byService[b.service]
			// A trace passes a version once, however many spans it leaves.
			known := false
			for i := len(list) - 1; i >= 0 && list[i].trace == t.Index() && !known; i-- {
				if known = list[i].label == b.label; known {
					list[i].at = min(list[i].at, start)
				}
			}
			if !known {
				byService[b.service] = append(list, sighting{start, t.Index(), b.version, b.label})
			}
		}
	}
	var out []Change
	for service, list := range byService { // sorted below
		out = append(out, deployments(service, list)...)
	}
	slices.SortFunc(out, compareChanges)
	return out, ctx.Err()
}

// A sighting is a version that a trace passed.
type sighting struct {
	at             int64
	trace          int
	version, label string
}

// unseen is the probability, of a version that was there all the time, of not being seen before: a version with a larger
// one is not said to be new.
const unseen = 0.01

func deployments(service string, list []sighting) []Change {
	slices.SortFunc(list, func(x, y sighting) int {
		return cmp.Or(cmp.Compare(x.at, y.at), cmp.Compare(x.trace, y.trace), cmp.Compare(x.label, y.label))
	})
	count := map[string]int{} // of each label, from the end; only looked up
	after := make([]int, len(list))
	for i := len(list) - 1; i >= 0; i-- {
		count[list[i].label]++
		after[i] = count[list[i].label]
	}
	var out []Change
	seen := map[string]bool{} // only looked up
	for i, x := range list {
		if seen[x.label] {
			continue
		}
		seen[x.label] = true
		share := float64(after[i]) / float64(len(list)-i)
		if special.Exp(float64(float64(i)*special.Log1p(-min(share, 1-1e-9)))) > unseen {
			continue // it may have been there all the time
		}
		before := list[i-1]
		text := fmt.Sprintf("%s was first seen after %s", x.version, before.version)
		if x.version == before.version {
			text = fmt.Sprintf("another build of %s was first seen", x.version)
		}
		if share < 1 {
			text += fmt.Sprintf(", and ran beside others, with %s of the traces", quantity.Percent(share))
		}
		out = append(out, Change{
			Time: time.Unix(0, before.at).UTC(), Until: time.Unix(0, x.at).UTC(), Kind: "deployment", Service: service,
			Description: text, Version: x.version, Share: share,
		})
	}
	return out
}

// versionOf returns the version of a span's resource, and what tells its deployment from all others of the service.
func versionOf(s tracewhy.Span) (version, label string) {
	var b strings.Builder
	for _, key := range versionKeys {
		v, ok := s.ResourceAttr(key)
		if !ok || v.String() == "" {
			continue
		}
		if version == "" {
			version = v.String()
		}
		fmt.Fprintf(&b, "%s=%q ", key, v.String())
	}
	return version, b.String()
}
