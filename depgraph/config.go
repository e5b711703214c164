package depgraph

import (
	"errors"
	"strings"

	"github.com/tracewhy/tracewhy"
)

// Config says what is known beside the spans. All analyses of this package take it, so that they agree on
// what is whose. Its zero value is the documented default.
type Config struct {
	// Rules say whose things are where no tag does; the first that matches holds.
	Rules []Rule
	// OwnHosts are hosts, and domains with all hosts in them, that are internal: "bank.example".
	OwnHosts []string
	// OwnerKeys are attributes of resources and spans that name the team that answers for a service.
	// Nil means service.owner, team.name, team and owner.
	OwnerKeys []string
	// Synthetic says which traces are of tests rather than of customers. Nil means those whose primary root
	// has user_agent.synthetic.type, or synthetic = true.
	Synthetic *tracewhy.Predicate
	// Outcome says which transactions failed.
	Outcome tracewhy.OutcomeRule
	// Workers bounds how many goroutines are used; 0 means GOMAXPROCS. It never changes the result.
	Workers int
}

// Rule says whose something is: a service, or what a call leaves for.
type Rule struct {
	// Name is the name of the service or peer, or its address, in any case; * stands for any text, as in
	// "*.bureau.example". "" means any.
	Name string
	// Call, if not nil, must match the calling span. Such a rule is not for services that are only roots.
	Call *tracewhy.Matcher

	Domain      Domain // "" leaves it to what the spans say
	Vendor      string // what it is called from then on, whatever it was called; "" leaves its name
	Category    string
	Criticality string
	Owner       string
}

// ErrCohorts is returned where there is nothing to look at, or nothing to compare: a cohort is empty, or
// two select from different Sets.
var ErrCohorts = errors.New("depgraph: cohorts must be of one Set, and none may be empty")

// matches reports whether the rule's name is one of these.
func (r *Rule) matches(names ...string) bool {
	if r.Name == "" {
		return true
	}
	for _, n := range names {
		if n != "" && like(strings.ToLower(r.Name), strings.ToLower(n)) {
			return true
		}
	}
	return false
}

// like reports whether text has the form of a pattern, in which * stands for any text. Of a pattern's
// pieces each is looked for at its first place after the last one, which finds a match if there is any.
func like(pattern, text string) bool {
	first, rest, wild := strings.Cut(pattern, "*")
	if !wild {
		return pattern == text
	}
	text, ok := strings.CutPrefix(text, first)
	for ok && wild {
		var piece string
		piece, rest, wild = strings.Cut(rest, "*")
		if !wild {
			return strings.HasSuffix(text, piece)
		}
		_, text, ok = strings.Cut(text, piece)
	}
	return ok
}

func (c *Config) ownerKeys() []string {
	if c.OwnerKeys == nil {
		return []string{"service.owner", "team.name", "team", "owner"}
	}
	return c.OwnerKeys
}

func (c *Config) isSynthetic(t tracewhy.Trace) bool {
	if c.Synthetic != nil {
		return c.Synthetic.Holds(t)
	}
	if _, ok := t.Root().Attr("user_agent.synthetic.type"); ok {
		return true
	}
	v, ok := t.Root().Attr("synthetic")
	return ok && v.Canonical().Bool()
}
