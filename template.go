package tracewhy

import (
	"bytes"
	"slices"
	"strings"
)

// Span names should have few values, but some carry identifiers: GET /users/4711, worker-7, a query
// with its literals. A template replaces those, {id} for an identifier, ? for a query's literal, so that
// the calls of one operation are counted together. Two mistakes are possible, and merging what is
// different (v1 and v2, HTTP 500 and HTTP 404) is the worse one. Hence two steps:
//
//  1. What can be nothing else is replaced at once: UUIDs, long hexadecimal or decimal runs, numbers
//     that are a segment of a URL path, query strings, literals in a query.
//  2. Any other part with a digit in it is replaced only where names that are the same but for such
//     parts have more than maxSpellings different ones in that place, and a segment of one digit where
//     other names have an identifier there.
const maxSpellings = 10

// templates maps span names to operations, by the Builder's text numbers.
type templates struct{ to map[uint32]uint32 } // only names that have a template

func (t templates) of(name uint32) uint32 {
	if op, ok := t.to[name]; ok {
		return op
	}
	return name
}

// newTemplates decides for all names that the grouped rows use.
func newTemplates(b *Builder, g *grouping) templates {
	seen := make([]bool, b.dict.texts.Len())
	families := map[string]*family{}
	certain := map[string]bool{} // templates in which something was replaced at once
	for _, tr := range g.traces {
		for _, r := range g.order[tr.from : tr.from+tr.spans] {
			name := b.row(r).name
			if seen[name] {
				continue
			}
			seen[name] = true
			n := splitName(b.dict.texts.String(name))
			if !n.changed && n.loose == nil {
				continue
			}
			if n.changed {
				certain[strings.Join(n.parts, "")] = true
			}
			key := n.family()
			f := families[key]
			if f == nil {
				f = &family{spellings: make([]map[string]bool, len(n.loose))}
				families[key] = f
			}
			f.add(name, n)
		}
	}
	t := templates{to: map[uint32]uint32{}}
	for _, f := range families {
		for _, name := range f.names {
			n := splitName(b.dict.texts.String(name))
			op, changed := f.template(n)
			if !changed {
				op, changed = n.shortID(certain)
			}
			if changed {
				t.to[name] = b.text(op)
				b.problems.note(ProblemNameTemplated, "", TraceID{})
			}
		}
	}
	return t
}

// A family is a group of names that differ in their loose parts only.
type family struct {
	names     []uint32
	spellings []map[string]bool // by loose part, up to maxSpellings+1
}

func (f *family) add(name uint32, n splitted) {
	f.names = append(f.names, name)
	for i, at := range n.loose {
		if f.spellings[i] == nil {
			f.spellings[i] = map[string]bool{}
		}
		if len(f.spellings[i]) <= maxSpellings {
			f.spellings[i][n.parts[at]] = true
		}
	}
}

// template returns a name with the loose parts replaced that vary too much, and whether it is
// another text than the name.
func (f *family) template(n splitted) (string, bool) {
	for i, at := range n.loose {
		if len(f.spellings[i]) > maxSpellings {
			n.parts[at] = placeholder(n.parts[at], "{id}")
			n.changed = true
		}
	}
	return strings.Join(n.parts, ""), n.changed
}

// shortID returns the template that the name shares with others if its one-digit path segments, from
// the last one on, are identifiers as theirs are: /users/7 beside /users/12.
func (n splitted) shortID(certain map[string]bool) (string, bool) {
	parts := slices.Clone(n.parts)
	const tries = 4 // a name is as long as a producer likes
	for _, at := range slices.Backward(n.loose[max(0, len(n.loose)-tries):]) {
		if at == 0 || len(parts[at]) > 1 || !strings.HasSuffix(parts[at-1], "/") {
			continue
		}
		parts[at] = "{id}"
		if op := strings.Join(parts, ""); certain[op] {
			return op, true
		}
	}
	return "", false
}

// placeholder puts id in place of a part, but keeps a word before a number: worker7 becomes worker{id}.
func placeholder(part, id string) string {
	word := strings.TrimRight(part, "0123456789")
	if strings.ContainsAny(word, "0123456789") {
		word = ""
	}
	return word + id
}

// splitted is a span name in parts.
type splitted struct {
	parts   []string
	loose   []int // places of parts that have a digit, but may be part of the name
	changed bool  // a part was replaced already
}

// family returns what the name has in common with those that differ in their loose parts only.
func (n splitted) family() string {
	parts := slices.Clone(n.parts)
	for _, at := range n.loose {
		parts[at] = placeholder(parts[at], "\xff") // in no name, since those are UTF-8
	}
	return strings.Join(parts, "")
}

