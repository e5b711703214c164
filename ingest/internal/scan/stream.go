package scan

import "errors"

// ErrCut says that the stream stops in the middle of a value.
var ErrCut = errors.New("the input stops in the middle of a value")

// A Fault says that the stream cannot be read past B[At].
type Fault struct {
	At   int
	What string
}

func (f *Fault) Error() string { return f.What }

// Expected returns a Fault at the next byte.
func (w *Window) Expected(what string) error { return &Fault{w.I, "expected " + what} }

// Ended returns why there is no more.
func (w *Window) Ended() error {
	if err := w.Err(); err != nil {
		return err
	}
	return ErrCut
}

// Next returns the next byte that is not white space, without consuming it. Like the other methods
// that read tokens it reads on as needed, and returns [ErrCut] where the stream ends.
func (w *Window) Next() (byte, error) {
	for {
		if w.I = Space(w.B, w.I); w.I < len(w.B) {
			return w.B[w.I], nil
		}
		if !w.More(w.I) {
			return 0, w.Ended()
		}
	}
}

// Skip passes over a value of any length, and returns its first byte.
func (w *Window) Skip() (byte, error) {
	first, err := w.Next()
	if err != nil {
		return 0, err
	}
	var s Skipper
	for {
		switch next := s.Run(w.B, w.I); next {
		case Bad:
			return first, w.Expected("a value")
		case Short:
			w.I = len(w.B)
			if w.More(w.I) {
				continue
			}
			if s.inside == inScalar && w.Err() == nil {
				return first, nil
			}
			return first, w.Ended()
		default:
			w.I = next
			return first, nil
		}
	}
}

// maxKey is how long the name of a member may be that somebody could be looking for.
const maxKey = 1 << 10

// Members calls visit for each member of the object that comes next, with its name; visit must consume
// the value. The name is valid until the next one is read.
func (w *Window) Members(visit func(name []byte) error) error {
	c, err := w.Next()
	if err != nil {
		return err
	}
	if c != '{' {
		return w.Expected("an object")
	}
	w.I++
	for first := true; ; first = false {
		c, err := w.Next()
		if err != nil {
			return err
		}
		switch {
		case c == '}':
			w.I++
			return nil
		case first:
		case c != ',':
			return w.Expected("',' or '}'")
		default:
			w.I++
			if c, err = w.Next(); err != nil {
				return err
			}
		}
		if c != '"' {
			return w.Expected("the name of a member")
		}
		name, err := w.name()
		if err != nil {
			return err
		}
		if c, err = w.Next(); err != nil {
			return err
		}
		if c != ':' {
			return w.Expected("':'")
		}
		w.I++
		if err := visit(name); err != nil {
			return err
		}
	}
}

// Elements calls visit at each element of the array that comes next, which visit must consume. Null
// stands for an array without any. isArray is false for any other value, which is then still to come.
func (w *Window) Elements(visit func(first byte) error) (isArray bool, err error) {
	c, err := w.Next()
	if err != nil {
		return false, err
	}
	if c == 'n' {
		_, err := w.Skip()
		return true, err
	}
	if c != '[' {
		return false, nil
	}
	w.I++
	for first := true; ; first = false {
		if c, err = w.Next(); err != nil {
			return true, err
		}
		switch {
		case c == ']':
			w.I++
			return true, nil
		case first:
		case c != ',':
			return true, w.Expected("',' or ']'")
		default:
			w.I++
			if c, err = w.Next(); err != nil {
				return true, err
			}
		}
		if err := visit(c); err != nil {
			return true, err
		}
	}
}

// name reads the string that comes next. One that is longer than maxKey comes out empty.
func (w *Window) name() ([]byte, error) {
	for {
		s, plain, next := String(w.B, w.I)
		if next == Short {
			if len(w.B)-w.I > maxKey {
				_, err := w.Skip()
				return nil, err
			}
			if !w.More(w.I) {
				return nil, w.Ended()
			}
			continue
		}
		w.I = next
		w.key = w.key[:0]
		if len(s) > maxKey {
			return w.key, nil
		}
		if plain {
			w.key = append(w.key, s...)
		} else {
			w.key, _ = Unescape(w.key, s)
		}
		return w.key, nil
	}
}
