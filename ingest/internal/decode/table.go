package decode

// A Table has what was put together from parts of the input, by how those are written, for the next time.
type Table[T any] struct {
	known map[string]*T
	size  int // about, in bytes
}

// Known returns what was kept under a key, or nil.
func (t *Table[T]) Known(key []byte) *T { return t.known[string(key)] }

// Keep keeps v under a copy of key. It forgets everything else when that becomes too much.
func (t *Table[T]) Keep(key []byte, v *T) {
	const most, overhead = 4 << 20, 512
	if t.size += 3*len(key) + overhead; t.size > most || t.known == nil {
		t.size = 0
		t.known = map[string]*T{}
	}
	t.known[string(key)] = v
}
