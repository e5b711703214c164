package ingest

import "io"

const (
	aheadSize  = 256 << 10 // bytes of a chunk
	aheadCount = 4         // chunks
)

// ahead reads ahead of its reader, in a goroutine of its own, so that decompression and decoding have a
// processor each.
type ahead struct {
	full chan chunk
	free chan []byte
	stop chan struct{} // closed by Close
	rest chunk         // what is left of the chunk that is being read
}

// A chunk is bytes that were read, and the error that came with them.
type chunk struct {
	buf []byte // to be used again
	b   []byte
	err error
}

func newAhead(r io.Reader) *ahead {
	a := &ahead{full: make(chan chunk, aheadCount), free: make(chan []byte, aheadCount), stop: make(chan struct{})}
	for range aheadCount {
		a.free <- nil
	}
	go a.run(r)
	return a
}

// run fills chunks until r ends or the ahead is closed. Closing full says that it is done with r.
func (a *ahead) run(r io.Reader) {
	defer close(a.full)
	for {
		var c chunk
		select {
		case c.buf = <-a.free:
		case <-a.stop:
			return
		}
		if c.buf == nil {
			c.buf = make([]byte, aheadSize)
		}
		n := 0
		for n < len(c.buf) && c.err == nil {
			var m int
			m, c.err = r.Read(c.buf[n:])
			n += m
		}
		c.b = c.buf[:n]
		select {
		case a.full <- c:
		case <-a.stop:
			return
		}
		if c.err != nil {
			return
		}
	}
}

func (a *ahead) Read(p []byte) (int, error) {
	if len(a.rest.b) == 0 {
		if a.rest.err != nil {
			return 0, a.rest.err
		}
		if a.rest.buf != nil {
			a.free <- a.rest.buf
		}
		a.rest = <-a.full
	}
	n := copy(p, a.rest.b)
	a.rest.b = a.rest.b[n:]
	if len(a.rest.b) == 0 {
		return n, a.rest.err
	}
	return n, nil
}

// Close waits until nothing is read any more.
func (a *ahead) Close() {
	close(a.stop)
	for range a.full {
	}
}
