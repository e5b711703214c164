package ingest_test

import (
	"bytes"
	"strings"
	"testing"
)

// A program of bytes writes a document: in any format, fields in any order, repeated, swapped for awkward
// values, nested, and cut. No span gets lost uncounted, and reading the same again comes to the same.
func FuzzDocuments(f *testing.F) {
	for i := range layouts {
		f.Add([]byte{byte(i), 0, 0, 1, 1, 2, 2, 3, 3, 200, 200})
	}
	f.Fuzz(func(t *testing.T, program []byte) {
		if len(program) == 0 || len(program) > 1<<12 {
			return
		}
		l := layouts[int(program[0])%len(layouts)]
		var members []string
		for p := program[1:]; len(p) >= 2; p = p[2:] {
			field := l.fields[int(p[0])%len(l.fields)]
			value := field[1]
			switch op := int(p[1]); {
			case op < len(awkward):
				value = awkward[op]
			case op < 64: // another field's value
				value = l.fields[op%len(l.fields)][1]
			case op < 96:
				value = strings.Repeat("[", op) + value + strings.Repeat("]", op)
			}
			members = append(members, `"`+field[0]+`":`+value)
		}
		doc := []byte(l.before + strings.Join(members, ",") + l.after)
		if last := int(program[len(program)-1]); last < 32 {
			doc = doc[:len(doc)*last/32]
		} else if last < 64 {
			doc = bytes.Repeat(append(doc, '\n'), last%4+1)
		}
		first, _ := outcome(t, doc)
		if again, _ := outcome(t, doc); again != first {
			t.Errorf("first %s, then %s", first, again)
		}
	})
}
