// Package chunk holds lists that grow without ever moving what they hold.
//
// A slice that grows by append is copied again and again, about five times over for a large one, and
// leaves room for a quarter more. A [List] of millions costs one write for each element instead, and
// reading it one indirection more.
package chunk

// size is how many elements a chunk holds: enough that chunks are few, and little to leave empty.
const (
	shift = 12
	size  = 1 << shift
)

// List is a list of elements of one type. The zero List is empty and ready to use.
type List[T any] struct {
	chunks [][]T // all full but the last
	n      int
}

// Len returns the number of elements.
func (l *List[T]) Len() int { return l.n }

// Append adds an element at the end.
func (l *List[T]) Append(v T) {
	if l.n&(size-1) == 0 && l.n>>shift == len(l.chunks) {
		l.grow()
	}
	last := &l.chunks[l.n>>shift]
	*last = append(*last, v)
	l.n++
}

// Extend adds elements at the end.
func (l *List[T]) Extend(vs []T) {
	for len(vs) > 0 {
		if l.n&(size-1) == 0 && l.n>>shift == len(l.chunks) {
			l.grow()
		}
		last := &l.chunks[l.n>>shift]
		n := min(len(vs), size-len(*last))
		*last = append(*last, vs[:n]...)
		l.n += n
		vs = vs[n:]
	}
}

func (l *List[T]) grow() {
	if len(l.chunks) == 0 {
		l.chunks = append(l.chunks, nil) // the first chunk grows as slices do: many lists stay small
		return
	}
	l.chunks = append(l.chunks, make([]T, 0, size))
}

// At returns element i, 0 ≤ i < Len. The pointer stays good while the list has more than i elements,
// except in a list shorter than a chunk, which still moves.
func (l *List[T]) At(i int) *T { return &l.chunks[i>>shift][i&(size-1)] }

// Range returns elements from up to, not including, to. The caller must not modify them.
func (l *List[T]) Range(from, to int) []T {
	if from >= to {
		return nil
	}
	first, last := from>>shift, (to-1)>>shift
	if first == last {
		return l.chunks[first][from&(size-1) : (to-1)&(size-1)+1]
	}
	r := make([]T, 0, to-from)
	r = append(r, l.chunks[first][from&(size-1):]...)
	for _, c := range l.chunks[first+1 : last] {
		r = append(r, c...)
	}
	return append(r, l.chunks[last][:(to-1)&(size-1)+1]...)
}

// Truncate drops all elements from n on, 0 ≤ n ≤ Len.
func (l *List[T]) Truncate(n int) {
	keep := (n + size - 1) >> shift
	clear(l.chunks[keep:])
	l.chunks = l.chunks[:keep]
	if r := n & (size - 1); r != 0 {
		l.chunks[keep-1] = l.chunks[keep-1][:r]
	}
	l.n = n
}
