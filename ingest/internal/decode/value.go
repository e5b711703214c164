package decode

import (
	"encoding/json"
	"strings"

	"github.com/tracewhy/tracewhy"
	"github.com/tracewhy/tracewhy/ingest/internal/scan"
)

// Value decodes the value at B[i] as what it is in JSON, in which arrays and objects may nest as deep as
// depth says: what lies deeper is empty. A number without a point or an exponent is an integer, if it is
// one of 64 bits.
func (d *JSON) Value(i, depth int) (v tracewhy.Value, next int) {
	if c := d.B[i]; c == '[' || c == '{' {
		if depth <= 0 {
			d.Note(tracewhy.ProblemValueDepth, i)
			return v, d.Pass(i)
		}
		if c == '{' {
			var elems []tracewhy.KeyValue
			elems, next = d.Values(i, depth-1, nil, new(uint32))
			return tracewhy.MapOf(elems...), next
		}
		var elems []tracewhy.Value
		next = d.Array(i, func(i int) int {
			if !d.Room(d.Attrs, i) {
				return d.Pass(i)
			}
			d.Attrs++
			e, next := d.Value(i, depth-1)
			elems = append(elems, e)
			return next
		})
		return tracewhy.ArrayOf(elems...), next
	}
	s, kind, next := d.Token(i)
	if next < 0 {
		return v, next
	}
	switch kind {
	case TextToken:
		v = tracewhy.StringOf(View(d.Cut(s, i)))
	case BoolToken:
		v = tracewhy.BoolOf(string(s) == "true")
	case NumberToken:
		if n, ok := ExactInt64(s); ok && !strings.ContainsAny(View(s), ".eE") {
			v = tracewhy.IntOf(n)
		} else {
			v = d.FloatOr(s, i)
		}
	}
	return v, next
}

// Values decodes the members of the object at B[i] as attributes, and appends them to dst. It adds to over
// how many were dropped because of the limits.
func (d *JSON) Values(i, depth int, dst []tracewhy.KeyValue, over *uint32) ([]tracewhy.KeyValue, int) {
	i = d.Fields(i, func(name []byte, i int) int {
		if !d.Room(d.Attrs, i) {
			*over++
			return d.Pass(i)
		}
		d.Attrs++
		v, next := d.Value(i, depth)
		dst = append(dst, tracewhy.KeyValue{Key: View(d.Cut(name, i)), Value: v})
		return next
	})
	return dst, i
}

// Quoted calls one of the decoding methods on a text of the span under way that is itself JSON, as it is
// written where formats have no place for attributes; B is that text while the method runs. It is false,
// and nothing is decoded, if the text is none. What is odd in the text is noted at B[at], where it lies.
func (d *JSON) Quoted(text []byte, at int, method func(i int) int) bool {
	if !json.Valid(text) {
		return false
	}
	window, known := d.B, len(d.findings)
	isRefused, isTooMany := d.refusal.code != "", d.tooMany.code != ""
	d.B = text
	next := method(scan.Space(text, 0))
	d.B = window
	for i := known; i < len(d.findings); i++ {
		d.findings[i].at = at
	}
	if !isRefused {
		d.refusal.at = at
	}
	if !isTooMany {
		d.tooMany.at = at
	}
	return next >= 0
}
