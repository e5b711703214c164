package baseline

import "strings"

// markRenamed finds operations of which one side has a template and the other a name that fits it. Whether a
// name is taken for a template depends on the other names of its Set, and two snapshots are of two Sets.
func (d *differ) markRenamed() {
	type place struct {
		caller        *pair
		service, kind string
	}
	var templates [2][]*pair
	names := [2]map[place][]*pair{{}, {}}
	for i := range d.pairs {
		p := &d.pairs[i]
		side := after
		switch {
		case p.ops[after].Executions == 0:
			side = before
		case p.ops[before].Executions > 0:
			continue // it has one name on both sides
		}
		o := p.ops[side]
		if isTemplate(o.Name) {
			templates[side] = append(templates[side], p)
		}
		at := place{p.caller, o.Service, o.Kind}
		names[side][at] = append(names[side][at], p)
	}
	for side, list := range templates {
		for _, t := range list {
			o := t.ops[side]
			for _, p := range names[1-side][place{t.caller, o.Service, o.Kind}] {
				if fits(o.Name, p.ops[1-side].Name) {
					t.renamed, p.renamed = true, true
				}
			}
		}
	}
}

// The parts of templates that stand for what varies: identifiers, and literals of a query.
const (
	anyID      = "{id}"
	anyLiteral = "?"
)

func isTemplate(name string) bool {
	return strings.Contains(name, anyID) || strings.Contains(name, anyLiteral)
}

// fits reports whether a name has something wherever the template says that it varies, and is the same elsewhere.
func fits(template, name string) bool {
	parts := strings.Split(strings.ReplaceAll(template, anyID, anyLiteral), anyLiteral)
	name, ok := strings.CutPrefix(name, parts[0])
	if !ok {
		return false
	}
	last := parts[len(parts)-1]
	if name, ok = strings.CutSuffix(name, last); !ok {
		return false
	}
	for _, part := range parts[1 : len(parts)-1] {
		if len(name) == 0 {
			return false
		}
		at := strings.Index(name[1:], part)
		if at < 0 {
			return false
		}
		name = name[1+at+len(part):]
	}
	return len(name) > 0
}
