package tracewhy

import "strings"

// A name template replaces what looks like an identifier by a placeholder: {id} for numbers, UUIDs and
// long hexadecimal runs between separators, ? for the literals of a query.
//
// A name is replaced by its template where the identifier is unmistakable (a UUID, 16 or more
// hexadecimal digits, 5 or more decimal ones), or where more than maxSpellings names of the Set share
// the template: names that vary are no operations. A few numbered names (shard-1, shard-2) stay apart.
const maxSpellings = 10

// templates maps names to operations.
type templates struct {
	b  *Builder
	to []uint32 // by name: operation + 1, 0: not computed
}

// newTemplates decides for all names that the grouped rows use.
func newTemplates(b *Builder, g *grouping) *templates {
	t := &templates{b: b, to: make([]uint32, b.texts.Len())}
	type group struct {
		names   []uint32
		certain bool
	}
	groups := map[string]*group{}
	for _, tr := range g.traces {
		for _, r := range g.order[tr.from : tr.from+tr.spans] {
			name := b.rows[r].name
			if t.to[name] != 0 {
				continue
			}
			t.to[name] = name + 1
			text, certain := template(b.texts.String(name))
			if text == "" {
				continue
			}
			gr := groups[text]
			if gr == nil {
				gr = &group{}
				groups[text] = gr
			}
			gr.names = append(gr.names, name)
			gr.certain = gr.certain || certain
		}
	}
	for text, gr := range groups {
		if !gr.certain && len(gr.names) <= maxSpellings {
			continue
		}
		op := b.text(text)
		for _, name := range gr.names {
			t.to[name] = op + 1
		}
	}
	return t
}

func (t *templates) of(name uint32) uint32 { return t.to[name] - 1 }

// template returns a name's template, or "" if the name has no identifier in it, and whether the
// identifier is unmistakable.
func template(name string) (text string, certain bool) {
	isQuery := looksLikeQuery(name)
	var b strings.Builder
	changed := false
	for i := 0; i < len(name); {
		c := name[i]
		if isQuery && (c == '\'' || c == '"') {
			j := strings.IndexByte(name[i+1:], c)
			if j >= 0 && c == '\'' {
				b.WriteByte('?')
				i += j + 2
				changed, certain = true, true
				continue
			}
		}
		if !isTokenByte(c) {
			b.WriteByte(c)
			i++
			continue
		}
		j := i
		for j < len(name) && isTokenByte(name[j]) {
			j++
		}
		if n, sure := uuidLen(name[i:]); sure && (i+n == len(name) || !isTokenByte(name[i+n])) {
			j = i + n
		}
		token := name[i:j]
		isID, sure := identifier(token)
		if isID {
			if isQuery {
				b.WriteByte('?')
				sure = true
			} else {
				b.WriteString("{id}")
			}
			changed, certain = true, certain || sure
		} else {
			b.WriteString(token)
		}
		i = j
	}
	if !changed {
		return "", false
	}
	return b.String(), certain
}

func isTokenByte(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

// identifier reports whether a token is a number or hexadecimal id, and whether it can be nothing else.
func identifier(token string) (isID, sure bool) {
	digits, hex := 0, 0
	for i := range len(token) {
		switch c := token[i]; {
		case c >= '0' && c <= '9':
			digits++
			hex++
		case c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F':
			hex++
		}
	}
	switch n := len(token); {
	case n == 36 && strings.Count(token, "-") == 4 && hex == 32:
		return true, true
	case digits == n:
		return true, n >= 5
	case hex == n && n >= 8 && digits > 0:
		return true, n >= 16
	}
	return false, false
}

// uuidLen reports whether s begins with a UUID.
func uuidLen(s string) (int, bool) {
	if len(s) < 36 {
		return 0, false
	}
	for i := range 36 {
		isDash := i == 8 || i == 13 || i == 18 || i == 23
		c := s[i]
		isHex := c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
		if isDash != (c == '-') || !isDash && !isHex {
			return 0, false
		}
	}
	return 36, true
}

func looksLikeQuery(name string) bool {
	verb, rest, ok := strings.Cut(name, " ")
	if !ok {
		return false
	}
	switch strings.ToUpper(verb) {
	case "SELECT", "INSERT", "UPDATE", "DELETE", "WITH", "MERGE", "CALL", "EXEC", "REPLACE":
		return strings.ContainsAny(rest, "=(<>'?") || strings.Contains(strings.ToUpper(rest), " FROM ")
	}
	return false
}
