package scan

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/tracewhy/tracewhy/ingest/input"
)

func window(r io.Reader, size int) *Window {
	return NewWindow(context.Background(), r, input.Config{Name: "name", Limits: input.Limits{}.Settled()}, size)
}

// A Window gives the whole stream, and what it keeps stays, whatever its size and the reader's pace.
func TestWindow(t *testing.T) {
	text := strings.Repeat("0123456789\n", 100)
	for _, size := range []int{1, 7, 64, 5000} {
		for _, r := range []io.Reader{strings.NewReader(text), iotest.OneByteReader(strings.NewReader(text)), iotest.DataErrReader(strings.NewReader(text))} {
			w := window(r, size)
			var got []byte
			for {
				if keep := len(w.B) / 2; w.I < keep {
					got = append(got, w.B[w.I:keep]...)
					w.I = keep
				}
				if p := w.Position(w.I); p.Offset != int64(len(got)) || p.Line != 1+len(got)/11 {
					t.Fatalf("size %d: at %+v after %d bytes", size, p, len(got))
				}
				if !w.More(w.I) {
					break
				}
			}
			if got = append(got, w.B[w.I:]...); string(got) != text {
				t.Errorf("size %d: %d bytes, want %d", size, len(got), len(text))
			}
			if w.Err() != nil || w.IsCut() {
				t.Errorf("size %d: %v, cut %v", size, w.Err(), w.IsCut())
			}
		}
	}
}

func TestWindowErrors(t *testing.T) {
	broken := errors.New("broken")
	w := window(io.MultiReader(strings.NewReader("abc"), iotest.ErrReader(broken)), 64)
	if !w.More(0) || string(w.B) != "abc" || w.More(0) || !errors.Is(w.Err(), broken) {
		t.Errorf("%q, %v", w.B, w.Err())
	}
	w = window(io.MultiReader(strings.NewReader("abc"), iotest.ErrReader(io.ErrUnexpectedEOF)), 64)
	if !w.More(0) || w.More(0) || w.Err() != nil || !w.IsCut() {
		t.Errorf("cut %v, %v", w.IsCut(), w.Err())
	}
	w = window(idle{}, 64)
	if w.More(0) || !errors.Is(w.Err(), io.ErrNoProgress) {
		t.Errorf("a reader that does nothing: %v", w.Err())
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	w = NewWindow(ctx, strings.NewReader("abc"), input.Config{}, 64)
	if w.More(0) || !errors.Is(w.Err(), context.Canceled) {
		t.Errorf("cancelled: %v", w.Err())
	}
}

// idle is a reader that never reads.
type idle struct{}

func (idle) Read([]byte) (int, error) { return 0, nil }

// The outer tokens come out the same wherever windows end, and faults are where they are.
func TestStream(t *testing.T) {
	walk := func(text string, size int) string {
		w := window(strings.NewReader(text), size)
		var out bytes.Buffer
		var visit func(first byte) error
		visit = func(first byte) error {
			switch first {
			case '{':
				out.WriteByte('{')
				err := w.Members(func(name []byte) error {
					fmt.Fprintf(&out, "%s:", name)
					c, err := w.Next()
					if err != nil {
						return err
					}
					return visit(c)
				})
				out.WriteByte('}')
				return err
			case '[':
				out.WriteByte('[')
				_, err := w.Elements(visit)
				out.WriteByte(']')
				return err
			}
			first, err := w.Skip()
			fmt.Fprintf(&out, "%c ", first)
			return err
		}
		c, err := w.Next()
		if err == nil {
			err = visit(c)
		}
		var fault *Fault
		switch {
		case errors.As(err, &fault):
			fmt.Fprintf(&out, " %s at %d", fault.What, w.Offset(fault.At))
		case err != nil:
			out.WriteString(" " + err.Error())
		}
		return out.String()
	}
	for text, want := range map[string]string{
		`{"a":1,"b":[true,"x",{"c\u0041":null}],"":{}}`: `{a:1 b:[t " {cA:n }]:{}}`,
		" [ ] ":       `[]`,
		`{"a":1,}`:    `{a:1 } expected the name of a member at 7`,
		`{"a" 1}`:     `{} expected ':' at 5`,
		`{"a":1 "b"}`: `{a:1 } expected ',' or '}' at 7`,
		`[1,]`:        `[1 ] ] expected a value at 3`,
		`[1 2]`:       `[1 ] expected ',' or ']' at 3`,
		`{"a":[1,2`:   `{a:[1 2 ]} the input stops in the middle of a value`,
		`{"a":"x`:     `{a:" } the input stops in the middle of a value`,
		``:            ` the input stops in the middle of a value`,
		`[{'a':1}]`:   `[{}] expected the name of a member at 2`,
		`{"` + strings.Repeat("k", 3000) + `":1,"b":2}`: `{:1 b:2 }`,
	} {
		for _, size := range []int{1 << 14, 1500, 3} {
			if got := walk(text, size); got != want {
				t.Errorf("%.40s with a window of %d:\ngot  %s\nwant %s", text, size, got, want)
			}
		}
	}
}
