package otlp

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"slices"

	"github.com/tracewhy/tracewhy/ingest/internal/scan"
)

// A pattern is how an attribute is written but for its value:
//
//	{"key":"http.route","value":{"stringValue":"     and     "}}
//
// Whatever space a writer puts there, it puts there each time. Attributes follow each other in few
// orders, so the pattern of one says which is likely the next, and a comparison finds its value.
type pattern struct {
	before, after string
	isQuoted      bool
	salt          uint32      // its number, from 1 on
	next          [4]*pattern // those that followed, the likely ones first
}

// patterns are those found in an input, by what is before and after the value. The zero value is empty.
type patterns struct {
	known map[[2]string]*pattern
	start pattern // what the first one of a list follows
}

const (
	maxPatterns = 4096
	maxBefore   = 256 // bytes
	maxAfter    = 64
)

// follower returns the pattern that text begins with, if it is one that followed p.
func (p *pattern) follower(text []byte) *pattern {
	for i, n := range p.next {
		if n == nil {
			return nil
		}
		if len(text) > len(n.before) && string(text[:len(n.before)]) == n.before {
			if i > 0 {
				p.next[i-1], p.next[i] = n, p.next[i-1]
			}
			return n
		}
	}
	return nil
}

// follow makes n one that followed p.
func (p *pattern) follow(n *pattern) {
	switch {
	case slices.Contains(p.next[:], n):
	case p.next[0] == nil:
		p.next[0] = n
	default:
		p.next[1], p.next[2], p.next[3] = n, p.next[1], p.next[2]
	}
}

// learn returns the pattern of an attribute, or nil if it has none.
func (p *patterns) learn(text []byte) *pattern {
	from, to := valueOf(text)
	if from < 0 || from > maxBefore || len(text)-to > maxAfter {
		return nil
	}
	key := [2]string{string(text[:from]), string(text[to:])}
	n := p.known[key]
	if n == nil && len(p.known) < maxPatterns {
		if p.known == nil {
			p.known = map[[2]string]*pattern{}
		}
		n = &pattern{before: key[0], after: key[1], isQuoted: text[from-1] == '"', salt: uint32(len(p.known)) + 1}
		p.known[key] = n
	}
	return n
}

// value returns the value of an attribute that begins with the pattern at text[0], and the index after
// the attribute; or scan.Bad where the rest is not the pattern's.
func (p *pattern) value(text []byte) (v []byte, next int) {
	from := len(p.before)
	to := from
	if p.isQuoted {
		to = plainEnd(text, from)
	} else {
		for to < len(text) && isScalar(text[to]) {
			to++
		}
	}
	if next = to + len(p.after); next > len(text) || string(text[to:next]) != p.after {
		return nil, scan.Bad
	}
	return text[from:to], next
}

// plainEnd returns the index of the first quote or backslash from i on, or len(b).
func plainEnd(b []byte, i int) int {
	for i+8 <= len(b) {
		w := binary.LittleEndian.Uint64(b[i:])
		if hit := scan.ZeroBytes(w^scan.Each('"')) | scan.ZeroBytes(w^scan.Each('\\')); hit != 0 {
			return i + bits.TrailingZeros64(hit)>>3
		}
		i += 8
	}
	for i < len(b) && b[i] != '"' && b[i] != '\\' {
		i++
	}
	return i
}

func isScalar(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || c == '-' || c == '+' || c == '.' || c == 'E'
}

// valueOf returns where in an attribute the text of its value is, within the quotes if it has any: if
// the attribute is {"key":K,"value":{T:V}} with a plain K, and a V that is no array, map or bytes.
func valueOf(text []byte) (from, to int) {
	i := 0
	for _, token := range [...]string{"{", `"key"`, ":", "", ",", `"value"`, ":", "{"} {
		i = scan.Space(text, i)
		if token == "" {
			if i == len(text) || text[i] != '"' {
				return -1, -1
			}
			_, plain, next := scan.String(text, i)
			if !plain {
				return -1, -1
			}
			i = next
			continue
		}
		if !bytes.HasPrefix(text[i:], []byte(token)) {
			return -1, -1
		}
		i += len(token)
	}
	i = scan.Space(text, i)
	isKnown := false
	for _, name := range [...]string{`"stringValue"`, `"intValue"`, `"boolValue"`, `"doubleValue"`} {
		if bytes.HasPrefix(text[i:], []byte(name)) {
			i += len(name)
			isKnown = true
			break
		}
	}
	if i = scan.Space(text, i); !isKnown || i == len(text) || text[i] != ':' {
		return -1, -1
	}
	if i = scan.Space(text, i+1); i == len(text) {
		return -1, -1
	}
	from = i
	if text[i] == '"' {
		from++
		to = plainEnd(text, from)
		i = to + 1
	} else {
		for i < len(text) && isScalar(text[i]) {
			i++
		}
		to = i
	}
	for range 2 {
		if i = scan.Space(text, i); i >= len(text) || text[i] != '}' {
			return -1, -1
		}
		i++
	}
	if i != len(text) {
		return -1, -1
	}
	return from, to
}