// splitName takes a name apart and replaces what is certain to be an identifier.
func splitName(name string) (n splitted) {
	if !strings.ContainsAny(name, "0123456789'?") {
		return n
	}
	if isQuery(name) {
		q := withoutLiterals(name)
		return splitted{parts: []string{q}, changed: q != name}
	}
	if at, ok := queryString(name); ok {
		name, n.changed = name[:at], true
	}
	last := "" // the word before
	for i := 0; i < len(name); {
		j := i
		for j < len(name) && !isWordByte(name[j]) {
			j++
		}
		if j > i {
			n.parts = append(n.parts, name[i:j])
			i = j
			continue
		}
		for j < len(name) && isWordByte(name[j]) {
			j++
		}
		if k := i + uuidLen; k <= len(name) && isUUID(name[i:k]) && (k == len(name) || !isWordByte(name[k])) {
			j = k
		}
		part := name[i:j]
		switch {
		case !strings.ContainsAny(part, "0123456789"):
		case isIdentifier(part) || !isCodeWord(last) && isPathNumber(name, i, j):
			part, n.changed = "{id}", true
		case !isCodeWord(last):
			n.loose = append(n.loose, len(n.parts))
		}
		n.parts = append(n.parts, part)
		last, i = part, j
	}
	return n
}

// isCodeWord reports whether a number after the word means something, as in HTTP 500 and /errors/404.
func isCodeWord(word string) bool {
	switch strings.ToLower(word) {
	case "http", "status", "code", "codes", "error", "errors", "version":
		return true
	}
	return false
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isHex(c byte) bool { return isDigit(c) || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F' }

func isWordByte(c byte) bool {
	return isDigit(c) || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

const uuidLen = 36

func isUUID(s string) bool {
	for i := range len(s) {
		if isDash := i == 8 || i == 13 || i == 18 || i == 23; isDash != (s[i] == '-') || !isDash && !isHex(s[i]) {
			return false
		}
	}
	return len(s) == uuidLen
}

// isIdentifier reports whether a part with digits can be nothing but an identifier: a UUID, 6 digits,
// 16 hexadecimal ones, or 20 letters and digits with 5 digits among them.
func isIdentifier(part string) bool {
	digits, hex := 0, 0
	for i := range len(part) {
		if isDigit(part[i]) {
			digits++
		}
		if isHex(part[i]) {
			hex++
		}
	}
	n := len(part)
	return digits == n && n >= 6 || hex == n && n >= 16 || n >= 20 && digits >= 5
}

// isPathNumber reports whether name[i:j] is a number of two digits or more, and a whole segment of a
// URL path. One digit may be the version of an API.
func isPathNumber(name string, i, j int) bool {
	return j-i >= 2 && i > 0 && name[i-1] == '/' && (j == len(name) || strings.IndexByte("/?#:. ", name[j]) >= 0) &&
		strings.Trim(name[i:j], "0123456789") == ""
}

// queryString finds the query string of a URL in the name.
func queryString(name string) (at int, ok bool) {
	at = strings.IndexByte(name, '?')
	if at < 0 || !strings.Contains(name[at:], "=") {
		return 0, false
	}
	path := name[:at]
	path = path[strings.LastIndexByte(path, ' ')+1:]
	return at, strings.Contains(path, "/")
}

var queryVerbs = []string{"SELECT", "INSERT", "UPDATE", "DELETE", "WITH", "MERGE", "CALL", "EXEC", "REPLACE"}

// isQuery reports whether the name is a database query rather than the name of one: SELECT * FROM t
// is, SELECT shop.orders and DELETE /orders/{id} are not.
func isQuery(name string) bool {
	at := strings.IndexAny(name, " \t\r\n")
	if at < 0 {
		return false
	}
	verb, rest := name[:at], strings.TrimSpace(name[at:])
	if strings.HasPrefix(rest, "/") || strings.Contains(rest, "://") {
		return false
	}
	for _, v := range queryVerbs {
		if strings.EqualFold(verb, v) {
			return strings.ContainsAny(rest, "=(<>'") || slices.Contains(strings.Fields(strings.ToUpper(rest)), "FROM")
		}
	}
	return false
}

// withoutLiterals replaces the texts and numbers in a query by ?, and a list of them by one.
func withoutLiterals(q string) string {
	out := make([]byte, 0, len(q))
	for i := 0; i < len(q); {
		c, j := q[i], i+1
		switch {
		case c == '\'': // a query that was cut may end in a text; two texts in a row are one with a ' in it
			for j < len(q) && q[j] != '\'' {
				if q[j] == '\\' {
					j++
				}
				j++
			}
			j = min(j+1, len(q))
			out = appendLiteral(out)
		case isDigit(c):
			for j < len(q) && (isWordByte(q[j]) || q[j] == '.') {
				j++
			}
			out = appendLiteral(out)
		case isWordByte(c) || c == '_' || c == '$':
			for j < len(q) && (isWordByte(q[j]) || q[j] == '_') {
				j++
			}
			out = append(out, q[i:j]...)
		case c == '"' && strings.IndexByte(q[j:], '"') >= 0: // a quoted name
			j += strings.IndexByte(q[j:], '"') + 1
			out = append(out, q[i:j]...)
		default:
			out = append(out, c)
			for _, next := range []string{", (?)", ",(?)"} { // one row of many
				if bytes.HasSuffix(out, []byte("(?)"+next)) {
					out = out[:len(out)-len(next)]
				}
			}
		}
		i = j
	}
	return string(out)
}

// appendLiteral appends ?, unless it would be the next one of a list, or the other half of a text.
func appendLiteral(out []byte) []byte {
	list := bytes.TrimRight(out, " ")
	if bytes.HasSuffix(list, []byte("?,")) {
		return list[:len(list)-1]
	}
	if bytes.HasSuffix(out, []byte("?")) {
		return out
	}
	return append(out, '?')
}
