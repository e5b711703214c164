package depgraph

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/tracewhy/tracewhy"
)

// AuditResult is what is wrong with how the boundaries of an estate are recorded.
type AuditResult struct {
	Findings []AuditFinding     `json:"findings"` // by kind, then by calls, the most first
	Warnings []tracewhy.Warning `json:"warnings"`
}

// AuditKind says what is wrong with a boundary.
type AuditKind string

// What may be wrong with a boundary.
const (
	AuditUntagged AuditKind = "untagged" // it looks external, or is that of nobody known, and no call is tagged
	AuditPartly   AuditKind = "partly"   // some calls are tagged and others not
	AuditConflict AuditKind = "conflict" // tagged as external, and it has an internal address
	AuditSpelling AuditKind = "spelling" // two names that differ in spelling only
	AuditNoOwner  AuditKind = "no owner" // it is external, and no team is named for it
)

// AuditFinding is one thing that is wrong with a boundary.
type AuditFinding struct {
	Kind    AuditKind `json:"kind"`
	Names   []string  `json:"names"` // of the dependency; the spellings
	Calls   int       `json:"calls"` // that it concerns
	Message string    `json:"message"`
}

// Audit looks for boundaries that are not recorded as they should be. Errors and complexity are as for
// [Build].
func Audit(ctx context.Context, cohort tracewhy.Cohort, cfg Config) (*AuditResult, error) {
	v, err := newView(ctx, &cfg, tracewhy.Cohort{}, cohort)
	if err != nil {
		return nil, err
	}
	r := &AuditResult{Findings: []AuditFinding{}, Warnings: v.warnings()}
	add := func(kind AuditKind, calls int, message string, names ...string) {
		r.Findings = append(r.Findings, AuditFinding{kind, names, calls, message})
	}
	where := v.newEstate()
	spellings := map[string][]int32{}
	for i := range v.entities {
		x := &v.entities[i]
		calls := x.tagged + x.untagged
		if calls == 0 {
			continue
		}
		if key := spelling(x.name); key != "" {
			spellings[key] = append(spellings[key], int32(i))
		}
		isExternal := x.class.Domain == DomainExternal
		switch {
		case x.tagged == 0 && x.class.Basis != BasisRule && (isExternal || x.class.Domain == DomainUnclassified && x.isDependency):
			add(AuditUntagged, x.untagged, fmt.Sprintf("calls to it are not tagged with %s: %s", KeyType, x.class.Reason), x.name)
		case x.tagged > 0 && x.untagged > 0:
			add(AuditPartly, x.untagged, fmt.Sprintf("%d of %d calls to it are not tagged with %s", x.untagged, calls, KeyType), x.name)
		}
		if isExternal && x.class.Basis == BasisTag {
			if host, n := x.hosts.winner(); n > 0 {
				if isOwn, why := where.of(host); isOwn {
					add(AuditConflict, n, fmt.Sprintf("it is tagged as external, and calls go to %s: %s", host, why), x.name)
				}
			}
		}
		if isExternal && x.owner == "" {
			add(AuditNoOwner, calls, "nobody is named who answers for it: "+KeyOwner+", or a rule", x.name)
		}
	}
	for _, list := range spellings {
		if len(list) < 2 {
			continue
		}
		names, calls := []string{}, 0
		for _, e := range list {
			names = append(names, v.entities[e].name)
			calls += v.entities[e].tagged + v.entities[e].untagged
		}
		add(AuditSpelling, calls, "names that differ in spelling only: they are counted apart", names...)
	}
	slices.SortFunc(r.Findings, func(x, y AuditFinding) int {
		return cmp.Or(cmp.Compare(x.Kind, y.Kind), cmp.Compare(y.Calls, x.Calls), slices.Compare(x.Names, y.Names))
	})
	return r, nil
}

// companyForms are words that say of a name what kind of company it is.
var companyForms = [...]string{"incorporated", "corporation", "limited", "corp", "gmbh", "inc", "ltd", "llc", "plc", "ag", "sa"}

// spelling returns what is left of a name without case, marks, and what kind of company it is. Of a host
// nothing is left but case: its dots mean something.
func spelling(name string) string {
	if domainOf(hostOf(name)) != "" {
		return hostOf(name)
	}
	s := strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, name)
	for _, f := range companyForms {
		if rest, ok := strings.CutSuffix(s, f); ok && len(rest) >= 4 {
			return rest
		}
	}
	return s
}
