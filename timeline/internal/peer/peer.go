// Package peer names what spans call.
package peer

import "github.com/tracewhy/tracewhy"

// Of returns the name of what a span calls, if it is a call: the service of its remote side, or else what it says
// itself ([tracewhy.Span.Peer]). It is false for spans that have other spans within their service, and for messages.
func Of(s tracewhy.Span) (string, bool) {
	if k := s.Kind(); k == tracewhy.KindServer || k == tracewhy.KindConsumer || k == tracewhy.KindProducer {
		return "", false
	}
	for c := range s.Children() {
		if c.IsRemote() {
			return c.Service(), true
		}
	}
	if s.HasChildren() {
		return "", false
	}
	name, _ := s.Peer()
	return name, name != ""
}
